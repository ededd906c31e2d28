"""Photographs of printed pages through a model of a camera, for measuring only: see :mod:`models.training.mrz_scene_page`.

A pinhole camera looks at a page that is bent like a leaf of a booklet and lies turned anyhow on a desk; each pixel's ray is
followed to the paper. Lamps, their reflection in a laminate and shadows of hands light it; the lens blurs by defocus and
motion, the sensor has a colour mosaic and noise that grows with light; the camera balances, sharpens and compresses.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from gate.checks.mrz import MrzFormat
from models.training.mrz_scene_page import PX_PER_MM, PrintedPage, print_page

Image = NDArray[np.uint8]
Field = NDArray[np.float32]

_FRAMES_PX = ((1280, 960), (1024, 768), (1600, 1200), (1280, 720), (800, 600))
# Of the four ways a document may lie, the one that signs on readers ask for is the commonest.
_TURNS = (0.55, 0.15, 0.15, 0.15)
# Characters at a smaller pitch are not asked for: a camera for documents has three times as many pixels.
LEAST_PITCH_PX = 8.0


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ScenePicture:
    """``frame_bgr`` is uint8 (height, width, 3) BGR; ``lines`` is what is printed.

    ``rows_px`` float32 (lines, 2, 2) are the ends of the rows in the frame, to tell which step lost a zone.
    """

    frame_bgr: Image
    format: MrzFormat
    lines: tuple[str, ...]
    rows_px: Field


def render_scene(rng: np.random.Generator) -> ScenePicture:
    """Print a page and photograph it."""
    return photograph(rng, print_page(rng))


def photograph(rng: np.random.Generator, page: PrintedPage) -> ScenePicture:
    """Lay a page on a desk anyhow and take a picture of it."""
    size = _FRAMES_PX[int(rng.integers(len(_FRAMES_PX)))]
    height_mm, width_mm = page.paint_bgr.shape[0] / PX_PER_MM, page.paint_bgr.shape[1] / PX_PER_MM
    camera = _Camera.placed(rng, size, (width_mm, height_mm))
    leaf = _Leaf.bent(rng, width_mm)
    x_mm, y_mm = camera.seen_points(leaf)
    light = _fine(_light(rng, x_mm, y_mm, (width_mm, height_mm)))
    mirrored = _fine(_reflection(rng, x_mm, y_mm, (width_mm, height_mm)))
    seen = _sampled(rng, page, _fine(x_mm), _fine(y_mm), camera) * light[..., None] + mirrored[..., None]
    frame = _sensor(rng, _lens(rng, seen, camera.px_per_mm))
    rows = camera.project(leaf, page.rows_mm.reshape(-1, 2)).reshape(-1, 2, 2)
    return ScenePicture(frame_bgr=frame, format=page.format, lines=page.lines, rows_px=rows)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Leaf:
    """How far the paper lies above the desk, by its length: ``height_mm`` at steps of a millimetre from its left edge."""

    height_mm: Field
    is_across: bool

    @classmethod
    def bent(cls, rng: np.random.Generator, width_mm: float) -> "_Leaf":
        at = np.arange(int(width_mm) + 2, dtype=np.float32) / width_mm
        rise = np.zeros_like(at)
        if rng.random() < 0.6:
            rise = rng.uniform(0, 5.0) * np.exp(-at * rng.uniform(2, 7)) if rng.random() < 0.5 else rise
            rise = rise + rng.uniform(0, 2.5) * np.sin(np.pi * at) ** 2
        return cls(height_mm=rise.astype(np.float32), is_across=bool(rng.random() < 0.75))

    def at(self, x_mm: Field, y_mm: Field) -> Field:
        along = x_mm if self.is_across else y_mm
        index = np.clip(along, 0, len(self.height_mm) - 1.001)
        low = index.astype(np.int32)
        share = index - low
        return np.asarray(self.height_mm[low] * (1 - share) + self.height_mm[low + 1] * share, dtype=np.float32)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Camera:
    """``matrix`` float64 (3, 4) maps page millimetres (x right, y down, z up from the desk) to the frame."""

    matrix: NDArray[np.float64]
    size_px: tuple[int, int]
    px_per_mm: float

    @classmethod
    def placed(cls, rng: np.random.Generator, size: tuple[int, int], page_mm: tuple[float, float]) -> "_Camera":
        width, height = size
        quarter = int(rng.choice(4, p=_TURNS))
        across = page_mm if quarter % 2 == 0 else (page_mm[1], page_mm[0])
        px_per_mm = rng.uniform(0.6, 0.93) * min(width / across[0], height / across[1])
        px_per_mm = max(px_per_mm, LEAST_PITCH_PX / 2.54)
        distance = rng.uniform(2.2, 6.0) * max(page_mm)
        turn = np.radians(90 * quarter + rng.normal(0, 3.5))
        tilt_x, tilt_y = np.radians(rng.normal(0, 5.0, 2))
        cos, sin = np.cos(turn), np.sin(turn)
        spin = np.array([[cos, -sin, 0], [sin, cos, 0], [0, 0, 1]])
        lean_x = np.array([[1, 0, 0], [0, np.cos(tilt_x), -np.sin(tilt_x)], [0, np.sin(tilt_x), np.cos(tilt_x)]])
        lean_y = np.array([[np.cos(tilt_y), 0, np.sin(tilt_y)], [0, 1, 0], [-np.sin(tilt_y), 0, np.cos(tilt_y)]])
        # Away from the camera is positive, so what lies above the desk is nearer.
        rotation = lean_x @ lean_y @ spin @ np.diag([1, 1, -1])
        middle = np.array([page_mm[0] / 2, page_mm[1] / 2, 0])
        shift = np.array([*(rng.uniform(-0.02, 0.02, 2) * [width, height] / px_per_mm), distance])
        outer = np.hstack([rotation, (shift - rotation @ middle)[:, None]])
        focal = px_per_mm * distance
        inner = np.array([[focal, 0, width / 2], [0, focal, height / 2], [0, 0, 1]])
        return cls(matrix=inner @ outer, size_px=size, px_per_mm=float(px_per_mm))

    def seen_points(self, leaf: _Leaf) -> tuple[Field, Field]:
        """Return which point of the page every fourth pixel sees, float32 (height / 4, width / 4) each; beside it too."""
        width, height = self.size_px
        u, v = np.meshgrid(*((np.arange(side // 4, dtype=np.float32) + 0.5) * 4 - 0.5 for side in (width, height)))
        x, y = self._on_level(u, v, np.zeros(1, np.float32))
        # The ray meets the paper where its height is the paper's there: four steps bring that within a hundredth of a pixel.
        for _ in range(4 if leaf.height_mm.any() else 0):
            x, y = self._on_level(u, v, leaf.at(x, y))
        return x, y

    def _on_level(self, u: Field, v: Field, z: Field) -> tuple[Field, Field]:
        p = self.matrix.astype(np.float32)
        a, b = p[0, 0] - u * p[2, 0], p[0, 1] - u * p[2, 1]
        c, d = p[1, 0] - v * p[2, 0], p[1, 1] - v * p[2, 1]
        e = u * (p[2, 2] * z + p[2, 3]) - (p[0, 2] * z + p[0, 3])
        f = v * (p[2, 2] * z + p[2, 3]) - (p[1, 2] * z + p[1, 3])
        det = a * d - b * c
        return (e * d - b * f) / det, (a * f - e * c) / det

    def project(self, leaf: _Leaf, points_mm: Field) -> Field:
        """Return where points of the page, float32 (n, 2), are in the frame."""
        z = leaf.at(points_mm[:, 0], points_mm[:, 1])
        ends = self.matrix @ np.stack([points_mm[:, 0], points_mm[:, 1], z, np.ones(len(z))])
        seen: Field = (ends[:2] / ends[2]).T.astype(np.float32)
        return seen


def _fine(coarse: Field) -> Field:
    """Return what was worked out for every fourth pixel for all of them: geometry and light change slowly."""
    return np.asarray(cv2.resize(coarse, None, fx=4, fy=4, interpolation=cv2.INTER_LINEAR), dtype=np.float32)


def _sampled(rng: np.random.Generator, page: PrintedPage, x_mm: Field, y_mm: Field, camera: _Camera) -> Field:
    """Return the colours that the pixels see: of the page, of the desk beside it."""
    # Shrunk by areas to a little more than the frame's resolution: a pixel takes in all the light that falls on it.
    finer = min(1.0, 1.25 * camera.px_per_mm / PX_PER_MM)
    paint = cv2.resize(page.paint_bgr, None, fx=finer, fy=finer, interpolation=cv2.INTER_AREA)
    scale = PX_PER_MM * finer
    at_x, at_y = x_mm * scale - 0.5, y_mm * scale - 0.5
    height, width = paint.shape[:2]
    seen = cv2.remap(paint, at_x, at_y, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE).astype(np.float32)
    inside = np.minimum(np.minimum(at_x, width - at_x), np.minimum(at_y, height - at_y))
    share = np.clip(inside + 0.5, 0, 1)[..., None]
    return np.asarray(seen * share + _desk(rng, inside, camera.px_per_mm) * (1 - share), dtype=np.float32)


def _desk(rng: np.random.Generator, inside: Field, px_per_mm: float) -> Field:
    """Return what lies around the page: glass, wood, paper; with the page's own shadow at its edge."""
    shape = inside.shape
    kind = rng.random()
    shade = rng.uniform(8, 60) if kind < 0.6 else rng.uniform(60, 130) if kind < 0.85 else rng.uniform(130, 235)
    tint = rng.uniform(0.85, 1.15, 3).astype(np.float32)
    grain = cv2.resize(
        rng.standard_normal((shape[0] // 3, max(2, shape[1] // 40))).astype(np.float32), (shape[1], shape[0])
    )
    desk = shade + rng.uniform(0, 5) * grain
    desk = desk * (1 - 0.4 * np.exp(inside / (1.2 * px_per_mm)).clip(0, 1))
    return np.asarray(desk[..., None] * tint, dtype=np.float32)


def _light(rng: np.random.Generator, x_mm: Field, y_mm: Field, page_mm: tuple[float, float]) -> Field:
    """Return the light on each point, float32 (height, width): a lamp to one side, now and then a hand's shadow."""
    lamp = rng.uniform(-0.8, 1.8, 2) * page_mm
    above = rng.uniform(120, 400)
    light = above**3 / ((x_mm - lamp[0]) ** 2 + (y_mm - lamp[1]) ** 2 + above**2) ** 1.5
    middle = light[light.shape[0] // 2, light.shape[1] // 2]
    share = rng.uniform(0.2, 1.0)
    light = (1 - share) + share * light / middle
    if rng.random() < 0.2:
        angle, edge = rng.uniform(0, 2 * np.pi), rng.uniform(1, 12)
        at = rng.uniform(0.2, 0.8, 2) * page_mm
        side = ((x_mm - at[0]) * np.cos(angle) + (y_mm - at[1]) * np.sin(angle)) / edge
        light = light * (1 - rng.uniform(0.1, 0.5) / (1 + np.exp(-np.clip(side, -20, 20))))
    return np.asarray(light * rng.uniform(0.75, 1.05), dtype=np.float32)


def _reflection(rng: np.random.Generator, x_mm: Field, y_mm: Field, page_mm: tuple[float, float]) -> Field:
    """Return a lamp's reflection in the laminate, in grey levels; over the zone it dims the ink but leaves it visible."""
    if rng.random() > 0.3:
        return np.zeros_like(x_mm)
    at = rng.random(2) * page_mm
    wide = rng.uniform(4, 25)
    distance = ((x_mm - at[0]) / wide) ** 2 + ((y_mm - at[1]) / (wide * rng.uniform(0.3, 1.0))) ** 2
    lobe = rng.uniform(20, 120) / (1 + distance) ** 2
    if rng.random() < 0.3:
        # A tube or a window reflects as a band.
        turn = rng.uniform(0, np.pi)
        off = ((x_mm - at[0]) * np.cos(turn) + (y_mm - at[1]) * np.sin(turn)) / rng.uniform(2, 8)
        lobe = rng.uniform(15, 80) * np.exp(-(off**4))
    return np.asarray(lobe, dtype=np.float32)


def _lens(rng: np.random.Generator, seen: Field, px_per_mm: float) -> Field:
    """Blur by defocus, motion or both, up to a fifth of a millimetre on paper (a stroke is 0.35 mm wide)."""
    if rng.random() < 0.6:
        radius = rng.uniform(0.05, 0.3) * px_per_mm
        size = 2 * int(np.ceil(radius)) + 1
        y, x = np.mgrid[:size, :size] - size // 2
        kernel = np.clip(radius + 0.5 - np.hypot(x, y), 0, 1)
        seen = _filtered(seen, np.asarray(kernel, dtype=np.float32))
    if rng.random() < 0.3:
        reach, turn = rng.uniform(0.1, 0.45) * px_per_mm, rng.uniform(0, np.pi)
        size = 2 * int(np.ceil(reach / 2)) + 1
        kernel = np.zeros((size, size), np.float32)
        for at in np.linspace(-reach / 2, reach / 2, 33):
            column, row = (round(at * way + size // 2) for way in (np.cos(turn), np.sin(turn)))
            kernel[min(size - 1, row), min(size - 1, column)] += 1
        seen = _filtered(seen, kernel)
    return seen


def _filtered(seen: Field, kernel: Field) -> Field:
    return np.asarray(cv2.filter2D(seen, -1, kernel / kernel.sum()), dtype=np.float32)


def _sensor(rng: np.random.Generator, seen: Field) -> Image:
    """Return the picture, uint8: colour mosaic, noise, balance, sharpening, small size, compression."""
    raw = np.clip(seen, 0, 255)
    mosaic = raw[..., 1].copy()
    mosaic[0::2, 0::2], mosaic[1::2, 1::2] = raw[0::2, 0::2, 2], raw[1::2, 1::2, 0]
    full = float(np.exp(rng.uniform(np.log(300), np.log(8000))))
    noise = rng.standard_normal(mosaic.shape, dtype=np.float32)
    mosaic += np.sqrt(mosaic * (255 / full) + rng.uniform(0, 3.0) ** 2) * noise
    frame = cv2.cvtColor(np.clip(mosaic, 0, 255).astype(np.uint8), cv2.COLOR_BayerBG2BGR)
    gamma, gain = rng.uniform(0.8, 1.25), rng.uniform(0.92, 1.06, 3)
    curve = 255 * (np.arange(256)[:, None] / 255) ** gamma * gain
    frame = cv2.LUT(frame, np.clip(curve, 0, 255).astype(np.uint8)[None])
    treatment = rng.random()
    if treatment < 0.25:
        frame = cv2.addWeighted(frame, 1.7, cv2.GaussianBlur(frame, (0, 0), 1.2), -0.7, 0)
    elif treatment < 0.35:
        frame = cv2.medianBlur(frame, 3) if frame.shape[1] >= 1200 else frame
    quality = int(rng.integers(35, 97))
    _, data = cv2.imencode(".jpg", frame, [cv2.IMWRITE_JPEG_QUALITY, quality])
    return np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR), dtype=np.uint8)
