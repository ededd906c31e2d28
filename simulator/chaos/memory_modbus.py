"""A Modbus RTU line in memory: the product's bus and drivers ask, slaves answer byte for byte, and time is the loop's."""

from __future__ import annotations

import asyncio

from fastcrc import crc16

from drivers.modbus_io.line import ModbusLine, RefusedByModule, Unanswered
from simulator.chaos.timeloop import TimeLoop
from simulator.modbus_line import ModbusSlave, frame

_TURN_S = 0.004
"""One question and its answer at 19,200 baud, about."""
_READ_COILS, _READ_INPUTS, _READ_REGISTERS, _WRITE_COIL = 1, 2, 4, 5
_ON = 0xFF00


class MemoryModbusLine(ModbusLine):
    """In the place of a serial port. Slaves live by the time that passes between questions, in steps of at most ``STEP_MS``."""

    STEP_MS = 20.0

    def __init__(self, slave: ModbusSlave, loop: TimeLoop) -> None:
        super().__init__("memory", baud_rate=19_200, parity="N", stop_bits=1)
        self._slave = slave
        self._loop = loop
        self._lived_s = loop.time()
        self._is_there = False

    @property
    def is_open(self) -> bool:
        return self._is_there

    async def open(self) -> None:
        self._is_there = True

    def close(self) -> None:
        self._is_there = False

    async def read_coils(self, unit: int, count: int, timeout_s: float) -> tuple[bool, ...]:
        return _bits(await self._exchange(unit, _READ_COILS, 0, count, timeout_s), count)

    async def read_inputs(self, unit: int, count: int, timeout_s: float) -> tuple[bool, ...]:
        return _bits(await self._exchange(unit, _READ_INPUTS, 0, count, timeout_s), count)

    async def read_registers(self, unit: int, count: int, timeout_s: float) -> tuple[int, ...]:
        answer = await self._exchange(unit, _READ_REGISTERS, 0, count, timeout_s)
        if len(answer) != 1 + 2 * count:
            raise Unanswered("other registers came than were asked for")
        return tuple(int.from_bytes(answer[1 + 2 * i : 3 + 2 * i]) for i in range(count))

    async def write_coil(self, unit: int, address: int, is_on: bool, timeout_s: float) -> None:
        value = _ON if is_on else 0
        answer = await self._exchange(unit, _WRITE_COIL, address, value, timeout_s)
        if answer != address.to_bytes(2) + value.to_bytes(2):
            raise Unanswered("the echo of a write is another's")

    async def _exchange(self, unit: int, function: int, address: int, value: int, timeout_s: float) -> bytes:
        """The answer without unit, function and CRC, as the slave's bytes have it."""
        self.live()
        request = frame(unit, bytes((function,)) + address.to_bytes(2) + value.to_bytes(2))
        answer = self._slave.answer(request) if unit == self._slave.unit else None
        takes_s = _TURN_S + self._slave.late_ms / 1000
        if answer is None or takes_s > timeout_s:
            await asyncio.sleep(timeout_s)
            raise Unanswered("no answer")
        await asyncio.sleep(takes_s)
        self.live()
        if len(answer) < 4 or crc16.modbus(answer) != 0 or answer[0] != unit or answer[1] & 0x7F != function:
            raise Unanswered("garbled")
        if answer[1] & 0x80:
            raise RefusedByModule(f"exception {answer[2]}")
        return answer[2:-2]

    def live(self) -> None:
        """Let the slave's time come up to the loop's."""
        left_ms = (self._loop.time() - self._lived_s) * 1000
        self._lived_s = self._loop.time()
        while left_ms > 0.0:
            step_ms = min(self.STEP_MS, left_ms)
            self._slave.step(step_ms)
            left_ms -= step_ms


def _bits(answer: bytes, count: int) -> tuple[bool, ...]:
    if len(answer) != 1 + (count + 7) // 8:
        raise Unanswered("other bits came than were asked for")
    return tuple(bool(answer[1 + i // 8] >> i % 8 & 1) for i in range(count))
