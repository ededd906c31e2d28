"""Lane Link on the wire: the published vectors, both ways, checked by a second implementation of COBS and CRC."""

from __future__ import annotations

import dataclasses
import struct
import tomllib
from pathlib import Path
from typing import Any

import pytest

import drivers.lane_io
from drivers.lane_io import protocol as wire
from drivers.lane_io.codec import MAX_ENCODED_BYTES, CodecFault, CodecFaultKind, Decoder, Frame, encode

VECTORS = tomllib.loads((Path(drivers.lane_io.__file__).parent / "vectors.toml").read_text())
CASES = {case["name"]: case for case in VECTORS["vector"]}
REJECTS = {case["name"]: case for case in VECTORS["reject"]}


def by_hand_crc(data: bytes) -> int:
    """CRC-16/IBM-3740 one bit at a time, from the catalogue's parameters."""
    register = 0xFFFF
    for byte in data:
        register ^= byte << 8
        for _ in range(8):
            register = (register << 1 ^ 0x1021 if register & 0x8000 else register << 1) & 0xFFFF
    return register


def by_hand_unstuff(data: bytes) -> bytes:
    """COBS undone as the paper describes it: each code byte counts to the next zero."""
    out = bytearray()
    while data:
        code, data = data[0], data[1:]
        out += data[: code - 1]
        data = data[code - 1 :]
        if data and code < 0xFF:
            out.append(0)
    return bytes(out)


def message_of(case: dict[str, Any]) -> wire.Message:
    kind = wire.MESSAGES[wire.MessageType[case["type"]]]
    values = {name: kind.ENUMS[name](value) if name in kind.ENUMS else value for name, value in case["fields"].items()}
    return kind(**values)


@pytest.mark.parametrize("name", CASES)
def test_vector_both_ways(name: str) -> None:
    case = CASES[name]
    frame = Frame(sequence=case["sequence"], message=message_of(case))
    line = bytes.fromhex(case["wire"])
    assert encode(frame) == line
    assert Decoder().feed(line) == [frame]


@pytest.mark.parametrize("name", CASES)
def test_vector_against_a_second_implementation(name: str) -> None:
    case = CASES[name]
    line = bytes.fromhex(case["wire"])
    assert line[0] == line[-1] == 0
    assert 0 not in line[1:-1]
    body = by_hand_unstuff(line[1:-1])
    assert int.from_bytes(body[-2:], "little") == by_hand_crc(body[:-2])
    assert body[0] == 1
    assert int.from_bytes(body[1:3], "little") == case["sequence"]
    assert body[3] == wire.MessageType[case["type"]]


def test_sensor_bytes_are_where_the_document_says() -> None:
    body = by_hand_unstuff(bytes.fromhex(CASES["one person inside, both doors locked"]["wire"])[1:-1])
    payload = body[4:-2]
    assert len(payload) == 36
    assert int.from_bytes(payload[0:4], "little") == 123456
    assert (payload[4], payload[5], payload[6], payload[7]) == (1, 1, 0x03, 0)
    assert int.from_bytes(payload[8:16], "little") == 0x00078000
    assert int.from_bytes(payload[16:20], "little") == 123400
    assert (payload[20], payload[21]) == (28, 1)
    assert int.from_bytes(payload[22:26], "little") == 0xA1B2C3D4
    assert int.from_bytes(payload[26:30], "little") == 0xDEADBEEF
    assert payload[30] == wire.WireLamp.BLUE
    assert int.from_bytes(payload[31:33], "little", signed=True) == 312
    assert payload[33] == wire.SelfTestState.PASSED
    assert int.from_bytes(payload[34:36], "little") == 0


def test_the_64th_beam_fits() -> None:
    message = dataclasses.replace(message_of(CASES["64 beams, one door, frost, a blind receiver"]), beams=1 << 63)
    assert message.pack()[8:16] == bytes([0, 0, 0, 0, 0, 0, 0, 0x80])
    assert wire.Sensors.unpack(message.pack()) == message


@pytest.mark.parametrize("name", REJECTS)
def test_reject_vector_is_a_fault_and_the_next_frame_is_not_lost(name: str) -> None:
    case = REJECTS[name]
    good = Frame(sequence=9, message=wire.Heartbeat(session=1))
    fault, frame = Decoder().feed(bytes.fromhex(case["wire"]) + encode(good))
    assert isinstance(fault, CodecFault)
    assert fault.kind is CodecFaultKind(case["fault"])
    assert frame == good


def test_every_fault_kind_and_every_message_has_a_vector() -> None:
    assert {case["fault"] for case in REJECTS.values()} == set(CodecFaultKind)
    assert {case["type"] for case in CASES.values()} == {kind.name for kind in wire.MessageType}


def test_no_single_flipped_bit_makes_another_message() -> None:
    for case in CASES.values():
        line = bytes.fromhex(case["wire"])
        sent = Frame(sequence=case["sequence"], message=message_of(case))
        for bit in range(8, 8 * (len(line) - 1)):
            flipped = bytearray(line)
            flipped[bit // 8] ^= 1 << bit % 8
            received = [found for found in Decoder().feed(bytes(flipped)) if isinstance(found, Frame)]
            assert received in ([], [sent]), f"{case['name']}, bit {bit}"


def test_undefined_flag_bits_are_refused() -> None:
    case = CASES["one person inside, both doors locked"]
    message = message_of(case)
    payload = bytearray(message.pack())
    payload[6] |= 0x80
    with pytest.raises(ValueError, match="DoorFlag"):
        wire.Sensors.unpack(bytes(payload))


def test_value_that_does_not_fit_is_our_bug_and_raises() -> None:
    with pytest.raises(struct.error):
        encode(Frame(sequence=70_000, message=wire.Heartbeat(session=1)))


def test_messages_fit_the_frame_and_are_documented() -> None:
    document = (Path(__file__).parents[3] / "docs" / "protocols" / "lane-link.md").read_text(encoding="utf-8")
    for kind in wire.MESSAGES.values():
        assert kind.LAYOUT.size <= wire.MAX_PAYLOAD_BYTES
        assert f"`0x{kind.TYPE:02X}` {kind.TYPE.name} | {kind.LAYOUT.size} bytes" in document
        for field in dataclasses.fields(kind):
            assert f"`{field.name}`" in document, f"{kind.__name__}.{field.name}"


def test_endless_noise_is_bounded_memory() -> None:
    decoder = Decoder()
    for _ in range(100):
        assert decoder.feed(b"\x55" * 1000) == []
    assert len(decoder._buffer) <= MAX_ENCODED_BYTES
    assert [found.kind for found in decoder.feed(b"\0") if isinstance(found, CodecFault)] == [CodecFaultKind.TOO_LONG]
