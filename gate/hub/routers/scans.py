"""Scans of inspection machines: lanes ask for those of their case, officers see what is nobody's and attach it."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Query
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import select

from gate.hub.accounts import Officer
from gate.hub.audit.log import AuditKind
from gate.hub.problems import Problem
from gate.hub.routers.access import HubIn, LaneIn, OfficerIn
from gate.hub.scans.desk import BY_OFFICER, attach, scan_json
from gate.hub.scans.schema import SCANS
from gate.hub.schema import CASES
from gate.hub.service import Hub
from gate.hub.views import sees

router = APIRouter(tags=["scans"])

ImageId = Annotated[str, Path(pattern=r"^[0-9a-f]{64}$")]
CASE_PATTERN = r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$"


class AttachIn(BaseModel):
    model_config = ConfigDict(extra="forbid")

    case_id: str = Field(pattern=CASE_PATTERN)


class ScanViewOut(BaseModel):
    kind: str
    sha256: str
    media_type: str


class ScanOut(BaseModel):
    """``case_id`` null: nobody's yet, and ``reason`` says why. ``matched_by`` is tag, document, lane_and_time or officer."""

    image_id: str
    source: str
    machine: str
    lane: str | None
    taken_ms: int
    received_ms: int
    case_id: str | None
    matched_by: str | None
    author: str | None
    reason: str
    views: list[ScanViewOut]


class ScansOut(BaseModel):
    scans: list[ScanOut]


@router.get("/scans", response_model=ScansOut)
def list_scans(
    hub: HubIn,
    officer: OfficerIn,
    state: Literal["unmatched", "all"] = "unmatched",
    case_id: Annotated[str | None, Query(pattern=CASE_PATTERN)] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> dict[str, Any]:
    """Newest first: those that are nobody's, or all, or those of one case."""
    _need_pictures(hub, officer)
    query = select(SCANS).order_by(SCANS.c.received_ms.desc(), SCANS.c.image_id).limit(limit)
    if case_id is not None:
        query = query.where(SCANS.c.case_id == case_id)
    elif state == "unmatched":
        query = query.where(SCANS.c.case_id.is_(None))
    with hub.store.read() as connection:
        scans = [scan_json(row) for row in connection.execute(query)]
    if scans:
        seen = {"scans": [item["image_id"] for item in scans]}
        hub.record(AuditKind.SCANS_SEEN, who=officer.user, case_id=case_id, data=seen)
    return {"scans": scans}


@router.post("/scans/{image_id}/case", response_model=ScanOut)
def attach_scan(hub: HubIn, officer: OfficerIn, image_id: ImageId, body: AttachIn) -> dict[str, Any]:
    """Attach a scan that is nobody's. The lane takes it up as new evidence, which reopens every verdict."""
    _need_pictures(hub, officer)
    with hub.store.write() as connection:
        row = connection.execute(select(SCANS).where(SCANS.c.image_id == image_id)).first()
        if row is None:
            raise Problem(404, "not_found", "there is no such scan")
        if row.case_id is not None and row.case_id != body.case_id:
            raise Problem(409, "already_attached", f"this scan belongs to case {row.case_id}")
        if connection.scalar(select(CASES.c.case_id).where(CASES.c.case_id == body.case_id)) is None:
            raise Problem(404, "not_found", "there is no such case")
        if row.case_id is None:
            now_ms = hub.clock.utc_ms()
            attach(connection, row, case_id=body.case_id, matched_by=BY_OFFICER, author=officer.user, now_ms=now_ms)
        after = connection.execute(select(SCANS).where(SCANS.c.image_id == image_id)).one()
    hub.case_touched(body.case_id)
    return scan_json(after)


@router.get("/lane/cases/{case_id}/scans", response_model=ScansOut)
def scans_of_case(hub: HubIn, lane: LaneIn, case_id: Annotated[str, Path(pattern=CASE_PATTERN)]) -> dict[str, Any]:
    """For the lane whose case it is: the scans that belong to it by now."""
    with hub.store.read() as connection:
        owner = connection.scalar(select(CASES.c.lane).where(CASES.c.case_id == case_id))
        if owner is not None and owner != lane:
            raise Problem(403, "foreign_case", "this case is another lane's")
        rows = connection.execute(select(SCANS).where(SCANS.c.case_id == case_id).order_by(SCANS.c.matched_ms))
        return {"scans": [scan_json(row) for row in rows]}


def _need_pictures(hub: Hub, officer: Officer) -> None:
    if "pictures" not in sees(hub.site, officer):
        raise Problem(403, "wrong_role", "your role is not shown pictures")
