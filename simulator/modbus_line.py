"""Modbus RTU modules behind a pty: several slaves on one RS-485 line, each with its own faults.

Written from the specification (Modbus over Serial Line V1.02, Application Protocol V1.1b3), not from the library that the drivers use, so
that a misunderstanding shows.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from enum import StrEnum
from pathlib import Path

from fastcrc import crc16

from simulator.pty_line import PtyLine

_STEP_S = 0.005
_READS = {1: "coils", 2: "inputs", 4: "registers"}
_ILLEGAL_FUNCTION, _ILLEGAL_ADDRESS, _DEVICE_FAILURE = 1, 2, 4


class ModbusFault(StrEnum):
    """What `ModbusSlave.inject` can break. `reboot` happens once, the others last until `heal`."""

    SILENT = "silent"
    LATE = "late"
    GARBLE = "garble"
    POWER_OFF = "power_off"
    REBOOT = "reboot"
    STUCK_INPUT = "stuck_input"
    FAILURE = "failure"
    """Answers every question with exception 4, device failure."""


class ModbusSlave:
    """One module: frames in, frames out, time by `step`. Coils clear at a reboot, and after `pulse_ms` where they are monostable."""

    def __init__(
        self,
        unit: int,
        *,
        inputs: int = 16,
        coils: int = 8,
        registers: int = 0,
        pulse_ms: dict[int, float] | None = None,
        seed: int = 1,
    ) -> None:
        self.unit = unit
        self.inputs = [False] * inputs
        self.coils = [False] * coils
        self.registers = [0] * registers
        self.on_coil: Callable[[int, bool], None] = lambda _address, _is_on: None
        """Called for every write of a coil, also one that changes nothing."""
        self.on_step: Callable[[float], None] = lambda _dt_ms: None
        """What is wired to the module lives here."""
        self.asked = 0
        self._pulse_ms = pulse_ms or {}
        self._ends_ms: dict[int, float] = {}
        self._faults: dict[ModbusFault, float] = {}
        self._rng = random.Random(seed)
        self._now_ms = 0.0

    def inject(self, fault: ModbusFault, value: float | None = None) -> None:
        """Breaks something. `value`: lateness in ms (200), garbled share of bytes (0.05), which input is stuck on (0)."""
        if fault is ModbusFault.REBOOT:
            self._clear()
            return
        defaults = {ModbusFault.LATE: 200.0, ModbusFault.GARBLE: 0.05, ModbusFault.STUCK_INPUT: 0.0}
        self._faults[fault] = defaults.get(fault, 1.0) if value is None else value
        if fault is ModbusFault.POWER_OFF:
            self._clear()

    def heal(self, fault: ModbusFault) -> None:
        self._faults.pop(fault, None)

    @property
    def is_powered(self) -> bool:
        return ModbusFault.POWER_OFF not in self._faults

    @property
    def late_ms(self) -> float:
        return self._faults.get(ModbusFault.LATE, 0.0)

    def step(self, dt_ms: float) -> None:
        self._now_ms += dt_ms
        for address in [address for address, end_ms in self._ends_ms.items() if end_ms <= self._now_ms]:
            del self._ends_ms[address]
            self._set(address, False)
        self.on_step(dt_ms)

    def answer(self, request: bytes) -> bytes | None:
        """The answer to a request of this unit, whose CRC was right; None for none."""
        if not self.is_powered or ModbusFault.SILENT in self._faults:
            return None
        self.asked += 1
        function = request[1]
        if ModbusFault.FAILURE in self._faults:
            body = bytes((function | 0x80, _DEVICE_FAILURE))
        else:
            body = self.act(function, int.from_bytes(request[2:4]), int.from_bytes(request[4:6]))
        return self._garbled(frame(self.unit, body))

    def act(self, function: int, address: int, value: int) -> bytes:
        """Carries out a function of the Application Protocol; returns its answer without unit and CRC."""
        if function == 5:
            if address >= len(self.coils) or value not in (0, 0xFF00):
                return bytes((function | 0x80, _ILLEGAL_ADDRESS))
            self._set(address, value != 0)
            if value and address in self._pulse_ms:
                self._ends_ms[address] = self._now_ms + self._pulse_ms[address]
            return bytes((function,)) + address.to_bytes(2) + value.to_bytes(2)
        kind = _READS.get(function)
        if kind is None:
            return bytes((function | 0x80, _ILLEGAL_FUNCTION))
        tables: dict[str, list[int]] = {
            "coils": list(self.coils),
            "inputs": self._seen_inputs(),
            "registers": self.registers,
        }
        table = tables[kind]
        if value == 0 or address + value > len(table):
            return bytes((function | 0x80, _ILLEGAL_ADDRESS))
        part = table[address : address + value]
        if kind == "registers":
            data = b"".join(number.to_bytes(2) for number in part)
        else:
            data = sum(int(bit) << i for i, bit in enumerate(part)).to_bytes((value + 7) // 8, "little")
        return bytes((function, len(data))) + data

    def _seen_inputs(self) -> list[int]:
        seen: list[int] = list(self.inputs)
        if ModbusFault.STUCK_INPUT in self._faults:
            seen[int(self._faults[ModbusFault.STUCK_INPUT])] = 1
        return seen

    def _set(self, address: int, is_on: bool) -> None:
        self.coils[address] = is_on
        self.on_coil(address, is_on)

    def _clear(self) -> None:
        self._ends_ms.clear()
        for address, is_on in enumerate(self.coils):
            if is_on:
                self._set(address, False)

    def _garbled(self, data: bytes) -> bytes:
        share = self._faults.get(ModbusFault.GARBLE, 0.0)
        if not share:
            return data
        return bytes(byte ^ self._rng.randrange(1, 256) if self._rng.random() < share else byte for byte in data)


def frame(unit: int, body: bytes) -> bytes:
    data = bytes((unit,)) + body
    return data + crc16.modbus(data).to_bytes(2, "little")


class PtyModbusLine(PtyLine):
    """Slaves on one line, in a thread. Touch slaves and what is wired to them only while holding `lock`.

    `baud_rate` paces answers as a line of that speed would; 0 answers at once. A unit asked twice while it is late answers twice.
    """

    def __init__(
        self, slaves: list[ModbusSlave], *, link_at: Path | None = None, baud_rate: int = 0, turnaround_ms: float = 0.0
    ) -> None:
        super().__init__("modbus twin", step_s=_STEP_S, link_at=link_at)
        self.slaves = {slave.unit: slave for slave in slaves}
        self._baud_rate = baud_rate
        self._turnaround_s = turnaround_ms / 1000
        self._received = bytearray()
        self._due: list[tuple[float, bytes]] = []
        self.start()

    def inject(self, unit: int, fault: ModbusFault, value: float | None = None) -> None:
        with self.lock:
            self.slaves[unit].inject(fault, value)

    def heal(self, unit: int, fault: ModbusFault) -> None:
        with self.lock:
            self.slaves[unit].heal(fault)

    def babble(self, data: bytes) -> None:
        """Noise on the line, or a unit that talks unasked."""
        self.send(data)

    def pass_time(self, elapsed_s: float) -> None:
        steps = max(1, round(elapsed_s / _STEP_S))
        for _ in range(steps):
            for slave in self.slaves.values():
                slave.step(elapsed_s * 1000 / steps)

    def receive(self, data: bytes) -> None:
        self._received += data
        while len(self._received) >= 8:
            request = bytes(self._received[:8])
            if crc16.modbus(request) != 0:
                del self._received[0]  # noise: look for the next beginning
                continue
            del self._received[:8]
            slave = self.slaves.get(request[0])
            answer = None if slave is None else slave.answer(request)
            if answer is not None and slave is not None:
                line_s = (8 + len(answer)) * 11 / self._baud_rate if self._baud_rate else 0.0
                at_s = time.monotonic() + line_s + self._turnaround_s + slave.late_ms / 1000
                self._due.append((at_s, answer))

    def next_due_s(self) -> float | None:
        return min((at_s for at_s, _ in self._due), default=None)

    def take_output(self, now_s: float) -> bytes:
        ready = [entry for entry in self._due if entry[0] <= now_s]
        self._due = [entry for entry in self._due if entry[0] > now_s]
        return b"".join(data for _, data in sorted(ready))
