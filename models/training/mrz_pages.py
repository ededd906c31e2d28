"""Whole documents of people who do not exist, photographed badly, with the truth: for measuring, never for training.

:mod:`models.training.mrz_sets` writes them as pictures for ``gate eval mrz``. Sizes are those of ICAO Doc 9303 parts 4 (TD3), 5
(TD1) and 6 (TD2). How bad the pictures are is in :data:`DAMAGE`.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from gate.checks.mrz import DIGITS, FILLER, LETTERS, MrzFormat, check_digit
from models.training.mrz_damage import page_ground, print_ink
from models.training.mrz_lines import FONT_FILES, INK_PITCH_PX, place_glyphs

Image = NDArray[np.uint8]

PITCH_MM = 2.54
_PX_PER_MM = INK_PITCH_PX / PITCH_MM
_SIZE_MM: Mapping[MrzFormat, tuple[float, float]] = {
    MrzFormat.TD3: (125.0, 88.0),
    MrzFormat.TD2: (105.0, 74.0),
    MrzFormat.TD1: (85.6, 54.0),
}
# From the lower edge to the lowest baseline, and from line to line.
_BASELINE_MM, _LINE_MM = 8.05, 6.35
_FRAMES_PX = ((1280, 960), (1024, 768))

# Largest values; each picture draws its own below them. Lengths in pitches of the MRZ as photographed where not pixels.
DAMAGE: Mapping[str, float] = {
    "perspective_ratio": 0.03,
    "rotation_deg": 5.0,
    "blur_pitch": 0.09,
    "noise_levels": 9.0,
    "glare_share": 0.3,
    "jpeg_quality_least": 40.0,
    "bend_mm": 1.0,
}


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class DocumentPicture:
    """``frame_bgr`` is uint8 (height, width, 3) BGR; ``lines`` is what is printed."""

    frame_bgr: Image
    format: MrzFormat
    lines: tuple[str, ...]


def render_document(rng: np.random.Generator) -> DocumentPicture:
    """Draw a document of a random format and photograph it."""
    format_ = (MrzFormat.TD3, MrzFormat.TD2, MrzFormat.TD1)[int(rng.choice(3, p=(0.5, 0.2, 0.3)))]
    lines = zone_lines(rng, format_)
    page = _page(rng, format_, lines)
    return DocumentPicture(frame_bgr=_photograph(rng, page), format=format_, lines=lines)


def zone_lines(rng: np.random.Generator, format_: MrzFormat) -> tuple[str, ...]:
    """Return random lines of TD1, TD2 or TD3 with right check digits."""
    code = {MrzFormat.TD3: "P<", MrzFormat.TD2: "I<", MrzFormat.TD1: "ID"}[format_]
    issuer, nationality = _draw(rng, LETTERS, 3), _draw(rng, LETTERS, 3)
    length = {MrzFormat.TD3: 44, MrzFormat.TD2: 36, MrzFormat.TD1: 30}[format_]
    number = _checked(_draw(rng, LETTERS + DIGITS * 3, int(rng.integers(7, 10))).ljust(9, FILLER))
    birth, expiry = (_checked(_date(rng)) for _ in range(2))
    sex = str(rng.choice(list("MF<")))
    if format_ is MrzFormat.TD1:
        optional, more = _optional(rng, 15), _optional(rng, 11)
        first = code + issuer + number + optional
        second = birth + sex + expiry + nationality + more
        composite = check_digit(first[5:30] + second[:7] + second[8:15] + second[18:29])
        return first, f"{second}{composite}", _names(rng, length)
    first = code + issuer + _names(rng, length - 5)
    optional = _checked(_optional(rng, 14)) if format_ is MrzFormat.TD3 else _optional(rng, 7)
    second = number + nationality + birth + sex + expiry + optional
    return first, f"{second}{check_digit(number + birth + expiry + optional)}"


def _draw(rng: np.random.Generator, alphabet: str, length: int) -> str:
    return "".join(alphabet[index] for index in rng.integers(0, len(alphabet), length))


def _checked(text: str) -> str:
    return f"{text}{check_digit(text)}"


def _date(rng: np.random.Generator) -> str:
    return f"{rng.integers(0, 100):02}{rng.integers(1, 13):02}{rng.integers(1, 29):02}"


def _optional(rng: np.random.Generator, length: int) -> str:
    used = int(rng.integers(1, length + 1)) if rng.random() < 0.5 else 0
    return _draw(rng, LETTERS + DIGITS * 3, used).ljust(length, FILLER)


def _names(rng: np.random.Generator, length: int) -> str:
    words = [_draw(rng, LETTERS, int(rng.integers(2, 10))) for _ in range(int(rng.integers(2, 5)))]
    return (words[0] + FILLER * 2 + FILLER.join(words[1:]))[:length].ljust(length, FILLER)


def _page(rng: np.random.Generator, format_: MrzFormat, lines: tuple[str, ...]) -> Image:
    """Return the printed page, uint8 (height, width) grey at about 11 px a millimetre."""
    width_mm, height_mm = _SIZE_MM[format_]
    width, height = round(width_mm * _PX_PER_MM), round(height_mm * _PX_PER_MM)
    ink = np.zeros((height, width), np.uint8)
    font = str(rng.choice(FONT_FILES))
    left = round((width - len(lines[0]) * INK_PITCH_PX) / 2)
    for row, line in enumerate(reversed(lines)):
        baseline = height - round((_BASELINE_MM + row * _LINE_MM) * _PX_PER_MM)
        place_glyphs(ink, font, line, left, baseline)
    zone = round(height - (_BASELINE_MM + len(lines) * _LINE_MM) * _PX_PER_MM)
    ink[zone:] = print_ink(rng, ink[zone:], INK_PITCH_PX)
    _print_upper_part(rng, ink, zone)
    small = page_ground(rng, (height // 2, width // 2), INK_PITCH_PX / 2)
    ground = cv2.resize(np.clip(small, -45, 45), (width, height), interpolation=cv2.INTER_LINEAR)
    share = ink * np.float32(1 / 255)
    paper, dark = float(rng.uniform(185, 245)), float(rng.uniform(20, 85))
    page = (paper + ground) * (1 - share) + (dark + 0.3 * ground) * share
    printed: Image = np.clip(page, 0, 255).astype(np.uint8)
    return printed


def _print_upper_part(rng: np.random.Generator, ink: Image, zone_px: int) -> None:
    """Print a portrait's place and some rows of text above the zone."""
    width = ink.shape[1]
    sans = cv2.FontFace("sans")
    side = round(0.28 * width)
    box = ink[round(0.2 * zone_px) : round(0.9 * zone_px), round(0.05 * width) : round(0.05 * width) + side]
    y, x = np.mgrid[: box.shape[0], : box.shape[1]].astype(np.float32)
    box[:] = (120 + 80 * np.sin(x / 70 + rng.uniform(0, 6)) * np.cos(y / 90 + rng.uniform(0, 6))).astype(np.uint8)
    for row in range(int(rng.integers(4, 8))):
        text = " ".join(_draw(rng, LETTERS + DIGITS, int(rng.integers(2, 9))) for _ in range(int(rng.integers(1, 4))))
        origin = (round(rng.uniform(0.36, 0.55) * width), round((0.16 + 0.1 * row) * zone_px))
        cv2.putText(ink, text, origin, (230,), sans, round(rng.uniform(22, 38)))
    ink[zone_px - 4 :, :2] = 0


def _photograph(rng: np.random.Generator, page: Image) -> Image:
    width, height = _FRAMES_PX[int(rng.integers(len(_FRAMES_PX)))]
    page_height, page_width = page.shape[:2]
    scale = rng.uniform(0.68, 0.9) * min(width / page_width, height / page_height)
    source = np.array([[0, 0], [page_width, 0], [page_width, page_height], [0, page_height]], np.float32)
    turn = np.radians(rng.uniform(-1, 1) * DAMAGE["rotation_deg"] + (180 if rng.random() < 0.2 else 0))
    rotation = np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
    centre = np.array([width, height]) / 2 + rng.uniform(-0.015, 0.015, 2) * [width, height]
    target = (source - [page_width / 2, page_height / 2]) * scale @ rotation + centre
    target += rng.uniform(-1, 1, (4, 2)) * DAMAGE["perspective_ratio"] * page_height * scale
    soft = cv2.GaussianBlur(_bent(rng, page), (0, 0), max(0.3, 0.42 / scale))
    matrix = cv2.getPerspectiveTransform(source, target.astype(np.float32))
    glass = float(rng.uniform(15, 60))
    seen = cv2.warpPerspective(soft, matrix, (width, height), flags=cv2.INTER_LINEAR, borderValue=glass)
    light = 1 + rng.uniform(-0.25, 0.25) * np.linspace(-1, 1, width, dtype=np.float32)
    frame = np.asarray(seen, dtype=np.float32) * light
    if rng.random() < DAMAGE["glare_share"]:
        frame += _spot(rng, (height, width), target)
    frame = _blurred(rng, frame, rng.uniform(0, DAMAGE["blur_pitch"]) * INK_PITCH_PX * scale)
    frame += rng.uniform(0, DAMAGE["noise_levels"]) * rng.standard_normal(frame.shape, dtype=np.float32)
    grey = np.clip(frame, 0, 255).astype(np.uint8)
    tinted = cv2.merge([cv2.convertScaleAbs(grey, alpha=float(share)) for share in rng.uniform(0.85, 1.0, 3)])
    quality = int(rng.integers(int(DAMAGE["jpeg_quality_least"]), 96))
    _, data = cv2.imencode(".jpg", tinted, [cv2.IMWRITE_JPEG_QUALITY, quality])
    return np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR), dtype=np.uint8)


def _bent(rng: np.random.Generator, page: Image) -> Image:
    """Bend the page a little, as one that lies open in its booklet."""
    height, width = page.shape[:2]
    rise = rng.uniform(-1, 1) * DAMAGE["bend_mm"] * _PX_PER_MM * np.sin(np.pi * np.arange(width) / width) ** 2
    x, y = np.meshgrid(np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32))
    bent = cv2.remap(page, x, y + rise.astype(np.float32), cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(bent, dtype=np.uint8)


def _spot(rng: np.random.Generator, shape: tuple[int, int], corners: NDArray[np.float64]) -> NDArray[np.float32]:
    """A lamp's reflection anywhere on the page: strong above the zone, weak enough over it to leave the ink visible."""
    height, width = shape
    at = corners.min(axis=0) + rng.random(2) * (corners.max(axis=0) - corners.min(axis=0))
    radius = rng.uniform(0.05, 0.25) * width
    x, y = (np.arange(width) - at[0]) / radius, (np.arange(height) - at[1]) / (0.6 * radius)
    return np.asarray(rng.uniform(20, 110) * np.exp(-((x**2)[None, :] + (y**2)[:, None])), dtype=np.float32)


def _blurred(rng: np.random.Generator, frame: NDArray[np.float32], deviation_px: float) -> NDArray[np.float32]:
    if deviation_px < 0.3:
        return frame
    if rng.random() < 0.6:
        return np.asarray(cv2.GaussianBlur(frame, (0, 0), deviation_px), dtype=np.float32)
    radius = max(1, round(1.7 * deviation_px))
    kernel = np.zeros((2 * radius + 1, 2 * radius + 1), np.float32)
    turn = rng.uniform(0, np.pi)
    step = (round(radius * np.cos(turn)), round(radius * np.sin(turn)))
    cv2.line(kernel, (radius - step[0], radius - step[1]), (radius + step[0], radius + step[1]), (1.0,))
    return np.asarray(cv2.filter2D(frame, -1, kernel / kernel.sum()), dtype=np.float32)
