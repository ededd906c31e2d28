"""Several modules on one RS-485 line, none of which waits for another's silence longer than once in a while.

A half-duplex line does one thing at a time, so a unit that does not answer costs everybody its time-out. What can be chosen is how
often. A silent unit is asked again after each of `BACK_OFF_MS` only, commands to it fail at once without touching the line, and
the port stays open: the others' worst case is one time-out, their 99th percentile does not see it.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeVar

from drivers.errors import DeviceError
from drivers.modbus_io.line import ModbusLine, RefusedByModule, Unanswered

BACK_OFF_MS = (250, 1_000, 4_000, 10_000)
"""Between attempts at a unit that is silent, the last for ever."""
LOST_AFTER_MISSES = 3
_REOPEN_MS = (50, 100, 200, 500, 1000, 2000)
_NS_PER_MS = 1_000_000
_MIN_PROBE_S = 0.02
_MIN_PATIENCE_S = 0.025
_FULL_PROBE_EVERY = 8

_Answer = TypeVar("_Answer")
Exchange = Callable[["Asker"], Awaitable[None]]


@dataclass(slots=True, kw_only=True, eq=False)
class Unit:
    """A module on the line, as the scheduler sees it."""

    address: int
    poll: Exchange
    poll_ns: int
    on_lost: Callable[[str], None]
    is_lost: bool = False
    misses: int = 0
    next_ns: int = 0
    """Not to be polled before."""
    round_trip_s: float | None = None
    """Of one question, smoothed; None before the first answer."""


@dataclass(slots=True, kw_only=True, eq=False)
class _Command:
    unit: Unit
    exchange: Exchange
    done: asyncio.Future[bool]
    attempts_left: int


@dataclass(slots=True)
class BusCounts:
    """What a line's wiring is worth."""

    answered: int = 0
    unanswered: int = 0
    wasted_ns: int = 0
    """Time that silence took from everybody."""
    reopened: int = 0


class Asker:
    """Asks one unit, with its own patience. Lives for one exchange, in which nobody else speaks on the line."""

    def __init__(self, line: ModbusLine, unit: Unit, timeout_s: float, now_ns: Callable[[], int]) -> None:
        self._line = line
        self._unit = unit
        self._timeout_s = timeout_s
        self._now_ns = now_ns

    async def coils(self, count: int) -> tuple[bool, ...]:
        return await self._timed(self._line.read_coils(self._unit.address, count, self._timeout_s)) if count else ()

    async def inputs(self, count: int) -> tuple[bool, ...]:
        return await self._timed(self._line.read_inputs(self._unit.address, count, self._timeout_s)) if count else ()

    async def registers(self, count: int) -> tuple[int, ...]:
        if not count:
            return ()
        return await self._timed(self._line.read_registers(self._unit.address, count, self._timeout_s))

    async def write(self, output: int, is_on: bool) -> None:
        await self._timed(self._line.write_coil(self._unit.address, output, is_on, self._timeout_s))

    async def _timed(self, question: Awaitable[_Answer]) -> _Answer:
        started_ns = self._now_ns()
        answer = await question
        took_s = (self._now_ns() - started_ns) / 1e9
        before_s = self._unit.round_trip_s
        self._unit.round_trip_s = took_s if before_s is None else before_s + (took_s - before_s) / 8
        return answer


class ModbusBus:
    """The scheduler of one line: commands first, then whichever unit's poll is due the longest."""

    def __init__(
        self,
        port: str,
        *,
        baud_rate: int = 19_200,
        parity: str = "N",
        stop_bits: int = 1,
        answer_timeout_ms: int = 80,
        now_ns: Callable[[], int] = time.monotonic_ns,
        line: ModbusLine | None = None,
    ) -> None:
        self.port = port
        self.counts = BusCounts()
        self.now_ns = now_ns
        self._line = line or ModbusLine(port, baud_rate=baud_rate, parity=parity, stop_bits=stop_bits)
        self._timeout_s = answer_timeout_ms / 1000
        self._units: list[Unit] = []
        self._commands: deque[_Command] = deque()
        self._wake = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    async def attach(self, unit: Unit) -> None:
        """Adds a unit; the first opens the port. Raises `DeviceError` if that fails or the address is taken."""
        if any(other.address == unit.address for other in self._units):
            raise DeviceError(f"Two modules on {self.port} have the unit address {unit.address}; give each its own.")
        if self._task is None:
            self._wake = asyncio.Event()  # of the loop that runs now
            self._commands.clear()
            await self._line.open()
            self._task = asyncio.create_task(self._run(), name=f"modbus {self.port}")
        self._units.append(unit)
        self._wake.set()

    async def detach(self, unit: Unit) -> None:
        """Takes a unit away; the last closes the port."""
        if unit not in self._units:
            return
        self._units.remove(unit)
        for command in [command for command in self._commands if command.unit is unit]:
            self._commands.remove(command)
            _finish(command, False)
        task = self._task
        if not self._units and task is not None:
            self._task = None
            # `asyncio.wait_for` of Python 3.11, inside the library, may swallow a cancellation that meets an answer.
            while not task.done():
                task.cancel()
                await asyncio.wait((task,), timeout=0.1)
            self._line.close()
            if not task.cancelled():
                task.result()  # a bug of ours ends the scheduler: let it be seen

    async def command(self, unit: Unit, exchange: Exchange, *, attempts: int = 3) -> bool:
        """Runs an exchange before all polls; False when the unit does not answer. `RefusedByModule` passes through.

        A lost unit is not asked at all: whoever waits for an answer learns at once that there is none.
        """
        if unit.is_lost or unit not in self._units:
            return False
        command = _Command(
            unit=unit, exchange=exchange, done=asyncio.get_running_loop().create_future(), attempts_left=attempts
        )
        self._commands.append(command)
        self._wake.set()
        return await command.done

    async def _run(self) -> None:
        attempt = 0
        while True:
            if not self._line.is_open:
                self._lose_all(f"{self.port}: the port has gone")
                await asyncio.sleep(_REOPEN_MS[min(attempt, len(_REOPEN_MS) - 1)] / 1000)
                attempt += 1
                with contextlib.suppress(DeviceError):  # already told as lost; absent means try again
                    await self._line.open()
                    self.counts.reopened += 1
                    attempt = 0
                    for unit in self._units:
                        unit.next_ns = 0
                continue
            self._wake.clear()
            now_ns = self.now_ns()
            command = self._next_command(now_ns)
            if command is not None:
                await self._carry_out(command)
                continue
            due = min(self._units, key=lambda unit: unit.next_ns, default=None)
            if due is not None and due.next_ns <= now_ns:
                await self._poll(due)
                continue
            await self._rest(now_ns)

    def _next_command(self, now_ns: int) -> _Command | None:
        """The oldest that somebody still waits for and whose unit is not resting after a miss."""
        for command in list(self._commands):
            if command.done.done():
                self._commands.remove(command)
                continue
            if command.unit.misses == 0 or command.unit.next_ns <= now_ns:
                self._commands.remove(command)
                return command
        return None

    async def _rest(self, now_ns: int) -> None:
        next_ns = min((unit.next_ns for unit in self._units), default=now_ns + 1000 * _NS_PER_MS)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(max(0, next_ns - now_ns) / 1e9):
                await self._wake.wait()

    async def _poll(self, unit: Unit) -> None:
        asked_ns = self.now_ns()
        try:
            is_answered = await self._exchange(unit, unit.poll)
        except RefusedByModule as refusal:
            # It is there but cannot show what the site says it has: no image, no lane.
            self._miss(unit, f"refuses to be polled: {refusal}")
            return
        if is_answered:
            unit.next_ns = max(asked_ns + unit.poll_ns, self.now_ns())

    async def _carry_out(self, command: _Command) -> None:
        command.attempts_left -= 1
        try:
            is_answered = await self._exchange(command.unit, command.exchange)
        except RefusedByModule as refusal:
            if not command.done.done():
                command.done.set_exception(refusal)
            return
        if is_answered or command.attempts_left == 0 or command.unit.is_lost:
            _finish(command, is_answered)
        else:
            self._commands.append(command)

    async def _exchange(self, unit: Unit, exchange: Exchange) -> bool:
        started_ns = self.now_ns()
        try:
            await exchange(Asker(self._line, unit, self._patience_s(unit), self.now_ns))
        except Unanswered as reason:
            self.counts.unanswered += 1
            self.counts.wasted_ns += self.now_ns() - started_ns
            self._miss(unit, str(reason))
            return False
        self.counts.answered += 1
        unit.misses = 0
        unit.is_lost = False
        return True

    def _patience_s(self, unit: Unit) -> float:
        """By the unit's own round trips; the whole time-out before it is given up, and now and then after that."""
        is_last_try = unit.misses == LOST_AFTER_MISSES - 1
        if unit.round_trip_s is None or is_last_try or (unit.is_lost and unit.misses % _FULL_PROBE_EVERY == 0):
            return self._timeout_s
        if unit.is_lost:
            return min(self._timeout_s, max(_MIN_PROBE_S, 4 * unit.round_trip_s))
        return min(self._timeout_s, max(_MIN_PATIENCE_S, 8 * unit.round_trip_s))

    def _miss(self, unit: Unit, reason: str) -> None:
        """After a miss the unit rests for a time-out at least: a late answer then meets no question."""
        unit.misses += 1
        if unit.misses < LOST_AFTER_MISSES:
            unit.next_ns = self.now_ns() + int(self._timeout_s * 1e9)
            return
        step = min(unit.misses - LOST_AFTER_MISSES, len(BACK_OFF_MS) - 1)
        unit.next_ns = self.now_ns() + BACK_OFF_MS[step] * _NS_PER_MS
        self._lose(unit, reason)

    def _lose_all(self, reason: str) -> None:
        for unit in self._units:
            self._lose(unit, reason)

    def _lose(self, unit: Unit, reason: str) -> None:
        if not unit.is_lost:
            unit.is_lost = True
            unit.on_lost(reason)
        for command in [command for command in self._commands if command.unit is unit]:
            self._commands.remove(command)
            _finish(command, False)


def _finish(command: _Command, is_answered: bool) -> None:
    if not command.done.done():
        command.done.set_result(is_answered)
