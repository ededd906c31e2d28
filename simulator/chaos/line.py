"""A serial line in memory: the real driver at one end, a board's twin at the other, and somebody who can pull the plug."""

from collections.abc import Callable
from typing import Protocol

from drivers.errors import DeviceError
from simulator.board_model import BoardModel
from simulator.c_board import CBoardModel
from simulator.chaos.timeloop import TimeLoop
from simulator.world import LaneWorld

AnyBoard = BoardModel | CBoardModel
"""The firmware in Python or in C: the same doors, the same beams, the same bytes."""


class MakeBoard(Protocol):
    """Boots a board in a world."""

    def __call__(self, world: LaneWorld, /, *, seed: int, now_ns: Callable[[], int]) -> AnyBoard: ...


STEP_MS = 20.0
"""While something moves."""
IDLE_STEP_MS = 90.0
"""While nothing does: as often as a board reports."""


class _End:
    """The host's end of the line: a :class:`drivers.transport.Transport`."""

    def __init__(self, line: "BoardLine", on_bytes: Callable[[bytes], None], on_lost: Callable[[str], None]) -> None:
        self._line = line
        self.on_bytes = on_bytes
        self.on_lost = on_lost

    def write(self, data: bytes) -> None:
        if self._line.end is self:
            self._line.carry(data)

    def drain(self) -> None: ...

    def close(self) -> None:
        if self._line.end is self:
            self._line.end = None


class BoardLine:
    """Lets the board's time pass on the loop and carries bytes both ways. :meth:`open` is an ``OpenTransport``."""

    def __init__(self, board: AnyBoard, loop: TimeLoop, *, on_step: Callable[[], None]) -> None:
        self.board = board
        self.end: _End | None = None
        self._loop = loop
        self._on_step = on_step
        self._is_plugged = True
        self._is_closed = False
        self._last_s = loop.time()
        self._due_s = loop.time() + STEP_MS / 1000
        self._next = loop.call_at(self._due_s, self._step)
        self._is_answering = False

    def open(
        self, port: str, _baud_rate: int, /, *, on_bytes: Callable[[bytes], None], on_lost: Callable[[str], None]
    ) -> _End:
        if not self._is_plugged:
            raise DeviceError(f"Serial port {port} does not exist; plug the device in.")
        self.end = _End(self, on_bytes, on_lost)
        return self.end

    @property
    def is_plugged(self) -> bool:
        return self._is_plugged

    def unplug(self) -> None:
        """The adapter goes away under the driver."""
        self._is_plugged = False
        end, self.end = self.end, None
        if end is not None:
            end.on_lost("the device has gone")

    def plug_in(self) -> None:
        self._is_plugged = True

    def close(self) -> None:
        self._is_closed = True

    def carry(self, data: bytes) -> None:
        """To the board; its answers come in the loop's next round, as they would from a wire."""
        self.board.receive(data)
        if not self._is_answering:
            self._is_answering = True
            self._loop.call_soon(self._answer)
        self.wake()

    def wake(self) -> None:
        """Something may have begun to move: the next step is due soon."""
        soon_s = self._loop.time() + STEP_MS / 1000
        if self._due_s > soon_s and not self._is_closed and self._is_moving():
            self._next.cancel()
            self._due_s = soon_s
            self._next = self._loop.call_at(soon_s, self._step)

    def _answer(self) -> None:
        self._is_answering = False
        data = self.board.take_output()
        if data and self.end is not None:
            self.end.on_bytes(data)

    def _step(self) -> None:
        if self._is_closed:
            return
        now_s = self._loop.time()
        passed_ms = (now_s - self._last_s) * 1000
        self._last_s = now_s
        is_moving = self._is_moving()
        while is_moving and passed_ms > STEP_MS * 1.5:  # it began while nobody looked: no leaps for that
            self.board.step(STEP_MS)
            self._on_step()
            passed_ms -= STEP_MS
        self.board.step(passed_ms)
        self._on_step()
        self._answer()
        pause_ms = STEP_MS if self._is_moving() else IDLE_STEP_MS
        self._due_s = now_s + pause_ms / 1000
        self._next = self._loop.call_at(self._due_s, self._step)

    def _is_moving(self) -> bool:
        world = self.board.world
        entry, exit_ = world.entry, world.exit
        if entry.motor or exit_.motor or entry.is_pushed or exit_.is_pushed:
            return True
        outputs = self.board.outputs
        if outputs is None or not outputs.has_light:  # a self-test is going on
            return True
        return any(not walker.is_there for walker in world.walkers)
