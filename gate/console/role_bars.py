"""The upper bars of an officer's screen: who and what, how far it can be believed, and the queue."""

from collections.abc import Callable, Sequence
from functools import partial

from config.schema import Role
from gate.console.context import Console
from gate.console.hub_models import Case, CaseSummary
from gate.console.i18n import LANGUAGES, Words
from gate.console.parts import Handler, Rows, box, button, link, set_data, set_prop, text
from gate.console.pulse import STALE_AFTER_MS, Pulse
from gate.console.sessions import Officer
from gate.console.spoken import standing_of
from gate.console.view import Urgency, age, colleague_at, short_id, urgency_of, waiting_from_ms

_MAX_SHOWN = 40


class HeadBar:
    """Role, case and its age, queue, links, user."""

    def __init__(self, console: Console, role: Role, words: Words, *, pulse: Pulse, on_keys: Handler) -> None:
        self._console = console
        self._words = words
        self._pulse = pulse
        self._lost_ns: int | None = None
        with box("head-bar", tag="header"):
            with box("head-role"):
                text(role.title, "head-title")
                text(role.title_zh, "head-title-zh")
            with box("head-case"):
                self._lane = text("", "head-lane")
                self._case = text("", "head-case-id", testid="case-id")
                self._age = text("", "head-age", testid="case-age")
            with box("head-side"):
                self._help = Rows(box("head-help"), self._draw_help)
                self._stale = text("", "head-stale", testid="stale")
                self._queue = text("", "head-queue", testid="queue-count")
                self._link = text("", "head-link", testid="link-state")
                self._user = text("", "head-user", testid="user-name")
                button(words("head.keys"), on_keys, "btn-head", testid="open-keys").props["data-key"] = "F10"
                for language, name in LANGUAGES.items():
                    if language != words.language:
                        target = f"/language/{language}?next=/role/{role.id}"
                        link(name, target, "plain-link small").props["lang"] = language.replace("_", "-")
                link(words("head.sign_out"), "/logout", "plain-link small")
        with box("session-over", testid="session-over") as self._over, box("login-card"):
            self._over.props.update({"role": "alertdialog", "aria-label": words("head.over")})
            text(words("head.over"), "brand small")
            text(words("head.over.more"), "subtitle")
            link(words("head.sign_in"), f"/login?next=/role/{role.id}", "plain-link")
        self._over.visible = False

    @property
    def is_lost(self) -> bool:
        """Whether the hub did not answer this page, or does not answer at all."""
        return self._lost_ns is not None or not self._pulse.is_answering

    def _draw_help(self, calls: Sequence[tuple[str, str]]) -> None:
        for lane, title in calls:
            with button("", partial(self._console.help_desk.take, lane), "help-call", testid=f"help-{lane}"):
                text(self._words("head.help_call", lane=title))

    def show_user(self, officer: Officer | None) -> None:
        self._user.set_text(officer.name if officer is not None else "")
        self._over.visible = officer is None

    def show_link(self, *, is_lost: bool) -> None:
        if not is_lost:
            self._lost_ns = None
        elif self._lost_ns is None:
            self._lost_ns = self._console.clock.monotonic_ns()

    def unheard_ms(self) -> int:
        """For how long this screen has been without the hub or the live news; 0 while it has both."""
        now_ns = self._console.clock.monotonic_ns()
        own_ms = 0 if self._lost_ns is None else (now_ns - self._lost_ns) // 1_000_000
        return max(own_ms, self._pulse.silence_ms, self._console.live.unlinked_ms())

    def show(self, case: Case | None, queue: Sequence[CaseSummary], *, now_ms: int) -> None:
        self._help.show([(call.lane, self._console.lane_title(call.lane)) for call in self._console.help_desk.calls])
        if case is None:
            for label in (self._lane, self._case, self._age):
                label.set_text("")
        else:
            self._lane.set_text(self._console.lane_title(case.lane))
            self._case.set_text(short_id(case.case_id))
            self._age.set_text(self._standing(case, now_ms))
        set_data(self._case, case_id=case.case_id if case is not None else None)
        oldest = max((now_ms - waiting_from_ms(item) for item in queue), default=0)
        empty = self._words("head.queue_empty")
        self._queue.set_text(self._words("head.queue", number=len(queue), age=age(oldest)) if queue else empty)
        state = "hub_lost" if self.is_lost else "news_lost" if not self._console.live.is_linked else "link_ok"
        self._link.set_text(self._words(f"head.{state}"))
        set_data(self._link, state=state.replace("_", "-"))
        unheard_ms = self.unheard_ms()
        is_stale = unheard_ms >= STALE_AFTER_MS
        self._stale.set_text(self._words("head.stale", age=age(unheard_ms)) if is_stale else "")

    def _standing(self, case: Case, now_ms: int) -> str:
        if case.status != "open":
            return standing_of(case, self._words)
        if case.waiting_since_ms is not None:
            return self._words("head.waiting", age=age(now_ms - case.waiting_since_ms))
        return self._words("head.in_lane", age=age(now_ms - case.opened_ms))


class _QueueItem:
    """One case in the queue; it stays the same element for as long as the case is there, so that no click is lost."""

    def __init__(self, case: CaseSummary, lane_title: str, select: Callable[[str], None]) -> None:
        self.element = button("", partial(select, case.case_id), "queue-item", testid="role-queue-item")
        with self.element:
            self._mark = text("", "queue-mark")
            text(lane_title, "queue-lane")
            text(short_id(case.case_id), "queue-id")
            self._age = text("", "queue-age")
            self._who = text("", "queue-who")
        set_data(self.element, case_id=case.case_id)

    def show(
        self, case: CaseSummary, *, is_selected: bool, is_waiting: bool, urgency: Urgency, who: str, now_ms: int
    ) -> None:
        set_data(
            self.element,
            selected="yes" if is_selected else None,
            waiting="yes" if is_waiting else None,
            urgency=urgency.value if is_waiting and urgency is not Urgency.CALM else None,
            claimed="yes" if who else None,
            status=case.status,
        )
        set_prop(self.element, "aria-current", "true" if is_selected else "false")
        self._mark.set_text("" if not is_waiting else "!!" if urgency is Urgency.URGENT else "!")
        self._age.set_text(age(now_ms - waiting_from_ms(case)))
        self._who.set_text(who)


class QueueBar:
    """Open cases from left to right: what waits for this role first, of these what is urgent."""

    def __init__(self, console: Console, role: Role, words: Words, select: Callable[[str], None]) -> None:
        self._console = console
        self._role = role
        self._words = words
        self._select = select
        self._items: dict[str, _QueueItem] = {}
        self._order: list[str] = []
        with box("queue-bar", testid="queue", tag="nav") as bar:
            bar.props["aria-label"] = words("queue.label")
            self._empty = text(words("queue.empty"), "queue-empty", testid="queue-empty")
            self._box = box("queue-items")

    def show(self, queue: Sequence[CaseSummary], *, selected: str | None, user: str | None, now_ms: int) -> None:
        shown = queue[:_MAX_SHOWN]
        order = [case.case_id for case in shown]
        for case_id in self._items.keys() - set(order):
            self._items.pop(case_id).element.delete()
        for case in shown:
            if case.case_id not in self._items:
                with self._box:
                    self._items[case.case_id] = _QueueItem(case, self._console.lane_title(case.lane), self._select)
            colleague = colleague_at(case, role=self._role.id, user=user)
            limit_ms = self._console.site.policy.inside_limit_ms
            self._items[case.case_id].show(
                case,
                is_selected=case.case_id == selected,
                is_waiting=case.waits_for(self._role.id),
                urgency=urgency_of(case, now_ms=now_ms, inside_limit_ms=limit_ms),
                who=(colleague.name or colleague.user) if colleague is not None else "",
                now_ms=now_ms,
            )
        if order != self._order:
            self._order = order
            for index, case_id in enumerate(order):
                self._items[case_id].element.move(target_index=index)
        self._empty.visible = not order

    def neighbour(self, selected: str | None, step: int) -> str | None:
        """The case ``step`` places after (or before) the selected one, as far as there is one."""
        if not self._order:
            return None
        if selected not in self._order:
            return self._order[0]
        place = self._order.index(selected) + step
        return self._order[place] if 0 <= place < len(self._order) else None
