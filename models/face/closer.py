"""A closer look at a face that passed :func:`models.face.quality.assess`: pose, eyes, mouth, expression, mask and dark glasses.

It costs two more networks, so a lane takes it only of frames that would otherwise be compared.
"""

from dataclasses import dataclass

from models.face.cover import Cover, measure_cover
from models.face.detect import Face, Image
from models.face.expression import measure_expression
from models.face.eyes import EyeMesh
from models.face.mesh import FaceMesh, Mesh
from models.face.pose import head_pose
from models.face.quality import FaceQuality, Hint, QualityComponent, at_least, at_most


@dataclass(frozen=True, slots=True, kw_only=True)
class CloserLimits:
    """Limits of the components; what each measures is said at :class:`CloserQuality`. How they were found: docs/models.md."""

    min_confidence: float = 0.5
    max_yaw_deg: float = 30.0
    max_pitch_deg: float = 25.0
    max_mask_ratio: float = 2.2
    max_dark_glasses: float = 0.59
    min_eye_opening_ratio: float = 0.12
    max_mouth_gap_ratio: float = 0.15
    max_expression: float = 2.5


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class CloserQuality:
    """The mesh that was found, and the components measured with it, most important first.

    ``mesh_confidence``: 0..1. ``mask_ratio`` and ``dark_glasses``: see :class:`models.face.cover.Cover`. ``yaw_deg`` and
    ``pitch_deg``: the amounts of :class:`models.face.pose.HeadPose`. ``eye_opening_ratio``: the mean of both eyes, see
    :class:`models.face.eyes.EyeMesh`. ``mouth_gap_ratio`` and ``expression``, which are not required: see
    :class:`models.face.expression.Expression`.
    """

    mesh: Mesh
    components: tuple[QualityComponent, ...]


class CloserLook:
    """Measures faces with the mesh. Thread-safe."""

    def __init__(self, face_mesh: FaceMesh, eye_mesh: EyeMesh, *, limits: CloserLimits | None = None) -> None:
        self._face_mesh = face_mesh
        self._eye_mesh = eye_mesh
        self._limits = limits or CloserLimits()

    def look(self, picture_bgr: Image, face: Face, *, mesh: Mesh | None = None) -> CloserQuality:
        """Measure ``face`` in a uint8 (height, width, 3) BGR picture; ``mesh`` if it was found already."""
        limits = self._limits
        mesh = mesh or self._face_mesh.look(picture_bgr, face)
        pose, cover, expression = head_pose(mesh), measure_cover(picture_bgr, mesh), measure_expression(mesh)
        openness = sum(self._eye_mesh.openness(picture_bgr, mesh)) / 2
        return CloserQuality(
            mesh=mesh,
            components=(
                at_least("mesh_confidence", mesh.confidence, limits.min_confidence, Hint.LOOK_AT_CAMERA),
                *_covers(cover, limits),
                at_most("yaw_deg", abs(pose.yaw_deg), limits.max_yaw_deg, Hint.LOOK_AT_CAMERA),
                at_most("pitch_deg", abs(pose.pitch_deg), limits.max_pitch_deg, Hint.LOOK_AT_CAMERA),
                at_least("eye_opening_ratio", openness, limits.min_eye_opening_ratio, Hint.OPEN_EYES),
                _optional("mouth_gap_ratio", expression.mouth_gap_ratio, limits.max_mouth_gap_ratio),
                _optional("expression", expression.deviation, limits.max_expression),
            ),
        )

    def assess(self, picture_bgr: Image, face: Face, quality: FaceQuality) -> FaceQuality:
        """Return ``quality`` with these components too."""
        return quality.extended(self.look(picture_bgr, face).components)


def _covers(cover: Cover, limits: CloserLimits) -> list[QualityComponent]:
    """Mask and dark glasses, the plainer one first: each changes the colours that the other is judged by."""
    parts = [
        at_most("mask_ratio", cover.mask_ratio, limits.max_mask_ratio, Hint.REMOVE_MASK),
        at_most("dark_glasses", cover.dark_glasses, limits.max_dark_glasses, Hint.REMOVE_GLASSES),
    ]
    return sorted(parts, key=lambda part: -part.value / part.limit)


def _optional(name: str, value: float, limit: float) -> QualityComponent:
    """Nobody is kept waiting for a smile."""
    return at_most(name, value, limit, Hint.RELAX_FACE, is_required=False)
