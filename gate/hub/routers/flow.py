"""Forecast and plan by quarter hours, the timetable they are made from, what each agency had to do, and what everybody may read."""

from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field

from gate.checks.flow.series import DAY_MS, DAY_QUARTERS, QUARTER_MS
from gate.hub.accounts import INTAKE, SUPERVISOR
from gate.hub.flow_records import MAX_SEATS
from gate.hub.flow_schema import FLOW_FLIGHTS
from gate.hub.flow_service import agencies_of
from gate.hub.problems import Problem
from gate.hub.routers.access import HubIn, OfficerIn, need_role
from gate.hub.routers.answers import Answer
from gate.hub.store import upsert_all

router = APIRouter(tags=["flow"])
Moment = Annotated[int, Query(ge=0, le=2**53)]
PUBLISHED_DAYS = 7


class QuarterOut(Answer):
    """``arrivals`` are expected, eight of ten times ``low`` to ``high``; ``late``: the share that waits longer than promised."""

    at_ms: int
    arrivals: float
    low: float
    high: float
    lanes: int
    officers: int
    late: float
    is_enough: bool


class PlanOut(Answer):
    made_ms: int
    source: str
    crossing_s: float
    officer_s: float
    referral_ratio: float
    waiting_limit_s: int
    quarters: list[QuarterOut]


class RoleFlowOut(Answer):
    role: str
    looked: int
    hits: int
    hit_ratio: float | None


class LaneLooksOut(Answer):
    lane: str
    crossings: int
    referred: int
    referral_ratio: float | None
    scanned: int
    opened: int
    hit_ratio: float | None
    non_intrusive_ratio: float | None


class AgenciesOut(Answer):
    from_ms: int
    until_ms: int
    by_role: list[RoleFlowOut]
    by_lane: list[LaneLooksOut]


class ServiceTimesOut(Answer):
    """Of the last seven whole days (UTC): from laying the document down until through. Null: too few crossings to tell of."""

    port: str
    title: str
    from_ms: int
    until_ms: int
    promised_ms: int
    crossings: int
    kept_ratio: float | None
    service_ms_p50: float | None
    service_ms_p95: float | None


class FlightIn(BaseModel):
    """A flight or train. Said again under the same number and time it replaces what was said: estimates, cancellations."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    flight: str = Field(pattern=r"^[A-Z0-9]{1,16}$")
    scheduled_ms: int = Field(ge=0, le=2**53)
    estimated_ms: int | None = Field(default=None, ge=0, le=2**53)
    seats: int = Field(ge=1, le=MAX_SEATS)
    is_cancelled: bool = False


class FlightsTakenOut(Answer):
    flights: int


@router.get("/flow/plan", response_model=PlanOut)
def get_plan(hub: HubIn, officer: OfficerIn, hours: Annotated[int, Query(ge=1, le=7 * 24)] = 24) -> dict[str, Any]:
    """What is expected from this quarter hour on, and the lanes and officers that keep the promise then."""
    need_role(officer, SUPERVISOR, *(role.id for role in hub.site.roles))
    outlook = hub.flow.outlook
    if outlook is None:
        raise Problem(404, "no_forecast", "there is no forecast yet: it needs four weeks of history")
    mean, low, high = (
        part.ravel() for part in (outlook.prediction.mean, outlook.prediction.low, outlook.prediction.high)
    )
    first = max(0, (hub.clock.utc_ms() - outlook.start_ms) // QUARTER_MS)
    times = outlook.times
    return {
        "made_ms": outlook.made_ms,
        "source": outlook.source,
        "crossing_s": times.crossing_s,
        "officer_s": times.officer_s,
        "referral_ratio": times.referral_ratio,
        "waiting_limit_s": hub.site.promise.waiting_limit_s,
        "quarters": [
            {
                "at_ms": outlook.start_ms + place * QUARTER_MS,
                "arrivals": float(mean[place]),
                "low": float(low[place]),
                "high": float(high[place]),
                "lanes": item.lanes,
                "officers": item.officers,
                "late": item.late,
                "is_enough": item.is_enough,
            }
            for place, item in list(enumerate(outlook.plan))[first : first + hours * (DAY_QUARTERS // 24)]
        ],
    }


@router.post("/flow/flights", response_model=FlightsTakenOut)
def post_flights(
    hub: HubIn, officer: OfficerIn, flights: Annotated[list[FlightIn], Field(min_length=1, max_length=5_000)]
) -> dict[str, int]:
    """Take flights of the port's flight information system; all or none. The forecast knows them within minutes."""
    need_role(officer, INTAKE, SUPERVISOR)
    rows = {(item.flight, item.scheduled_ms): item.model_dump() for item in flights}
    with hub.store.write() as connection:
        upsert_all(connection, FLOW_FLIGHTS, list(rows.values()))
    return {"flights": len(rows)}


@router.get("/flow/agencies", response_model=AgenciesOut)
def get_agencies(hub: HubIn, officer: OfficerIn, from_ms: Moment, until_ms: Moment) -> dict[str, Any]:
    """Referrals, hits and the share of inspections without opening, by role and by lane, of what ended in a period."""
    need_role(officer, SUPERVISOR, *(role.id for role in hub.site.roles))
    if until_ms <= from_ms:
        raise Problem(422, "bad_period", "a period begins before it ends")
    with hub.store.read() as connection:
        return agencies_of(connection, from_ms=from_ms, until_ms=until_ms)


@router.get("/flow/service-times", response_model=ServiceTimesOut)
def get_service_times(hub: HubIn) -> dict[str, Any]:
    """What the port promises and what it kept. Needs no account."""
    until_ms = hub.clock.utc_ms() // DAY_MS * DAY_MS
    return hub.flow.published(until_ms - PUBLISHED_DAYS * DAY_MS, until_ms)
