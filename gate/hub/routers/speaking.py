"""What the routers about cases share: for whom an officer speaks, why a word was not taken, and the case after it."""

from typing import Annotated, Any

from fastapi import Path
from pydantic import BaseModel, ConfigDict, Field

from gate.hub.accounts import SUPERVISOR, Officer
from gate.hub.audit.log import AuditKind
from gate.hub.desk import VerdictNotTaken
from gate.hub.problems import Problem
from gate.hub.routers.access import need_role
from gate.hub.rows import case_body
from gate.hub.service import Hub
from gate.hub.together import Speaker
from gate.hub.views import case_detail, sees
from gate.wire.messages import Sha256

CaseId = Annotated[str, Path(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$")]
Reason = Annotated[str, Field(max_length=500)]
RoleId = Annotated[str | None, Field(max_length=63)]
RequestId = Annotated[str | None, Field(pattern=r"^[A-Za-z0-9_-]{8,64}$")]

_WHY = {
    "unknown_case": (404, "there is no such case"),
    "closed": (409, "the crossing is over"),
    "unknown_role": (403, "this case does not ask that role"),
    "stale_evidence": (409, "the evidence has changed since: look at the case again"),
    "already_released": (409, "the case has been released"),
    "sent_back": (409, "the traveller is being sent back"),
    "refused": (409, "two officers have refused this traveller"),
    "inspection_open": (409, "a joint inspection is under way: it has to end first"),
    "colleague_spoke": (409, "a colleague of your role has spoken since: look at the case again"),
    "nobody_inside": (409, "nobody is counted in this lane"),
    "no_inspection": (404, "there is no such inspection"),
    "not_asked": (403, "this inspection does not ask that role"),
    "role_present": (409, "a colleague of your role is there already"),
    "one_role_only": (409, "one person cannot stand for two roles"),
    "not_all_present": (409, "not every role is there yet"),
    "not_present": (409, "you have not joined this inspection"),
    "not_started": (409, "the inspection has not started"),
    "already_started": (409, "the bag is open: the inspection can only be finished"),
    "already_given": (409, "your role has given its result"),
    "over": (409, "this inspection is over"),
}


class SpokenIn(BaseModel):
    """On which evidence, and for which role, where the officer has several."""

    model_config = ConfigDict(extra="forbid")

    evidence_digest: Sha256
    role: RoleId = None


def need_case_role(hub: Hub, officer: Officer) -> None:
    """A 403 problem unless the officer has to do with cases."""
    need_role(officer, SUPERVISOR, *(role.id for role in hub.site.roles))


def speaking_role(hub: Hub, officer: Officer, wanted: str | None, *, or_supervisor: bool = False) -> str:
    """The role for which the officer speaks; a problem when it is not theirs, or not clear which."""
    own = [role.id for role in hub.site.roles if role.id in officer.roles]
    if or_supervisor and SUPERVISOR in officer.roles:
        own.append(SUPERVISOR)
    if wanted is not None:
        if wanted not in own:
            raise Problem(403, "wrong_role", f"you do not speak for the role {wanted!r}")
        return wanted
    if not own:
        raise Problem(403, "wrong_role", "your account has no role that decides cases")
    if len(own) > 1:
        raise Problem(422, "role_needed", f"say for which role you speak: {', '.join(own)}")
    return own[0]


def speaker_of(hub: Hub, officer: Officer, body: SpokenIn, *, or_supervisor: bool = False) -> Speaker:
    """Who says it, for which role, on which evidence."""
    role = speaking_role(hub, officer, body.role, or_supervisor=or_supervisor)
    return Speaker(author=officer.user, role=role, digest=body.evidence_digest)


def not_taken(refused: VerdictNotTaken) -> Problem:
    """The problem that says why."""
    status, detail = _WHY[refused.reason]
    return Problem(status, refused.reason, detail)


def look_at(hub: Hub, officer: Officer, case_id: str) -> dict[str, Any]:
    """The case as this officer may see it. That they looked is written down before they see anything."""
    with hub.store.read() as connection:
        body = case_body(connection, case_id)
    if body is None:
        raise not_taken(VerdictNotTaken(reason="unknown_case"))
    shown = sees(hub.site, officer)
    data = {"evidence_digest": body["evidence_digest"], "shown": sorted(shown)}
    hub.record(AuditKind.CASE_SEEN, who=officer.user, case_id=case_id, data=data)
    with hub.store.read() as connection:
        return case_detail(connection, hub.blobs, body, shown)
