"""Lanes: what they do now, orders to them, and how the flow went."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Query
from pydantic import BaseModel, ConfigDict
from sqlalchemy import Column, Connection, func, select

from gate.hub.accounts import SUPERVISOR
from gate.hub.problems import Problem
from gate.hub.routers.access import HubIn, OfficerIn, need_role
from gate.hub.routers.answers import CommandOut, LanesOut, StatisticsOut
from gate.hub.schema import CASES, LANES
from gate.wire.messages import Act

router = APIRouter(tags=["lanes"])

LaneId = Annotated[str, Path(max_length=63)]
DAY_MS = 86_400_000


class OrderIn(BaseModel):
    model_config = ConfigDict(extra="forbid")

    act: Literal["acknowledge", "take_out_of_service", "put_in_service", "evacuate", "end_evacuation"]


@router.get("/lanes", response_model=LanesOut)
def list_lanes(hub: HubIn, officer: OfficerIn) -> dict[str, Any]:
    """Every lane of the site with its last words."""
    need_role(officer, SUPERVISOR, *(role.id for role in hub.site.roles))
    with hub.store.read() as connection:
        stored = {row.lane: row for row in connection.execute(select(LANES))}
    titles = {lane.id: lane.title or lane.id for lane in hub.site.lanes}
    lanes = []
    for live in hub.board.lanes():
        row = stored.get(live.lane)
        lanes.append(
            {
                "lane": live.lane,
                "title": titles[live.lane],
                "is_online": live.is_online,
                "state": live.state.model_dump(mode="json") if live.state else None,
                "seen_ms": live.seen_ms,
                "software_version": live.software_version or (row.software_version if row else None),
                "missing_events": row.last_sequence - row.event_count if row else 0,
            }
        )
    return {"lanes": lanes}


@router.post("/lanes/{lane}/commands", status_code=202, response_model=CommandOut)
def order_lane(hub: HubIn, officer: OfficerIn, lane: LaneId, body: OrderIn) -> dict[str, str]:
    """Send a lane an order."""
    need_role(officer, "border", SUPERVISOR)
    if hub.site.lane(lane) is None:
        raise Problem(404, "unknown_lane", f"there is no lane {lane!r} here")
    return {"command_id": hub.command_lane(lane=lane, act=Act(body.act), author=officer.user)}


@router.get("/statistics", response_model=StatisticsOut)
def get_statistics(
    hub: HubIn, officer: OfficerIn, since_ms: Annotated[int | None, Query(ge=0, le=2**53)] = None
) -> dict[str, Any]:
    """Crossings that ended since ``since_ms`` (default: a day ago)."""
    need_role(officer, SUPERVISOR, *(role.id for role in hub.site.roles))
    since_ms = hub.clock.utc_ms() - DAY_MS if since_ms is None else since_ms
    ended = CASES.c.closed_ms >= since_ms
    with hub.store.read() as connection:
        outcomes = connection.execute(
            select(CASES.c.outcome, func.count().label("n")).where(ended).group_by(CASES.c.outcome)
        ).all()
        lanes = connection.execute(
            select(CASES.c.lane, func.count().label("n")).where(ended).group_by(CASES.c.lane)
        ).all()
        referred = connection.scalar(select(func.count()).where(ended, CASES.c.was_referred)) or 0
        entry_ms = _median(connection, CASES.c.document_to_entry_ms, since_ms)
        exit_ms = _median(connection, CASES.c.face_to_exit_ms, since_ms)
    crossings = sum(row.n for row in outcomes)
    return {
        "since_ms": since_ms,
        "crossings": crossings,
        "by_outcome": {row.outcome: row.n for row in outcomes},
        "by_lane": {row.lane: row.n for row in lanes},
        "referral_ratio": referred / crossings if crossings else None,
        "document_to_entry_ms_p50": entry_ms,
        "face_to_exit_ms_p50": exit_ms,
    }


def _median(connection: Connection, column: Column[Any], since_ms: int) -> float | None:
    """The lower median, found by the database so that a day of crossings does not travel."""
    known = (CASES.c.closed_ms >= since_ms, column.is_not(None))
    count = connection.scalar(select(func.count()).where(*known)) or 0
    if not count:
        return None
    value = connection.scalar(select(column).where(*known).order_by(column).offset((count - 1) // 2).limit(1))
    return float(value) if value is not None else None
