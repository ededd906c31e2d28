"""A small thermal camera (32 x 24 or so) on a serial line: the warmest part of the face, and a black body in a corner of the view.

The face camera says where the face is; both look the same way, and a site says which part of the thermal picture the face camera sees. With
no face told, everything but the black body is searched. The reading is the mean of the three warmest pixels: one alone may be noise, and
the inner corners of the eyes, which follow the body best, fill hardly more than that at arm's length.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from drivers.thermal.correction import Correction
from drivers.thermal.frame import MAX_FRAME_BYTES, decode_frame
from drivers.thermal.interface import Box
from drivers.thermal.serial_reader import SerialThermometer

Celsius = NDArray[np.float32]
_WARMEST_PIXELS = 3
_FACE_MARGIN = 0.15
"""Of the face's size, on each side: the two cameras never look quite the same way."""
_BLACK_BODY_MARGIN = 0.5
"""Its rim is warm too, and must not be taken for skin."""
_MOST_SPREAD_CELSIUS = 0.6
"""Within the black body: more than this, and something stands before a part of it."""


class SerialThermalArray(SerialThermometer):
    """`face_camera_box`: what of the thermal picture the face camera sees; `black_body_box`: where the black body stands in it."""

    def __init__(
        self,
        port: str,
        *,
        baud_rate: int = 460_800,
        max_age_ms: int = 1000,
        correction: Correction | None = None,
        black_body_box: Box | None = None,
        face_camera_box: Box = (0.0, 0.0, 1.0, 1.0),
        now_ns: Callable[[], int] = time.monotonic_ns,
    ) -> None:
        super().__init__(port, baud_rate=baud_rate, max_age_ms=max_age_ms, correction=correction, now_ns=now_ns)
        self._black_body_box = black_body_box
        self._face_camera_box = face_camera_box
        self._held = b""
        self.broken_frames = 0
        """Frames with a wrong checksum, or halves: a measure of the line."""

    def _forget(self) -> None:
        self._held = b""

    def _take(self, data: bytes) -> None:
        *complete, held = (self._held + data).split(b"\x00")
        self._held = held[-MAX_FRAME_BYTES:]
        for one in complete:
            frame = decode_frame(one) if one else None
            if frame is None:
                self.broken_frames += bool(one)
                continue
            face = None if self._face_box is None else _inside(self._face_box, self._face_camera_box)
            warmest = warmest_celsius(frame.celsius, face, without=self._black_body_box)
            black = None if self._black_body_box is None else black_body_celsius(frame.celsius, self._black_body_box)
            self._seen(warmest, frame.ambient_celsius, black)


def warmest_celsius(celsius: Celsius, face_box: Box | None, *, without: Box | None) -> float | None:
    """The mean of the three warmest pixels in the box (None: the whole picture), those of ``without`` left out; None if none are left."""
    is_searched = np.zeros(celsius.shape, np.bool_)
    is_searched[_pixels(celsius, (0, 0, 1, 1) if face_box is None else _widened(face_box, _FACE_MARGIN))] = True
    if without is not None:
        is_searched[_pixels(celsius, _widened(without, _BLACK_BODY_MARGIN))] = False
    values = celsius[is_searched]
    if values.size < _WARMEST_PIXELS:
        return None
    return float(np.sort(values)[-_WARMEST_PIXELS:].mean())


def black_body_celsius(celsius: Celsius, box: Box) -> float | None:
    """The median of the box; None while it is not of one temperature, as when somebody's shoulder is before it."""
    values = celsius[_pixels(celsius, box)]
    if values.size == 0 or float(np.ptp(np.percentile(values, [10, 90]))) > _MOST_SPREAD_CELSIUS:
        return None
    return float(np.median(values))


def _pixels(celsius: Celsius, box: Box) -> tuple[slice, slice]:
    rows, columns = celsius.shape
    left, top, right, bottom = box
    return (
        slice(max(0, int(top * rows)), max(0, int(np.ceil(bottom * rows)))),
        slice(max(0, int(left * columns)), max(0, int(np.ceil(right * columns)))),
    )


def _inside(box: Box, frame: Box) -> Box:
    """A box of the face camera's picture as one of the thermal picture."""
    left, top, width, height = frame[0], frame[1], frame[2] - frame[0], frame[3] - frame[1]
    return (left + box[0] * width, top + box[1] * height, left + box[2] * width, top + box[3] * height)


def _widened(box: Box, margin: float) -> Box:
    across, down = margin * (box[2] - box[0]), margin * (box[3] - box[1])
    return (box[0] - across, box[1] - down, box[2] + across, box[3] + down)
