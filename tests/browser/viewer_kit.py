"""Pictures of which every pixel is known, and what the viewer should make of them, computed with numpy."""

import struct
import zlib
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from playwright.sync_api import Page
from port_kit import TalkingLane, finding, referred_crossing

from gate.core.evidence import Outcome

WIDTH_PX, HEIGHT_PX = 1100, 700
TOP = 65_535
PIXELS_PER_METRE = 2000
RATIOS = (1.15, 1.75, 3.0)
"""Attenuation of the low by that of the high energy, in three columns: organic, mixed, metal."""
EDGE_GAIN = 1.6
HIGH_PENETRATION = 300.0
Pixels = NDArray[np.float64]


def known_picture() -> tuple[NDArray[np.uint16], NDArray[np.uint16]]:
    """uint16 (HEIGHT_PX, WIDTH_PX), high and low energy: steps and noise, so that no two neighbours are alike."""
    rng = np.random.default_rng(7)
    ramp = np.linspace(0.06, 0.9, WIDTH_PX)[None, :] * np.linspace(1.0, 0.6, HEIGHT_PX)[:, None]
    high = ramp + rng.uniform(-0.03, 0.03, ramp.shape)
    high[:40, :] = 0.999
    ratio = np.repeat(np.array(RATIOS), [WIDTH_PX // 3, WIDTH_PX // 3, WIDTH_PX - 2 * (WIDTH_PX // 3)])[None, :]
    low = high**ratio
    return np.round(high * TOP).astype(np.uint16), np.round(low * TOP).astype(np.uint16)


def png_with_every_filter(picture: NDArray[np.uint16]) -> bytes:
    """A PNG of 16 bits whose rows take turns at the five filters (PNG 3rd edition, clause 9), in several IDAT chunks."""
    rows = picture.astype(">u2").view(np.uint8).astype(np.int16)
    height, stride = rows.shape
    left = np.zeros_like(rows)
    left[:, 2:] = rows[:, :-2]
    up = np.vstack([np.zeros((1, stride), np.int16), rows[:-1]])
    corner = np.vstack([np.zeros((1, stride), np.int16), left[:-1]])
    guess = left + up - corner
    far = [np.abs(guess - each) for each in (left, up, corner)]
    paeth = np.where((far[0] <= far[1]) & (far[0] <= far[2]), left, np.where(far[1] <= far[2], up, corner))
    predicted = [np.zeros_like(rows), left, up, (left + up) // 2, paeth]
    raw = b"".join(
        bytes([y % 5]) + ((rows[y] - predicted[y % 5][y]) % 256).astype(np.uint8).tobytes() for y in range(height)
    )
    packed = zlib.compress(raw, 1)
    head = struct.pack(">IIBBBBB", picture.shape[1], height, 16, 0, 0, 0, 0)
    parts = [packed[at : at + 50_000] for at in range(0, len(packed), 50_000)]
    scale = struct.pack(">IIB", PIXELS_PER_METRE, PIXELS_PER_METRE, 1)
    chunks = [(b"IHDR", head), (b"pHYs", scale), *((b"IDAT", part) for part in parts), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(kind, data) for kind, data in chunks)


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


@dataclass(frozen=True, slots=True, kw_only=True)
class Tone:
    """The viewer's settings, as its script names them."""

    window: tuple[float, float]
    is_inverted: bool = False
    penetration: int = 0
    edge: int = 0
    is_material: bool = False


def expected(high: NDArray[np.uint16], low: NDArray[np.uint16], tone: Tone) -> Pixels:
    """RGB (height, width, 3), 0 to 255, of pixels shown one to one."""
    v = high.astype(np.float64) / TOP
    if tone.edge:
        around = np.pad(v, 1, mode="edge")
        height, width = v.shape
        mean = sum(around[j : j + height, i : i + width] for j in range(3) for i in range(3)) / 9
        v = np.clip(v + tone.edge * EDGE_GAIN * (v - mean), 0, 1)
    x = np.clip((v - tone.window[0]) / (tone.window[1] - tone.window[0]), 0, 1)
    if tone.penetration == 1:
        x = np.log1p(HIGH_PENETRATION * x) / np.log1p(HIGH_PENETRATION)
    elif tone.penetration == 2:
        x = x**3
    grey = 1 - x if tone.is_inverted else x
    shown = np.repeat(grey[:, :, None], 3, axis=2)
    return 255 * (_coloured(shown, v, low.astype(np.float64) / TOP) if tone.is_material else shown)


def _coloured(grey: Pixels, high: Pixels, low: Pixels) -> Pixels:
    at_high, at_low = -np.log(np.maximum(high, 1e-4)), -np.log(np.maximum(low, 1e-4))
    ratio = (at_low / np.maximum(at_high, 1e-3))[:, :, None]
    organic, mixed, metal = (np.array(c) for c in ((0.96, 0.52, 0.07), (0.24, 0.72, 0.20), (0.13, 0.38, 0.94)))
    hue = _mix(organic, mixed, _smoothstep(1.33, 1.57, ratio))
    hue = _mix(hue, metal, _smoothstep(1.98, 2.22, ratio))
    known = (_smoothstep(0.02, 0.10, at_low) * _smoothstep(0.002, 0.012, low))[:, :, None]
    shade = np.where(grey < 0.5, hue * 2 * grey, _mix(hue, np.ones(3), 2 * grey - 1))
    return _mix(grey, shade, known)


def _mix(a: Pixels, b: Pixels, share: Pixels) -> Pixels:
    return a * (1 - share) + b * share


def _smoothstep(start: float, end: float, x: Pixels) -> Pixels:
    t = np.clip((x - start) / (end - start), 0, 1)
    return t * t * (3 - 2 * t)


def scanned_crossing(lane: TalkingLane, case_id: str) -> None:
    """A referred traveller whose bag was scanned at two energies: the known picture."""
    referred_crossing(lane, case_id)
    high, low = known_picture()
    attachments = (
        lane.store("xray_high", png_with_every_filter(high), "image/png"),
        lane.store("xray_low", png_with_every_filter(low), "image/png"),
    )
    lane.record(finding("cargo.scan", Outcome.REFER, role="customs", measured="tunnel"), attachments=attachments)
    lane.decide("refer", reasons=("cargo.scan",), roles=("customs", "quarantine"))


class ViewerPage:
    """The viewer on an officer's page."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.root = page.get_by_test_id("xray")

    def run(self, code: str, argument: Any = None) -> Any:
        """What ``code`` (of ``v``, the viewer, and ``a``, the argument) says."""
        return self.page.evaluate(
            f"a => {{ const v = document.querySelector('.xray-host').viewer; return {code}; }}", argument
        )

    def wait_until_shown(self) -> None:
        """Wait for both energies."""
        self.page.wait_for_function(
            "() => { const v = document.querySelector('.xray-host')?.viewer;"
            " return v?.root.dataset.state === 'ready' && v.isDual; }"
        )

    def pixels(self, x: int, y: int, width: int, height: int) -> Pixels:
        """RGB (height, width, 3) of a rectangle of the screen's pixels within the stage."""
        flat = self.run("Array.from(v.readPixels(...a), b => String.fromCharCode(b)).join('')", [x, y, width, height])
        values = np.frombuffer(flat.encode("latin-1"), np.uint8)
        return values.reshape(height, width, 4)[:, :, :3].astype(np.float64)

    def place(self, x: float, y: float) -> tuple[float, float]:
        """Which place of the picture lies at (x, y) of the stage, CSS pixels."""
        at = self.run("v.view.toPicture(v.frame, a[0] * v.ratio, a[1] * v.ratio)", [x, y])
        return at["x"], at["y"]

    def stage(self) -> tuple[float, float]:
        """Where the stage lies on the page."""
        box = self.root.locator(".xray-stage").bounding_box()
        assert box is not None
        return box["x"], box["y"]

    def tone(self) -> Tone:
        said = self.run(
            "({window: v.tone.window, is_inverted: v.tone.isInverted, penetration: v.tone.penetration,"
            " edge: v.tone.edge, is_material: v.tone.isMaterial})"
        )
        return Tone(**{**said, "window": tuple(said["window"])})
