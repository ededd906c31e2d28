"""What printing and showing leave in a single picture: regular patterns, lost detail, a narrowed range of colours.

These look at one frame at a time and take the median over all of them. They see the medium, the camera and the light together, so no
threshold of theirs carries to another camera (``docs/decisions/0011-presentation-attacks.md`` has the figures): weak evidence, switched
off unless calibrated on the site's own camera.
"""

from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from models.pad.frame import PadFrame, luma_patch

_SIDE_PX = 128
_LOW, _HIGH = 0.14, 0.47
_RINGS = 16
_MOST_FRAMES = 30


class _Median:
    """The median of the last :data:`_MOST_FRAMES` values; None before the first."""

    def __init__(self) -> None:
        self._values: list[float] = []

    def add(self, value: float) -> None:
        self._values = [*self._values[1 - _MOST_FRAMES :], value]

    @property
    def value(self) -> float | None:
        return float(np.median(self._values)) if self._values else None

    def clear(self) -> None:
        self._values.clear()


class MoireSignal:
    """``score``: minus the height of the sharpest peak in the spectrum of the face over its surroundings there, in deviations: -40 .. 0.

    Needs 128 pixels of face. Sees: a screen's grid beating with the camera's, coarse halftone. Does not see: a print or a screen that
    is finer than the camera resolves, which at arm's length most are.
    """

    name = "moire"

    def __init__(self) -> None:
        self._median = _Median()

    @property
    def score(self) -> float | None:
        return self._median.value

    def feed(self, frame: PadFrame) -> None:
        patch = luma_patch(frame, (_SIDE_PX / 2, _SIDE_PX / 2))
        if patch.shape != (_SIDE_PX, _SIDE_PX) or frame.face.box_px[2] < 0.8 * _SIDE_PX:
            return
        window, rings, members = _spectral_grid()
        values = patch.astype(np.float32)
        spectrum = np.log(np.abs(np.fft.rfft2((values - values.mean()) * window))[members] + 1.0)
        # Each ring against itself: a face's own spectrum falls with the frequency, and depends little on the direction.
        count = np.bincount(rings, minlength=_RINGS)
        mean = np.bincount(rings, spectrum, _RINGS) / count
        spread = np.sqrt(np.bincount(rings, (spectrum - mean[rings]) ** 2, _RINGS) / count)
        self._median.add(-float(((spectrum - mean[rings]) / np.maximum(spread[rings], 0.05)).max()))

    def reset(self) -> None:
        self._median.clear()


class DetailSignal:
    """``score``: log of fine detail's energy by coarse detail's on the face brought to 128 pixels: about -6 (soft) .. 0.

    Sees: a print, which loses fine detail, from a camera that resolves it. Does not see much else; focus and compression move it as far.
    """

    name = "detail"

    def __init__(self) -> None:
        self._median = _Median()

    @property
    def score(self) -> float | None:
        return self._median.value

    def feed(self, frame: PadFrame) -> None:
        _, _, width, height = (float(value) for value in frame.face.box_px)
        patch = luma_patch(frame, (0.42 * width, 0.42 * height))
        if min(patch.shape) < 48:
            return
        values = cv2.resize(patch, (_SIDE_PX, _SIDE_PX), interpolation=cv2.INTER_AREA).astype(np.float32)
        fine = cv2.GaussianBlur(values, (0, 0), 1.0)
        middle = cv2.GaussianBlur(fine, (0, 0), 2.0)
        coarse = cv2.GaussianBlur(middle, (0, 0), 4.0)
        top, bottom = float(np.var(values - fine)), float(np.var(middle - coarse))
        self._median.add(float(np.log((top + 1e-3) / (bottom + 1e-3))))

    def reset(self) -> None:
        self._median.clear()


class ColourSignal:
    """``score``: how much the skin's chroma varies over the face (mean deviation of Cb and Cr, grey levels): 0 .. some 30.

    Sees: prints and screens that narrow or tint colours. Lamps and skins move it too; a grey picture gives no evidence.
    """

    name = "colour"

    def __init__(self) -> None:
        self._median = _Median()

    @property
    def score(self) -> float | None:
        return self._median.value

    def feed(self, frame: PadFrame) -> None:
        x, y, width, height = (float(value) for value in frame.face.box_px)
        rows, columns = frame.grey.shape
        left, right = max(0, round(x + 0.12 * width)), min(columns, round(x + 0.88 * width))
        top, bottom = max(0, round(y + 0.12 * height)), min(rows, round(y + 0.88 * height))
        if right - left < 24 or bottom - top < 24:
            return
        small = cv2.resize(frame.image_bgr[top:bottom, left:right], (32, 32), interpolation=cv2.INTER_AREA)
        chroma = cv2.cvtColor(small, cv2.COLOR_BGR2YCrCb)[:, :, 1:].astype(np.float32)
        if float(np.abs(chroma - 128).mean()) < 0.5:
            return
        self._median.add(float(chroma.std(axis=(0, 1)).mean()))

    def reset(self) -> None:
        self._median.clear()


@lru_cache(maxsize=1)
def _spectral_grid() -> tuple[NDArray[np.float32], NDArray[np.intp], NDArray[np.bool_]]:
    """Hann window, the ring of each spectral place that counts, and which places count (cycles a pixel between the limits)."""
    hann = np.hanning(_SIDE_PX).astype(np.float32)
    fy, fx = np.fft.fftfreq(_SIDE_PX)[:, None], np.fft.rfftfreq(_SIDE_PX)[None, :]
    radius = np.hypot(fx, fy)
    # JPEG's 8x8 blocks and a picture's upright edges both lie on the axes.
    members = (radius > _LOW) & (radius < _HIGH) & (np.abs(fx) > 0.02) & (np.abs(fy) > 0.02)
    rings = ((radius[members] - _LOW) / (_HIGH - _LOW) * _RINGS).astype(np.intp).clip(0, _RINGS - 1)
    return np.outer(hann, hann), rings, members
