"""A V4L2 camera without a kernel module: the capture that OpenCV would open, and the controls behind its device file.

The twin stands at the two edges that a driver touches: ``cv2.VideoCapture`` (frames and the buffer's time stamp) and ``ioctl``
(`VIDIOC_QUERYCTRL`, `G_CTRL`, `S_CTRL`; structures of linux/videodev2.h). What lies below, USB and the kernel, it does not play.
"""

from __future__ import annotations

import errno
import struct
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from simulator.camera_faults import CameraFault, CameraFaults

Image = NDArray[np.uint8]
_QUERYCTRL, _G_CTRL, _S_CTRL = 0xC0445624, 0xC008561B, 0xC008561C
_AUTO, _TIME = 0x009A0901, 0x009A0902
_SHORTEST_S = 0.001


@dataclass(slots=True, kw_only=True)
class _Control:
    kind: int
    name: bytes
    least: int
    most: int
    step: int
    value: int


class V4l2Twin:
    """One camera. `open_capture` and `ioctl` are handed to the drivers in place of OpenCV's and the kernel's.

    Pictures come from ``source`` (given the monotonic ns), ``fps`` a second, brighter and darker with the manual exposure time in
    proportion; automatic exposure leaves them as they are.
    """

    def __init__(
        self,
        source: Callable[[int], Image],
        *,
        device: Path,
        fps: float = 30.0,
        delay_ms: float = 8.0,
        has_stamps: bool = True,
        has_exposure: bool = True,
        seed: int = 1,
    ) -> None:
        """``device`` is made as an empty file, so that whoever looks for the device finds it. ``delay_ms``: exposure to read-out."""
        self.faults = CameraFaults(seed=seed)
        self.device = device
        device.touch()
        self.opened = 0
        self.source = source
        self.interval_s = 1.0 / fps
        self.delay_ns = round(delay_ms * 1e6)
        self.has_stamps = has_stamps
        self.controls: dict[int, _Control] = {}
        if has_exposure:
            self.controls = {
                _AUTO: _Control(kind=3, name=b"Auto Exposure", least=0, most=3, step=1, value=3),
                _TIME: _Control(kind=1, name=b"Exposure Time, Absolute", least=3, most=2047, step=1, value=157),
            }

    def open_capture(self, _source: str, _backend: int, _parameters: list[int]) -> CaptureTwin:
        self.opened += 1
        return CaptureTwin(self)

    def ioctl(self, _fd: int, request: int, argument: bytearray) -> int:
        """Answers in place, as the kernel does; OSError with its codes."""
        if self.faults.has(CameraFault.UNPLUG):
            raise OSError(errno.ENODEV, "No such device")
        (control_id,) = struct.unpack_from("=I", argument)
        control = self.controls.get(control_id)
        if control is None:
            raise OSError(errno.EINVAL, "Invalid argument")
        if request == _QUERYCTRL:
            about = (control.kind, control.name, control.least, control.most, control.step, control.value, 0)
            struct.pack_into("=II32siiiiI", argument, 0, control_id, *about)
        elif request == _G_CTRL:
            struct.pack_into("=Ii", argument, 0, control_id, control.value)
        elif request == _S_CTRL:
            self._set(control_id, control, struct.unpack_from("=i", argument, 4)[0])
        else:
            raise OSError(errno.ENOTTY, "Inappropriate ioctl for device")
        return 0

    def _set(self, control_id: int, control: _Control, value: int) -> None:
        if not control.least <= value <= control.most:
            raise OSError(errno.ERANGE, "Numerical result out of range")
        # As uvcvideo does: the time cannot be set while the camera sets it.
        if control_id == _TIME and self.controls[_AUTO].value != 1:
            raise OSError(errno.EACCES, "Permission denied")
        control.value = value

    def picture(self, now_ns: int) -> Image:
        """The scene under the present exposure."""
        image = self.source(now_ns)
        if not self.controls or self.controls[_AUTO].value != 1:
            return image
        gain = self.controls[_TIME].value / 157
        return cv2.convertScaleAbs(image, alpha=gain).astype(np.uint8, copy=False)


class CaptureTwin:
    """As ``cv2.VideoCapture``: ``grab`` waits for the next frame, or fails once the device is gone or its silence too long."""

    def __init__(self, twin: V4l2Twin) -> None:
        self._twin = twin
        self._due_s = time.monotonic()
        self._stamp_ns = 0
        self._is_open = not twin.faults.has(CameraFault.UNPLUG)

    def isOpened(self) -> bool:
        return self._is_open

    def grab(self) -> bool:
        faults = self._twin.faults
        self._due_s = max(self._due_s + self._twin.interval_s, time.monotonic())
        time.sleep(max(_SHORTEST_S, self._due_s - time.monotonic()))
        if faults.gives_nothing or not self._is_open:
            return False  # OpenCV's own select() gives up after its time-out
        self._stamp_ns = time.monotonic_ns()
        time.sleep(self._twin.delay_ns / 1e9 + faults.late_s)
        return True

    def retrieve(self) -> tuple[bool, Image | None]:
        image = self._twin.faults.spoil_image(self._twin.picture(self._stamp_ns))
        return image is not None, image

    def get(self, prop: int, /) -> float:
        if prop == cv2.CAP_PROP_POS_MSEC and self._twin.has_stamps:
            return self._stamp_ns / 1e6
        return 0.0

    def set(self, _prop: int, _value: float, /) -> bool:
        return True

    def release(self) -> None:
        self._is_open = False
