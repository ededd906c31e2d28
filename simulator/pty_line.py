"""A device's end of a serial line: a pty whose other end a driver opens as it would open an adapter, and a thread that lives there.

What the device does is for the classes above: they take bytes, let time pass and hand over what they have to say.
"""

from __future__ import annotations

import contextlib
import os
import select
import threading
import time
import tty
from abc import ABC, abstractmethod
from pathlib import Path
from types import TracebackType
from typing import Self

MAX_CATCH_UP_S = 0.1
"""A stall of this machine beyond that is time that the device does not see."""
_READ_BYTES = 4096


class PtyLine(ABC):
    """Touch what lives on the line only while holding `lock`. Subclasses call `start` once they are complete."""

    def __init__(self, name: str, *, step_s: float, link_at: Path | None = None) -> None:
        self.lock = threading.RLock()
        self._step_s = step_s
        self._link: Path | None = link_at
        self._master = self._slave = -1
        self._port = ""
        self._wake_r, self._wake_w = os.pipe()
        self._is_closing = False
        self._plug()
        self._thread = threading.Thread(target=self._run, name=f"{name} {self._port}", daemon=True)

    def start(self) -> None:
        """Let the device live."""
        self._thread.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def port(self) -> str:
        """The path to open: the symbolic link if there is one, else the pty itself."""
        return str(self._link) if self._link is not None else self._port

    def link_at(self, path: Path) -> None:
        """Makes the port reachable at a lasting path, as udev does for an adapter that is plugged in again."""
        with self.lock:
            self._link = path
            self._relink()

    def unplug(self) -> None:
        """Pulls the cable: the port hangs up and its path goes. The device itself goes on."""
        with self.lock:
            if self._link is not None:
                self._link.unlink(missing_ok=True)
            for fd in (self._master, self._slave):
                if fd >= 0:
                    os.close(fd)
            self._master = self._slave = -1
        self._wake()

    def replug(self) -> None:
        """Plugs the cable in again: a new pty, the same lasting path."""
        with self.lock:
            self._plug()
        self._wake()

    def close(self) -> None:
        if self._is_closing:
            return
        self._is_closing = True
        self._wake()
        if self._thread.is_alive():
            self._thread.join()
        self.unplug()
        os.close(self._wake_r)
        os.close(self._wake_w)

    # -- what a device is ----------------------------------------------------------------------------------------------

    @abstractmethod
    def receive(self, data: bytes) -> None:
        """Take what came; called with the lock, at each turn, also with nothing."""

    @abstractmethod
    def pass_time(self, elapsed_s: float) -> None:
        """Let time pass; called with the lock, about every `step_s`."""

    @abstractmethod
    def take_output(self, now_s: float) -> bytes:
        """What is to be sent by now (monotonic clock); called with the lock, at each turn."""

    def next_due_s(self) -> float | None:
        """When there is something to send that is not due yet; None for nothing."""
        return None

    def send(self, data: bytes) -> None:
        """Puts bytes on the line. A UART that nobody reads loses what it sends; so does a full pty."""
        with self.lock:
            if data and self._master >= 0:
                with contextlib.suppress(BlockingIOError, OSError):
                    os.write(self._master, data)

    # -- the line ------------------------------------------------------------------------------------------------------

    def _wake(self) -> None:
        os.write(self._wake_w, b"w")

    def _plug(self) -> None:
        # Our own hold on the slave keeps the master readable without error while no driver has the port open.
        self._master, self._slave = os.openpty()
        tty.setraw(self._slave)
        os.set_blocking(self._master, False)
        self._port = os.ttyname(self._slave)
        self._relink()

    def _relink(self) -> None:
        if self._link is not None:
            self._link.unlink(missing_ok=True)
            self._link.symlink_to(self._port)

    def _run(self) -> None:
        last_s = time.monotonic()
        while not self._is_closing:
            self._wait(last_s + self._step_s)
            with self.lock:
                self.receive(self._read())
                self.send(self.take_output(time.monotonic()))
                now_s = time.monotonic()
                if now_s - last_s >= self._step_s:
                    self.pass_time(min(now_s - last_s, MAX_CATCH_UP_S))
                    last_s = now_s
                    self.send(self.take_output(now_s))

    def _wait(self, until_s: float) -> None:
        with self.lock:
            watched = [fd for fd in (self._master, self._wake_r) if fd >= 0]
            due_s = self.next_due_s()
        if due_s is not None:
            until_s = min(until_s, due_s)
        readable: list[int] = []
        # A cable pulled while we wait leaves a closed descriptor behind for a moment.
        with contextlib.suppress(OSError, ValueError):
            readable = select.select(watched, [], [], max(0.0, until_s - time.monotonic()))[0]
        if self._wake_r in readable:
            os.read(self._wake_r, 64)

    def _read(self) -> bytes:
        if self._master < 0:
            return b""
        with contextlib.suppress(BlockingIOError, OSError):
            return os.read(self._master, _READ_BYTES)
        return b""
