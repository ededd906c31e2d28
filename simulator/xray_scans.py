"""Synthetic scans of bags for the viewer: 16-bit transmission at two energies, any size, from what the bag holds.

Each thing has a material and a thickness; the counts follow Beer-Lambert with mass attenuation coefficients after NIST's XCOM tables
(https://physics.nist.gov/xcom) at two energies that stand for a dual-energy line scanner, 60 and 100 keV, plus photon noise. Not
responsible for: files, faults, delivery (:mod:`simulator.xray_machine`); scatter and beam hardening are left out.
"""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

PIXEL_MM = 0.2
"""What a pixel of a 4096 px scan stands for: a tunnel of 0.8 m."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Material:
    """Density in g/cm3 and mass attenuation in cm2/g at 100 and 60 keV."""

    density: float
    at_high: float
    at_low: float


MATERIALS = {
    "cloth": Material(density=0.25, at_high=0.1614, at_low=0.1853),
    "plastic": Material(density=0.94, at_high=0.1719, at_low=0.1970),
    "water": Material(density=1.0, at_high=0.1707, at_low=0.2059),
    "meat": Material(density=1.05, at_high=0.1693, at_low=0.2048),
    "glass": Material(density=2.23, at_high=0.1660, at_low=0.2417),
    "aluminium": Material(density=2.70, at_high=0.1704, at_low=0.2778),
    "steel": Material(density=7.87, at_high=0.3717, at_low=1.205),
    "copper": Material(density=8.96, at_high=0.4584, at_low=1.593),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Scan:
    """uint16 (height, width) each, large is bright: air is near 65535."""

    high: NDArray[np.uint16]
    low: NDArray[np.uint16]


def make_scan(seed: int, *, size_px: int = 4096, photons: float = 60_000.0) -> Scan:
    """A square scan of a suitcase; the same seed gives the same bag at any size. ``photons``: of one pixel through air."""
    bag = _Bag(size_px)
    _pack(bag, np.random.default_rng(seed))
    noise = np.random.default_rng(seed + 1)
    return Scan(high=_counted(bag.high, photons, noise), low=_counted(bag.low, photons * 0.6, noise))


_AS_THE_HUB_DOES = (
    cv2.IMWRITE_PNG_FILTER,
    cv2.IMWRITE_PNG_FILTER_UP,
    cv2.IMWRITE_PNG_STRATEGY,
    cv2.IMWRITE_PNG_STRATEGY_HUFFMAN_ONLY,
)


def png16(picture: NDArray[np.uint16], *, pixel_mm: float | None = None) -> bytes:
    """A greyscale PNG of 16 bits; ``pixel_mm`` is written as pHYs (PNG 3rd edition, 11.3.4.3)."""
    coded = cv2.imencode(".png", picture, _AS_THE_HUB_DOES)[1].tobytes()
    if pixel_mm is None:
        return coded
    per_metre = round(1000 / pixel_mm)
    body = b"pHYs" + struct.pack(">IIB", per_metre, per_metre, 1)
    chunk = struct.pack(">I", 9) + body + struct.pack(">I", zlib.crc32(body))
    head = 8 + 25
    return coded[:head] + chunk + coded[head:]


class _Bag:
    """Attenuation so far; places and sizes are shares of the side, thicknesses centimetres."""

    def __init__(self, size_px: int) -> None:
        self._size_px = size_px
        self.high = np.zeros((size_px, size_px), np.float32)
        self.low = np.zeros_like(self.high)

    def px(self, share: float) -> int:
        return round(share * self._size_px)

    def add(self, mask: NDArray[np.float32], material: str, thickness_cm: float) -> None:
        made_of = MATERIALS[material]
        self.high += mask * np.float32(thickness_cm * made_of.density * made_of.at_high)
        self.low += mask * np.float32(thickness_cm * made_of.density * made_of.at_low)

    def blank(self) -> NDArray[np.uint8]:
        return np.zeros(self.high.shape, np.uint8)

    def box(self, x: float, y: float, width: float, height: float, *, turn_deg: float = 0.0) -> NDArray[np.float32]:
        corners = cv2.boxPoints(((self.px(x), self.px(y)), (self.px(width), self.px(height)), turn_deg))
        return cv2.fillConvexPoly(self.blank(), np.round(corners).astype(np.int32), (1,)).astype(np.float32)

    def shell(self, mask: NDArray[np.float32], wall: float) -> NDArray[np.float32]:
        """Only the wall of a thing: ``wall`` is a share of the side."""
        side = max(3, self.px(wall) | 1)
        inner = cv2.erode(mask, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side)))
        return (mask - inner).astype(np.float32)

    def round_bar(self, x: float, y: float, length: float, width: float, *, turn_deg: float) -> NDArray[np.float32]:
        """A lying cylinder: thick in the middle, nothing at its sides."""
        angle = np.deg2rad(turn_deg)
        across, along = self._turned(x, y, angle)
        thick = np.sqrt(np.clip(1 - (across / (width * self._size_px / 2)) ** 2, 0, None))
        return np.asarray(np.where(np.abs(along) < length * self._size_px / 2, thick, 0), np.float32)

    def blob(self, x: float, y: float, width: float, height: float, *, turn_deg: float = 0.0) -> NDArray[np.float32]:
        """An ellipsoid."""
        across, along = self._turned(x, y, np.deg2rad(turn_deg))
        far = (along / (width * self._size_px / 2)) ** 2 + (across / (height * self._size_px / 2)) ** 2
        return np.asarray(np.sqrt(np.clip(1 - far, 0, None)), np.float32)

    def line(self, points: NDArray[np.float64], width: float) -> NDArray[np.float32]:
        mask = self.blank()
        places = np.round(points * self._size_px).astype(np.int32)
        cv2.polylines(mask, [places], False, (1,), max(1, self.px(width)), cv2.LINE_8)
        return mask.astype(np.float32)

    def _turned(self, x: float, y: float, angle: float) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        rows, columns = np.ogrid[: self._size_px, : self._size_px]
        dx = (columns - self.px(x)).astype(np.float32)
        dy = (rows - self.px(y)).astype(np.float32)
        return dy * np.float32(np.cos(angle)) - dx * np.float32(np.sin(angle)), dx * np.float32(
            np.cos(angle)
        ) + dy * np.float32(np.sin(angle))


def _pack(bag: _Bag, rng: np.random.Generator) -> None:
    case = bag.box(0.5, 0.52, 0.86, 0.62)
    bag.add(bag.shell(case, 0.010), "plastic", 6.0)
    bag.add(case, "plastic", 0.5)
    _clothes(bag, rng)
    bag.add(bag.line(_arc(0.5, 0.2, 0.11, 0.055), 0.014), "aluminium", 1.0)
    for x in (0.30, 0.70):
        bag.add(bag.line(np.array([[x, 0.23], [x, 0.81]]), 0.006), "aluminium", 0.4)
    _bottle(bag, rng, 0.25 + float(rng.uniform(-0.03, 0.05)), 0.42)
    _computer(bag, rng, 0.62, 0.42)
    _can(bag, 0.22, 0.70)
    _fruit(bag, rng, 0.47, 0.70)
    _sausage(bag, rng, 0.68, 0.70)
    _small_metal(bag, rng)


def _clothes(bag: _Bag, rng: np.random.Generator) -> None:
    """Folds of cloth: smooth ridges over the whole bag."""
    coarse = rng.normal(0, 1, (24, 24)).astype(np.float32)
    folds = cv2.resize(coarse, bag.high.shape[::-1], interpolation=cv2.INTER_CUBIC)
    fine = cv2.resize(
        rng.normal(0, 1, (96, 96)).astype(np.float32), bag.high.shape[::-1], interpolation=cv2.INTER_CUBIC
    )
    cloth = np.clip(3 + 1.4 * folds + 0.5 * fine, 0.4, None).astype(np.float32)
    bag.add(cloth * bag.box(0.5, 0.52, 0.83, 0.59), "cloth", 1.0)


def _bottle(bag: _Bag, rng: np.random.Generator, x: float, y: float) -> None:
    turn = float(rng.uniform(-12, 12))
    body = bag.round_bar(x, y, 0.26, 0.085, turn_deg=90 + turn)
    bag.add(body, "water", 6.5)
    bag.add(bag.shell((body > 0).astype(np.float32), 0.006), "glass", 2.5)
    bag.add((body > 0).astype(np.float32), "glass", 0.5)


def _computer(bag: _Bag, rng: np.random.Generator, x: float, y: float) -> None:
    turn = float(rng.uniform(-6, 6))
    bag.add(bag.box(x, y, 0.36, 0.25, turn_deg=turn), "aluminium", 0.35)
    bag.add(bag.box(x, y, 0.34, 0.23, turn_deg=turn), "plastic", 0.5)
    bag.add(bag.box(x, y + 0.07, 0.27, 0.075, turn_deg=turn), "aluminium", 0.9)
    bag.add(bag.box(x - 0.06, y - 0.06, 0.15, 0.08, turn_deg=turn), "copper", 0.02)
    for _ in range(60):
        px, py = x - 0.06 + rng.uniform(-0.07, 0.07), y - 0.06 + rng.uniform(-0.035, 0.035)
        chip = bag.box(float(px), float(py), float(rng.uniform(0.003, 0.014)), float(rng.uniform(0.003, 0.012)))
        bag.add(chip, "copper", float(rng.uniform(0.02, 0.10)))
    wire = np.cumsum(rng.normal(0, 0.012, (60, 2)), axis=0) + np.array([x + 0.11, y - 0.05])
    bag.add(bag.line(wire, 0.0016), "copper", 0.12)


def _can(bag: _Bag, x: float, y: float) -> None:
    can = bag.box(x, y, 0.10, 0.13)
    bag.add(can, "meat", 6.0)
    bag.add(can, "steel", 0.04)
    bag.add(bag.shell(can, 0.006), "steel", 0.35)


def _fruit(bag: _Bag, rng: np.random.Generator, x: float, y: float) -> None:
    for dx, dy in ((0, 0), (0.075, 0.015), (0.035, -0.06)):
        bag.add(bag.blob(x + dx, y + dy, 0.075, 0.072, turn_deg=float(rng.uniform(0, 90))), "water", 6.0)
        bag.add(bag.blob(x + dx, y + dy, 0.017, 0.024), "plastic", 1.4)


def _sausage(bag: _Bag, rng: np.random.Generator, x: float, y: float) -> None:
    for number in range(3):
        bag.add(bag.blob(x, y + 0.032 * number, 0.17, 0.03, turn_deg=float(rng.uniform(-8, 8))), "meat", 3.2)


def _small_metal(bag: _Bag, rng: np.random.Generator) -> None:
    """A knife, keys and coins."""
    x, y = 0.84, 0.40
    bag.add(bag.box(x, y, 0.018, 0.15, turn_deg=8), "steel", 0.22)
    bag.add(bag.box(x - 0.012, y + 0.115, 0.022, 0.085, turn_deg=8), "plastic", 1.6)
    for _ in range(7):
        cx, cy = 0.83 + rng.uniform(-0.04, 0.04), 0.64 + rng.uniform(-0.05, 0.05)
        mask = bag.blank()
        cv2.circle(mask, (bag.px(float(cx)), bag.px(float(cy))), bag.px(0.012), (1,), -1)
        bag.add(mask.astype(np.float32), "copper", 0.18)
    ring = bag.blank()
    cv2.circle(ring, (bag.px(0.82), bag.px(0.76)), bag.px(0.018), (1,), bag.px(0.003))
    bag.add(ring.astype(np.float32), "steel", 0.2)


def _arc(x: float, y: float, width: float, height: float) -> NDArray[np.float64]:
    turn = np.linspace(np.pi, 2 * np.pi, 60)
    return np.stack([x + width * np.cos(turn), y + height * np.sin(turn)], axis=1)


def _counted(attenuation: NDArray[np.float32], photons: float, rng: np.random.Generator) -> NDArray[np.uint16]:
    """What the detector says; the photon noise is taken as normal, which it is but for single photons."""
    expected = np.exp(-attenuation)
    noisy = expected + np.sqrt(expected / np.float32(photons)) * rng.standard_normal(expected.shape, dtype=np.float32)
    return np.asarray(np.clip(noisy * np.float32(65_000), 0, 65_535), dtype=np.uint16)
