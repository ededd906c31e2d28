"""What an officer says about the case on the screen, sent to the hub: verdicts, taking back, joint inspections, what needs two."""

from collections.abc import Awaitable
from dataclasses import dataclass
from typing import Protocol, TypeVar

from config.schema import Role
from gate.console.context import Console
from gate.console.hub_client import Done, LinkLost, Refusal
from gate.console.hub_models import Case, ForceOpenAnswer, InspectionView, VerdictKind
from gate.console.i18n import Words
from gate.console.sessions import Officer
from gate.console.view import clock_time
from gate.core.inspection import InspectionAct, InspectionOutcome

Answer = TypeVar("Answer")

TAKE_BACK_MS = 8_000
"""For how long the word that was given last can be taken back by its key although another case is on the screen already."""


class Screen(Protocol):
    """What a desk wants of its page."""

    def officer(self) -> Officer | None: ...

    def case_to_answer(self) -> Case | None:
        """The case on the screen, None while no answer is taken."""
        ...

    def set_busy(self, is_busy: bool) -> None: ...

    def take(self, case: Case, *, is_decided: bool) -> None:
        """The hub took a word; the case after it."""
        ...

    def refresh(self) -> None: ...

    def say(self, sentence: str, tone: str) -> None: ...

    async def explain(self, refusal: Refusal | LinkLost, *, asked: Case) -> None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class LastWord:
    """The word that this screen's officer gave last."""

    case: Case
    kind: VerdictKind
    at_ms: int


class DecisionDesk:
    """One open page's way to the hub. Nothing is sent twice at a time."""

    def __init__(self, console: Console, role: Role, words: Words, screen: Screen) -> None:
        self._console = console
        self._hub = console.hub
        self._role = role
        self._words = words
        self._screen = screen
        self.last: LastWord | None = None

    async def answer(self, kind: VerdictKind, reason: str = "") -> Case | None:
        """Give the role's word on the evidence that is on the screen; the case after it, None when it was not taken."""
        case, officer = self._screen.case_to_answer(), self._screen.officer()
        if case is None or case.evidence_digest is None or officer is None:
            return None
        given = await self._send(
            self._hub.give_verdict(
                officer.token,
                case.case_id,
                kind=kind,
                evidence_digest=case.evidence_digest,
                role=self._role.id,
                reason=reason,
                seen_number=case.word_number(self._role.id),
            )
        )
        if not isinstance(given, Case):
            await self._screen.explain(given, asked=case)
            return None
        self.last = LastWord(case=given, kind=kind, at_ms=self._console.clock.utc_ms())
        self._screen.take(given, is_decided=kind is VerdictKind.RELEASE)
        return given

    def word_to_take_back(self, case: Case | None) -> Case | None:
        """The case whose word the key takes back now: the one on the screen, else the one that was answered a moment ago."""
        if case is not None and _is_ours_to_take(case, self._role.id):
            return case
        last = self.last
        is_fresh = last is not None and self._console.clock.utc_ms() - last.at_ms <= TAKE_BACK_MS
        return last.case if last is not None and is_fresh and _is_ours_to_take(last.case, self._role.id) else None

    async def take_back(self) -> None:
        """Take the role's word back."""
        on_screen, officer = self._screen.case_to_answer(), self._screen.officer()
        case = self.word_to_take_back(on_screen)
        if case is None or case.evidence_digest is None or officer is None:
            return
        taken = await self._send(
            self._hub.take_back(officer.token, case.case_id, evidence_digest=case.evidence_digest, role=self._role.id)
        )
        if isinstance(taken, Case):
            self.last = None
            self._screen.take(taken, is_decided=False)
            self._screen.say(self._words("said.taken_back"), "info")
        else:
            await self._screen.explain(taken, asked=case)

    async def send_back(self, reason: str) -> None:
        """Let the traveller out by the entry, to the desk."""
        case, officer = self._screen.case_to_answer(), self._screen.officer()
        if case is None or officer is None:
            return
        done = await self._send(self._hub.send_back(officer.token, case.case_id, reason=reason))
        if isinstance(done, Done):
            self._screen.take(case, is_decided=True)
            self._screen.say(self._words("said.sending_back"), "info")
            self._screen.refresh()
        else:
            await self._screen.explain(done, asked=case)

    async def force_open(self, reason: str) -> None:
        """Agree to opening the exit without the roles' verdicts; the second officer's agreement opens it."""
        case, officer = self._screen.case_to_answer(), self._screen.officer()
        if case is None or case.evidence_digest is None or officer is None:
            return
        done = await self._send(
            self._hub.force_open(
                officer.token,
                case.case_id,
                evidence_digest=case.evidence_digest,
                role=self._role.id,
                reason=reason,
            )
        )
        if isinstance(done, ForceOpenAnswer):
            until = clock_time(done.until_ms) if done.until_ms is not None else ""
            is_sent = done.state == "sent"
            self._screen.say(
                self._words("said.force_sent") if is_sent else self._words("said.force_waiting", until=until), "warn"
            )
            self._screen.refresh()
        else:
            await self._screen.explain(done, asked=case)

    async def call_inspection(self, roles: tuple[str, ...], reason: str) -> None:
        """Say that the role wants to inspect, and why, and ask the roles to open the bag together."""
        case = await self.answer(VerdictKind.INSPECT, reason)
        officer = self._screen.officer()
        if case is None or case.evidence_digest is None or officer is None:
            return
        made = await self._send(
            self._hub.propose_inspection(
                officer.token,
                case.case_id,
                evidence_digest=case.evidence_digest,
                role=self._role.id,
                roles=sorted({*roles, self._role.id}),
            )
        )
        await self._heard(made, case)

    async def act(self, act: InspectionAct, *, outcome: InspectionOutcome | None = None, detail: str = "") -> None:
        """Take part in the inspection that stands."""
        case, officer = self._screen.case_to_answer(), self._screen.officer()
        if case is None or case.inspection is None or case.evidence_digest is None or officer is None:
            return
        done = await self._send(
            self._hub.act_in_inspection(
                officer.token,
                case.case_id,
                case.inspection.inspection_id,
                act=act,
                evidence_digest=case.evidence_digest,
                role=self._role.id,
                outcome=outcome,
                detail=detail,
            )
        )
        await self._heard(done, case)

    async def _heard(self, made: InspectionView | Refusal | LinkLost, case: Case) -> None:
        if isinstance(made, InspectionView):
            self._screen.refresh()
        else:
            await self._screen.explain(made, asked=case)

    async def _send(self, request: Awaitable[Answer]) -> Answer:
        self._screen.set_busy(True)
        try:
            return await request
        finally:
            self._screen.set_busy(False)


def _is_ours_to_take(case: Case, role: str) -> bool:
    kind = case.verdict_kind(role)
    return case.status == "open" and case.release is None and kind not in ("pending", "released_by_rule", "")
