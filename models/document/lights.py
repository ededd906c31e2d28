"""The page under infrared and ultraviolet light: is the zone printed in ink that absorbs infrared, does the paper fluoresce?

Pictures of one page that lay still, taken with one camera. White light tells where the ink of the zone is; what is asked under infrared is
how much of *that* contrast is left, so that blur and print weight cancel out. What the numbers are worth, on which pages they were
measured and what they miss, is in docs/decisions/0020-document-lights.md.
"""

from dataclasses import dataclass
from math import nan

import cv2
import numpy as np
from numpy.typing import NDArray

from gate.core.document_lights import INFRARED_INK, INFRARED_REST, ULTRAVIOLET_PAPER, LightCheck
from models.document.lines import SEARCH_WIDTH_PX, TextLine, rank_mrz_lines
from models.document.page import Quad, homography, quad_size
from models.document.reader import DocumentRead

Image = NDArray[np.uint8]
Grey = NDArray[np.uint8]
Mask = NDArray[np.bool_]

REST_LIMIT = 0.75
"""Share of the visual zone's contrast that is left under infrared; noted only, since many genuine pages print data in carbon."""
_LEAST_PAPER = 45.0
_LEAST_WHITE_CONTRAST = 0.2
_ZONE_FROM = 0.55
_MARGIN = 0.06
# The darkest share of a row is its strokes, the brightest is bare paper; what is between is edges.
_INK_SHARE, _PAPER_SHARE = 12.0, 55.0
_SMALL_PX = 160
_MOST_MOVED = 9.0


@dataclass(frozen=True, slots=True, kw_only=True)
class LightLimits:
    """``ink_least_contrast``: see :func:`ink_contrast`; ``paper_most_glow``: see :func:`paper_glow`. They belong to a reader's lamps."""

    ink_least_contrast: float = 0.45
    paper_most_glow: float = 0.22


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LitPictures:
    """uint8 (height, width, 3) BGR frames; None where a light could not be had, for the reason given."""

    white: Image
    infrared: Image | None = None
    ultraviolet: Image | None = None
    reason: str = ""


def check_lights(pictures: LitPictures, document: DocumentRead, limits: LightLimits) -> tuple[LightCheck, ...]:
    """Measure a document that was read in the white picture."""
    ink, rest, why_ink = nan, nan, pictures.reason
    if pictures.infrared is not None:
        found = ink_contrast(pictures.white, pictures.infrared, document)
        if isinstance(found, str):
            why_ink = found
        else:
            ink, rest, why_ink = *found, ""
    glow = None if pictures.ultraviolet is None else paper_glow(pictures.ultraviolet, document.page_quad_px)
    return (
        LightCheck(
            name=INFRARED_INK,
            measured=_number(ink),
            limit=limits.ink_least_contrast,
            is_least=True,
            reason=why_ink,
        ),
        LightCheck(
            name=INFRARED_REST,
            measured=_number(rest),
            limit=REST_LIMIT,
            is_least=False,
            reason=why_ink,
            is_noted=True,
        ),
        LightCheck(
            name=ULTRAVIOLET_PAPER,
            measured=glow,
            limit=limits.paper_most_glow,
            is_least=False,
            reason=pictures.reason if glow is None else "",
        ),
    )


def ink_contrast(white_bgr: Image, infrared_bgr: Image, document: DocumentRead) -> tuple[float, float] | str:
    """How much of the white picture's contrast is left under infrared: of the zone's ink, and of the rest of the page (0..1 and more).

    Contrast is the print contrast signal of ISO 1831: (paper - print) / paper. A string says why nothing could be measured.
    """
    white, infrared = (_straight(image, document.page_quad_px) for image in (white_bgr, infrared_bgr))
    rows = _rows(white, len(document.lines))
    if rows is None:
        return "the zone was not found again in the white picture"
    before, after, paper = _zone_contrast(white, infrared, rows)
    if paper < _LEAST_PAPER:
        return f"too little infrared light: paper at {paper:.0f} of 255"
    if before < _LEAST_WHITE_CONTRAST:
        return "the zone has too little contrast in white light"
    return after / before, _rest_contrast(white, infrared)


def paper_glow(ultraviolet_bgr: Image, page_quad_px: Quad) -> float:
    """How brightly the page's bare paper shines under ultraviolet, 0..1: the 60th percentile of its brightest channel.

    Fibres and emblems that are meant to shine cover less than that of a page; print keeps the paper's own light in.
    """
    page = _straight(ultraviolet_bgr, page_quad_px, is_grey=False)
    down, across = (round(_MARGIN * side) for side in page.shape[:2])
    inner = page[down:-down, across:-across]
    return float(np.percentile(inner.max(axis=2), 60) / 255)


def has_moved(before_bgr: Image, after_bgr: Image) -> bool:
    """Whether two white frames show the page at different places, or another page: mean difference of small copies above 9 levels."""
    small = []
    for image in (before_bgr, after_bgr):
        step = max(1, image.shape[1] // _SMALL_PX)
        grey = cv2.cvtColor(np.ascontiguousarray(image[::step, ::step]), cv2.COLOR_BGR2GRAY)
        small.append(cv2.GaussianBlur(grey, (3, 3), 0).astype(np.float32))
    return bool(np.abs(small[0] - small[1]).mean() > _MOST_MOVED)


def _number(value: float) -> float | None:
    return value if np.isfinite(value) else None


def _straight(image_bgr: Image, quad: Quad, *, is_grey: bool = True) -> Image:
    width, height = quad_size(quad)
    size = (SEARCH_WIDTH_PX, max(64, round(SEARCH_WIDTH_PX * height / width)))
    page = cv2.warpPerspective(image_bgr, homography(quad, *size), size, flags=cv2.INTER_LINEAR)
    return np.asarray(cv2.cvtColor(page, cv2.COLOR_BGR2GRAY) if is_grey else page, np.uint8)


def _rows(white: Grey, count: int) -> tuple[TextLine, ...] | None:
    """The zone's rows in the straightened page, y from its top."""
    upper = round(_ZONE_FROM * white.shape[0])
    groups = rank_mrz_lines(np.ascontiguousarray(white[upper:]))
    rows = next((rows for rows in groups if len(rows) == count), None)
    if rows is None:
        return None
    return tuple(
        TextLine(
            left=(row.left[0], row.left[1] + upper),
            right=(row.right[0], row.right[1] + upper),
            height_px=row.height_px,
            bow_px=row.bow_px,
        )
        for row in rows
    )


def _zone_contrast(white: Grey, infrared: Grey, rows: tuple[TextLine, ...]) -> tuple[float, float, float]:
    """Contrast of the zone in white light and under infrared, row by row, and the paper's infrared level; means of the rows."""
    found = []
    for row in rows:
        top, bottom = sorted((row.left[1], row.right[1]))
        half = row.height_px * 0.6
        part = (
            slice(max(0, round(top - half)), round(bottom + half) + 1),
            slice(max(0, round(row.left[0])), round(row.right[0]) + 1),
        )
        seen = white[part].astype(np.float32)
        lit = infrared[part].astype(np.float32)
        ink = seen <= np.percentile(seen, _INK_SHARE)
        paper = seen >= np.percentile(seen, _PAPER_SHARE)
        found.append((*(_contrast(plane, ink, paper) for plane in (seen, lit)), float(lit[paper].mean())))
    before, after, level = np.mean(np.array(found), axis=0)
    return float(before), float(after), float(level)


def _contrast(plane: NDArray[np.float32], ink: Mask, paper: Mask) -> float:
    bare = float(plane[paper].mean())
    return (bare - float(plane[ink].mean())) / max(bare, 1.0)


def _rest_contrast(white: Grey, infrared: Grey) -> float:
    """Share of the detail above the zone that is left under infrared: mean difference from the surroundings, by brightness."""
    down, across = round(_MARGIN * white.shape[0]), round(_MARGIN * white.shape[1])
    part = (slice(down, round(_ZONE_FROM * white.shape[0])), slice(across, -across))
    shares = []
    for plane in (white[part], infrared[part]):
        around = cv2.blur(plane, (15, 15))
        shares.append(float(np.percentile(cv2.absdiff(plane, around), 95)) / max(1.0, float(plane.mean())))
    return shares[1] / max(shares[0], 1e-3)
