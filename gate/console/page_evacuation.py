"""Evacuation of a port: who is still counted inside, which lanes are not open, and the two orders that concern all lanes.

Locking down takes every lane out of service: nobody more gets in, and who is inside gets out by the lane's own rules.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from fastapi.responses import RedirectResponse
from nicegui import ui

from gate.console.confirm import Confirm
from gate.console.context import Console, browser_id, officer_of, to_login
from gate.console.i18n import Words
from gate.console.lane_feed import state_words
from gate.console.lane_orders import Orders
from gate.console.live import Freshness, Live
from gate.console.parts import Rows, box, button, link, set_data, set_enabled, text
from gate.console.supervisor_head import SupervisorHead, dress, scrolling
from gate.wire.messages import Act


def register(console: Console) -> None:
    """Register ``/evacuation``."""

    @ui.page("/evacuation", dark=True)
    def evacuation() -> RedirectResponse | None:
        if officer_of(console) is None:
            return to_login("/evacuation")
        words = console.words()
        ui.page_title(words("nav.evacuation"))
        dress(console, words)
        _EvacuationScreen(console, words, browser_id())
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class LaneSafety:
    """One lane in an evacuation. ``kind``: ``open`` (both doors, nobody counted), ``inside``, ``shut``, ``silent`` or ``normal``."""

    lane: str
    kind: str
    state: str
    entry: str
    exit: str
    people: int | None


def safety_of(live: Live, lane: str) -> LaneSafety:
    """What can be said of a lane; what is not known for certain counts as not safe."""
    state, freshness = live.lane(lane).state, live.freshness(lane)
    if state is None or freshness is not Freshness.LIVE:
        return LaneSafety(lane=lane, kind="silent", state=freshness.value, entry="unknown", exit="unknown", people=None)
    is_open = state.entry == "open" and state.exit == "open"
    is_empty = state.person_count == 0
    if state.state != "evacuating":
        kind = "normal" if is_empty else "inside"
    elif not is_open:
        kind = "shut"
    else:
        kind = "open" if is_empty else "inside"
    return LaneSafety(
        lane=lane, kind=kind, state=state.state, entry=state.entry, exit=state.exit, people=state.person_count
    )


class _EvacuationScreen:
    def __init__(self, console: Console, words: Words, browser: str) -> None:
        self._console, self._words = console, words
        officer = console.sessions.officer(browser)
        self._may = officer is not None and "supervisor" in officer.roles
        self._orders = Orders(console, words, browser, target="/evacuation", say=self._say)
        with box("supervisor-screen evacuation", testid="evacuation-screen"):
            self._head = SupervisorHead(console, words, active="evacuation", browser=browser)
            with box("supervisor-main", tag="main"):
                self._numbers = Rows(box("numbers three", testid="evacuation-numbers"), self._draw_numbers)
                with box("evacuation-buttons"):
                    self._evacuate = button(
                        words("evacuation.start"),
                        lambda: self._ask("evacuation.start", "confirm.evacuate_port", Act.EVACUATE),
                        "btn-danger big",
                        testid="evacuate-port",
                    )
                    self._end = button(
                        words("evacuation.end"),
                        lambda: self._ask("evacuation.end", "confirm.end_port", Act.END_EVACUATION),
                        "big",
                        testid="end-port",
                    )
                    self._lock = button(
                        words("evacuation.lock"),
                        lambda: self._ask("evacuation.lock", "confirm.lock", Act.TAKE_OUT_OF_SERVICE),
                        "big",
                        testid="lock-down",
                    )
                    self._unlock = button(
                        words("evacuation.unlock"),
                        lambda: self._ask("evacuation.unlock", "confirm.unlock", Act.PUT_IN_SERVICE),
                        "big",
                        testid="unlock",
                    )
                for item in (self._evacuate, self._end, self._lock, self._unlock):
                    set_enabled(item, self._may)
                if not self._may:
                    text(words("evacuation.not_yours"), "dim")
                self._said = text("", "lanes-said", testid="lanes-said")
                self._said.props["role"] = "status"
                self._lanes = Rows(scrolling("evacuation-lanes", testid="evacuation-lanes"), self._draw_lanes)
        self._confirm = Confirm(words)
        console.live.link_changed.subscribe(lambda _: self._show())
        ui.timer(1.0, self._show)
        self._show()

    def _say(self, sentence: str, is_bad: bool) -> None:
        self._said.set_text(sentence)
        set_data(self._said, tone="bad" if is_bad else "good")

    def _ask(self, title: str, sentence: str, act: Act) -> None:
        lanes = len(self._console.site.lanes)
        name = self._words(title)
        self._confirm.ask(name, self._words.count(sentence, lanes), name, lambda _: self._orders.give_all(act))

    def _show(self) -> None:
        self._head.show(is_lost=False)
        lanes = tuple(safety_of(self._console.live, lane.id) for lane in self._console.site.lanes)
        self._numbers.show(lanes)
        self._lanes.show(lanes)

    def _draw_numbers(self, lanes: Sequence[LaneSafety]) -> None:
        inside = sum(lane.people or 0 for lane in lanes)
        unknown = sum(lane.people is None for lane in lanes)
        evacuating = sum(lane.state == "evacuating" for lane in lanes)
        shut = sum(lane.kind == "shut" for lane in lanes)
        words = self._words
        notes = (
            ("evacuation.inside", str(inside), words.count("evacuation.unknown", unknown), inside or unknown),
            ("evacuation.lanes", words("number.of", value=evacuating, total=len(lanes)), "", 0),
            ("evacuation.shut", str(shut), words("evacuation.shut_note"), shut),
        )
        for name, value, note, bad in notes:
            with box("number") as item:
                set_data(item, kept="no" if bad and evacuating else None)
                text(words(name), "number-name")
                text(value, "number-value big")
                text(note, "number-note")

    def _draw_lanes(self, lanes: Sequence[LaneSafety]) -> None:
        for lane in lanes:
            with box("evacuation-lane", testid=f"safety-{lane.lane}") as item:
                set_data(item, kind=lane.kind)
                link(self._console.lane_title(lane.lane), f"/lanes/{lane.lane}", "wall-title")
                text(self._words(f"safety.{lane.kind}"), "safety-kind")
                known = lane.kind != "silent"
                state = state_words(self._words, lane.state) if known else self._words(f"wall.{lane.state}")
                text(state, "dim small")
                people = "?" if lane.people is None else str(lane.people)
                text(self._words("safety.people", value=people), "dim small")
