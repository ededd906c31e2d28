"""One picture, looked at as well as it can be: landmarks found several times and averaged, and the mirror image embedded too.

A detector's landmarks scatter by some 4 % of the distance between the eyes, and the embedder feels it. Four more looks at the same
face, at two sizes and mirrored, each turned upright, are laid side by side on one canvas, so that the detector runs once more. What each
step gains is in docs/models.md. For a reference, which is made once, or where there is one picture only; over a
walk-up the frames average such errors by themselves.
"""

from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from models.face.detect import Face, FaceDetector, Image
from models.face.embed import FaceEmbedder

Matrix = NDArray[np.float64]

_SIDE_PX = 128
_COLUMNS = 2
_MIRRORED_ORDER = [1, 0, 2, 4, 3]
_MIN_SCORE = 0.5
_FARTHEST_RATIO = 0.3
"""Landmarks farther from where they were expected, by the distance of the eyes, are another face's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Look:
    """``eyes_px``: the distance of the eyes on the canvas."""

    eyes_px: float
    is_mirrored: bool


_LOOKS = (
    _Look(eyes_px=27, is_mirrored=False),
    _Look(eyes_px=34, is_mirrored=True),
    _Look(eyes_px=27, is_mirrored=True),
    _Look(eyes_px=34, is_mirrored=False),
)


class CarefulEmbedder:
    """Templates of single pictures. Shares its models with the detector and the embedder it is given."""

    def __init__(self, detector: FaceDetector, embedder: FaceEmbedder) -> None:
        # A face that was found already may be less sure of itself at another size.
        self._detector = FaceDetector(detector.session, min_score=_MIN_SCORE)
        self._embedder = embedder

    def embed(self, image_bgr: Image, face: Face) -> NDArray[np.float32]:
        """Return the template of ``face`` in a uint8 (height, width, 3) BGR picture: float32 (128,), length 1."""
        return self._embedder.embed_with_mirror(image_bgr, self.refine(image_bgr, face))

    def refine(self, image_bgr: Image, face: Face) -> Face:
        """Return ``face`` with its landmarks averaged over more looks; as it was if none of them finds it."""
        landmarks = face.landmarks_px.astype(np.float64)
        canvas = np.zeros((_SIDE_PX * (len(_LOOKS) // _COLUMNS), _SIDE_PX * _COLUMNS, 3), np.uint8)
        matrices = [_matrix(landmarks, look, _corner(i)) for i, look in enumerate(_LOOKS)]
        for i, matrix in enumerate(matrices):
            x, y = _corner(i)
            local = matrix - np.array([[0, 0, x], [0, 0, y]])
            canvas[y : y + _SIDE_PX, x : x + _SIDE_PX] = cv2.warpAffine(image_bgr, local, (_SIDE_PX, _SIDE_PX))
        found = self._detector.detect(canvas)
        seen = [landmarks]
        for look, matrix in zip(_LOOKS, matrices, strict=True):
            expected = landmarks @ matrix[:, :2].T + matrix[:, 2]
            nearest = _nearest(found, expected[_MIRRORED_ORDER] if look.is_mirrored else expected, look.eyes_px)
            if nearest is not None:
                ordered = nearest[_MIRRORED_ORDER] if look.is_mirrored else nearest
                seen.append((ordered - matrix[:, 2]) @ np.linalg.inv(matrix[:, :2]).T)
        return replace(face, landmarks_px=np.mean(seen, axis=0).astype(np.float32))


def _corner(index: int) -> tuple[int, int]:
    """Where a look's tile begins on the canvas: column and row, pixels."""
    return index % _COLUMNS * _SIDE_PX, index // _COLUMNS * _SIDE_PX


def _matrix(landmarks: Matrix, look: _Look, corner: tuple[int, int]) -> Matrix:
    """The float64 (2, 3) map from picture to canvas: upright, at the look's size, in the middle of its tile."""
    across = landmarks[1] - landmarks[0]
    distance = max(float(np.hypot(*across)), 1.0)
    cosine, sine = across / distance
    linear = look.eyes_px / distance * np.array([[cosine, sine], [-sine, cosine]])
    if look.is_mirrored:
        linear = np.array([[-1.0, 0.0], [0.0, 1.0]]) @ linear
    shift = np.array(corner) + _SIDE_PX / 2 - linear @ landmarks.mean(axis=0)
    return np.hstack([linear, shift[:, None]])


def _nearest(found: tuple[Face, ...], expected: Matrix, eyes_px: float) -> Matrix | None:
    """The landmarks of the face that lies where one is expected; None if there is none."""
    candidates = [face.landmarks_px.astype(np.float64) for face in found]
    distances = [float(np.linalg.norm(points - expected, axis=1).mean()) for points in candidates]
    if not distances or min(distances) > _FARTHEST_RATIO * eyes_px:
        return None
    return candidates[int(np.argmin(distances))]
