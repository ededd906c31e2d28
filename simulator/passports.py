"""Passports of people who do not exist: the data page as an issuing office would print it.

Sizes are those of ICAO Doc 9303 part 4 (8th edition), section 4 and appendix A: an ID-3 page of 125 x 88 mm; MRZ in
OCR-B size 1, ten characters an inch, two lines 6.35 mm apart in the lowest 23.2 mm.
"""

import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from gate.checks.icao import transliterate
from gate.checks.mrz import DIGITS, LAYOUTS, CheckName, MrzFormat, format_td3
from gate.errors import GateError

Image = NDArray[np.uint8]

PAGE_MM = (125.0, 88.0)
PORTRAIT_MM = (35.0, 45.0)
_PORTRAIT_LEFT_MM, _PORTRAIT_TOP_MM = 6.0, 14.0
_PITCH_MM = 2.54
_MRZ_LEFT_MM = 6.6
_MRZ_BASELINES_MM = (73.6, 79.95)
_INK = (42.0, 34.0, 30.0)
_LABEL_INK = (120.0, 96.0, 70.0)

_FONT_FILES = (
    Path("/usr/share/fonts/opentype/ocr-b/OCRB.otf"),
    Path("/usr/share/fonts/truetype/ocr-b/OCRB.ttf"),
    Path("/usr/local/share/fonts/OCRB.otf"),
)

_PALETTE: Mapping[str, tuple[str, tuple[int, int, int]]] = {
    "UTO": ("UTOPIA", (226, 214, 196)),
    "CHN": ("PEOPLE'S REPUBLIC OF CHINA · SPECIMEN", (206, 206, 232)),
}
_OTHER_TINT = (214, 226, 214)


class PassportError(GateError):
    """A passport cannot be rendered; ``str()`` is one sentence naming the remedy."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Passport:
    """What is printed. Names may be in any Latin spelling; ``sex`` is M, F or <.

    ``wrong_check`` names a check digit that is printed one too high, as after a careless forgery.
    """

    issuer: str = "UTO"
    document_number: str
    primary_name: str
    secondary_name: str
    nationality: str = "UTO"
    birth_date: date
    sex: str
    expiry_date: date
    optional_data: str = ""
    wrong_check: CheckName | None = None

    def mrz_lines(self) -> tuple[str, str]:
        """Return the two lines as they will be printed, with the wrong check digit if one is asked for."""
        first, second = format_td3(
            issuer=self.issuer,
            primary_name=transliterate(self.primary_name),
            secondary_name=transliterate(self.secondary_name),
            document_number=self.document_number,
            nationality=self.nationality,
            birth_date=self.birth_date,
            sex=self.sex,
            expiry_date=self.expiry_date,
            optional_data=self.optional_data,
        )
        if self.wrong_check is not None:
            place = next(check.digit for check in LAYOUTS[MrzFormat.TD3].checks if check.name is self.wrong_check)
            right = place.of((first, second))
            # A filler stands for 0 where the field is empty.
            wrong = DIGITS[(max(DIGITS.find(right), 0) + 1) % 10]
            second = second[: place.start] + wrong + second[place.end :]
        return first, second


def crop_portrait(photo_bgr: Image, face_px: tuple[int, int, int, int]) -> Image:
    """Return a 35:45 crop around the face, which takes 60 % of its height; the border is repeated where cut."""
    x, y, width, height = face_px
    crop_height = round(height / 0.60)
    crop_width = round(crop_height * PORTRAIT_MM[0] / PORTRAIT_MM[1])
    left, top = round(x + width / 2 - crop_width / 2), round(y + height / 2 - crop_height / 2)
    margin = max(crop_height, crop_width)
    padded = cv2.copyMakeBorder(photo_bgr, margin, margin, margin, margin, cv2.BORDER_REPLICATE)
    crop = padded[top + margin : top + margin + crop_height, left + margin : left + margin + crop_width]
    return np.ascontiguousarray(crop, dtype=np.uint8)


def render_page(passport: Passport, portrait_bgr: Image, *, px_per_mm: float = 12.0) -> Image:
    """Return the data page as uint8 (88 * px_per_mm, 125 * px_per_mm, 3) BGR.

    ``portrait_bgr`` is printed 35 x 45 mm. Raises PassportError if OCR-B is not installed.
    """
    heading, tint = _PALETTE.get(passport.issuer, (passport.issuer, _OTHER_TINT))
    page = _background(round(PAGE_MM[0] * px_per_mm), round(PAGE_MM[1] * px_per_mm), tint)
    width, height = (round(side * px_per_mm) for side in PORTRAIT_MM)
    left, top = round(_PORTRAIT_LEFT_MM * px_per_mm), round(_PORTRAIT_TOP_MM * px_per_mm)
    portrait = cv2.resize(portrait_bgr, (width, height), interpolation=cv2.INTER_AREA)
    # The pattern shows through a printed portrait a little.
    window = page[top : top + height, left : left + width]
    window[:] = cv2.addWeighted(portrait, 0.93, window, 0.07, 0)
    _print_visual_zone(page, passport, heading, px_per_mm)
    _print_mrz(page, passport.mrz_lines(), px_per_mm)
    return page


def _background(width: int, height: int, tint: tuple[int, int, int]) -> Image:
    """A tinted page with fine waves, as guilloches print."""
    y, x = np.mgrid[:height, :width].astype(np.float32)
    waves = np.sin(x / 9 + 5 * np.sin(y / 61)) + np.sin(y / 7 + 4 * np.sin(x / 83)) + np.sin((x + y) / 13)
    pattern = (waves * 5.0)[:, :, None] * np.array([1.0, 0.8, 0.5], np.float32)
    page: Image = np.clip(np.array(tint, np.float32) + pattern, 0, 255).astype(np.uint8)
    return page


def _print_visual_zone(page: Image, passport: Passport, heading: str, px_per_mm: float) -> None:
    def put(text: str, x_mm: float, baseline_mm: float, size_mm: float, ink: tuple[float, float, float]) -> None:
        origin = (round(x_mm * px_per_mm), round(baseline_mm * px_per_mm))
        cv2.putText(page, text, origin, ink, _sans(), round(size_mm * px_per_mm))

    put(heading, 6.0, 8.0, 3.6, _LABEL_INK)
    put("PASSPORT / PASSEPORT", 78.0, 8.0, 2.8, _LABEL_INK)
    printed = (
        ("Type", "P", 46.0, 15.0),
        ("Code", passport.issuer, 62.0, 15.0),
        ("Passport No.", passport.document_number, 84.0, 15.0),
        ("Surname", passport.primary_name.upper(), 46.0, 24.0),
        ("Given names", passport.secondary_name.upper(), 46.0, 33.0),
        ("Nationality", passport.nationality, 46.0, 42.0),
        ("Date of birth", f"{passport.birth_date:%d %b %Y}".upper(), 46.0, 51.0),
        ("Sex", passport.sex.replace("<", "X"), 84.0, 51.0),
        ("Date of expiry", f"{passport.expiry_date:%d %b %Y}".upper(), 46.0, 60.0),
    )
    for label, value, x_mm, top_mm in printed:
        put(label, x_mm, top_mm, 1.8, _LABEL_INK)
        put(value, x_mm, top_mm + 4.2, 3.2, _INK)


def _print_mrz(page: Image, lines: tuple[str, ...], px_per_mm: float) -> None:
    font = _ocr_b()
    pitch_px = _PITCH_MM * px_per_mm
    # The font is fixed-pitch: the size at which one advance is one pitch follows from any two sizes' ratio.
    advance_at_100 = (_advance(font, "MM", 100) - _advance(font, "M", 100)) / 100
    size = round(pitch_px / advance_at_100)
    for line, baseline_mm in zip(lines, _MRZ_BASELINES_MM, strict=True):
        for position, character in enumerate(line):
            origin = (round(_MRZ_LEFT_MM * px_per_mm + position * pitch_px), round(baseline_mm * px_per_mm))
            cv2.putText(page, character, origin, _INK, font, size)


def _advance(font: cv2.FontFace, text: str, size: int) -> int:
    # Wide enough that the text does not wrap, which would move its end.
    canvas = np.zeros((8, 10 * size, 3), np.uint8)
    end, _ = cv2.putText(canvas, text, (0, 4), _INK, font, size)
    return int(end[0])


@cache
def _sans() -> cv2.FontFace:
    return cv2.FontFace("sans")


@cache
def _ocr_b() -> cv2.FontFace:
    font = cv2.FontFace()
    if not font.set(str(ocr_b_file())):
        raise PassportError(f"OpenCV cannot use the font {ocr_b_file()}; reinstall the system package fonts-ocr-b")
    return font


def ocr_b_file() -> Path:
    """Return the OCR-B font file. Raises PassportError naming the system package if there is none."""
    candidates = list(_FONT_FILES)
    if shutil.which("fc-match"):
        command = ["fc-match", "--format=%{family}\n%{file}", "OCR B:style=Regular"]
        found = subprocess.run(command, capture_output=True, text=True, check=False).stdout.splitlines()
        # fc-match always answers with something; only OCR-B itself will do.
        if len(found) == 2 and found[0].split(",")[0].replace("-", " ").startswith(("OCR B", "OCRB")):
            candidates.append(Path(found[1]))
    for path in candidates:
        if path.is_file():
            return path
    raise PassportError("the OCR-B font for rendering passports is missing; install the system package fonts-ocr-b")
