"""How the flow goes: the last hour beside what was promised, the forecast, and any period in steps."""

from typing import Annotated, Any

from fastapi import APIRouter, Query

from gate.hub.accounts import SUPERVISOR
from gate.hub.forecast import HOUR_MS
from gate.hub.problems import Problem
from gate.hub.routers.access import HubIn, OfficerIn, need_role
from gate.hub.routers.answers import Answer
from gate.hub.statistics import Window, flow_of, last_outcomes, waiting_now

router = APIRouter(tags=["statistics"])

Moment = Annotated[int, Query(ge=0, le=2**53)]
_FORECAST_HOURS = 6


class BucketOut(Answer):
    at_ms: int
    crossings: int
    referred: int
    waiting_ms_p95: float | None


class LaneFlowOut(Answer):
    lane: str
    crossings: int
    referred: int


class ReasonOut(Answer):
    code: str
    crossings: int


class FlowOut(Answer):
    """What ended in a period. *Waiting*: from laying the document down until the crossing was over."""

    from_ms: int
    until_ms: int
    step_ms: int
    crossings: int
    referred: int
    referral_ratio: float | None
    waiting_ms_p95: float | None
    buckets: list[BucketOut]
    by_lane: list[LaneFlowOut]
    by_outcome: dict[str, int]
    reasons: list[ReasonOut]


class PromiseOut(Answer):
    waiting_limit_ms: int
    lane_crossings_per_h: int
    crossings_per_h: int | None
    referral_ratio: float
    lanes_out: int
    watch_ms: int


class ForecastHourOut(Answer):
    at_ms: int
    arrivals: float
    low: float
    high: float


class ForecastOut(Answer):
    made_ms: int
    source: str
    hours: list[ForecastHourOut]


class OutcomeOut(Answer):
    outcome: str
    closed_ms: int


class NowOut(Answer):
    """``forecast`` is null as long as nobody makes one; ``last_outcomes`` are of the last hour, by lane."""

    now_ms: int
    last_hour: FlowOut
    waiting: int
    oldest_waiting_ms: int | None
    promise: PromiseOut
    forecast: ForecastOut | None
    last_outcomes: dict[str, OutcomeOut]


@router.get("/statistics/flow", response_model=FlowOut)
def get_flow(
    hub: HubIn,
    officer: OfficerIn,
    from_ms: Moment,
    until_ms: Moment,
    step_ms: Annotated[int, Query(ge=60_000, le=366 * 24 * HOUR_MS)] = HOUR_MS,
) -> dict[str, Any]:
    """Crossings that ended in a period, in steps of it."""
    need_role(officer, SUPERVISOR, *(role.id for role in hub.site.roles))
    try:
        window = Window(from_ms=from_ms, until_ms=until_ms, step_ms=step_ms)
    except ValueError as error:
        raise Problem(422, "bad_period", str(error)) from None
    with hub.store.read() as connection:
        return flow_of(connection, window)


@router.get("/statistics/now", response_model=NowOut)
def get_now(hub: HubIn, officer: OfficerIn) -> dict[str, Any]:
    """The last hour beside what the port promises, who waits, and what is expected in the next six hours."""
    need_role(officer, SUPERVISOR, *(role.id for role in hub.site.roles))
    now_ms = hub.clock.utc_ms()
    with hub.store.read() as connection:
        end_ms = now_ms + 1  # what ended in this millisecond counts
        hour = flow_of(connection, Window(from_ms=end_ms - HOUR_MS, until_ms=end_ms, step_ms=HOUR_MS // 12))
        waiting = waiting_now(connection, now_ms)
        outcomes = last_outcomes(connection, end_ms - HOUR_MS)
    forecast = hub.forecast.hours(now_ms, _FORECAST_HOURS)
    promise = hub.site.promise
    return {
        "now_ms": now_ms,
        "last_hour": hour,
        **waiting,
        "last_outcomes": outcomes,
        "promise": {
            "waiting_limit_ms": promise.waiting_limit_s * 1_000,
            "lane_crossings_per_h": promise.lane_crossings_per_h,
            "crossings_per_h": promise.crossings_per_h,
            "referral_ratio": promise.referral_ratio,
            "lanes_out": promise.lanes_out,
            "watch_ms": promise.watch_min * 60_000,
        },
        "forecast": None
        if forecast is None
        else {
            "made_ms": forecast.made_ms,
            "source": forecast.source,
            "hours": [
                {"at_ms": hour.at_ms, "arrivals": hour.arrivals, "low": hour.low, "high": hour.high}
                for hour in forecast.hours
            ],
        },
    }
