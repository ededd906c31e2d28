"""Pages under infrared and ultraviolet light, as what they are printed with lets them look. For measuring and for the twins.

What the ranges rest on is known of materials in general, and no recording of documents: carbon (toner, pigment black, the B900 ink of an
MRZ) absorbs infrared; the dyes and pigments of colour printing hardly do; paper for offices holds optical brighteners and glows blue under
365 nm, paper for documents does not; a passport that went through the wash has taken some up.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import cv2
import numpy as np
from numpy.typing import NDArray

from drivers.camera.light import LightStep
from simulator.frames import DocumentDamage, document_frame
from simulator.passports import PAGE_MM

Image = NDArray[np.uint8]
Plane = NDArray[np.float32]
_ZONE_MM = 23.2
_PAPER_INFRARED = 205.0
_GLASS = {LightStep.WHITE: 1.0, LightStep.INFRARED: 0.5, LightStep.ULTRAVIOLET: 0.12}


class Stock(StrEnum):
    """What a page is made of."""

    GENUINE = "genuine"
    """B900 ink for the MRZ, other print fades under infrared, paper without brighteners."""
    GENUINE_BLACK_TEXT = "genuine_black_text"
    """The same, with the holder's data printed in the ink of the MRZ."""
    LAUNDERED = "laundered"
    """Genuine, and once washed with detergent."""
    INKJET_DYE = "inkjet_dye"
    """Dye inks on office paper: nothing absorbs infrared."""
    INKJET_PIGMENT = "inkjet_pigment"
    """Black of carbon pigment on office paper: the MRZ is dark under infrared, as it should be."""
    LASER_COLOUR = "laser_colour"
    """Carbon toner for all dark parts, on office paper."""
    DYE_ON_DULL = "dye_on_dull"
    """Dye inks on paper without brighteners: whoever made it thought of ultraviolet only."""
    PIGMENT_ON_DULL = "pigment_on_dull"
    """Carbon pigment on paper without brighteners: neither light shows it."""
    SCREEN = "screen"
    """A telephone's display, which neither reflects infrared as paper does nor fluoresces."""

    @property
    def is_genuine(self) -> bool:
        return self in (Stock.GENUINE, Stock.GENUINE_BLACK_TEXT, Stock.LAUNDERED)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Recipe:
    """Ranges: how much infrared the MRZ's ink and other dark print absorb (0..1), and how brightly the paper glows (0..1)."""

    zone: tuple[float, float]
    text: tuple[float, float]
    glow: tuple[float, float]


_DULL, _OFFICE = (0.02, 0.12), (0.4, 0.85)
_RECIPES = {
    Stock.GENUINE: _Recipe(zone=(0.8, 0.98), text=(0.02, 0.2), glow=_DULL),
    Stock.GENUINE_BLACK_TEXT: _Recipe(zone=(0.8, 0.98), text=(0.6, 0.95), glow=_DULL),
    Stock.LAUNDERED: _Recipe(zone=(0.7, 0.95), text=(0.02, 0.2), glow=(0.1, 0.3)),
    Stock.INKJET_DYE: _Recipe(zone=(0.02, 0.25), text=(0.02, 0.2), glow=_OFFICE),
    Stock.INKJET_PIGMENT: _Recipe(zone=(0.75, 0.97), text=(0.4, 0.95), glow=_OFFICE),
    Stock.LASER_COLOUR: _Recipe(zone=(0.8, 0.98), text=(0.5, 0.95), glow=_OFFICE),
    Stock.DYE_ON_DULL: _Recipe(zone=(0.02, 0.25), text=(0.02, 0.2), glow=_DULL),
    Stock.PIGMENT_ON_DULL: _Recipe(zone=(0.75, 0.97), text=(0.4, 0.95), glow=_DULL),
    Stock.SCREEN: _Recipe(zone=(0.0, 0.05), text=(0.0, 0.05), glow=(0.0, 0.04)),
}


def lit_frames(
    page_bgr: Image, stock: Stock, *, seed: int, damage: DocumentDamage | None = None
) -> dict[LightStep, Image]:
    """The frames of one page on the glass under each light, uint8 (960, 1280, 3) BGR: the same place, fresh noise."""
    rng = np.random.default_rng([seed, 7])
    frames = {}
    for step in (LightStep.WHITE, LightStep.INFRARED, LightStep.ULTRAVIOLET):
        page = page_bgr if step is LightStep.WHITE else under(page_bgr, stock, step, rng)
        # The place and the lens are drawn from the seed alone, so that they are those of the first frame.
        frame = document_frame(page, rng=np.random.default_rng(seed), damage=damage)
        frames[step] = _dim_glass(frame, page, step, seed=seed, damage=damage)
    return frames


def under(page_bgr: Image, stock: Stock, step: LightStep, rng: np.random.Generator) -> Image:
    """The page alone, as a camera without colour filters for that band sees it, uint8 as `page_bgr`."""
    recipe = _RECIPES[stock]
    if step is LightStep.INFRARED:
        return _infrared(page_bgr, recipe, rng, is_screen=stock is Stock.SCREEN)
    return _ultraviolet(page_bgr, recipe, rng, is_passport=stock.is_genuine)


def _infrared(page_bgr: Image, recipe: _Recipe, rng: np.random.Generator, *, is_screen: bool) -> Image:
    density = _ink_density(page_bgr)
    zone_top = page_bgr.shape[0] - round(_ZONE_MM / PAGE_MM[1] * page_bgr.shape[0])
    absorbed = density * np.float32(rng.uniform(*recipe.text))
    absorbed[zone_top:] = density[zone_top:] * np.float32(rng.uniform(*recipe.zone))
    paper = rng.uniform(12, 25) if is_screen else _PAPER_INFRARED * rng.uniform(0.85, 1.1)
    grey = np.clip(paper * (1 - absorbed), 0, 255).astype(np.uint8)
    return np.asarray(cv2.merge([grey, grey, grey]), np.uint8)


def _ultraviolet(page_bgr: Image, recipe: _Recipe, rng: np.random.Generator, *, is_passport: bool) -> Image:
    """Blue glow of the paper, kept in by ink; a genuine page has fibres and a pattern that shine in colours of their own."""
    height, width = page_bgr.shape[:2]
    glow = np.float32(rng.uniform(*recipe.glow) * 255) * (1 - 0.85 * _ink_density(page_bgr))
    lit = np.dstack([glow, 0.55 * glow, 0.45 * glow])
    if is_passport:
        marks = np.zeros((height, width, 3), np.uint8)
        for _ in range(30):
            x, y = int(rng.integers(width)), int(rng.integers(height))
            end = (x + int(rng.integers(-30, 30)), y + int(rng.integers(-30, 30)))
            cv2.line(marks, (x, y), end, tuple(int(v) for v in rng.integers(80, 250, 3)), 2)
        cv2.ellipse(
            marks, (int(width * 0.65), int(height * 0.4)), (width // 9, height // 9), 0, 0, 360, (40, 200, 190), 6
        )
        lit = lit + marks.astype(np.float32)
    return np.clip(lit, 0, 255).astype(np.uint8)


def _ink_density(page_bgr: Image) -> Plane:
    """How much print lies there, 0 (bare page) .. 1 (its darkest ink), float32 (height, width)."""
    grey = cv2.cvtColor(page_bgr, cv2.COLOR_BGR2GRAY).astype(np.float32)
    dark, bare = np.percentile(grey, [0.3, 75])
    return np.asarray(np.clip((bare - grey) / max(1.0, bare - dark), 0, 1), np.float32)


def _dim_glass(frame: Image, page: Image, step: LightStep, *, seed: int, damage: DocumentDamage | None) -> Image:
    """The glass around the page is lit by the same lamp, and is no brighter than that."""
    blank = document_frame(np.full_like(page, 255), rng=np.random.default_rng(seed), damage=damage)
    is_page = cv2.erode((blank[:, :, 1] > 128).astype(np.uint8), np.ones((3, 3), np.uint8))
    share = np.where(is_page > 0, 1.0, _GLASS[step]).astype(np.float32)[:, :, None]
    dimmed: Image = np.clip(frame.astype(np.float32) * share, 0, 255).astype(np.uint8)
    return dimmed
