"""What can be wrong with a camera, as twins play it: named, seeded, the same behind every wire."""

from __future__ import annotations

import random
from enum import StrEnum

import cv2
import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.uint8]
_DARK_LEVEL = 6


class CameraFault(StrEnum):
    """Each lasts until `heal`."""

    SILENT = "silent"
    """Stays connected and sends nothing more."""
    LATE = "late"
    """Each picture comes so many milliseconds after its moment (150)."""
    FROZEN = "frozen"
    """Repeats the last picture exactly."""
    GARBLE = "garble"
    """Of each picture only a part comes, or bytes of it are wrong: this share of the pictures (1.0)."""
    DARK = "dark"
    """A hand, a cap or a dead lamp: only the sensor's own noise."""
    UNPLUG = "unplug"
    """Gone from the bus or the network."""


_DEFAULTS = {CameraFault.LATE: 150.0, CameraFault.GARBLE: 1.0}


class CameraFaults:
    """The faults of one camera. Set from a test's thread, read by a server's; each access is one assignment."""

    def __init__(self, *, seed: int = 1) -> None:
        self._rng = random.Random(seed)
        self._values: dict[CameraFault, float] = {}
        self._kept: bytes | None = None

    def inject(self, fault: CameraFault, value: float | None = None) -> None:
        self._values[fault] = _DEFAULTS.get(fault, 1.0) if value is None else value

    def heal(self, fault: CameraFault | None = None) -> None:
        """End one fault, or all."""
        for each in [fault] if fault is not None else list(self._values):
            self._values.pop(each, None)

    def has(self, fault: CameraFault) -> bool:
        return fault in self._values

    @property
    def late_s(self) -> float:
        return self._values.get(CameraFault.LATE, 0.0) / 1000

    @property
    def gives_nothing(self) -> bool:
        return self.has(CameraFault.SILENT) or self.has(CameraFault.UNPLUG)

    def spoil(self, jpeg: bytes) -> bytes:
        """What the camera makes of the picture of this moment."""
        if self.has(CameraFault.FROZEN):
            self._kept = jpeg if self._kept is None else self._kept
            return self._kept
        self._kept = None
        if self.has(CameraFault.DARK):
            return self._dark(jpeg)
        if self._rng.random() < self._values.get(CameraFault.GARBLE, 0.0):
            return self._garbled(jpeg)
        return jpeg

    def spoil_image(self, image: Image) -> Image | None:
        """The same for a camera whose pictures are decoded by its driver; None for one that could not be decoded."""
        if self._rng.random() < self._values.get(CameraFault.GARBLE, 0.0):
            return None
        if self.has(CameraFault.FROZEN):
            self._kept = image.tobytes() if self._kept is None else self._kept
            return np.frombuffer(self._kept, np.uint8).reshape(image.shape).copy()
        self._kept = None
        return self._noise(image.shape) if self.has(CameraFault.DARK) else image

    def _noise(self, shape: tuple[int, ...]) -> Image:
        return np.random.default_rng(self._rng.getrandbits(32)).integers(0, _DARK_LEVEL, shape, dtype=np.uint8)

    def _dark(self, jpeg: bytes) -> bytes:
        image = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)
        if image is None:
            return jpeg
        return bytes(cv2.imencode(".jpg", self._noise(image.shape))[1].tobytes())

    def _garbled(self, jpeg: bytes) -> bytes:
        """Half a frame whose head is broken: a decoder that forgives a missing end must find no picture in it."""
        cut = bytearray(jpeg[: len(jpeg) // 2])
        for _ in range(len(cut) // 8):
            cut[self._rng.randrange(2, len(cut))] = self._rng.randrange(256)
        # Without tables there is nothing to decode by, whatever the bytes above left standing.
        return bytes(cut).replace(b"\xff\xc0", b"\xff\xfe").replace(b"\xff\xdb", b"\xff\xfe")
