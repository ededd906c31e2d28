"""Pictures from a folder, or a video file, at a camera's pace: one's own recordings, and a desk without a camera."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np

from drivers.camera.interface import Image, StampSource
from drivers.camera.threaded import FrameSource, StreamLost, ThreadedCamera
from drivers.errors import DeviceError

PICTURE_SUFFIXES = frozenset({".bmp", ".jpeg", ".jpg", ".png", ".tif", ".tiff", ".webp"})
_RECHECK_S = 0.2


class FolderCamera(ThreadedCamera):
    """Plays the pictures of a folder in order of their names, or a video file, `fps` frames a second.

    With `is_looping` it begins again at the end; pictures added to the folder meanwhile are then shown too.
    """

    def __init__(self, source: str | Path, *, fps: float = 10.0, is_looping: bool = True, queue_size: int = 1) -> None:
        super().__init__(str(source), queue_size=queue_size)
        if fps <= 0:
            raise DeviceError(f"Camera {source} cannot run at {fps} frames per second; set a rate above 0.")
        self._path = Path(source)
        self._fps = fps
        self._is_looping = is_looping

    def _check(self) -> None:
        if not self._path.exists():
            raise DeviceError(f"Camera folder {self._path} does not exist; make it or set another one.")
        if self._path.is_dir() and not _pictures(self._path):
            raise DeviceError(f"Camera folder {self._path} holds no picture; put a JPEG or PNG file into it.")

    def _open(self) -> FrameSource:
        self._check()
        pictures = _PictureSource if self._path.is_dir() else _VideoSource
        return pictures(self._path, fps=self._fps, is_looping=self._is_looping, now_ns=self._now_ns)


def _pictures(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if path.suffix.lower() in PICTURE_SUFFIXES)


class _PacedSource:
    """Waits until the next frame is due. The pace is the wall's: a late consumer does not slow it."""

    def __init__(self, path: Path, *, fps: float, is_looping: bool, now_ns: Callable[[], int]) -> None:
        self._path = path
        self._interval_ns = int(1e9 / fps)
        self._is_looping = is_looping
        self._now_ns = now_ns
        self._due_ns = now_ns()
        self._pause = threading.Event()

    @property
    def stamped_by(self) -> StampSource:
        """What is recorded has no time of its own any more."""
        return StampSource.ARRIVAL

    def _wait_until_due(self, is_stopping: Callable[[], bool]) -> bool:
        while (left_ns := self._due_ns - self._now_ns()) > 0:
            self._pause.wait(min(left_ns / 1e9, _RECHECK_S))
            if is_stopping():
                return False
        self._due_ns = max(self._due_ns + self._interval_ns, self._now_ns())
        return True


class _PictureSource(_PacedSource):
    def __init__(self, path: Path, *, fps: float, is_looping: bool, now_ns: Callable[[], int]) -> None:
        super().__init__(path, fps=fps, is_looping=is_looping, now_ns=now_ns)
        self._left = _pictures(path)

    def next(self, is_stopping: Callable[[], bool]) -> tuple[Image, int, int] | None:
        if not self._wait_until_due(is_stopping):
            return None
        skipped = 0
        while self._left:
            image = _load(self._left.pop(0))
            if image is not None:
                self._refill()
                return image, self._now_ns(), skipped
            skipped += 1
        self._refill()
        raise StreamLost("the pictures are over, or none could be decoded", is_final=not self._is_looping)

    def _refill(self) -> None:
        if not self._left and self._is_looping:
            self._left = _pictures(self._path) if self._path.is_dir() else []

    def close(self) -> None:
        self._left.clear()


class _VideoSource(_PacedSource):
    def __init__(self, path: Path, *, fps: float, is_looping: bool, now_ns: Callable[[], int]) -> None:
        super().__init__(path, fps=fps, is_looping=is_looping, now_ns=now_ns)
        self._capture = cv2.VideoCapture(str(path))
        if not self._capture.isOpened():
            self._capture.release()
            raise DeviceError(f"Camera file {path} is not a video that can be decoded; set a folder or another file.")

    def next(self, is_stopping: Callable[[], bool]) -> tuple[Image, int, int] | None:
        if not self._wait_until_due(is_stopping):
            return None
        is_read, image = self._capture.read()
        if not is_read and self._is_looping:
            self._capture.set(cv2.CAP_PROP_POS_FRAMES, 0)
            is_read, image = self._capture.read()
        if not is_read:
            raise StreamLost("the recording is over", is_final=not self._is_looping)
        return np.asarray(image, dtype=np.uint8), self._now_ns(), 0

    def close(self) -> None:
        self._capture.release()


def _load(path: Path) -> Image | None:
    """Reads through Python so that any file name works; None for what is no picture (any more)."""
    try:
        data = np.frombuffer(path.read_bytes(), dtype=np.uint8)
    except OSError:
        return None
    if data.size == 0:
        return None
    image = cv2.imdecode(data, cv2.IMREAD_COLOR)
    return None if image is None else np.asarray(image, dtype=np.uint8)
