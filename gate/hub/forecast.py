"""Where a forecast of arrivals comes in: whoever makes one puts it here, and the screens ask here."""

from collections.abc import Callable
from dataclasses import dataclass

HOUR_MS = 3_600_000


@dataclass(frozen=True, slots=True, kw_only=True)
class ForecastHour:
    """Travellers expected in the hour that begins at ``at_ms``; ``low`` to ``high`` holds eight of ten such hours."""

    at_ms: int
    arrivals: float
    low: float
    high: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Forecast:
    """Made at ``made_ms``, by what is named in ``source``."""

    made_ms: int
    source: str
    hours: tuple[ForecastHour, ...]


ForecastSource = Callable[[int, int], Forecast | None]
"""Called with the beginning (ms) and a number of hours; None: there is no forecast yet."""


class ForecastHook:
    """Set once, when the hub is composed; without a source there is no forecast, and the screens say so."""

    def __init__(self) -> None:
        self.source: ForecastSource | None = None

    def hours(self, from_ms: int, count: int) -> Forecast | None:
        """The forecast for ``count`` hours from the one that holds ``from_ms``; None when there is none yet."""
        return self.source(from_ms - from_ms % HOUR_MS, count) if self.source is not None else None
