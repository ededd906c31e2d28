"""What a forecast is made of: arrivals by quarter hour of local days, and the timetable.

A port's local time is UTC and a fixed offset (``window.utc_offset_min``). Counts are arrays of shape (days, 96).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

import numpy as np
from numpy.typing import NDArray

QUARTER_MS = 900_000
DAY_QUARTERS = 96
DAY_MS = 86_400_000
WEEK_DAYS = 7
LARGE_SEATS = 230
"""From so many seats on an aircraft has two aisles, and its travellers come later and over a longer time."""

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Flight:
    """A flight (or train) as announced. ``due_ms`` is the best that is known of when it comes: estimated, else scheduled."""

    flight: str
    due_ms: int
    seats: int
    is_cancelled: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """So many travellers may come in a quarter hour; the weights of its scenarios add up to one."""

    arrivals: float
    weight: float


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class DayCounts:
    """Arrivals of whole local days from ``first_day``: ``counts`` has shape (days, 96). ValueError for another shape or negative counts."""

    first_day: date
    counts: Array

    def __post_init__(self) -> None:
        if self.counts.ndim != 2 or self.counts.shape[1] != DAY_QUARTERS:
            raise ValueError(f"counts have the shape (days, {DAY_QUARTERS}), not {self.counts.shape}")
        if not np.isfinite(self.counts).all() or (self.counts < 0).any():
            raise ValueError("counts are numbers from 0")

    @property
    def days(self) -> list[date]:
        return days_from(self.first_day, len(self.counts))

    @property
    def end_day(self) -> date:
        """The first day that is not in it."""
        return self.first_day + timedelta(days=len(self.counts))

    def until(self, day: date) -> "DayCounts":
        """What was known in the night before ``day``."""
        return DayCounts(first_day=self.first_day, counts=self.counts[: max(0, (day - self.first_day).days)])


def days_from(first_day: date, count: int) -> list[date]:
    """So many days in a row."""
    return [first_day + timedelta(days=number) for number in range(count)]


def day_start_ms(day: date, utc_offset_min: int) -> int:
    """When a local day begins, in milliseconds since 1970 UTC."""
    midnight = datetime(day.year, day.month, day.day, tzinfo=UTC)
    return int(midnight.timestamp()) * 1000 - utc_offset_min * 60_000


def local_day(at_ms: int, utc_offset_min: int) -> date:
    """The port's day at a moment."""
    return datetime.fromtimestamp((at_ms + utc_offset_min * 60_000) / 1000, tz=UTC).date()


def seats_by_quarter(flights: Iterable[Flight], days: Sequence[date], utc_offset_min: int) -> Array:
    """Seats due in each quarter hour, shape (2, days, 96): aircraft with one aisle, with two. Days follow each other."""
    seats = np.zeros((2, len(days) * DAY_QUARTERS))
    if days:
        start_ms = day_start_ms(days[0], utc_offset_min)
        for item in flights:
            place = (item.due_ms - start_ms) // QUARTER_MS
            if not item.is_cancelled and 0 <= place < seats.shape[1]:
                seats[int(item.seats >= LARGE_SEATS), place] += item.seats
    return seats.reshape(2, len(days), DAY_QUARTERS)
