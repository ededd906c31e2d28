"""An officer's screen: one case at a glance, the other roles' words always in sight, one key for each answer.

A verdict names the evidence digest that was on this screen. When the evidence changes under an officer's hand, the screen says
what changed and takes no answer for a moment, so that a press that was meant for the old evidence, or for the case before, does not
land on the new.
"""

from fastapi.responses import RedirectResponse
from nicegui import ui

from config.schema import Role
from gate.console.case_panels import FindingsPanel, TravellerPanel
from gate.console.centre_panel import CentrePanel
from gate.console.coalesce import Coalesced
from gate.console.context import Console, browser_id, officer_of, to_login
from gate.console.hub_client import Done, LinkLost, Refusal
from gate.console.hub_models import Case, CaseSummary, VerdictKind
from gate.console.mark_desk import MarkDesk
from gate.console.notices import NoticeBar, ReleaseBanner
from gate.console.parts import box, link, set_style, text
from gate.console.role_bars import AnswerBar, HeadBar, QueueBar
from gate.console.sessions import Officer
from gate.console.view import choose_case, queue_of, what_changed
from gate.wire.messages import CaseChanged

_GUARD_S = 0.8
"""For how long no answer is taken after another case, or other evidence, has come on the screen."""
_AFTERGLOW_S = 4.0
_SHORT_AFTERGLOW_S = 1.5
"""For how long a case that is over stays on the screen; shorter while another waits."""
_RETRY_S = 2.0


def register(console: Console) -> None:
    """Register ``/role/{role}``."""

    @ui.page("/role/{role}", dark=True)
    def role_page(role: str) -> RedirectResponse | None:
        officer = officer_of(console)
        if officer is None:
            return to_login(f"/role/{role}")
        console.dress("control-room")
        found = console.role(role)
        if found is None or role not in officer.roles:
            _draw_not_yours(console, officer, found)
            return None
        ui.page_title(f"{found.title} {found.title_zh}")
        _RoleScreen(console, found, browser_id())
        return None


def _draw_not_yours(console: Console, officer: Officer, role: Role | None) -> None:
    with box("login-page"), box("login-card", testid="not-yours"):
        name = role.title if role is not None else "unknown"
        text(f"This is the screen of another role ({name}).", "brand small")
        text(f"{officer.name} is signed in with: {', '.join(sorted(officer.roles)) or 'no role'}.", "subtitle")
        for own in console.site.roles:
            if own.id in officer.roles:
                link(f"Open {own.title}", f"/role/{own.id}", "plain-link")
        link("Sign in as somebody else", "/logout", "plain-link")


class _RoleScreen:
    """One open role page and what it shows."""

    def __init__(self, console: Console, role: Role, browser: str) -> None:
        self._console = console
        self._role = role
        self._browser = browser
        self._cases: tuple[CaseSummary, ...] = ()
        self._case: Case | None = None
        self._selected: str | None = None
        self._is_kept = False
        self._is_decided = False
        self._is_busy = False
        self._guards = 0
        self._over: set[str] = set()
        with box("role-screen", testid="role-screen") as root:
            set_style(root, role=role.colour)
            self._head = HeadBar(console, role)
            self._queue = QueueBar(console, role, self._select_by_hand)
            with box("role-body"):
                self._traveller = TravellerPanel(role, on_pictures=lambda: self._centre.choose("document"))
                self._marks = MarkDesk(console, role, officer=self._officer, explain=self._explain_mark)
                self._centre = CentrePanel(console, role, on_mark=self._marks.draw, on_unmark=self._marks.erase)
                self._findings = FindingsPanel(console, role)
            self._notice = NoticeBar()
            self._answers = AnswerBar(console, role, answer=self._answer, send_back=self._send_back)
        self._banner = ReleaseBanner(console)
        client = ui.context.client
        self._queue_refresh = Coalesced(self._refresh_queue, client=client, min_interval_s=0.25)
        self._case_refresh = Coalesced(self._refresh_case, client=client)
        self._marks_refresh = Coalesced(self._refresh_marks, client=client)
        self._last_refresh = Coalesced(self._refresh_last, client=client)
        console.live.case_changed.subscribe(self._on_change)
        console.live.link_changed.subscribe(lambda _: self._refresh_all())
        console.help_desk.changed.subscribe(self._tick)
        ui.timer(1.0, self._tick)
        ui.timer(_RETRY_S, self._look_again)
        self._show()
        self._queue_refresh.ask()

    # What comes in.

    def _on_change(self, change: CaseChanged) -> None:
        self._queue_refresh.ask()
        if change.case_id == self._selected:
            self._marks_refresh.ask()
            self._case_refresh.ask()
        elif change.status == "released":
            self._banner.announce(change.case_id, change.lane, self._console.clock.utc_ms())

    def _refresh_all(self) -> None:
        self._queue_refresh.ask()
        self._case_refresh.ask()
        self._marks_refresh.ask()

    def _look_again(self) -> None:
        """What no message announces: the hub is back, a picture or the private part has arrived."""
        case = self._case
        is_incomplete = case is not None and (
            any(not item.is_available for item in case.attachments)
            or (case.traveller is None and "identity" in self._role.sees)
        )
        if self._head.is_lost or not self._console.live.is_linked:
            self._refresh_all()
        elif is_incomplete:
            self._case_refresh.ask()
        if self._marks.is_stale:
            self._marks_refresh.ask()

    async def _refresh_queue(self) -> None:
        officer = self._officer()
        if officer is None:
            return
        answer = await self._console.hub.cases(officer.token, status="open")
        if isinstance(answer, Refusal | LinkLost):
            self._show_trouble(answer)
            return
        self._head.show_link(is_lost=False)
        self._cases = answer.cases
        self._choose()
        self._show()

    async def _refresh_case(self) -> None:
        officer = self._officer()
        case_id = self._selected
        if officer is None or case_id is None:
            return
        answer = await self._console.hub.case(officer.token, case_id)
        if case_id != self._selected:
            return
        if isinstance(answer, Refusal | LinkLost):
            self._show_trouble(answer)
            return
        self._head.show_link(is_lost=False)
        self._take(answer)

    async def _refresh_marks(self) -> None:
        if await self._marks.refresh(self._selected):
            self._show()

    async def _refresh_last(self) -> None:
        if self._case is not None and await self._marks.refresh_last(self._case):
            self._show()

    def _take(self, case: Case) -> None:
        """Show ``case``, the newest word on the selected case."""
        before = self._case
        is_same = before is not None and before.case_id == case.case_id
        if before is not None and is_same and (case.revision or 0) < (before.revision or 0):
            return
        if before is not None and is_same:
            changed = what_changed(before, case, texts=self._console.texts)
            if changed and before.evidence_digest is not None:
                self._is_decided = False
                self._hold_answers(changed)
        else:
            self._notice.clear()
            self._guard()
        self._case = case
        self._last_refresh.ask()
        if case.release is not None:
            self._banner.announce(case.case_id, case.lane, case.release.issued_ms)
        if case.status == "closed" and case.case_id not in self._over:
            self._over.add(case.case_id)
            is_another_waiting = any(item.waits_for(self._role.id) for item in self._cases)
            glow_s = _SHORT_AFTERGLOW_S if is_another_waiting else _AFTERGLOW_S
            ui.timer(glow_s, lambda: self._leave(case.case_id), once=True)
        self._show()

    # Which case.

    def _choose(self) -> None:
        if self._selected is not None and self._selected in self._over:
            return
        listed = next((case for case in self._cases if case.case_id == self._selected), None)
        self._is_kept |= listed is not None and listed.waits_for(self._role.id)
        if self._selected is not None and listed is None:
            # The case has left the queue: ask how it went on.
            self._case_refresh.ask()
        chosen = choose_case(
            self._cases,
            role=self._role.id,
            current=listed or self._case,
            is_kept=self._is_kept,
            is_decided=self._is_decided,
        )
        if chosen is not None and chosen != self._selected:
            self._select(chosen)

    def _select(self, case_id: str | None, *, is_by_hand: bool = False) -> None:
        self._is_kept = is_by_hand
        if case_id != self._selected:
            self._is_decided = False
            self._selected = case_id
            self._case = None
            self._notice.clear()
            self._case_refresh.ask()
            self._marks_refresh.ask()
        self._show()

    def _select_by_hand(self, case_id: str) -> None:
        self._select(case_id, is_by_hand=True)

    def _leave(self, case_id: str) -> None:
        self._over.discard(case_id)
        if self._selected == case_id:
            self._selected = None
            self._case = None
            self._is_kept = False
            self._is_decided = False
            self._notice.clear()
            self._choose()
            self._show()

    # What the officer says.

    async def _answer(self, kind: VerdictKind) -> None:
        case, officer = self._case, self._officer()
        if case is None or case.evidence_digest is None or officer is None or not self._may_answer:
            return
        self._set_busy(True)
        try:
            answer = await self._console.hub.give_verdict(
                officer.token,
                case.case_id,
                kind=kind,
                evidence_digest=case.evidence_digest,
                role=self._role.id,
                seen_number=case.word_number(self._role.id),
            )
        finally:
            self._set_busy(False)
        if isinstance(answer, Case):
            self._is_decided = kind is VerdictKind.RELEASE
            if answer.case_id == self._selected:
                self._notice.clear()
                self._take(answer)
            self._queue_refresh.ask()
        else:
            await self._explain(answer, asked=case)

    async def _send_back(self, reason: str) -> None:
        case, officer = self._case, self._officer()
        if case is None or officer is None or not self._may_answer:
            return
        self._set_busy(True)
        try:
            answer = await self._console.hub.send_back(officer.token, case.case_id, reason=reason)
        finally:
            self._set_busy(False)
        if isinstance(answer, Done):
            self._is_decided = True
            self._notice.say("Sending the traveller back: the entry opens.", "info")
            self._refresh_all()
        else:
            await self._explain(answer, asked=case)

    async def _explain(self, refusal: Refusal | LinkLost, *, asked: Case) -> None:
        """The hub did not take an answer that was given on ``asked``: show what is so now, and say it."""
        if isinstance(refusal, LinkLost) or refusal.is_session_over:
            self._show_trouble(refusal)
            self._notice.say("Your answer did not reach the hub. Give it again when the link is back.", "warn")
            return
        await self._refresh_case()
        now = self._case
        changed = "" if now is None else what_changed(asked, now, texts=self._console.texts)
        if changed:
            self._hold_answers(changed)
        else:
            self._notice.say(_sentence_of(refusal), "warn")
        self._show()

    def _explain_mark(self, refusal: Refusal | LinkLost | None) -> None:
        """What became of a mark: kept, or why not."""
        if isinstance(refusal, LinkLost) or (refusal is not None and refusal.is_session_over):
            self._show_trouble(refusal)
            self._notice.say("Your mark did not reach the hub. Draw it again when the link is back.", "warn")
        elif refusal is not None:
            self._notice.say(_sentence_of(refusal), "warn")
        self._show()

    def _hold_answers(self, sentence: str) -> None:
        self._notice.say(sentence, "warn")
        self._guard()

    def _guard(self) -> None:
        self._guards += 1
        ui.timer(_GUARD_S, self._let_answers, once=True)

    def _let_answers(self) -> None:
        self._guards -= 1
        self._show()

    @property
    def _may_answer(self) -> bool:
        return not self._is_busy and self._guards == 0

    def _set_busy(self, is_busy: bool) -> None:
        self._is_busy = is_busy
        self._show()

    # What is drawn.

    def _officer(self) -> Officer | None:
        officer = self._console.sessions.officer(self._browser)
        self._head.show_user(officer)
        return officer

    def _show_trouble(self, trouble: Refusal | LinkLost) -> None:
        if isinstance(trouble, LinkLost):
            self._head.show_link(is_lost=True)
        elif trouble.is_session_over:
            self._console.sessions.leave(self._browser)
            self._head.show_user(None)
        elif self._selected is not None and trouble.status in (403, 404):
            self._leave(self._selected)
        self._show()

    def _tick(self) -> None:
        self._officer()
        self._show()

    def _show(self) -> None:
        now_ms = self._console.clock.utc_ms()
        queue = queue_of(self._cases, self._role.id)
        self._head.show(self._case, queue, now_ms=now_ms)
        self._queue.show(queue, selected=self._selected, now_ms=now_ms)
        self._traveller.show(self._case, is_loading=self._selected is not None)
        self._marks.select(self._selected)
        officer = self._console.sessions.officer(self._browser)
        user = officer.user if officer is not None else None
        self._centre.show(self._case, marks=self._marks.marks, last=self._marks.last, user=user)
        self._findings.show(self._case)
        self._answers.show(self._case, may_answer=self._may_answer and not self._head.is_lost)
        self._banner.tick(now_ms)


def _sentence_of(refusal: Refusal) -> str:
    if refusal.status == 403:
        return "Your role may not do that."
    if refusal.kind == "already_released":
        return "This case was released already."
    detail = refusal.detail.rstrip(".")
    return f"The hub did not take it: {detail}." if detail else "The hub did not take it."
