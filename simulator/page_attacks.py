"""Documents that are not what they seem: altered print, screens, photocopies, office prints, sheets. For measuring only.

The copies are made in the camera's own pixels: a raster of a known pitch is drawn as the camera would sample it, weakened by lens and
pixel (Gaussian blur, square aperture), so that what aliases here would alias there. They imitate what physics says a document reader
sees at its resolution; they are no recordings of real attacks.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace

import cv2
import numpy as np
from numpy.typing import NDArray

from simulator.passports import PAGE_MM, Passport, render_page

Image = NDArray[np.uint8]
Raster = NDArray[np.float32]
Attack = Callable[[Image, float, np.random.Generator], Image]

_ZONE_MM = 23.2
_LENS_PX = (0.3, 0.55)
_NOISE = 2.5
# Angles at which laser printers lay cyan, magenta and yellow, here as they darken red, green and blue.
_INK_ANGLES_DEG = (15.0, 75.0, 0.0)


def with_printed_number(passport: Passport, portrait_bgr: Image, number: str, *, px_per_mm: float = 12.0) -> Image:
    """Return the passport's page with another number printed in the visual zone than in the MRZ."""
    page = render_page(passport, portrait_bgr, px_per_mm=px_per_mm)
    altered = render_page(replace(passport, document_number=number), portrait_bgr, px_per_mm=px_per_mm)
    zone_top = round((PAGE_MM[1] - _ZONE_MM) * px_per_mm)
    altered[zone_top:] = page[zone_top:]
    return altered


def monitor(image_bgr: Image, px_per_mm: float, rng: np.random.Generator) -> Image:
    """Show a photographed page on a monitor or a laptop (3.5 to 6 pixels a millimetre)."""
    return _on_screen(image_bgr, rng.uniform(3.5, 6.0) / px_per_mm, rng)


def tablet(image_bgr: Image, px_per_mm: float, rng: np.random.Generator) -> Image:
    """Show a photographed page on a tablet (9 to 11 pixels a millimetre)."""
    return _on_screen(image_bgr, rng.uniform(9.0, 11.0) / px_per_mm, rng)


def phone(image_bgr: Image, px_per_mm: float, rng: np.random.Generator) -> Image:
    """Show a photographed page on a telephone (16 to 20 pixels a millimetre)."""
    return _on_screen(image_bgr, rng.uniform(16.0, 20.0) / px_per_mm, rng)


def photocopy(image_bgr: Image, px_per_mm: float, rng: np.random.Generator) -> Image:
    """Copy a photographed page without colour: toner's steep curve, a little spread and speckle."""
    grey = cv2.cvtColor(image_bgr, cv2.COLOR_BGR2GRAY).astype(np.float32)
    grey = np.asarray(cv2.GaussianBlur(grey, (0, 0), 0.06 * px_per_mm), np.float32)
    steep = 255 / (1 + np.exp(-(grey - rng.uniform(110, 140)) / rng.uniform(20, 32)))
    steep = steep + 6 * rng.standard_normal(grey.shape, dtype=np.float32)
    # A camera's white balance leaves a tint of its own on paper.
    tint = np.array([1.0, 1.0, 1.0], np.float32) + rng.normal(0, 0.02, 3).astype(np.float32)
    return _as_image((25 + 0.82 * steep)[:, :, None] * tint, rng)


def office_print(image_bgr: Image, px_per_mm: float, rng: np.random.Generator) -> Image:
    """Print a photographed page on a colour laser printer: rasters of 106 to 150 lines an inch, each ink at its angle."""
    lines_px = rng.uniform(106, 150) / 25.4 / px_per_mm
    turn_deg, lens_px = rng.uniform(-3, 3), rng.uniform(*_LENS_PX)
    tone = image_bgr.astype(np.float32) / 255
    for channel, angle_deg in zip((2, 1, 0), _INK_ANGLES_DEG, strict=True):
        across = _wave(tone.shape[:2], lines_px, angle_deg + turn_deg, lens_px, rng.uniform(0, 1))
        along = _wave(tone.shape[:2], lines_px, angle_deg + 90 + turn_deg, lens_px, rng.uniform(0, 1))
        # Dots are largest in contrast where half the paper is inked.
        ink = 1 - tone[:, :, channel]
        tone[:, :, channel] -= 1.6 * ink * (1 - ink) * (across + along)
    return _as_image(255 * tone, rng)


def sheet(image_bgr: Image, px_per_mm: float, rng: np.random.Generator) -> Image:
    """Lay a page that was printed on a larger sheet before the camera: white paper around it, the reader's glass around that."""
    height, width = image_bgr.shape[:2]
    left, right, top, bottom = (round(rng.uniform(14, 40) * px_per_mm) for _ in range(4))
    paper = cv2.copyMakeBorder(image_bgr, top, bottom, left, right, cv2.BORDER_CONSTANT, value=(236, 240, 240))
    edge = round(6 * px_per_mm)
    frame = cv2.copyMakeBorder(paper, edge, edge, edge, edge, cv2.BORDER_CONSTANT, value=(30, 32, 34))
    share = max(height, width) / max(frame.shape[:2])
    shrunk = cv2.resize(frame, None, fx=share, fy=share, interpolation=cv2.INTER_AREA)
    return _as_image(shrunk.astype(np.float32), rng)


ATTACKS: Mapping[str, Attack] = {
    "monitor": monitor,
    "tablet": tablet,
    "phone": phone,
    "photocopy": photocopy,
    "office_print": office_print,
    "sheet": sheet,
}


def _on_screen(image_bgr: Image, pixels_px: float, rng: np.random.Generator) -> Image:
    """``pixels_px``: the screen's pixels for each of the camera's."""
    turn_deg, lens_px = rng.uniform(-4, 4), rng.uniform(*_LENS_PX)
    shape = image_bgr.shape[:2]
    rows = 0.5 * _wave(shape, pixels_px, 90 + turn_deg, lens_px, rng.uniform(0, 1))
    shown = (image_bgr.astype(np.float32) / 255) ** rng.uniform(0.95, 1.15)
    black = rng.uniform(0.02, 0.08)
    phase = rng.uniform(0, 1)
    for channel in range(3):
        # Red, green and blue stand side by side, each a third of a pixel wide: 2 sinc(1/3) of modulation before the lens.
        stripes = 1.65 * _wave(shape, pixels_px, turn_deg, lens_px, phase + channel / 3)
        shown[:, :, channel] = black + (1 - black) * shown[:, :, channel] * (1 + stripes + rows)
    return _as_image(255 * shown, rng)


def _wave(shape: tuple[int, int], cycles_px: float, angle_deg: float, lens_px: float, phase: float) -> Raster:
    """A cosine raster as the camera samples it, float32 (height, width), weakened by lens and pixel."""
    gain = float(np.exp(-2 * (np.pi * lens_px * cycles_px) ** 2) * abs(np.sinc(cycles_px)))
    angle = np.radians(angle_deg)
    x = np.arange(shape[1], dtype=np.float32)[None, :] * np.float32(cycles_px * np.cos(angle))
    y = np.arange(shape[0], dtype=np.float32)[:, None] * np.float32(cycles_px * np.sin(angle))
    return np.asarray(gain * np.cos(2 * np.pi * (x + y + np.float32(phase))), np.float32)


def _as_image(picture: NDArray[np.float32] | NDArray[np.float64], rng: np.random.Generator) -> Image:
    noisy = picture.astype(np.float32) + _NOISE * rng.standard_normal(picture.shape, dtype=np.float32)
    return np.clip(noisy, 0, 255).astype(np.uint8)
