"""Points followed on a face and around it, from a reference frame to the present one (pyramidal Lucas-Kanade; Bouguet, 2000).

A reference holds for about a second, or until the face has grown, shrunk or moved away by much; all pictures of that time are cut from
the frame at one place and brought to one size, so that what moves in them moved in the frame. Points are found from the reference
directly, so errors do not add up.
"""

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from models.face.detect import Face
from models.face.embed import similarity_transform

Image = NDArray[np.uint8]
Points = NDArray[np.float32]

EYES_PX = 44.0
"""The distance of the eyes in the cut-out. Faces with less in the frame are not followed: their relief is below what tracking errs by."""
_REACH_EYES = 3.1
"""Half the side of the cut-out, in distances of the eyes."""
_FACE_POINTS, _RING_POINTS = 52, 28
_LONGEST_NS = 1_400_000_000
_LARGEST_GROWTH = 1.35
_FARTHEST_EYES = 0.9
_MIN_EYES_PX = 44.0
_WINDOW = (11, 11)
_LEVELS = 1
_STOP = (cv2.TERM_CRITERIA_EPS | cv2.TERM_CRITERIA_COUNT, 10, 0.02)
_SHRINKS_MUCH = 0.75


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Flow:
    """Where points were in the reference and are now: float32 (n, 2) each, pixels of the cut-out, on the face and in the ring around it.

    ``eyes_px``: distance of the eyes in the reference, ``landmarks`` float64 (5, 2) the face's there; ``reference_ns``: when the
    reference was taken; ``number`` counts references.
    """

    face_from: Points
    face_to: Points
    ring_from: Points
    ring_to: Points
    eyes_px: float
    landmarks: NDArray[np.float64]
    reference_ns: int
    number: int


@dataclass(slots=True, kw_only=True, eq=False)
class _Reference:
    at_ns: int
    number: int
    matrix: NDArray[np.float64]
    landmarks: NDArray[np.float64]
    scale: float
    side_px: int
    eyes_px: float
    middle: NDArray[np.float64]
    cut: Image
    points: Points
    face_count: int


class FlowTracker:
    """Follows the points of one face. Not thread-safe."""

    def __init__(self) -> None:
        self._reference: _Reference | None = None
        self._number = 0

    def reset(self) -> None:
        """Forget the reference."""
        self._reference = None

    def follow(self, grey: Image, face: Face, captured_ns: int) -> Flow | None:
        """The movement since the reference; None if this frame becomes the reference or the face is too small."""
        reference = self._reference
        if reference is None or self._is_spent(reference, face, captured_ns):
            self._reference = self._begin(grey, face, captured_ns)
            return None
        # Lucas-Kanade takes a window to move without turning or growing, and errs by as much as it does: undo both first.
        steady = _seen_from(reference, face)
        cut = _cut(grey, steady, reference.side_px)
        tracked, status, _ = cv2.calcOpticalFlowPyrLK(
            reference.cut,
            cut,
            reference.points,
            reference.points.copy(),
            winSize=_WINDOW,
            maxLevel=_LEVELS,
            criteria=_STOP,
            flags=cv2.OPTFLOW_USE_INITIAL_FLOW,
        )
        found: Points = np.asarray(tracked, np.float32)
        is_seen = np.asarray(status).ravel() == 1
        is_seen &= ((found > 4) & (found < reference.side_px - 4)).all(axis=1)
        if is_seen[: reference.face_count].sum() < _FACE_POINTS // 3:
            self._reference = self._begin(grey, face, captured_ns)
            return None
        found = _moved(found, _after(reference.matrix, np.asarray(cv2.invertAffineTransform(steady), np.float64)))
        on_face = np.arange(len(found)) < reference.face_count
        return Flow(
            face_from=reference.points[is_seen & on_face],
            face_to=found[is_seen & on_face],
            ring_from=reference.points[is_seen & ~on_face],
            ring_to=found[is_seen & ~on_face],
            eyes_px=reference.eyes_px,
            landmarks=reference.landmarks @ reference.matrix[:, :2].T + reference.matrix[:, 2],
            reference_ns=reference.at_ns,
            number=reference.number,
        )

    def _is_spent(self, reference: _Reference, face: Face, captured_ns: int) -> bool:
        growth = face.inter_eye_px * reference.scale / reference.eyes_px
        moved = np.linalg.norm(_middle(face) - reference.middle) * reference.scale / reference.eyes_px
        return (
            captured_ns - reference.at_ns > _LONGEST_NS
            or not 1 / _LARGEST_GROWTH < growth < _LARGEST_GROWTH
            or bool(moved > _FARTHEST_EYES)
        )

    def _begin(self, grey: Image, face: Face, captured_ns: int) -> _Reference | None:
        eyes_px = face.inter_eye_px
        if eyes_px < _MIN_EYES_PX:
            return None
        scale = min(1.0, EYES_PX / eyes_px)
        side_px = round(2 * _REACH_EYES * eyes_px * scale)
        origin = _middle(face) - _REACH_EYES * eyes_px
        matrix = np.array([[scale, 0, -origin[0] * scale], [0, scale, -origin[1] * scale]])
        cut = _cut(grey, matrix, side_px)
        x, y, width, height = ((float(v) - o) * scale for v, o in zip(face.box_px, (*origin, 0.0, 0.0), strict=True))
        on_face, around = np.zeros_like(cut), np.zeros_like(cut)
        middle = (round(x + width / 2), round(y + height / 2))
        cv2.ellipse(on_face, middle, (round(0.46 * width), round(0.47 * height)), 0, 0, 360, 255, -1)
        cv2.rectangle(around, (6, 6), (side_px - 7, side_px - 7), 255, -1)
        cv2.ellipse(around, middle, (round(0.72 * width), round(0.72 * height)), 0, 0, 360, 0, -1)
        strength = cv2.cornerMinEigenVal(cut, 5)
        peaks = strength >= cv2.dilate(strength, np.ones((5, 5), np.uint8))
        face_points = _strongest(strength, peaks & (on_face > 0), _FACE_POINTS)
        if len(face_points) < _FACE_POINTS // 3:
            return None
        points = np.concatenate([face_points, _strongest(strength, peaks & (around > 0), _RING_POINTS)])
        self._number += 1
        return _Reference(
            at_ns=captured_ns,
            number=self._number,
            matrix=matrix,
            landmarks=face.landmarks_px.astype(np.float64),
            scale=scale,
            side_px=side_px,
            eyes_px=eyes_px * scale,
            middle=_middle(face),
            cut=cut,
            points=points,
            face_count=len(face_points),
        )


def similarity_residual(source: Points, target: Points) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Fit turn, size and shift (least squares); return the float64 (2, 3) map and what is left, float64 (n,), in pixels."""
    a = source.astype(np.float64) @ np.array([1, 1j])
    b = target.astype(np.float64) @ np.array([1, 1j])
    centred = a - a.mean()
    factor = np.vdot(centred, b - b.mean()) / max(float(np.vdot(centred, centred).real), 1e-9)
    shift = b.mean() - factor * a.mean()
    matrix = np.array([[factor.real, -factor.imag, shift.real], [factor.imag, factor.real, shift.imag]])
    return matrix, np.abs(factor * a + shift - b)


def _strongest(strength: NDArray[Any], is_candidate: NDArray[np.bool_], count: int) -> Points:
    """The places, x and y, of the ``count`` strongest corners."""
    rows, columns = np.nonzero(is_candidate & (strength > 0))
    order = np.argsort(-strength[rows, columns])[:count]
    return np.stack([columns[order], rows[order]], axis=1).astype(np.float32)


def _seen_from(reference: _Reference, face: Face) -> NDArray[np.float64]:
    """The map from the frame to a cut-out in which the face lies as it does in the reference, by its landmarks."""
    now_to_then = similarity_transform(face.landmarks_px.astype(np.float64), reference.landmarks)
    return _after(reference.matrix, now_to_then)


def _after(second: NDArray[np.float64], first: NDArray[np.float64]) -> NDArray[np.float64]:
    """The affine map that does ``first`` and then ``second``; all float64 (2, 3)."""
    return np.hstack([second[:, :2] @ first[:, :2], (second[:, :2] @ first[:, 2] + second[:, 2])[:, None]])


def _moved(points: Points, matrix: NDArray[np.float64]) -> Points:
    return np.asarray(points @ matrix[:, :2].T + matrix[:, 2], np.float32)


def _cut(grey: Image, matrix: NDArray[np.float64], side_px: int) -> Image:
    if abs(matrix[0, 0]) + abs(matrix[0, 1]) < _SHRINKS_MUCH:
        # Warping does not average by itself. Half a frame's pixel lies half a pixel off its own middle.
        grey = cv2.resize(grey, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA).astype(np.uint8, copy=False)
        matrix = _after(matrix, np.array([[2.0, 0, 0.5], [0, 2.0, 0.5]]))
    cut = cv2.warpAffine(grey, matrix, (side_px, side_px), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return cut.astype(np.uint8, copy=False)


def _middle(face: Face) -> NDArray[np.float64]:
    return np.asarray(face.landmarks_px.astype(np.float64).mean(axis=0))
