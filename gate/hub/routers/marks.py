"""Marks on pictures: whoever is shown a case's pictures sees all marks on them and may draw; each may erase their own."""

from typing import Annotated, Any

from fastapi import APIRouter, Path
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import select

from gate.hub.accounts import Officer
from gate.hub.audit.log import AuditKind
from gate.hub.marks import MarkKind, MarkNotTaken, NewMark, draw, erase, marks_of
from gate.hub.problems import Problem
from gate.hub.routers.access import HubIn, OfficerIn
from gate.hub.routers.speaking import CaseId, RoleId, need_case_role, speaking_role
from gate.hub.schema import CASES, USERS
from gate.hub.service import Hub
from gate.hub.views import sees
from gate.wire.messages import Sha256

router = APIRouter(tags=["marks"])

MarkId = Annotated[str, Path(pattern=r"^[0-9a-f]{32}$")]
MAX_SIDE_PX = 1_000_000

_WHY = {
    "unknown_case": (404, "there is no such case"),
    "unknown_picture": (404, "this picture is not of this case"),
    "unknown_mark": (404, "there is no such mark"),
    "too_many": (409, "this case has as many marks as can be shown"),
    "not_yours": (403, "only who drew a mark may erase it"),
}


class MarkIn(BaseModel):
    """A shape on a picture, in its pixels. ``role``: for whom the officer draws, where they have several roles."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)

    picture: Sha256
    kind: MarkKind
    x: Annotated[float, Field(ge=0, le=MAX_SIDE_PX)]
    y: Annotated[float, Field(ge=0, le=MAX_SIDE_PX)]
    width: Annotated[float, Field(ge=0, le=MAX_SIDE_PX)] = 0.0
    height: Annotated[float, Field(ge=0, le=MAX_SIDE_PX)] = 0.0
    text: Annotated[str, Field(max_length=200)] = ""
    role: RoleId = None


class MarkOut(BaseModel):
    """A mark that stands. ``author`` is the account, ``author_name`` who it belongs to."""

    mark_id: str
    number: int
    picture: str
    kind: MarkKind
    x: float
    y: float
    width: float
    height: float
    text: str
    role: str
    author: str
    author_name: str
    at_ms: int


class MarksOut(BaseModel):
    marks: list[MarkOut]


@router.get("/cases/{case_id}/marks", response_model=MarksOut)
def list_marks(hub: HubIn, officer: OfficerIn, case_id: CaseId) -> dict[str, Any]:
    """The marks on the pictures of a case, in the order in which they were drawn."""
    _need_pictures(hub, officer)
    return _marks(hub, officer, case_id)


@router.post("/cases/{case_id}/marks", status_code=201, response_model=MarksOut)
def draw_mark(hub: HubIn, officer: OfficerIn, case_id: CaseId, body: MarkIn) -> dict[str, Any]:
    """Draw a mark, which every screen then shows; all marks after it."""
    _need_pictures(hub, officer)
    mark = NewMark(
        picture=body.picture,
        kind=body.kind,
        x=body.x,
        y=body.y,
        width=body.width,
        height=body.height,
        text=body.text.strip(),
        role=speaking_role(hub, officer, body.role),
        author=officer.user,
    )
    # One writer at a time gives the numbers; a second process that drew at the same moment is told to press again.
    with hub.store.write() as connection:
        result = draw(connection, case_id, mark, at_ms=hub.clock.utc_ms())
    if isinstance(result, MarkNotTaken):
        raise _problem(result)
    hub.case_touched(case_id)
    return _marks(hub, officer, case_id)


@router.delete("/cases/{case_id}/marks/{mark_id}", response_model=MarksOut)
def erase_mark(hub: HubIn, officer: OfficerIn, case_id: CaseId, mark_id: MarkId) -> dict[str, Any]:
    """Take one's own mark away; all marks after it. That it was there stays on record."""
    _need_pictures(hub, officer)
    with hub.store.write() as connection:
        refused = erase(connection, case_id, mark_id, author=officer.user, at_ms=hub.clock.utc_ms())
    if refused is not None:
        raise _problem(refused)
    hub.case_touched(case_id)
    return _marks(hub, officer, case_id)


def _marks(hub: Hub, officer: Officer, case_id: str) -> dict[str, Any]:
    """The marks as they are now. That the officer looked is written down before they see them."""
    with hub.store.read() as connection:
        if connection.scalar(select(CASES.c.case_id).where(CASES.c.case_id == case_id)) is None:
            raise _problem(MarkNotTaken(reason="unknown_case"))
        marks = marks_of(connection, case_id)
        authors = {mark["author"] for mark in marks}
        rows = connection.execute(select(USERS.c.user, USERS.c.name).where(USERS.c.user.in_(authors)))
        names = {row.user: row.name for row in rows}
    seen = {"marks": [mark["mark_id"] for mark in marks]}
    hub.record(AuditKind.MARKS_SEEN, who=officer.user, case_id=case_id, data=seen)
    return {"marks": [{**mark, "author_name": names.get(mark["author"], mark["author"])} for mark in marks]}


def _need_pictures(hub: Hub, officer: Officer) -> None:
    need_case_role(hub, officer)
    if "pictures" not in sees(hub.site, officer):
        raise Problem(403, "wrong_role", "your role is not shown pictures")


def _problem(refused: MarkNotTaken) -> Problem:
    status, detail = _WHY[refused.reason]
    return Problem(status, refused.reason, detail)
