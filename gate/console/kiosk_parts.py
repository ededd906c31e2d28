"""The parts of a kiosk's page that a traveller touches: languages, aids, the call for an officer."""

from collections.abc import Callable
from functools import partial
from typing import Protocol

from nicegui import ui
from nicegui.element import Element

from gate.console.kiosk_drawings import mirror_frame
from gate.console.kiosk_view import Wishes
from gate.console.parts import Rows, box, button, drawing, set_data, set_prop, text
from gate.console.texts import Texts

_AIDS = {
    "voice": '<path d="M5 12 H10 L17 6 V26 L10 20 H5 Z"/><path d="M21 11 Q25 16 21 21 M24 7 Q31 16 24 25" class="line"/>',
    "contrast": '<circle cx="16" cy="16" r="11" class="line"/><path d="M16 5 A11 11 0 0 1 16 27 Z"/>',
    "low": '<circle cx="12" cy="5" r="3"/><path d="M12 10 V18 H19 L23 26 M12 13 H18 M9 15 A7 7 0 1 0 18 24" class="line"/>'
    '<path d="M27 6 V17 M23.500 13.500 L27 17 L30.500 13.500" class="line"/>',
}
_BELL = '<svg viewBox="0 0 32 32" aria-hidden="true"><circle cx="16" cy="9" r="5"/><path d="M6 27 Q6 16 16 16 Q26 16 26 27 Z"/></svg>'


class Wish(Protocol):
    """Says what the traveller wants: names and values of :class:`Wishes`."""

    def __call__(self, **wishes: str | bool) -> None: ...


def direction(language: str, texts: Texts) -> str:
    return "rtl" if texts.is_right_to_left(language) else "ltr"


def set_language(element: Element, language: str, texts: Texts) -> None:
    set_prop(element, "lang", language)
    set_prop(element, "dir", direction(language, texts))


class Controls:
    """The row at the bottom. Its corners stay where they are in every language: who looks for help looks where it was."""

    def __init__(self, texts: Texts, wish: Wish, call: Callable[[], None]) -> None:
        self._texts = texts
        self._wish = wish
        self._wishes = Wishes()
        with box("kiosk-bottom") as bottom:
            set_prop(bottom, "dir", "ltr")
            with box("kiosk-languages"):
                self._languages = {language: self._language(language) for language in texts.languages}
            with box("kiosk-aids"):
                self._aids = {
                    name: self._aid(name, toggle)
                    for name, toggle in (
                        ("voice", lambda: wish(is_spoken=not self._wishes.is_spoken)),
                        ("contrast", lambda: wish(has_contrast=not self._wishes.has_contrast)),
                        ("low", lambda: wish(is_low=not self._wishes.is_low)),
                    )
                }
            with button("", call, "kiosk-help", testid="kiosk-help"):
                drawing(_BELL, "kiosk-sign")
                self._help = text("")

    def _language(self, language: str) -> Element:
        made = button(
            self._texts.language_name(language),
            partial(self._wish, language=language),
            "kiosk-language",
            testid=f"kiosk-language-{language}",
        )
        set_prop(made, "lang", language)
        return made

    def _aid(self, name: str, toggle: Callable[[], None]) -> Element:
        with button("", toggle, "kiosk-aid", testid=f"kiosk-{name}") as made:
            drawing(f'<svg viewBox="0 0 32 32" aria-hidden="true">{_AIDS[name]}</svg>', "kiosk-sign")
        return made

    def show(self, language: str, wishes: Wishes, *, unspoken: frozenset[str], has_voice: bool) -> None:
        """``unspoken``: languages that the browser cannot write; ``has_voice``: it can speak this one."""
        self._wishes = wishes
        for name, element in self._languages.items():
            element.visible = name not in unspoken
            set_data(element, chosen="yes" if name == language else None)
            set_prop(element, "aria-pressed", "true" if name == language else "false")
        pressed = {"voice": wishes.is_spoken, "contrast": wishes.has_contrast, "low": wishes.is_low}
        for name, element in self._aids.items():
            set_prop(element, "aria-pressed", "true" if pressed[name] else "false")
            set_prop(element, "aria-label", self._texts.kiosk(name, language))
            set_prop(element, "lang", language)
        self._aids["voice"].visible = has_voice
        self._help.set_text(self._texts.kiosk("help", language))
        set_prop(self._help, "lang", language)


class Mirror:
    """The traveller's own picture, which the browser fetches from the lane's machine itself; the drawing beneath shows where it fails."""

    def __init__(self) -> None:
        self._place = box("kiosk-mirror-place")
        self._frame: Rows | None = None

    def show(self, url: str | None, hint: str | None) -> None:
        """None: no mirror. While there is one its picture stays as hints come and go, so that its stream does not begin anew."""
        if url is None:
            if self._frame is not None:
                self._frame = None
                self._place.clear()
            return
        if self._frame is None:
            with self._place, box("kiosk-mirror", testid="kiosk-mirror"):
                picture = ui.element("img").classes("kiosk-mirror-picture")
                set_prop(picture, "src", url)
                set_prop(picture, "alt", "")
                self._frame = Rows(box("kiosk-mirror-frame"), lambda name: drawing(mirror_frame(name)))
        self._frame.show(hint)


class HelpPanel:
    """What the traveller reads once they have called: whether it was heard, whether somebody comes, and the other way."""

    def __init__(self, texts: Texts) -> None:
        self._texts = texts
        with box("kiosk-overlay", testid="kiosk-help-panel") as self._overlay, box("kiosk-help-card"):
            self._title = text("", "kiosk-sentence")
            self._called = text("", "kiosk-help-line", testid="kiosk-help-said")
            self._manual = text("", "kiosk-help-line")
            with button("", self._close, "kiosk-close", testid="kiosk-help-close"):
                self._close_label = text("")
        self._overlay.visible = False

    @property
    def is_open(self) -> bool:
        return bool(self._overlay.visible)

    @is_open.setter
    def is_open(self, is_open: bool) -> None:
        self._overlay.visible = is_open

    def _close(self) -> None:
        self.is_open = False

    def show(self, language: str, *, is_coming: bool, is_heard: bool) -> None:
        say = partial(self._texts.kiosk, language=language)
        called = "help_coming" if is_coming else "help_called" if is_heard else "help_unheard"
        set_data(self._overlay, said=called)
        self._title.set_text(say("help_title"))
        self._called.set_text(say(called))
        self._manual.set_text(say("manual_lane"))
        self._close_label.set_text(say("close"))
