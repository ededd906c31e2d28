"""Boards to run one contract against: in memory in simulated time, and behind a real serial line in real time.

Always the shipped driver at the host's end. `@contract` turns a coroutine over a `LaneRig` into a test of every kind.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any, Protocol, TypeVar

import pytest
from c_kit import needs_compiler

from drivers.errors import DeviceError
from drivers.lane_io import (
    BoardEvent,
    BoardEventKind,
    BoardReport,
    CommandResult,
    Door,
    DoorPosition,
    LaneIo,
    LaneLinkDriver,
    LaneSensors,
    LinkLost,
    LinkUp,
)
from drivers.lane_io import protocol as wire
from simulator.board import PtyHardware
from simulator.board_io import BoardConfig
from simulator.board_model import BoardFault, BoardHardware, BoardModel, DoorOpening
from simulator.c_board import CBoardModel
from simulator.chaos.timeloop import TimeLoop
from simulator.world import LaneWorld

BOUND_S = 8.0
WATCHDOG_MS = 700
STEP_S = 0.01
CONFIG = BoardConfig(
    watchdog_ms=WATCHDOG_MS, entry_kind=wire.WireDoorKind.FLAP, exit_kind=wire.WireDoorKind.SLIDING, board_id=42
)
Report = TypeVar("Report", LaneSensors, LinkUp, LinkLost, BoardEvent)
Model = BoardHardware[Any]


class Board(Protocol):
    """A board at the other end of some line."""

    model: Model
    lock: contextlib.AbstractContextManager[Any]

    def open_lane(self) -> LaneIo:
        """A driver for it, not started."""

    def unplug(self) -> None: ...

    def replug(self) -> None: ...


class MemoryBoard:
    """The board on a line in memory; its time is the loop's."""

    def __init__(self, model: Model) -> None:
        self.model = model
        self.lock = contextlib.nullcontext()
        self._is_plugged = True
        self._on_bytes: Callable[[bytes], None] | None = None
        self._on_lost: Callable[[str], None] | None = None
        self._loop = asyncio.get_running_loop()
        self._stepping = self._loop.call_later(STEP_S, self._step)

    def open_lane(self) -> LaneIo:
        return LaneLinkDriver("memory", now_ns=lambda: round(self._loop.time() * 1e9), open_transport=self._open)

    def unplug(self) -> None:
        self._is_plugged = False
        on_lost, self._on_bytes, self._on_lost = self._on_lost, None, None
        if on_lost is not None:
            on_lost("the device has gone")

    def replug(self) -> None:
        self._is_plugged = True

    def end(self) -> None:
        self._stepping.cancel()

    def _open(
        self, port: str, _baud_rate: int, /, *, on_bytes: Callable[[bytes], None], on_lost: Callable[[str], None]
    ) -> MemoryBoard:
        if not self._is_plugged:
            raise DeviceError(f"Serial port {port} does not exist; plug the device in.")
        self._on_bytes, self._on_lost = on_bytes, on_lost
        return self

    # -- the host's end of the line --------------------------------------------------------------------------------

    def write(self, data: bytes) -> None:
        if self._is_plugged:
            self.model.receive(data)
            self._loop.call_soon(self._answer)

    def drain(self) -> None: ...

    def close(self) -> None:
        self._on_bytes = self._on_lost = None

    def _answer(self) -> None:
        data = self.model.take_output()
        if data and self._on_bytes is not None:
            self._on_bytes(data)

    def _step(self) -> None:
        self.model.step(STEP_S * 1000)
        self._answer()
        self._stepping = self._loop.call_later(STEP_S, self._step)


class LineBoard:
    """The board behind a pty, in its own thread and in real time."""

    def __init__(self, pty: PtyHardware[Model]) -> None:
        self._pty = pty
        self.model = pty.model
        self.lock = pty.lock

    def open_lane(self) -> LaneIo:
        return LaneLinkDriver(self._pty.port)

    def unplug(self) -> None:
        self._pty.unplug()

    def replug(self) -> None:
        self._pty.replug()


class LaneRig:
    """A started driver, everything it has reported, and the board that it talks to."""

    def __init__(self, board: Board) -> None:
        self.board = board
        self.lane = board.open_lane()
        self.reports: list[BoardReport] = []

    @property
    def model(self) -> Model:
        return self.board.model

    @property
    def world(self) -> LaneWorld:
        return self.board.model.world

    def inject(self, fault: BoardFault, value: float | None = None) -> None:
        with self.board.lock:
            self.model.inject(fault, value)

    def heal(self, fault: BoardFault) -> None:
        with self.board.lock:
            self.model.heal(fault)

    def all(self, kind: type[Report]) -> list[Report]:
        return [report for report in self.reports if isinstance(report, kind)]

    @property
    def now(self) -> LaneSensors:
        return self.all(LaneSensors)[-1]

    def events(self, kind: BoardEventKind) -> list[BoardEvent]:
        return [event for event in self.all(BoardEvent) if event.kind is kind]

    def opened(self, door: Door) -> list[str]:
        with self.board.lock:
            openings: list[DoorOpening] = list(self.model.openings)
        return [opening.reason for opening in openings if opening.door is door]

    async def start(self) -> None:
        """Until the first sensors of this start have come."""
        seen = len(self.all(LaneSensors))
        await self.lane.start(self.reports.append)
        await until(lambda: len(self.all(LaneSensors)) > seen, "sensors after start")

    async def restart(self) -> None:
        """The host's process dies and another one begins."""
        await self.lane.stop()
        self.lane = self.board.open_lane()
        await self.start()

    async def sees(self, condition: Callable[[LaneSensors], bool], what: str) -> LaneSensors:
        await until(lambda: condition(self.now), f"{what}; last was {self.now}")
        return self.now

    async def token(self) -> int:
        now = await self.sees(lambda s: s.exit_token is not None, "an exit token")
        assert now.exit_token is not None
        return now.exit_token

    async def open_entry(self) -> None:
        assert await self.lane.move_entry(DoorPosition.OPEN) is CommandResult.DONE
        await self.sees(lambda s: s.entry is DoorPosition.OPEN, "entry open")


async def until(condition: Callable[[], bool], what: str) -> None:
    loop = asyncio.get_running_loop()
    deadline_s = loop.time() + BOUND_S
    while not condition():
        assert loop.time() < deadline_s, f"not within {BOUND_S} s: {what}"
        await asyncio.sleep(0.002)


Body = Callable[[LaneRig], Coroutine[Any, Any, None]]


async def _in_memory(model: Model, body: Body) -> None:
    board = MemoryBoard(model)
    rig = LaneRig(board)
    try:
        await rig.start()
        await body(rig)
    finally:
        await rig.lane.stop()
        board.end()


async def _over_a_line(model: Model, body: Body, folder: Path) -> None:
    with PtyHardware(model, link_at=folder / "board") as pty:
        rig = LaneRig(LineBoard(pty))
        try:
            await rig.start()
            await body(rig)
        finally:
            await rig.lane.stop()


def _run_in_memory(model: Model, body: Body) -> None:
    loop = TimeLoop()
    try:
        loop.run_until_complete(_in_memory(model, body))
    finally:
        loop.close()


KINDS = [
    "python in memory",
    "python on a line",
    pytest.param("c in memory", marks=needs_compiler),
    pytest.param("c on a line", marks=needs_compiler),
]


def contract(body: Body) -> Callable[[str, Path], None]:
    """A test of every kind of board out of what must be so of each."""

    @pytest.mark.parametrize("kind", KINDS)
    def test(kind: str, tmp_path: Path) -> None:
        language, _, where = kind.partition(" ")
        make = CBoardModel if language == "c" else BoardModel
        if where == "in memory":
            _run_in_memory(make(config=CONFIG), body)
        else:
            asyncio.run(_over_a_line(make(config=CONFIG, now_ns=time.monotonic_ns), body, tmp_path))

    test.__name__ = body.__name__
    test.__doc__ = body.__doc__
    return test
