"""The hub as a source of look-ups: it knows what came before the traveller, as of now."""

from collections.abc import Iterable

from gate.lane.hub_link import HubLink
from gate.lane.lookups import Reply
from gate.lane.sightings import PrivateDocument
from gate.wire.messages import LookupRequest


class HubLookups:
    """Asks the hub all look-ups in one request. What it does not answer it leaves out."""

    suffices = True

    def __init__(self, hub: HubLink, names: Iterable[str]) -> None:
        self._hub = hub
        self.names = frozenset(names)

    async def ask(self, document: PrivateDocument, case_id: str) -> tuple[Reply, ...]:
        request = LookupRequest(
            case_id=case_id,
            document_number=document.document_number,
            issuer=document.issuer,
            nationality=document.nationality,
            birth_date=document.birth_date,
            surname=document.surname,
            given_names=document.given_names,
            sex=document.sex,
            expiry_date=document.expiry_date,
        )
        answered = await self._hub.look_up(request)
        return () if answered is None else tuple(Reply(facts=facts) for facts in answered)
