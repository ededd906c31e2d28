"""Cases: lists, one case as the officer may see it, verdicts, sending back."""

import json
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import and_, or_, select

from gate.core.joint_release import VerdictKind
from gate.hub.accounts import SUPERVISOR
from gate.hub.cases import CaseStatus
from gate.hub.desk import VerdictNotTaken
from gate.hub.routers.access import HubIn, OfficerIn, need_role
from gate.hub.routers.answers import CaseOut, CasePageOut, CommandOut
from gate.hub.routers.claims import ClaimsIn, claims_named
from gate.hub.routers.speaking import (
    CaseId,
    Reason,
    RequestId,
    SpokenIn,
    look_at,
    need_case_role,
    not_taken,
    speaking_role,
)
from gate.hub.schema import CASES
from gate.hub.views import case_summary, sees

router = APIRouter(tags=["cases"])


class VerdictIn(SpokenIn):
    """An officer's word on the evidence they saw.

    ``seen_number`` is the ``number`` of their own role's word on their screen: a colleague's newer one is then not overruled unseen.
    ``request_id`` names this press of the button; sent again after a lost answer, it is taken once.
    """

    kind: Literal["released_by_officer", "hold", "inspect", "refuse"]
    reason: Reason = ""
    seen_number: int | None = Field(default=None, ge=0, le=2**31 - 1)
    request_id: RequestId = None


class TakeBackIn(SpokenIn):
    reason: Reason = ""
    request_id: RequestId = None


class SendBackIn(BaseModel):
    model_config = ConfigDict(extra="forbid")

    reason: Reason = ""


@router.get("/cases", response_model=CasePageOut)
def list_cases(
    hub: HubIn,
    officer: OfficerIn,
    claims: ClaimsIn,
    status: Literal["open", "closed"] | None = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    after: Annotated[str | None, Query(pattern=r"^\d{1,16}~[A-Za-z0-9_.-]{1,64}$")] = None,
) -> dict[str, Any]:
    """Newest first. ``open`` are those whose crossing is not over (released or not); ``next`` continues the list."""
    need_case_role(hub, officer)
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
        at_work = claims_named(connection, claims.all())
    shown = sees(hub.site, officer)
    more = f"{rows[limit - 1].opened_ms}~{rows[limit - 1].case_id}" if len(rows) > limit else None
    listed = [
        case_summary(json.loads(row.body), shown) | {"claims": at_work.get(row.case_id, {})} for row in rows[:limit]
    ]
    return {"cases": listed, "next": more}


@router.get("/cases/{case_id}", response_model=CaseOut)
def get_case(hub: HubIn, officer: OfficerIn, case_id: CaseId) -> dict[str, Any]:
    """The case as this officer may see it. The look is recorded."""
    need_case_role(hub, officer)
    return look_at(hub, officer, case_id)


@router.post("/cases/{case_id}/verdicts", response_model=CaseOut)
def give_verdict(hub: HubIn, officer: OfficerIn, case_id: CaseId, body: VerdictIn) -> dict[str, Any]:
    """Take a verdict, for the role that the officer speaks for; the case after it. A second officer's refusal sends back."""
    refused = hub.give_verdict(
        case_id=case_id,
        role=speaking_role(hub, officer, body.role),
        kind=VerdictKind(body.kind),
        digest=body.evidence_digest,
        author=officer.user,
        reason=body.reason,
        seen_number=body.seen_number,
        request_id=body.request_id,
    )
    if refused is not None:
        raise not_taken(refused)
    return look_at(hub, officer, case_id)


@router.post("/cases/{case_id}/take-back", response_model=CaseOut)
def take_back(hub: HubIn, officer: OfficerIn, case_id: CaseId, body: TakeBackIn) -> dict[str, Any]:
    """Take the role's word back, as long as the release has not gone out; the case after it."""
    refused = hub.give_verdict(
        case_id=case_id,
        role=speaking_role(hub, officer, body.role),
        kind=VerdictKind.PENDING,
        digest=body.evidence_digest,
        author=officer.user,
        reason=body.reason,
        request_id=body.request_id,
    )
    if refused is not None:
        raise not_taken(refused)
    return look_at(hub, officer, case_id)


@router.post("/cases/{case_id}/send-back", response_model=CommandOut)
def send_back(hub: HubIn, officer: OfficerIn, case_id: CaseId, body: SendBackIn) -> dict[str, Any]:
    """Ask the lane to let the traveller out by the entry."""
    need_role(officer, "border", SUPERVISOR, *(role.id for role in hub.site.roles if role.is_required))
    result = hub.send_back(case_id=case_id, author=officer.user, reason=body.reason)
    if isinstance(result, VerdictNotTaken):
        raise not_taken(result)
    return {"command_id": result}
