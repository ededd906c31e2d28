"""Whether what a camera sends is a view of the present: a frozen picture and a covered lens are faults of the device, not an empty lane.

A sensor's noise makes every picture differ from the one before, so that pictures without any difference for seconds are one picture,
repeated by the camera, its encoder or something between. A lens that is covered, or a hall without light, shows next to nothing: the
brightest of what it shows is dark. Neither says what is wrong with the traveller.
"""

from __future__ import annotations

from zlib import crc32

import cv2
import numpy as np

from drivers.camera.interface import Image
from drivers.camera.limits import HealthLimits

LOOK_NS = 250_000_000
"""So often an encoded picture is decoded, small, for its light."""
_SMALL_STEP = 8


class PictureWatch:
    """Follows one camera's pictures. Used by its reader's thread; the limits may be None throughout, then nothing is computed."""

    def __init__(self, limits: HealthLimits) -> None:
        self._limits = limits
        self._mark: int | None = None
        self._same_since_ns = 0
        self._dark_since_ns: int | None = None
        self._looked_ns: int | None = None
        self.is_frozen = False
        self.bright_level: float | None = None
        """99th percentile of the grey levels when it was last looked at; None before, or without that check."""

    def feed(self, picture: Image | bytes, now_ns: int) -> str | None:
        """Take the next picture, decoded or as JPEG; return what is wrong with the view, None while nothing is."""
        dark = self._follow_light(picture, now_ns)
        frozen = self._follow_change(picture, now_ns)
        # A black picture may repeat exactly: that it is black is the nearer cause.
        return dark or frozen

    def _follow_change(self, picture: Image | bytes, now_ns: int) -> str | None:
        if self._limits.frozen_after_ms is None:
            return None
        mark = crc32(picture if isinstance(picture, bytes) else picture[::2, ::_SMALL_STEP].tobytes())
        if mark != self._mark:
            self._mark, self._same_since_ns, self.is_frozen = mark, now_ns, False
        same_ms = (now_ns - self._same_since_ns) / 1e6
        self.is_frozen = same_ms >= self._limits.frozen_after_ms
        return f"the picture is frozen: the same for {same_ms / 1000:.1f} s" if self.is_frozen else None

    def _follow_light(self, picture: Image | bytes, now_ns: int) -> str | None:
        if self._limits.dark_after_ms is None:
            return None
        if self._looked_ns is None or now_ns - self._looked_ns >= LOOK_NS:
            self._looked_ns = now_ns
            level = bright_level(picture)
            if level is not None:
                self.bright_level = level
                is_dark = level < self._limits.dark_level
                self._dark_since_ns = (self._dark_since_ns or now_ns) if is_dark else None
        if self._dark_since_ns is None or (now_ns - self._dark_since_ns) / 1e6 < self._limits.dark_after_ms:
            return None
        return f"the lens is covered or there is no light: nothing brighter than {self.bright_level:.0f} of 255"


def bright_level(picture: Image | bytes) -> float | None:
    """The 99th percentile of the grey levels, 0..255, of a picture or JPEG; None for what cannot be decoded."""
    if isinstance(picture, bytes):
        # An eighth of the size comes out of the JPEG's own transform, for a fraction of the time.
        small = cv2.imdecode(np.frombuffer(picture, np.uint8), cv2.IMREAD_REDUCED_GRAYSCALE_8)
        return None if small is None else float(np.percentile(small, 99))
    small = np.ascontiguousarray(picture[::_SMALL_STEP, ::_SMALL_STEP])
    return float(np.percentile(cv2.cvtColor(small, cv2.COLOR_BGR2GRAY), 99))
