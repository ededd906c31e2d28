"""What takes several officers: forcing the exit by two, and joint inspections."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path
from pydantic import Field
from sqlalchemy import Connection

from gate.core.inspection import Inspection, InspectionAct, InspectionOutcome
from gate.hub.accounts import Officer
from gate.hub.desk import Changes, VerdictNotTaken
from gate.hub.routers.access import HubIn, OfficerIn
from gate.hub.routers.answers import ForceOpenOut, InspectionOut
from gate.hub.routers.speaking import CaseId, Reason, RoleId, SpokenIn, not_taken, speaker_of
from gate.hub.service import Desks, Hub
from gate.hub.together import Forced, Waiting
from gate.hub.views import sees

router = APIRouter(tags=["together"])

InspectionId = Annotated[str, Path(pattern=r"^[0-9a-f]{16}$")]


class ForceOpenIn(SpokenIn):
    """Why the exit should open although not every role has released."""

    reason: Annotated[str, Field(min_length=1, max_length=500)]


class ProposeIn(SpokenIn):
    """``roles``: who has to be there; none named means every role that the case asks."""

    roles: list[Annotated[str, Field(max_length=63)]] = Field(default=[], max_length=20)


class InspectionIn(SpokenIn):
    """``outcome`` and ``detail`` go with ``result``."""

    act: Literal["join", "leave", "start", "result", "cancel"]
    outcome: Literal["nothing_found", "found"] | None = None
    detail: Reason = ""
    role: RoleId = None


@router.post("/cases/{case_id}/force-open", response_model=ForceOpenOut)
def force_open(hub: HubIn, officer: OfficerIn, case_id: CaseId, body: ForceOpenIn) -> dict[str, Any]:
    """Agree to opening the exit by two officers' word. The second agreement sends the command; the lane's own rules still bind it."""
    speaker = speaker_of(hub, officer, body, or_supervisor=True)

    def work(connection: Connection, desks: Desks) -> tuple[Changes, Waiting | Forced] | VerdictNotTaken:
        return desks.together.force_open(connection, case_id=case_id, speaker=speaker, reason=body.reason)

    result = hub.at_desk(work)
    if isinstance(result, VerdictNotTaken):
        raise not_taken(result)
    if isinstance(result, Waiting):
        return {"state": "waiting", "until_ms": result.until_ms, "officers": [officer.user]}
    return {"state": "sent", "command_id": result.command_id, "officers": [result.first, result.second]}


@router.post("/cases/{case_id}/inspections", status_code=201, response_model=InspectionOut)
def propose_inspection(hub: HubIn, officer: OfficerIn, case_id: CaseId, body: ProposeIn) -> dict[str, Any]:
    """Ask the other roles to open a bag together, once. Until it is over nobody releases the case."""
    speaker = speaker_of(hub, officer, body)

    def work(connection: Connection, desks: Desks) -> tuple[Changes, Inspection] | VerdictNotTaken:
        return desks.together.propose_inspection(connection, case_id=case_id, speaker=speaker, roles=body.roles)

    return _answer(hub, officer, hub.at_desk(work))


@router.post("/cases/{case_id}/inspections/{inspection_id}", response_model=InspectionOut)
def act_in_inspection(
    hub: HubIn, officer: OfficerIn, case_id: CaseId, inspection_id: InspectionId, body: InspectionIn
) -> dict[str, Any]:
    """Join, leave, start (when all are there), give one's result, or call it off; when the last result is in, the record stands."""
    speaker = speaker_of(hub, officer, body)

    def work(connection: Connection, desks: Desks) -> tuple[Changes, Inspection] | VerdictNotTaken:
        return desks.together.say_in_inspection(
            connection,
            case_id=case_id,
            inspection_id=inspection_id,
            act=InspectionAct(body.act),
            speaker=speaker,
            outcome=InspectionOutcome(body.outcome) if body.outcome else None,
            detail=body.detail,
        )

    return _answer(hub, officer, hub.at_desk(work))


def _answer(hub: Hub, officer: Officer, result: Inspection | VerdictNotTaken) -> dict[str, Any]:
    if isinstance(result, VerdictNotTaken):
        raise not_taken(result)
    said = result.to_json()
    if "findings" not in sees(hub.site, officer):
        # As in the case: what the others found is a finding; one's own word is not kept from oneself.
        said["results"] = {role: item for role, item in said["results"].items() if item["author"] == officer.user}
    return said
