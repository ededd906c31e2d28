"""Find faces: YuNet (Wu, Peng and Yu, "YuNet: A Tiny Millisecond-level Face Detector", 2023), decoded in numpy."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import ceil

import cv2
import numpy as np
from numpy.typing import NDArray

from models.session import ModelSession

Image = NDArray[np.uint8]

_STRIDES = (8, 16, 32)
_GRID_PX = 32
DETECTABLE_EYES_PX = 10.5
"""Eyes nearer than this to one another (pixels of the tensor) are missed now and then. Of 480 pasted faces 99.8 % are found at 18
and at 10.5, 98 % at 9, 93 % at 7.2."""
_NMS_IOU = 0.3
_MAX_CANDIDATES = 200
_LINEAR_SCALE = 0.35


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Face:
    """A detected face, in pixels of the picture given to the detector.

    ``box_px``: float32 (4,) x, y, width, height, may reach beyond the picture. ``landmarks_px``: float32 (5, 2), in this
    order: the person's right eye, left eye, nose tip, right mouth corner, left mouth corner. ``score``: 0..1.
    """

    box_px: NDArray[np.float32]
    landmarks_px: NDArray[np.float32]
    score: float

    @property
    def inter_eye_px(self) -> float:
        """Distance of the eye centres."""
        return float(np.linalg.norm(self.landmarks_px[0] - self.landmarks_px[1]))

    @property
    def area_px(self) -> float:
        """Area of the box."""
        return float(self.box_px[2] * self.box_px[3])


class FaceDetector:
    """YuNet on one picture. Larger pictures are scaled down to ``max_side_px`` first, smaller ones stay."""

    def __init__(self, session: ModelSession, *, max_side_px: int = 640, min_score: float | None = None) -> None:
        self.session = session
        self._max_side_px = max_side_px
        self._min_score = session.entry.threshold["detection"].value if min_score is None else min_score

    def detect(self, image_bgr: Image, *, smallest_eyes_px: float = 0.0) -> tuple[Face, ...]:
        """Return the faces of a uint8 (height, width, 3) BGR picture, largest first; empty if there is none.

        ``smallest_eyes_px``: the distance of the eyes (pixels of the picture) of the smallest face that matters. The larger it is,
        the smaller the picture that has to be looked at; smaller faces may then be missed.
        """
        height, width = image_bgr.shape[:2]
        scale = self._scale(height, width, smallest_eyes_px)
        tensor = _to_tensor(image_bgr, scale)
        outputs = self.session.run({self.session.input_name: tensor})
        named = dict(zip(self.session.output_names, outputs, strict=True))
        scores, boxes, landmarks = _decode(named, tensor.shape[2], tensor.shape[3], self._min_score)
        keep = _suppress(boxes, scores)
        # Undo the exact resize, which rounds to whole pixels on each axis.
        back = np.array([width / round(width * scale), height / round(height * scale)], np.float32)
        faces = [
            Face(
                box_px=boxes[i] * np.tile(back, 2),
                landmarks_px=landmarks[i].reshape(5, 2) * back,
                score=float(scores[i]),
            )
            for i in keep
        ]
        return tuple(sorted(faces, key=lambda face: -face.area_px))

    def finds_eyes_px(self, image_bgr: Image, smallest_eyes_px: float) -> float:
        """Return how near to one another (pixels of the picture) eyes may really be to be found, if :meth:`detect` is asked for these.

        As much as asked for or less, because of whole grid cells; more if the picture is larger than is ever searched.
        """
        height, width = image_bgr.shape[:2]
        return DETECTABLE_EYES_PX / self._scale(height, width, smallest_eyes_px)

    def _scale(self, height: int, width: int, smallest_eyes_px: float) -> float:
        scale = min(1.0, self._max_side_px / max(height, width))
        if smallest_eyes_px > 0:
            wanted = min(scale, DETECTABLE_EYES_PX / smallest_eyes_px)
            # Up to the next size that needs no padding: as much to compute, and more to see.
            scale = min(scale, _up_to_grid(width * wanted) / width)
        return scale


def nearest_centre(faces: Sequence[Face], image_bgr: Image) -> Face | None:
    """Return the face whose box lies nearest to the middle of the picture; None if there are no faces."""
    height, width = image_bgr.shape[:2]
    middle = np.array([width / 2, height / 2], np.float32)

    def distance_px(face: Face) -> float:
        return float(np.linalg.norm(face.box_px[:2] + face.box_px[2:] / 2 - middle))

    return min(faces, key=distance_px, default=None)


def _to_tensor(image_bgr: Image, scale: float) -> NDArray[np.float32]:
    height, width = image_bgr.shape[:2]
    if scale < 1:
        width, height = max(1, round(width * scale)), max(1, round(height * scale))
        # Area averaging is slow unless the factor is whole, and not needed above a third.
        how = cv2.INTER_LINEAR if _LINEAR_SCALE <= scale != 0.5 else cv2.INTER_AREA
        image_bgr = cv2.resize(image_bgr, (width, height), interpolation=how).astype(np.uint8, copy=False)
    padded_height, padded_width = _up_to_grid(height), _up_to_grid(width)
    is_padded = (padded_height, padded_width) != (height, width)
    tensor = (np.zeros if is_padded else np.empty)((1, 3, padded_height, padded_width), np.float32)
    # Splitting first is three times as fast as three strided copies.
    for channel, plane in enumerate(cv2.split(image_bgr)):
        tensor[0, channel, :height, :width] = plane
    return tensor


@lru_cache(maxsize=16)
def _priors(height: int, width: int) -> NDArray[np.float32]:
    """Return float32 (n, 3): column, row and stride of every prior, strides in order."""
    parts = []
    for stride in _STRIDES:
        rows, columns = np.mgrid[: height // stride, : width // stride]
        parts.append(np.stack([columns.ravel(), rows.ravel(), np.full(rows.size, stride)], axis=1))
    return np.concatenate(parts).astype(np.float32)


def _decode(
    outputs: dict[str, np.ndarray], height: int, width: int, min_score: float
) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]:
    """Return scores (n,), boxes (n, 4) and landmarks (n, 10) of the priors above ``min_score``, best first."""

    def joined(kind: str) -> NDArray[np.float32]:
        return np.concatenate([outputs[f"{kind}_{stride}"][0] for stride in _STRIDES])

    squares = (joined("cls") * joined("obj"))[:, 0]
    chosen = np.flatnonzero(squares >= min_score**2)
    chosen = chosen[np.argsort(-squares[chosen], kind="stable")][:_MAX_CANDIDATES]
    if len(chosen) == 0:
        return np.empty(0, np.float32), np.empty((0, 4), np.float32), np.empty((0, 10), np.float32)
    priors = _priors(height, width)[chosen]
    origin, stride = priors[:, :2], priors[:, 2:]
    raw = joined("bbox")[chosen]
    centre = (origin + raw[:, :2]) * stride
    size = np.exp(raw[:, 2:]) * stride
    boxes = np.concatenate([centre - size / 2, size], axis=1)
    landmarks = (joined("kps")[chosen] + np.tile(origin, 5)) * stride
    return np.sqrt(squares[chosen]), boxes, landmarks


def _suppress(boxes: NDArray[np.float32], scores: NDArray[np.float32]) -> list[int]:
    """Non-maximum suppression; ``boxes`` are sorted by falling score."""
    lower, upper = boxes[:, :2], boxes[:, :2] + boxes[:, 2:]
    areas = boxes[:, 2] * boxes[:, 3]
    sides = np.minimum(upper[:, None], upper[None]) - np.maximum(lower[:, None], lower[None])
    intersections = np.prod(np.maximum(sides, 0), axis=2)
    is_same = intersections > _NMS_IOU * (areas[:, None] + areas[None] - intersections)
    keep: list[int] = []
    for i in range(len(scores)):
        if not is_same[i, keep].any():
            keep.append(i)
    return keep


def _up_to_grid(side_px: float) -> int:
    return _GRID_PX * ceil(side_px / _GRID_PX)
