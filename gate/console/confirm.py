"""A second look before something that cannot be called back: a dialog with one sentence, perhaps words to give, and two buttons."""

from collections.abc import Awaitable, Callable

from nicegui import ui

from gate.console.i18n import Words
from gate.console.parts import box, button, text


class Confirm:
    """Asks, and then does. Build it with the page; :meth:`ask` opens it, and Escape closes it without doing anything."""

    def __init__(self, words: Words) -> None:
        self._words = words
        self._then: Callable[[str], Awaitable[None]] | None = None
        self._needs_words = False
        with ui.dialog() as self._dialog, box("dialog-card", testid="confirm"):
            self._dialog.props["aria-label"] = words("confirm.label")
            self._title = text("", "dialog-title", testid="confirm-title")
            self._sentence = text("", "dialog-sentence")
            self._input = ui.textarea().props('outlined dark autogrow maxlength=500 data-testid="confirm-words"')
            self._problem = text("", "login-problem")
            with box("dialog-buttons"):
                button(words("confirm.no"), self._dialog.close, testid="confirm-no")
                self._yes = button("", self._do, "btn-danger", testid="confirm-yes")
                with self._yes:
                    self._yes_label = text("")

    def ask(
        self, title: str, sentence: str, yes: str, then: Callable[[str], Awaitable[None]], *, words_label: str = ""
    ) -> None:
        """``then`` gets what was typed; with a ``words_label`` it must be something."""
        self._title.set_text(title)
        self._sentence.set_text(sentence)
        self._yes_label.set_text(yes)
        self._problem.set_text("")
        self._input.value = ""
        self._input.visible = bool(words_label)
        self._input.props(f'label="{words_label}"' if words_label else "")
        self._needs_words = bool(words_label)
        self._then = then
        self._dialog.open()

    async def _do(self) -> None:
        said = str(self._input.value or "").strip()
        if self._needs_words and not said:
            self._problem.set_text(self._words("confirm.words_needed"))
            return
        then, self._then = self._then, None
        self._dialog.close()
        if then is not None:
            await then(said)
