"""Pictures of MRZ lines as the document reader cuts them out of a frame, with the place of every character.

Sizes are in pitches, the distance of two characters: 2.54 mm (ICAO Doc 9303 part 3, 4.2; OCR-B size 1 of ISO 1073-2).
A line is drawn in ink on a patterned page, photographed (see :mod:`models.training.mrz_damage`), then cut out with the
margins and the inaccuracy of ``models.document.reader``. Everything random comes from the generator that is passed in.
"""

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from gate.checks.mrz import CHARACTERS
from models.document.recogniser import OCRB_LINE_HEIGHT_PX, OCRB_PLACE_WIDTH_PX
from models.training.mrz_damage import page_ground, photograph, print_ink, soften
from models.training.mrz_text import random_text
from models.training.mrz_wear import security_print, wear_ink, wear_picture

Grey = NDArray[np.uint8]

FONT_FOLDER = Path("/usr/share/fonts/opentype/ocr-b")
# Regular has round ends of strokes, Sharp square ones; Regular twice because most printers have it.
FONT_FILES = ("OCRB.otf", "OCRBS.otf", "OCRB.otf")

INK_PITCH_PX = 28
_TILE_PX = 44
_OVERHANG_PX = (_TILE_PX - INK_PITCH_PX) // 2
_BASELINE_PX = 35
CAP_HEIGHT = 0.945
PITCH_RANGE_PX = (5.2, 25.0)
WORN_PITCH_RANGE_PX = (6.5, 26.0)
_LINE_GAP = 2.5
# Empty page beside the line, in pitches.
_SIDE, _ABOVE = 4.0, 2.0


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LinePicture:
    """``grey`` is uint8 (32, width); ``centres_px`` float32 (n) is where each character of ``text`` stands in it."""

    grey: Grey
    text: str
    centres_px: NDArray[np.float32]


def render_lines(
    rng: np.random.Generator, copies: int, *, is_worn: bool = False, is_patterned: bool = False
) -> list[LinePicture]:
    """Draw one line of 30, 36 or 44 random characters, photograph it ``copies`` times and cut it out as the reader would.

    ``is_worn`` lines are of varying proportions, with ink and contrast lost; ``is_patterned`` ones have a strong security
    print below the ink more often than not.
    """
    places = 30 if rng.random() < 0.3 else 44
    length = 30 if places == 30 else 36 if rng.random() < 0.3 else 44
    text = random_text(rng, length)
    wide = rng.uniform(0.91, 1.06) if is_worn else 1.0
    ink = print_ink(rng, _ink_of(rng, text, wide), INK_PITCH_PX)
    if is_worn and rng.random() < 0.5:
        ink = wear_ink(rng, ink, INK_PITCH_PX)
    width_px = places * OCRB_PLACE_WIDTH_PX
    return [
        _picture(rng, text, ink, width_px, is_worn=is_worn, is_patterned=is_patterned and bool(rng.random() < 0.6))
        for _ in range(copies)
    ]


def _picture(
    rng: np.random.Generator, text: str, ink: Grey, width_px: int, *, is_worn: bool, is_patterned: bool
) -> LinePicture:
    pitches = WORN_PITCH_RANGE_PX if is_worn else PITCH_RANGE_PX
    pitch_px = float(np.exp(rng.uniform(*np.log(pitches))))
    frame, centres = _photograph(rng, ink, len(text), pitch_px, is_patterned=is_patterned)
    if is_worn:
        frame = wear_picture(rng, frame, pitch_px)
    matrix = _cut(rng, centres, pitch_px, width_px)
    picture = cv2.warpPerspective(frame, matrix, (width_px, OCRB_LINE_HEIGHT_PX), flags=cv2.INTER_LINEAR)
    placed = cv2.perspectiveTransform(centres[None].astype(np.float64), matrix)[0]
    return LinePicture(grey=picture.astype(np.uint8, copy=False), text=text, centres_px=placed[:, 0].astype(np.float32))


@lru_cache(maxsize=8)
def _glyphs(file: str) -> dict[str, Grey]:
    """Return the ink of each character, uint8 (44, 44) 0..255, its cell in the middle."""
    font = cv2.FontFace()
    if not font.set(str(FONT_FOLDER / file)):
        raise FileNotFoundError(f"the font {FONT_FOLDER / file} is missing; install the system package fonts-ocr-b")
    # Drawn four times as large and shrunk: OpenCV places characters on whole pixels.
    scale = 4
    size = round(INK_PITCH_PX * scale / _advance(font))
    glyphs = {}
    for character in CHARACTERS:
        tile = np.zeros((_TILE_PX * scale, _TILE_PX * scale, 3), np.uint8)
        origin = (_OVERHANG_PX * scale, _BASELINE_PX * scale)
        cv2.putText(tile, character, origin, (255, 255, 255), font, size)
        small = cv2.resize(tile[..., 0], (_TILE_PX, _TILE_PX), interpolation=cv2.INTER_AREA)
        glyphs[character] = small.astype(np.uint8, copy=False)
    return glyphs


def _advance(font: cv2.FontFace) -> float:
    """Return the font's advance for each pixel of size."""
    ends = []
    for text in ("M", "MM"):
        canvas = np.zeros((8, 1000, 3), np.uint8)
        ends.append(cv2.putText(canvas, text, (0, 4), (0, 0, 0), font, 100)[0][0])
    return (ends[1] - ends[0]) / 100


def _ink_of(rng: np.random.Generator, text: str, wide: float) -> Grey:
    """Return the line's ink at ``INK_PITCH_PX``, and parts of the lines above and below it; glyphs ``wide`` times as wide."""
    glyphs = _glyphs(str(rng.choice(FONT_FILES)))
    if wide != 1.0:
        matrix = np.array([[wide, 0, (1 - wide) * (_TILE_PX - 1) / 2], [0, 1, 0]])
        glyphs = {
            character: cv2.warpAffine(glyph, matrix, (_TILE_PX, _TILE_PX)).astype(np.uint8, copy=False)
            for character, glyph in glyphs.items()
        }
    width = round((len(text) + 2 * _SIDE) * INK_PITCH_PX)
    height = round((CAP_HEIGHT + 2 * _ABOVE) * INK_PITCH_PX)
    ink = np.zeros((height, width), np.uint8)
    jitter = rng.uniform(0, 0.03) * INK_PITCH_PX
    baseline = round((_ABOVE + CAP_HEIGHT) * INK_PITCH_PX)
    gap = round(_LINE_GAP * INK_PITCH_PX * rng.uniform(0.85, 1.15))
    neighbours = [offset for offset in (-gap, gap) if rng.random() < 0.6]
    for offset in (0, *neighbours):
        row = text if offset == 0 else random_text(rng, len(text))
        for place, character in enumerate(row):
            shift_x, shift_y = np.round(rng.normal(0, jitter, 2)).astype(int)
            left = round(_SIDE * INK_PITCH_PX) + place * INK_PITCH_PX - _OVERHANG_PX + int(shift_x)
            _stamp(ink, glyphs[character], left, baseline + offset - _BASELINE_PX + int(shift_y))
    return ink


def place_glyphs(ink: Grey, font_file: str, text: str, left_px: int, baseline_px: int) -> None:
    """Print ``text`` into ``ink`` (uint8, changed in place) at a pitch of ``INK_PITCH_PX``."""
    glyphs = _glyphs(font_file)
    for place, character in enumerate(text):
        _stamp(ink, glyphs[character], left_px + place * INK_PITCH_PX - _OVERHANG_PX, baseline_px - _BASELINE_PX)


def _stamp(ink: Grey, glyph: Grey, left: int, top: int) -> None:
    skipped = max(0, -top)
    target = ink[top + skipped : top + _TILE_PX, left : left + _TILE_PX]
    np.maximum(target, glyph[skipped : skipped + len(target)], out=target)


def _photograph(
    rng: np.random.Generator, ink: Grey, length: int, pitch_px: float, *, is_patterned: bool
) -> tuple[Grey, NDArray[np.float32]]:
    """Return a grey frame of the line at ``pitch_px``, and the characters' centres in it, float32 (n, 2)."""
    scale = INK_PITCH_PX / pitch_px
    tall = rng.uniform(0.85, 1.2)
    height, width = round(ink.shape[0] / scale * tall), round(ink.shape[1] / scale)
    # Enough is kept above and below for a line that is turned by half a degree and bent.
    u, v = np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32)
    along = u / width
    sway = rng.normal(0, 0.15) * pitch_px * np.sin(np.pi * along + rng.uniform(0, np.pi))
    bend = rng.normal(0, 0.10) * pitch_px * np.sin(2 * np.pi * rng.uniform(0.3, 1.0) * along + rng.uniform(0, 6.3))
    slant = np.tan(np.radians(rng.normal(0, 2.5)))
    middle = height / 2
    x = ((u + sway)[None, :] + slant * (v[:, None] - middle)) * scale
    y = ((v[:, None] - middle) / tall - bend[None, :]) * scale + ink.shape[0] / 2
    soft = soften(ink, scale)
    seen = cv2.remap(soft, x.astype(np.float32), y.astype(np.float32), cv2.INTER_LINEAR, borderValue=0)
    ground = page_ground(rng, (height, width), pitch_px)
    if is_patterned:
        ground -= security_print(rng, (height, width), pitch_px)
    frame = photograph(rng, seen.astype(np.uint8, copy=False), ground, pitch_px)
    target = (_SIDE + np.arange(length) + 0.5) * INK_PITCH_PX / scale
    centre_u = np.interp(target, u + sway, u)
    centre_v = middle + np.interp(centre_u, u, bend * tall)
    return frame, np.stack([centre_u, centre_v], axis=1).astype(np.float32)


def _cut(rng: np.random.Generator, centres: NDArray[np.float32], pitch_px: float, width_px: int) -> NDArray[np.float64]:
    """Return the homography from the frame to the line's picture, as inexact as the reader's."""
    slope, offset = np.polyfit(centres[:, 0], centres[:, 1], 1)
    height = CAP_HEIGHT * pitch_px * float(np.clip(np.exp(rng.normal(0.02, 0.11)), 0.75, 1.4))
    ends = np.array([centres[0, 0] - 0.45 * pitch_px, centres[-1, 0] + 0.45 * pitch_px])
    ends += rng.normal(0, 0.12, 2) * pitch_px + np.array([-0.6, 0.6]) * height
    for side, sign in ((0, -1), (1, 1)):
        # A speck beside the line makes the row longer, faint ends make it shorter.
        if rng.random() < 0.10:
            ends[side] += sign * rng.uniform(0.3, 2.5) * pitch_px
        elif rng.random() < 0.06:
            ends[side] -= sign * rng.uniform(0.2, 0.9) * pitch_px
    rise = rng.normal(0, 0.03, 4) * height
    shift = rng.normal(0, 0.05) * height
    half = 0.68 * height
    y = slope * ends + offset + shift
    corners = [(ends[0], y[0] - half), (ends[1], y[1] - half), (ends[1], y[1] + half), (ends[0], y[0] + half)]
    quad = np.array(corners, np.float32) + np.stack([np.zeros(4), rise], axis=1).astype(np.float32)
    target = np.array([[0, 0], [width_px, 0], [width_px, OCRB_LINE_HEIGHT_PX], [0, OCRB_LINE_HEIGHT_PX]], np.float32)
    return np.asarray(cv2.getPerspectiveTransform(quad, target), dtype=np.float64)
