"""The right column of an officer's screen: what was checked, in plain words and why, and what has happened."""

from collections.abc import Sequence
from functools import partial

from config.schema import Role
from gate.console.context import Console
from gate.console.hub_models import Case
from gate.console.i18n import Words
from gate.console.parts import Rows, box, mark, set_data, set_prop, set_style, text
from gate.console.spoken import history_words, role_title
from gate.console.view import FindingLine, clock_time, finding_lines

_SIGNS = {"!": "sign.refer", "?": "sign.not_checked", "i": "sign.info", "ok": "sign.pass"}


class FindingsPanel:
    """A finding that is pressed says by which rule and from which facts it was made."""

    def __init__(self, console: Console, role: Role, words: Words) -> None:
        self._console = console
        self._role = role
        self._words = words
        self._case: Case | None = None
        self._case_id: str | None = None
        self._explained: frozenset[str] = frozenset()
        self._lines: Sequence[FindingLine] = ()
        with box("panel findings-panel", tag="section") as panel:
            panel.props["aria-label"] = words("panel.findings")
            text(words("panel.findings"), "panel-title")
            with box("panel-body findings", testid="findings") as self._box:
                self._box.props.update({"tabindex": "0", "role": "group", "aria-label": words("panel.findings")})
            self._findings = Rows(self._box, self._draw_findings)
            text(words("panel.history"), "panel-title")
            with box("panel-body history", testid="history") as past:
                past.props.update({"tabindex": "0", "role": "group", "aria-label": words("panel.history")})
            self._history = Rows(past, self._draw_history)

    def show(self, case: Case | None) -> None:
        if case is self._case and case is not None:
            return  # a case that changed is another one; the page asks every second
        self._case = case
        case_id = case.case_id if case is not None else None
        if case_id != self._case_id:
            self._case_id, self._explained = case_id, frozenset()
        self._lines = finding_lines(case, role=self._role.id, words=self._words) if case is not None else ()
        self._draw_again()
        past = (
            []
            if case is None
            else [(line.at_ms, history_words(line, self._words, self._console.site), line.who) for line in case.history]
        )
        unnamed = ("hub", "rule") if case is None else ("hub", "rule", case.lane)
        self._history.show([(at_ms, words, "" if who in unnamed else who) for at_ms, words, who in reversed(past)])

    def _draw_again(self) -> None:
        self._findings.show((self._lines, self._explained))

    def _toggle(self, code: str) -> None:
        self._explained = self._explained ^ {code}
        self._draw_again()

    def _draw_findings(self, shown: tuple[Sequence[FindingLine], frozenset[str]]) -> None:
        lines, explained = shown
        if not lines:
            text(self._words("findings.none" if "findings" in self._role.sees else "findings.hidden"), "empty")
        for line in lines:
            self._draw_finding(line, is_explained=line.code in explained)

    def _draw_finding(self, line: FindingLine, *, is_explained: bool) -> None:
        with box("finding-group"):
            with box("finding", testid=f"finding-{line.code}", tag="button") as item:
                item.props["type"] = "button"
                set_prop(item, "aria-expanded", "true" if is_explained else "false")
                set_data(item, mark=line.mark, mine="yes" if line.is_mine else None)
                sign = text(line.mark, "finding-mark")
                sign.props.update({"role": "img", "aria-label": self._words(_SIGNS[line.mark])})
                with box("finding-words", tag="span"):
                    text(line.title, "finding-title")
                    if line.detail and not is_explained:
                        text(line.detail, "finding-detail")
                with box("finding-side", tag="span"):
                    self._draw_side(line)
            item.on("click", partial(self._toggle, line.code), args=[])
            if is_explained:
                self._draw_why(line)

    def _draw_side(self, line: FindingLine) -> None:
        if line.value:
            text(line.value, "finding-value")
        if line.is_in_the_way:
            found = self._console.role(line.role)
            chip = text(role_title(self._console.site, line.role, self._words), "chip")
            set_style(chip, role=found.colour if found is not None else "#8aa0b2")
        elif not line.value:
            text(self._words("why.title"), "finding-why")

    def _draw_why(self, line: FindingLine) -> None:
        with mark(box("why"), f"why-{line.code}"):
            for name, value in line.why:
                text(self._words(name), "fact-name")
                text(value, "why-value")
            text(self._words("why.role"), "fact-name")
            text(role_title(self._console.site, line.role, self._words), "why-value")

    def _draw_history(self, lines: Sequence[tuple[int, str, str]]) -> None:
        for at_ms, words, who in lines:
            with box("history-line"):
                text(clock_time(at_ms), "history-time")
                text(f"{words} · {who}" if who else words, "history-words")
