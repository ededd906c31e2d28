"""Two simulated years of an airport's arrivals: timetables of two seasons, loads, holidays, delays, fog, and the walk to the lanes.

Only what a port would know leaves it in :attr:`Years.history`, :attr:`Years.flights` and :attr:`Years.holidays`; ``moments_ms`` are the
travellers themselves. Every number that makes them stays inside.
"""

from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
from numpy.typing import NDArray

from gate.checks.flow.series import (
    DAY_MS,
    DAY_QUARTERS,
    QUARTER_MS,
    DayCounts,
    Flight,
    day_start_ms,
    days_from,
)

UTC_OFFSET_MIN = 480
_FIXED = (("01-01", 1), ("04-04", 3), ("05-01", 5), ("10-01", 7))
_MOVING = {2023: (("01-21", 7), ("06-22", 3)), 2024: (("02-10", 8), ("06-08", 3), ("09-15", 3))}
_MOVING[2025] = (("01-28", 8), ("05-31", 3))
_SEATS = (146, 180, 189, 290, 330)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Years:
    """``moments_ms``: when each traveller came to the lanes, in order (int64)."""

    history: DayCounts
    flights: tuple[Flight, ...]
    holidays: frozenset[date]
    moments_ms: NDArray[np.int64]

    def moments_of(self, first_day: date, count: int) -> NDArray[np.int64]:
        """The travellers of these days, from the first midnight (ms)."""
        begin_ms = day_start_ms(first_day, UTC_OFFSET_MIN)
        places = np.searchsorted(self.moments_ms, [begin_ms, begin_ms + count * DAY_MS])
        return self.moments_ms[places[0] : places[1]] - begin_ms


@dataclass(frozen=True, slots=True, kw_only=True)
class _Route:
    flight: str
    minute: int
    weekdays: frozenset[int]
    seats: int
    load: float
    leisure: float


def simulate_years(
    seed: int = 1, *, first_day: date = date(2023, 1, 2), days: int = 730, flights_a_day: int = 34
) -> Years:
    """Make them; the same seed makes the same years."""
    rng = np.random.default_rng(seed)
    calendar = days_from(first_day, days)
    holidays = _holidays(calendar)
    seasons = [_timetable(rng, flights_a_day)]
    flights: list[Flight] = []
    arrived: list[NDArray[np.float64]] = []
    level = 0.0
    for number, day in enumerate(calendar):
        if number and _begins_season(day):
            seasons.append(_revised(rng, seasons[-1]))
        level = 0.97 * level + rng.normal(0, 0.015)
        fog_minutes, cancelled = _weather(rng, day)
        demand = np.exp(level + 0.12 * number / 730) * (
            1 + 0.10 * np.sin(2 * np.pi * (day.timetuple().tm_yday - 120) / 365)
        )
        for route in seasons[-1]:
            if day.weekday() not in route.weekdays:
                continue
            due_ms = day_start_ms(day, UTC_OFFSET_MIN) + route.minute * 60_000
            flights.append(Flight(flight=route.flight, due_ms=due_ms, seats=route.seats))
            if rng.random() >= cancelled:
                arrived.append(_travellers(rng, route, due_ms, demand * _pull(route, day, holidays), fog_minutes))
    moments = np.sort(np.concatenate(arrived)).astype(np.int64)
    start_ms = day_start_ms(first_day, UTC_OFFSET_MIN)
    places = (moments - start_ms) // QUARTER_MS
    counts = np.bincount(places[(places >= 0) & (places < days * DAY_QUARTERS)], minlength=days * DAY_QUARTERS)
    return Years(
        history=DayCounts(first_day=first_day, counts=counts.reshape(days, DAY_QUARTERS).astype(np.float64)),
        flights=tuple(flights),
        holidays=holidays,
        moments_ms=moments,
    )


def _holidays(calendar: list[date]) -> frozenset[date]:
    held: set[date] = set()
    for year in {day.year for day in calendar} | {calendar[-1].year + 1}:
        for text, length in (*_FIXED, *_MOVING.get(year, ())):
            first = date.fromisoformat(f"{year}-{text}")
            held.update(first + timedelta(days=step) for step in range(length))
    return frozenset(held)


def _begins_season(day: date) -> bool:
    """The Sunday on which airlines change their timetables: the last of March and of October."""
    return day.month in (3, 10) and day.weekday() == 6 and day.day > 24


def _timetable(rng: np.random.Generator, count: int) -> list[_Route]:
    return [_route(rng, number) for number in range(round(count * 1.4))]


def _route(rng: np.random.Generator, number: int) -> _Route:
    peak = rng.choice([7.5 * 60, 13 * 60, 18.5 * 60, 22 * 60], p=[0.25, 0.2, 0.3, 0.25])
    weekdays = frozenset(int(day) for day in rng.choice(7, size=int(rng.choice([7, 7, 4, 3])), replace=False))
    return _Route(
        flight=f"TG{100 + number}{rng.integers(0, 10)}",
        minute=int(np.clip(rng.normal(peak, 90), 5 * 60, 23.6 * 60)) // 5 * 5,
        weekdays=weekdays,
        seats=int(rng.choice(_SEATS, p=[0.15, 0.4, 0.25, 0.12, 0.08])),
        load=float(np.clip(rng.normal(0.76, 0.09), 0.45, 0.95)),
        leisure=float(rng.random()),
    )


def _revised(rng: np.random.Generator, before: list[_Route]) -> list[_Route]:
    """A quarter of the flights change: other times, others come, some go."""
    return [_route(rng, number) if rng.random() < 0.25 else item for number, item in enumerate(before)]


def _weather(rng: np.random.Generator, day: date) -> tuple[float, float]:
    """Minutes of common delay and the share of flights that do not come: fog and snow in winter, storms in summer, strikes."""
    risk = 0.05 if day.month in (11, 12, 1, 2) else 0.02 if day.month in (7, 8) else 0.006
    if rng.random() >= risk:
        return 0.0, 0.01
    return float(rng.gamma(2.0, 45.0)), float(rng.beta(2, 5))


def _pull(route: _Route, day: date, holidays: frozenset[date]) -> float:
    """How much fuller a flight is that day: people leave before holidays and come back on their last days; business rests."""
    one = timedelta(days=1)
    weekday = 1 + (0.08 * route.leisure if day.weekday() >= 5 else -0.05 * route.leisure)
    if day in holidays:
        is_last = day + one not in holidays or day + 2 * one not in holidays
        return weekday * (1.22 if is_last else 0.78 + 0.25 * route.leisure)
    if day + one in holidays:
        return weekday * 0.86
    return weekday * (1.15 if day - one in holidays else 1.0)


def _travellers(
    rng: np.random.Generator, route: _Route, due_ms: int, demand: float, fog_minutes: float
) -> NDArray[np.float64]:
    """When each of one flight comes to the lanes (ms): aircraft late or early, row by row out of it, then the walk."""
    load = float(np.clip(route.load * demand * rng.normal(1, 0.08), 0.05, 1.0))
    count = rng.binomial(route.seats, load)
    late_min = (
        rng.normal(-4, 8) + (rng.exponential(35) if rng.random() < 0.17 else 0.0) + fog_minutes * rng.random() * 2
    )
    leaving_min = rng.uniform(0, 0.055 * route.seats, count)
    walk_min = 9 + rng.lognormal(1.5 if route.seats < 200 else 1.8, 0.45, count)
    return due_ms + (late_min + leaving_min + walk_min) * 60_000
