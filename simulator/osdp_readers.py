"""OSDP readers behind a pty, several on one line: libosdp's peripheral mode, with faults."""

from __future__ import annotations

import random
import time
from enum import StrEnum
from pathlib import Path
from typing import Any

import osdp_sys
from osdp import Capability, CardFormat, Channel, Command, Event, LibFlag, LogLevel, PDCapabilities, PDInfo

from simulator.pty_line import PtyLine

_STEP_S = 0.002
_CAPABILITIES = PDCapabilities(
    [
        (Capability.LEDControl, 2, 1),
        (Capability.AudibleControl, 1, 1),
        (Capability.CardDataFormat, 1, 1),
        (Capability.CommunicationSecurity, 1, 1),
        (Capability.Readers, 1, 1),
    ]
)
_STAR, _HASH = 0x7F, 0x0D
# libosdp 3.2.9 takes one reference too many from the second thing that a command callback returns, which is None here: without this
# the interpreter ends after some thousand commands ("deallocating None"; None is immortal from Python 3.12 on).
_PAID_BACK: list[None] = []


class ReaderFault(StrEnum):
    """What `PtyReaders.inject` can break. `reboot` happens once, the others last until `heal`."""

    SILENT = "silent"
    LATE = "late"
    GARBLE = "garble"
    POWER_OFF = "power_off"
    REBOOT = "reboot"


class _Tap(Channel):  # type: ignore[misc]  # the library is not typed
    def __init__(self, reader: ReaderTwin) -> None:
        super().__init__()
        self.received = bytearray()
        self._reader = reader

    def read(self, max_bytes: int) -> bytes:
        data = bytes(self.received[:max_bytes])
        del self.received[:max_bytes]
        return data

    def write(self, buf: bytes) -> int:
        self._reader.answer(bytes(buf))
        return len(buf)

    def flush(self) -> None:
        self.received.clear()


class ReaderTwin:
    """One reader: what is shown and sounded, and whoever holds a card to it."""

    def __init__(self, address: int, key: bytes, *, seed: int = 1) -> None:
        self.address = address
        self.colour = 0
        self.is_blinking = False
        self.beeps = 0
        self.answers: list[tuple[float, bytes]] = []
        self._key = key
        self._faults: dict[ReaderFault, float] = {}
        self._rng = random.Random(seed)
        self._boot()

    def inject(self, fault: ReaderFault, value: float | None = None) -> None:
        """Breaks something. `value`: lateness in ms (300), garbled share of bytes (0.05)."""
        if fault is ReaderFault.REBOOT:
            self._boot()
            return
        defaults = {ReaderFault.LATE: 300.0, ReaderFault.GARBLE: 0.05}
        self._faults[fault] = defaults.get(fault, 1.0) if value is None else value

    def heal(self, fault: ReaderFault) -> None:
        was_broken = self._faults.pop(fault, None) is not None
        if fault is ReaderFault.POWER_OFF and was_broken:
            self._boot()

    def present_card(self, data: bytes, *, bits: int | None = None) -> None:
        self._device.submit_event(
            {
                "event": Event.CardRead,
                "reader_no": 0,
                "direction": 0,
                "format": CardFormat.Wiegand,
                "length": len(data) * 8 if bits is None else bits,
                "data": data,
            }
        )

    def press(self, keys: str) -> None:
        codes = {"*": _STAR, "#": _HASH}
        data = bytes(codes.get(key, ord(key)) for key in keys)
        self._device.submit_event({"event": Event.KeyPress, "reader_no": 0, "data": data})

    def receive(self, data: bytes) -> None:
        if ReaderFault.POWER_OFF not in self._faults:
            self._tap.received += data

    def refresh(self) -> None:
        if ReaderFault.POWER_OFF not in self._faults:
            self._device.refresh()

    def answer(self, data: bytes) -> None:
        if ReaderFault.SILENT in self._faults:
            return
        share = self._faults.get(ReaderFault.GARBLE, 0.0)
        if share:
            data = bytes(byte ^ self._rng.randrange(1, 256) if self._rng.random() < share else byte for byte in data)
        self.answers.append((time.monotonic() + self._faults.get(ReaderFault.LATE, 0.0) / 1000, data))

    def _boot(self) -> None:
        self.colour = 0
        self.is_blinking = False
        self._tap = _Tap(self)
        info = PDInfo(self.address, self._tap, scbk=self._key, flags=[LibFlag.EnforceSecure])
        self._device: Any = osdp_sys.PeripheralDevice(info.get(), capabilities=_CAPABILITIES.get())
        self._device.set_command_callback(self._act)

    def _act(self, command: dict[str, Any]) -> tuple[int, None]:
        _PAID_BACK.append(None)
        if command["command"] == Command.LED:
            self.colour = command["on_color"]
            self.is_blinking = command["off_color"] != command["on_color"]
        elif command["command"] == Command.Buzzer and command["control_code"] != 1:
            self.beeps += command["rep_count"]
        return 0, None


class PtyReaders(PtyLine):
    """Readers on one line, in a thread. Touch them only while holding `lock`."""

    def __init__(self, readers: list[ReaderTwin], *, link_at: Path | None = None) -> None:
        osdp_sys.set_loglevel(LogLevel.Emergency)
        super().__init__("osdp twins", step_s=_STEP_S, link_at=link_at)
        self.readers = {reader.address: reader for reader in readers}
        self.start()

    def inject(self, address: int, fault: ReaderFault, value: float | None = None) -> None:
        with self.lock:
            self.readers[address].inject(fault, value)

    def heal(self, address: int, fault: ReaderFault) -> None:
        with self.lock:
            self.readers[address].heal(fault)

    def receive(self, data: bytes) -> None:
        for reader in self.readers.values():
            if data:
                reader.receive(data)
            reader.refresh()

    def pass_time(self, elapsed_s: float) -> None:
        """The library keeps its own time."""

    def take_output(self, now_s: float) -> bytes:
        ready: list[bytes] = []
        for reader in self.readers.values():
            ready += [answer for at_s, answer in reader.answers if at_s <= now_s + _STEP_S / 10]
            reader.answers = [entry for entry in reader.answers if entry[0] > now_s + _STEP_S / 10]
        return b"".join(ready)
