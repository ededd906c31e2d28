"""Scans as pictures for the evidence store: one to look at, and the energies as they were measured.

``xray`` is 8 bit for a screen: the machine's own colours if it gave some, else grey, or for two energies the usual colours of inspection
(orange light elements, green between, blue heavy). ``xray_high`` and ``xray_low`` are PNG of the full depth. Of a CT volume two projections
are kept; the volume itself stays with the machine.
"""

import hashlib
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from drivers.xray.interface import Raster, XrayImage, XrayView

PNG = "image/png"
LIGHT_RATIO, HEAVY_RATIO = 1.5, 2.0
"""Attenuation of the low by that of the high energy: below, light elements (orange); above, heavy ones (blue). Machines differ."""
_MIN_ATTENUATION = 0.02
"""Less than that of the high energy is background: its ratio is noise."""
_ORANGE_H, _GREEN_H, _BLUE_H = 15, 60, 110
"""OpenCV hues, 0 to 179."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ScanPicture:
    """One picture of a scan, named by the sha256 of its bytes."""

    kind: str
    sha256: str
    data: bytes
    media_type: str = PNG

    def to_json(self) -> dict[str, str]:
        return {"kind": self.kind, "sha256": self.sha256, "media_type": self.media_type}


def pictures_of(image: XrayImage) -> tuple[ScanPicture, ...]:
    """All pictures of a scan, those to look at first."""
    shown: list[ScanPicture] = []
    measured: list[ScanPicture] = []
    for view in image.views:
        for high, low in _planes(view):
            shown.append(_picture("xray", display(high, low, view.colour_bgr, bits=view.bits)))
            measured.append(_picture("xray_high", high))
            if low is not None:
                measured.append(_picture("xray_low", low))
    return tuple({picture.sha256: picture for picture in (*shown, *measured)}.values())


def display(high: Raster, low: Raster | None, colour_bgr: NDArray[np.uint8] | None, *, bits: int) -> NDArray[np.uint8]:
    """uint8 (height, width) or (height, width, 3) BGR of a view of ``bits`` bits."""
    if colour_bgr is not None:
        return colour_bgr
    top = float(2**bits - 1)
    grey: NDArray[np.uint8] = np.clip(high.astype(np.float32) / top * 255.0, 0.0, 255.0).astype(np.uint8)
    if low is None:
        return grey
    return _coloured(grey, ratio_of(high, low, top=top))


def ratio_of(high: Raster, low: Raster, *, top: float) -> NDArray[np.float32]:
    """Attenuation of the low energy by that of the high one; NaN where hardly anything was absorbed."""
    at_high = -np.log(np.clip(high.astype(np.float32), 1.0, top) / top)
    at_low = -np.log(np.clip(low.astype(np.float32), 1.0, top) / top)
    is_something = at_high > _MIN_ATTENUATION
    ratio: NDArray[np.float32] = np.where(is_something, at_low / np.where(is_something, at_high, 1.0), np.nan)
    return ratio


def _coloured(grey: NDArray[np.uint8], ratio: NDArray[np.float32]) -> NDArray[np.uint8]:
    hue = np.full(grey.shape, _GREEN_H, dtype=np.uint8)
    hue[ratio < LIGHT_RATIO] = _ORANGE_H
    hue[ratio > HEAVY_RATIO] = _BLUE_H
    # The whiter the paler, so that the background stays white and steel dark blue.
    saturation = np.where(np.isnan(ratio), 0, np.minimum(255, (255 - grey.astype(np.int32)) * 2)).astype(np.uint8)
    value = np.maximum(grey, 40)
    return np.asarray(cv2.cvtColor(np.dstack((hue, saturation, value)), cv2.COLOR_HSV2BGR), dtype=np.uint8)


def _planes(view: XrayView) -> list[tuple[Raster, Raster | None]]:
    """The view itself, or a volume as seen along two axes: what absorbs most along each ray."""
    if not view.is_volume:
        return [(view.high, view.low)]
    return [(view.high.min(axis=axis), None if view.low is None else view.low.min(axis=axis)) for axis in (0, 1)]


_QUICK = (
    cv2.IMWRITE_PNG_FILTER,
    cv2.IMWRITE_PNG_FILTER_UP,
    cv2.IMWRITE_PNG_STRATEGY,
    cv2.IMWRITE_PNG_STRATEGY_HUFFMAN_ONLY,
)
"""Samples of a detector are noise in their lower bits, so repetitions are not sought: as small, and written in a third of the time."""


def _picture(kind: str, raster: Raster) -> ScanPicture:
    how = (cv2.IMWRITE_PNG_COMPRESSION, 3) if kind == "xray" else _QUICK
    is_encoded, data = cv2.imencode(".png", raster, how)
    if not is_encoded:
        raise ValueError(f"a raster of shape {raster.shape} and type {raster.dtype} cannot be encoded")
    content = data.tobytes()
    return ScanPicture(kind=kind, sha256=hashlib.sha256(content).hexdigest(), data=content)
