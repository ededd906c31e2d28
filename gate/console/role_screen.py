"""One open role page: which case it shows, what comes in, what is drawn. What the officer says goes through its desks.

A verdict names the evidence digest that was on this screen. When the evidence changes under an officer's hand, the screen says
what changed and takes no answer for a moment, so that a press that was meant for the old evidence, or for the case before, does not
land on the new.
"""

from nicegui import ui
from nicegui.element import Element

from config.schema import Role
from gate.console.answer_bar import AnswerBar, standing_appeals
from gate.console.centre_panel import CentrePanel
from gate.console.claim_desk import REPEAT_S, ClaimDesk
from gate.console.coalesce import Coalesced
from gate.console.context import Console
from gate.console.decision_desk import DecisionDesk
from gate.console.findings_panel import FindingsPanel
from gate.console.hub_client import LinkLost, Refusal
from gate.console.hub_models import Case, CaseSummary
from gate.console.i18n import Words
from gate.console.mark_desk import MarkDesk
from gate.console.notices import NoticeBar, ReleaseBanner
from gate.console.parts import box, set_data, text
from gate.console.pulse import STALE_AFTER_MS, Pulse
from gate.console.role_bars import HeadBar, QueueBar
from gate.console.role_dialogs import KeysOverlay
from gate.console.sessions import Officer
from gate.console.spoken import refusal_words
from gate.console.traveller_panel import TravellerPanel
from gate.console.view import choose_case, next_cases, queue_of, short_id, what_changed
from gate.wire.messages import CaseChanged

_GUARD_S = 0.8
"""For how long no answer is taken after another case, or other evidence, has come on the screen."""
_AFTERGLOW_S, _SHORT_AFTERGLOW_S = 4.0, 1.5
"""For how long a case that is over stays on the screen; shorter while another waits."""
_RETRY_S = 2.0
_LOOK_ALL_S = 10.0
"""How often the queue is asked for although nothing was heard: claims end without a word."""


class RoleScreen:
    """Draws itself into ``root``, which is entered already."""

    def __init__(
        self, console: Console, role: Role, browser: str, words: Words, *, pulse: Pulse, root: Element
    ) -> None:
        self._console = console
        self._role = role
        self._browser = browser
        self._words = words
        self._root = root
        self._cases: tuple[CaseSummary, ...] = ()
        self._case: Case | None = None
        self._ahead: Case | None = None
        self._selected: str | None = None
        self._is_kept = False
        self._is_decided = False
        self._is_busy = False
        self._guards = 0
        self._beat = 0
        self._over: set[str] = set()
        self._draw(pulse)
        client = ui.context.client
        self._queue_refresh = Coalesced(self._refresh_queue, client=client, min_interval_s=0.25)
        self._case_refresh = Coalesced(self._refresh_case, client=client)
        self._marks_refresh = Coalesced(self._refresh_marks, client=client)
        self._last_refresh = Coalesced(self._refresh_last, client=client)
        self._ahead_refresh = Coalesced(self._refresh_ahead, client=client, min_interval_s=1.0)
        self._claim_refresh = Coalesced(self._refresh_claim, client=client)
        console.live.case_changed.subscribe(self._on_change)
        console.live.link_changed.subscribe(lambda _: self.refresh())
        console.help_desk.changed.subscribe(self._tick)
        pulse.changed.subscribe(lambda _: self.refresh())
        client.on_delete(self._claims.close)
        ui.timer(1.0, self._tick)
        ui.timer(_RETRY_S, self._look_again)
        ui.timer(REPEAT_S, self._claims.repeat)
        ui.timer(_LOOK_ALL_S, self._queue_refresh.ask)
        self._show()
        self._queue_refresh.ask()

    def _draw(self, pulse: Pulse) -> None:
        console, role, words = self._console, self._role, self._words
        self._claims = ClaimDesk(console, role, officer=self.officer, changed=self._claim_changed)
        self._desk = DecisionDesk(console, role, words, self)
        self._keys = KeysOverlay(words)
        self._head = HeadBar(console, role, words, pulse=pulse, on_keys=self._keys.toggle)
        self._queue = QueueBar(console, role, words, self._select_by_hand)
        with box("role-body"):
            self._traveller = TravellerPanel(role, words, on_pictures=lambda: self._centre.choose("document"))
            self._marks = MarkDesk(console, role, officer=self.officer, explain=self._explain_mark)
            self._centre = CentrePanel(console, role, words, on_mark=self._marks.draw, on_unmark=self._marks.erase)
            self._findings = FindingsPanel(console, role, words)
        self._notice = NoticeBar(words, on_take_over=self._claims.take_over)
        self._answers = AnswerBar(console, role, words, desk=self._desk)
        self._banner = ReleaseBanner(console, words)
        text(words("head.unheard"), "page-unheard", testid="page-unheard")
        # Keys that press no button of their own (officer.js).
        self._root.on("key-tabs", self._centre.switch, args=[])
        self._root.on("key-next", lambda: self._step(1), args=[])
        self._root.on("key-previous", lambda: self._step(-1), args=[])

    # What comes in.

    def _on_change(self, change: CaseChanged) -> None:
        self._queue_refresh.ask()
        if change.case_id == self._selected:
            self._marks_refresh.ask()
            self._case_refresh.ask()
        elif change.status == "released":
            self._banner.announce(change.case_id, change.lane, self._console.clock.utc_ms())

    def refresh(self) -> None:
        """Ask the hub for everything that is shown."""
        self._queue_refresh.ask()
        self._case_refresh.ask()
        self._marks_refresh.ask()

    def _look_again(self) -> None:
        """What no message announces: the hub is back, a picture or the private part has arrived."""
        case = self._case
        if self._head.is_lost or not self._console.live.is_linked:
            self.refresh()
        elif case is not None and case.awaits_more(self._role.sees):
            self._case_refresh.ask()
        if self._marks.is_stale:
            self._marks_refresh.ask()

    async def _refresh_queue(self) -> None:
        officer = self.officer()
        if officer is None:
            return
        answer = await self._console.open_cases.get(officer.token, officer.roles)
        if isinstance(answer, Refusal | LinkLost):
            self._show_trouble(answer)
            return
        self._head.show_link(is_lost=False)
        self._cases = answer.cases
        self._choose()
        self._ahead_refresh.ask()
        self._show()

    async def _refresh_case(self) -> None:
        officer = self.officer()
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

    async def _refresh_ahead(self) -> None:
        """Fetch the case that is expected next, so that it is there at once."""
        officer = self.officer()
        queue = next_cases(self._cases, role=self._role.id, user=self._user, beside=self._selected)
        ahead = next((case for case in queue if case.waits_for(self._role.id)), None)
        if officer is None or ahead is None:
            self._ahead = None
            return
        held = self._ahead
        if held is not None and (held.case_id, held.revision) == (ahead.case_id, ahead.revision):
            return
        answer = await self._console.hub.case(officer.token, ahead.case_id)
        if isinstance(answer, Case) and answer.case_id != self._selected:
            self._ahead = answer
            self._show()

    async def _refresh_claim(self) -> None:
        await self._claims.select(self._case)

    def _claim_changed(self) -> None:
        self._queue_refresh.ask()
        self._show()

    def take(self, case: Case, *, is_decided: bool) -> None:
        """The hub took the officer's word."""
        self._is_decided = is_decided
        if case.case_id == self._selected:
            self._notice.clear()
            self._take(case)
        self._queue_refresh.ask()

    def _take(self, case: Case) -> None:
        """Show ``case``, the newest word on the selected case."""
        before = self._case
        is_same = before is not None and before.case_id == case.case_id
        if before is not None and is_same and (case.revision or 0) < (before.revision or 0):
            return
        if before is not None and is_same:
            changed = what_changed(before, case, words=self._words)
            if changed and before.evidence_digest is not None:
                self._is_decided = False
                self._hold_answers(changed)
        else:
            self._notice.clear()
            self._guard()
        self._case = case
        self._last_refresh.ask()
        self._claim_refresh.ask()
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
            user=self._user,
            is_kept=self._is_kept,
            is_decided=self._is_decided,
        )
        if chosen is not None and chosen != self._selected:
            self._select(chosen)

    def _select(self, case_id: str | None, *, is_by_hand: bool = False) -> None:
        self._is_kept = is_by_hand
        if case_id != self._selected:
            left, is_answered = self._selected, self._is_decided
            self._is_decided = False
            self._selected = case_id
            self._case = None
            self._notice.clear()
            self._marks.select(case_id)
            ahead, self._ahead = self._ahead, None
            if ahead is not None and ahead.case_id == case_id:
                self._take(ahead)
            if left is not None and is_answered and self._desk.word_to_take_back(None) is not None:
                self._notice.say(self._words("decided.released", case=short_id(left)), "info")
            self._case_refresh.ask()
            self._marks_refresh.ask()
        self._show()

    def _select_by_hand(self, case_id: str) -> None:
        self._select(case_id, is_by_hand=True)

    def _step(self, step: int) -> None:
        neighbour = self._queue.neighbour(self._selected, step)
        if neighbour is not None:
            self._select_by_hand(neighbour)

    def _leave(self, case_id: str) -> None:
        self._over.discard(case_id)
        if self._selected == case_id:
            self._forget()
            self._choose()
            self._show()

    def _forget(self) -> None:
        self._selected = self._case = None
        self._is_kept = self._is_decided = False
        self._notice.clear()
        self._claim_refresh.ask()

    # What the officer says.

    def case_to_answer(self) -> Case | None:
        return self._case if self._may_answer else None

    def say(self, sentence: str, tone: str) -> None:
        self._notice.say(sentence, tone)

    def set_busy(self, is_busy: bool) -> None:
        self._is_busy = is_busy
        self._show()

    async def explain(self, refusal: Refusal | LinkLost, *, asked: Case) -> None:
        """The hub did not take an answer that was given on ``asked``: show what is so now, and say it."""
        if isinstance(refusal, LinkLost) or refusal.is_session_over:
            self._show_trouble(refusal)
            self._notice.say(self._words("said.not_reached"), "warn")
            return
        await self._refresh_case()
        now = self._case
        changed = "" if now is None else what_changed(asked, now, words=self._words)
        if changed:
            self._hold_answers(changed)
        else:
            self._notice.say(refusal_words(refusal, self._words), "warn")
        self._show()

    def _explain_mark(self, refusal: Refusal | LinkLost | None) -> None:
        if isinstance(refusal, LinkLost) or (refusal is not None and refusal.is_session_over):
            self._show_trouble(refusal)
            self._notice.say(self._words("said.mark_not_reached"), "warn")
        elif refusal is not None:
            self._notice.say(refusal_words(refusal, self._words), "warn")
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
        is_claimed = self._claims.standing.colleague is not None
        return not self._is_busy and self._guards == 0 and not is_claimed and not self._head.is_lost

    # What is drawn.

    def officer(self) -> Officer | None:
        """Who is signed in here; when nobody is any more, nothing stays on the screen."""
        officer = self._console.sessions.officer(self._browser)
        self._head.show_user(officer)
        if officer is None and (self._case is not None or self._cases):
            self._cases = ()
            self._ahead = None
            self._forget()
            self._show()
        return officer

    @property
    def _user(self) -> str | None:
        officer = self._console.sessions.officer(self._browser)
        return officer.user if officer is not None else None

    def _show_trouble(self, trouble: Refusal | LinkLost) -> None:
        if isinstance(trouble, LinkLost):
            self._head.show_link(is_lost=True)
        elif trouble.is_session_over:
            self._console.sessions.leave(self._browser)
            self.officer()
        elif self._selected is not None and trouble.status in (403, 404):
            self._leave(self._selected)
        self._show()

    def _tick(self) -> None:
        self._beat += 1
        set_data(self._root, beat=str(self._beat))  # officer.js notices when this stops
        self.officer()
        self._show()

    def _show(self) -> None:
        now_ms, user = self._console.clock.utc_ms(), self._user
        queue = queue_of(self._cases, self._role.id)
        self._head.show(self._case, queue, now_ms=now_ms)
        set_data(self._root, stale="yes" if self._head.unheard_ms() >= STALE_AFTER_MS else None)
        self._queue.show(queue, selected=self._selected, user=user, now_ms=now_ms)
        self._traveller.show(self._case, is_loading=self._selected is not None)
        self._marks.select(self._selected)
        self._centre.show(self._case, marks=self._marks.marks, last=self._marks.last, user=user, following=self._ahead)
        self._findings.show(self._case)
        self._answers.show(self._case, may_answer=self._may_answer, at_work=self._at_work(), now_ms=now_ms)
        self._show_standing(user, now_ms)
        self._banner.tick(now_ms)

    def _at_work(self) -> dict[str, tuple[str, int]]:
        """By role, who has the selected case on their screen, and since when."""
        claims = next((case.claims for case in self._cases if case.case_id == self._selected), {})
        return {role: (claim.name or claim.user, claim.since_ms) for role, claim in claims.items()}

    def _show_standing(self, user: str | None, now_ms: int) -> None:
        standing = self._claims.standing
        if standing.colleague is not None and self._case is not None:
            name = standing.colleague.name or standing.colleague.user or self._words("claim.somebody")
            key = "claim.lost" if standing.is_lost else "claim.held"
            self._notice.stand(self._words(key, name=name), is_claimed=True)
            return
        appeal = ""
        if self._case is not None:
            appeal = standing_appeals(self._case, self._role.id, user, self._words, self._console, now_ms)
        self._notice.stand(appeal, is_claimed=False)
