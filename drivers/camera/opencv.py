"""Cameras that OpenCV opens: V4L2 devices (webcams, document cameras) and RTSP or other stream addresses."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import urlsplit

import cv2
import numpy as np

from drivers.camera.interface import Image, StampSource
from drivers.camera.limits import HealthLimits
from drivers.camera.onvif import Credentials, OnvifClient, OnvifError
from drivers.camera.stamps import StreamClock, device_stamp
from drivers.camera.threaded import FrameSource, StreamLost, ThreadedCamera
from drivers.errors import DeviceError

_OPEN_TIMEOUT_MS = 5000


class Capture(Protocol):
    """As much of ``cv2.VideoCapture`` as is used here, so that a device that this machine lacks can be played by a twin."""

    def isOpened(self) -> bool: ...

    def grab(self) -> bool: ...

    def retrieve(self) -> tuple[bool, Any]: ...

    def get(self, propId: int, /) -> float: ...

    def set(self, propId: int, value: float, /) -> bool: ...

    def release(self) -> None: ...


OpenCapture = Callable[[str, int, list[int]], Capture]
"""Source, OpenCV backend and parameters, as ``cv2.VideoCapture`` takes them."""


def _open_capture(source: str, backend: int, parameters: list[int]) -> Capture:
    return cv2.VideoCapture(source, backend, parameters)


class OpenCvCamera(ThreadedCamera):
    """`source` is a V4L2 index ("0"), a device path ("/dev/video0") or an address ("rtsp://...").

    V4L2 frames carry the kernel's stamp of the buffer, RTSP frames the stream's presentation time (`drivers.camera.stamps`);
    `Frame.stamped_by` says which was believed. `fps` is a wish that the device may round. A stream without a picture for `silence_s` is
    lost and opened again.
    """

    def __init__(
        self,
        source: str,
        *,
        fps: float = 15.0,
        queue_size: int = 1,
        silence_s: float = 2.0,
        limits: HealthLimits | None = None,
        open_capture: OpenCapture = _open_capture,
        now_ns: Callable[[], int] = time.monotonic_ns,
    ) -> None:
        self._is_address = "://" in source
        parts = urlsplit(source) if self._is_address else None
        # A password in the address is nobody's business in a log.
        name = source if parts is None else f"{parts.scheme}://{parts.hostname or ''}{parts.path}"
        super().__init__(name, queue_size=queue_size, limits=limits, now_ns=now_ns)
        self._source = source
        self._fps = fps
        self._silence_ms = round(1000 * silence_s)
        self._open_capture = open_capture
        self._device = Path(f"/dev/video{source}") if source.isdecimal() else Path(source)

    def _check(self) -> None:
        if not self._is_address and not self._device.exists():
            raise DeviceError(
                f"Camera {self._device} does not exist; plug it in or set another one (see /dev/v4l/by-id)."
            )

    def _address(self) -> str:
        """Where the stream is now. Raises `DeviceError` if that cannot be found out."""
        return self._source

    def _open(self) -> FrameSource:
        if self._is_address:
            timeouts = [cv2.CAP_PROP_OPEN_TIMEOUT_MSEC, _OPEN_TIMEOUT_MS]
            timeouts += [cv2.CAP_PROP_READ_TIMEOUT_MSEC, self._silence_ms]
            capture = self._open_capture(self._address(), cv2.CAP_FFMPEG, timeouts)
        else:
            self._check()
            capture = self._open_capture(str(self._device), cv2.CAP_V4L2, [])
            capture.set(cv2.CAP_PROP_FPS, self._fps)
            # One buffer in the kernel: what is read is what is seen now.
            capture.set(cv2.CAP_PROP_BUFFERSIZE, 1)
        if not capture.isOpened():
            capture.release()
            raise DeviceError(
                f"Camera {self._name} cannot be opened; stop what else uses it, or check its address and the rights on it."
            )
        return _CaptureSource(capture, self._now_ns, is_stream=self._is_address)


class OnvifCamera(OpenCvCamera):
    """A camera that is asked where its stream is, each time that it is opened: `device_service` is its ONVIF address."""

    def __init__(
        self,
        device_service: str,
        *,
        credentials: Credentials | None = None,
        profile: str = "",
        queue_size: int = 1,
        silence_s: float = 2.0,
        limits: HealthLimits | None = None,
    ) -> None:
        super().__init__(device_service, queue_size=queue_size, silence_s=silence_s, limits=limits)
        self._credentials = credentials
        self._profile = profile

    def _address(self) -> str:
        client = OnvifClient(self._source, credentials=self._credentials, profile=self._profile)
        try:
            return client.stream_uri()
        except OnvifError as error:
            raise DeviceError(
                f"Camera {self._name} does not say where its stream is ({error}); check its address, user and clock."
            ) from error
        finally:
            client.close()


class _CaptureSource:
    def __init__(self, capture: Capture, now_ns: Callable[[], int], *, is_stream: bool) -> None:
        self._capture = capture
        self._now_ns = now_ns
        self._clock = StreamClock() if is_stream else None
        self.stamped_by = StampSource.ARRIVAL

    def next(self, is_stopping: Callable[[], bool]) -> tuple[Image, int, int] | None:
        if is_stopping():
            return None
        if not self._capture.grab():
            raise StreamLost("no picture came")
        arrived_ns = self._now_ns()
        stated_ns = round(self._capture.get(cv2.CAP_PROP_POS_MSEC) * 1e6)
        if self._clock is None:
            captured_ns, self.stamped_by = device_stamp(stated_ns, arrived_ns)
        else:
            captured_ns, self.stamped_by = self._clock.stamp(stated_ns, arrived_ns)
        is_decoded, image = self._capture.retrieve()
        if not is_decoded:
            raise StreamLost("a picture could not be decoded")
        return np.asarray(image, dtype=np.uint8), captured_ns, 0

    def close(self) -> None:
        self._capture.release()
