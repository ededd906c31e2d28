"""What officers do together about a case: forcing the exit by two, and opening a bag once with everybody present.

Like verdicts: inside a transaction of the caller, which publishes what came of it after the commit.
"""

import secrets
from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import Connection

from gate.core.clock import Clock
from gate.core.consent import Consent, agreement
from gate.core.inspection import (
    Inspection,
    InspectionAct,
    InspectionOutcome,
    InspectionWord,
    WordRefused,
    take_word,
)
from gate.core.joint_release import CONSENT_WINDOW_MS
from gate.hub.cases import MAX_RELEASES_PER_DIGEST, CaseView
from gate.hub.desk import CaseDesk, Changes, OpenCase, VerdictNotTaken
from gate.hub.rows import add_consent, add_inspection_word
from gate.wire.messages import Act


@dataclass(frozen=True, slots=True, kw_only=True)
class Speaker:
    """Who says something, for which role, on which evidence."""

    author: str
    role: str
    digest: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """The first consent is written down; a second officer may give theirs until then."""

    until_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Forced:
    """Two officers agreed and the command is on its way."""

    command_id: str
    first: str
    second: str


class Together:
    """Consents and inspections of a port's cases."""

    def __init__(self, desk: CaseDesk, clock: Clock) -> None:
        self._desk = desk
        self._clock = clock

    def force_open(
        self, connection: Connection, *, case_id: str, speaker: Speaker, reason: str
    ) -> tuple[Changes, Waiting | Forced] | VerdictNotTaken:
        """One officer's consent to open the exit against or without the roles' verdicts; the second one's sends the command."""
        case = self._desk.open(connection, case_id)
        if isinstance(case, VerdictNotTaken):
            return case
        objection = _objection_to_force(case.view, speaker)
        if objection is not None:
            return VerdictNotTaken(reason=objection)
        now_ms = self._clock.utc_ms()
        consent = Consent(
            author=speaker.author,
            role=speaker.role,
            evidence_digest=speaker.digest,
            at_ms=now_ms,
            number=case.rows.next_word,
            reason=reason,
        )
        add_consent(connection, case_id, case.rows, consent)
        agreed = agreement(case.rows.consents)
        if agreed is None or agreed.second != consent:
            return self._desk.settle(connection, case_id, case.rows), Waiting(until_ms=now_ms + CONSENT_WINDOW_MS)
        order = self._desk.order(
            case.view,
            Act.FORCE_OPEN,
            author=agreed.second.author,
            also_by=agreed.first.author,
            note=reason,
            release_number=len(case.view.releases) + 1,
        )
        changes = self._desk.settle(connection, case_id, case.rows, order=order)
        command_id = changes.commands[0].command_id
        return changes, Forced(command_id=command_id, first=agreed.first.author, second=agreed.second.author)

    def propose_inspection(
        self, connection: Connection, *, case_id: str, speaker: Speaker, roles: Collection[str]
    ) -> tuple[Changes, Inspection] | VerdictNotTaken:
        """Ask these roles (none named: every required one) to open a bag together. The speaker is the first who is there."""
        case = self._desk.open(connection, case_id)
        if isinstance(case, VerdictNotTaken):
            return case
        required = case.view.joint.required_roles
        if not set(roles) <= required or speaker.role not in required:
            return VerdictNotTaken(reason="unknown_role")
        if case.view.standing_release is not None:
            return VerdictNotTaken(reason="already_released")
        if case.view.joint.refused_by is not None or case.view.is_sent_back:
            return VerdictNotTaken(reason="refused")
        word = self._word(
            case, secrets.token_hex(8), InspectionAct.PROPOSE, speaker, roles=frozenset(roles or required)
        )
        return self._take(connection, case_id, case, word)

    def say_in_inspection(
        self,
        connection: Connection,
        *,
        case_id: str,
        inspection_id: str,
        act: InspectionAct,
        speaker: Speaker,
        outcome: InspectionOutcome | None = None,
        detail: str = "",
    ) -> tuple[Changes, Inspection] | VerdictNotTaken:
        """Join, leave, start, give one's result or call it off. Nobody starts on evidence that has changed since."""
        case = self._desk.open(connection, case_id)
        if isinstance(case, VerdictNotTaken):
            return case
        word = self._word(case, inspection_id, act, speaker, outcome=outcome, detail=detail)
        return self._take(connection, case_id, case, word)

    def _word(
        self,
        case: OpenCase,
        inspection_id: str,
        act: InspectionAct,
        speaker: Speaker,
        *,
        roles: frozenset[str] = frozenset(),
        outcome: InspectionOutcome | None = None,
        detail: str = "",
    ) -> InspectionWord:
        return InspectionWord(
            inspection_id=inspection_id,
            act=act,
            role=speaker.role,
            author=speaker.author,
            evidence_digest=speaker.digest,
            at_ms=self._clock.utc_ms(),
            number=case.rows.next_word,
            roles=roles,
            outcome=outcome,
            detail=detail,
        )

    def _take(
        self, connection: Connection, case_id: str, case: OpenCase, word: InspectionWord
    ) -> tuple[Changes, Inspection] | VerdictNotTaken:
        held = case.view.inspections[-1] if case.view.inspections else None
        current = case.view.joint.evidence_digest
        is_opening = word.act in (InspectionAct.PROPOSE, InspectionAct.JOIN, InspectionAct.START)
        if is_opening and (
            word.evidence_digest != current
            or (held and word.act is not InspectionAct.PROPOSE and held.evidence_digest != current)
        ):
            return VerdictNotTaken(reason="stale_evidence")
        taken = take_word(held, word)
        if isinstance(taken, WordRefused):
            return VerdictNotTaken(reason=taken.reason)
        if taken == held:
            return Changes(), taken
        add_inspection_word(connection, case_id, case.rows, word)
        return self._desk.settle(connection, case_id, case.rows), taken


def _objection_to_force(view: CaseView, speaker: Speaker) -> str | None:
    if speaker.digest != view.joint.evidence_digest:
        return "stale_evidence"
    if view.standing_release is not None or view.releases_of_this_evidence >= MAX_RELEASES_PER_DIGEST:
        return "already_released"
    if view.joint.refused_by is not None:
        return "refused"
    if view.is_sent_back:
        return "sent_back"
    if view.joint.is_inspection_open:
        return "inspection_open"
    if view.occupancy_id is None:
        return "nobody_inside"
    return None
