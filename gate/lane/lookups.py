"""All look-ups of a traveller at once, within one deadline; each has its own outcome, and none that is not known to be fresh clears.

A *source* answers some of the look-ups: the hub, what was fetched from it beforehand, the watchlist's snapshot. Several may answer the same
one: the youngest answer that is not too old counts. A source that *suffices* settles its look-ups alone; others are waited for as well,
until all are settled or the deadline is over.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import structlog

from gate.core.policy import Answer, LookupFacts
from gate.lane.sightings import PrivateDocument

_log = structlog.get_logger(__name__)
UNANSWERED_ROLE = "border"
"""Who looks when nobody answered: the role that keeps door 1 shut, since the others' officers may be out of reach as well."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """One source's answer to one look-up. ``age_ms``: of what it was answered from; over ``max_age_ms`` it is stale (None: never)."""

    facts: LookupFacts
    age_ms: int = 0
    max_age_ms: int | None = None

    @property
    def is_stale(self) -> bool:
        return self.max_age_ms is not None and self.age_ms > self.max_age_ms


class LookupSource(Protocol):
    """Answers look-ups about a document. It must bear being cancelled at any ``await``, and answers nothing rather than raise."""

    @property
    def names(self) -> frozenset[str]:
        """The look-ups it may answer."""
        ...

    @property
    def suffices(self) -> bool:
        """Whether a fresh answer of this source need not wait for another's."""
        ...

    async def ask(self, document: PrivateDocument, case_id: str) -> Sequence[Reply]:
        """What it knows; look-ups it cannot answer now are left out."""
        ...


class Lookups:
    """What :class:`gate.lane.examination.Examination` calls about a document. Lives on the lane's event loop."""

    def __init__(self, names: Sequence[str], sources: Sequence[LookupSource], *, deadline_ms: int) -> None:
        """``names``: the look-ups that the site's policy lists, each of which gets an outcome."""
        self._names = tuple(names)
        self._sources = tuple(source for source in sources if source.names & set(names))
        self._deadline_ms = deadline_ms

    async def __call__(self, document: PrivateDocument, case_id: str) -> tuple[LookupFacts, ...]:
        """One fact a look-up, in the order of the policy. What a source raises is a bug of ours, and comes through."""
        loop = asyncio.get_running_loop()
        ends_s = loop.time() + self._deadline_ms / 1000
        asked = {loop.create_task(_list(source, document, case_id)): source for source in self._sources}
        pending = set(asked)
        replies: list[tuple[LookupSource, Reply]] = []
        try:
            while pending and not self._are_settled(replies, {asked[task] for task in pending}):
                done, pending = await asyncio.wait(
                    pending, timeout=ends_s - loop.time(), return_when=asyncio.FIRST_COMPLETED
                )
                if not done:
                    break
                replies += [(asked[task], reply) for task in done for reply in task.result()]
        finally:
            for task in pending:
                task.cancel()
            await asyncio.gather(*asked, return_exceptions=True)
        waited_for = {asked[task] for task in pending}
        return tuple(self._outcome(name, replies, waited_for) for name in self._names)

    def _are_settled(self, replies: Sequence[tuple[LookupSource, Reply]], pending: set[LookupSource]) -> bool:
        enough = {reply.facts.name for source, reply in replies if source.suffices and not reply.is_stale}
        return all(name in enough or not any(name in source.names for source in pending) for name in self._names)

    def _outcome(
        self, name: str, replies: Sequence[tuple[LookupSource, Reply]], silent: set[LookupSource]
    ) -> LookupFacts:
        mine = [reply for _, reply in replies if reply.facts.name == name]
        fresh = [reply for reply in mine if not reply.is_stale]
        if fresh:
            return min(fresh, key=lambda reply: (reply.age_ms, reply.facts.answer is not Answer.HIT)).facts
        if mine:
            youngest = min(mine, key=lambda reply: reply.age_ms)
            return _without(name, Answer.STALE, f"known as of {youngest.age_ms // 1000} s ago only")
        if any(name in source.names for source in silent):
            return _without(name, Answer.TIMED_OUT, f"no answer within {self._deadline_ms} ms")
        return _without(name, Answer.NO_ANSWER, "")


async def _list(source: LookupSource, document: PrivateDocument, case_id: str) -> Sequence[Reply]:
    return [reply for reply in await source.ask(document, case_id) if reply.facts.name in source.names]


def _without(name: str, answer: Answer, detail: str) -> LookupFacts:
    _log.warning("lookup_without_answer", lookup=name, answer=answer.value, detail=detail)
    return LookupFacts(name=name, answer=answer, role=UNANSWERED_ROLE, detail=detail)
