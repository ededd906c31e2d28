"""Signs that a page is a copy: a raster, no colour, a larger sheet. Findings for an officer, never a verdict.

Each sign is a number with a limit that was chosen for few false alarms (docs/decisions/0013-document-findings.md says on what it was
measured and what it misses: at a document reader's resolution a telephone's screen has no raster that one could see).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import cv2
import numpy as np
from numpy.typing import NDArray

from gate.checks.mrz import LAYOUTS, MrzFormat
from gate.core.document_findings import CueFacts
from models.document.lines import SEARCH_WIDTH_PX, rank_mrz_lines
from models.document.page import Quad, homography, quad_size, whole_image
from models.document.reader import DocumentRead

Image = NDArray[np.uint8]
Plane = NDArray[np.float32]

RASTER, PHOTOCOPY, SHEET = "raster", "photocopy", "sheet"

RASTER_LIMIT = 1.55
"""Prominence of the strongest frequency: log10 of its amplitude over the mean of its surroundings."""
PHOTOCOPY_LIMIT = 0.985
"""Share of the page without colour of its own, 0..1."""
SHEET_LIMIT = 0.3
"""How much wider the outline is than the document whose MRZ stands in it, as a share."""

_PATCH_PX = 256
# Where the patches lie on the page, as shares of its width and height: beside the portrait, above the MRZ.
_PATCHES = ((0.66, 0.42), (0.5, 0.24))
_LEAST_PX_PER_MM = 6.5
# From blue, green and red to brightness and to the difference of red and blue.
_SIGNAL = np.array([[0.114, 0.587, 0.299], [-1.0, 0.0, 1.0]], np.float32)
_LOWEST_CYCLES_PX = 0.1
_SURROUNDINGS = 15
# JPEG codes blocks of 8 x 8 pixels, whose edges repeat.
_JPEG_BLOCK_PX = 8
_COLOUR_WIDTH_PX = 160
_COLOUR_LEVELS = 6.0
_PAGE_MM = {
    MrzFormat.TD1: 85.6,
    MrzFormat.TD2: 105.0,
    MrzFormat.TD3: 125.0,
    MrzFormat.MRVA: 120.0,
    MrzFormat.MRVB: 105.0,
    MrzFormat.FRID: 105.0,
}
_PITCH_MM = 2.54
_PRINTED_IN_COLOUR = frozenset({MrzFormat.TD3, MrzFormat.MRVA, MrzFormat.MRVB})
_OUTLINE_MARGIN_PX = 3.0


@dataclass(frozen=True, slots=True, kw_only=True)
class _Scale:
    """``page_mm``: width of the outline in millimetres; ``px_per_mm``: of the frame, along the MRZ."""

    page_mm: float
    px_per_mm: float


def measure_cues(image_bgr: Image, document: DocumentRead) -> tuple[CueFacts, ...]:
    """Measure a document that was read in this uint8 (height, width, 3) BGR frame. What cannot be measured is left out.

    The raster needs at least 6.5 pixels a millimetre; the sheet needs an outline of its own in the frame. Cards are not asked for
    colour: the side with the MRZ may have none.
    """
    cues: list[CueFacts] = []
    if document.format in _PRINTED_IN_COLOUR:
        share = colourless_share(image_bgr, document.page_quad_px)
        cues.append(CueFacts(name=PHOTOCOPY, measured=share, limit=PHOTOCOPY_LIMIT))
    scale = _find_scale(image_bgr, document)
    if scale is None:
        return tuple(cues)
    if scale.px_per_mm >= _LEAST_PX_PER_MM:
        prominence = raster_prominence(_patches(image_bgr, document.page_quad_px))
        if prominence is not None:
            cues.append(CueFacts(name=RASTER, measured=prominence, limit=RASTER_LIMIT))
    if _has_outline(image_bgr, document.page_quad_px):
        excess = scale.page_mm / _PAGE_MM[document.format] - 1
        cues.append(CueFacts(name=SHEET, measured=excess, limit=SHEET_LIMIT))
    return tuple(cues)


def colourless_share(image_bgr: Image, page_quad_px: Quad) -> float:
    """Return the share of the page, 0..1, whose colour differs from the page's own tint by less than six levels of Lab."""
    width, height = quad_size(page_quad_px)
    size = (_COLOUR_WIDTH_PX, max(16, round(_COLOUR_WIDTH_PX * height / width)))
    # Skipping pixels first is cheap; averaging afterwards takes away the camera's noise, which is colour too.
    step = max(1, int(width / _COLOUR_WIDTH_PX))
    small = np.ascontiguousarray(image_bgr[::step, ::step])
    page = cv2.warpPerspective(small, homography(page_quad_px / np.float32(step), *size), size, flags=cv2.INTER_LINEAR)
    lab = cv2.cvtColor(cv2.blur(page, (5, 5)), cv2.COLOR_BGR2LAB)
    a, b = (lab[:, :, channel].astype(np.float32) for channel in (1, 2))
    return float(np.mean(np.hypot(a - np.median(a), b - np.median(b)) < _COLOUR_LEVELS))


def raster_prominence(patches: Sequence[Image]) -> float | None:
    """Return the prominence of the strongest repeated frequency in uint8 (256, 256, 3) BGR patches; None without any.

    Screens repeat in colour (red, green and blue side by side) and in brightness, printers' rasters in both. A raster goes over the
    whole page, so the patches' spectra are multiplied: patterns of the document itself change from place to place.
    """
    if not patches:
        return None
    logs = [_log_spectrum(patch) for patch in patches]
    spectrum = sum(logs[1:], start=logs[0]) * np.float32(1 / len(logs))
    surroundings = cv2.blur(spectrum, (_SURROUNDINGS, _SURROUNDINGS), borderType=cv2.BORDER_REFLECT)
    _, highest, _, _ = cv2.minMaxLoc(cv2.subtract(spectrum, surroundings), _weighed())
    return float(highest / np.log(10))


def _log_spectrum(patch_bgr: Image) -> Plane:
    """Brightness and the difference of red and blue as one complex signal: a raster in either shows. Natural logarithm."""
    signal = cv2.transform(patch_bgr.astype(np.float32), _SIGNAL)
    signal = signal - np.array(cv2.mean(signal)[:2], np.float32)
    spectrum = cv2.dft(cv2.multiply(signal, _window()), flags=cv2.DFT_COMPLEX_OUTPUT)
    real, imaginary = cv2.split(spectrum)
    magnitude = np.asarray(cv2.magnitude(real, imaginary), np.float32)
    return np.asarray(cv2.log(magnitude + np.float32(1)), np.float32)


@cache
def _window() -> Plane:
    hann = np.hanning(_PATCH_PX).astype(np.float32)
    return np.dstack([np.outer(hann, hann)] * 2)


@cache
def _weighed() -> NDArray[np.uint8]:
    """Frequencies that count: neither the slow ones, which are the page's design, nor those of JPEG's blocks."""
    y, x = np.meshgrid(np.fft.fftfreq(_PATCH_PX), np.fft.fftfreq(_PATCH_PX), indexing="ij")
    near = 1.6 / _PATCH_PX
    from_block = [np.abs(axis * _JPEG_BLOCK_PX - np.round(axis * _JPEG_BLOCK_PX)) / _JPEG_BLOCK_PX for axis in (x, y)]
    is_jpeg = (from_block[0] < near) & (from_block[1] < near)
    return np.asarray((np.hypot(x, y) >= _LOWEST_CYCLES_PX) & ~is_jpeg, np.uint8)


def _patches(image_bgr: Image, page_quad_px: Quad) -> list[Image]:
    """Return patches of the frame's own pixels: resampling would add a raster or take one away."""
    height, width = image_bgr.shape[:2]
    top_left, top_right, bottom_right, bottom_left = page_quad_px
    found = []
    for along, down in _PATCHES:
        top = top_left + along * (top_right - top_left)
        bottom = bottom_left + along * (bottom_right - bottom_left)
        x, y = top + down * (bottom - top) - _PATCH_PX / 2
        left, upper = round(float(x)), round(float(y))
        if 0 <= left <= width - _PATCH_PX and 0 <= upper <= height - _PATCH_PX:
            found.append(image_bgr[upper : upper + _PATCH_PX, left : left + _PATCH_PX])
    return found


def _has_outline(image_bgr: Image, page_quad_px: Quad) -> bool:
    """Whether the quad is a page's outline in the frame, and not the frame itself."""
    height, width = image_bgr.shape[:2]
    inside = (page_quad_px > -_OUTLINE_MARGIN_PX) & (
        page_quad_px < np.array([width, height], np.float32) + _OUTLINE_MARGIN_PX
    )
    at_corners = [float(np.abs(page_quad_px - corner).sum(axis=1).min()) for corner in whole_image(image_bgr)]
    return bool(inside.all()) and max(at_corners) > _OUTLINE_MARGIN_PX


def _find_scale(image_bgr: Image, document: DocumentRead) -> _Scale | None:
    """Find the zone again in the lower part of the page; its pitch is a tenth of an inch (Doc 9303 part 3, 4.2)."""
    width, height = quad_size(document.page_quad_px)
    size = (SEARCH_WIDTH_PX, max(32, round(SEARCH_WIDTH_PX * height / width)))
    to_page = homography(document.page_quad_px, *size)
    upper = round(0.55 * size[1])
    to_lower = np.array([[1, 0, 0], [0, 1, -upper], [0, 0, 1]], np.float64) @ to_page
    lower = cv2.warpPerspective(image_bgr, to_lower, (size[0], size[1] - upper), flags=cv2.INTER_LINEAR)
    grey = cv2.cvtColor(lower, cv2.COLOR_BGR2GRAY).astype(np.uint8, copy=False)
    rows = next((rows for rows in rank_mrz_lines(grey) if len(rows) == len(document.lines)), None)
    if rows is None:
        return None
    zone_mm = LAYOUTS[document.format].line_length * _PITCH_MM
    page_mm = SEARCH_WIDTH_PX * zone_mm / max(row.width_px for row in rows)
    return _Scale(page_mm=page_mm, px_per_mm=width / page_mm)
