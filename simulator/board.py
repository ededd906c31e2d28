"""The lane controller board's twin behind a real serial line: a `BoardModel` at the other end of a pty, in real time.

The driver under test opens `PtyBoard.port` as it would open a USB adapter.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any, Generic, TypeVar

from simulator.board_model import BoardFault, BoardHardware, BoardModel, DoorOpening
from simulator.pty_line import PtyLine
from simulator.world import LaneWorld

__all__ = ["BoardFault", "BoardModel", "DoorOpening", "PtyBoard", "PtyHardware"]

_STEP_S = 0.01


AnyModel = TypeVar("AnyModel", bound=BoardHardware[Any])


class PtyHardware(PtyLine, Generic[AnyModel]):
    """Runs a board in a thread. Touch `model` and `world` only while holding `lock`.

    A stall of this machine is time that the board does not see (beyond 100 ms), so that a busy machine does not trip
    the board's watchdog by itself.
    """

    def __init__(self, model: AnyModel, *, link_at: Path | None = None) -> None:
        super().__init__("board", step_s=_STEP_S, link_at=link_at)
        self.model = model
        self.start()

    @property
    def world(self) -> LaneWorld:
        return self.model.world

    @property
    def openings(self) -> list[DoorOpening]:
        with self.lock:
            return list(self.model.openings)

    def inject(self, fault: BoardFault, value: float | None = None) -> None:
        with self.lock:
            self.model.inject(fault, value)

    def heal(self, fault: BoardFault) -> None:
        with self.lock:
            self.model.heal(fault)

    def receive(self, data: bytes) -> None:
        if data:
            self.model.receive(data)

    def pass_time(self, elapsed_s: float) -> None:
        steps = max(1, round(elapsed_s / _STEP_S))
        for _ in range(steps):
            self.model.step(elapsed_s * 1000 / steps)

    def take_output(self, _now_s: float) -> bytes:
        return self.model.take_output()


class PtyBoard(PtyHardware[BoardModel]):
    """The board with its firmware in Python."""

    def __init__(self, model: BoardModel | None = None, *, link_at: Path | None = None) -> None:
        super().__init__(BoardModel(now_ns=time.monotonic_ns) if model is None else model, link_at=link_at)
