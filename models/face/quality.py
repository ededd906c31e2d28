"""Is this face good enough to compare? Components after ISO/IEC 29794-5:2025, each with its limit and a hint.

:func:`assess` measures what costs nothing beside the detection; what needs the face's mesh is in :mod:`models.face.closer`. The hints are
codes; the kiosk turns them into words in the traveller's language.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

import cv2
import numpy as np

from models.face.detect import Face, Image
from models.face.embed import align

_OPTIONAL_SHARE = 0.7


class Hint(StrEnum):
    """What the person can do about it."""

    COME_CLOSER = "come_closer"
    STEP_BACK = "step_back"
    LEFT = "left"  # as the person sees it, and as a mirror shows it
    RIGHT = "right"
    LOOK_AT_CAMERA = "look_at_camera"
    HOLD_STILL = "hold_still"
    TOO_DARK = "too_dark"
    TOO_BRIGHT = "too_bright"
    MOVE_INTO_VIEW = "move_into_view"
    ONE_PERSON_ONLY = "one_person_only"
    REMOVE_MASK = "remove_mask"
    REMOVE_GLASSES = "remove_glasses"
    OPEN_EYES = "open_eyes"
    RELAX_FACE = "relax_face"


@dataclass(frozen=True, slots=True, kw_only=True)
class QualityLimits:
    """Limits of the components; the units are those of :class:`FaceQuality`."""

    min_inter_eye_px: float = 40.0
    max_yaw_ratio: float = 0.45
    max_pitch_ratio: float = 0.30
    max_roll_deg: float = 25.0
    min_sharpness: float = 40.0
    min_brightness: float = 45.0
    max_brightness: float = 225.0
    min_balance_ratio: float = 0.35
    max_others_area_ratio: float = 0.25


@dataclass(frozen=True, slots=True, kw_only=True)
class QualityComponent:
    """One measured property: its value, the limit it is held against, and what to tell the person if it fails.

    One that is not ``is_required`` lowers the shot's rank but is never asked for.
    """

    name: str
    value: float
    limit: float
    is_ok: bool
    hint: Hint
    is_required: bool = True


def at_least(name: str, value: float, limit: float, hint: Hint) -> QualityComponent:
    """A component that must reach its limit."""
    return QualityComponent(name=name, value=value, limit=limit, is_ok=value >= limit, hint=hint)


def at_most(name: str, value: float, limit: float, hint: Hint, *, is_required: bool = True) -> QualityComponent:
    """A component that must not exceed its limit."""
    return QualityComponent(
        name=name, value=value, limit=limit, is_ok=value <= limit, hint=hint, is_required=is_required
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class FaceQuality:
    """All components. ``score``: 0..1, to pick a best shot.

    ``inter_eye_px`` in pixels of the frame; ``yaw_ratio`` and ``pitch_ratio`` 0 (frontal) .. 1 (profile) from where the nose lies among
    eyes and mouth; ``roll_deg`` in degrees; ``sharpness`` variance of the Laplacian (grey levels squared) of the 112x112 crop;
    ``brightness`` mean grey level 0..255 of it; ``balance_ratio`` the darker half's mean grey level by the brighter one's (illumination
    uniformity; the least of 600 Labeled Faces in the Wild pictures is 0.40); ``cropped_ratio`` share of the box outside the picture;
    ``others_area_ratio`` the next largest face's area by this face's.
    """

    components: tuple[QualityComponent, ...]

    @property
    def failed(self) -> tuple[QualityComponent, ...]:
        """The required components that miss their limits, most important first."""
        return tuple(part for part in self.components if part.is_required and not part.is_ok)

    @property
    def is_ok(self) -> bool:
        """True if every required component keeps its limit."""
        return not self.failed

    @property
    def hints(self) -> tuple[Hint, ...]:
        """What to tell the person, most important first, each once."""
        return tuple(dict.fromkeys(component.hint for component in self.failed))

    def extended(self, components: Sequence[QualityComponent]) -> "FaceQuality":
        """The same with more components behind."""
        return replace(self, components=(*self.components, *components))

    @property
    def score(self) -> float:
        """Rank among shots of the same person: bigger, sharper and more frontal is better."""
        by_name = {component.name: component for component in self.components}
        size = min(1.0, by_name["inter_eye_px"].value / (2 * by_name["inter_eye_px"].limit))
        sharp = min(1.0, by_name["sharpness"].value / (4 * by_name["sharpness"].limit))
        pose = 1.0 - min(1.0, max(by_name["yaw_ratio"].value, by_name["pitch_ratio"].value))
        optional = [component for component in self.components if not component.is_required and not component.is_ok]
        return size * sharp * pose * _OPTIONAL_SHARE ** len(optional)


def assess(
    image_bgr: Image,
    face: Face,
    faces: Sequence[Face],
    *,
    limits: QualityLimits | None = None,
    crop_rgb: Image | None = None,
) -> FaceQuality:
    """Measure ``face``, one of the ``faces`` detected in ``image_bgr`` (uint8 BGR).

    ``crop_rgb``: what :func:`models.face.embed.align` gives for it, if the caller has it already.
    """
    limits = limits or QualityLimits()
    grey = cv2.cvtColor(align(image_bgr, face) if crop_rgb is None else crop_rgb, cv2.COLOR_RGB2GRAY)
    centre = grey[20:108, 20:92]
    brightness = float(centre.mean())
    halves = float(grey[24:100, 24:56].mean()), float(grey[24:100, 56:88].mean())
    balance = min(halves) / max(*halves, 1.0)
    sharpness = float(cv2.Laplacian(grey, cv2.CV_32F)[20:108, 20:92].var())
    yaw, pitch, roll = _pose(face)
    others = max((other.area_px for other in faces if other is not face), default=0.0) / max(face.area_px, 1.0)

    return FaceQuality(
        components=(
            at_most("others_area_ratio", others, limits.max_others_area_ratio, Hint.ONE_PERSON_ONLY),
            at_least("inter_eye_px", face.inter_eye_px, limits.min_inter_eye_px, Hint.COME_CLOSER),
            at_most("cropped_ratio", _outside_ratio(image_bgr, face), 0.15, _way_into_view(image_bgr, face)),
            at_most("yaw_ratio", yaw, limits.max_yaw_ratio, Hint.LOOK_AT_CAMERA),
            at_most("pitch_ratio", pitch, limits.max_pitch_ratio, Hint.LOOK_AT_CAMERA),
            at_most("roll_deg", abs(roll), limits.max_roll_deg, Hint.LOOK_AT_CAMERA),
            at_least("brightness", brightness, limits.min_brightness, Hint.TOO_DARK),
            at_least("balance_ratio", balance, limits.min_balance_ratio, Hint.TOO_DARK),
            at_most("brightness_high", brightness, limits.max_brightness, Hint.TOO_BRIGHT),
            at_least("sharpness", sharpness, limits.min_sharpness, Hint.HOLD_STILL),
        )
    )


def _pose(face: Face) -> tuple[float, float, float]:
    """Return yaw ratio, pitch ratio (0..1) and roll (degrees) from the five landmarks."""
    points = face.landmarks_px.astype(np.float64)
    right_eye, left_eye, nose = points[0], points[1], points[2]
    mouth = points[3:].mean(axis=0)
    across = left_eye - right_eye
    eye_distance = float(np.hypot(*across)) or 1.0
    roll_deg = float(np.degrees(np.arctan2(across[1], across[0])))
    x_axis = across / eye_distance
    y_axis = np.array([-x_axis[1], x_axis[0]])
    eyes = (right_eye + left_eye) / 2
    yaw = abs(float((nose - (eyes + mouth) / 2) @ x_axis)) / (eye_distance / 2)
    depth = float((mouth - eyes) @ y_axis) or 1.0
    # A frontal nose tip lies a little above the middle between eyes and mouth.
    pitch = abs(float((nose - eyes) @ y_axis) / depth - 0.55) * 2
    return min(yaw, 1.0), min(pitch, 1.0), roll_deg


def _outside_ratio(image_bgr: Image, face: Face) -> float:
    height, width = image_bgr.shape[:2]
    x, y, w, h = (float(value) for value in face.box_px)
    inside = max(0.0, min(x + w, width) - max(x, 0.0)) * max(0.0, min(y + h, height) - max(y, 0.0))
    return float(1.0 - inside / max(w * h, 1.0))


def _way_into_view(image_bgr: Image, face: Face) -> Hint:
    """Where a person whose face is cut off by the picture's edge should go. The camera's left is their right."""
    height, width = image_bgr.shape[:2]
    x, y, w, h = (float(value) for value in face.box_px)
    left, right = max(0.0, -x), max(0.0, x + w - width)
    if (left and right) or (y < 0.0 and y + h > height):
        return Hint.STEP_BACK
    if left or right:
        return Hint.LEFT if left else Hint.RIGHT
    return Hint.MOVE_INTO_VIEW
