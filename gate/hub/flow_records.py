"""Arrivals by day and the timetable, in the hub's database: counted from cases, or read from files of the systems before and beside it."""

import csv
import io
import json
import math
from collections import defaultdict
from collections.abc import Iterable
from datetime import date, datetime, timedelta, timezone

import numpy as np
from sqlalchemy import BigInteger, Connection, cast, func, literal_column, select

from config.schema import Site
from gate.checks.flow.series import DAY_MS, DAY_QUARTERS, QUARTER_MS, DayCounts, Flight, day_start_ms, local_day
from gate.checks.flow.staffing import ServiceTimes
from gate.hub.errors import HubError
from gate.hub.flow_schema import FLOW_DAYS, FLOW_FLIGHTS
from gate.hub.schema import CASES
from gate.hub.store import upsert_all
from gate.hub.window.parcels import LANE as PARCELS

RECOUNTED_DAYS = 3
"""A lane without its hub sends what happened later, so the last days are counted again."""
KEPT_DAYS = 3 * 366
MEASURED_DAYS = 28
MEASURED_CASES = 200
MAX_SEATS = 2_000


def count_days(connection: Connection, site: Site, now_ms: int) -> int:
    """Count the whole local days that are over, and the last of them again; how many days were written."""
    offset = site.window.utc_offset_min
    today = local_day(now_ms, offset)
    newest = connection.scalar(select(func.max(FLOW_DAYS.c.day)).where(FLOW_DAYS.c.source == "cases"))
    if newest is not None:
        first = date.fromisoformat(newest) - timedelta(days=RECOUNTED_DAYS - 1)
    else:
        oldest_ms = connection.scalar(select(func.min(CASES.c.opened_ms)).where(CASES.c.lane != PARCELS))
        if oldest_ms is None:
            return 0
        # The first day is seldom whole.
        first = local_day(oldest_ms, offset) + timedelta(days=1)
    first = max(first, today - timedelta(days=KEPT_DAYS))
    if first >= today:
        return 0
    begin_ms, end_ms = day_start_ms(first, offset), day_start_ms(today, offset)
    # The numbers are written out: PostgreSQL groups by equal text only.
    quarter = cast(
        func.floor((CASES.c.opened_ms - literal_column(str(begin_ms))) / literal_column(f"{QUARTER_MS}.0")), BigInteger
    )
    rows = connection.execute(
        select(quarter.label("quarter"), func.count().label("n"))
        .where(CASES.c.opened_ms >= begin_ms, CASES.c.opened_ms < end_ms, CASES.c.lane != PARCELS)
        .group_by(quarter)
    )
    counts = np.zeros((today - first).days * DAY_QUARTERS)
    for row in rows:
        counts[int(row.quarter)] = row.n
    days = DayCounts(first_day=first, counts=counts.reshape(-1, DAY_QUARTERS))
    return store_days(connection, days, source="cases")


def store_days(connection: Connection, days: DayCounts, *, source: str) -> int:
    """Write days, in place of what was known of them."""
    rows = [
        {"day": day.isoformat(), "source": source, "arrivals": json.dumps([int(count) for count in counts])}
        for day, counts in zip(days.days, days.counts, strict=True)
    ]
    upsert_all(connection, FLOW_DAYS, rows)
    return len(rows)


def history(connection: Connection, until: date) -> DayCounts | None:
    """The days before ``until``, a day that nobody counted as one of nobody. None: there is none."""
    rows = connection.execute(
        select(FLOW_DAYS.c.day, FLOW_DAYS.c.arrivals)
        .where(FLOW_DAYS.c.day < until.isoformat())
        .order_by(FLOW_DAYS.c.day)
    ).all()
    if not rows:
        return None
    first = date.fromisoformat(rows[0].day)
    counts = np.zeros(((until - first).days, DAY_QUARTERS))
    for row in rows:
        counts[(date.fromisoformat(row.day) - first).days] = json.loads(row.arrivals)
    return DayCounts(first_day=first, counts=counts)


def flights(connection: Connection, from_ms: int, until_ms: int) -> list[Flight]:
    """Flights that were scheduled within this time, in order; each due when it is estimated to come."""
    table = FLOW_FLIGHTS
    rows = connection.execute(
        select(table)
        .where(table.c.scheduled_ms >= from_ms, table.c.scheduled_ms < until_ms)
        .order_by(table.c.scheduled_ms, table.c.flight)
    )
    return [
        Flight(
            flight=row.flight,
            due_ms=row.scheduled_ms if row.estimated_ms is None else row.estimated_ms,
            seats=row.seats,
            is_cancelled=row.is_cancelled,
        )
        for row in rows
    ]


def measured_times(connection: Connection, site: Site, now_ms: int) -> ServiceTimes:
    """What crossings took in the last four weeks; of too few, what the site's promise plans with."""
    taken = CASES.c.closed_ms - CASES.c.opened_ms
    planned = ServiceTimes(
        crossing_s=3600 / site.promise.lane_crossings_per_h, referral_ratio=site.promise.referral_ratio
    )
    rows = connection.execute(
        select(
            CASES.c.was_referred,
            func.count().label("n"),
            func.avg(taken / 1000.0).label("mean"),
            func.avg(taken / 1000.0 * (taken / 1000.0)).label("square"),
        )
        .where(CASES.c.closed_ms >= now_ms - MEASURED_DAYS * DAY_MS, CASES.c.lane != PARCELS)
        .group_by(CASES.c.was_referred)
    )
    by_referral = {bool(row.was_referred): row for row in rows}
    plain, referred = by_referral.get(False), by_referral.get(True)
    if plain is None or plain.n < MEASURED_CASES or float(plain.mean) <= 0:
        return planned
    crossing_s = float(plain.mean)
    variance = max(0.0, float(plain.square) - crossing_s**2)
    share = referred.n / (plain.n + referred.n) if referred is not None else 0.0
    officer_s = max(5.0, float(referred.mean) - crossing_s) if referred is not None else planned.officer_s
    return ServiceTimes(
        crossing_s=crossing_s, crossing_cv=math.sqrt(variance) / crossing_s, referral_ratio=share, officer_s=officer_s
    )


def read_flights(text: str, utc_offset_min: int) -> list[dict[str, object]]:
    """Rows of a timetable in CSV: ``flight,scheduled,seats`` and, where known, ``estimated,cancelled`` (1). Times are ISO 8601.

    A time without an offset is the port's. HubError names the line.
    """
    rows: dict[tuple[str, int], dict[str, object]] = {}
    for line, said in _lines(text, {"flight", "scheduled", "seats"}):
        try:
            seats = int(said["seats"])
            scheduled_ms = _moment_ms(said["scheduled"], utc_offset_min)
            estimated = (said.get("estimated") or "").strip()
            row: dict[str, object] = {
                "flight": said["flight"].strip().upper(),
                "scheduled_ms": scheduled_ms,
                "estimated_ms": _moment_ms(estimated, utc_offset_min) if estimated else None,
                "seats": seats,
                "is_cancelled": (said.get("cancelled") or "").strip() in ("1", "true", "yes"),
            }
        except (ValueError, TypeError, AttributeError) as problem:
            raise HubError(
                f"line {line} of the timetable cannot be read ({problem}): write TG1234,2026-11-23T08:05,180"
            ) from None
        if not 1 <= len(str(row["flight"])) <= 16 or not 1 <= seats <= MAX_SEATS:
            raise HubError(
                f"line {line} of the timetable: a flight has a number of 1 to 16 letters and 1 to {MAX_SEATS} seats"
            )
        rows[str(row["flight"]), scheduled_ms] = row
    return list(rows.values())


def read_history(text: str, utc_offset_min: int) -> DayCounts:
    """Arrivals in CSV, ``at,arrivals``: a quarter hour's beginning (ISO 8601) and a count. HubError names the line."""
    counted: dict[int, float] = defaultdict(float)
    for line, said in _lines(text, {"at", "arrivals"}):
        try:
            count = int(said["arrivals"])
            counted[(_moment_ms(said["at"], utc_offset_min) + utc_offset_min * 60_000) // QUARTER_MS] += count
        except (ValueError, TypeError, AttributeError) as problem:
            raise HubError(
                f"line {line} of the history cannot be read ({problem}): write 2026-11-23T08:15,42"
            ) from None
        if count < 0:
            raise HubError(f"line {line} of the history: a count is a number from 0")
    if not counted:
        raise HubError("the history has no lines: write at,arrivals and below it 2026-11-23T08:15,42")
    first, last = min(counted) // DAY_QUARTERS, max(counted) // DAY_QUARTERS
    if last - first >= KEPT_DAYS:
        raise HubError(f"the history goes over {last - first + 1} days: {KEPT_DAYS} are the most")
    counts = np.zeros((last - first + 1) * DAY_QUARTERS)
    for quarter, count_ in counted.items():
        counts[quarter - first * DAY_QUARTERS] = count_
    first_day = date(1970, 1, 1) + timedelta(days=first)
    return DayCounts(first_day=first_day, counts=counts.reshape(-1, DAY_QUARTERS))


def _lines(text: str, needed: set[str]) -> Iterable[tuple[int, dict[str, str]]]:
    reader = csv.DictReader(io.StringIO(text.removeprefix("\ufeff")))
    missing = needed - set(reader.fieldnames or ())
    if missing:
        raise HubError(
            f"the file's first line does not name {', '.join(sorted(missing))}: write the names of its columns"
        )
    for said in reader:
        yield reader.line_num, said


def _moment_ms(text: str, utc_offset_min: int) -> int:
    moment = datetime.fromisoformat(text.strip())
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=timezone(timedelta(minutes=utc_offset_min)))
    return round(moment.timestamp() * 1000)
