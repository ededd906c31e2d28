"""The thread, the queue and the reopening that all cameras share."""

from __future__ import annotations

import threading
import time
from abc import abstractmethod
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import cv2
import numpy as np

from drivers.camera.health import PictureWatch
from drivers.camera.interface import Camera, CameraStatus, Frame, Image, StampSource, StatusCallback
from drivers.camera.limits import HealthLimits
from drivers.errors import DeviceError

BROKEN_IN_A_ROW = 15
"""So many pictures after one another that cannot be decoded, and the camera counts as lost."""


class FrameSource(Protocol):
    """An opened stream of pictures. Used by one thread."""

    def next(self, is_stopping: Callable[[], bool]) -> tuple[Image | bytes, int, int] | None:
        """The next picture, when it was taken (monotonic ns) and how many were skipped before it.

        Encoded pictures (bytes) are decoded by whoever takes them: most pictures of a camera are never looked at.

        None when the wait was cut short; a stream that is over or silent raises `StreamLost`.
        """

    @property
    def stamped_by(self) -> StampSource:
        """By what the time of the last picture is known."""

    def close(self) -> None: ...


class StreamLost(Exception):
    """The stream gives no more pictures; `str()` is why. A final loss is an end: opening again would repeat it."""

    def __init__(self, reason: str, *, is_final: bool = False) -> None:
        super().__init__(reason)
        self.is_final = is_final


@dataclass(slots=True, kw_only=True, eq=False)
class _Taken:
    """A picture as it came, and once somebody wanted it, as a frame."""

    picture: Image | bytes
    captured_ns: int
    sequence: int
    stamped_by: StampSource

    def frame(self) -> Frame | None:
        """None when the bytes are no picture."""
        if isinstance(self.picture, bytes):
            decoded = cv2.imdecode(np.frombuffer(self.picture, dtype=np.uint8), cv2.IMREAD_COLOR)
            if decoded is None:
                return None
            self.picture = np.asarray(decoded, dtype=np.uint8)
        return Frame(
            image_bgr=self.picture,
            captured_ns=self.captured_ns,
            sequence=self.sequence,
            stamped_by=self.stamped_by,
        )


class ThreadedCamera(Camera):
    """Opens a `FrameSource` in a thread, reads it, and opens it again whenever it is lost or its picture is frozen."""

    def __init__(
        self,
        name: str,
        *,
        queue_size: int = 1,
        reopen_s: tuple[float, ...] = (0.1, 0.2, 0.5, 1.0, 2.0),
        now_ns: Callable[[], int] = time.monotonic_ns,
        limits: HealthLimits | None = None,
    ) -> None:
        self._name = name
        self._watch = PictureWatch(limits or HealthLimits())
        self._reopen_s = reopen_s
        self._now_ns = now_ns
        self._queue: deque[_Taken] = deque()
        self._queue_size = queue_size
        self._changed = threading.Condition()
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None
        self._on_status: StatusCallback | None = None
        self._status = CameraStatus.OPENING
        self._reason = ""
        self._latest: _Taken | None = None
        self._broken = 0
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
        deadline_s = time.monotonic() + timeout_s
        while True:
            with self._changed:
                left_s = max(0.0, deadline_s - time.monotonic())
                self._changed.wait_for(lambda: self._queue or self._stopping.is_set(), left_s)
                taken = self._queue.popleft() if self._queue else None
            if taken is None:
                return None
            frame = taken.frame()
            if frame is not None:
                self._broken = 0
                return frame
            self._dropped += 1
            self._broken += 1

    def latest(self) -> Frame | None:
        with self._changed:
            taken = self._latest
        return None if taken is None else taken.frame()

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
                picture, captured_ns, skipped = taken
                trouble = self._watch.feed(picture, self._now_ns())
                if self._watch.is_frozen:
                    # An old picture is not shown as if it were the present; opening anew is what helps most cameras.
                    raise StreamLost(trouble or "the picture is frozen")
                self._publish(picture, captured_ns, skipped, source.stamped_by)
                if trouble is not None:
                    self._set_status(CameraStatus.LOST, f"{self._name}: {trouble}")
                    continue
                if self._broken >= BROKEN_IN_A_ROW:
                    self._set_status(CameraStatus.LOST, f"{self._name}: sends what is no picture")
                    continue
                has_seen = True
                self._set_status(CameraStatus.OK, "")
        except StreamLost as lost:
            self._set_status(CameraStatus.LOST, f"{self._name}: {lost}")
            if lost.is_final:
                self._stopping.wait()
        finally:
            source.close()
        return has_seen

    def _publish(self, picture: Image | bytes, captured_ns: int, skipped: int, stamped_by: StampSource) -> None:
        with self._changed:
            self._sequence += 1 + skipped
            self._dropped += skipped
            self._latest = _Taken(
                picture=picture, captured_ns=captured_ns, sequence=self._sequence, stamped_by=stamped_by
            )
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
