"""For whoever watches a port: alarms, lanes' journals, orders to all lanes, watches and their hand-over, the search for cases."""

import json
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Query
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import and_, or_, select

from gate.hub.accounts import SUPERVISOR
from gate.hub.alarms import alarms_since
from gate.hub.cases import CaseStatus
from gate.hub.journal import commands_to, journal_of
from gate.hub.problems import Problem
from gate.hub.routers.access import HubIn, OfficerIn, need_role
from gate.hub.routers.answers import Answer, CasePageOut
from gate.hub.routers.speaking import need_case_role
from gate.hub.schema import CASES
from gate.hub.service import Hub
from gate.hub.views import case_summary, sees
from gate.hub.watches import WatchNotTaken, begin_watch, end_watch, watches
from gate.wire.messages import Act

router = APIRouter(tags=["supervision"])

LaneId = Annotated[str, Path(max_length=63)]
DAY_MS = 86_400_000
_WHY = {"already_watching": "your watch has begun already", "not_watching": "you have no watch to end"}


class AlarmOut(Answer):
    lane: str
    kind: Literal["alarm", "fault"]
    reason: str
    device: str | None
    case_id: str | None
    raised_ms: int
    cleared_ms: int | None
    cleared_by: str | None
    acknowledged_ms: int | None
    acknowledged_by: str | None


class AlarmsOut(Answer):
    alarms: list[AlarmOut]


class JournalLineOut(Answer):
    """``detail`` holds what of the event is for everybody."""

    sequence: int
    at_ms: int
    type: str
    case_id: str | None
    detail: dict[str, str]


class JournalOut(Answer):
    """``next`` continues the list as ``before``."""

    lines: list[JournalLineOut]
    next: int | None


class GivenOut(Answer):
    act: str
    author: str
    also_by: str | None
    case_id: str | None
    issued_ms: int
    state: str
    reason: str


class GivenPageOut(Answer):
    commands: list[GivenOut]


class OrderAllIn(BaseModel):
    """``lanes``: which; none named means all."""

    model_config = ConfigDict(extra="forbid")

    act: Literal["take_out_of_service", "put_in_service", "evacuate", "end_evacuation"]
    lanes: list[Annotated[str, Field(max_length=63)]] = Field(default=[], max_length=1_000)


class OrderedOut(Answer):
    commands: dict[str, str]


class WatchOut(Answer):
    number: int
    author: str
    name: str
    began_ms: int
    ended_ms: int | None
    note: str


class WatchesOut(Answer):
    limit_ms: int
    open: list[WatchOut]
    ended: list[WatchOut]


class EndWatchIn(BaseModel):
    model_config = ConfigDict(extra="forbid")

    note: Annotated[str, Field(max_length=2_000)] = ""


@router.get("/alarms", response_model=AlarmsOut)
def list_alarms(
    hub: HubIn,
    officer: OfficerIn,
    since_ms: Annotated[int | None, Query(ge=0, le=2**53)] = None,
    lane: Annotated[str | None, Query(max_length=63)] = None,
) -> dict[str, Any]:
    """Alarms and faults raised since then (default: a day ago), the newest first, with who acknowledged them when."""
    need_role(officer, "border", SUPERVISOR)
    since_ms = hub.clock.utc_ms() - DAY_MS if since_ms is None else since_ms
    with hub.store.read() as connection:
        return {"alarms": [alarm.to_json() for alarm in alarms_since(connection, since_ms, lane=lane)]}


@router.get("/lanes/{lane}/journal", response_model=JournalOut)
def read_journal(
    hub: HubIn,
    officer: OfficerIn,
    lane: LaneId,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    before: Annotated[int | None, Query(ge=1, le=2**53)] = None,
) -> dict[str, Any]:
    """What a lane reported, the newest first."""
    need_role(officer, "border", SUPERVISOR)
    _need_lane(hub, lane)
    with hub.store.read() as connection:
        return journal_of(connection, lane, limit=limit, before=before)


@router.get("/lanes/{lane}/commands", response_model=GivenPageOut)
def read_commands(
    hub: HubIn, officer: OfficerIn, lane: LaneId, limit: Annotated[int, Query(ge=1, le=200)] = 20
) -> dict[str, Any]:
    """What a lane was told, the newest first."""
    need_role(officer, "border", SUPERVISOR)
    _need_lane(hub, lane)
    with hub.store.read() as connection:
        return {"commands": commands_to(connection, lane, limit=limit)}


@router.post("/orders", status_code=202, response_model=OrderedOut)
def order_all(hub: HubIn, officer: OfficerIn, body: OrderAllIn) -> dict[str, Any]:
    """Send many lanes one order, in one transaction: evacuate a port, or lock it down by taking its lanes out of service."""
    need_role(officer, SUPERVISOR)
    lanes = list(dict.fromkeys(body.lanes)) or [lane.id for lane in hub.site.lanes]
    for lane in lanes:
        _need_lane(hub, lane)
    commands = hub.command_lanes(lanes, act=Act(body.act), author=officer.user)
    return {"commands": dict(zip(lanes, commands, strict=True))}


@router.get("/watches", response_model=WatchesOut)
def list_watches(hub: HubIn, officer: OfficerIn, limit: Annotated[int, Query(ge=1, le=100)] = 10) -> dict[str, Any]:
    """Who watches now, after how long they are to be relieved, and the last hand-over notes."""
    need_role(officer, "border", SUPERVISOR)
    with hub.store.read() as connection:
        return {"limit_ms": hub.site.promise.watch_min * 60_000, **watches(connection, limit=limit)}


@router.post("/watches", status_code=201, response_model=WatchOut)
def start_watch(hub: HubIn, officer: OfficerIn) -> dict[str, Any]:
    """Begin one's own watch."""
    need_role(officer, "border", SUPERVISOR)
    with hub.store.write() as connection:
        result = begin_watch(connection, author=officer.user, name=officer.name, now_ms=hub.clock.utc_ms())
    return _watch(result)


@router.post("/watches/end", response_model=WatchOut)
def finish_watch(hub: HubIn, officer: OfficerIn, body: EndWatchIn) -> dict[str, Any]:
    """End one's own watch, with a note for the next officer."""
    need_role(officer, "border", SUPERVISOR)
    with hub.store.write() as connection:
        result = end_watch(connection, author=officer.user, words=body.note, now_ms=hub.clock.utc_ms())
    return _watch(result)


@router.get("/search/cases", response_model=CasePageOut)
def search_cases(
    hub: HubIn,
    officer: OfficerIn,
    text: Annotated[str, Query(max_length=64, pattern=r"^[A-Za-z0-9_.-]*$")] = "",
    lane: Annotated[str | None, Query(max_length=63)] = None,
    outcome: Annotated[str | None, Query(max_length=32)] = None,
    is_referred: bool | None = None,
    from_ms: Annotated[int, Query(ge=0, le=2**53)] = 0,
    until_ms: Annotated[int, Query(ge=0, le=2**53)] = 2**53,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    after: Annotated[str | None, Query(pattern=r"^\d{1,16}~[A-Za-z0-9_.-]{1,64}$")] = None,
) -> dict[str, Any]:
    """Cases by a part of their id, lane, outcome (``open``: not over) and time; newest first.

    Names are not searched: what names people is in the evidence store, sealed.
    """
    need_case_role(hub, officer)
    query = select(CASES.c.body, CASES.c.opened_ms, CASES.c.case_id).where(
        CASES.c.opened_ms >= from_ms, CASES.c.opened_ms < until_ms
    )
    if text:
        query = query.where(CASES.c.case_id.icontains(text, autoescape=True))
    if lane is not None:
        query = query.where(CASES.c.lane == lane)
    if outcome == "open":
        query = query.where(CASES.c.status != CaseStatus.CLOSED.value)
    elif outcome is not None:
        query = query.where(CASES.c.outcome == outcome)
    if is_referred is not None:
        query = query.where(CASES.c.was_referred.is_(is_referred))
    if after is not None:
        opened, _, case_id = after.partition("~")
        later = and_(CASES.c.opened_ms == int(opened), CASES.c.case_id < case_id)
        query = query.where(or_(CASES.c.opened_ms < int(opened), later))
    query = query.order_by(CASES.c.opened_ms.desc(), CASES.c.case_id.desc()).limit(limit + 1)
    with hub.store.read() as connection:
        rows = connection.execute(query).all()
    shown = sees(hub.site, officer)
    more = f"{rows[limit - 1].opened_ms}~{rows[limit - 1].case_id}" if len(rows) > limit else None
    return {"cases": [case_summary(json.loads(row.body), shown) for row in rows[:limit]], "next": more}


def _need_lane(hub: Hub, lane: str) -> None:
    if hub.site.lane(lane) is None:
        raise Problem(404, "unknown_lane", f"there is no lane {lane!r} here")


def _watch(result: dict[str, Any] | WatchNotTaken) -> dict[str, Any]:
    if isinstance(result, WatchNotTaken):
        raise Problem(409, result.reason, _WHY[result.reason])
    return result
