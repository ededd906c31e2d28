"""The edge of a sheet or a screen: long straight lines on several sides of the face, which keep their distance from it as it moves."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from models.pad.frame import PadFrame

_EYES_PX = 20.0
_REACH_EYES = 4.6
_EVERY_NS = 180_000_000
_LEAST_LOOKS = 3
_SLANT_RATIO = 0.36
_LEAST_LENGTH_EYES = 2.2
_LEAST_UPRIGHT_EYES = 3.2
"""Hair is straight for as long as a face is high, and follows it."""
_LEAST_MOVE_EYES = 0.25
_SAME_PLACE_EYES = 0.30
_NEAREST_EYES, _FARTHEST_EYES = 1.25, 4.4
_SIDES = 4


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Look:
    """Distances (eyes) of the lines found on each side (left, right, above, below), and where the face was (frame pixels)."""

    lines: tuple[NDArray[np.float64], ...]
    middle_px: NDArray[np.float64]
    eyes_px: float


class BorderSignal:
    """``score``: minus the number of sides, 0 .. -4, on which a line follows the face (median over looks).

    Sees: the edge of paper, a bezel. Does not see: a medium larger than the camera's view, or cut out. A doorframe behind stays where it
    is when the head moves, so it counts only while nobody moves, and then nothing counts.
    """

    name = "border"

    def __init__(self) -> None:
        self._looks: list[_Look] = []
        self._counts: list[int] = []
        self._last_ns: int | None = None

    @property
    def score(self) -> float | None:
        if len(self._counts) < _LEAST_LOOKS:
            return None
        return -float(np.median(self._counts))

    def feed(self, frame: PadFrame) -> None:
        if self._last_ns is not None and frame.captured_ns - self._last_ns < _EVERY_NS:
            return
        self._last_ns = frame.captured_ns
        look = _look(frame)
        if look is None:
            return
        before = next((other for other in reversed(self._looks) if _has_moved(other, look)), None)
        if before is not None:
            self._counts.append(_following(before, look))
        self._looks = [*self._looks[-12:], look]

    def reset(self) -> None:
        self._looks.clear()
        self._counts.clear()
        self._last_ns = None


def _look(frame: PadFrame) -> _Look | None:
    landmarks = frame.face.landmarks_px.astype(np.float64)
    eyes_px = frame.face.inter_eye_px
    if eyes_px < _EYES_PX:
        return None
    middle = landmarks.mean(axis=0)
    across = landmarks[1] - landmarks[0]
    cosine, sine = across / max(float(np.hypot(*across)), 1e-6)
    scale = _EYES_PX / eyes_px
    side_px = round(2 * _REACH_EYES * _EYES_PX)
    linear = scale * np.array([[cosine, sine], [-sine, cosine]])
    matrix = np.hstack([linear, (np.array([side_px / 2, side_px / 2]) - linear @ middle)[:, None]])
    cut = cv2.warpAffine(_reduced(frame.grey, scale), _for_reduced(matrix, scale), (side_px, side_px), borderValue=127)
    segments = cv2.HoughLinesP(
        cv2.Canny(cv2.GaussianBlur(cut, (3, 3), 0), 40, 110),
        1,
        np.pi / 90,
        threshold=22,
        minLineLength=_LEAST_LENGTH_EYES * _EYES_PX,
        maxLineGap=5,
    )
    found = np.zeros((0, 4)) if segments is None else np.asarray(segments, np.float64).reshape(-1, 4)
    edges = _frame_edges(matrix, frame.grey.shape)
    return _Look(lines=_by_side(found, side_px, edges), middle_px=middle, eyes_px=eyes_px)


def _reduced(grey: NDArray[np.uint8], scale: float) -> NDArray[np.uint8]:
    if scale > 0.6:
        return grey
    return cv2.resize(grey, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA).astype(np.uint8, copy=False)


def _for_reduced(matrix: NDArray[np.float64], scale: float) -> NDArray[np.float64]:
    if scale > 0.6:
        return matrix
    return np.hstack([2 * matrix[:, :2], (matrix[:, 2] + 0.5 * matrix[:, :2].sum(axis=1))[:, None]])


def _frame_edges(matrix: NDArray[np.float64], shape: tuple[int, ...]) -> NDArray[np.float64]:
    """Where the frame itself ends in the cut-out: left, right, top, bottom (of an upright face)."""
    height, width = shape
    corners = np.array([[0, 0], [width, height]]) @ matrix[:, :2].T + matrix[:, 2]
    return np.array([corners[0, 0], corners[1, 0], corners[0, 1], corners[1, 1]])


def _by_side(
    segments: NDArray[np.float64], side_px: int, edges: NDArray[np.float64]
) -> tuple[NDArray[np.float64], ...]:
    """Distances in eyes of lines that run past the face on each side of it."""
    half = side_px / 2
    x1, y1, x2, y2 = (segments - half).T / _EYES_PX
    is_upright = np.abs(x2 - x1) < _SLANT_RATIO * np.abs(y2 - y1)
    is_upright &= np.abs(y2 - y1) > _LEAST_UPRIGHT_EYES
    is_level = np.abs(y2 - y1) < _SLANT_RATIO * np.abs(x2 - x1)
    passes_y = (np.minimum(y1, y2) < 1.2) & (np.maximum(y1, y2) > -1.2)
    passes_x = (np.minimum(x1, x2) < 1.0) & (np.maximum(x1, x2) > -1.0)
    at_x, at_y = (x1 + x2) / 2, (y1 + y2) / 2
    left, right, top, bottom = (edges - half) / _EYES_PX
    in_view_x = (at_x > left + 0.2) & (at_x < right - 0.2)
    in_view_y = (at_y > top + 0.2) & (at_y < bottom - 0.2)

    def within(distances: NDArray[np.float64], nearest: float) -> NDArray[np.bool_]:
        return np.asarray((distances > nearest) & (distances < _FARTHEST_EYES))

    upright, level = is_upright & passes_y & in_view_x, is_level & passes_x & in_view_y
    return (
        -at_x[upright & within(-at_x, _NEAREST_EYES)],
        at_x[upright & within(at_x, _NEAREST_EYES)],
        -at_y[level & within(-at_y, 1.6)],
        at_y[level & within(at_y, 1.9)],
    )


def _has_moved(before: _Look, now: _Look) -> bool:
    """Whether things that stay where they are would by now be seen at other distances from the face."""
    moved = float(np.abs(now.middle_px - before.middle_px).max()) / now.eyes_px
    grown = abs(now.eyes_px / before.eyes_px - 1) * _NEAREST_EYES * 2
    return max(moved, grown) > _LEAST_MOVE_EYES + _SAME_PLACE_EYES / 2


def _following(before: _Look, now: _Look) -> int:
    """On how many sides a line is as far from the face as one was before."""
    return sum(
        bool(a.size and b.size and np.abs(a[:, None] - b[None, :]).min() < _SAME_PLACE_EYES / 2)
        for a, b in zip(before.lines, now.lines, strict=True)
    )
