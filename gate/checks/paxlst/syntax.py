"""UN/EDIFACT syntax (ISO 9735, versions 1 to 4): bytes to segments and back. Pure; nothing that is read raises.

What is wrong in one segment is said of that segment, and the others are read: a library that stops at the first fault loses the batch.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

from gate.checks.paxlst.model import PaxlstError

MAX_BYTES = 64 * 1024 * 1024
"""Of one file; the longest list of an airliner is a hundredth of it."""

_CODECS = {
    "UNOA": "ascii",
    "UNOB": "ascii",
    "UNOC": "iso8859-1",
    "UNOD": "iso8859-2",
    "UNOE": "iso8859-5",
    "UNOF": "iso8859-7",
    "UNOG": "iso8859-3",
    "UNOH": "iso8859-4",
    "UNOI": "iso8859-6",
    "UNOJ": "iso8859-8",
    "UNOK": "iso8859-9",
    "UNOW": "utf-8",
    "UNOY": "utf-8",
}
"""Syntax identifiers (data element 0001) and the coded character sets that they stand for."""

# ISO 9735 annex A: level A has no lower case; both have these marks.
_MARKS = r" .,\-()/='+:?!\"%&*;<>"
_OUTSIDE = {
    "UNOA": re.compile(rf"[^A-Z0-9{_MARKS}]"),
    "UNOB": re.compile(rf"[^A-Za-z0-9{_MARKS}]"),
}
_OUTSIDE_OTHERS = re.compile(r"[\x00-\x1f\x7f-\x9f\ufffd]")
# Of a whole file, which costs a fraction of asking each field: line breaks are let pass here.
_OUTSIDE_FILE = {name: re.compile(found.pattern[:-1] + r"\r\n]") for name, found in _OUTSIDE.items()}
_OUTSIDE_FILE_OTHERS = re.compile(r"[\x00-\x09\x0b\x0c\x0e-\x1f\x7f-\x9f\ufffd]")
UNNAMED = "???"
"""The tag of what begins with no segment's name."""
_SHORT = 12
_USUAL_TAGS = frozenset(["UNB", "UNG", "UNH", "UNT", "UNE", "UNZ", "BGM", "RFF", "NAD", "COM", "TDT"]).union(
    ["LOC", "DTM", "ATT", "MEA", "GEI", "FTX", "NAT", "DOC", "EMP", "CNT", "CTA"]
)
_TAG = re.compile(r"[A-Z][A-Z0-9]{2}")
_HEAD = re.compile(rb"UNB[^A-Za-z0-9]([A-Z]{4})")
_UNA = re.compile(r"UNA([^A-Za-z0-9]{6})\s*(?=UN[BGH])")
_PREAMBLE = 2000
"""Characters before the interchange in which its beginning is looked for: airlines' networks put address lines there."""
_HELD = 0xF0000
"""Released characters stand in the supplementary private use area while the text is cut up."""
_HELD_ONES = re.compile(f"[{chr(_HELD)}-{chr(_HELD + 0xFFFD)}]")


class Segment(NamedTuple):
    """One segment. ``elements`` are the data elements after the tag, each a tuple of components without service characters.

    ``number`` counts the segments of the file from 1, ``line`` its lines (a file without line breaks is all on line 1).
    """

    tag: str
    elements: tuple[tuple[str, ...], ...]
    number: int
    line: int

    def get(self, element: int, component: int = 0) -> str:
        """A component by places from 0; empty when the segment does not go so far."""
        try:
            return self.elements[element][component]
        except IndexError:
            return ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Marks:
    """The service characters (UNA, ISO 9735-1 clause 8). ``release`` and ``repetition`` are a space where there is none."""

    component: str = ":"
    element: str = "+"
    decimal: str = "."
    release: str = "?"
    repetition: str = "*"
    terminator: str = "'"

    def una(self) -> str:
        """The service string advice."""
        return f"UNA{self.component}{self.element}{self.decimal}{self.release}{self.repetition}{self.terminator}"


CONTROL_MARKS = Marks(component="\x1f", element="\x1d", release=" ", repetition=" ", terminator="\x1c")
"""Level B of version 1 without a UNA: information separators, which need no release."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """How an interchange is put into bytes. ``after_segment``: the line break behind each segment, or nothing."""

    syntax_id: str = "UNOA"
    marks: Marks = Marks()
    has_una: bool = True
    after_segment: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SyntaxRead:
    """What a file's bytes are."""

    segments: tuple[Segment, ...]
    errors: tuple[PaxlstError, ...]
    """At most one a segment."""
    layout: Layout


def read_segments(data: bytes) -> SyntaxRead:
    """Cut a file into segments; never raises."""
    errors: list[PaxlstError] = []
    if len(data) > MAX_BYTES:
        errors.append(PaxlstError(segment="UNB", line=1, field="file", message=f"is longer than {MAX_BYTES} bytes"))
        data = b""
    syntax_id = _syntax_id(data, errors)
    text = _decoded(data, syntax_id, errors)
    marks, has_una, body, line = _marks(text)
    segments = _segments(body, marks, first_line=line, has_una=has_una, errors=errors)
    if _OUTSIDE_FILE.get(syntax_id, _OUTSIDE_FILE_OTHERS).search(body) is not None:
        errors += [error for segment in segments if (error := _outside_repertoire(segment, syntax_id)) is not None]
    after = _after_segment(body, marks)
    return SyntaxRead(
        segments=tuple(segments),
        errors=tuple(errors),
        layout=Layout(syntax_id=syntax_id, marks=marks, has_una=has_una, after_segment=after),
    )


def _syntax_id(data: bytes, errors: list[PaxlstError]) -> str:
    found = _HEAD.search(data[:_PREAMBLE])
    if found is None:
        return "UNOC"  # what is wrong with the beginning is told by the envelope; bytes are readable as Latin-1
    syntax_id = found[1].decode("ascii")
    if syntax_id not in _CODECS:
        message = f"names the character set {syntax_id}, which is none of {', '.join(_CODECS)}"
        errors.append(PaxlstError(segment="UNB", line=1, field="syntax_identifier", message=message))
        return "UNOC"
    return syntax_id


def _decoded(data: bytes, syntax_id: str, errors: list[PaxlstError]) -> str:
    text = data.decode(_CODECS[syntax_id], errors="replace")
    if not text.isascii() and _HELD_ONES.search(text):
        errors.append(
            PaxlstError(segment="UNB", line=1, field="file", message="holds characters of the private use area")
        )
        text = _HELD_ONES.sub("\ufffd", text)
    return text


def _marks(text: str) -> tuple[Marks, bool, str, int]:
    """Marks, whether a UNA gave them, the text behind it, and the line on which that begins."""
    found = _UNA.search(text, 0, _PREAMBLE)
    if found is not None:
        component, element, decimal, release, repetition, terminator = tuple(found[1])
        used = [char for char in (component, element, release, repetition, terminator) if char != " "]
        if len(set(used)) == len(used) and " " not in (component, element, terminator):
            marks = Marks(
                component=component,
                element=element,
                decimal=decimal,
                release=release,
                repetition=repetition,
                terminator=terminator,
            )
            return marks, True, text[found.end() :], 1 + text.count("\n", 0, found.end())
    begin = text.find("UNB", 0, _PREAMBLE)
    begin = max(begin, 0)
    marks = CONTROL_MARKS if text.startswith("UNB\x1d", begin) else Marks()
    return marks, False, text[begin:], 1 + text.count("\n", 0, begin)


def _segments(body: str, marks: Marks, *, first_line: int, has_una: bool, errors: list[PaxlstError]) -> list[Segment]:
    held: dict[str, str] = {}
    if marks.release != " " and marks.release in body:
        body = _hold_released(body, marks, held)
    pieces = body.split(marks.terminator)
    rest = pieces.pop()
    is_cut_short = bool(rest.strip("\r\n \t\x00\x1a"))
    if is_cut_short:
        pieces.append(rest)
    cut = _Cutter(marks, held)
    cut_before = cut.known
    found: list[Segment] = []
    line, has_lines = first_line, "\n" in body
    has_blanks = has_lines or "\r" in body or f"{marks.terminator} " in body
    new = tuple.__new__  # a named tuple's own constructor costs as much as all the rest of a segment
    for number, piece in enumerate(pieces, start=2 if has_una else 1):
        raw = piece
        if has_blanks:
            raw = piece.lstrip("\r\n \t")
            line += piece.count("\n", 0, len(piece) - len(raw))
        tag, elements = cut_before.get(raw) or cut(raw)
        if tag == UNNAMED:
            errors.append(_bad_tag(cut.name(raw), line, number))
        found.append(new(Segment, (tag, elements, number, line)))
        if has_lines:
            line += raw.count("\n")
    if is_cut_short and found[-1].tag != UNNAMED:
        last = found[-1]
        message = f"has no end: the terminator {marks.terminator!r} is missing"
        errors.append(
            PaxlstError(segment=last.tag, line=last.line, field="segment", message=message, segment_number=last.number)
        )
    return found


def _bad_tag(name: str, line: int, number: int) -> PaxlstError:
    return PaxlstError(
        segment=name[:3] if name[:3].isalnum() else "",
        line=line,
        field="tag",
        message=f"{name!r} is no segment's name",
        segment_number=number,
    )


class _Cutter:
    """Cuts a segment into tag and elements. Short ones come again and again in one file, and are cut once."""

    def __init__(self, marks: Marks, held: dict[str, str]) -> None:
        self._element = marks.element
        self._component = marks.component
        self._held = held
        self.known: dict[str, tuple[str, tuple[tuple[str, ...], ...]]] = {}

    def __call__(self, raw: str) -> tuple[str, tuple[tuple[str, ...], ...]]:
        done = self._cut(raw)
        if len(raw) <= _SHORT:
            self.known[raw] = done
        return done

    def _cut(self, raw: str) -> tuple[str, tuple[tuple[str, ...], ...]]:
        component = self._component
        tag, *fields = raw.split(self._element)
        if tag not in _USUAL_TAGS and _TAG.fullmatch(tag) is None:
            tag = UNNAMED
        if self._held and _HELD_ONES.search(raw) is not None:
            return tag, tuple([tuple([self._freed(part) for part in field.split(component)]) for field in fields])
        return tag, tuple([tuple(field.split(component)) if component in field else (field,) for field in fields])

    def _freed(self, text: str) -> str:
        return _HELD_ONES.sub(lambda found: self._held[found[0]], text)

    def name(self, raw: str) -> str:
        """The beginning of a segment, as it was sent, for a message."""
        return self._freed(raw.split(self._element, maxsplit=1)[0][:12])


def _hold_released(body: str, marks: Marks, held: dict[str, str]) -> str:
    """Put a stand-in for every released character, so that the text can be cut at the others."""

    stand_ins: dict[str, str] = {}

    def hold(found: re.Match[str]) -> str:
        char = found[1]
        if char not in stand_ins:
            stand_ins[char] = chr(_HELD + len(stand_ins))
            held[stand_ins[char]] = char
        return stand_ins[char]

    return re.sub(re.escape(marks.release) + r"([\s\S])", hold, body)


def _outside_repertoire(segment: Segment, syntax_id: str) -> PaxlstError | None:
    """Free text and addresses for answers are let pass: they decide nothing."""
    if segment.tag in ("FTX", "COM"):
        return None
    outside = _OUTSIDE.get(syntax_id, _OUTSIDE_OTHERS)
    for at, element in enumerate(segment.elements, start=1):
        for part, text in enumerate(element, start=1):
            found = outside.search(text)
            if found is not None:
                return PaxlstError(
                    segment=segment.tag,
                    line=segment.line,
                    field=f"element {at}, component {part}",
                    message=f"{found[0]!r} is not in the character set {syntax_id}",
                    segment_number=segment.number,
                )
    return None


def _after_segment(body: str, marks: Marks) -> str:
    place = body.find(marks.terminator)
    if place < 0:
        return ""
    for ending in ("\r\n", "\n"):
        if body.startswith(ending, place + 1):
            return ending
    return ""


def write_segments(segments: Iterable[tuple[str, tuple[tuple[str, ...], ...]]], layout: Layout) -> bytes:
    """The bytes of (tag, elements) pairs; the inverse of :func:`read_segments` for what :class:`Layout` describes.

    ValueError for a text that the character set or the marks cannot carry.
    """
    marks = layout.marks
    special = {marks.component, marks.element, marks.terminator, marks.release, marks.repetition} - {" "}
    to_release = re.compile("[" + re.escape("".join(sorted(special))) + "]")

    def released(text: str) -> str:
        if to_release.search(text) is None:
            return text
        if marks.release == " ":
            raise ValueError(f"{text!r} holds a service character, and this interchange has no release character")
        return to_release.sub(lambda found: marks.release + found[0], text)

    end = marks.terminator + layout.after_segment
    parts = [marks.una() + layout.after_segment] if layout.has_una else []
    for tag, elements in segments:
        fields = [marks.component.join([released(part) for part in element]) for element in elements]
        parts.append(marks.element.join([tag, *fields]) + end)
    try:
        return "".join(parts).encode(_CODECS[layout.syntax_id])
    except (UnicodeEncodeError, KeyError) as error:
        raise ValueError(f"the character set {layout.syntax_id} cannot carry this text: {error}") from None
