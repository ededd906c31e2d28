"""Where everything stands in a machine-readable zone: fields, check digits and the characters each position may hold.

Sources: ICAO Doc 9303, 8th edition: part 3 section 4 (character set), part 4 (TD3), part 5 (TD1), part 6 (TD2), part 7
(visas MRV-A, MRV-B). FRID is the French identity card issued until 2021 (2 x 36, its own layout).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
DIGITS = "0123456789"
FILLER = "<"
CHARACTERS = DIGITS + LETTERS + FILLER


class MrzFormat(StrEnum):
    """The layouts we know."""

    TD1 = "TD1"
    TD2 = "TD2"
    TD3 = "TD3"
    MRVA = "MRVA"
    MRVB = "MRVB"
    FRID = "FRID"


class CheckName(StrEnum):
    """What a check digit protects."""

    DOCUMENT_NUMBER = "document_number"
    BIRTH_DATE = "birth_date"
    EXPIRY_DATE = "expiry_date"
    OPTIONAL_DATA = "optional_data"
    COMPOSITE = "composite"


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """Characters ``start`` to ``end`` (exclusive) of line ``line``, all counted from 0."""

    line: int
    start: int
    end: int

    def of(self, lines: Sequence[str]) -> str:
        """Return the text of the span."""
        return lines[self.line][self.start : self.end]


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """A check digit: what it covers and where it is printed."""

    name: CheckName
    covers: tuple[Span, ...]
    digit: Span
    may_be_filler: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """One format: its size, its fields by name, the characters each position may hold, its check digits."""

    format: MrzFormat
    line_count: int
    line_length: int
    fields: Mapping[str, Span]
    checks: tuple[Check, ...]
    allowed: tuple[tuple[str, ...], ...]


_NAME = LETTERS + FILLER
_CODE = LETTERS + FILLER
_DATE = DIGITS + FILLER
_SEX = "MF" + FILLER
_CHECK = DIGITS + FILLER

# Field rows are: name, line, start, end, characters. Every position not in a row may hold any MRZ character.
_Row = tuple[str, int, int, int, str]


def _layout(
    format_: MrzFormat, size: tuple[int, int], rows: Sequence[_Row], checks: Sequence[Check], *, code: str
) -> Layout:
    count, length = size
    allowed = [[CHARACTERS] * length for _ in range(count)]
    for _name, line, start, end, characters in rows:
        allowed[line][start:end] = [characters] * (end - start)
    allowed[0][0] = code
    for check in checks:
        allowed[check.digit.line][check.digit.start] = _CHECK
    return Layout(
        format=format_,
        line_count=count,
        line_length=length,
        fields=MappingProxyType({row[0]: Span(line=row[1], start=row[2], end=row[3]) for row in rows}),
        checks=tuple(checks),
        allowed=tuple(tuple(line) for line in allowed),
    )


def _check(
    name: CheckName, digit: tuple[int, int], *covers: tuple[int, int, int], may_be_filler: bool = False
) -> Check:
    spans = tuple(Span(line=line, start=start, end=end) for line, start, end in covers)
    place = Span(line=digit[0], start=digit[1], end=digit[1] + 1)
    return Check(name=name, covers=spans, digit=place, may_be_filler=may_be_filler)


def _head(length: int) -> list[_Row]:
    return [("document_code", 0, 0, 2, _CODE), ("issuer", 0, 2, 5, _CODE), ("names", 0, 5, length, _NAME)]


# The second line of TD3, TD2 and the visas differs only after the expiry date.
_SECOND_LINE: tuple[_Row, ...] = (
    ("document_number", 1, 0, 9, CHARACTERS),
    ("nationality", 1, 10, 13, _CODE),
    ("birth_date", 1, 13, 19, _DATE),
    ("sex", 1, 20, 21, _SEX),
    ("expiry_date", 1, 21, 27, _DATE),
)
_SECOND_LINE_CHECKS = (
    _check(CheckName.DOCUMENT_NUMBER, (1, 9), (1, 0, 9)),
    _check(CheckName.BIRTH_DATE, (1, 19), (1, 13, 19)),
    _check(CheckName.EXPIRY_DATE, (1, 27), (1, 21, 27)),
)


def _two_lines(format_: MrzFormat, length: int, optional_end: int, checks: Sequence[Check], code: str) -> Layout:
    optional: _Row = ("optional_data", 1, 28, optional_end, CHARACTERS)
    rows = [*_head(length), *_SECOND_LINE, optional]
    return _layout(format_, (2, length), rows, [*_SECOND_LINE_CHECKS, *checks], code=code)


_TD3_CHECKS = (
    _check(CheckName.OPTIONAL_DATA, (1, 42), (1, 28, 42), may_be_filler=True),
    _check(CheckName.COMPOSITE, (1, 43), (1, 0, 10), (1, 13, 20), (1, 21, 43)),
)
_TD2_CHECKS = (_check(CheckName.COMPOSITE, (1, 35), (1, 0, 10), (1, 13, 20), (1, 21, 35)),)
_TD1_ROWS: tuple[_Row, ...] = (
    ("document_code", 0, 0, 2, _CODE),
    ("issuer", 0, 2, 5, _CODE),
    ("document_number", 0, 5, 14, CHARACTERS),
    ("optional_data", 0, 15, 30, CHARACTERS),
    ("birth_date", 1, 0, 6, _DATE),
    ("sex", 1, 7, 8, _SEX),
    ("expiry_date", 1, 8, 14, _DATE),
    ("nationality", 1, 15, 18, _CODE),
    ("optional_data_2", 1, 18, 29, CHARACTERS),
    ("names", 2, 0, 30, _NAME),
)
_TD1_CHECKS = (
    _check(CheckName.DOCUMENT_NUMBER, (0, 14), (0, 5, 14)),
    _check(CheckName.BIRTH_DATE, (1, 6), (1, 0, 6)),
    _check(CheckName.EXPIRY_DATE, (1, 14), (1, 8, 14)),
    _check(CheckName.COMPOSITE, (1, 29), (0, 5, 30), (1, 0, 7), (1, 8, 15), (1, 18, 29)),
)
FRID_GIVEN_NAMES = Span(line=1, start=13, end=27)
_FRID_ROWS: tuple[_Row, ...] = (
    ("document_code", 0, 0, 2, _CODE),
    ("issuer", 0, 2, 5, _CODE),
    ("names", 0, 5, 30, _NAME),
    ("optional_data", 0, 30, 36, CHARACTERS),
    ("document_number", 1, 0, 12, CHARACTERS),
    ("given_names", 1, 13, 27, _NAME),
    ("birth_date", 1, 27, 33, _DATE),
    ("sex", 1, 34, 35, _SEX),
)
_FRID_CHECKS = (
    _check(CheckName.DOCUMENT_NUMBER, (1, 12), (1, 0, 12)),
    _check(CheckName.BIRTH_DATE, (1, 33), (1, 27, 33)),
    _check(CheckName.COMPOSITE, (1, 35), (0, 0, 36), (1, 0, 35)),
)

LAYOUTS: Mapping[MrzFormat, Layout] = MappingProxyType(
    {
        MrzFormat.TD1: _layout(MrzFormat.TD1, (3, 30), _TD1_ROWS, _TD1_CHECKS, code="IAC"),
        MrzFormat.TD2: _two_lines(MrzFormat.TD2, 36, 35, _TD2_CHECKS, "IACP"),
        MrzFormat.TD3: _two_lines(MrzFormat.TD3, 44, 42, _TD3_CHECKS, "P"),
        MrzFormat.MRVA: _two_lines(MrzFormat.MRVA, 44, 44, (), "V"),
        MrzFormat.MRVB: _two_lines(MrzFormat.MRVB, 36, 36, (), "V"),
        MrzFormat.FRID: _layout(MrzFormat.FRID, (2, 36), _FRID_ROWS, _FRID_CHECKS, code="I"),
    }
)
