"""How long it takes to read a chip, and what the time goes into: an 18 kB DG2 by PACE (ECDH P-256, AES-128) over real wires.

The chip answers at once, which no real one does: so the share of cryptography and parsing is the largest that it can be. The same
reading is also set against the time that a contactless chip's bytes need at 424 kbit/s, and played again from memory: what it costs
where no wire puts the computer to sleep between two commands, and other programs empty its caches meanwhile.
"""

from __future__ import annotations

import multiprocessing
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from multiprocessing.connection import Connection
from pathlib import Path
from statistics import median

from drivers.chip.channel import ApduChannel
from drivers.chip.pcsc import PcscChannel
from drivers.chip.reader import read_chip
from drivers.chip.results import ChipRead, ChipTimes
from drivers.chip.trace import RecordedTrace, RecordingChannel
from drivers.chip.vpcd import VpcdChannel
from drivers.errors import DeviceError
from simulator.chip.card import VirtualChip
from simulator.chip.document import ChipDocument, Choices, make_document, make_issuer
from simulator.chip.pcscd import READER_NAME, VirtualReader
from simulator.chip.profile import ChipProfile, PaceOption
from simulator.chip.vpicc import VpiccServer

FACE_BYTES = 18_000
_LINE_BITS_PER_S = 424_000
_WARM_UP = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadFigures:
    """Medians. ``wire``: "pcscd" or "tcp". ``line_ms``: what the bytes of all commands and answers take at 424 kbit/s.

    ``replayed_ms``: cryptography and parsing of the same conversation out of memory.
    """

    wire: str
    reads: int
    read_ms_p50: float
    crypto_ms: float
    apdu_ms: float
    parsing_ms: float
    commands: int
    line_ms: float
    replayed_ms: float

    @property
    def own_ratio(self) -> float:
        """Cryptography and parsing by the whole, with a chip that answers at once."""
        return (self.crypto_ms + self.parsing_ms) / self.read_ms_p50

    def to_json(self) -> dict[str, object]:
        return {
            "read_ms_p50": round(self.read_ms_p50, 2),
            "split_ms": {
                "crypto": round(self.crypto_ms, 2),
                "apdu": round(self.apdu_ms, 2),
                "parsing": round(self.parsing_ms, 2),
            },
            "own_ratio": round(self.own_ratio, 3),
            "own_ratio_at_424_kbit_s": round(
                (self.crypto_ms + self.parsing_ms) / (self.crypto_ms + self.parsing_ms + self.line_ms), 4
            ),
            "own_replayed_ms": round(self.replayed_ms, 2),
            "wire": self.wire,
            "reads": self.reads,
            "commands": self.commands,
        }


def measure_reading(reads: int = 20, *, uses_pcscd: bool | None = None, buffer_bytes: int | None = None) -> ReadFigures:
    """Read the same chip again and again. ``uses_pcscd`` None: if it is installed and none runs; else over TCP."""
    issuer, signer = make_issuer(datetime.now(UTC))
    face = b"\xff\xd8\xff\xe0" + bytes(FACE_BYTES)
    paper = make_document(issuer, signer, Choices(portrait=face, pace=(PaceOption(),), buffer_bytes=buffer_bytes))
    if uses_pcscd is not False:
        try:
            return _over_pcscd(paper, reads)
        except DeviceError:
            if uses_pcscd:
                raise
    with _elsewhere(_serve_tcp, paper.profile) as port:
        channel = VpcdChannel(port=int(port))
        try:
            return _measure(channel, paper, reads, "tcp")
        finally:
            channel.close()


def _over_pcscd(paper: ChipDocument, reads: int) -> ReadFigures:
    with _elsewhere(_serve_pcscd, paper.profile) as problem:
        if problem:
            raise DeviceError(problem)
        channel = PcscChannel(f"{READER_NAME} 00 00")
        try:
            return _measure(channel, paper, reads, "pcscd")
        finally:
            channel.close()


def _measure(channel: ApduChannel, paper: ChipDocument, reads: int, wire: str) -> ReadFigures:
    counting = _Counting(channel)
    times: list[ChipTimes] = []
    for number in range(_WARM_UP + reads):
        counting.octets = 0
        result = read_chip(counting, paper.profile.mrz)
        if not isinstance(result, ChipRead):
            raise DeviceError(f"The virtual chip was not read: {result.detail}.")
        if number >= _WARM_UP:
            times.append(result.times)
    return ReadFigures(
        wire=wire,
        reads=reads,
        read_ms_p50=median(one.total_ms for one in times),
        crypto_ms=median(one.crypto_ms for one in times),
        apdu_ms=median(one.apdu_ms for one in times),
        parsing_ms=median(one.parsing_ms for one in times),
        commands=times[-1].commands,
        line_ms=counting.octets * 8 / _LINE_BITS_PER_S * 1000,
        replayed_ms=_replay(channel, paper, reads),
    )


def _replay(channel: ApduChannel, paper: ChipDocument, reads: int) -> float:
    """Record one reading and play it again and again; the median of what is ours in it."""
    recorder = RecordingChannel(channel)
    read_chip(recorder, paper.profile.mrz, random=recorder.random)
    own = []
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "trace")
        recorder.save(path)
        for number in range(_WARM_UP + reads):
            trace = RecordedTrace.load(path)
            result = read_chip(trace, paper.profile.mrz, random=trace.random)
            if not isinstance(result, ChipRead):
                raise DeviceError(f"The recorded reading cannot be played again: {result.detail}.")
            if number >= _WARM_UP:
                own.append(result.times.crypto_ms + result.times.parsing_ms)
    return median(own)


class _Counting(ApduChannel):
    """Counts what goes over the wire."""

    def __init__(self, channel: ApduChannel) -> None:
        self._channel = channel
        self.octets = 0

    def connect(self, timeout_ms: int) -> bytes:
        return self._channel.connect(timeout_ms)

    def transmit(self, command: bytes, timeout_ms: int) -> bytes:
        answer = self._channel.transmit(command, timeout_ms)
        self.octets += len(command) + len(answer)
        return answer

    def is_present(self) -> bool:
        return self._channel.is_present()

    def close(self) -> None:
        self._channel.close()


@contextmanager
def _elsewhere(serve: Callable[[ChipProfile, Connection], None], profile: ChipProfile) -> Iterator[str]:
    """The chip in a process of its own, so that its work is not counted as ours; yields the first word it says."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=serve, args=(profile, theirs), daemon=True)
    process.start()
    try:
        if not ours.poll(30):
            raise DeviceError("The virtual chip's process does not start; see the messages above.")
        yield str(ours.recv())
    finally:
        ours.send("end")
        process.join(timeout=10)
        if process.is_alive():
            process.terminate()
            process.join()


def _serve_tcp(profile: ChipProfile, line: Connection) -> None:
    server = VpiccServer(VirtualChip(profile))
    server.start()
    line.send(server.port)
    line.recv()
    server.stop()


def _serve_pcscd(profile: ChipProfile, line: Connection) -> None:
    try:
        with tempfile.TemporaryDirectory() as folder, VirtualReader(VirtualChip(profile), Path(folder)):
            line.send("")
            line.recv()
    except DeviceError as error:
        line.send(str(error))
        line.recv()
