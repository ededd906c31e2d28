"""A port at a glance: every lane drawn as a lane, four numbers beside what was promised, what is wrong, and what is to come."""

from dataclasses import dataclass

from fastapi.responses import RedirectResponse
from nicegui import ui

from gate.console import page_audit, page_cases, page_evacuation, page_kpi, page_lane
from gate.console.alarm_panel import AlarmPanel
from gate.console.context import Console, browser_id, officer_of, to_login
from gate.console.flow_chart import capacity_per_h, forecast_chart
from gate.console.hub_supervision import Now
from gate.console.i18n import Words
from gate.console.lane_feed import LaneFeed
from gate.console.lane_orders import Orders
from gate.console.live import Freshness
from gate.console.overview import Overview
from gate.console.parts import Rows, box, set_data, text
from gate.console.supervisor_head import SupervisorHead, dress
from gate.console.view import age
from gate.console.wall.element import WALL_WORDS, LaneWall
from gate.wire.messages import Act, KioskStep


def register(console: Console) -> None:
    """Register ``/lanes`` and the other pages of whoever watches a port."""
    for room in (page_lane, page_evacuation, page_cases, page_audit, page_kpi):
        room.register(console)
    feed = LaneFeed(console)
    overview = Overview(console)

    @ui.page("/lanes", dark=True)
    def lanes() -> RedirectResponse | None:
        if officer_of(console) is None:
            return to_login("/lanes")
        words = console.words()
        ui.page_title(words("nav.lanes"))
        dress(console, words)
        _LanesScreen(console, words, feed=feed, overview=overview, browser=browser_id())
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Number:
    """One of the four numbers. ``is_kept``: whether the promise is; None when there is nothing to compare."""

    name: str
    value: str
    note: str
    is_kept: bool | None = None


def numbers_of(now: Now | None, *, lanes_out: int, lanes: int, words: Words) -> tuple[Number, ...]:
    """The four numbers of a port against its promise."""
    if now is None:
        names = ("waiting", "crossings", "referred")
        loading = tuple(Number(name=words(f"number.{name}"), value="", note=words("number.loading")) for name in names)
        return (*loading, _lanes_out(None, lanes_out, lanes, words))
    hour, promise = now.last_hour, now.promise
    waiting_s = None if hour.waiting_ms_p95 is None else hour.waiting_ms_p95 / 1000
    limit_s = promise.waiting_limit_ms / 1000
    wanted = promise.crossings_per_h
    is_referral_kept = None if hour.referral_ratio is None else hour.referral_ratio <= promise.referral_ratio
    return (
        Number(
            name=words("number.waiting"),
            value="" if waiting_s is None else words("number.seconds", value=f"{waiting_s:.0f}"),
            note=words("number.promised_seconds", value=f"{limit_s:.0f}"),
            is_kept=None if waiting_s is None else waiting_s <= limit_s,
        ),
        Number(
            name=words("number.crossings"),
            value=str(hour.crossings),
            note=words("number.no_promise") if wanted is None else words("number.promised_crossings", value=wanted),
            is_kept=None if wanted is None else hour.crossings >= wanted,
        ),
        Number(
            name=words("number.referred"),
            value="" if hour.referral_ratio is None else f"{100 * hour.referral_ratio:.1f} %",
            note=words("number.promised_ratio", value=f"{100 * promise.referral_ratio:g}"),
            is_kept=is_referral_kept,
        ),
        _lanes_out(promise.lanes_out, lanes_out, lanes, words),
    )


def _lanes_out(promised: int | None, out: int, lanes: int, words: Words) -> Number:
    return Number(
        name=words("number.lanes_out"),
        value=words("number.of", value=out, total=lanes),
        note=words("number.loading") if promised is None else words("number.promised_lanes", value=promised),
        is_kept=None if promised is None else out <= promised,
    )


class _LanesScreen:
    def __init__(self, console: Console, words: Words, *, feed: LaneFeed, overview: Overview, browser: str) -> None:
        self._console = console
        self._words = words
        self._overview = overview
        officer = console.sessions.officer(browser)
        self._may_command = officer is not None and officer.may_command_lanes
        orders = Orders(console, words, browser, target="/lanes", say=self._say)
        self._chart: ui.echart | None = None
        with box("supervisor-screen", testid="lanes-screen"):
            self._head = SupervisorHead(console, words, active="lanes", browser=browser)
            with box("supervisor-main", tag="main"):
                self._numbers = Rows(box("numbers four", testid="statistics"), self._draw_numbers)
                self._said = text("", "lanes-said", testid="lanes-said")
                self._said.props["role"] = "status"
                with box("overview-body"):
                    with box("wall-frame") as frame:
                        frame.props["tabindex"] = "0"
                        titles = [(lane.id, lane.title or lane.id) for lane in console.site.lanes]
                        sentences = {name: words(f"wall.{name}", age="{age}") for name in WALL_WORDS}
                        wall = LaneWall(lanes=titles, words=sentences, on_ready=lambda: feed.join(wall, words))
                    self._alarms = AlarmPanel(
                        console,
                        words,
                        acknowledge=lambda lane: orders.give(lane, Act.ACKNOWLEDGE),
                        may_command=self._may_command,
                    )
                with box("panel forecast", tag="section"):
                    with box("panel-line"):
                        text(words("flow.title"), "panel-title")
                        self._capacity = text("", "dim small", testid="capacity")
                    self._flow = Rows(box("forecast-chart", testid="forecast"), self._draw_flow)
        self._feed = feed
        overview.changed.subscribe(self._show)
        console.live.lane_changed.subscribe(self._on_lane)
        console.live.link_changed.subscribe(lambda _: self._show())
        console.help_desk.changed.subscribe(self._show_alarms)
        self._seen: dict[str, tuple[bool, str | None]] = {}
        overview.join(ui.context.client, browser)
        ui.timer(5.0, self._show)  # a lane that falls silent announces nothing
        self._show()

    def _say(self, sentence: str, is_bad: bool) -> None:
        self._said.set_text(sentence)
        set_data(self._said, tone="bad" if is_bad else "good")

    def _on_lane(self, lane: str) -> None:
        """Only what these elements show of a lane makes them look again; the wall follows by itself."""
        state = self._console.live.lane(lane).state
        shown = (self._is_out(lane), state.problem if state is not None else None)
        if self._seen.get(lane) != shown:
            self._seen[lane] = shown
            self._show()

    def _is_out(self, lane: str) -> bool:
        state = self._console.live.lane(lane).state
        is_up = self._console.live.freshness(lane) is Freshness.LIVE
        return not is_up or state is None or state.step is KioskStep.OUT_OF_SERVICE or bool(state.problem)

    def _show(self) -> None:
        now = self._overview.now
        lanes = [lane.id for lane in self._console.site.lanes]
        out = sum(self._is_out(lane) for lane in lanes)
        self._head.show(is_lost=self._overview.is_lost)
        self._numbers.show(numbers_of(now, lanes_out=out, lanes=len(lanes), words=self._words))
        if now is not None:
            self._feed.outcomes(now.last_outcomes)
            capacity = capacity_per_h(now, len(lanes) - out)
            oldest = age(now.oldest_waiting_ms or 0)
            nobody = self._words("flow.nobody_waits")
            waits = self._words.count("flow.waiting", now.waiting, age=oldest) if now.waiting else nobody
            self._capacity.set_text(f"{self._words('flow.capacity_now', value=capacity)} · {waits}")
            chart = forecast_chart(now, lanes_in_service=len(lanes) - out, words=self._words)
            self._flow.show(("chart", chart) if chart is not None else ("none", None))
        else:
            self._flow.show(("lost" if self._overview.is_lost else "loading", None))
        self._show_alarms()

    def _show_alarms(self) -> None:
        self._alarms.show(self._overview.alarms if self._may_command else ())

    def _draw_flow(self, shown: tuple[str, dict[str, object] | None]) -> None:
        kind, chart = shown
        if chart is not None:
            ui.echart(chart).classes("chart")
        else:
            text(self._words(f"flow.{kind}"), "empty", testid=f"forecast-{kind}")

    def _draw_numbers(self, numbers: tuple[Number, ...]) -> None:
        for number in numbers:
            with box("number") as item:
                set_data(item, kept=None if number.is_kept is None else "yes" if number.is_kept else "no")
                text(number.name, "number-name")
                none = self._words("number.none")
                text(number.value or none, "number-value" if number.value else "number-value number-none")
                text(number.note, "number-note")
