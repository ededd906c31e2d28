"""What comes before the traveller: declarations, and the lanes' questions about them and the watchlist."""

from typing import Annotated

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field

from gate.hub.accounts import INTAKE
from gate.hub.audit.log import AuditKind, Entry, note
from gate.hub.intake import put_declaration
from gate.hub.risk import LOOKUP as RISK
from gate.hub.routers.access import HubIn, LaneIn, OfficerIn, need_role
from gate.hub.routers.answers import DeclaredOut
from gate.hub.watchlist.shelf import LOOKUP as WATCHLIST
from gate.wire.messages import LookupAnswer, LookupRequest

router = APIRouter(tags=["intake"])

Text = Annotated[str, Field(min_length=1, max_length=200)]
Number = Annotated[str, Field(min_length=1, max_length=32, pattern=r"[A-Za-z0-9]")]
Issuer = Annotated[str, Field(min_length=1, max_length=8, pattern=r"[A-Za-z]")]


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid")


class CustomsIn(_Body):
    goods: list[Text] = Field(max_length=100)
    is_nothing_to_declare: bool


class HealthIn(_Body):
    symptoms: list[Text] = Field(max_length=100)
    countries: list[Text] = Field(max_length=100)


class DeclarationIn(_Body):
    document_number: Number
    issuer: Issuer
    customs: CustomsIn | None = None
    health: HealthIn | None = None


@router.post("/lookups")
def look_up_document(hub: HubIn, _lane: LaneIn, body: LookupRequest) -> LookupAnswer:
    """What the hub knows about a document, for the look-ups that the site's policy lists."""
    names = hub.site.policy.lookups
    own = {WATCHLIST: hub.watchlist.look_up, RISK: hub.risk.look_up}
    answer = hub.window.look_up(body, tuple(name for name in names if name not in own))
    return LookupAnswer(results=[*(ask(body) for name, ask in own.items() if name in names), *answer.results])


@router.post("/declarations", status_code=201, response_model=DeclaredOut)
def declare(hub: HubIn, officer: OfficerIn, body: DeclarationIn) -> dict[str, str]:
    """Keep a traveller's declaration; the last one of a document counts."""
    need_role(officer, INTAKE)
    with hub.store.write() as connection:
        declaration_id = put_declaration(
            connection,
            document_number=body.document_number,
            issuer=body.issuer,
            customs=body.customs.model_dump() if body.customs else None,
            health=body.health.model_dump() if body.health else None,
            author=officer.user,
            at_ms=hub.clock.utc_ms(),
        )
        data = {"declaration_id": declaration_id}
        kind = AuditKind.DECLARATION_TAKEN
        note(connection, Entry(at_ms=hub.clock.utc_ms(), kind=kind, who=officer.user, data=data))
    return {"declaration_id": declaration_id}
