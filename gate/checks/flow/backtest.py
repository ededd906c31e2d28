"""How good a forecast is: from many origins in the past, with nothing that came after them, beside the same quarter hour a week ago.

MASE (Hyndman and Koehler, 2006): the mean absolute error, divided by that of the seasonal-naive forecast within the history.
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np

from gate.checks.flow.arrivals import TooLittleHistory, fit_arrivals
from gate.checks.flow.series import DAY_MS, WEEK_DAYS, Array, DayCounts, Flight, day_start_ms


@dataclass(frozen=True, slots=True, kw_only=True)
class Backtest:
    """``mase`` and ``naive_mase`` over all origins; ``gain`` is 1 - mase / naive_mase. ``coverage``: share of quarters from low to high."""

    origins: int
    quarters: int
    mase: float
    naive_mase: float
    gain: float
    holiday_gain: float | None
    coverage: float
    first_day: date
    last_day: date


def roll_origins(
    history: DayCounts,
    flights: Sequence[Flight],
    holidays: Collection[date],
    utc_offset_min: int,
    *,
    origins: Sequence[date],
    horizon_days: int = 7,
    on_origin: Callable[[int, int], None] = lambda _done, _of: None,
) -> Backtest | TooLittleHistory:
    """Forecast ``horizon_days`` from each origin with a model fitted to the days before it.

    The forecast is given the timetable of the days ahead, as it was announced, and no count of them. The seasonal-naive forecast of a day
    is the last known one of the same weekday. ``horizon_days`` is at most 7.
    """
    if not 1 <= horizon_days <= WEEK_DAYS:
        raise ValueError("a backtest looks one to seven days ahead")
    held = frozenset(holidays)
    ordered = sorted(flights, key=lambda item: item.due_ms)
    due = np.array([item.due_ms for item in ordered], dtype=np.int64)
    errors: list[Array] = []
    naive: list[Array] = []
    inside: list[Array] = []
    is_holiday: list[bool] = []
    for number, origin in enumerate(origins):
        known = history.until(origin)
        begin_ms = day_start_ms(origin, utc_offset_min)
        ahead = slice(*np.searchsorted(due, [begin_ms - DAY_MS, begin_ms + (horizon_days + 1) * DAY_MS]))
        past = ordered[: int(np.searchsorted(due, begin_ms))]
        model = fit_arrivals(known, past, held, utc_offset_min)
        if isinstance(model, TooLittleHistory):
            return model
        place = len(known.counts)
        actual = history.counts[place : place + horizon_days]
        said = model.predict(origin, len(actual), ordered[ahead])
        scale = float(np.abs(known.counts[WEEK_DAYS:] - known.counts[:-WEEK_DAYS]).mean())
        errors.extend(np.abs(said.mean - actual) / scale)
        naive.extend(np.abs(known.counts[place - WEEK_DAYS : place - WEEK_DAYS + len(actual)] - actual) / scale)
        inside.extend((actual >= said.low) & (actual <= said.high))
        is_holiday.extend(origin + timedelta(days=step) in held for step in range(len(actual)))
        on_origin(number + 1, len(origins))
    return _scored(np.array(errors), np.array(naive), np.array(inside), np.array(is_holiday), origins)


def spread_origins(history: DayCounts, *, first: date, count: int, horizon_days: int = 7) -> list[date]:
    """So many origins, evenly from ``first`` to the last that still has its days ahead; weekdays change from one to the next."""
    last = history.end_day - timedelta(days=horizon_days)
    span = (last - first).days
    if span < 0 or count < 1:
        return []
    return sorted({first + timedelta(days=round(span * number / max(1, count - 1))) for number in range(count)})


def _scored(errors: Array, naive: Array, inside: Array, is_holiday: Array, origins: Sequence[date]) -> Backtest:
    mase, naive_mase = float(errors.mean()), float(naive.mean())
    holidays = is_holiday.astype(bool)
    holiday_gain = 1 - float(errors[holidays].mean() / naive[holidays].mean()) if holidays.any() else None
    return Backtest(
        origins=len(origins),
        quarters=errors.size,
        mase=mase,
        naive_mase=naive_mase,
        gain=1 - mase / naive_mase,
        holiday_gain=holiday_gain,
        coverage=float(inside.mean()),
        first_day=min(origins),
        last_day=max(origins),
    )
