"""The three columns of an officer's screen: the traveller, the pictures, the findings."""

from collections.abc import Sequence

from nicegui import ui
from nicegui.element import Element

from config.schema import Role
from gate.console.context import Console
from gate.console.hub_models import Case, HistoryLine
from gate.console.parts import Handler, Rows, box, button, mark, set_data, set_prop, set_style, text
from gate.console.pictures import picture_url
from gate.console.view import FindingLine, Match, clock_time, finding_lines, match_of, temperature_of

_SEXES = {"F": "female", "M": "male", "X": "unspecified", "<": "unspecified"}


_THUMBS = (("page", "Document"), ("portrait", "Portrait on the document"), ("live", "At the gate"))


class TravellerPanel:
    """Who it is, as far as the role may see, and what was declared. ``on_pictures``: the officer wants the pictures large."""

    def __init__(self, role: Role, *, on_pictures: Handler) -> None:
        self._role = role
        self._on_pictures = on_pictures
        with box("panel traveller-panel"):
            text("Traveller", "panel-title")
            self._thumbs = Rows(box("thumbs", testid="thumbs"), self._draw_thumbs)
            self._rows = Rows(box("panel-body", testid="traveller"), self._draw)

    def show(self, case: Case | None, *, is_loading: bool) -> None:
        found = []
        for kind, title in _THUMBS if "pictures" in self._role.sees else ():
            item = case.attachment(kind) if case is not None else None
            if item is not None and item.is_available:
                found.append((title, item.sha256))
        self._thumbs.show((tuple(found), match_of(case) if case is not None else None))
        self._rows.show((case, is_loading and case is None))

    def _draw_thumbs(self, shown: tuple[Sequence[tuple[str, str]], Match | None]) -> None:
        pictures, match = shown
        if not pictures:
            return
        with button("", self._on_pictures, "thumb-row", testid="open-pictures") as row:
            row.props["aria-label"] = "Show document and faces large"
            for title, sha256 in pictures:
                picture = ui.element("img").classes("thumb")
                picture.props.update({"src": picture_url(sha256), "alt": title, "draggable": "false"})
        if match is not None:
            limit = f" / {match.threshold:.2f}" if match.threshold is not None else ""
            words = "same person" if match.is_match else "not the same"
            line = text(f"match {match.score:.2f}{limit} {words}", "thumb-match", testid="thumb-match")
            set_data(line, tone="ok" if match.is_match else "warn")

    def _draw(self, shown: tuple[Case | None, bool]) -> None:
        case, is_loading = shown
        if case is None:
            text("Loading the case" if is_loading else "No case is open", "empty")
            return
        self._draw_identity(case)
        self._draw_temperature(case)
        self._draw_declaration(case)

    def _draw_identity(self, case: Case) -> None:
        who = case.traveller
        if who is None:
            is_hidden = "identity" not in self._role.sees
            is_over = case.status == "closed"
            late = "No names were recorded" if is_over else "Names are on their way"
            text("Your role does not see names" if is_hidden else late, "empty")
            return
        text(who.surname, "surname", testid="traveller-surname")
        text(who.given_names, "given-names")
        with box("facts"):
            _fact("Document", f"{who.document_code} {who.document_number}".strip(), testid="document-number")
            _fact("Issued by", who.issuer)
            _fact("Nationality", who.nationality)
            _fact("Born", who.birth_date)
            _fact("Sex", _SEXES.get(who.sex, who.sex))
            _fact("Valid until", who.expiry_date)

    def _draw_temperature(self, case: Case) -> None:
        finding = temperature_of(case)
        if finding is None or "temperature" not in self._role.sees:
            return
        with box("reading", testid="temperature") as reading:
            set_data(reading, tone="warn" if finding.is_in_the_way else "ok")
            text("Temperature", "fact-name")
            is_number = isinstance(finding.measured, float | int)
            text(f"{finding.measured:.1f} °C" if is_number else "not measured", "reading-value")
            if isinstance(finding.threshold, float | int):
                text(f"limit {finding.threshold:.1f} °C", "dim")

    def _draw_declaration(self, case: Case) -> None:
        text("Declared", "panel-subtitle")
        if "declaration" not in self._role.sees:
            text("Your role does not see declarations", "empty")
            return
        declaration = case.declaration
        customs = declaration.customs if declaration is not None else None
        health = declaration.health if declaration is not None else None
        with box("facts", testid="declaration"):
            if customs is None:
                _fact("Goods", "none on file")
            else:
                _fact("Goods", _list(customs.get("goods")) or "nothing to declare")
            if health is None:
                _fact("Health", "none on file")
            else:
                _fact("Symptoms", _list(health.get("symptoms")) or "none")
                _fact("Been in", _list(health.get("countries")) or "nothing stated")


def _fact(name: str, value: str, *, testid: str | None = None) -> None:
    text(name, "fact-name")
    text(value or "not stated", "fact-value", testid=testid)


def _list(value: object) -> str:
    return ", ".join(str(item) for item in value) if isinstance(value, list | tuple) else ""


class _Pane:
    """One picture that can be looked at closely."""

    def __init__(self, title: str, kind: str, classes: str) -> None:
        self._kind = kind
        with box(f"pane {classes}"):
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
        self._picture.visible = is_there
        if case is None:
            why = ""
        elif not is_allowed:
            why = "Your role does not see pictures"
        else:
            not_taken = "Not taken" if case.status == "closed" else "Not taken yet"
            why = "Picture is on its way" if attachment is not None else not_taken
        self._missing.set_text("" if is_there else why)


class PicturePanel:
    """The document page, and the face on it beside the face at the gate. Every role sees the same."""

    def __init__(self, role: Role) -> None:
        self._is_allowed = "pictures" in role.sees
        with box("picture-panel"):
            self._panes = [_Pane("Document", "page", "pane-page")]
            with box("compare"):
                self._panes += [_Pane("Portrait on the document", "portrait", ""), _Pane("At the gate", "live", "")]
                self._match = Rows(box("match", testid="match"), self._draw_match)

    def show(self, case: Case | None) -> None:
        for pane in self._panes:
            pane.show(case, is_allowed=self._is_allowed)
        self._match.show(match_of(case) if case is not None else None)

    def _draw_match(self, match: Match | None) -> None:
        if match is None:
            text("Faces are not compared yet", "dim")
            return
        tone = "ok" if match.is_match else "warn"
        set_data(text("Same person" if match.is_match else "Not the same", "match-word"), tone=tone)
        with box("gauge") as gauge:
            set_data(gauge, tone=tone)
            threshold = match.threshold if match.threshold is not None else 0.0
            set_style(gauge, score=f"{max(0.0, match.score):.3f}", threshold=f"{max(0.0, threshold):.3f}")
            box("gauge-fill")
            box("gauge-threshold")
        limit = f", needs {match.threshold:.2f}" if match.threshold is not None else ""
        text(f"match {match.score:.2f}{limit}", "gauge-text", testid="match-score")


class FindingsPanel:
    """What was checked, in plain words, and what has happened."""

    def __init__(self, console: Console, role: Role) -> None:
        self._console = console
        self._role = role
        with box("panel findings-panel"):
            text("Findings", "panel-title")
            self._findings = Rows(box("panel-body findings", testid="findings"), self._draw_findings)
            text("History", "panel-title")
            self._history = Rows(box("panel-body history", testid="history"), self._draw_history)

    def show(self, case: Case | None) -> None:
        lines = finding_lines(case, role=self._role.id, texts=self._console.texts) if case is not None else ()
        self._findings.show(lines)
        past = [] if case is None else [self._history_line(case, line) for line in case.history]
        self._history.show(past[::-1])

    def _history_line(self, case: Case, line: HistoryLine) -> tuple[int, str, str]:
        who = line.who if line.who not in (case.lane, "hub", "rule") else ""
        return line.at_ms, self._console.texts.history(line.what, line.detail), who

    def _draw_findings(self, lines: Sequence[FindingLine]) -> None:
        if not lines:
            text("Nothing found yet" if "findings" in self._role.sees else "Your role does not see findings", "empty")
        for line in lines:
            self._draw_finding(line)

    def _draw_finding(self, line: FindingLine) -> Element:
        with box("finding", testid=f"finding-{line.code}") as item:
            set_data(item, mark=line.mark, mine="yes" if line.is_mine else None)
            text(line.mark, "finding-mark")
            with box("finding-words"):
                text(line.title, "finding-title")
                if line.detail:
                    text(line.detail, "finding-detail")
            with box("finding-side"):
                if line.value:
                    text(line.value, "finding-value")
                if line.is_in_the_way:
                    found = self._console.role(line.role)
                    chip = text(self._console.role_title(line.role), "chip")
                    set_style(chip, role=found.colour if found is not None else "#8aa0b2")
        return item

    def _draw_history(self, lines: Sequence[tuple[int, str, str]]) -> None:
        for at_ms, words, who in lines:
            with box("history-line"):
                text(clock_time(at_ms), "history-time")
                text(f"{words} · {who}" if who else words, "history-words")
