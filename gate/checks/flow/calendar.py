"""What a date says about how many travel: the day of the week, where it lies in a holiday, the time of the year."""

from collections.abc import Collection, Sequence
from datetime import date, timedelta

import numpy as np

from gate.checks.flow.series import Array

YEAR_DAYS = 365.2425
SEASONS_FROM_DAYS = 330
"""A history that is shorter cannot tell a season from a trend."""


def is_near_holiday(day: date, holidays: Collection[date]) -> bool:
    """Whether it is a holiday or the day before or after one."""
    return any(day + timedelta(days=shift) in holidays for shift in (-1, 0, 1))


def day_features(days: Sequence[date], holidays: Collection[date], *, has_seasons: bool) -> Array:
    """Shape (days, n): a constant, six weekdays, six places in a holiday, and two harmonics of the year where ``has_seasons``."""
    held = frozenset(holidays)
    rows = []
    for day in days:
        row = [1.0, *(float(day.weekday() == weekday) for weekday in range(1, 7)), *_holiday_places(day, held)]
        if has_seasons:
            angle = 2 * np.pi * day.timetuple().tm_yday / YEAR_DAYS
            row += [np.sin(angle), np.cos(angle), np.sin(2 * angle), np.cos(2 * angle)]
        rows.append(row)
    return np.asarray(rows, dtype=np.float64)


def _holiday_places(day: date, holidays: frozenset[date]) -> list[float]:
    """In a holiday; its first day; its last; the day before; the day after; in one of five days or more."""
    one = timedelta(days=1)
    is_in, was_in, will_be = day in holidays, day - one in holidays, day + one in holidays
    length = 0
    if is_in:
        first = last = day
        while first - one in holidays:
            first -= one
        while last + one in holidays:
            last += one
        length = (last - first).days + 1
    return [
        float(flag)
        for flag in (
            is_in,
            is_in and not was_in,
            is_in and not will_be,
            not is_in and will_be,
            not is_in and was_in,
            length >= 5,
        )
    ]
