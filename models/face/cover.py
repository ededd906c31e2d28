"""Is the face covered: by a mask, by dark glasses? From the colours at points of the mesh, compared with the same face's bare skin.

Only differences within one face count, so that neither the skin's colour nor the light does. A beard, a moustache, a headscarf and clear
glasses leave bare what is compared here; how often each is mistaken is in docs/models.md. ISO/IEC 29794-5:2025 asks for the face
and the eyes to be free of what covers them; how it is measured here is ours.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from models.face.detect import Image
from models.face.mesh import LEFT_EYE, RIGHT_EYE, Mesh

Colours = NDArray[np.float32]

_SIDE_PX = 128
_EYES_PX = 36.0
_BLUR_PX = 1.5
_LAB_WEIGHTS = np.array([0.5, 1.0, 1.0], np.float32)
"""Lightness counts half in comparing skin: a face's lower half lies in its own shadow."""
_SPREAD_FLOOR = 3.0
_TINT_SCALE = 40.0
_BLACK_FLOOR = 2.0

# Bare in every mask: the brows' middle, the root of the nose, the lower lids and what is under them.
_UPPER_FACE = (151, 9, 8, 107, 336, 168, 6, 119, 118, 348, 347, 230, 229, 450, 449)
# Under any mask that is worn over the nose: its tip, the cheeks beside it, lips, chin and jowls.
_LOWER_FACE = (
    *(1, 4, 44, 274, 45, 275, 36, 203, 206, 205, 266, 423, 426, 425),
    *(152, 175, 199, 200, 18, 83, 313, 207, 216, 212, 214, 192, 187, 427, 436, 432, 434, 416, 411),
    *(0, 37, 267, 17, 84, 314, 40, 270, 91, 321, 164, 167, 393, 2),
)
# Behind a lens, below the eye and above it; and the cheek below the lens.
_RIGHT_LENS = (230, 229, 228, 231, 232, 110, 24, 23, 22, 26)
_LEFT_LENS = (450, 449, 448, 451, 452, 339, 254, 253, 252, 256)
_RIGHT_LID = (223, 222, 221, 224, 225, 27, 28, 29, 30, 56)
_LEFT_LID = (443, 442, 441, 444, 445, 257, 258, 259, 260, 286)
_RIGHT_CHEEK = (205, 50, 101, 36, 203, 118)
_LEFT_CHEEK = (425, 280, 330, 266, 423, 347)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cover:
    """Both from 0 up.

    ``mask_ratio``: how far the lower face's colour is from the upper one's, by how much it varies itself; about 0.7 of bare faces, 4
    of masks.
    ``dark_glasses``: how far what is around the eye is from the cheek of its side, darkness (0..1) and tint taken together, the lesser
    of both sides; about 0.2 of bare faces, 0.9 of dark glasses.
    """

    mask_ratio: float
    dark_glasses: float


def measure_cover(picture_bgr: Image, mesh: Mesh) -> Cover:
    """Measure the face of ``mesh`` in the uint8 (height, width, 3) BGR picture that it was found in."""
    bgr = _colours_at_points(picture_bgr, mesh)
    lab = cv2.cvtColor(bgr[None] / np.float32(255), cv2.COLOR_BGR2LAB)[0]
    grey = cv2.cvtColor(bgr[None], cv2.COLOR_BGR2GRAY)[0]
    sides = (
        _lens(grey, lab, _RIGHT_LENS, _RIGHT_LID, _RIGHT_CHEEK),
        _lens(grey, lab, _LEFT_LENS, _LEFT_LID, _LEFT_CHEEK),
    )
    darkness, tint = (min(values) for values in zip(*sides, strict=True))
    return Cover(mask_ratio=_mask_ratio(lab), dark_glasses=float(np.hypot(darkness, tint / _TINT_SCALE)))


def _colours_at_points(picture_bgr: Image, mesh: Mesh) -> Colours:
    """float32 (468, 3) BGR, 0..255, of a smoothed picture: each colour stands for a small patch of skin."""
    points = mesh.points_px.astype(np.float64)
    across = points[list(LEFT_EYE)].mean(axis=0) - points[list(RIGHT_EYE)].mean(axis=0)
    scale = _EYES_PX / max(float(np.hypot(*across)), 1.0)
    shift = np.array([_SIDE_PX / 2, _SIDE_PX / 2]) - scale * points.mean(axis=0)
    matrix = np.hstack([scale * np.eye(2), shift[:, None]])
    crop = cv2.warpAffine(
        picture_bgr, matrix, (_SIDE_PX, _SIDE_PX), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )
    smooth = cv2.GaussianBlur(crop, (0, 0), _BLUR_PX)
    at = (scale * points + shift).astype(np.float32)[None]
    found = cv2.remap(smooth, at[..., 0], at[..., 1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(found[0], np.float32)


def _mask_ratio(lab: Colours) -> float:
    weighted = lab * _LAB_WEIGHTS
    lower = weighted[list(_LOWER_FACE)]
    middle = np.median(lower, axis=0)
    spread = float(np.median(np.linalg.norm(lower - middle, axis=1)))
    distance = float(np.linalg.norm(middle - np.median(weighted[list(_UPPER_FACE)], axis=0)))
    return distance / (_SPREAD_FLOOR + spread)


def _lens(
    grey: Colours, lab: Colours, below: tuple[int, ...], above: tuple[int, ...], cheek: tuple[int, ...]
) -> tuple[float, float]:
    """How much darker than the cheek it is behind a lens (0..1), and how differently tinted (CIELAB units).

    Dark is judged below the eye only, for lids lie in the brow's shadow; tinted on both sides of it, for the rim of clear glasses
    crosses what is below.
    """
    behind, bare = (float(np.median(grey[list(group)])) + _BLACK_FLOOR for group in (below, cheek))
    skin = np.median(lab[list(cheek), 1:], axis=0)
    tints = (float(np.hypot(*(np.median(lab[list(group), 1:], axis=0) - skin))) for group in (below, above))
    return max(1.0 - behind / bare, 0.0), min(tints)
