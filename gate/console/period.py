"""Periods of time that an officer chooses, in the port's local days, and the steps in which each is drawn."""

from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta

HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS

PERIODS = ("hour", "today", "day", "week", "month")
"""The last hour, since midnight, the last 24 hours, the last 7 and 30 days (this one counted); they begin with a whole step."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Period:
    """From ``from_ms`` (inclusive) to ``until_ms`` (exclusive) in steps of ``step_ms``."""

    name: str
    from_ms: int
    until_ms: int
    step_ms: int

    @property
    def is_by_day(self) -> bool:
        return self.step_ms >= DAY_MS


def period_of(name: str, now_ms: int) -> Period:
    """The period of that name (:data:`PERIODS`; ``today`` for any other) that ends now."""
    until_ms = now_ms + 1
    midnight_ms = _midnight_ms(now_ms)
    match name:
        case "hour":
            step_ms = HOUR_MS // 12
            whole_ms = now_ms - now_ms % step_ms
            return Period(name=name, from_ms=whole_ms - 11 * step_ms, until_ms=until_ms, step_ms=step_ms)
        case "day":
            whole_ms = now_ms - now_ms % HOUR_MS
            return Period(name=name, from_ms=whole_ms - 23 * HOUR_MS, until_ms=until_ms, step_ms=HOUR_MS)
        case "week":
            return Period(name=name, from_ms=_days_before(midnight_ms, 6), until_ms=until_ms, step_ms=DAY_MS)
        case "month":
            return Period(name=name, from_ms=_days_before(midnight_ms, 29), until_ms=until_ms, step_ms=DAY_MS)
        case _:
            return Period(name="today", from_ms=midnight_ms, until_ms=max(until_ms, midnight_ms + 1), step_ms=HOUR_MS)


def _midnight_ms(at_ms: int) -> int:
    local = datetime.fromtimestamp(at_ms / 1000, tz=UTC).astimezone()
    return int(datetime.combine(local.date(), time(), tzinfo=local.tzinfo).timestamp() * 1000)


def _days_before(midnight_ms: int, days: int) -> int:
    return midnight_ms - int(timedelta(days=days).total_seconds() * 1000)
