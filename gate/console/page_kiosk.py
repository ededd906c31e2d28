"""The traveller's screen at a lane: one thing to do at a time, in the traveller's language.

It follows the lane's retained state and knows nothing of the case: no name, no picture, no reason of a referral ever gets here.
"""

import json
from collections.abc import Mapping
from functools import partial
from types import MappingProxyType

from nicegui import ui
from nicegui.events import GenericEventArguments

from gate.console.context import Console
from gate.console.drawings import arrow, kiosk_drawing, progress_ring
from gate.console.live import Freshness
from gate.console.parts import Rows, box, button, drawing, set_data, set_prop, set_style, text
from gate.wire.messages import KioskStep, LaneState

_LAMPS = frozenset({"off", "blue", "green", "amber", "red"})
_PROGRESS: Mapping[KioskStep, float] = MappingProxyType(
    {
        KioskStep.PLACE_DOCUMENT: 0.0,
        KioskStep.READING_DOCUMENT: 0.2,
        KioskStep.WALK_IN: 0.4,
        KioskStep.LOOK_AT_CAMERA: 0.6,
        KioskStep.WAIT_FOR_OFFICER: 0.8,
        KioskStep.WALK_OUT: 1.0,
    }
)
"""How far along the way each step is; steps that are not on the way have no ring."""

_BEFORE_THE_PICTURE = frozenset({KioskStep.PLACE_DOCUMENT, KioskStep.READING_DOCUMENT, KioskStep.WALK_IN})
_REST_LANGUAGE = "zh"
"""Spoken while no document says which; the second line is English then."""


def register(console: Console) -> None:
    """Register ``/kiosk/{lane}``."""

    @ui.page("/kiosk/{lane}", dark=False, title="Tongguan")
    def kiosk(lane: str) -> None:
        console.dress("kiosk-body")
        if console.site.lane(lane) is None:
            with box("kiosk-missing"):
                text("This lane does not exist.", "kiosk-sentence")
                text("Look at the list of screens for the right address.", "kiosk-second")
            return
        _Kiosk(console, lane)


class _Kiosk:
    """One open kiosk page."""

    def __init__(self, console: Console, lane: str) -> None:
        self._console = console
        self._lane = lane
        self._chosen_language: str | None = None
        self._was_crossing = False
        self._unspoken: frozenset[str] = frozenset()
        self._light_id: str | None = None
        self._build()
        ui.on("unspoken_languages", self._on_unspoken)
        console.live.lane_changed.subscribe(self._on_lane)
        console.live.link_changed.subscribe(lambda _: self._show())
        ui.timer(1.0, self._show)
        self._show()

    def _build(self) -> None:
        texts = self._console.texts
        self._light = box("kiosk-light", testid="kiosk-light")
        with box("kiosk", testid="kiosk") as self._root:
            with box("kiosk-top"):
                text(self._console.lane_title(self._lane), "kiosk-lane")
                self._stale = text("", "kiosk-stale", testid="kiosk-stale")
            with box("kiosk-stage"):
                with box("kiosk-picture"):
                    self._ring = drawing(progress_ring(), "kiosk-ring")
                    self._drawing = Rows(box("kiosk-drawing"), lambda step: drawing(kiosk_drawing(step)))
                with box("kiosk-words", testid="kiosk-step") as self._step:
                    self._sentence = text("", "kiosk-sentence", testid="kiosk-sentence")
                    self._second = text("", "kiosk-second")
                    with box("kiosk-hint", testid="kiosk-hint") as self._hint:
                        self._hint_arrow = Rows(box("kiosk-arrow"), lambda name: drawing(arrow(name)))
                        self._hint_text = text("", "kiosk-hint-text")
                    self._privacy = text("", "kiosk-privacy", testid="kiosk-privacy")
            with box("kiosk-bottom"):
                with box("kiosk-languages"):
                    self._language_buttons = {
                        language: button(
                            texts.language_name(language),
                            partial(self._choose, language),
                            "kiosk-language",
                            testid=f"kiosk-language-{language}",
                        )
                        for language in texts.languages
                    }
                    for language, element in self._language_buttons.items():
                        set_prop(element, "lang", language)
                self._manual = text("", "kiosk-manual")
                with button("", self._ask_for_help, "kiosk-help", testid="kiosk-help"):
                    self._help_label = text("")
        self._exit = box("kiosk-doors", testid="kiosk-exit")
        with box("kiosk-overlay", testid="kiosk-help-panel") as self._overlay, box("kiosk-help-card"):
            self._help_title = text("", "kiosk-sentence")
            self._help_called = text("", "kiosk-help-line")
            self._help_manual = text("", "kiosk-help-line")
            with button("", self._close_help, "kiosk-close", testid="kiosk-help-close"):
                self._close_label = text("")
        self._overlay.visible = False

    def _on_lane(self, lane: str) -> None:
        if lane == self._lane:
            self._show()

    def _on_unspoken(self, event: GenericEventArguments) -> None:
        """The browser has no letters for these languages: they are neither spoken nor offered."""
        if isinstance(event.args, list):
            self._unspoken = frozenset(event.args) & frozenset(self._console.texts.languages) - {"en"}
            for language, element in self._language_buttons.items():
                element.visible = language not in self._unspoken
            self._show()

    def _choose(self, language: str) -> None:
        self._chosen_language = language
        self._show()

    def _ask_for_help(self) -> None:
        self._console.help_desk.ask(self._lane)
        self._overlay.visible = True

    def _close_help(self) -> None:
        self._overlay.visible = False

    def _show(self) -> None:
        live = self._console.live
        state = live.lane(self._lane).state
        freshness = live.freshness(self._lane)
        self._forget_choice_after(state)
        match freshness:
            case Freshness.LIVE | Freshness.STALE if state is not None:
                phrase, step, lamp = state.step.value, state.step, state.lamp
            case Freshness.OFFLINE | Freshness.UNKNOWN:
                phrase, step, lamp = "offline", KioskStep.OUT_OF_SERVICE, "off"
            case _:
                phrase, step, lamp, state = "link_lost", KioskStep.PLEASE_WAIT, "amber", None
        language = self._language(state)
        set_data(
            self._root,
            lamp=lamp if lamp in _LAMPS else "off",
            freshness=freshness.value,
            step=step.value,
            language=language,
        )
        set_data(self._step, step=phrase)
        set_data(
            self._exit,
            exit=state.exit if state is not None else "unknown",
            entry=state.entry if state is not None else "unknown",
        )
        self._drawing.show(step)
        self._show_ring(step)
        self._show_words(phrase, language)
        self._show_hint(state, language)
        self._show_light(state)
        self._privacy.visible = step in _BEFORE_THE_PICTURE
        silence_ms = live.silence_ms(self._lane)
        is_stale = freshness is Freshness.STALE and silence_ms is not None
        self._stale.set_text(
            f"{self._say('stale', language)} · {silence_ms // 1000} s" if is_stale and silence_ms else ""
        )

    def _show_ring(self, step: KioskStep) -> None:
        progress = _PROGRESS.get(step)
        set_style(self._ring, progress=f"{progress or 0.0:.2f}")
        self._ring.visible = progress is not None

    def _show_words(self, phrase: str, language: str) -> None:
        second = "en" if language != "en" else "zh" if "zh" not in self._unspoken else "fr"
        direction = "rtl" if self._console.texts.is_right_to_left(language) else "ltr"
        for element in (self._root, self._overlay):
            set_prop(element, "lang", language)
            set_prop(element, "dir", direction)
        set_prop(self._second, "lang", second)
        set_prop(self._second, "dir", "ltr")
        self._sentence.set_text(self._say(phrase, language))
        self._second.set_text(self._say(phrase, second))
        self._privacy.set_text(self._say("privacy", language))
        self._manual.set_text(self._say("manual_lane", language))
        self._help_label.set_text(self._say("help", language))
        self._help_title.set_text(self._say("help_title", language))
        self._help_called.set_text(self._say("help_called", language))
        self._help_manual.set_text(self._say("manual_lane", language))
        self._close_label.set_text(self._say("close", language))
        for name, element in self._language_buttons.items():
            set_data(element, chosen="yes" if name == language else None)

    def _show_hint(self, state: LaneState | None, language: str) -> None:
        name = self._console.texts.hint_name(state.hint if state is not None else None)
        self._hint.visible = name is not None
        set_data(self._hint, hint=name)
        if name is not None:
            self._hint_arrow.show(name)
            self._hint_text.set_text(self._console.texts.hint(name, language))

    def _show_light(self, state: LaneState | None) -> None:
        """Light the traveller's face once for each plan; the browser keeps the time, so that steps are even."""
        light = state.light if state is not None else None
        if light is None:
            self._light_id = None
            set_data(self._light, light=None)
        elif light.id != self._light_id:
            self._light_id = light.id
            set_data(self._light, light=light.id)
            colours = json.dumps(light.colours)
            ui.run_javascript(f"showKioskLight('{self._light.html_id}', {colours}, {light.step_ms})")

    def _say(self, phrase: str, language: str) -> str:
        return self._console.texts.kiosk(phrase, language)

    def _language(self, state: LaneState | None) -> str:
        if self._chosen_language is not None:
            return self._chosen_language
        is_named = state is not None and state.issuer is not None
        language = self._console.texts.language_of(state.issuer) if is_named and state is not None else _REST_LANGUAGE
        return language if language not in self._unspoken else "en"

    def _forget_choice_after(self, state: LaneState | None) -> None:
        """The next traveller starts anew: a choice, and an open help panel, last until the crossing is over."""
        is_crossing = state is not None and state.case_id is not None
        if self._was_crossing and not is_crossing:
            self._chosen_language = None
            self._overlay.visible = False
        self._was_crossing = is_crossing
