"""Find faces: YuNet (Wu, Peng and Yu, "YuNet: A Tiny Millisecond-level Face Detector", 2023), decoded in numpy."""

from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from models.session import ModelSession

Image = NDArray[np.uint8]

_STRIDES = (8, 16, 32)
_GRID_PX = 32
_NMS_IOU = 0.3
_MAX_CANDIDATES = 200


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

    def detect(self, image_bgr: Image) -> tuple[Face, ...]:
        """Return the faces of a uint8 (height, width, 3) BGR picture, largest first; empty if there is none."""
        height, width = image_bgr.shape[:2]
        scale = min(1.0, self._max_side_px / max(height, width))
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


def _to_tensor(image_bgr: Image, scale: float) -> NDArray[np.float32]:
    height, width = image_bgr.shape[:2]
    if scale < 1:
        width, height = max(1, round(width * scale)), max(1, round(height * scale))
        image_bgr = cv2.resize(image_bgr, (width, height), interpolation=cv2.INTER_AREA).astype(np.uint8, copy=False)
    padded_height, padded_width = (-(-side // _GRID_PX) * _GRID_PX for side in (height, width))
    tensor = np.zeros((1, 3, padded_height, padded_width), np.float32)
    for channel in range(3):
        tensor[0, channel, :height, :width] = image_bgr[:, :, channel]
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

    scores = np.sqrt(np.clip(joined("cls")[:, 0], 0, 1) * np.clip(joined("obj")[:, 0], 0, 1))
    chosen = np.flatnonzero(scores >= min_score)
    chosen = chosen[np.argsort(-scores[chosen], kind="stable")][:_MAX_CANDIDATES]
    priors = _priors(height, width)[chosen]
    origin, stride = priors[:, :2], priors[:, 2:]
    raw = joined("bbox")[chosen]
    centre = (origin + raw[:, :2]) * stride
    size = np.exp(raw[:, 2:]) * stride
    boxes = np.concatenate([centre - size / 2, size], axis=1)
    landmarks = (joined("kps")[chosen] + np.tile(origin, 5)) * stride
    return scores[chosen], boxes, landmarks


def _suppress(boxes: NDArray[np.float32], scores: NDArray[np.float32]) -> list[int]:
    """Non-maximum suppression; ``boxes`` are sorted by falling score."""
    keep: list[int] = []
    lower, upper = boxes[:, :2], boxes[:, :2] + boxes[:, 2:]
    areas = boxes[:, 2] * boxes[:, 3]
    for i in range(len(scores)):
        overlaps = np.minimum(upper[i], upper[keep]) - np.maximum(lower[i], lower[keep])
        intersections = np.prod(np.clip(overlaps, 0, None), axis=1)
        if np.all(intersections <= _NMS_IOU * (areas[i] + areas[keep] - intersections)):
            keep.append(i)
    return keep
