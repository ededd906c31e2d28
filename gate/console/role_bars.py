"""The upper bars of an officer's screen: who and what, how far it can be believed, and the queue."""

from collections.abc import Callable, Sequence
from functools import partial

from config.schema import Role
from gate.console.context import Console
from gate.console.hub_models import Case, CaseSummary
from gate.console.i18n import LANGUAGES, Words
from gate.console.parts import Handler, Rows, box, button, link, set_data, text
from gate.console.pulse import STALE_AFTER_MS, Pulse
from gate.console.queue.element import Item, QueueItems
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


class QueueBar:
    """Open cases from left to right: what waits for this role first, of these what is urgent."""

    def __init__(self, console: Console, role: Role, words: Words, select: Callable[[str], None]) -> None:
        self._console = console
        self._role = role
        self._order: list[str] = []
        with box("queue-bar", testid="queue", tag="nav") as bar:
            bar.props["aria-label"] = words("queue.label")
            self._empty = text(words("queue.empty"), "queue-empty", testid="queue-empty")
            self._items = QueueItems(select)

    def show(self, queue: Sequence[CaseSummary], *, selected: str | None, user: str | None, now_ms: int) -> None:
        shown = queue[:_MAX_SHOWN]
        self._order = [case.case_id for case in shown]
        self._items.show(
            [self._item(case, is_selected=case.case_id == selected, user=user, now_ms=now_ms) for case in shown]
        )
        self._empty.visible = not shown

    def _item(self, case: CaseSummary, *, is_selected: bool, user: str | None, now_ms: int) -> Item:
        is_waiting = case.waits_for(self._role.id)
        urgency = urgency_of(case, now_ms=now_ms, inside_limit_ms=self._console.site.policy.inside_limit_ms)
        colleague = colleague_at(case, role=self._role.id, user=user)
        who = (colleague.name or colleague.user) if colleague is not None else ""
        return {
            "id": case.case_id,
            "lane": self._console.lane_title(case.lane),
            "short": short_id(case.case_id),
            "mark": "" if not is_waiting else "!!" if urgency is Urgency.URGENT else "!",
            "age": age(now_ms - waiting_from_ms(case)),
            "who": who,
            "status": case.status,
            "selected": "yes" if is_selected else None,
            "waiting": "yes" if is_waiting else None,
            "urgency": urgency.value if is_waiting and urgency is not Urgency.CALM else None,
            "claimed": "yes" if who else None,
        }

    def neighbour(self, selected: str | None, step: int) -> str | None:
        """The case ``step`` places after (or before) the selected one, as far as there is one."""
        if not self._order:
            return None
        if selected not in self._order:
            return self._order[0]
        place = self._order.index(selected) + step
        return self._order[place] if 0 <= place < len(self._order) else None
