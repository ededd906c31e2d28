"""What an officer is asked before something is done, and the list of keys. Each is answered by keys alone (``officer.js``)."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from nicegui import ui
from nicegui.element import Element

from gate.console.i18n import Words
from gate.console.parts import box, button, mark, set_prop, text

_NOTE_LENGTH = 200
_AT_ONCE = "transition-duration=0"
"""A dialog that fades away slowly would swallow the next key."""

Chosen = Callable[["Choice"], Awaitable[None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """What was chosen: ``name``, what was written beside it, and which of the ``invited`` roles stayed ticked."""

    name: str
    note: str = ""
    invited: tuple[str, ...] = ()

    @property
    def kept(self) -> str:
        """As the hub keeps it."""
        return f"{self.name}: {self.note}" if self.note else self.name


@dataclass(frozen=True, slots=True, kw_only=True)
class Invited:
    """A role that may be asked to come; ``is_expected``: ticked from the start."""

    role: str
    title: str
    is_expected: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """``options``: name and title, each chosen by its number. ``invited``: roles that can be asked or left out."""

    title: str
    subtitle: str
    options: Sequence[tuple[str, str]]
    invited: Sequence[Invited] = ()
    has_note: bool = True


class ChoiceDialog:
    """One dialog for all questions of a page."""

    def __init__(self, words: Words) -> None:
        self._words = words
        self._dialog = ui.dialog().props(_AT_ONCE)
        self._note: ui.input | None = None
        self._invited: Mapping[str, ui.checkbox] = {}
        with self._dialog:
            self._card = box("dialog-card", testid="choice-dialog")

    def ask(self, question: Question, then: Chosen) -> None:
        """Show the question; ``then`` hears the answer, and nothing when it is called off."""
        self._card.clear()
        set_prop(self._dialog, "aria-label", question.title)
        with self._card:
            text(question.title, "dialog-title")
            text(question.subtitle, "subtitle")
            self._invited = self._draw_invited(question.invited)
            for number, (name, title) in enumerate(question.options, start=1):
                self._draw_option(number, name, title, then)
            self._note = self._draw_note() if question.has_note else None
            button(self._words("dialog.cancel"), self.close, "btn-quiet", testid="choice-cancel", key="Esc")
        self._dialog.open()

    @property
    def is_open(self) -> bool:
        return bool(self._dialog.value)

    def close(self) -> None:
        """Call it off."""
        self._dialog.close()

    def _draw_invited(self, invited: Sequence[Invited]) -> dict[str, ui.checkbox]:
        if not invited:
            return {}
        with box("dialog-invited"):
            text(self._words("dialog.invited"), "fact-name")
            return {
                item.role: ui.checkbox(item.title, value=item.is_expected).props(f"dark data-testid=invite-{item.role}")
                for item in invited
            }

    def _draw_option(self, number: int, name: str, title: str, then: Chosen) -> Element:
        element = button(
            title, partial(self._choose, name, then), "btn-reason", testid=f"choice-{name}", key=str(number)
        )
        element.props["data-choice"] = str(number)
        if number == 1:
            element.props["autofocus"] = True
        return element

    def _draw_note(self) -> ui.input:
        note = ui.input(self._words("dialog.note")).props(f"outlined dark dense maxlength={_NOTE_LENGTH}")
        mark(note, "choice-note")
        return note.classes("dialog-note")

    async def _choose(self, name: str, then: Chosen) -> None:
        if not self.is_open:
            return  # a second press of the same key
        note = " ".join(str(self._note.value or "").split())[:_NOTE_LENGTH] if self._note is not None else ""
        invited = tuple(role for role, tick in self._invited.items() if tick.value)
        self._dialog.close()
        await then(Choice(name=name, note=note, invited=invited))


_KEYS = (
    ("F1", "key.release"),
    ("F2", "key.hold"),
    ("F3", "key.inspect"),
    ("F4", "key.refuse"),
    ("F6", "key.take_back"),
    ("F7", "key.send_back"),
    ("F8", "key.force_open"),
    ("F9", "key.take_over"),
    ("End", "key.leave_inspection"),
    ("PgDn", "key.next_case"),
    ("PgUp", "key.previous_case"),
    ("D", "key.tabs"),
    ("W", "key.why"),
    ("1–9", "key.choose"),
    ("Esc", "key.close"),
    ("?", "key.picture"),
    ("F10", "key.keys"),
)


class KeysOverlay:
    """All keys of the screen, on F10."""

    def __init__(self, words: Words) -> None:
        self._dialog = ui.dialog().props(_AT_ONCE)
        set_prop(self._dialog, "aria-label", words("keys.title"))
        with self._dialog, box("dialog-card keys-card", testid="keys-overlay"):
            text(words("keys.title"), "dialog-title")
            with box("keys-list"):
                for key, sentence in _KEYS:
                    text(key, "key-cap")
                    text(words(sentence), "key-words")
            button(words("dialog.close"), self._dialog.close, "btn-quiet", testid="keys-close", key="Esc")

    def toggle(self) -> None:
        self._dialog.value = not self._dialog.value
