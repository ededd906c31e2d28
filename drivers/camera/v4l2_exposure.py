"""Exposure of a V4L2 camera by its controls (linux/videodev2.h, v4l2-controls.h): exposure_auto and exposure_time_absolute.

Control calls go to the device file beside whoever streams from it, which V4L2 allows. Times there are in units of 100 microseconds.
"""

from __future__ import annotations

import fcntl
import os
import struct
from collections.abc import Callable
from pathlib import Path

from drivers.camera.exposure import ExposureControl, ExposureFault, ExposureState

Ioctl = Callable[[int, int, bytearray], int]
"""As ``fcntl.ioctl``: file, request, structure that is changed in place; OSError with the kernel's code."""

_QUERYCTRL, _G_CTRL, _S_CTRL = 0xC0445624, 0xC008561B, 0xC008561C
_CONTROL = struct.Struct("=Ii")
_QUERY = struct.Struct("=II32siiiiI8x")
_EXPOSURE_AUTO, _EXPOSURE_TIME = 0x009A0901, 0x009A0902
_MANUAL = 1
_AUTOMATIC = (3, 0)
"""Aperture priority, which is what UVC cameras call automatic; then automatic in full."""
_UNIT_US = 100


class V4l2Exposure(ExposureControl):
    """`source` is an index ("0") or a device path."""

    def __init__(self, source: str, *, ioctl: Ioctl = fcntl.ioctl) -> None:
        self._device = Path(f"/dev/video{source}") if source.isdecimal() else Path(source)
        self._ioctl = ioctl
        self._file: int | None = None

    def read(self) -> ExposureState | ExposureFault:
        try:
            least, most = self._limits(_EXPOSURE_TIME)
            is_auto = self._get(_EXPOSURE_AUTO) != _MANUAL
            return ExposureState(
                is_auto=is_auto,
                time_us=self._get(_EXPOSURE_TIME) * _UNIT_US,
                least_us=least * _UNIT_US,
                most_us=most * _UNIT_US,
            )
        except OSError as error:
            return self._fault(error)

    def set_auto(self) -> ExposureFault | None:
        fault: ExposureFault | None = None
        for mode in _AUTOMATIC:
            try:
                self._set(_EXPOSURE_AUTO, mode)
            except OSError as error:
                fault = self._fault(error)
            else:
                return None
        return fault

    def set_time_us(self, time_us: int) -> ExposureFault | None:
        try:
            least, most = self._limits(_EXPOSURE_TIME)
            self._set(_EXPOSURE_AUTO, _MANUAL)
            self._set(_EXPOSURE_TIME, min(most, max(least, round(time_us / _UNIT_US))))
        except OSError as error:
            return self._fault(error)
        return None

    def close(self) -> None:
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def _opened(self) -> int:
        if self._file is None:
            self._file = os.open(self._device, os.O_RDWR | os.O_CLOEXEC)
        return self._file

    def _limits(self, control: int) -> tuple[int, int]:
        about = bytearray(_QUERY.pack(control, 0, b"", 0, 0, 0, 0, 0))
        self._ioctl(self._opened(), _QUERYCTRL, about)
        _, _, _, least, most, _, _, _ = _QUERY.unpack(about)
        return least, most

    def _get(self, control: int) -> int:
        about = bytearray(_CONTROL.pack(control, 0))
        self._ioctl(self._opened(), _G_CTRL, about)
        value: int = _CONTROL.unpack(about)[1]
        return value

    def _set(self, control: int, value: int) -> None:
        self._ioctl(self._opened(), _S_CTRL, bytearray(_CONTROL.pack(control, value)))

    def _fault(self, error: OSError) -> ExposureFault:
        # After a device came back, an old file stays dead.
        self.close()
        return ExposureFault(reason=f"{self._device}: {error.strerror or error}")
