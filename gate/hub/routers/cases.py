"""Cases: lists, one case as the officer may see it, verdicts, sending back."""

import json
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import and_, or_, select

from gate.core.joint_release import VerdictKind
from gate.hub.accounts import SUPERVISOR, Officer
from gate.hub.cases import CaseStatus
from gate.hub.desk import VerdictNotTaken
from gate.hub.problems import Problem
from gate.hub.routers.access import HubIn, OfficerIn, need_role
from gate.hub.rows import case_body
from gate.hub.schema import CASES
from gate.hub.service import Hub
from gate.hub.views import case_detail, case_summary, sees
from gate.wire.messages import Sha256

router = APIRouter(tags=["cases"])

_WHY = {
    "unknown_case": (404, "there is no such case"),
    "closed": (409, "the crossing is over"),
    "unknown_role": (403, "this case does not ask that role"),
    "stale_evidence": (409, "the evidence has changed since: look at the case again"),
    "already_released": (409, "the case has been released"),
    "sent_back": (409, "the traveller is being sent back"),
}


class VerdictIn(BaseModel):
    """An officer's word on the evidence they saw."""

    model_config = ConfigDict(extra="forbid")

    kind: Literal["released_by_officer", "hold", "inspect", "refuse"]
    evidence_digest: Sha256
    reason: str = Field(default="", max_length=500)
    role: str | None = Field(default=None, max_length=63)


class SendBackIn(BaseModel):
    model_config = ConfigDict(extra="forbid")

    reason: str = Field(default="", max_length=500)


@router.get("/cases")
def list_cases(
    hub: HubIn,
    officer: OfficerIn,
    status: Literal["open", "closed"] | None = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    after: Annotated[str | None, Query(pattern=r"^\d{1,16}~[A-Za-z0-9_.-]{1,64}$")] = None,
) -> dict[str, Any]:
    """Newest first. ``open`` are those whose crossing is not over (released or not); ``next`` continues the list."""
    _need_case_role(hub, officer)
    query = select(CASES.c.body, CASES.c.opened_ms, CASES.c.case_id)
    if status == "open":
        query = query.where(CASES.c.status != CaseStatus.CLOSED.value)
    elif status == "closed":
        query = query.where(CASES.c.status == CaseStatus.CLOSED.value)
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


@router.get("/cases/{case_id}")
def one_case(hub: HubIn, officer: OfficerIn, case_id: str) -> dict[str, Any]:
    """The case as this officer may see it."""
    _need_case_role(hub, officer)
    return _case_json(hub, officer, case_id)


@router.post("/cases/{case_id}/verdicts")
def give_verdict(hub: HubIn, officer: OfficerIn, case_id: str, body: VerdictIn) -> dict[str, Any]:
    """Take a verdict, for the role that the officer speaks for; the case after it."""
    role = _speaking_role(hub, officer, body.role)
    refused = hub.give_verdict(
        case_id=case_id,
        role=role,
        kind=VerdictKind(body.kind),
        digest=body.evidence_digest,
        author=officer.user,
        reason=body.reason,
    )
    if refused is not None:
        raise _problem(refused)
    return _case_json(hub, officer, case_id)


@router.post("/cases/{case_id}/send-back")
def send_back(hub: HubIn, officer: OfficerIn, case_id: str, body: SendBackIn) -> dict[str, Any]:
    """Ask the lane to let the traveller out by the entry."""
    need_role(officer, "border", SUPERVISOR, *(role.id for role in hub.site.roles if role.is_required))
    result = hub.send_back(case_id=case_id, author=officer.user, reason=body.reason)
    if isinstance(result, VerdictNotTaken):
        raise _problem(result)
    return {"command_id": result}


def _case_json(hub: Hub, officer: Officer, case_id: str) -> dict[str, Any]:
    with hub.store.read() as connection:
        body = case_body(connection, case_id)
        if body is None:
            raise _problem(VerdictNotTaken(reason="unknown_case"))
        return case_detail(connection, hub.blobs, body, sees(hub.site, officer))


def _need_case_role(hub: Hub, officer: Officer) -> None:
    need_role(officer, SUPERVISOR, *(role.id for role in hub.site.roles))


def _speaking_role(hub: Hub, officer: Officer, wanted: str | None) -> str:
    own = [role.id for role in hub.site.roles if role.id in officer.roles]
    if wanted is not None:
        if wanted not in own:
            raise Problem(403, "wrong_role", f"you do not speak for the role {wanted!r}")
        return wanted
    if not own:
        raise Problem(403, "wrong_role", "your account has no role that decides cases")
    if len(own) > 1:
        raise Problem(422, "role_needed", f"say for which role you speak: {', '.join(own)}")
    return own[0]


def _problem(refused: VerdictNotTaken) -> Problem:
    status, detail = _WHY[refused.reason]
    return Problem(status, refused.reason, detail)
