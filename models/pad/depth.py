"""Depth and infrared cameras, where a lane has them: whether there is a relief, and whether the face shines back infrared as skin does."""

import numpy as np
from numpy.typing import NDArray

from models.face.detect import Face

_LEAST_POINTS = 200
_ELLIPSE = 0.9
_NOSE_RADIUS_EYES = 0.42


def relief_mm(depth_m: NDArray[np.float32], face: Face) -> float | None:
    """How far the nose stands out of what surrounds it, in millimetres; None where too little of the face was measured.

    ``depth_m``: float32 (height, width), metres from the camera, 0 or NaN where nothing was measured, registered to the picture in which
    ``face`` was found. A quadratic surface is laid through the face without its nose, so a bent sheet has no relief either: what counts
    is how much nearer the nose is than that surface. Adults' noses stand out by some 15 to 25 mm.
    """
    x, y, width, height = (float(value) for value in face.box_px)
    rows, columns = np.mgrid[: depth_m.shape[0], : depth_m.shape[1]]
    u = (columns - x - width / 2) / max(width / 2, 1.0)
    v = (rows - y - height / 2) / max(height / 2, 1.0)
    nose = face.landmarks_px[2].astype(np.float64)
    from_nose = np.hypot(columns - nose[0], rows - nose[1]) / max(face.inter_eye_px, 1.0)
    is_measured = np.isfinite(depth_m) & (depth_m > 0)
    around = is_measured & (u**2 + v**2 < _ELLIPSE**2) & (from_nose > _NOSE_RADIUS_EYES)
    tip = is_measured & (from_nose < 0.12)
    if around.sum() < _LEAST_POINTS or tip.sum() < 5:
        return None
    terms = np.stack([np.ones_like(u), u, v, u * u, u * v, v * v], axis=-1)
    solution = _robust_fit(terms[around], depth_m[around].astype(np.float64))
    expected = terms[tip] @ solution
    return float(np.median(expected - depth_m[tip])) * 1000


def _robust_fit(terms: NDArray[np.float64], depth: NDArray[np.float64]) -> NDArray[np.float64]:
    """Least squares, once more without the tenth that fits worst (hair, the background at the edge)."""
    solution, *_ = np.linalg.lstsq(terms, depth, rcond=None)
    left = np.abs(terms @ solution - depth)
    kept = left <= np.quantile(left, 0.9)
    solution, *_ = np.linalg.lstsq(terms[kept], depth[kept], rcond=None)
    return np.asarray(solution)


class DepthSignal:
    """``score``: the median relief in millimetres, some -5 .. 30; None before the second measurement.

    Sees: anything flat or bent like a sheet. Does not see: a mask that has a nose.
    """

    name = "depth"

    def __init__(self) -> None:
        self._values: list[float] = []

    @property
    def score(self) -> float | None:
        return float(np.median(self._values)) if len(self._values) >= 2 else None

    def measure(self, depth_m: NDArray[np.float32], face: Face) -> None:
        """Take a depth picture, as :func:`relief_mm`."""
        value = relief_mm(depth_m, face)
        if value is not None:
            self._values = [*self._values[-15:], value]

    def reset(self) -> None:
        self._values.clear()


class InfraredSignal:
    """``score``: mean brightness of the face in near infrared by that of its surroundings' brighter half, 0 .. some 4.

    For a picture taken with the lane's own infrared lamp. Sees: a screen, which gives off no infrared and is a dark rectangle in it. Does
    not see: a print, whose paper and toner may shine back either way.
    """

    name = "infrared"

    def __init__(self) -> None:
        self._values: list[float] = []

    @property
    def score(self) -> float | None:
        return float(np.median(self._values)) if len(self._values) >= 2 else None

    def measure(self, infrared: NDArray[np.uint8], face: Face) -> None:
        """Take an infrared picture, uint8 (height, width), registered to the one in which ``face`` was found."""
        x, y, width, height = (float(value) for value in face.box_px)
        rows, columns = infrared.shape
        top, bottom = max(0, round(y + 0.2 * height)), min(rows, round(y + 0.8 * height))
        left, right = max(0, round(x + 0.2 * width)), min(columns, round(x + 0.8 * width))
        skin = infrared[top:bottom, left:right]
        is_outside = np.ones(infrared.shape, np.bool_)
        is_outside[max(0, round(y)) : round(y + height), max(0, round(x)) : round(x + width)] = False
        outside = infrared[is_outside]
        if skin.size < _LEAST_POINTS or outside.size < _LEAST_POINTS:
            return
        bright = outside[outside >= np.median(outside)]
        self._values = [*self._values[-15:], float(skin.mean()) / max(1.0, float(bright.mean()))]

    def reset(self) -> None:
        self._values.clear()
