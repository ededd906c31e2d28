"""Cameras that OpenCV opens: V4L2 devices (webcams, document cameras) and RTSP or other stream addresses."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np

from drivers.camera.interface import Image
from drivers.camera.threaded import FrameSource, StreamLost, ThreadedCamera
from drivers.errors import DeviceError

_OPEN_TIMEOUT_MS = 5000
_READ_TIMEOUT_MS = 2000


class OpenCvCamera(ThreadedCamera):
    """`source` is a V4L2 index ("0"), a device path ("/dev/video0") or an address ("rtsp://...").

    Frames are stamped when they reach this host: an RTSP camera's own delay is not known to it. `fps` is a wish
    that the device may round.
    """

    def __init__(self, source: str, *, fps: float = 15.0, queue_size: int = 1) -> None:
        super().__init__(source, queue_size=queue_size)
        self._source = source
        self._fps = fps
        self._is_address = "://" in source
        self._device = Path(f"/dev/video{source}") if source.isdecimal() else Path(source)

    def _check(self) -> None:
        if not self._is_address and not self._device.exists():
            raise DeviceError(
                f"Camera {self._device} does not exist; plug it in or set another one (see /dev/v4l/by-id)."
            )

    def _open(self) -> FrameSource:
        if self._is_address:
            timeouts = [cv2.CAP_PROP_OPEN_TIMEOUT_MSEC, _OPEN_TIMEOUT_MS]
            timeouts += [cv2.CAP_PROP_READ_TIMEOUT_MSEC, _READ_TIMEOUT_MS]
            capture = cv2.VideoCapture(self._source, cv2.CAP_FFMPEG, timeouts)
        else:
            self._check()
            capture = cv2.VideoCapture(str(self._device), cv2.CAP_V4L2)
            capture.set(cv2.CAP_PROP_FPS, self._fps)
            # One buffer in the kernel: what is read is what is seen now.
            capture.set(cv2.CAP_PROP_BUFFERSIZE, 1)
        if not capture.isOpened():
            capture.release()
            raise DeviceError(
                f"Camera {self._source} cannot be opened; stop what else uses it, or check its address and the rights on it."
            )
        return _CaptureSource(capture, self._now_ns)


class _CaptureSource:
    def __init__(self, capture: cv2.VideoCapture, now_ns: Callable[[], int] = time.monotonic_ns) -> None:
        self._capture = capture
        self._now_ns = now_ns

    def next(self, is_stopping: Callable[[], bool]) -> tuple[Image, int, int] | None:
        if is_stopping():
            return None
        if not self._capture.grab():
            raise StreamLost("no picture came")
        captured_ns = self._now_ns()
        is_decoded, image = self._capture.retrieve()
        if not is_decoded:
            raise StreamLost("a picture could not be decoded")
        return np.asarray(image, dtype=np.uint8), captured_ns, 0

    def close(self) -> None:
        self._capture.release()
