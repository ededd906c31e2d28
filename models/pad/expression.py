"""Lids that close and open again, lips that part: what a face does and a still picture does not."""

from itertools import pairwise
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from models.face.detect import Face
from models.face.mesh import INNER_LIPS, OUTER_LIPS, Mesh
from models.pad.frame import Image, PadFrame

_BRIEF_NS = 450_000_000
_KEPT_NS = 4_000_000_000
_LONG_ENOUGH_NS = 6_000_000_000
_TOLD_RATIO = 0.30
_SURE = 0.5
_MOUTH_WEIGHT = 1.5


class MeshFinder(Protocol):
    """What finds the points of a face: :class:`models.face.mesh.FaceMesh`."""

    def look(self, picture_bgr: Image, face: Face) -> Mesh: ...


class EyeFinder(Protocol):
    """What says how far the lids are apart: :class:`models.face.eyes.EyeMesh` (the face mesh draws open eyes into closed ones)."""

    def openness(self, picture_bgr: Image, mesh: Mesh) -> tuple[float, float]: ...


class ExpressionSignal:
    """``score``: 0 .. 1, the deepest brief closing of both eyes by their opening just before and just after, or the lips' likewise.

    None until something moved or six seconds have passed in vain. Sees: a still picture, once it has been looked at for long. Does not
    see: a film, a mask with holes for the eyes.
    """

    name = "expression"

    def __init__(self, mesh: MeshFinder, eyes: EyeFinder) -> None:
        self._mesh = mesh
        self._eyes = eyes
        self._seen: list[tuple[int, float, float]] = []
        self._first_ns: int | None = None
        self._deepest = 0.0

    @property
    def score(self) -> float | None:
        if self._deepest >= _TOLD_RATIO:
            return self._deepest
        if self._first_ns is None or self._seen[-1][0] - self._first_ns < _LONG_ENOUGH_NS:
            return None
        return self._deepest

    def feed(self, frame: PadFrame) -> None:
        mesh = self._mesh.look(frame.image_bgr, frame.face)
        if mesh.confidence < _SURE:
            return
        now_ns = frame.captured_ns
        self._first_ns = now_ns if self._first_ns is None else self._first_ns
        # The wider one: both close in a blink, and a shadow or a strand of hair hides one.
        eyes = max(self._eyes.openness(frame.image_bgr, mesh))
        kept = [item for item in self._seen if now_ns - item[0] <= _KEPT_NS]
        self._seen = [*kept, (now_ns, eyes, mouth_ratio(mesh.points_px))]
        self._deepest = max(self._deepest, self._dip())

    def reset(self) -> None:
        self._seen.clear()
        self._first_ns = None
        self._deepest = 0.0

    def _dip(self) -> float:
        """The deepest dip of the eyes, or rise of the lips, that lately began and ended."""
        times = np.array([item[0] for item in self._seen])
        eyes = np.array([item[1] for item in self._seen])
        lips = np.array([item[2] for item in self._seen])
        deepest = 0.0
        for i in range(max(1, len(times) - 12), len(times) - 1):
            before = (times < times[i]) & (times >= times[i] - _BRIEF_NS)
            after = (times > times[i]) & (times <= times[i] + _BRIEF_NS)
            if before.any() and after.any():
                level = min(eyes[before].max(), eyes[after].max())
                closed = 1 - eyes[i] / max(level, 1e-6)
                parted = lips[i] - max(lips[before].min(), lips[after].min())
                deepest = max(deepest, closed, _MOUTH_WEIGHT * parted)
        return float(np.clip(deepest, 0, 1))


def mouth_ratio(points_px: NDArray[np.float32]) -> float:
    """The area between the lips by the mouth's width squared."""
    inner = points_px[list(INNER_LIPS)].astype(np.float64)
    area = abs(sum(a[0] * b[1] - b[0] * a[1] for a, b in pairwise([*inner, inner[0]]))) / 2
    corners = points_px[[OUTER_LIPS[0], OUTER_LIPS[10]]]
    return float(area) / max(float(np.linalg.norm(corners[0] - corners[1])) ** 2, 1e-6)
