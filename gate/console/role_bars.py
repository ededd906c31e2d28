"""The bars of an officer's screen: who and what on top, the queue, the other roles' words and one's own answer."""

from collections.abc import Awaitable, Callable, Sequence
from functools import partial

from nicegui import ui

from config.schema import Role
from gate.console.context import Console
from gate.console.hub_models import Case, CaseSummary, VerdictKind
from gate.console.parts import Rows, box, button, link, set_data, set_enabled, set_style, text
from gate.console.sessions import Officer
from gate.console.view import age, clock_time, short_id, waiting_from_ms

_MAX_SHOWN = 40


class HeadBar:
    """Role, case and its age, queue, links, user."""

    def __init__(self, console: Console, role: Role) -> None:
        self._console = console
        self.is_lost = False
        with box("head-bar"):
            with box("head-role"):
                text(role.title, "head-title")
                text(role.title_zh, "head-title-zh")
            with box("head-case"):
                self._lane = text("", "head-lane")
                self._case = text("", "head-case-id", testid="case-id")
                self._age = text("", "head-age", testid="case-age")
            with box("head-side"):
                self._help = Rows(box("head-help"), self._draw_help)
                self._queue = text("", "head-queue", testid="queue-count")
                self._link = text("", "head-link", testid="link-state")
                self._user = text("", "head-user", testid="user-name")
                link("Sign out", "/logout", "plain-link small")
        with box("session-over", testid="session-over") as self._over, box("login-card"):
            text("Your session is over.", "brand small")
            text("What you see may be out of date. Sign in again to go on.", "subtitle")
            link("Sign in", f"/login?next=/role/{role.id}", "plain-link")
        self._over.visible = False

    def _draw_help(self, calls: Sequence[tuple[str, str]]) -> None:
        for lane, title in calls:
            with button("", partial(self._console.help_desk.take, lane), "help-call", testid=f"help-{lane}"):
                text(f"{title}: a traveller asks for help · I go")

    def show_user(self, officer: Officer | None) -> None:
        self._user.set_text(officer.name if officer is not None else "")
        self._over.visible = officer is None

    def show_link(self, *, is_lost: bool) -> None:
        self.is_lost = is_lost

    def show(self, case: Case | None, queue: Sequence[CaseSummary], *, now_ms: int) -> None:
        self._help.show([(call.lane, self._console.lane_title(call.lane)) for call in self._console.help_desk.calls])
        if case is None:
            for label in (self._lane, self._case, self._age):
                label.set_text("")
        else:
            self._lane.set_text(self._console.lane_title(case.lane))
            self._case.set_text(short_id(case.case_id))
            self._age.set_text(_standing(case, self._console, now_ms))
        set_data(self._case, case_id=case.case_id if case is not None else None)
        oldest = max((now_ms - waiting_from_ms(item) for item in queue), default=0)
        self._queue.set_text(f"queue {len(queue)} · oldest {age(oldest)}" if queue else "queue empty")
        state = "hub lost" if self.is_lost else "live news lost" if not self._console.live.is_linked else "link ok"
        self._link.set_text(state)
        set_data(self._link, state=state.replace(" ", "-"))


def _standing(case: Case, console: Console, now_ms: int) -> str:
    if case.status == "closed":
        how = console.texts.outcome(case.outcome) if case.outcome else "closed"
        return f"over: {how}"
    if case.status == "released":
        return "released"
    if case.waiting_since_ms is not None:
        return f"{age(now_ms - case.waiting_since_ms)} waiting"
    return f"{age(now_ms - case.opened_ms)} in the lane"


class _QueueItem:
    """One case in the queue; it stays the same element for as long as the case is there, so that no click is lost."""

    def __init__(self, case: CaseSummary, lane_title: str, select: Callable[[str], None]) -> None:
        self.element = button("", partial(select, case.case_id), "queue-item", testid="role-queue-item")
        with self.element:
            self._mark = text("", "queue-mark")
            text(lane_title, "queue-lane")
            text(short_id(case.case_id), "queue-id")
            self._age = text("", "queue-age")
        set_data(self.element, case_id=case.case_id)

    def show(self, case: CaseSummary, *, is_selected: bool, is_waiting: bool, now_ms: int) -> None:
        set_data(
            self.element,
            selected="yes" if is_selected else None,
            waiting="yes" if is_waiting else None,
            status=case.status,
        )
        self._mark.set_text("!" if is_waiting else "")
        self._age.set_text(age(now_ms - waiting_from_ms(case)))


class QueueBar:
    """Open cases from left to right: what waits for this role first."""

    def __init__(self, console: Console, role: Role, select: Callable[[str], None]) -> None:
        self._console = console
        self._role = role
        self._select = select
        self._items: dict[str, _QueueItem] = {}
        self._order: list[str] = []
        with box("queue-bar", testid="queue"):
            self._empty = text("No open case. The next one comes here by itself.", "queue-empty", testid="queue-empty")
            self._box = box("queue-items")

    def show(self, queue: Sequence[CaseSummary], *, selected: str | None, now_ms: int) -> None:
        shown = queue[:_MAX_SHOWN]
        order = [case.case_id for case in shown]
        for case_id in self._items.keys() - set(order):
            self._items.pop(case_id).element.delete()
        for case in shown:
            if case.case_id not in self._items:
                with self._box:
                    self._items[case.case_id] = _QueueItem(case, self._console.lane_title(case.lane), self._select)
            self._items[case.case_id].show(
                case,
                is_selected=case.case_id == selected,
                is_waiting=case.waits_for(self._role.id),
                now_ms=now_ms,
            )
        if order != self._order:
            self._order = order
            for index, case_id in enumerate(order):
                self._items[case_id].element.move(target_index=index)
        self._empty.visible = not order


class AnswerBar:
    """Every required role's word, and the four answers."""

    def __init__(
        self,
        console: Console,
        role: Role,
        *,
        answer: Callable[[VerdictKind], Awaitable[None]],
        send_back: Callable[[str], Awaitable[None]],
    ) -> None:
        self._console = console
        self._role = role
        self._give_back = send_back
        with box("answer-bar"):
            self._verdicts = Rows(box("verdicts", testid="verdicts"), self._draw_verdicts)
            with box("answers"):
                self._release = button(
                    "RELEASE", lambda: answer(VerdictKind.RELEASE), "btn-release", testid="btn-release", key="F1"
                )
                self._hold = button("HOLD", lambda: answer(VerdictKind.HOLD), "btn-hold", testid="btn-hold", key="F2")
                self._inspect = button(
                    "INSPECT", lambda: answer(VerdictKind.INSPECT), "btn-inspect", testid="btn-inspect", key="F3"
                )
                self._send_back = button("SEND BACK", self._ask_why, "btn-send-back", testid="btn-send-back", key="F4")
        self._dialog = ui.dialog()
        with self._dialog, box("dialog-card", testid="send-back-dialog"):
            text("Send the traveller back through the entry?", "dialog-title")
            text("Choose the reason; the kiosk does not show it.", "subtitle")
            for name, sentence in console.texts.send_back_reasons.items():
                button(sentence, partial(self._choose, sentence), "btn-reason", testid=f"reason-{name}")
            button("Cancel", self._dialog.close, "btn-quiet", testid="reason-cancel")

    def _ask_why(self) -> None:
        self._dialog.open()

    async def _choose(self, sentence: str) -> None:
        self._dialog.close()
        await self._give_back(sentence)

    def show(self, case: Case | None, *, may_answer: bool) -> None:
        is_open = case is not None and case.status == "open" and may_answer
        is_ours = case is not None and self._role.id in case.required_roles and case.evidence_digest is not None
        is_decided = case is not None and case.decision is not None
        set_enabled(self._release, is_open and is_ours and is_decided)
        set_enabled(self._hold, is_open and is_ours)
        set_enabled(self._inspect, is_open and is_ours)
        set_enabled(self._send_back, is_open and case is not None and case.occupancy_id is not None)
        own = case.verdict_kind(self._role.id) if case is not None else ""
        for element, kind in (
            (self._release, VerdictKind.RELEASE),
            (self._hold, VerdictKind.HOLD),
            (self._inspect, VerdictKind.INSPECT),
        ):
            set_data(element, given="yes" if own == kind.value else None)
        self._verdicts.show([] if case is None else [self._word(case, role) for role in self._in_order(case)])

    def _in_order(self, case: Case) -> list[str]:
        known = [role.id for role in self._console.site.roles if role.id in case.required_roles]
        return known + sorted(set(case.required_roles) - set(known))

    def _word(self, case: Case, role: str) -> tuple[str, str, str, str]:
        verdict = case.verdicts.get(role)
        kind = case.verdict_kind(role)
        detail = ""
        if verdict is not None and not isinstance(verdict, str):
            if not verdict.is_current and verdict.kind != "pending":
                detail = f"was: {self._console.texts.verdict(verdict.kind)}, on older evidence"
            elif kind != "pending":
                is_officer = kind != "released_by_rule" and bool(verdict.author)
                at = clock_time(verdict.at_ms) if verdict.at_ms is not None else ""
                detail = " · ".join(part for part in (verdict.author if is_officer else "", at) if part)
        if kind == "pending" and not detail:
            detail = "lane still checking" if case.decision is None else "must answer"
        return role, kind, self._console.texts.verdict(kind), detail

    def _draw_verdicts(self, words: Sequence[tuple[str, str, str, str]]) -> None:
        for role, kind, word, detail in words:
            with box("verdict", testid=f"verdict-{role}") as item:
                set_data(item, kind=kind, own="yes" if role == self._role.id else None)
                found = self._console.role(role)
                set_style(item, role=found.colour if found is not None else "#8aa0b2")
                text(self._console.role_title(role) + (" (you)" if role == self._role.id else ""), "verdict-role")
                text(word, "verdict-word")
                text(detail, "verdict-detail")
