"""When a camera's pictures count as no view of the present. Apart, so that settings cost no OpenCV."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class HealthLimits:
    """When a picture is no view. None switches a check off: a folder's stills rest rightly, a reader's empty glass is rightly dark.

    ``frozen_after_ms``: so long every picture is the same as the one before. ``dark_after_ms``: so long the 99th percentile of the grey
    levels (0..255) is below ``dark_level``.
    """

    frozen_after_ms: int | None = None
    dark_after_ms: int | None = None
    dark_level: float = 30.0
