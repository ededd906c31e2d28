"""A joint inspection: one opening of a bag, with every agency that wants to look present, and one record of it. Pure.

Proposed -> every role has joined -> started -> each role has given its result -> finished. Once the bag is open the appointment can
only be finished; before that it can be called off. One person cannot stand for two agencies.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any, assert_never

from gate.core.evidence import canonical_sha256


class InspectionAct(StrEnum):
    """What an officer can do about an appointment."""

    PROPOSE = "propose"
    JOIN = "join"
    LEAVE = "leave"
    START = "start"
    RESULT = "result"
    CANCEL = "cancel"


class InspectionState(StrEnum):
    PROPOSED = "proposed"
    STARTED = "started"
    FINISHED = "finished"
    CANCELLED = "cancelled"


class InspectionOutcome(StrEnum):
    """What one role found."""

    NOTHING_FOUND = "nothing_found"
    FOUND = "found"


@dataclass(frozen=True, slots=True, kw_only=True)
class InspectionWord:
    """One act of one officer. ``roles`` go with PROPOSE, ``outcome`` and ``detail`` with RESULT."""

    inspection_id: str
    act: InspectionAct
    role: str
    author: str
    evidence_digest: str
    at_ms: int
    number: int
    roles: frozenset[str] = frozenset()
    outcome: InspectionOutcome | None = None
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    outcome: InspectionOutcome
    author: str
    at_ms: int
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Inspection:
    """One appointment. ``present`` maps each role that has come to its officer."""

    inspection_id: str
    evidence_digest: str
    roles: frozenset[str]
    proposed_by: str
    proposed_ms: int
    state: InspectionState = InspectionState.PROPOSED
    present: Mapping[str, str] = field(default_factory=dict)
    results: Mapping[str, Result] = field(default_factory=dict)
    started_ms: int | None = None
    finished_ms: int | None = None

    @property
    def is_complete(self) -> bool:
        """Whether everybody who must look is there."""
        return self.present.keys() == self.roles

    def to_json(self) -> dict[str, Any]:
        """The record."""
        return {
            "inspection_id": self.inspection_id,
            "evidence_digest": self.evidence_digest,
            "roles": sorted(self.roles),
            "proposed_by": self.proposed_by,
            "proposed_ms": self.proposed_ms,
            "state": self.state.value,
            "present": dict(sorted(self.present.items())),
            "results": {
                role: {"outcome": item.outcome.value, "author": item.author, "at_ms": item.at_ms, "detail": item.detail}
                for role, item in sorted(self.results.items())
            },
            "started_ms": self.started_ms,
            "finished_ms": self.finished_ms,
        }

    def digest(self) -> str:
        """The sha256 (hex) of the record; of a finished one it becomes part of the case's evidence."""
        return canonical_sha256(self.to_json())


@dataclass(frozen=True, slots=True, kw_only=True)
class WordRefused:
    """Not done, and why: ``no_inspection``, ``not_asked``, ``role_present``, ``one_role_only``, ``not_all_present``, ``not_present``,

    ``not_started``, ``already_started``, ``already_given``, ``over`` or ``inspection_open``.
    """

    reason: str


def take_word(held: Inspection | None, word: InspectionWord) -> Inspection | WordRefused:
    """The appointment after ``word``, or why it was not taken. ``held`` is the case's last one; only an open one stands in the way."""
    if word.act is InspectionAct.PROPOSE:
        return _propose(held, word)
    if held is None or held.inspection_id != word.inspection_id:
        return WordRefused(reason="no_inspection")
    if held.state in (InspectionState.FINISHED, InspectionState.CANCELLED):
        return WordRefused(reason="over")
    if word.role not in held.roles:
        return WordRefused(reason="not_asked")
    is_started = held.state is InspectionState.STARTED
    match word.act:
        case InspectionAct.RESULT:
            return _result(held, word) if is_started else WordRefused(reason="not_started")
        case InspectionAct.JOIN | InspectionAct.LEAVE | InspectionAct.START | InspectionAct.CANCEL:
            if is_started:
                return WordRefused(reason="already_started")
            return _before_the_start(held, word)
        case _:
            assert_never(word.act)


def inspections_of(words: Iterable[InspectionWord]) -> tuple[Inspection, ...]:
    """All appointments of a case from its words, oldest first; words that were not to be taken are left out."""
    made: list[Inspection] = []
    for word in sorted(words, key=lambda item: item.number):
        taken = take_word(made[-1] if made else None, word)
        if isinstance(taken, WordRefused):
            continue
        if word.act is InspectionAct.PROPOSE:
            made.append(taken)
        else:
            made[-1] = taken
    return tuple(made)


def _propose(held: Inspection | None, word: InspectionWord) -> Inspection | WordRefused:
    # One that nobody has started, on evidence that has changed since, is only in the way.
    if held is not None and (
        held.state is InspectionState.STARTED
        or (held.state is InspectionState.PROPOSED and held.evidence_digest == word.evidence_digest)
    ):
        return WordRefused(reason="inspection_open")
    if word.role not in word.roles:
        return WordRefused(reason="not_asked")
    return Inspection(
        inspection_id=word.inspection_id,
        evidence_digest=word.evidence_digest,
        roles=word.roles,
        proposed_by=word.author,
        proposed_ms=word.at_ms,
        present={word.role: word.author},
    )


def _before_the_start(held: Inspection, word: InspectionWord) -> Inspection | WordRefused:
    own = held.present.get(word.role)
    if word.act is InspectionAct.JOIN:
        if own is not None:
            return held if own == word.author else WordRefused(reason="role_present")
        if word.author in held.present.values():
            return WordRefused(reason="one_role_only")
        return replace(held, present={**held.present, word.role: word.author})
    if own != word.author:
        return WordRefused(reason="not_present")
    if word.act is InspectionAct.LEAVE:
        left = {role: author for role, author in held.present.items() if role != word.role}
        return replace(held, present=left, state=held.state if left else InspectionState.CANCELLED)
    if word.act is InspectionAct.CANCEL:
        return replace(held, state=InspectionState.CANCELLED)
    if not held.is_complete:
        return WordRefused(reason="not_all_present")
    return replace(held, state=InspectionState.STARTED, started_ms=word.at_ms)


def _result(held: Inspection, word: InspectionWord) -> Inspection | WordRefused:
    if word.role in held.results:
        return WordRefused(reason="already_given")
    if word.author != held.present[word.role] and word.author in held.present.values():
        return WordRefused(reason="one_role_only")
    result = Result(
        outcome=word.outcome or InspectionOutcome.FOUND, author=word.author, at_ms=word.at_ms, detail=word.detail
    )
    after = replace(held, results={**held.results, word.role: result})
    if after.results.keys() == after.roles:
        return replace(after, state=InspectionState.FINISHED, finished_ms=word.at_ms)
    return after
