"""Which way a head is turned, in degrees, from its mesh.

A face is symmetric, so the lines between points on its two sides are its horizontal axis; the line from forehead to chin is the
vertical one. The mesh gives both in space, so no model of a head and no camera calibration are needed.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.face.mesh import Mesh

# Points of the right side and their mirror images: eyes, mouth, ears, temples, cheeks, jaw, brows, nostrils.
_RIGHT = (33, 133, 61, 234, 127, 50, 58, 172, 70, 98)
_LEFT = (263, 362, 291, 454, 356, 280, 288, 397, 300, 327)
_FOREHEAD, _CHIN = 10, 152

LEVEL_PITCH_DEG = -5.5
"""What is measured of a level head: chin and forehead do not lie in one upright plane. The median of 3,811 press pictures."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HeadPose:
    """``yaw_deg``: positive towards the person's own right (the left of the picture); ``pitch_deg``: positive is up; ``roll_deg``:
    positive is clockwise in the picture. A face to the camera has 0 of each."""

    yaw_deg: float
    pitch_deg: float
    roll_deg: float


def head_pose(mesh: Mesh) -> HeadPose:
    """Return the pose of a mesh. Its depth was learnt, not measured: the degrees are good for limits, not for geometry."""
    points = np.column_stack([mesh.points_px, mesh.depth]).astype(np.float64)
    across = _unit(_units(points[list(_LEFT)] - points[list(_RIGHT)]).sum(axis=0))
    down = points[_CHIN] - points[_FOREHEAD]
    down = _unit(down - across * float(across @ down))
    return HeadPose(
        yaw_deg=float(np.degrees(np.arctan2(-across[2], np.hypot(across[0], across[1])))),
        pitch_deg=-float(np.degrees(np.arctan2(down[2], np.hypot(down[0], down[1])))) - LEVEL_PITCH_DEG,
        roll_deg=float(np.degrees(np.arctan2(across[1], across[0]))),
    )


def _units(rows: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-9))


def _unit(vector: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(vector / max(float(np.linalg.norm(vector)), 1e-9))
