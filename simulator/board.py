"""The lane controller board's twin behind a real serial line: a `BoardModel` at the other end of a pty, in real time.

The driver under test opens `PtyBoard.port` as it would open a USB adapter.
"""

from __future__ import annotations

import contextlib
import os
import select
import threading
import time
import tty
from pathlib import Path
from types import TracebackType
from typing import Any, Generic, Self, TypeVar

from simulator.board_model import BoardFault, BoardHardware, BoardModel, DoorOpening
from simulator.world import LaneWorld

__all__ = ["BoardFault", "BoardModel", "DoorOpening", "PtyBoard", "PtyHardware"]

_STEP_S = 0.01
_MAX_CATCH_UP_S = 0.1


AnyModel = TypeVar("AnyModel", bound=BoardHardware[Any])


class PtyHardware(Generic[AnyModel]):
    """Runs a board in a thread. Touch `model` and `world` only while holding `lock`.

    A stall of this machine is time that the board does not see (beyond 100 ms), so that a busy machine does not trip
    the board's watchdog by itself.
    """

    def __init__(self, model: AnyModel, *, link_at: Path | None = None) -> None:
        self.model = model
        self.lock = threading.RLock()
        self._link: Path | None = None
        self._master = self._slave = -1
        self._port = ""
        self._wake_r, self._wake_w = os.pipe()
        self._is_closing = False
        self._plug()
        if link_at is not None:
            self.link_at(link_at)
        self._thread = threading.Thread(target=self._run, name=f"board {self._port}", daemon=True)
        self._thread.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def world(self) -> LaneWorld:
        return self.model.world

    @property
    def port(self) -> str:
        """The path to open: the symbolic link if there is one, else the pty itself."""
        return str(self._link) if self._link is not None else self._port

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

    def link_at(self, path: Path) -> None:
        """Makes the port reachable at a lasting path, as udev does for an adapter that is plugged in again."""
        with self.lock:
            self._link = path
            self._relink()

    def unplug(self) -> None:
        """Pulls the cable: the port hangs up and its path goes. The board itself goes on."""
        with self.lock:
            if self._link is not None:
                self._link.unlink(missing_ok=True)
            for fd in (self._master, self._slave):
                if fd >= 0:
                    os.close(fd)
            self._master = self._slave = -1
        os.write(self._wake_w, b"w")

    def replug(self) -> None:
        """Plugs the cable in again: a new pty, the same lasting path."""
        with self.lock:
            self._plug()
            self._relink()
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
        # Our own hold on the slave keeps the master readable without error while no driver has the port open.
        self._master, self._slave = os.openpty()
        tty.setraw(self._slave)
        os.set_blocking(self._master, False)
        self._port = os.ttyname(self._slave)

    def _relink(self) -> None:
        if self._link is not None:
            self._link.unlink(missing_ok=True)
            self._link.symlink_to(self._port)

    def _run(self) -> None:
        last_s = time.monotonic()
        while not self._is_closing:
            with self.lock:
                watched = [fd for fd in (self._master, self._wake_r) if fd >= 0]
            wait_s = max(0.0, last_s + _STEP_S - time.monotonic())
            # A cable pulled while we wait leaves a closed descriptor behind for a moment.
            readable: list[int] = []
            with contextlib.suppress(OSError, ValueError):
                readable = select.select(watched, [], [], wait_s)[0]
            if self._wake_r in readable:
                os.read(self._wake_r, 64)
            with self.lock:
                self._exchange()
                now_s = time.monotonic()
                if now_s - last_s >= _STEP_S:
                    self._pass_time(min(now_s - last_s, _MAX_CATCH_UP_S))
                    last_s = now_s
                self._send()

    def _exchange(self) -> None:
        if self._master < 0:
            return
        with contextlib.suppress(BlockingIOError, OSError):
            self.model.receive(os.read(self._master, 4096))
            self._send()

    def _pass_time(self, elapsed_s: float) -> None:
        steps = max(1, round(elapsed_s / _STEP_S))
        for _ in range(steps):
            self.model.step(elapsed_s * 1000 / steps)

    def _send(self) -> None:
        data = self.model.take_output()
        if data and self._master >= 0:
            # A UART that nobody reads loses what it sends; so does a full pty.
            with contextlib.suppress(BlockingIOError, OSError):
                os.write(self._master, data)


class PtyBoard(PtyHardware[BoardModel]):
    """The board with its firmware in Python."""

    def __init__(self, model: BoardModel | None = None, *, link_at: Path | None = None) -> None:
        super().__init__(BoardModel(now_ns=time.monotonic_ns) if model is None else model, link_at=link_at)
