"""Forecast of arrivals a quarter hour: how many a day from the calendar and the seats, when in the day from the timetable.

Two parts, each fitted to the port's own history and nothing else:

* *How many.* A Poisson regression with log link (statsmodels) of a day's arrivals on weekday, places in holidays and season, with the
  seats of the day as exposure. Days that no calendar explains (fog, strikes) are left out in a second pass. What the last weeks had
  more or less than that is carried on by exponential smoothing.
* *When.* The share of a day's arrivals in each quarter hour, as non-negative least squares of the seats due from half an hour after
  it to three hours before it (the way from the aircraft and usual delays, for aircraft of one and of two aisles) and of the
  usual shares of that weekday. Without a timetable, the usual shares alone.

Intervals are quantiles of a negative binomial whose variance, ``a`` mean + ``b`` mean squared, is fitted to the residuals.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np

from gate.checks.flow.calendar import SEASONS_FROM_DAYS, day_features, is_near_holiday
from gate.checks.flow.series import (
    DAY_QUARTERS,
    WEEK_DAYS,
    Array,
    DayCounts,
    Flight,
    Scenario,
    days_from,
    seats_by_quarter,
)

MIN_DAYS = 28
"""Of less history nothing is forecast."""
SHAPE_DAYS = 84
"""When in the day people come is learnt from so many last days: timetables change with the season."""
PROFILE_WEEKS = 6
LAGS = range(-2, 13)
"""Quarter hours from when a flight is due until its travellers come."""
SMOOTHING = 0.15
CARRIED_DAYS = 60
_OUTLIER = 4.0
_SCENARIOS = ((0.25, 0.5), (0.6, 0.2), (0.775, 0.15), (0.9, 0.1), (0.965, 0.03), (0.99, 0.02))
"""Middles of slices of the distribution and their widths; the upper end, in which most travellers are late, is cut finest."""
_MIN_SEATS = 1.0
_INDEPENDENT = 1e-6


class TooLittleHistory:
    """Fewer than :data:`MIN_DAYS` days, or days on which nobody came."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Prediction:
    """``mean``, ``low`` and ``high`` of shape (days, 96) from ``first_day``; eight of ten quarters lie from low to high."""

    first_day: date
    mean: Array
    low: Array
    high: Array
    variance_a: float
    variance_b: float

    def quantile(self, mean: Array, share: float) -> Array:
        """The number that so large a share of quarters (or hours) with these means do not exceed."""
        return _quantile(mean, self.variance_a, self.variance_b, share)

    def scenarios(self) -> list[list[Scenario]]:
        """For each quarter in turn, how many might come, and how likely that is."""
        flat = self.mean.ravel()
        columns = [(self.quantile(flat, share), weight) for share, weight in _SCENARIOS]
        return [
            [Scenario(arrivals=float(numbers[place]), weight=weight) for numbers, weight in columns]
            for place in range(len(flat))
        ]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ArrivalModel:
    """Fitted by :func:`fit_arrivals`. ``profile`` of shape (7, 96): usual shares by weekday."""

    coefficients: Array
    has_seasons: bool
    has_timetable: bool
    carried: float
    kernel: Array
    profile: Array
    variance_a: float
    variance_b: float
    holidays: frozenset[date]
    utc_offset_min: int

    def predict(self, first_day: date, count: int, flights: Sequence[Flight]) -> Prediction:
        """The days from ``first_day``. ``flights`` are those of these days and of the evening before."""
        days = days_from(first_day, count)
        around = days_from(date.fromordinal(first_day.toordinal() - 1), count + 2)
        seats = seats_by_quarter(flights, around, self.utc_offset_min)
        features = day_features(days, self.holidays, has_seasons=self.has_seasons)
        exposure = _exposure(seats[:, 1:-1], self.has_timetable)
        totals = np.exp(np.clip(features @ self.coefficients + self.carried, -20, 20)) * exposure
        usual = self.profile[[day.weekday() for day in days]]
        columns = _shape_columns(seats, exposure, usual, self.has_timetable)
        mean = _shares(columns @ self.kernel) * totals[:, None]
        a, b = self.variance_a, self.variance_b
        low, high = _quantile(mean, a, b, 0.1), _quantile(mean, a, b, 0.9)
        return Prediction(first_day=first_day, mean=mean, low=low, high=high, variance_a=a, variance_b=b)


def fit_arrivals(
    history: DayCounts, flights: Sequence[Flight], holidays: Collection[date], utc_offset_min: int
) -> ArrivalModel | TooLittleHistory:
    """Learn from whole days. ``flights`` as they were announced for these days; none: the port has no timetable."""
    if len(history.counts) < MIN_DAYS or history.counts[-MIN_DAYS:].sum() <= 0:
        return TooLittleHistory()
    held = frozenset(holidays)
    days = history.days
    around = days_from(date.fromordinal(days[0].toordinal() - 1), len(days) + 2)
    seats = seats_by_quarter(flights, around, utc_offset_min)
    has_timetable = bool((seats[:, 1:-1].sum(axis=(0, 2)) > 0).mean() > 0.9)
    exposure = _exposure(seats[:, 1:-1], has_timetable)
    has_seasons = len(days) >= SEASONS_FROM_DAYS
    features = day_features(days, held, has_seasons=has_seasons)
    totals = history.counts.sum(axis=1)
    coefficients, logs = _fit_days(features, totals, exposure)
    # A day of nobody is one on which nobody counted.
    is_usual = np.array([not is_near_holiday(day, held) for day in days]) & (totals > 0)
    carried = _carry(logs, is_usual)
    recent = slice(max(0, len(days) - SHAPE_DAYS), None)
    shares = _shares(history.counts)
    weekdays = np.array([day.weekday() for day in days])
    usual = _usual_shares(shares, totals)
    columns = _shape_columns(seats, exposure, usual, has_timetable)
    kernel = _fit_shape(columns[recent], shares[recent], totals[recent])
    fitted = _shares(columns[recent] @ kernel) * (np.exp(features[recent] @ coefficients) * exposure[recent])[:, None]
    a, b = _fit_variance(fitted, history.counts[recent])
    return ArrivalModel(
        coefficients=coefficients,
        has_seasons=has_seasons,
        has_timetable=has_timetable,
        carried=carried,
        kernel=kernel,
        profile=_last_profile(shares, totals, weekdays),
        variance_a=a,
        variance_b=b,
        holidays=held,
        utc_offset_min=utc_offset_min,
    )


def _exposure(seats: Array, has_timetable: bool) -> Array:
    """Shape (days,): the seats of a day, or one for each."""
    of_day: Array = seats.sum(axis=(0, 2))
    return np.maximum(of_day, _MIN_SEATS) if has_timetable else np.ones(len(of_day))


def _fit_days(features: Array, totals: Array, exposure: Array) -> tuple[Array, Array]:
    """Coefficients, and the log of what each day had more than they say; days far out are left out of a second pass."""
    from statsmodels.genmod.families import Poisson
    from statsmodels.genmod.generalized_linear_model import GLM

    is_kept = totals > 0
    coefficients = np.zeros(features.shape[1])
    logs = np.zeros(len(totals))
    for _ in range(2):
        # What these days never had (a long holiday, say) cannot be learnt from them, and changes nothing.
        seen = np.abs(np.diag(np.linalg.qr(features[is_kept], mode="r"))) > _INDEPENDENT
        model = GLM(totals[is_kept], features[is_kept][:, seen], family=Poisson(), offset=np.log(exposure[is_kept]))
        coefficients = np.zeros(features.shape[1])
        coefficients[seen] = model.fit(maxiter=50).params
        logs = np.log(np.maximum(totals, 0.5)) - np.log(exposure) - features @ coefficients
        spread = 1.4826 * float(np.median(np.abs(logs - np.median(logs))))
        is_kept = (totals > 0) & (np.abs(logs - np.median(logs)) <= _OUTLIER * max(spread, 0.02))
    return coefficients, logs


def _carry(logs: Array, is_usual: Array) -> float:
    """What ordinary days of the last weeks had more, smoothed, the last the most."""
    recent = logs[-CARRIED_DAYS:][is_usual[-CARRIED_DAYS:]]
    if len(recent) == 0:
        return 0.0
    level = float(np.median(recent))
    for value in recent:
        level += SMOOTHING * (float(np.clip(value - level, -0.25, 0.25)))
    return level


def _shares(counts: Array) -> Array:
    """Rows that add up to one (a row of nothing is spread evenly)."""
    totals = counts.sum(axis=1, keepdims=True)
    shares: Array = np.full_like(counts, 1 / DAY_QUARTERS)
    np.divide(counts, totals, out=shares, where=totals > 0)
    return shares


def _usual_shares(shares: Array, totals: Array) -> Array:
    """Shape (days, 96): of each day, the mean share of the same weekday in the weeks before it; the first weeks have their own."""
    usual = np.empty_like(shares)
    for place in range(len(shares)):
        before = [place - WEEK_DAYS * week for week in range(1, PROFILE_WEEKS + 1) if place - WEEK_DAYS * week >= 0]
        usual[place] = _mean_share(shares, totals, before or [place])
    return usual


def _last_profile(shares: Array, totals: Array, weekdays: Array) -> Array:
    last = [np.flatnonzero(weekdays == weekday)[-PROFILE_WEEKS:] for weekday in range(WEEK_DAYS)]
    return np.stack([_mean_share(shares, totals, list(places)) for places in last])


def _mean_share(shares: Array, totals: Array, places: list[int]) -> Array:
    weights = totals[places] + 1e-9
    mean: Array = (shares[places] * weights[:, None]).sum(axis=0) / weights.sum()
    return mean


def _shape_columns(seats: Array, exposure: Array, usual: Array, has_timetable: bool) -> Array:
    """Shape (days, 96, n): the usual share, then of each kind of aircraft the seats due so many quarters before, as shares of the day."""
    parts = [usual[:, :, None]]
    if has_timetable:
        inner = slice(DAY_QUARTERS, -DAY_QUARTERS)
        for kind in seats:
            flat = kind.ravel()
            lagged = np.stack([np.roll(flat, lag)[inner] for lag in LAGS], axis=-1)
            parts.append(lagged.reshape(len(usual), DAY_QUARTERS, len(LAGS)) / exposure[:, None, None])
    return np.concatenate(parts, axis=2)


def _fit_shape(columns: Array, shares: Array, totals: Array) -> Array:
    """Weights from zero up; busy days count for more."""
    from scipy.optimize import nnls

    weight = np.sqrt(totals / max(float(totals.mean()), 1e-9))[:, None]
    wide = (columns * weight[:, :, None]).reshape(-1, columns.shape[2])
    aim = (shares * weight).ravel()
    # A triangle of the same normal equations has n rows in place of thousands, and the same answer.
    triangle = np.asarray(np.linalg.qr(np.column_stack([wide, aim]), mode="r"), dtype=np.float64)
    kernel: Array = nnls(triangle[:, :-1], triangle[:, -1])[0]
    return kernel if kernel.sum() > 0 else np.eye(1, columns.shape[2])[0]


def _fit_variance(mean: Array, counts: Array) -> tuple[float, float]:
    """``a`` (at least a Poisson's) and ``b`` of the variance, weighted so that quiet quarters count as well."""
    from scipy.optimize import nnls

    flat = np.maximum(mean.ravel(), 0.1)
    squares = (counts.ravel() - flat) ** 2
    a, b = nnls(np.column_stack([np.ones_like(flat), flat]), squares / flat)[0]
    return max(float(a), 1.01), float(b)


def _quantile(mean: Array, a: float, b: float, share: float) -> Array:
    from scipy.stats import nbinom

    safe = np.maximum(mean, 1e-6)
    variance = a * safe + b * safe**2
    number: Array = nbinom.ppf(share, safe**2 / (variance - safe), safe / variance)
    return number
