"""How the flow went: counts and times of ended crossings, over a window and in steps of it. Counted by the database; names nobody.

*Waiting* is what a traveller feels: from laying the document down (the case's beginning) until the crossing is over, officers included.
A queue in front of the lanes is not seen from here.
"""

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import JSON, Connection, Integer, Row, case, cast, func, literal_column, select, type_coerce

from gate.hub.schema import CASES

P95 = 0.95
MAX_STEPS = 1_000

_WAITING = CASES.c.closed_ms - CASES.c.opened_ms


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """From ``from_ms`` (inclusive) to ``until_ms`` (exclusive) in steps of ``step_ms``. ValueError for more than 1000 steps or none."""

    from_ms: int
    until_ms: int
    step_ms: int

    def __post_init__(self) -> None:
        if self.step_ms <= 0 or self.until_ms <= self.from_ms:
            raise ValueError("a window begins before it ends, and so does a step")
        if self.count > MAX_STEPS:
            raise ValueError(f"{self.count} steps are more than {MAX_STEPS}: take longer ones")

    @property
    def count(self) -> int:
        return math.ceil((self.until_ms - self.from_ms) / self.step_ms)


def flow_of(connection: Connection, window: Window) -> dict[str, Any]:
    """What ended in the window: totals, a bucket a step (also those in which nothing ended), by lane, by outcome, and why referred."""
    ended = (CASES.c.closed_ms >= window.from_ms, CASES.c.closed_ms < window.until_ms)
    place = _place(window)
    referred = func.sum(case((CASES.c.was_referred, 1), else_=0))
    steps = connection.execute(
        select(place.label("place"), func.count().label("n"), referred.label("referred")).where(*ended).group_by(place)
    ).all()
    lanes = connection.execute(
        select(CASES.c.lane, func.count().label("n"), referred.label("referred"))
        .where(*ended)
        .group_by(CASES.c.lane)
        .order_by(CASES.c.lane)
    ).all()
    outcomes = connection.execute(
        select(CASES.c.outcome, func.count().label("n")).where(*ended).group_by(CASES.c.outcome)
    ).all()
    crossings = sum(row.n for row in steps)
    was_referred = sum(row.referred for row in steps)
    return {
        "from_ms": window.from_ms,
        "until_ms": window.until_ms,
        "step_ms": window.step_ms,
        "crossings": crossings,
        "referred": was_referred,
        "referral_ratio": was_referred / crossings if crossings else None,
        "waiting_ms_p95": _p95_by(connection, ended, literal_column("0")).get(0),
        "buckets": _buckets(window, steps, _p95_by(connection, ended, place)),
        "by_lane": [{"lane": row.lane, "crossings": row.n, "referred": row.referred} for row in lanes],
        "by_outcome": {row.outcome: row.n for row in outcomes if row.outcome is not None},
        "reasons": _reasons(connection, ended),
    }


def last_outcomes(connection: Connection, since_ms: int) -> dict[str, dict[str, Any]]:
    """How the last crossing of each lane ended, of those that ended since then."""
    newest = func.row_number().over(partition_by=CASES.c.lane, order_by=CASES.c.closed_ms.desc()).label("place")
    ended = select(CASES.c.lane, CASES.c.outcome, CASES.c.closed_ms, newest).where(CASES.c.closed_ms >= since_ms)
    held = ended.subquery()
    rows = connection.execute(select(held).where(held.c.place == 1, held.c.outcome.is_not(None)))
    return {row.lane: {"outcome": row.outcome, "closed_ms": row.closed_ms} for row in rows}


def waiting_now(connection: Connection, now_ms: int) -> dict[str, Any]:
    """Travellers who wait for officers at this moment."""
    row = connection.execute(
        select(func.count().label("n"), func.min(CASES.c.waiting_since_ms).label("oldest")).where(
            CASES.c.status != "closed", CASES.c.waiting_since_ms.is_not(None)
        )
    ).one()
    return {"waiting": row.n, "oldest_waiting_ms": None if row.oldest is None else max(0, now_ms - row.oldest)}


def _place(window: Window) -> Any:
    """The number of the step in which a crossing ended. The numbers are written out: PostgreSQL groups by equal text only."""
    return cast(
        func.floor((CASES.c.closed_ms - literal_column(str(window.from_ms))) / literal_column(f"{window.step_ms}.0")),
        Integer,
    )


def _p95_by(connection: Connection, ended: tuple[Any, ...], group: Any) -> dict[int, float]:
    """For each group, the smallest waiting time that 95 of 100 did not exceed (nearest rank)."""
    ranked = (
        select(
            group.label("place"),
            _WAITING.label("waiting"),
            func.row_number().over(partition_by=group, order_by=_WAITING).label("rank"),
            func.count().over(partition_by=group).label("n"),
        )
        .where(*ended)
        .subquery()
    )
    enough = select(ranked.c.place, func.min(ranked.c.waiting).label("waiting")).where(
        ranked.c.rank >= P95 * ranked.c.n
    )
    return {int(row.place): float(max(0, row.waiting)) for row in connection.execute(enough.group_by(ranked.c.place))}


def _buckets(window: Window, steps: Sequence[Row[Any]], p95: dict[int, float]) -> list[dict[str, Any]]:
    counted = {row.place: row for row in steps}
    return [
        {
            "at_ms": window.from_ms + number * window.step_ms,
            "crossings": counted[number].n if number in counted else 0,
            "referred": counted[number].referred if number in counted else 0,
            "waiting_ms_p95": p95.get(number),
        }
        for number in range(window.count)
    ]


def _reasons(connection: Connection, ended: tuple[Any, ...]) -> list[dict[str, Any]]:
    """Finding codes for which travellers were referred, the most frequent first."""
    # PostgreSQL has a type for JSON; SQLite reads it out of text, and a cast would make a number of it.
    is_postgresql = connection.dialect.name == "postgresql"
    body = cast(CASES.c.body, JSON) if is_postgresql else type_coerce(CASES.c.body, JSON)
    lists = connection.scalars(select(body["reasons"]).where(*ended, CASES.c.was_referred))
    counted = Counter(code for reasons in lists for code in set(reasons or ()))
    ordered = sorted(counted.items(), key=lambda item: (-item[1], item[0]))
    return [{"code": code, "crossings": count} for code, count in ordered]
