"""The audit log over HTTP, for supervisors: entries, checkpoints to keep elsewhere, proofs."""

from typing import Annotated, Any

from fastapi import APIRouter, Path, Query
from sqlalchemy import select

from gate.hub.accounts import SUPERVISOR
from gate.hub.audit.log import AuditKind
from gate.hub.problems import Problem
from gate.hub.routers.access import HubIn, OfficerIn, need_role
from gate.hub.routers.answers import AuditPageOut, CheckpointOut, InclusionOut
from gate.hub.schema import AUDIT

router = APIRouter(tags=["audit"])

Number = Annotated[int, Path(ge=0, le=2**53)]
CASE_PATTERN = r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$"


@router.get("/audit", response_model=AuditPageOut)
def list_audit(
    hub: HubIn,
    officer: OfficerIn,
    case_id: Annotated[str | None, Query(pattern=CASE_PATTERN)] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    after: Annotated[int | None, Query(ge=0, le=2**53)] = None,
) -> dict[str, Any]:
    """Newest first; ``next`` continues the list as ``after``. That somebody looked is an entry too."""
    need_role(officer, SUPERVISOR)
    query = select(AUDIT).order_by(AUDIT.c.number.desc()).limit(limit + 1)
    if case_id is not None:
        query = query.where(AUDIT.c.case_id == case_id)
    if after is not None:
        query = query.where(AUDIT.c.number < after)
    hub.record(AuditKind.AUDIT_SEEN, who=officer.user, case_id=case_id, data={"after": after, "limit": limit})
    with hub.store.read() as connection:
        rows = connection.execute(query).all()
    more = str(rows[limit - 1].number) if len(rows) > limit else None
    return {"entries": [dict(row._mapping) for row in rows[:limit]], "next": more}


@router.get("/audit/checkpoint", response_model=CheckpointOut)
def get_checkpoint(hub: HubIn, officer: OfficerIn) -> dict[str, Any]:
    """What the log is now, signed. Kept elsewhere, it shows later that nothing before it was changed or taken away."""
    need_role(officer, SUPERVISOR)
    with hub.store.write() as connection:
        _, note = hub.upkeep.witness.checkpoint(connection)
    return {"note": note}


@router.get("/audit/{number}/proof", response_model=InclusionOut)
def prove_entry(hub: HubIn, officer: OfficerIn, number: Number) -> dict[str, Any]:
    """That this entry is in the log of the signed checkpoint (RFC 6962 audit path)."""
    need_role(officer, SUPERVISOR)
    with hub.store.write() as connection:
        try:
            return hub.upkeep.witness.prove(connection, number).to_json()
        except LookupError:
            raise Problem(404, "not_found", f"the log has no entry {number}") from None
