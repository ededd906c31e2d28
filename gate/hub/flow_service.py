"""What a port did, told to everybody: service times without a person in them; and what each agency had to do, told to officers."""

from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, and_, case, func, literal_column, select

from gate.core.joint_release import VerdictKind
from gate.hub.scans.schema import SCANS
from gate.hub.schema import CASES, VERDICTS
from gate.hub.window.parcels import LANE as PARCELS

MIN_CROSSINGS = 20
"""Of fewer, times would tell of single travellers."""
_HITS = tuple(kind.value for kind in (VerdictKind.HOLD, VerdictKind.INSPECT, VerdictKind.REFUSE))
_BY_HAND = (*_HITS, VerdictKind.RELEASED_BY_OFFICER.value)


def published_times(connection: Connection, *, from_ms: int, until_ms: int, limit_ms: int) -> dict[str, Any]:
    """Crossings of a period, the share that kept the promise, and the times that 50 and 95 of 100 did not exceed.

    All null but the counts when there were fewer than :data:`MIN_CROSSINGS`, and those are told as none.
    """
    taken = CASES.c.closed_ms - CASES.c.opened_ms
    ended = _ended(from_ms, until_ms)
    ranked = (
        select(
            taken.label("taken"),
            func.row_number().over(order_by=taken).label("rank"),
            func.count().over().label("n"),
        )
        .where(*ended)
        .subquery()
    )
    row = connection.execute(
        select(
            func.max(ranked.c.n).label("n"),
            func.sum(case((ranked.c.taken <= limit_ms, 1), else_=0)).label("kept"),
            func.min(case((ranked.c.rank * 100 >= ranked.c.n * 50, ranked.c.taken))).label("p50"),
            func.min(case((ranked.c.rank * 100 >= ranked.c.n * 95, ranked.c.taken))).label("p95"),
        )
    ).one()
    if row.n is None or row.n < MIN_CROSSINGS:
        return {"crossings": 0, "kept_ratio": None, "service_ms_p50": None, "service_ms_p95": None}
    return {
        "crossings": row.n,
        "kept_ratio": row.kept / row.n,
        "service_ms_p50": float(max(0, row.p50)),
        "service_ms_p95": float(max(0, row.p95)),
    }


def agencies_of(connection: Connection, *, from_ms: int, until_ms: int) -> dict[str, Any]:
    """What ended in a period, by lane and by role, parcels among the lanes.

    Of a lane: ``scanned`` had an X-ray picture, ``opened`` were held, inspected or refused by somebody; ``non_intrusive_ratio`` is
    the share of the scanned that nobody opened. Of a role: ``looked`` crossings that an officer of it decided by hand, ``hits`` of those
    that were held, inspected or refused, and ``hit_ratio`` of the two.
    """
    ended = _ended(from_ms, until_ms, with_parcels=True)
    said = (
        select(
            VERDICTS.c.case_id,
            VERDICTS.c.role,
            func.max(_flag(VERDICTS.c.kind.in_(_BY_HAND))).label("looked"),
            func.max(_flag(VERDICTS.c.kind.in_(_HITS))).label("hit"),
        )
        .join(CASES, CASES.c.case_id == VERDICTS.c.case_id)
        .where(*ended)
        .group_by(VERDICTS.c.case_id, VERDICTS.c.role)
        .subquery()
    )
    roles = connection.execute(
        select(said.c.role, func.sum(said.c.looked).label("looked"), func.sum(said.c.hit).label("hits"))
        .group_by(said.c.role)
        .order_by(said.c.role)
    )
    opened = select(said.c.case_id).where(said.c.hit == 1)
    scanned = select(SCANS.c.case_id).where(SCANS.c.case_id.is_not(None))
    has_scan, is_opened = CASES.c.case_id.in_(scanned), CASES.c.case_id.in_(opened)
    lanes = connection.execute(
        select(
            CASES.c.lane,
            func.count().label("n"),
            func.sum(_flag(CASES.c.was_referred)).label("referred"),
            func.sum(_flag(has_scan)).label("scanned"),
            func.sum(_flag(is_opened)).label("opened"),
            func.sum(_flag(and_(has_scan, ~is_opened))).label("unopened"),
        )
        .where(*ended)
        .group_by(CASES.c.lane)
        .order_by(CASES.c.lane)
    )
    return {
        "from_ms": from_ms,
        "until_ms": until_ms,
        "by_role": [
            {
                "role": row.role,
                "looked": int(row.looked),
                "hits": int(row.hits),
                "hit_ratio": _ratio(row.hits, row.looked),
            }
            for row in roles
        ],
        "by_lane": [_lane(row) for row in lanes],
    }


def _lane(row: Row[Any]) -> dict[str, Any]:
    return {
        "lane": row.lane,
        "crossings": row.n,
        "referred": int(row.referred),
        "referral_ratio": _ratio(row.referred, row.n),
        "scanned": int(row.scanned),
        "opened": int(row.opened),
        "hit_ratio": _ratio(row.opened, row.n),
        "non_intrusive_ratio": _ratio(row.unopened, row.scanned),
    }


def _ended(from_ms: int, until_ms: int, *, with_parcels: bool = False) -> tuple[ColumnElement[bool], ...]:
    within = (CASES.c.closed_ms >= from_ms, CASES.c.closed_ms < until_ms)
    return within if with_parcels else (*within, CASES.c.lane != PARCELS)


def _flag(condition: ColumnElement[bool]) -> ColumnElement[int]:
    return case((condition, literal_column("1")), else_=literal_column("0"))


def _ratio(part: Any, whole: Any) -> float | None:
    return float(part) / float(whole) if whole else None
