"""One lane closely: what it does, who is in it as far as one may see, its devices and faults, its journal, and orders to it."""

from collections.abc import Sequence
from functools import partial

from fastapi.responses import RedirectResponse
from nicegui import ui

from config.schema import Lane
from gate.console.alarm_panel import alarm_words
from gate.console.coalesce import Coalesced
from gate.console.confirm import Confirm
from gate.console.context import Console, browser_id, officer_of, to_login
from gate.console.drawings import lane_plan
from gate.console.hub_client import LinkLost
from gate.console.hub_supervision import Alarm, AlarmPage, Given, GivenPage, Journal, JournalLine, Supervision
from gate.console.i18n import Words
from gate.console.lane_feed import outcome_words, problem_words, state_words
from gate.console.lane_orders import Orders
from gate.console.lane_stay import StayPanel
from gate.console.live import Freshness
from gate.console.parts import Rows, box, button, drawing, link, set_data, set_enabled, text
from gate.console.supervisor_head import SupervisorHead, as_heading, dress, scrolling
from gate.console.view import age, clock_time
from gate.wire.messages import Act, CaseChanged, KioskStep

_EVERY_S = 5.0


def register(console: Console) -> None:
    """Register ``/lanes/{lane}``."""

    @ui.page("/lanes/{lane}", dark=True)
    def lane_page(lane: str) -> RedirectResponse | None:
        found = console.site.lane(lane)
        if found is None:
            return RedirectResponse("/lanes")
        if officer_of(console) is None:
            return to_login(f"/lanes/{lane}")
        words = console.words()
        ui.page_title(console.lane_title(lane))
        dress(console, words)
        _LaneScreen(console, words, found, browser_id())
        return None


def devices_of(lane: Lane) -> tuple[str, ...]:
    """What the site says that this lane has, by the names under which faults are reported."""
    fixed = ["board_link", "document_camera", "face_camera"]
    optional = ("face_camera_2", "document_light", "chip_reader", "thermometer", "turnstile")
    held = [name for name in optional if getattr(lane, name) is not None]
    return (*fixed, *held, *(f"reader {reader.id}" for reader in lane.readers))


class _LaneScreen:
    def __init__(self, console: Console, words: Words, lane: Lane, browser: str) -> None:
        self._console, self._words, self._lane, self._browser = console, words, lane, browser
        self._supervision = Supervision(console.hub)
        self._is_lost = False
        self._alarms: tuple[Alarm, ...] = ()
        officer = console.sessions.officer(browser)
        self._may_command = officer is not None and officer.may_command_lanes
        self._orders = Orders(console, words, browser, target=f"/lanes/{lane.id}", say=self._say)
        with box("supervisor-screen", testid="lane-screen"):
            self._head = SupervisorHead(console, words, active="lanes", browser=browser)
            with box("supervisor-main", tag="main"):
                self._build_top()
                with box("lane-columns"):
                    with scrolling("lane-column"):
                        self._stay = StayPanel(console, words, self._orders, browser=browser, lane=lane.id)
                    with scrolling("lane-column"):
                        self._build_devices()
                        self._build_given()
                    with scrolling("lane-column wide"):
                        self._build_journal()
        self._confirm = Confirm(words)
        client = ui.context.client
        self._refresh = Coalesced(self._fetch, client=client, min_interval_s=1.0)
        self._look = Coalesced(self._stay.fetch, client=client, min_interval_s=0.25)
        console.live.lane_changed.subscribe(self._on_lane)
        console.live.case_changed.subscribe(self._on_case)
        console.live.link_changed.subscribe(lambda _: self._show())
        ui.timer(1.0, self._show)
        ui.timer(_EVERY_S, self._refresh.ask)
        self._refresh.ask()
        self._look.ask()
        self._show()

    def _build_top(self) -> None:
        words, lane = self._words, self._lane.id
        with box("panel lane-top", tag="section") as self._top:
            with box("lane-top-drawing"):
                self._plan = Rows(box(""), lambda shape: drawing(_plan(shape)))
            with box("lane-top-words"):
                as_heading(text(self._console.lane_title(lane), "lane-heading"), 2)
                self._state = text("", "lane-state-big", testid="lane-state")
                self._note = text("", "dim", testid="lane-note")
                self._problem = text("", "wall-problem", testid="lane-problem")
            with box("lane-top-buttons"):
                give = self._orders.give
                self._out = button(
                    words("act.take_out_of_service"),
                    partial(give, lane, Act.TAKE_OUT_OF_SERVICE),
                    testid="out-of-service",
                )
                self._in = button(
                    words("act.put_in_service"), partial(give, lane, Act.PUT_IN_SERVICE), testid="in-service"
                )
                self._seen = button(
                    words("act.acknowledge"), partial(give, lane, Act.ACKNOWLEDGE), testid="acknowledge"
                )
                self._evacuate = button(words("act.evacuate"), self._ask_evacuate, "btn-danger", testid="evacuate")
                self._end = button(words("act.end_evacuation"), self._ask_end, testid="end-evacuation")
                link(words("lane.kiosk"), f"/kiosk/{lane}", "plain-link small")
            self._said = text("", "lanes-said", testid="lanes-said")
            self._said.props["role"] = "status"

    def _build_devices(self) -> None:
        with box("panel", tag="section"):
            text(self._words("lane.devices"), "panel-title")
            self._devices = Rows(box("device-list", testid="devices"), self._draw_devices)

    def _build_given(self) -> None:
        with box("panel", tag="section"):
            text(self._words("lane.given"), "panel-title")
            self._given = Rows(box("given-list", testid="given"), self._draw_given)

    def _build_journal(self) -> None:
        with box("panel journal", tag="section"):
            text(self._words("lane.journal"), "panel-title")
            self._journal = Rows(box("journal-list", testid="journal"), self._draw_journal)
            self._journal.show(("loading", ()))

    def _say(self, sentence: str, is_bad: bool) -> None:
        self._said.set_text(sentence)
        set_data(self._said, tone="bad" if is_bad else "good")
        self._refresh.ask()

    def _ask_evacuate(self) -> None:
        self._confirm.ask(
            self._words("act.evacuate"),
            self._words("confirm.evacuate_lane", lane=self._console.lane_title(self._lane.id)),
            self._words("act.evacuate"),
            lambda _: self._orders.give(self._lane.id, Act.EVACUATE),
        )

    def _ask_end(self) -> None:
        self._confirm.ask(
            self._words("act.end_evacuation"),
            self._words("confirm.end_lane", lane=self._console.lane_title(self._lane.id)),
            self._words("act.end_evacuation"),
            lambda _: self._orders.give(self._lane.id, Act.END_EVACUATION),
        )

    def _on_lane(self, lane: str) -> None:
        if lane == self._lane.id:
            self._show()
            self._refresh.ask()
            self._look.ask()

    def _on_case(self, change: CaseChanged) -> None:
        if change.lane == self._lane.id:
            self._refresh.ask()
            self._look.ask()

    async def _fetch(self) -> None:
        officer = self._orders.officer()
        if officer is None or not officer.may_command_lanes:
            self._journal.show(("not_yours", ()))
            return
        journal = await self._supervision.journal(officer.token, self._lane.id)
        given = await self._supervision.given(officer.token, self._lane.id)
        alarms = await self._supervision.alarms(officer.token, lane=self._lane.id)
        self._is_lost = any(isinstance(answer, LinkLost) for answer in (journal, given, alarms))
        if isinstance(journal, Journal):
            self._journal.show(("", journal.lines))
        if isinstance(given, GivenPage):
            self._given.show(given.commands[:12])
        if isinstance(alarms, AlarmPage):
            self._alarms = alarms.alarms
        self._show()

    def _show(self) -> None:
        live, lane = self._console.live, self._lane.id
        state, freshness = live.lane(lane).state, live.freshness(lane)
        is_known = state is not None and freshness in (Freshness.LIVE, Freshness.STALE)
        self._head.show(is_lost=self._is_lost)
        set_data(self._top, lamp=state.lamp if state and is_known else "off", freshness=freshness.value)
        shape = (state.entry, state.exit, state.person_count) if state and is_known else ("unknown", "unknown", None)
        self._plan.show(shape)
        if state is None or not is_known:
            self._state.set_text(self._words(f"wall.{freshness.value}"))
            self._note.set_text("")
        else:
            self._state.set_text(state_words(self._words, state.state))
            for_ms = self._console.clock.utc_ms() - int(state.since.timestamp() * 1000)
            crossings = self._words.count("lanes.crossings", state.crossings)
            silence_ms = live.silence_ms(lane) or 0
            silent = self._words("wall.silent", age=age(silence_ms)) if freshness is Freshness.STALE else ""
            self._note.set_text(" · ".join(part for part in (silent or age(for_ms), crossings) if part))
        self._problem.set_text(problem_words(self._words, state.problem) if state and state.problem else "")
        is_out = state is not None and state.state == "out_of_service"
        is_evacuating = state is not None and state.step is KioskStep.EMERGENCY
        may = self._may_command and is_known
        set_enabled(self._out, may and not is_out)
        set_enabled(self._in, may and is_out)
        set_enabled(self._seen, may and bool(state and state.problem))
        set_enabled(self._evacuate, self._may_command and not is_evacuating)
        set_enabled(self._end, self._may_command and is_evacuating)
        self._devices.show((freshness, tuple(alarm for alarm in self._alarms if alarm.kind == "fault")))

    def _draw_devices(self, shown: tuple[Freshness, Sequence[Alarm]]) -> None:
        freshness, faults = shown
        standing = {alarm.device: alarm for alarm in faults if alarm.cleared_ms is None}
        names = [*devices_of(self._lane), *(name for name in standing if name and name not in devices_of(self._lane))]
        for name in names:
            fault = standing.get(name)
            kind = "fault" if fault is not None else "ok" if freshness is Freshness.LIVE else "unknown"
            with box("device") as item:
                set_data(item, kind=kind)
                text(self._words.get(f"device.{name}") or name.replace("_", " "), "device-name")
                told = (
                    problem_words(self._words, fault.reason) if fault is not None else self._words(f"device_is.{kind}")
                )
                text(told, "device-state")
        past = [alarm for alarm in faults if alarm.cleared_ms is not None][:4]
        for alarm in past:
            when = f"{clock_time(alarm.raised_ms)} – {clock_time(alarm.cleared_ms or alarm.raised_ms)}"
            text(f"{when} · {alarm_words(alarm, self._words)}", "dim small")

    def _draw_given(self, given: Sequence[Given]) -> None:
        if not given:
            text(self._words("lane.none_given"), "empty")
        for item in given:
            by = " + ".join(name for name in (item.author, item.also_by) if name)
            told = self._words.get(f"command_state.{item.state}") or item.state
            with box("given"):
                text(clock_time(item.issued_ms), "mono dim")
                text(self._words.get(f"act.{item.act}") or item.act, "given-act")
                text(f"{by} · {told}" + (f" · {item.reason}" if item.reason else ""), "dim small")

    def _draw_journal(self, shown: tuple[str, Sequence[JournalLine]]) -> None:
        empty, lines = shown
        if not lines:
            text(self._words(f"lane.journal_{empty or 'empty'}"), "empty")
        for line in lines:
            with box("journal-line"):
                text(clock_time(line.at_ms), "mono dim")
                text(self._words.get(f"event.{line.type}") or line.type.removeprefix("tongguan."), "journal-what")
                text(journal_detail(line, self._words), "journal-detail")


def journal_detail(line: JournalLine, words: Words) -> str:
    """What a line of the journal says beside what happened."""
    told = []
    for name, value in line.detail.items():
        if name == "outcome":
            told.append(outcome_words(words, value))
        elif name in ("reason", "rule", "decision", "purpose"):
            told.append(problem_words(words, value))
        elif name in ("door", "position", "device"):
            told.append(words.get(f"{name}.{value}") or value.replace("_", " "))
        elif name == "by":
            told.append(value)
    if line.case_id is not None:
        told.append(line.case_id)
    return " · ".join(told)


def _plan(shape: tuple[str, str, int | None]) -> str:
    entry, exit_, count = shape
    return lane_plan(entry=entry, exit_=exit_, person_count=count)
