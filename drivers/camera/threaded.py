"""The thread, the queue and the reopening that all cameras share."""

from __future__ import annotations

import threading
import time
from abc import abstractmethod
from collections import deque
from collections.abc import Callable
from typing import Protocol

from drivers.camera.interface import Camera, CameraStatus, Frame, Image, StatusCallback
from drivers.errors import DeviceError


class FrameSource(Protocol):
    """An opened stream of pictures. Used by one thread."""

    def next(self, is_stopping: Callable[[], bool]) -> tuple[Image, int, int] | None:
        """The next picture, when it was taken (monotonic ns) and how many were skipped before it.

        None when the wait was cut short; a stream that is over or silent raises `StreamLost`.
        """

    def close(self) -> None: ...


class StreamLost(Exception):
    """The stream gives no more pictures; `str()` is why. A final loss is an end: opening again would repeat it."""

    def __init__(self, reason: str, *, is_final: bool = False) -> None:
        super().__init__(reason)
        self.is_final = is_final


class ThreadedCamera(Camera):
    """Opens a `FrameSource` in a thread, reads it, and opens it again whenever it is lost."""

    def __init__(
        self,
        name: str,
        *,
        queue_size: int = 2,
        reopen_s: tuple[float, ...] = (0.1, 0.2, 0.5, 1.0, 2.0),
        now_ns: Callable[[], int] = time.monotonic_ns,
    ) -> None:
        self._name = name
        self._reopen_s = reopen_s
        self._now_ns = now_ns
        self._queue: deque[Frame] = deque()
        self._queue_size = queue_size
        self._changed = threading.Condition()
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None
        self._on_status: StatusCallback | None = None
        self._status = CameraStatus.OPENING
        self._reason = ""
        self._latest: Frame | None = None
        self._sequence = 0
        self._dropped = 0

    @abstractmethod
    def _open(self) -> FrameSource:
        """Raises `DeviceError` if it cannot be opened now."""

    def _check(self) -> None:
        """Raises `DeviceError` for what reopening will never repair."""

    def start(self, on_status: StatusCallback | None = None) -> None:
        if self._thread is not None:
            raise RuntimeError(f"camera {self._name} is already started")
        self._check()
        self._on_status = on_status
        self._stopping.clear()
        self._status, self._reason = CameraStatus.OPENING, ""
        self._thread = threading.Thread(target=self._run, name=f"camera {self._name}", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        thread, self._thread = self._thread, None
        if thread is None:
            return
        self._stopping.set()
        with self._changed:
            self._changed.notify_all()
        thread.join()
        with self._changed:
            self._queue.clear()
            self._latest = None

    def read(self, timeout_s: float) -> Frame | None:
        with self._changed:
            self._changed.wait_for(lambda: self._queue or self._stopping.is_set(), timeout_s)
            return self._queue.popleft() if self._queue else None

    def latest(self) -> Frame | None:
        with self._changed:
            return self._latest

    @property
    def status(self) -> CameraStatus:
        return self._status

    @property
    def status_reason(self) -> str:
        return self._reason

    @property
    def dropped(self) -> int:
        return self._dropped

    def _run(self) -> None:
        attempt = 0
        try:
            while not self._stopping.is_set():
                try:
                    source = self._open()
                except DeviceError as error:
                    self._set_status(CameraStatus.LOST, str(error))
                else:
                    if self._read_all(source):
                        attempt = 0
                self._stopping.wait(self._reopen_s[min(attempt, len(self._reopen_s) - 1)])
                attempt += 1
        finally:
            # Also when a defect of ours ends the thread: the lane must learn that nobody looks any more.
            if not self._stopping.is_set():
                self._set_status(CameraStatus.LOST, "its reader has stopped")

    def _read_all(self, source: FrameSource) -> bool:
        """Reads until the stream is lost or the camera stopped; says whether any picture came."""
        has_seen = False
        try:
            while not self._stopping.is_set():
                taken = source.next(self._stopping.is_set)
                if taken is None:
                    continue
                image, captured_ns, skipped = taken
                self._publish(image, captured_ns, skipped)
                has_seen = True
                self._set_status(CameraStatus.OK, "")
        except StreamLost as lost:
            self._set_status(CameraStatus.LOST, f"{self._name}: {lost}")
            if lost.is_final:
                self._stopping.wait()
        finally:
            source.close()
        return has_seen

    def _publish(self, image: Image, captured_ns: int, skipped: int) -> None:
        with self._changed:
            self._sequence += 1 + skipped
            self._dropped += skipped
            self._latest = Frame(image_bgr=image, captured_ns=captured_ns, sequence=self._sequence)
            if len(self._queue) >= self._queue_size:
                self._queue.popleft()
                self._dropped += 1
            self._queue.append(self._latest)
            self._changed.notify_all()

    def _set_status(self, status: CameraStatus, reason: str) -> None:
        if status is self._status and reason == self._reason:
            return
        is_change = status is not self._status
        self._status, self._reason = status, reason
        if is_change and self._on_status is not None:
            self._on_status(status, reason)
