"""The left column of an officer's screen: who it is, as far as the role may see, and what was declared."""

from collections.abc import Sequence
from dataclasses import dataclass

from nicegui import ui

from config.schema import Role
from gate.console.hub_models import Case, FindingView
from gate.console.i18n import Words
from gate.console.parts import Handler, Rows, box, button, set_data, text
from gate.console.pictures import picture_url
from gate.console.spoken import finding_words
from gate.console.view import Match, liveness_of, match_of, temperature_of

_THUMBS = ("page", "portrait", "chip", "live")
_SEXES = {"F": "sex.female", "M": "sex.male"}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Faces:
    """What is drawn above the names."""

    pictures: tuple[tuple[str, str], ...] = ()
    match: Match | None = None
    liveness: FindingView | None = None
    is_loading: bool = False


class TravellerPanel:
    """``on_pictures``: the officer wants the pictures large."""

    def __init__(self, role: Role, words: Words, *, on_pictures: Handler) -> None:
        self._role = role
        self._words = words
        self._on_pictures = on_pictures
        self._case: Case | None = None
        with box("panel traveller-panel", tag="section") as panel:
            panel.props["aria-label"] = words("panel.traveller")
            text(words("panel.traveller"), "panel-title")
            self._faces = Rows(box("thumbs", testid="thumbs"), self._draw_faces)
            with box("panel-body", testid="traveller") as body:
                body.props.update({"tabindex": "0", "role": "group", "aria-label": words("panel.traveller")})
            self._rows = Rows(body, self._draw)

    def show(self, case: Case | None, *, is_loading: bool) -> None:
        if case is self._case and case is not None:
            return  # a case that changed is another one; the page asks every second
        self._case = case
        faces = _Faces(is_loading=is_loading and case is None)
        if case is not None:
            kinds = _THUMBS if "pictures" in self._role.sees else ()
            found = [(kind, case.attachment(kind)) for kind in kinds]
            faces = _Faces(
                pictures=tuple((kind, item.sha256) for kind, item in found if item is not None and item.is_available),
                match=match_of(case),
                liveness=liveness_of(case),
            )
        self._faces.show(faces)
        self._rows.show((case, is_loading and case is None))

    def _draw_faces(self, faces: _Faces) -> None:
        if faces.is_loading:
            box("skeleton skeleton-thumbs")
        if faces.pictures:
            with button("", self._on_pictures, "thumb-row", testid="open-pictures") as row:
                row.props["aria-label"] = self._words("traveller.open_pictures")
                for kind, sha256 in faces.pictures:
                    with box("thumb-cell", tag="span"):
                        picture = ui.element("img").classes(f"thumb thumb-{kind}")
                        alternative = self._words(f"picture.{kind}")
                        picture.props.update({"src": picture_url(sha256), "alt": alternative, "draggable": "false"})
                        text(self._words(f"thumb.{kind}"), "thumb-name")
        if faces.match is not None:
            self._draw_match(faces.match)
        if faces.liveness is not None:
            line = text(finding_words(faces.liveness, self._words), "thumb-match", testid="thumb-liveness")
            set_data(line, tone="warn" if faces.liveness.is_in_the_way else "ok")

    def _draw_match(self, match: Match) -> None:
        words = self._words("match.same" if match.is_match else "match.not_same")
        line = text(match_sentence(match, words, self._words), "thumb-match", testid="thumb-match")
        set_data(line, tone="ok" if match.is_match else "warn")

    def _draw(self, shown: tuple[Case | None, bool]) -> None:
        case, is_loading = shown
        if is_loading:
            text(self._words("case.loading"), "empty")
            for _ in range(5):
                box("skeleton skeleton-line")
            return
        if case is None:
            text(self._words("case.none"), "empty")
            return
        self._draw_identity(case)
        self._draw_temperature(case)
        self._draw_declaration(case)

    def _draw_identity(self, case: Case) -> None:
        who, words = case.traveller, self._words
        if who is None:
            is_over = case.status == "closed"
            if "identity" not in self._role.sees:
                text(words("traveller.hidden"), "empty")
            else:
                text(words("traveller.never") if is_over else words("traveller.on_its_way"), "empty")
            return
        text(who.surname, "surname", testid="traveller-surname")
        text(who.given_names, "given-names")
        with box("facts"):
            self._fact("document", f"{who.document_code} {who.document_number}".strip(), testid="document-number")
            self._fact("issuer", who.issuer)
            self._fact("nationality", who.nationality)
            self._fact("born", who.birth_date)
            self._fact("sex", words(_SEXES.get(who.sex, "sex.unspecified")) if who.sex else "")
            self._fact("valid_until", who.expiry_date)

    def _draw_temperature(self, case: Case) -> None:
        finding = temperature_of(case)
        if finding is None or "temperature" not in self._role.sees:
            return
        with box("reading", testid="temperature") as reading:
            set_data(reading, tone="warn" if finding.is_in_the_way else "ok")
            text(self._words("fact.temperature"), "fact-name")
            is_number = isinstance(finding.measured, float | int)
            text(f"{finding.measured:.1f} °C" if is_number else self._words("fact.not_measured"), "reading-value")
            if isinstance(finding.threshold, float | int):
                text(self._words("fact.limit", limit=f"{finding.threshold:.1f} °C"), "dim")

    def _draw_declaration(self, case: Case) -> None:
        words = self._words
        text(words("panel.declared"), "panel-subtitle")
        if "declaration" not in self._role.sees:
            text(words("declaration.hidden"), "empty")
            return
        customs = case.declaration.customs if case.declaration is not None else None
        health = case.declaration.health if case.declaration is not None else None
        with box("facts", testid="declaration"):
            if customs is None:
                self._fact("goods", words("declaration.none_on_file"))
            else:
                self._fact("goods", self._list(customs.get("goods")) or words("declaration.nothing"))
            if health is None:
                self._fact("health", words("declaration.none_on_file"))
            else:
                self._fact("symptoms", self._list(health.get("symptoms")) or words("declaration.no_symptoms"))
                self._fact("been_in", self._list(health.get("countries")) or words("declaration.no_countries"))

    def _fact(self, name: str, value: str, *, testid: str | None = None) -> None:
        text(self._words(f"fact.{name}"), "fact-name")
        text(value or self._words("fact.not_stated"), "fact-value", testid=testid)

    def _list(self, value: object) -> str:
        items: Sequence[object] = value if isinstance(value, list | tuple) else ()
        return ", ".join(str(item) for item in items)


def match_sentence(match: Match, verdict: str, words: Words) -> str:
    """The comparison in one line: score, what it needs, what that means."""
    if match.threshold is None:
        return words("match.score", score=f"{match.score:.2f}", verdict=verdict)
    return words("match.score_of", score=f"{match.score:.2f}", limit=f"{match.threshold:.2f}", verdict=verdict)
