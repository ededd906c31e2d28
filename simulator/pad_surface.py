"""Surfaces before a camera: a picture laid over a shape (a head, a sheet, a bent sheet) that is turned and seen in perspective.

Lengths are in heights of the face (about 0.2 m), so that one number, the distance, says how strong the perspective is. A picture is
drawn by looking up, for each place of the frame, which place of the picture is seen there: the shape's projection is inverted by
iterating ``q += d - P(q)``, which converges for turns of less than some 35 degrees.
"""

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.uint8]
Plane = NDArray[np.float64]
Depth = Callable[[Plane, Plane], Plane]
"""Height of the surface towards the camera over x (right) and y (down), all in heights of the face, (0, 0) the face's middle."""
Warp = Callable[[Plane, Plane], tuple[Plane, Plane]]
"""Moves places of the picture before it is looked up: lids, lips."""

FOCAL_PX = 900.0
"""Of the simulated camera: 39 degrees across 640 pixels."""
_PHOTO_DISTANCE = 8.0
_PIVOT_DEPTH = -0.35
_STEP_PX = 8
_ROUNDS = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Pose:
    """Where a surface is: middle (frame pixels), height of the face (frame pixels), turns (degrees; yaw to its left, pitch down)."""

    x_px: float
    y_px: float
    face_px: float
    yaw_deg: float = 0.0
    pitch_deg: float = 0.0
    roll_deg: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Surface:
    """``image`` uint8 (h, w, 3) BGR; ``mask`` float32 (h, w) 0..1, where there is something; the face's middle and height in it."""

    image: Image
    mask: NDArray[np.float32]
    centre_px: tuple[float, float]
    face_px: float
    depth: Depth
    pivot_depth: float = _PIVOT_DEPTH


def flat(x: Plane, _y: Plane) -> Plane:
    """A sheet."""
    return np.zeros_like(x)


def bent(radius: float) -> Depth:
    """A sheet around an upright cylinder of ``radius`` (heights of the face), its middle nearest."""

    def depth(x: Plane, _y: Plane) -> Plane:
        return np.sqrt(np.maximum(radius**2 - np.minimum(np.abs(x), 0.95 * radius) ** 2, 0.0)) - radius

    return depth


def draw(frame: Image, surface: Surface, pose: Pose, *, warp: Warp | None = None) -> None:
    """Draw ``surface`` into ``frame`` (uint8 BGR, changed in place)."""
    height, width = frame.shape[:2]
    rows = np.arange(0, height + _STEP_PX, _STEP_PX)
    columns = np.arange(0, width + _STEP_PX, _STEP_PX)
    x, y = np.meshgrid((columns - pose.x_px) / pose.face_px, (rows - pose.y_px) / pose.face_px)
    roll = np.radians(pose.roll_deg)
    x, y = x * np.cos(roll) + y * np.sin(roll), y * np.cos(roll) - x * np.sin(roll)
    u, v = _seen(x, y, surface, pose)
    if warp is not None:
        u, v = warp(u, v)
    maps = []
    for coarse, middle in ((u, surface.centre_px[0]), (v, surface.centre_px[1])):
        places = (coarse * surface.face_px + middle).astype(np.float32)
        # Grid points lie at multiples of the step: sample them so, not by their cells' centres as resize would.
        fine_x = np.arange(width, dtype=np.float32) / _STEP_PX
        fine_y = np.arange(height, dtype=np.float32) / _STEP_PX
        maps.append(cv2.remap(places, *np.meshgrid(fine_x, fine_y), interpolation=cv2.INTER_LINEAR))
    seen = cv2.remap(surface.image, maps[0], maps[1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    alpha = cv2.remap(surface.mask, maps[0], maps[1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT)
    frame[:] = cv2.blendLinear(seen, frame, alpha, 1 - alpha)


def _seen(x: Plane, y: Plane, surface: Surface, pose: Pose) -> tuple[Plane, Plane]:
    """For places of the view (heights of the face from its middle) the places of the picture that are seen there."""
    u, v = x.copy(), y.copy()
    for _ in range(_ROUNDS):
        px, py = _project(u, v, surface, pose)
        u, v = np.clip(u + x - px, -4, 4), np.clip(v + y - py, -4, 4)
    return u, v


def _project(u: Plane, v: Plane, surface: Surface, pose: Pose) -> tuple[Plane, Plane]:
    depth = surface.depth(u, v)
    # The picture was itself taken in perspective, from farther away.
    away = 1 - depth / _PHOTO_DISTANCE
    px, py, pz = u * away, v * away, depth - surface.pivot_depth
    yaw, pitch = np.radians(pose.yaw_deg), np.radians(pose.pitch_deg)
    px, pz = px * np.cos(yaw) + pz * np.sin(yaw), pz * np.cos(yaw) - px * np.sin(yaw)
    py, pz = py * np.cos(pitch) + pz * np.sin(pitch), pz * np.cos(pitch) - py * np.sin(pitch)
    pz = pz + surface.pivot_depth
    distance = FOCAL_PX / pose.face_px
    scale = distance / np.maximum(distance - pz, 0.3)
    return px * scale, py * scale
