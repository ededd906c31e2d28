"""Camera frames of the simulated lane: documents on the reader's glass, people walking up to the face camera.

Everything random comes from the ``rng`` that is passed in, so that a seed gives the same frames again.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from simulator.photos import Photo

Image = NDArray[np.uint8]

DOCUMENT_SIZE_PX = (1280, 960)
FACE_SIZE_PX = (640, 480)

_GLASS_BGR = (34, 32, 30)
# The face's height as a share of the frame's, far away and at the line where one stops.
_FAR_RATIO, _NEAR_RATIO = 0.16, 0.52


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentDamage:
    """How a document is photographed badly.

    ``perspective_ratio``: largest shift of a corner by the page's height; ``rotation_deg``: largest turn; ``blur_px``:
    standard deviation of the blur; ``glare``: 0..1, 1 washes a quarter of the page out, over the MRZ; ``noise``: standard deviation
    in grey levels; ``is_upside_down``: laid on the glass the wrong way round.
    """

    perspective_ratio: float = 0.01
    rotation_deg: float = 1.5
    blur_px: float = 0.4
    glare: float = 0.0
    noise: float = 3.0
    is_upside_down: bool = False


MILD = DocumentDamage(perspective_ratio=0.03, rotation_deg=4.0, blur_px=0.8, glare=0.15, noise=5.0)
UNREADABLE = DocumentDamage(perspective_ratio=0.02, rotation_deg=3.0, blur_px=6.0, glare=1.0, noise=8.0)


def document_frame(
    page_bgr: Image,
    *,
    rng: np.random.Generator,
    size: tuple[int, int] = DOCUMENT_SIZE_PX,
    damage: DocumentDamage | None = None,
) -> Image:
    """Return a uint8 (height, width, 3) BGR frame of the page on the glass; ``size`` is (width, height)."""
    damage = damage or DocumentDamage()
    width, height = size
    page_height, page_width = page_bgr.shape[:2]
    source = np.array([[0, 0], [page_width, 0], [page_width, page_height], [0, page_height]], np.float32)
    scale = min(0.88 * width / page_width, 0.88 * height / page_height)
    centre = np.array([width / 2, height / 2]) + rng.uniform(-0.02, 0.02, 2) * [width, height]
    corners = (source - [page_width / 2, page_height / 2]) * scale
    turn = np.radians(rng.uniform(-damage.rotation_deg, damage.rotation_deg) + (180 if damage.is_upside_down else 0))
    rotation = np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
    shift = rng.uniform(-1, 1, (4, 2)) * damage.perspective_ratio * page_height * scale
    target = (corners @ rotation + centre + shift).astype(np.float32)
    frame = empty_document_frame(rng=rng, size=size)
    matrix = cv2.getPerspectiveTransform(source, target)
    cv2.warpPerspective(page_bgr, matrix, size, frame, cv2.INTER_AREA, cv2.BORDER_TRANSPARENT)
    if damage.glare > 0:
        _add_glare(frame, target, damage.glare, rng)
    if damage.blur_px > 0:
        frame = cv2.GaussianBlur(frame, (0, 0), damage.blur_px).astype(np.uint8, copy=False)
    return _with_noise(frame, damage.noise, rng)


def empty_document_frame(*, rng: np.random.Generator, size: tuple[int, int] = DOCUMENT_SIZE_PX) -> Image:
    """Return a frame of the reader's empty glass."""
    frame = np.empty((size[1], size[0], 3), np.uint8)
    frame[:] = _GLASS_BGR
    return _with_noise(frame, 2.0, rng)


def face_frame(
    photo: Photo, *, approach: float, rng: np.random.Generator, size: tuple[int, int] = FACE_SIZE_PX
) -> Image:
    """Return a frame with one person in the hall; ``approach`` is 0 (far) .. 1 (at the line)."""
    return faces_frame([photo], approach=approach, rng=rng, size=size)


def faces_frame(
    photos: Sequence[Photo], *, approach: float, rng: np.random.Generator, size: tuple[int, int] = FACE_SIZE_PX
) -> Image:
    """Return a frame with these people side by side; the first stands in the middle if alone."""
    width, height = size
    frame = _hall(size).copy()
    count = len(photos)
    face_height = height * (_FAR_RATIO + (_NEAR_RATIO - _FAR_RATIO) * float(np.clip(approach, 0, 1)))
    # Two people at the line must both fit.
    face_height = min(face_height, 0.75 * width / (count + 0.5))
    for i, photo in enumerate(photos):
        x = width * (i + 1) / (count + 1) + rng.normal(0, 0.006) * width
        y = height * 0.46 + rng.normal(0, 0.006) * height
        tilt_deg = rng.normal(0, 0.8)
        _paste_person(frame, photo, (x, y), face_height * (1 + rng.normal(0, 0.01)), tilt_deg)
    frame = cv2.convertScaleAbs(frame, alpha=float(rng.uniform(0.96, 1.04))).astype(np.uint8, copy=False)
    return _with_noise(frame, 2.5, rng)


def empty_face_frame(*, rng: np.random.Generator, size: tuple[int, int] = FACE_SIZE_PX) -> Image:
    """Return a frame of the empty hall."""
    return _with_noise(_hall(size).copy(), 2.5, rng)


def _add_glare(frame: Image, corners: NDArray[np.float32], strength: float, rng: np.random.Generator) -> None:
    """Wash out a bright ellipse: a small one anywhere, a strong one over the MRZ."""
    low_left, low_right, top_left = corners[3], corners[2], corners[0]
    along = float(rng.uniform(0.3, 0.7))
    up = 0.16 if strength > 0.5 else float(rng.uniform(0.35, 0.8))
    spot = low_left + along * (low_right - low_left) + up * (top_left - low_left)
    radius = float(np.linalg.norm(low_right - low_left)) * (0.06 + 0.34 * strength)
    height, width = frame.shape[:2]
    x = (np.arange(width, dtype=np.float32) - spot[0]) / radius
    y = (np.arange(height, dtype=np.float32) - spot[1]) / (radius * 0.6)
    distance = (x**2)[None, :] + (y**2)[:, None]
    light = (255 * min(1.0, 0.35 + strength) * np.exp(-(distance**2))).astype(np.uint8)
    frame[:] = cv2.add(frame, cv2.merge([light, light, light]))


def _paste_person(frame: Image, photo: Photo, centre: tuple[float, float], face_height: float, tilt_deg: float) -> None:
    # Shrinking by more than half would alias: start from the smallest copy that is large enough.
    copy_height = next((height for height in _COPY_HEIGHTS_PX if height >= face_height), _COPY_HEIGHTS_PX[-1])
    bust = _bust(photo, copy_height)
    matrix = cv2.getRotationMatrix2D(bust.face_centre, tilt_deg, face_height / copy_height)
    # Only the part of the frame that the bust can reach is touched.
    left, right = (round(centre[0] + side * 1.9 * face_height) for side in (-1, 1))
    left, right, top = max(0, left), min(frame.shape[1], right), max(0, round(centre[1] - 1.2 * face_height))
    matrix[0, 2] += centre[0] - bust.face_centre[0] - left
    matrix[1, 2] += centre[1] - bust.face_centre[1] - top
    part = frame[top:, left:right]
    size = (part.shape[1], part.shape[0])
    person = cv2.warpAffine(bust.image, matrix, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    alpha = cv2.warpAffine(bust.mask, matrix, size, flags=cv2.INTER_LINEAR)
    part[:] = cv2.blendLinear(person, part, alpha, 1 - alpha)


_COPY_HEIGHTS_PX = (75, 150, 300)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Bust:
    """Head and shoulders, a feathered float32 mask 0..1, and where the face's centre is, in pixels."""

    image: Image
    mask: NDArray[np.float32]
    face_centre: tuple[float, float]


@lru_cache(maxsize=64)
def _bust(photo: Photo, copy_height: int) -> _Bust:
    """Return a copy of the person whose face is ``copy_height`` pixels high; a small photo is enlarged."""
    image = photo.load()
    scale = copy_height / photo.face_px[3]
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
    return _Bust(image=image, mask=soft, face_centre=(float(middle), y + height / 2))


@lru_cache(maxsize=4)
def _hall(size: tuple[int, int]) -> Image:
    """A hall: a bright wall with panels above a grey floor."""
    width, height = size
    y = np.linspace(0, 1, height, dtype=np.float32)[:, None]
    x = np.linspace(0, 1, width, dtype=np.float32)[None, :]
    wall = 188 + 22 * np.cos((x - 0.4) * 3) - 30 * y
    floor = 118 + 40 * (y - 0.8)
    grey = np.where(y < 0.8, wall, floor)
    image = np.stack([grey * 0.98, grey, grey * 1.01], axis=2)
    for panel in range(1, 6):
        column = round(width * panel / 6)
        image[: round(height * 0.8), column : column + 2] -= 26
    hall: Image = np.clip(image, 0, 255).astype(np.uint8)
    return hall


_NOISE_MARGIN_PX = 64


@lru_cache(maxsize=16)
def _noise_field(height: int, width: int, deviation: float) -> NDArray[np.int16]:
    shape = (height + _NOISE_MARGIN_PX, width + _NOISE_MARGIN_PX, 3)
    field: NDArray[np.int16] = np.round(np.random.default_rng(1).normal(0, deviation, shape)).astype(np.int16)
    return field


def _with_noise(frame: Image, deviation: float, rng: np.random.Generator) -> Image:
    """Add sensor noise: one fixed field, shifted at random, because drawing millions of numbers a frame is slow."""
    height, width = frame.shape[:2]
    top, left = (int(value) for value in rng.integers(0, _NOISE_MARGIN_PX, 2))
    field = _noise_field(height, width, deviation)[top : top + height, left : left + width]
    return cv2.add(frame, field, dtype=cv2.CV_8U).astype(np.uint8, copy=False)
