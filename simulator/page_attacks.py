"""Documents that are not what they seem: a number altered in the visual zone. For measuring only."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from simulator.passports import PAGE_MM, Passport, render_page

Image = NDArray[np.uint8]

_ZONE_MM = 23.2


def with_printed_number(passport: Passport, portrait_bgr: Image, number: str, *, px_per_mm: float = 12.0) -> Image:
    """Return the passport's page with another number printed in the visual zone than in the MRZ."""
    page = render_page(passport, portrait_bgr, px_per_mm=px_per_mm)
    altered = render_page(replace(passport, document_number=number), portrait_bgr, px_per_mm=px_per_mm)
    zone_top = round((PAGE_MM[1] - _ZONE_MM) * px_per_mm)
    altered[zone_top:] = page[zone_top:]
    return altered
