"""A live head made of one photograph: a generic head's depth under it, lids that close, lips that part.

Not a person: the depth is the same for everybody, hair moves with the skull, and light does not change as the head turns. Good
enough to show what parallax and blinks do to a picture, and no more.
"""

from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from models.face import FaceDetector, nearest_centre
from models.manifest import FACE_DETECTOR
from models.session import ModelSession
from models.store import ModelStore
from simulator.pad_surface import Plane, Pose, Surface, Warp, draw
from simulator.photos import Photo

Image = NDArray[np.uint8]

HEAD_FACE_PX = 300
"""Height of the face in the picture that heads are drawn from."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Landmarks:
    """Five places on the face, in heights of the face from its middle: float64 (5, 2) as in :class:`models.face.Face`."""

    points: NDArray[np.float64]

    @property
    def eyes_apart(self) -> float:
        return float(np.linalg.norm(self.points[0] - self.points[1]))


@dataclass(frozen=True, slots=True, kw_only=True)
class Expression:
    """``lids_closed`` and ``mouth_open``: 0..1."""

    lids_closed: float = 0.0
    mouth_open: float = 0.0


class Head:
    """One person's head."""

    def __init__(self, photo: Photo) -> None:
        image, centre_px, mask = _bust(photo)
        self.landmarks = _landmarks(photo)
        self.surface = Surface(
            image=image,
            mask=mask,
            centre_px=centre_px,
            face_px=float(HEAD_FACE_PX),
            depth=HeadDepth(self.landmarks),
        )

    def draw(self, frame: Image, pose: Pose, expression: Expression | None = None) -> None:
        """Draw the head into ``frame`` (uint8 BGR, changed in place)."""
        draw(frame, self.surface, pose, warp=expressed(self.landmarks, expression or Expression()))


class HeadDepth:
    """Height of a generic head over the plane of its ears, in heights of the face (adult means, ISO 7250-1: a face some 200 mm high)."""

    def __init__(self, landmarks: Landmarks) -> None:
        self._nose = landmarks.points[2]
        self._eyes = landmarks.points[:2]
        self._span = landmarks.eyes_apart

    def __call__(self, x: Plane, y: Plane) -> Plane:
        span = self._span
        skull = 0.46 * np.exp(-(np.abs(x / 0.44) ** 2.6) - np.abs(y / 0.62) ** 3)
        nose = 0.10 * _bump(x, y, self._nose - np.array([0, 0.12 * span]), 0.22 * span, 0.38 * span)
        sockets = sum(0.03 * _bump(x, y, eye, 0.28 * span, 0.22 * span) for eye in self._eyes)
        return np.asarray(skull + nose - sockets)


def expressed(landmarks: Landmarks, expression: Expression) -> Warp:
    """Moves the picture's skin over eyes and mouth."""
    span = landmarks.eyes_apart
    right, left, _, mouth_right, mouth_left = landmarks.points
    mouth = (mouth_right + mouth_left) / 2

    def warp(x: Plane, y: Plane) -> tuple[Plane, Plane]:
        moved = y.copy()
        for eye in (right, left):
            # The upper lid's skin is drawn down over the opening: look it up above where it is seen.
            window = _bump(x, y, eye, 0.30 * span, 0.16 * span)
            moved -= expression.lids_closed * 0.19 * span * window
        below = y > mouth[1]
        jaw = _bump(x, y, mouth + np.array([0, 0.25 * span]), 0.5 * span, 0.5 * span)
        moved -= expression.mouth_open * 0.16 * span * np.where(below, jaw, 0.0)
        return x, moved

    return warp


def _bump(x: Plane, y: Plane, centre: NDArray[np.float64], wide: float, high: float) -> Plane:
    return np.asarray(np.exp(-(((x - centre[0]) / wide) ** 2) - ((y - centre[1]) / high) ** 2))


@lru_cache(maxsize=32)
def _bust(photo: Photo) -> tuple[Image, tuple[float, float], NDArray[np.float32]]:
    """Head and shoulders with the face :data:`HEAD_FACE_PX` high, the face's middle, and a feathered mask 0..1."""
    image = photo.load()
    scale = HEAD_FACE_PX / photo.face_px[3]
    how = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    image = cv2.resize(image, None, fx=scale, fy=scale, interpolation=how).astype(np.uint8, copy=False)
    x, y, width, height = (round(value * scale) for value in photo.face_px)
    image = cv2.copyMakeBorder(image, 0, 4 * height, width, width, cv2.BORDER_REPLICATE).astype(np.uint8, copy=False)
    middle = x + width + width // 2
    mask = np.zeros(image.shape[:2], np.uint8)
    cv2.ellipse(mask, (middle, y + height // 2), (round(width * 0.85), round(height * 0.82)), 0, 0, 360, 255, -1)
    shoulder, half = y + round(height * 1.25), round(width * 1.5)
    cv2.ellipse(mask, (middle, shoulder + height), (half, height), 0, 180, 360, 255, -1)
    cv2.rectangle(mask, (middle - half, shoulder + height), (middle + half, image.shape[0]), 255, -1)
    soft = (cv2.GaussianBlur(mask, (0, 0), height * 0.05) / 255).astype(np.float32)
    return image, (float(middle), y + height / 2), soft


@lru_cache(maxsize=32)
def _landmarks(photo: Photo) -> Landmarks:
    image = photo.load()
    x, y, width, height = photo.face_px
    top, left = max(0, y - height), max(0, x - width)
    part = np.ascontiguousarray(image[top : y + 2 * height, left : x + 2 * width])
    face = nearest_centre(_detector().detect(part), part)
    if face is None:
        raise ValueError(f"no face is found in {photo.file}")
    points = face.landmarks_px.astype(np.float64) + np.array([left, top])
    return Landmarks(points=(points - np.array([x + width / 2, y + height / 2])) / height)


@lru_cache(maxsize=1)
def _detector() -> FaceDetector:
    return FaceDetector(ModelSession(ModelStore(), FACE_DETECTOR))
