"""Paper and screens: what printing and showing do to a picture.

A print loses contrast and colour, is drawn in dots, and ends at a white edge. A screen has a grid of red, green and blue stripes, which a
camera's own grid turns into moire, shines, reflects the hall, and ends at a dark bezel.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from simulator.pad_head import Head
from simulator.pad_surface import Depth, Surface, bent

Image = NDArray[np.uint8]
Floats = NDArray[np.float32]

_HELD_PIVOT = 0.0


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Medium:
    """``half_width`` and ``half_height`` of the picture, heights of the face; an edge of ``edge`` around it in ``edge_bgr``."""

    half_width: float
    half_height: float
    edge: float
    edge_bgr: tuple[int, int, int]
    shown: Callable[[Image], Image]

    def of(self, surface: Surface, *, depth: Depth) -> Surface:
        """``surface``'s picture on this medium."""
        picture, centre = _cut(surface, self.half_width, self.half_height)
        margin = round(self.edge * surface.face_px)
        picture = self.shown(picture)
        picture = cv2.copyMakeBorder(
            picture, margin, margin, margin, margin, cv2.BORDER_CONSTANT, value=self.edge_bgr
        ).astype(np.uint8, copy=False)
        return Surface(
            image=picture,
            mask=np.ones(picture.shape[:2], np.float32),
            centre_px=(centre[0] + margin, centre[1] + margin),
            face_px=surface.face_px,
            depth=depth,
            pivot_depth=_HELD_PIVOT,
        )


def printed(rng: np.random.Generator) -> Medium:
    """A sheet from an office printer, held so that the face is about life-size."""
    pitch_px, angle = float(rng.uniform(2.6, 4.2)), float(rng.uniform(0, np.pi / 2))
    depth, fade = float(rng.uniform(0.0, 0.04)), float(rng.uniform(0.72, 0.88))
    has_edge = rng.random() < 0.8

    def shown(picture: Image) -> Image:
        grey = cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY).astype(np.float32)[..., None]
        ink = (picture * 0.8 + grey * 0.2 - 128) * fade + 138
        return _clip(ink * (1 + depth * _dots(picture.shape[:2], pitch_px, angle)[..., None]))

    return Medium(
        half_width=float(rng.uniform(0.65, 1.1)),
        half_height=float(rng.uniform(0.8, 1.3)),
        edge=float(rng.uniform(0.04, 0.12)) if has_edge else 0.0,
        edge_bgr=(238, 240, 240),
        shown=shown,
    )


def on_screen(rng: np.random.Generator) -> Medium:
    """A telephone or a tablet."""
    pitch_px, depth = float(rng.uniform(2.05, 2.7)), float(rng.uniform(0.02, 0.12))
    gain, blue = float(rng.uniform(0.95, 1.2)), float(rng.uniform(1.0, 1.15))
    reflection = float(rng.uniform(0, 18))

    def shown(picture: Image) -> Image:
        height, width = picture.shape[:2]
        columns = np.arange(width, dtype=np.float32) / pitch_px
        stripes = [1 + depth * np.cos(2 * np.pi * (columns - third / 3)) for third in (2, 1, 0)]
        rows = (1 + 0.5 * depth * np.cos(2 * np.pi * np.arange(height, dtype=np.float32) / pitch_px))[:, None, None]
        light = np.array([gain * blue, gain, gain], np.float32)
        return _clip(picture * light * np.stack(stripes, axis=1)[None] * rows + reflection)

    return Medium(
        half_width=float(rng.uniform(0.5, 0.8)),
        half_height=float(rng.uniform(0.7, 1.05)),
        edge=float(rng.uniform(0.04, 0.09)),
        edge_bgr=(22, 20, 20),
        shown=shown,
    )


def cut_out(head: Head, medium: Medium) -> Surface:
    """The printed face cut along its outline, with holes for the eyes, bent around the wearer's head."""
    printed_face = replace(medium, half_width=0.7, half_height=0.8, edge=0.0).of(head.surface, depth=bent(0.62))
    mask = np.zeros(printed_face.mask.shape, np.float32)
    middle = (round(printed_face.centre_px[0]), round(printed_face.centre_px[1]))
    size = printed_face.face_px
    cv2.ellipse(mask, middle, (round(0.44 * size), round(0.56 * size)), 0, 0, 360, 1.0, -1)
    span = head.landmarks.eyes_apart
    for eye in head.landmarks.points[:2]:
        at = (round(middle[0] + float(eye[0]) * size), round(middle[1] + float(eye[1]) * size))
        cv2.ellipse(mask, at, (round(0.26 * span * size), round(0.15 * span * size)), 0, 0, 360, 0.0, -1)
    return replace(printed_face, mask=cv2.GaussianBlur(mask, (0, 0), 1.0).astype(np.float32), pivot_depth=-0.75)


def _cut(surface: Surface, half_width: float, half_height: float) -> tuple[Image, tuple[float, float]]:
    """The part of a surface's picture around its face, the hall's grey where there is nothing."""
    x, y = surface.centre_px
    left, right = round(x - half_width * surface.face_px), round(x + half_width * surface.face_px)
    top, bottom = round(y - half_height * surface.face_px), round(y + half_height * surface.face_px)
    height, width = surface.image.shape[:2]
    pads = (max(0, -top), max(0, bottom - height), max(0, -left), max(0, right - width))
    part = surface.image[max(0, top) : bottom, max(0, left) : right]
    part = cv2.copyMakeBorder(part, *pads, cv2.BORDER_REPLICATE).astype(np.uint8, copy=False)
    return part, (x - left, y - top)


def _dots(shape: tuple[int, ...], pitch_px: float, angle: float) -> Floats:
    y, x = np.mgrid[: shape[0], : shape[1]].astype(np.float32) * np.float32(2 * np.pi / pitch_px)
    across, along = x * np.cos(angle) + y * np.sin(angle), y * np.cos(angle) - x * np.sin(angle)
    return np.asarray(np.cos(across) * np.cos(along), np.float32)


def _clip(values: NDArray[np.floating]) -> Image:
    clipped: Image = np.clip(values, 0, 255).astype(np.uint8)
    return clipped
