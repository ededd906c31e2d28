"""The traveller's screen at a lane: one thing to do at a time, in the traveller's language.

It follows the lane's retained state and knows nothing of the case: no name, no picture, no reason of a referral ever gets here. The
traveller's own mirror picture goes from the lane to the browser on the lane's machine, past this process.
"""

import json

from nicegui import ui
from nicegui.events import GenericEventArguments

from gate.console import kiosk_shell
from gate.console.assets import serve
from gate.console.context import Console
from gate.console.kiosk_drawings import arrow, chip_ring, kiosk_drawing, progress_ring
from gate.console.kiosk_parts import Controls, HelpPanel, Mirror, direction, set_language
from gate.console.kiosk_view import (
    Guest,
    KioskView,
    language_for,
    privacy_line,
    second_language,
    spoken,
    view_of,
)
from gate.console.live import Freshness
from gate.console.parts import Rows, box, drawing, mark, set_data, set_prop, set_style, text
from gate.wire.messages import KioskLight, KioskStep

MIRROR_PATH = "/face.mjpg"
"""Where a lane serves its traveller's own picture, on the port that the site names."""

_BEAT_S = 1.0


def register(console: Console) -> None:
    """Register ``/kiosk/{lane}`` and what brings it back by itself."""
    kiosk_shell.register(console.texts)
    style_url, script_url = serve("kiosk.css"), serve("kiosk.js")

    @ui.page("/kiosk/{lane}", dark=False, title="Tongguan")
    def kiosk(lane: str) -> None:
        ui.add_head_html(f'<link rel="stylesheet" href="{style_url}"><script src="{script_url}"></script>')
        ui.query("body").classes("kiosk-body")
        if console.site.lane(lane) is None:
            with box("kiosk-missing", tag="main"):
                text("This lane does not exist.", "kiosk-sentence")
                text("Look at the list of screens for the right address.", "kiosk-second")
            return
        _Kiosk(console, lane)


class _Kiosk:
    """One open kiosk page."""

    def __init__(self, console: Console, lane: str) -> None:
        self._console = console
        self._lane = lane
        self._guest = Guest()
        self._unspoken: frozenset[str] = frozenset()
        self._voices: frozenset[str] = frozenset()
        self._light_id: str | None = None
        self._beats = 0
        self._build()
        ui.on("unspoken_languages", self._on_unspoken)
        ui.on("kiosk_voices", self._on_voices)
        ui.on("kiosk_touched", lambda _: self._guest.touch(self._now_ms()))
        console.live.lane_changed.subscribe(self._on_lane)
        console.live.link_changed.subscribe(lambda _: self._show())
        console.help_desk.changed.subscribe(self._show)
        ui.timer(_BEAT_S, self._beat)
        self._show()

    def _build(self) -> None:
        self._light = box("kiosk-light", testid="kiosk-light")
        with box("kiosk", testid="kiosk", tag="main") as self._root:
            with box("kiosk-top"):
                text(self._console.lane_title(self._lane), "kiosk-lane")
                self._stale = text("", "kiosk-stale", testid="kiosk-stale")
                with box("kiosk-manual"):
                    drawing(_DESK_SIGN, "kiosk-manual-sign")
                    self._manual = text("", testid="kiosk-manual")
            with box("kiosk-stage"):
                with box("kiosk-picture"):
                    self._ring = drawing(progress_ring(), "kiosk-ring")
                    self._drawing = Rows(box("kiosk-drawing"), lambda shown: drawing(kiosk_drawing(*shown)))
                    self._mirror = Mirror()
                    self._chip_ring = drawing(chip_ring(), "kiosk-ring")
                    mark(self._chip_ring, "kiosk-chip-ring")
                self._build_words()
            self._controls = Controls(self._console.texts, self._wish, self._call)
            self._help = HelpPanel(self._console.texts)
            with box("kiosk-wait", testid="kiosk-wait"):
                drawing(kiosk_drawing(KioskStep.PLEASE_WAIT), "kiosk-wait-drawing")
                self._wait = text("", "kiosk-sentence")
                self._wait_second = text("", "kiosk-second")
        self._exit = box("kiosk-doors", testid="kiosk-exit")
        self._voice = box("kiosk-voice-text", testid="kiosk-voice-text")
        self._heart = box("kiosk-heart")

    def _build_words(self) -> None:
        with box("kiosk-words", testid="kiosk-step") as self._step:
            with box("kiosk-said") as said:
                set_prop(said, "role", "status")
                set_prop(said, "aria-live", "assertive")
                self._sentence = text("", "kiosk-sentence", testid="kiosk-sentence")
            self._second = text("", "kiosk-second")
            with box("kiosk-hint", testid="kiosk-hint") as self._hint:
                set_prop(self._hint, "aria-live", "polite")
                self._hint_arrow = Rows(box("kiosk-arrow"), lambda name: drawing(arrow(name)))
                self._hint_text = text("", "kiosk-hint-text")
            self._privacy = text("", "kiosk-privacy", testid="kiosk-privacy")

    # What happens.

    def _now_ms(self) -> int:
        return self._console.clock.monotonic_ns() // 1_000_000

    def _beat(self) -> None:
        self._beats += 1
        set_data(self._heart, beat=str(self._beats % 1000))
        self._show()

    def _on_lane(self, lane: str) -> None:
        if lane == self._lane:
            self._show()

    def _on_unspoken(self, event: GenericEventArguments) -> None:
        """The browser has no letters for these languages: they are neither spoken nor offered."""
        self._unspoken = self._ours(event.args) - {"en"}
        self._show()

    def _on_voices(self, event: GenericEventArguments) -> None:
        """The browser has voices of its own for these languages: reading aloud is offered for them."""
        self._voices = self._ours(event.args)
        self._show()

    def _ours(self, said: object) -> frozenset[str]:
        names = {name for name in said if isinstance(name, str)} if isinstance(said, list) else set()
        return frozenset(names) & frozenset(self._console.texts.languages)

    def _wish(self, **wishes: str | bool) -> None:
        self._guest.wish(self._now_ms(), **wishes)
        self._show()

    def _call(self) -> None:
        self._guest.touch(self._now_ms())
        self._help.is_open = True
        self._console.help_desk.ask(self._lane)
        self._show()

    # What is shown.

    def _show(self) -> None:
        live = self._console.live
        view = view_of(live.lane(self._lane).state, live.freshness(self._lane), self._console.texts)
        if self._guest.is_gone(view.case_id, self._now_ms()):
            self._help.is_open = False
            self._console.help_desk.done(self._lane)
        wishes = self._guest.wishes
        language = language_for(view, self._console.texts, wishes, unspoken=self._unspoken)
        has_voice = language in self._voices
        set_data(
            self._root,
            lamp=view.lamp,
            freshness=view.freshness.value,
            step=view.step.value,
            language=language,
            contrast="high" if wishes.has_contrast else None,
            layout="low" if wishes.is_low else None,
        )
        set_data(self._step, step=view.phrase)
        set_data(self._exit, exit=view.exit, entry=view.entry)
        self._show_picture(view)
        self._show_words(view, language)
        self._show_hint(view, language)
        self._show_light(view.light)
        self._controls.show(language, wishes, unspoken=self._unspoken, has_voice=has_voice)
        self._help.show(
            language,
            is_coming=self._console.help_desk.is_taken(self._lane),
            is_heard=live.is_linked,
        )
        set_data(
            self._voice,
            say=spoken(view, self._console.texts, language),
            say_language=language,
            say_step=view.phrase,
            voice="on" if wishes.is_spoken and has_voice else "off",
        )

    def _show_picture(self, view: KioskView) -> None:
        self._drawing.show((view.step, view.hint))
        set_style(self._ring, progress=f"{view.way or 0.0:.2f}")
        self._ring.visible = view.way is not None
        set_style(self._chip_ring, chip=f"{view.chip or 0.0:.2f}")
        self._chip_ring.visible = view.chip is not None
        set_data(self._root, chip=None if view.chip is None else "reading", hinted=view.hint)
        lane = self._console.site.lane(self._lane)
        port = lane.kiosk_mirror_port if lane is not None and view.shows_mirror else None
        self._mirror.show(None if port is None else f"http://127.0.0.1:{port}{MIRROR_PATH}", view.hint)

    def _show_words(self, view: KioskView, language: str) -> None:
        texts = self._console.texts
        second = second_language(language, unspoken=self._unspoken)
        set_language(self._root, language, texts)
        for element in (self._second, self._wait_second):
            set_prop(element, "lang", second)
            set_prop(element, "dir", direction(second, texts))
        sentence = texts.kiosk(view.phrase, language)
        self._sentence.set_text(sentence)
        set_data(self._sentence, long="yes" if _width(sentence) > _LONG else None)
        self._second.set_text(texts.kiosk(view.phrase, second))
        self._wait.set_text(texts.kiosk("please_wait", language))
        self._wait_second.set_text(texts.kiosk("please_wait", second))
        self._manual.set_text(texts.kiosk("manual_lane", language))
        self._privacy.visible = view.has_privacy_line
        if view.has_privacy_line:
            site = self._console.site
            is_warm = site.policy.is_temperature_checked
            self._privacy.set_text(privacy_line(texts, language, site.retention, is_temperature_checked=is_warm))
        silence_ms = self._console.live.silence_ms(self._lane) or 0
        is_stale = view.freshness is Freshness.STALE
        self._stale.set_text(f"{texts.kiosk('stale', language)} · {silence_ms // 1000} s" if is_stale else "")

    def _show_hint(self, view: KioskView, language: str) -> None:
        self._hint.visible = view.hint is not None
        set_data(self._hint, hint=view.hint)
        if view.hint is not None:
            self._hint_arrow.show(view.hint)
            self._hint_text.set_text(self._console.texts.hint(view.hint, language))

    def _show_light(self, light: KioskLight | None) -> None:
        """Light the traveller's face once for each plan; the browser keeps the time, so that steps are even."""
        if light is None:
            self._light_id = None
            set_data(self._light, light=None)
        elif light.id != self._light_id:
            self._light_id = light.id
            set_data(self._light, light=light.id)
            colours = json.dumps(light.colours)
            ui.run_javascript(f"showKioskLight('{self._light.html_id}', {colours}, {light.step_ms})")


_LONG = 46
"""Letters of a sentence above which it is written smaller; an ideograph counts for two."""

_DESK_SIGN = (
    '<svg viewBox="0 0 32 32" aria-hidden="true"><circle cx="16" cy="9" r="5"/><path d="M6 19 Q6 15 16 15 Q26 15 26 19 V21 H6 Z"/>'
    '<path d="M3 23 H29 V29 H3 Z"/></svg>'
)


def _width(sentence: str) -> int:
    return sum(2 if ord(letter) >= 0x1100 else 1 for letter in sentence)
