"""A port at a glance: every lane drawn as a lane, what is wrong on the right, four numbers on top."""

from collections.abc import Sequence
from datetime import UTC, datetime
from functools import partial

from fastapi.responses import RedirectResponse
from nicegui import ui

from gate.console.coalesce import Coalesced
from gate.console.context import Console, browser_id, officer_of, to_login
from gate.console.drawings import lane_plan
from gate.console.hub_client import LinkLost, Refusal
from gate.console.hub_models import Statistics
from gate.console.live import Freshness
from gate.console.parts import Rows, box, button, drawing, link, set_data, set_enabled, text
from gate.console.view import age, clock_time
from gate.wire.messages import Act, KioskStep

_REFRESH_S = 5.0
_CLOSED_SHOWN = 200


def register(console: Console) -> None:
    """Register ``/lanes``."""

    @ui.page("/lanes", dark=True, title="Lanes")
    def lanes() -> RedirectResponse | None:
        if officer_of(console) is None:
            return to_login("/lanes")
        console.dress("control-room")
        _LanesScreen(console, browser_id())
        return None


class _Command:
    """Gives a lane a command with the officer's own token, and says how it went."""

    def __init__(self, console: Console, browser: str, say: ui.label) -> None:
        self._console = console
        self._browser = browser
        self._say = say

    async def __call__(self, lane: str, act: Act) -> None:
        officer = self._console.sessions.officer(self._browser)
        if officer is None:
            ui.navigate.to("/login?next=/lanes")
            return
        answer = await self._console.hub.command(officer.token, lane, act)
        what = f"{self._console.lane_title(lane)}: {act.value.replace('_', ' ')}"
        if isinstance(answer, LinkLost):
            self._say.set_text(f"{what}: the hub does not answer, nothing was sent.")
        elif isinstance(answer, Refusal):
            self._say.set_text(f"{what}: refused. {answer.detail}")
        else:
            self._say.set_text(f"{what}: sent.")


class _LaneCard:
    """One lane: its doors, who is inside, how long it has been so, how the last crossing ended."""

    def __init__(self, console: Console, lane: str, command: _Command, *, may_command: bool) -> None:
        self._console = console
        self._lane = lane
        self._may_command = may_command
        with box("lane-card", testid=f"lane-card-{lane}") as self._box:
            with box("lane-head"):
                text(console.lane_title(lane), "lane-title")
                self._seconds = text("", "lane-seconds")
            self._plan = Rows(box("lane-drawing"), lambda shape: drawing(_plan(shape)))
            with box("lane-line"):
                self._state = text("", "lane-state", testid="lane-state")
                self._count = text("", "lane-count")
            self._outcome = text("", "lane-outcome")
            self._problem = text("", "lane-problem", testid=f"lane-problem-{lane}")
            with box("lane-buttons"):
                self._out = button(
                    "Out of service",
                    partial(command, lane, Act.TAKE_OUT_OF_SERVICE),
                    "btn-small",
                    testid=f"out-of-service-{lane}",
                )
                self._in = button(
                    "In service", partial(command, lane, Act.PUT_IN_SERVICE), "btn-small", testid=f"in-service-{lane}"
                )
                link("Kiosk", f"/kiosk/{lane}", "plain-link small")

    def show(self, last: tuple[str, int] | None) -> None:
        live = self._console.live
        state = live.lane(self._lane).state
        freshness = live.freshness(self._lane)
        is_known = state is not None and freshness in (Freshness.LIVE, Freshness.STALE)
        set_data(
            self._box,
            lamp=state.lamp if state is not None and is_known else "off",
            freshness=freshness.value,
            state=state.state if state is not None else None,
            step=state.step.value if state is not None else None,
        )
        if state is None or not is_known:
            self._plan.show(("unknown", "unknown", None))
        else:
            self._plan.show((state.entry, state.exit, state.person_count))
        self._state.set_text(_words(state.state if state is not None else None, freshness))
        self._count.set_text(f"{state.crossings} crossings" if state is not None else "")
        silence_ms = live.silence_ms(self._lane)
        if freshness is Freshness.STALE and silence_ms is not None:
            self._seconds.set_text(f"no news for {age(silence_ms)}")
        elif state is not None and is_known:
            since_ms = int(state.since.timestamp() * 1000)
            self._seconds.set_text(age(self._console.clock.utc_ms() - since_ms))
        else:
            self._seconds.set_text("")
        self._outcome.set_text(
            f"last: {self._console.texts.outcome(last[0])}, {clock_time(last[1])}"
            if last is not None
            else "no crossing yet"
        )
        self._problem.set_text(state.problem.replace("_", " ") if state is not None and state.problem else "")
        is_out = state is not None and state.step is KioskStep.OUT_OF_SERVICE
        set_enabled(self._out, self._may_command and is_known and not is_out)
        set_enabled(self._in, self._may_command and is_known and is_out)


class _LanesScreen:
    def __init__(self, console: Console, browser: str) -> None:
        self._console = console
        self._browser = browser
        self._statistics: Statistics | None = None
        self._last: dict[str, tuple[str, int]] = {}
        self._is_hub_lost = False
        officer = console.sessions.officer(browser)
        may_command = officer is not None and officer.may_command_lanes
        with box("lanes-screen", testid="lanes-screen"):
            with box("head-bar"):
                with box("head-role"):
                    text("Lanes", "head-title")
                    text(console.site.port.title, "head-title-zh")
                self._said = text("", "lanes-said", testid="lanes-said")
                with box("head-side"):
                    self._link = text("", "head-link", testid="link-state")
                    text(officer.name if officer is not None else "", "head-user")
                    link("Sign out", "/logout", "plain-link small")
            self._numbers = Rows(box("numbers", testid="statistics"), self._draw_numbers)
            with box("lanes-body"):
                command = _Command(console, browser, self._said)
                self._command = command
                with box("lane-grid"):
                    self._cards = {
                        lane.id: _LaneCard(console, lane.id, command, may_command=may_command)
                        for lane in console.site.lanes
                    }
                with box("panel alarms-panel"):
                    text("Needs somebody", "panel-title")
                    self._alarms = Rows(box("panel-body", testid="alarms"), self._draw_alarms)
        self._may_command = may_command
        self._refresh = Coalesced(self._fetch, client=ui.context.client, min_interval_s=1.0)
        console.live.lane_changed.subscribe(lambda _: self._show())
        console.live.link_changed.subscribe(lambda _: self._show())
        console.live.case_changed.subscribe(lambda _: self._refresh.ask())
        console.help_desk.changed.subscribe(self._show)
        ui.timer(1.0, self._show)
        ui.timer(_REFRESH_S, self._refresh.ask)
        self._refresh.ask()
        self._show()

    async def _fetch(self) -> None:
        officer = self._console.sessions.officer(self._browser)
        if officer is None:
            ui.navigate.to("/login?next=/lanes")
            return
        statistics = await self._console.hub.statistics(officer.token)
        closed = await self._console.hub.cases(officer.token, status="closed", limit=_CLOSED_SHOWN)
        self._is_hub_lost = isinstance(statistics, LinkLost) or isinstance(closed, LinkLost)
        if isinstance(statistics, Statistics):
            self._statistics = statistics
        if not isinstance(closed, Refusal | LinkLost):
            for case in closed.cases:
                held = self._last.get(case.lane)
                if case.outcome and case.closed_ms is not None and (held is None or held[1] < case.closed_ms):
                    self._last[case.lane] = (case.outcome, case.closed_ms)
        self._show()

    def _show(self) -> None:
        state = "hub lost" if self._is_hub_lost else "live news lost" if not self._console.live.is_linked else "link ok"
        self._link.set_text(state)
        set_data(self._link, state=state.replace(" ", "-"))
        for lane, card in self._cards.items():
            card.show(self._last.get(lane))
        self._alarms.show(self._what_is_wrong())
        self._numbers.show((self._statistics, self._lanes_out()))

    def _lanes_out(self) -> tuple[int, int]:
        out = 0
        for lane in self._cards:
            state = self._console.live.lane(lane).state
            is_up = self._console.live.freshness(lane) is Freshness.LIVE
            if not is_up or state is None or state.step is KioskStep.OUT_OF_SERVICE or state.problem:
                out += 1
        return out, len(self._cards)

    def _what_is_wrong(self) -> list[tuple[str, str, str, str]]:
        """(kind, lane, what, since) of all that somebody should see to."""
        wrong: list[tuple[str, str, str, str]] = []
        for lane in self._cards:
            state = self._console.live.lane(lane).state
            freshness = self._console.live.freshness(lane)
            if freshness is Freshness.OFFLINE:
                wrong.append(("offline", lane, "The lane is offline", ""))
            elif state is not None and state.problem:
                since = clock_time(int(state.since.timestamp() * 1000))
                wrong.append(("problem", lane, state.problem.replace("_", " "), since))
        wrong += [
            ("help", call.lane, "A traveller asks for help", clock_time(call.at_ms))
            for call in self._console.help_desk.calls
        ]
        return wrong

    def _draw_alarms(self, alarms: Sequence[tuple[str, str, str, str]]) -> None:
        if not alarms:
            text("Nothing. All lanes look after themselves.", "empty")
        for kind, lane, what, since in alarms:
            with box("alarm", testid=f"alarm-{lane}") as item:
                set_data(item, kind=kind)
                with box("alarm-words"):
                    text(self._console.lane_title(lane), "alarm-lane")
                    text(what, "alarm-what")
                    text(since, "dim")
                if kind == "problem":
                    acknowledge = button(
                        "Acknowledge",
                        partial(self._command, lane, Act.ACKNOWLEDGE),
                        "btn-small",
                        testid=f"acknowledge-{lane}",
                    )
                    set_enabled(acknowledge, self._may_command)
                elif kind == "help":
                    button("I go", partial(self._console.help_desk.take, lane), "btn-small", testid=f"go-{lane}")

    def _draw_numbers(self, shown: tuple[Statistics | None, tuple[int, int]]) -> None:
        statistics, (out, total) = shown
        is_there = statistics is not None
        since = ""
        if statistics is not None and statistics.since_ms is not None:
            at = datetime.fromtimestamp(statistics.since_ms / 1000, tz=UTC).astimezone()
            since = f"since {at:%d %b %H:%M}"
        _number("Crossings", str(statistics.crossings) if statistics is not None else "", since)
        ratio = statistics.referral_ratio if statistics is not None else None
        _number("Referred", f"{100 * ratio:.1f} %" if ratio is not None else "", "to officers")
        entry = statistics.document_to_entry_ms_p50 if statistics is not None else None
        _number("Document to entry", f"{entry / 1000:.1f} s" if entry is not None else "", "median")
        leave = statistics.face_to_exit_ms_p50 if statistics is not None else None
        _number("Face to exit", f"{leave / 1000:.1f} s" if leave is not None else "", "median")
        _number("Lanes out", f"{out} of {total}", "" if is_there else "statistics on their way")


def _number(name: str, value: str, note: str) -> None:
    with box("number"):
        text(name, "number-name")
        text(value or "none yet", "number-value" if value else "number-value number-none")
        text(note, "number-note")


def _plan(shape: tuple[str, str, int | None]) -> str:
    entry, exit_, count = shape
    return lane_plan(entry=entry, exit_=exit_, person_count=count)


def _words(state: str | None, freshness: Freshness) -> str:
    match freshness:
        case Freshness.LINK_LOST:
            return "no link to the broker"
        case Freshness.UNKNOWN:
            return "not heard of yet"
        case Freshness.OFFLINE:
            return "offline"
        case Freshness.LIVE | Freshness.STALE:
            words = "".join(f" {char.lower()}" if char.isupper() else char for char in state or "")
            return words.replace("_", " ").strip()
