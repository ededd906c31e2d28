"""The answers about passengers who are due, fetched while the hub is there: what a lane goes by when the hub is not.

They never hurry anybody in: the hub's own answer counts when it comes in time. What is good for one crossing is given to one case of this
lane; another lane cannot know of that while the hub is out of reach (docs/single-window.md). Kept in memory only.
"""

import asyncio
from collections.abc import Iterable

import structlog

from gate.core.clock import Clock
from gate.core.policy import Answer, LookupFacts
from gate.lane.hub_link import HubLink
from gate.lane.lookups import Reply
from gate.lane.sightings import PrivateDocument
from gate.wire.messages import LookupResult, PrefetchedDocument
from gate.wire.prefetch import document_digest

_log = structlog.get_logger(__name__)
NOT_HELD = frozenset({"watchlist"})
"""Held as a signed snapshot with an age of its own."""
_ONCE = frozenset({"health_declaration", "entry_permission"})
AGAIN_S = 15.0
"""After a hub that did not answer."""


class Prefetched:
    """A source of look-ups. Lives on the lane's event loop; :meth:`run` keeps it fresh until cancelled."""

    suffices = False

    def __init__(self, hub: HubLink, names: Iterable[str], *, every_s: int, max_age_s: int, clock: Clock) -> None:
        self.names = frozenset(names) - NOT_HELD
        self._hub = hub
        self._every_s = every_s
        self._max_age_ms = max_age_s * 1000
        self._clock = clock
        self._held: dict[str, PrefetchedDocument] = {}
        self._as_of_ns = 0
        self._given: dict[str, str] = {}
        """What is good for one crossing, and the case that had it."""

    async def run(self) -> None:
        """Fetch now and then; what was fetched last stays when the hub does not answer."""
        if not self.names:
            return
        while True:
            is_fetched = await self.fetch()
            await asyncio.sleep(self._every_s if is_fetched else min(AGAIN_S, self._every_s))

    async def fetch(self) -> bool:
        """Fetch once; whether the hub answered."""
        answer = await self._hub.prefetch()
        if answer is None:
            return False
        self._held = {item.document: item for item in answer.documents}
        self._as_of_ns = self._clock.monotonic_ns() - answer.age_ms * 1_000_000
        self._given = {digest: case_id for digest, case_id in self._given.items() if digest in self._held}
        _log.info("answers_fetched", documents=len(self._held), age_ms=answer.age_ms)
        return True

    async def ask(self, document: PrivateDocument, case_id: str) -> tuple[Reply, ...]:
        digest = document_digest(document.issuer, document.document_number, document.birth_date)
        held = self._held.get(digest)
        if held is None:
            return ()
        is_given = held.is_once and self._given.setdefault(digest, case_id) != case_id
        age_ms = (self._clock.monotonic_ns() - self._as_of_ns) // 1_000_000
        return tuple(
            Reply(facts=_facts(item), age_ms=age_ms, max_age_ms=self._max_age_ms)
            for item in held.results
            if not (is_given and item.name in _ONCE)
        )


def _facts(item: LookupResult) -> LookupFacts:
    answer = Answer.HIT if item.is_hit else Answer.NOTHING
    return LookupFacts(name=item.name, answer=answer, role=item.role, detail=item.detail)
