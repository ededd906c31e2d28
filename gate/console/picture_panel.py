"""The document's page, and the face in it, in its chip and at the gate side by side. Every role that sees pictures sees the same."""

from nicegui import ui

from config.schema import Role
from gate.console.hub_models import Case
from gate.console.i18n import Words
from gate.console.parts import Rows, box, mark, set_data, set_prop, set_style, text
from gate.console.pictures import picture_url
from gate.console.view import Match, match_of


class _Pane:
    """One picture that can be looked at closely. ``is_optional``: not drawn where there is none."""

    def __init__(self, kind: str, classes: str, words: Words, *, is_optional: bool = False) -> None:
        self._kind = kind
        self._words = words
        self._is_optional = is_optional
        title = words(f"pane.{kind}")
        with box(f"pane {classes}") as self._pane:
            text(title, "pane-title")
            with box("viewer"):
                self._picture = mark(ui.element("img"), f"picture-{kind}")
                self._picture.props.update({"draggable": "false", "alt": title})
                self._missing = text("", "pane-missing")

    def show(self, case: Case | None, *, is_allowed: bool) -> None:
        attachment = case.attachment(self._kind) if case is not None else None
        is_there = attachment is not None and attachment.is_available and is_allowed
        if is_there and attachment is not None:
            set_prop(self._picture, "src", picture_url(attachment.sha256))
        elif "src" in self._picture.props:
            self._picture.props.set_optional("src", None)  # nobody's picture stays behind a case that has none
        self._picture.visible = is_there
        self._pane.visible = not self._is_optional or attachment is not None
        self._missing.set_text("" if is_there else self._why(case, attachment is not None, is_allowed))

    def _why(self, case: Case | None, is_named: bool, is_allowed: bool) -> str:
        if case is None:
            return ""
        if not is_allowed:
            return self._words("pane.hidden")
        if is_named:
            return self._words("pane.on_its_way")
        return self._words("pane.not_taken" if case.status == "closed" else "pane.not_yet")


class PicturePanel:
    def __init__(self, role: Role, words: Words) -> None:
        self._is_allowed = "pictures" in role.sees
        self._words = words
        with box("picture-panel"):
            self._panes = [_Pane("page", "pane-page", words)]
            with box("compare"):
                self._panes += [
                    _Pane("portrait", "", words),
                    _Pane("chip", "", words, is_optional=True),
                    _Pane("live", "", words),
                ]
                self._match = Rows(box("match", testid="match"), self._draw_match)

    def show(self, case: Case | None) -> None:
        for pane in self._panes:
            pane.show(case, is_allowed=self._is_allowed)
        self._match.show(match_of(case) if case is not None else None)

    def _draw_match(self, match: Match | None) -> None:
        if match is None:
            text(self._words("match.none"), "dim")
            return
        tone = "ok" if match.is_match else "warn"
        words = self._words("match.same" if match.is_match else "match.not_same")
        set_data(text(words, "match-word"), tone=tone)
        with box("gauge") as gauge:
            set_data(gauge, tone=tone)
            threshold = match.threshold if match.threshold is not None else 0.0
            set_style(gauge, score=f"{max(0.0, match.score):.3f}", threshold=f"{max(0.0, threshold):.3f}")
            box("gauge-fill")
            box("gauge-threshold")
        limit = f"{match.threshold:.2f}" if match.threshold is not None else "–"
        text(self._words("match.needs", score=f"{match.score:.2f}", limit=limit), "gauge-text", testid="match-score")
