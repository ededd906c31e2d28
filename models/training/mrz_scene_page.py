"""Printed data pages and cards with everything on them, for measuring only: the second of two renderers that share no drawing.

:mod:`models.training.mrz_pages` draws what the recogniser's training drew, on whole pages. This one was written apart from it, so
that a recipe which was learnt by heart shows: glyphs are placed at fractions of a pixel and of varying width and weight,
grounds are guilloches, rainbow prints and repeated words in colour, the visual zone has labels, values, a portrait and
its ghost (ICAO Doc 9303 parts 4 to 6, section 4). Nothing drawn here is ever trained on.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from gate.checks.mrz import CHARACTERS, DIGITS, FILLER, LETTERS, MrzFormat, check_digit

Image = NDArray[np.uint8]
Field = NDArray[np.float32]

PX_PER_MM = 12.0
_FONTS = Path("/usr/share/fonts/opentype/ocr-b")
_FONT_FILES = ("OCRB.otf", "OCRB.otf", "OCRB.otf", "OCRBS.otf")
_SIZE_MM: Mapping[MrzFormat, tuple[float, float]] = {
    MrzFormat.TD3: (125.0, 88.0),
    MrzFormat.TD2: (105.0, 74.0),
    MrzFormat.TD1: (85.6, 53.98),
}
_PITCH_MM = 2.54
# The glyph sheet: pixels a pitch, and where a cell's origin lies in its tile.
_SHEET_PX = 120
_TILE = (150, 180)
_ORIGIN = (15, 145)
_CONSONANTS, _VOWELS = "BCDFGHJKLMNPRSTVWXZ", "AEIOUY"
# A page must stay the same when a list of states changes, so these are its own.
_STATES = (
    "ARG ARM AUS AUT BEL BGD BGR BHR BOL BRA BRB CAN CHE CHL CHN CIV COL CYM CZE DZA ECU EGY ESP EST ETH FIN FJI GBR GEO GHA GRC "
    "HKG HRV HUN IDN IND IRL IRN IRQ ISL ISR ITA JAM JOR JPN KAZ KEN KHM KOR KWT LAO LKA LTU LUX LVA MAC MAR MDA MEX MMR MNG MYS "
    "NGA NLD NOR NPL NZL OMN PAK PER PHL POL PRT QAT ROU RUS SAU SGP SRB SVK SVN SWE THA TUN TUR TWN UKR URY USA UZB VEN VNM XOM ZAF"
)
_LABELS = (
    "Surname",
    "Given names",
    "Nationality",
    "Date of birth",
    "Sex",
    "Place of birth",
    "Document No.",
    "Authority",
)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PrintedPage:
    """``paint_bgr`` is uint8 (height, width, 3) at 12 px a millimetre; ``rows_mm`` are the ends of the zone's lines.

    ``rows_mm`` is float32 (lines, 2, 2): x, y of the middle of the capitals at the first and the last place's outer edge.
    """

    paint_bgr: Image
    format: MrzFormat
    lines: tuple[str, ...]
    rows_mm: Field


def print_page(rng: np.random.Generator) -> PrintedPage:
    """Print one document of a person who does not exist."""
    format_ = (MrzFormat.TD3, MrzFormat.TD2, MrzFormat.TD1)[int(rng.choice(3, p=(0.5, 0.2, 0.3)))]
    lines = document_lines(rng, format_)
    width_mm, height_mm = _SIZE_MM[format_]
    size = (round(width_mm * PX_PER_MM), round(height_mm * PX_PER_MM))
    zone_top = height_mm - (7.0 + 6.35 * len(lines))
    ground = _ground(rng, size, zone_top)
    _print_visual_zone(rng, ground, zone_top)
    top = round((zone_top - 4) * PX_PER_MM)
    ink, rows_mm = _zone_ink(rng, size, lines, height_mm)
    share = _worn(rng, ink[top:])[..., None]
    shade = (rng.uniform(8, 75) + rng.uniform(-8, 8, 3)).astype(np.float32)
    below = ground[top:].astype(np.float32)
    # Ink lets through a little of what lies below it.
    body = below * np.float32(rng.uniform(0.0, 0.2)) + shade
    ground[top:] = np.clip(below + (body - below) * share, 0, 255).astype(np.uint8)
    return PrintedPage(paint_bgr=ground, format=format_, lines=lines, rows_mm=rows_mm)


def document_lines(rng: np.random.Generator, format_: MrzFormat) -> tuple[str, ...]:
    """Return lines of TD1, TD2 or TD3 as an issuer would print them, with right check digits."""
    issuer = _code(rng)
    nationality = issuer if rng.random() < 0.8 else _code(rng)
    length = {MrzFormat.TD3: 44, MrzFormat.TD2: 36, MrzFormat.TD1: 30}[format_]
    number = _pick(rng, LETTERS, int(rng.integers(0, 3)))
    number = (number + _pick(rng, DIGITS, int(rng.integers(7, 10))))[:9].ljust(9, FILLER)
    number += str(check_digit(number))
    born = f"{rng.integers(0, 100):02}{rng.integers(1, 13):02}{rng.integers(1, 29):02}"
    ends = f"{rng.integers(20, 40):02}{rng.integers(1, 13):02}{rng.integers(1, 29):02}"
    born, ends = (date + str(check_digit(date)) for date in (born, ends))
    sex = str(rng.choice(list("MMMFFF<")))
    if format_ is MrzFormat.TD1:
        optional, more = _optional(rng, 15), _optional(rng, 11)
        first = str(rng.choice(["I<", "ID", "AC", "C<"])) + issuer + number + optional
        second = born + sex + ends + nationality + more
        return first, second + str(check_digit(number + optional + born + ends + more)), _names(rng, 30)
    first = str(rng.choice(["P<", "P<", "PP", "PD"] if format_ is MrzFormat.TD3 else ["I<", "ID"])) + issuer
    first += _names(rng, length - 5)
    optional = _optional(rng, 14 if format_ is MrzFormat.TD3 else 7)
    if format_ is MrzFormat.TD3:
        is_empty = not optional.strip(FILLER)
        optional += FILLER if is_empty and rng.random() < 0.5 else str(check_digit(optional))
    second = number + nationality + born + sex + ends + optional
    return first, second + str(check_digit(number + born + ends + optional))


def _pick(rng: np.random.Generator, alphabet: str, count: int) -> str:
    return "".join(alphabet[index] for index in rng.integers(0, len(alphabet), count))


def _code(rng: np.random.Generator) -> str:
    share, states = rng.random(), _STATES.split()
    return "UTO" if share < 0.3 else "D<<" if share < 0.33 else states[int(rng.integers(len(states)))]


def _word(rng: np.random.Generator) -> str:
    if rng.random() < 0.15:
        return _pick(rng, LETTERS, int(rng.integers(2, 9)))
    pairs = (_pick(rng, _CONSONANTS, 1) + _pick(rng, _VOWELS, 1) for _ in range(int(rng.integers(1, 5))))
    return "".join(pairs) + (_pick(rng, _CONSONANTS, 1) if rng.random() < 0.5 else "")


def _names(rng: np.random.Generator, length: int) -> str:
    surname = FILLER.join(_word(rng) for _ in range(int(rng.choice(3, p=(0.78, 0.18, 0.04))) + 1))
    given = FILLER.join(_word(rng) for _ in range(int(rng.choice(4, p=(0.06, 0.5, 0.34, 0.1)))))
    return f"{surname}{FILLER * 2}{given}"[:length].ljust(length, FILLER)


def _optional(rng: np.random.Generator, length: int) -> str:
    used = int(rng.integers(4, length + 1)) if rng.random() < 0.4 else 0
    return _pick(rng, DIGITS * 4 + LETTERS + FILLER, used).ljust(length, FILLER)


@lru_cache(maxsize=4)
def _sheet(file: str) -> dict[str, Image]:
    """Return each character's ink, uint8 (180, 150), at 120 px a pitch."""
    font = cv2.FontFace()
    if not font.set(str(_FONTS / file)):
        raise FileNotFoundError(f"the font {_FONTS / file} is missing; install the system package fonts-ocr-b")
    canvas = np.zeros((8, 4000, 3), np.uint8)
    one, ten = (cv2.putText(canvas, "0" * n, (0, 4), (0, 0, 0), font, 200)[0][0] for n in (1, 10))
    size = round(_SHEET_PX * 200 * 9 / (ten - one))
    sheet = {}
    for character in CHARACTERS:
        tile = np.zeros((_TILE[1], _TILE[0], 3), np.uint8)
        cv2.putText(tile, character, _ORIGIN, (255, 255, 255), font, size)
        sheet[character] = np.ascontiguousarray(tile[..., 0])
    return sheet


def _zone_ink(
    rng: np.random.Generator, size: tuple[int, int], lines: tuple[str, ...], height_mm: float
) -> tuple[Field, Field]:
    """Return how much ink lies where on the page, 0..1, and the ends of its rows in millimetres."""
    sheet = _sheet(str(rng.choice(_FONT_FILES)))
    ink = np.zeros((size[1], size[0]), np.float32)
    pitch_mm = _PITCH_MM * rng.uniform(0.985, 1.015)
    if len(lines[0]) == 30:
        pitch_mm *= rng.uniform(0.97, 1.02)
    wide, tall = rng.uniform(0.93, 1.05), rng.uniform(0.95, 1.05)
    step = 6.35 * rng.uniform(0.9, 1.08)
    left_mm = (size[0] / PX_PER_MM - len(lines[0]) * pitch_mm) / 2 + rng.normal(0, 0.5)
    lowest_mm = height_mm - rng.uniform(5.5, 9.0)
    jitter_mm = rng.uniform(0, 0.05)
    scale = pitch_mm * PX_PER_MM / _SHEET_PX
    rows = []
    for index, line in enumerate(lines):
        baseline_mm = lowest_mm - (len(lines) - 1 - index) * step
        for place, character in enumerate(line):
            x = (left_mm + place * pitch_mm + rng.normal(0, jitter_mm)) * PX_PER_MM
            _stamp(ink, sheet[character], x, (baseline_mm + rng.normal(0, jitter_mm)) * PX_PER_MM, scale, (wide, tall))
        middle = baseline_mm - 0.47 * pitch_mm * tall
        rows.append([[left_mm, middle], [left_mm + len(line) * pitch_mm, middle]])
    return ink, np.array(rows, np.float32)


def _stamp(ink: Field, glyph: Image, x: float, y: float, scale: float, stretch: tuple[float, float]) -> None:
    """Print a glyph with its cell's origin at x, y, in fractions of a pixel."""
    left, top = int(x) - 8, int(y) - 44
    sx, sy = scale * stretch[0], scale * stretch[1]
    off = (1 - stretch[0]) * scale * _SHEET_PX / 2
    matrix = np.array([[sx, 0, x - left + off - _ORIGIN[0] * sx], [0, sy, y - top - _ORIGIN[1] * sy]])
    # A pixel of the page takes in several of the sheet.
    soft = cv2.blur(glyph, (3, 3))
    tile = cv2.warpAffine(soft, matrix, (48, 56), flags=cv2.INTER_LINEAR)
    target = ink[max(top, 0) : top + 56, max(left, 0) : left + 48]
    part = tile[max(-top, 0) :, max(-left, 0) :][: target.shape[0], : target.shape[1]]
    np.maximum(target, part.astype(np.float32) / 255, out=target)


def _worn(rng: np.random.Generator, zone: Field) -> Field:
    """Spread or thin the zone's ink, and lose some of it as printers and wallets do."""
    radius = rng.uniform(0.5, 1.3)
    soft = cv2.GaussianBlur(zone, (0, 0), radius)
    level = float(np.clip(rng.normal(0.5, 0.11), 0.24, 0.74))
    zone = np.clip((soft - level) * rng.uniform(1.5, 5.0) + 0.5, 0, 1)
    kind = rng.random()
    if kind < 0.12:
        # Paper that took the ink unevenly.
        grain = _cloud(rng, zone.shape, rng.uniform(2, 9))
        zone = zone * np.clip(1.0 - rng.uniform(0.15, 0.6) * np.clip(grain - 0.4, 0, 1.5), 0, 1)
    elif kind < 0.18:
        # Dots of a printer that are seen apart.
        y, x = np.mgrid[: zone.shape[0], : zone.shape[1]].astype(np.float32)
        cell = rng.uniform(2.5, 4.5)
        dots = 0.5 + 0.25 * (np.cos(2 * np.pi * x / cell) + np.cos(2 * np.pi * y / cell))
        zone = zone * (1 - rng.uniform(0.1, 0.5) * (1 - dots))
    elif kind < 0.22:
        # A nozzle that was shut: hairlines along the whole line.
        for _ in range(int(rng.integers(1, 4))):
            at = int(rng.integers(0, len(zone)))
            zone[at : at + int(rng.integers(1, 3))] *= rng.uniform(0.1, 0.6)
    return np.asarray(zone, dtype=np.float32)


def _cloud(rng: np.random.Generator, shape: tuple[int, ...], grain_px: float) -> Field:
    small = (max(2, int(shape[0] / grain_px)), max(2, int(shape[1] / grain_px)))
    noise = rng.standard_normal(small).astype(np.float32)
    return np.asarray(cv2.resize(noise, (shape[1], shape[0]), interpolation=cv2.INTER_LINEAR), dtype=np.float32)


def _ground(rng: np.random.Generator, size: tuple[int, int], zone_top_mm: float) -> Image:
    """Return the paper with its security print: a rainbow of tints, guilloches, repeated words."""
    width, height = size
    across = np.linspace(0, 1, width, dtype=np.float32)[None, :, None]
    base = rng.uniform(195, 250)
    a, b = (base + rng.uniform(-38, 8, 3).astype(np.float32) for _ in range(2))
    ramp = 0.5 + 0.5 * np.sin(2 * np.pi * (across * rng.uniform(0.3, 1.6) + rng.random()))
    ground = np.broadcast_to(a * ramp + b * (1 - ramp), (height, width, 3))
    page: Image = np.clip(ground, 0, 255).astype(np.uint8)
    for _ in range(int(rng.integers(0, 4))):
        _guilloche(rng, page)
    if rng.random() < 0.2:
        _repeated_words(rng, page)
    if rng.random() < 0.5:
        # As the standard recommends, the zone's own ground is quiet.
        top = round(zone_top_mm * PX_PER_MM)
        quiet = np.full_like(page[top:], int(rng.uniform(215, 252)))
        kept = float(rng.uniform(0.0, 0.4))
        page[top:] = cv2.addWeighted(page[top:], kept, quiet, 1 - kept, 0)
    return page


def _guilloche(rng: np.random.Generator, page: Image) -> None:
    """Draw one family of interlaced curves in a thin line of one colour."""
    height, width = page.shape[:2]
    colour = tuple(float(value) for value in np.array(cv2.mean(page)[:3]) - rng.uniform(8, 75, 3))
    t = np.linspace(0, 1, 700)
    count, amplitude = int(rng.integers(6, 36)), rng.uniform(0.01, 0.22) * height
    waves, drift = rng.uniform(1, 22), rng.uniform(0, 6.3)
    overlay = page.copy()
    for index in range(count):
        share = index / count
        wave = np.sin(2 * np.pi * waves * t + drift + 6.3 * share) * np.cos(
            2 * np.pi * rng.uniform(0.9, 1.1) * t + 3 * share
        )
        points = np.stack([t * width, share * height * 1.1 + amplitude * wave], axis=1)
        cv2.polylines(overlay, [(points * 16).astype(np.int32)], False, colour, int(rng.integers(1, 3)), cv2.LINE_AA, 4)
    opacity = rng.uniform(0.3, 0.9)
    cv2.addWeighted(overlay, opacity, page, 1 - opacity, 0, page)


def _repeated_words(rng: np.random.Generator, page: Image) -> None:
    word = _word(rng) + " "
    font = cv2.FontFace("sans")
    shade = float(np.mean(cv2.mean(page)[:3]) - rng.uniform(10, 45))
    step = int(rng.integers(18, 60))
    for y in range(step, page.shape[0], step):
        cv2.putText(
            page, word * (2400 // (len(word) * step)), (int(rng.integers(-60, 0)), y), (shade,) * 3, font, step // 2
        )


def _print_visual_zone(rng: np.random.Generator, page: Image, zone_top_mm: float) -> None:
    """Print portrait, ghost, labels and values into everything above the zone (part 4, 4.1)."""
    width, bottom = page.shape[1], round(zone_top_mm * PX_PER_MM)
    dark = tuple(float(value) for value in rng.uniform(15, 70, 3))
    face_width = round(min(0.28 * width, 0.62 * bottom))
    left = round(rng.uniform(0.03, 0.06) * width) if rng.random() < 0.85 else round(0.68 * width)
    top = round(rng.uniform(0.12, 0.2) * bottom)
    _portrait(rng, page[top : top + round(face_width * 1.28), left : left + face_width])
    column = 0.36 * width if left < width / 2 else 0.05 * width
    small, large = cv2.FontFace("sans"), cv2.FontFace(str(rng.choice(["sans", "italic"])))
    rows = int(rng.integers(4, 8))
    for row in range(rows):
        y = round((0.14 + 0.82 * row / rows) * bottom)
        x = round(column + rng.uniform(0, 0.02) * width)
        cv2.putText(page, str(rng.choice(_LABELS)), (x, y), dark, small, int(rng.integers(13, 19)))
        value = " ".join(_word(rng) for _ in range(int(rng.integers(1, 3))))
        value = (
            value
            if rng.random() < 0.6
            else f"{rng.integers(1, 29):02} {_pick(rng, LETTERS, 3)} {rng.integers(1940, 2030)}"
        )
        cv2.putText(page, value, (x, y + round(0.06 * bottom)), dark, large, int(rng.integers(26, 40)))
    cv2.putText(page, _word(rng), (round(0.05 * width), round(0.09 * bottom)), dark, small, int(rng.integers(30, 60)))
    if rng.random() < 0.4:
        ghost = page[round(0.5 * bottom) : round(0.5 * bottom) + 220, round(0.8 * width) : round(0.8 * width) + 170]
        faint = ghost.copy()
        _portrait(rng, faint)
        cv2.addWeighted(faint, 0.3, ghost, 0.7, 0, ghost)


def _portrait(rng: np.random.Generator, box: Image) -> None:
    """Paint a head and shoulders: enough for a dark block with inner edges, no likeness of anybody."""
    height, width = box.shape[:2]
    if height < 20 or width < 20:
        return
    box[:] = rng.uniform(170, 235, 3).astype(np.uint8)
    middle = (width // 2, round(0.42 * height))
    skin = tuple(float(value) for value in rng.uniform(70, 200) * np.array([0.75, 0.85, 1.0]))
    cv2.ellipse(
        box,
        (width // 2, height),
        (round(0.46 * width), round(0.32 * height)),
        0,
        180,
        360,
        tuple(rng.uniform(10, 160, 3)),
        -1,
    )
    cv2.ellipse(
        box, (middle[0], middle[1] - 12), (round(0.3 * width), round(0.3 * height)), 0, 0, 360, (35.0, 35.0, 40.0), -1
    )
    cv2.ellipse(box, middle, (round(0.25 * width), round(0.27 * height)), 0, 0, 360, skin, -1)
    for side in (-1, 1):
        cv2.circle(
            box, (middle[0] + side * round(0.1 * width), middle[1] - round(0.05 * height)), 7, (30.0, 30.0, 30.0), -1
        )
    cv2.line(box, (middle[0] - 20, middle[1] + 60), (middle[0] + 20, middle[1] + 60), (70.0, 70.0, 120.0), 4)
    box[:] = cv2.GaussianBlur(box, (0, 0), 2.0)
