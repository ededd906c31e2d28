"""Devices that the simulator adds to ``drivers.registry``: a lane to try the gate in, at a desk, without any hardware."""

import asyncio
import contextlib
from collections.abc import Callable, Mapping
from typing import Any, Literal

from drivers.lane_io.driver import LaneLinkDriver
from drivers.lane_io.interface import BoardReport, BuzzerPattern, CommandResult, DoorPosition, LampColour, LaneIo
from simulator.board import PtyBoard
from simulator.world import LaneWorld, Walker

OUTSIDE_MM = -900.0
LINE_MM = 1500.0
BEYOND_MM = 3300.0
PASSABLE_RATIO = 0.8
LOOK_S = 0.02
PATIENCE_MS = 2_000
"""For an answer of the twin, which shares a desk's computer with whatever else runs there; a real board has a fifth of that."""


class Visitor:
    """Somebody who walks by the doors alone: in to the line when the entry opens, out by whichever door opens after that.

    Call :meth:`look` often, with the world to oneself.
    """

    def __init__(self, world: LaneWorld) -> None:
        self._world = world
        self._walker: Walker | None = None
        self._has_been_shut_in = False
        self._has_seen_entry_shut = False

    def look(self) -> None:
        """See which doors are open, and go."""
        is_entry_open = self._world.entry.position >= PASSABLE_RATIO
        is_exit_open = self._world.exit.position >= PASSABLE_RATIO
        if self._walker is None:
            self._has_seen_entry_shut = self._has_seen_entry_shut or not is_entry_open
            if is_entry_open and not is_exit_open and self._has_seen_entry_shut:
                self._has_seen_entry_shut = False
                self._walker = self._world.add_person(OUTSIDE_MM)
                self._walker.walk_to(LINE_MM)
                self._has_been_shut_in = False
            return
        self._has_been_shut_in = self._has_been_shut_in or (not is_entry_open and self._walker.body.back_mm > 0)
        if is_exit_open:
            self._walker.walk_to(BEYOND_MM)
        elif is_entry_open and self._has_been_shut_in:
            self._walker.walk_to(OUTSIDE_MM)
        if self._walker.is_there and not self._world.is_inside(self._walker.body):
            self._world.remove(self._walker)
            self._walker = None


class SimulatedBoard(LaneIo):
    """A board's twin on its own serial line, driven by the shipped driver, in a lane where a :class:`Visitor` walks.

    It moves bodies, not faces: who is checked is whoever sits before the cameras.
    """

    def __init__(self) -> None:
        self._twin: PtyBoard | None = None
        self._driver: LaneLinkDriver | None = None
        self._task: asyncio.Task[None] | None = None

    async def start(self, on_report: Callable[[BoardReport], None]) -> None:
        if self._twin is not None:
            raise RuntimeError("the board is already started")
        self._twin = PtyBoard()
        self._driver = LaneLinkDriver(self._twin.port, answer_timeout_ms=PATIENCE_MS, link_timeout_ms=PATIENCE_MS)
        await self._driver.start(on_report)
        self._task = asyncio.create_task(self._walk(self._twin), name="visitor")

    async def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
        if self._driver is not None:
            await self._driver.stop()
        if self._twin is not None:
            await asyncio.to_thread(self._twin.close)
        self._task = self._driver = self._twin = None

    async def move_entry(self, position: Literal[DoorPosition.OPEN, DoorPosition.CLOSED]) -> CommandResult:
        return await self._driver.move_entry(position) if self._driver else CommandResult.NO_ANSWER

    async def open_exit(self, token: int) -> CommandResult:
        return await self._driver.open_exit(token) if self._driver else CommandResult.NO_ANSWER

    async def close_exit(self) -> CommandResult:
        return await self._driver.close_exit() if self._driver else CommandResult.NO_ANSWER

    async def set_lamp(self, colour: LampColour) -> CommandResult:
        return await self._driver.set_lamp(colour) if self._driver else CommandResult.NO_ANSWER

    async def sound_buzzer(self, pattern: BuzzerPattern) -> CommandResult:
        return await self._driver.sound_buzzer(pattern) if self._driver else CommandResult.NO_ANSWER

    async def acknowledge_fault(self) -> CommandResult:
        return await self._driver.acknowledge_fault() if self._driver else CommandResult.NO_ANSWER

    async def self_test(self) -> CommandResult:
        return await self._driver.self_test() if self._driver else CommandResult.NO_ANSWER

    async def set_evacuation(self, is_on: bool) -> CommandResult:
        return await self._driver.set_evacuation(is_on) if self._driver else CommandResult.NO_ANSWER

    @staticmethod
    async def _walk(twin: PtyBoard) -> None:
        visitor = Visitor(twin.world)
        while True:
            with twin.lock:
                visitor.look()
            await asyncio.sleep(LOOK_S)


DEVICES: Mapping[str, Callable[..., Any]] = {"simulated": SimulatedBoard}
