"""Modbus RTU modules behind a pty: several slaves on one RS-485 line, each with its own faults.

Written from the specification (Modbus over Serial Line V1.02, Application Protocol V1.1b3), not from the library that the drivers use, so
that a misunderstanding shows.
"""

from __future__ import annotations

import contextlib
import os
import random
import select
import threading
import time
import tty
from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from types import TracebackType
from typing import Self

from fastcrc import crc16

_STEP_S = 0.005
_MAX_CATCH_UP_S = 0.1
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


class PtyModbusLine:
    """Slaves on one line, in a thread. Touch slaves and what is wired to them only while holding `lock`.

    `baud_rate` paces answers as a line of that speed would; 0 answers at once. A unit asked twice while it is late answers twice.
    """

    def __init__(
        self, slaves: list[ModbusSlave], *, link_at: Path | None = None, baud_rate: int = 0, turnaround_ms: float = 0.0
    ) -> None:
        self.slaves = {slave.unit: slave for slave in slaves}
        self.lock = threading.RLock()
        self._baud_rate = baud_rate
        self._turnaround_s = turnaround_ms / 1000
        self._received = bytearray()
        self._due: list[tuple[float, bytes]] = []
        self._link = link_at
        self._master = self._slave = -1
        self._port = ""
        self._wake_r, self._wake_w = os.pipe()
        self._is_closing = False
        self._plug()
        self._thread = threading.Thread(target=self._run, name=f"modbus twin {self._port}", daemon=True)
        self._thread.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def port(self) -> str:
        return str(self._link) if self._link is not None else self._port

    def inject(self, unit: int, fault: ModbusFault, value: float | None = None) -> None:
        with self.lock:
            self.slaves[unit].inject(fault, value)

    def heal(self, unit: int, fault: ModbusFault) -> None:
        with self.lock:
            self.slaves[unit].heal(fault)

    def babble(self, data: bytes) -> None:
        """Noise on the line, or a unit that talks unasked."""
        with self.lock, contextlib.suppress(BlockingIOError, OSError):
            os.write(self._master, data)

    def unplug(self) -> None:
        """Pulls the adapter: the port hangs up and its path goes."""
        with self.lock:
            if self._link is not None:
                self._link.unlink(missing_ok=True)
            for fd in (self._master, self._slave):
                if fd >= 0:
                    os.close(fd)
            self._master = self._slave = -1
        os.write(self._wake_w, b"w")

    def replug(self) -> None:
        with self.lock:
            self._plug()
        os.write(self._wake_w, b"w")

    def close(self) -> None:
        if self._is_closing:
            return
        self._is_closing = True
        os.write(self._wake_w, b"w")
        self._thread.join()
        self.unplug()
        os.close(self._wake_r)
        os.close(self._wake_w)

    def _plug(self) -> None:
        self._master, self._slave = os.openpty()
        tty.setraw(self._slave)
        os.set_blocking(self._master, False)
        self._port = os.ttyname(self._slave)
        if self._link is not None:
            self._link.unlink(missing_ok=True)
            self._link.symlink_to(self._port)

    def _run(self) -> None:
        last_s = time.monotonic()
        while not self._is_closing:
            with self.lock:
                watched = [fd for fd in (self._master, self._wake_r) if fd >= 0]
                next_s = min([last_s + _STEP_S, *(at_s for at_s, _ in self._due)])
            readable: list[int] = []
            with contextlib.suppress(OSError, ValueError):
                readable = select.select(watched, [], [], max(0.0, next_s - time.monotonic()))[0]
            if self._wake_r in readable:
                os.read(self._wake_r, 64)
            with self.lock:
                self._receive()
                now_s = time.monotonic()
                if now_s - last_s >= _STEP_S:
                    self._pass_time(min(now_s - last_s, _MAX_CATCH_UP_S))
                    last_s = now_s
                self._send(now_s)

    def _pass_time(self, elapsed_s: float) -> None:
        steps = max(1, round(elapsed_s / _STEP_S))
        for _ in range(steps):
            for slave in self.slaves.values():
                slave.step(elapsed_s * 1000 / steps)

    def _receive(self) -> None:
        if self._master < 0:
            return
        with contextlib.suppress(BlockingIOError, OSError):
            self._received += os.read(self._master, 4096)
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

    def _send(self, now_s: float) -> None:
        ready = [entry for entry in self._due if entry[0] <= now_s]
        self._due = [entry for entry in self._due if entry[0] > now_s]
        for _, data in sorted(ready):
            if self._master >= 0:
                with contextlib.suppress(BlockingIOError, OSError):
                    os.write(self._master, data)
