"""The board in C reads and writes the published vectors, refuses what they refuse, and needs nothing but itself."""

from __future__ import annotations

import ctypes
import subprocess
import tomllib
from pathlib import Path

import pytest
from c_kit import needs_compiler

from drivers.lane_io import protocol as wire
from drivers.lane_io.codec import CodecFaultKind
from simulator.c_build import FUZZER, LIBRARY, SOURCES, built

pytestmark = needs_compiler
VECTORS = tomllib.loads((SOURCES.parent / "vectors.toml").read_text(encoding="utf-8"))
CASES = {case["name"]: case for case in VECTORS["vector"]}
REJECTS = {case["name"]: case for case in VECTORS["reject"]}
NOTHING, FRAME = 0, 1
FAULTS = (
    CodecFaultKind.BAD_COBS,
    CodecFaultKind.BAD_CRC,
    CodecFaultKind.BAD_PAYLOAD,
    CodecFaultKind.TOO_LONG,
    CodecFaultKind.TOO_SHORT,
    CodecFaultKind.UNKNOWN_TYPE,
    CodecFaultKind.UNKNOWN_VERSION,
)
"""In the order of `tg_found`, from TG_BAD_COBS on."""


class CFrame(ctypes.Structure):
    _fields_ = (
        ("sequence", ctypes.c_uint16),
        ("type", ctypes.c_uint8),
        ("length", ctypes.c_uint8),
        ("payload", ctypes.c_uint8 * wire.MAX_PAYLOAD_BYTES),
    )


class CCodec:
    def __init__(self) -> None:
        self.library = ctypes.CDLL(str(built(LIBRARY)))
        self.library.tg_host_decoder_bytes.restype = self.library.tg_encode.restype = ctypes.c_size_t
        self.library.tg_decode.argtypes = (ctypes.c_void_p, ctypes.c_uint8, ctypes.c_void_p)
        self.decoder = ctypes.create_string_buffer(self.library.tg_host_decoder_bytes())
        self.frame = CFrame()

    def found(self, line: bytes) -> list[int]:
        made = (self.library.tg_decode(self.decoder, byte, ctypes.byref(self.frame)) for byte in line)
        return [found for found in made if found != NOTHING]

    def encode(self, frame: CFrame) -> bytes:
        line = ctypes.create_string_buffer(80)
        count = self.library.tg_encode(ctypes.byref(frame), line)
        return line.raw[:count]


@pytest.fixture
def codec() -> CCodec:
    return CCodec()


def payload_of(case: dict[str, object]) -> bytes:
    kind = wire.MESSAGES[wire.MessageType[str(case["type"])]]
    fields = case["fields"]
    assert isinstance(fields, dict)
    return kind(
        **{name: kind.ENUMS[name](value) if name in kind.ENUMS else value for name, value in fields.items()}
    ).pack()


@pytest.mark.parametrize("name", CASES)
def test_vector_both_ways_in_c(name: str, codec: CCodec) -> None:
    case = CASES[name]
    line, payload = bytes.fromhex(case["wire"]), payload_of(case)
    assert codec.found(line) == [FRAME]
    frame = codec.frame
    assert (frame.sequence, frame.type) == (case["sequence"], wire.MessageType[case["type"]])
    assert bytes(frame.payload)[: frame.length] == payload
    again = CFrame(sequence=case["sequence"], type=wire.MessageType[case["type"]], length=len(payload))
    again.payload[: len(payload)] = payload
    assert codec.encode(again) == line


@pytest.mark.parametrize("name", REJECTS)
def test_reject_vector_in_c_and_the_next_frame_is_not_lost(name: str, codec: CCodec) -> None:
    case = REJECTS[name]
    found = codec.found(bytes.fromhex(case["wire"]) + bytes.fromhex(CASES["heartbeat"]["wire"]))
    assert found == [2 + FAULTS.index(CodecFaultKind(case["fault"])), FRAME]


def test_every_message_has_its_length_in_c(codec: CCodec) -> None:
    for number in range(256):
        kind = wire.MESSAGES.get(number)
        assert codec.library.tg_payload_length(number) == (kind.LAYOUT.size if kind else -1)


def test_the_firmware_needs_no_library_and_no_heap(tmp_path: Path) -> None:
    """A product has nothing but memcpy, memset and memcmp, which every compiler brings along."""
    sources = sorted((SOURCES / "src").glob("*.c"))
    assert len(sources) >= 8
    command = ["gcc", "-std=c11", "-O2", "-ffreestanding", "-fno-stack-protector", f"-I{SOURCES / 'include'}", "-c"]
    subprocess.run([*command, *map(str, sources)], cwd=tmp_path, check=True)
    symbols = subprocess.run(
        ["nm", "-u", *map(str, tmp_path.glob("*.o"))], capture_output=True, text=True, check=True
    ).stdout
    wanted = {line.split()[-1] for line in symbols.splitlines() if " U " in line}
    assert {name for name in wanted if not name.startswith("tg_")} <= {"memcpy", "memset", "memcmp"}


def test_the_firmware_warns_of_nothing_and_is_small(tmp_path: Path) -> None:
    built(LIBRARY)
    makefile = (SOURCES / "Makefile").read_text(encoding="utf-8")
    for flag in ("-std=c11", "-Wall", "-Wextra", "-Werror", "-Wconversion", "-O2", "-fsanitize=address,undefined"):
        assert flag in makefile
    for source in (SOURCES / "src").glob("*.c"):
        assert len(source.read_text(encoding="utf-8").splitlines()) <= 400, source.name


def fuzz(seconds: int, seed: int) -> str:
    done = subprocess.run(
        [str(built(FUZZER)), str(seconds), str(seed)], capture_output=True, text=True, check=False, timeout=40 * seconds
    )
    assert done.returncode == 0, f"seed {seed}: {done.stdout}{done.stderr}"
    return done.stdout


def test_fuzzed_receiver_under_the_sanitizers() -> None:
    assert "no finding" in fuzz(3, seed=1)


@pytest.mark.long
@pytest.mark.timeout(3000)
def test_fuzzed_receiver_under_the_sanitizers_for_a_minute() -> None:
    assert "no finding" in fuzz(60, seed=2)
