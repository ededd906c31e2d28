"""Claims: an officer's screen says which case it is at work on, and hears who else is."""

from collections.abc import Mapping
from typing import Annotated, Any, cast

from fastapi import APIRouter, Depends, Query, Request
from pydantic import BaseModel, ConfigDict
from sqlalchemy import Connection, select

from gate.hub.cases import CaseStatus
from gate.hub.claims import Claim, ClaimBook, Claimed
from gate.hub.desk import VerdictNotTaken
from gate.hub.problems import Problem
from gate.hub.routers.access import HubIn, OfficerIn
from gate.hub.routers.answers import ClaimOut
from gate.hub.routers.speaking import CaseId, RoleId, not_taken, speaking_role
from gate.hub.schema import CASES, USERS
from gate.hub.service import Hub

router = APIRouter(tags=["claims"])


def claims_of(request: Request) -> ClaimBook:
    return cast(ClaimBook, request.app.state.claims)


ClaimsIn = Annotated[ClaimBook, Depends(claims_of)]


class ClaimIn(BaseModel):
    """For which role, where the officer has several. ``is_knowing``: take it over from the colleague who has it."""

    model_config = ConfigDict(extra="forbid")

    role: RoleId = None
    is_knowing: bool = False


class ClaimsOut(BaseModel):
    """Who is at work on the case, by role. ``before``: the colleague from whom it was taken over by this request."""

    claims: dict[str, ClaimOut]
    before: str | None = None


@router.put("/cases/{case_id}/claim", response_model=ClaimsOut)
def claim_case(hub: HubIn, officer: OfficerIn, claims: ClaimsIn, case_id: CaseId, body: ClaimIn) -> dict[str, Any]:
    """Say that one is at work on a case; to be repeated every few seconds. 409 ``claimed`` when a colleague of the role is."""
    role = speaking_role(hub, officer, body.role)
    _need_open(hub, case_id)
    taken = claims.take(case_id=case_id, role=role, user=officer.user, is_knowing=body.is_knowing)
    if isinstance(taken, Claim):
        raise Problem(
            409, "claimed", f"{taken.user} is at work on this case: take it over knowingly, or choose another"
        )
    if taken.is_news:
        hub.case_touched(case_id)
    return {"claims": claims_shown(hub, claims.of(case_id)), "before": _before(hub, taken)}


@router.delete("/cases/{case_id}/claim", response_model=ClaimsOut)
def leave_case(
    hub: HubIn,
    officer: OfficerIn,
    claims: ClaimsIn,
    case_id: CaseId,
    role: Annotated[str | None, Query(max_length=63)] = None,
) -> dict[str, Any]:
    """Let go of a case."""
    own = speaking_role(hub, officer, role)
    if claims.leave(case_id=case_id, role=own, user=officer.user):
        hub.case_touched(case_id)
    return {"claims": claims_shown(hub, claims.of(case_id))}


def claims_shown(hub: Hub, claims: dict[str, Claim]) -> dict[str, Any]:
    """Claims with the officers' names."""
    if not claims:
        return {}
    with hub.store.read() as connection:
        return claims_named(connection, {"": claims})[""]


def claims_named(connection: Connection, claims: Mapping[str, Mapping[str, Claim]]) -> dict[str, dict[str, Any]]:
    """Claims by case and role, with the officers' names."""
    users = {claim.user for of_case in claims.values() for claim in of_case.values()}
    names = names_of(connection, users) if users else {}
    return {
        case_id: {
            role: {"user": claim.user, "name": names.get(claim.user, claim.user), "since_ms": claim.since_ms}
            for role, claim in sorted(of_case.items())
        }
        for case_id, of_case in claims.items()
    }


def names_of(connection: Connection, users: set[str]) -> dict[str, str]:
    """What these accounts' officers are called."""
    rows = connection.execute(select(USERS.c.user, USERS.c.name).where(USERS.c.user.in_(users)))
    return {row.user: row.name for row in rows}


def _before(hub: Hub, taken: Claimed) -> str | None:
    if taken.before is None:
        return None
    with hub.store.read() as connection:
        return names_of(connection, {taken.before}).get(taken.before, taken.before)


def _need_open(hub: Hub, case_id: str) -> None:
    with hub.store.read() as connection:
        status = connection.scalar(select(CASES.c.status).where(CASES.c.case_id == case_id))
    if status is None:
        raise not_taken(VerdictNotTaken(reason="unknown_case"))
    if status == CaseStatus.CLOSED.value:
        raise not_taken(VerdictNotTaken(reason="closed"))
