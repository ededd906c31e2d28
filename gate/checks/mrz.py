"""The machine-readable zone: check digits, parsing and formatting. Pure, standard library only.

Source: ICAO Doc 9303, 8th edition, part 3 section 4 (check digits, dates) and parts 4 to 7 (the formats, whose layouts
are in :mod:`gate.checks.mrz_layout`).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from gate.checks.mrz_layout import (
    CHARACTERS,
    DIGITS,
    FILLER,
    FRID_GIVEN_NAMES,
    LAYOUTS,
    LETTERS,
    Check,
    CheckName,
    Layout,
    MrzFormat,
    Span,
)

__all__ = [
    "CHARACTERS",
    "DIGITS",
    "FILLER",
    "LAYOUTS",
    "LETTERS",
    "Check",
    "CheckName",
    "CheckResult",
    "Layout",
    "Mrz",
    "MrzFormat",
    "MrzRefusal",
    "RefusalReason",
    "Span",
    "check_digit",
    "format_td3",
    "layout_for",
    "parse",
]

_VALUES = {character: value for value, character in enumerate(DIGITS + LETTERS)} | {FILLER: 0}
_WEIGHTS = (7, 3, 1)


class RefusalReason(StrEnum):
    """Why lines are not an MRZ."""

    UNKNOWN_FORMAT = "unknown_format"
    BAD_CHARACTER = "bad_character"


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckResult:
    """Outcome of one check digit; ``printed`` is the character in the document, ``expected`` the digit computed."""

    name: CheckName
    printed: str
    expected: int
    is_ok: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Mrz:
    """A parsed zone. Text fields are without trailing fillers; dates are as printed, ``YYMMDD`` with ``<`` if unknown.

    ``sex`` is ``M``, ``F`` or ``<`` (unspecified). ``nationality`` and ``issuer`` are codes of Doc 9303 part 3 section 5.
    """

    format: MrzFormat
    lines: tuple[str, ...]
    document_code: str
    issuer: str
    document_number: str
    nationality: str
    birth_date: str
    sex: str
    expiry_date: str
    optional_data: str
    primary_name: str
    secondary_name: str
    checks: tuple[CheckResult, ...]

    @property
    def check_digits_ok(self) -> bool:
        """True if every check digit of the format is right."""
        return all(check.is_ok for check in self.checks)

    @property
    def is_name_truncated(self) -> bool:
        """True if the name fills its field to the end, so that more may have been cut off (part 4, 4.2.3)."""
        span = LAYOUTS[self.format].fields["names"] if self.format is not MrzFormat.FRID else FRID_GIVEN_NAMES
        return span.of(self.lines)[-1] != FILLER

    def born_on(self, today: date) -> date | None:
        """Return the birth date in the latest century that is not in the future; None if incomplete or impossible."""
        return _resolve(self.birth_date, newest_year=today.year, latest=today)

    def expires_on(self, today: date) -> date | None:
        """Return the expiry date within 49 years after and 50 before ``today``; None if absent or impossible."""
        return _resolve(self.expiry_date, newest_year=today.year + 49, latest=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class MrzRefusal:
    """These lines are not an MRZ we know; ``detail`` says what is wrong in one clause."""

    reason: RefusalReason
    detail: str


def check_digit(text: str) -> int:
    """Return the check digit 0..9 of ``text``: weights 7, 3, 1, modulo 10 (part 3, 4.9).

    Raises ValueError for a character outside A-Z, 0-9 and the filler.
    """
    try:
        return sum(_VALUES[character] * _WEIGHTS[i % 3] for i, character in enumerate(text)) % 10
    except KeyError as error:
        raise ValueError(f"{error.args[0]!r} is not an MRZ character") from None


def layout_for(lines: Sequence[str]) -> Layout | None:
    """Return the layout that these lines have by their number, length and document code, or None."""
    length = len(lines[0]) if lines and len({len(line) for line in lines}) == 1 else 0
    shape = (len(lines), length)
    if shape == (3, 30):
        return LAYOUTS[MrzFormat.TD1]
    if shape == (2, 44):
        return LAYOUTS[MrzFormat.MRVA if lines[0].startswith("V") else MrzFormat.TD3]
    if shape == (2, 36):
        if lines[0].startswith("IDFRA"):
            return LAYOUTS[MrzFormat.FRID]
        return LAYOUTS[MrzFormat.MRVB if lines[0].startswith("V") else MrzFormat.TD2]
    return None


def parse(lines: Sequence[str]) -> Mrz | MrzRefusal:
    """Parse the lines of a zone, as read. A wrong check digit is part of the result, not a refusal."""
    layout = layout_for(lines)
    if layout is None:
        sizes = " + ".join(str(len(line)) for line in lines) or "no"
        return MrzRefusal(reason=RefusalReason.UNKNOWN_FORMAT, detail=f"{sizes} characters fit no format")
    for row, line in enumerate(lines, start=1):
        for position, character in enumerate(line, start=1):
            if character not in _VALUES:
                where = f"{character!r} at line {row}, position {position}"
                return MrzRefusal(reason=RefusalReason.BAD_CHARACTER, detail=f"{where} is not an MRZ character")
    fields = {name: span.of(lines) for name, span in layout.fields.items()}
    number, number_check, optional = _document_number(layout, lines, fields)
    primary, secondary = _names(layout, lines, fields)
    checks = tuple(
        number_check if number_check and check.name is CheckName.DOCUMENT_NUMBER else _verify(check, lines)
        for check in layout.checks
    )
    return Mrz(
        format=layout.format,
        lines=tuple(lines),
        document_code=fields["document_code"].rstrip(FILLER),
        issuer=fields["issuer"].rstrip(FILLER),
        document_number=number,
        nationality=fields.get("nationality", fields["issuer"]).rstrip(FILLER),
        birth_date=fields["birth_date"],
        sex=fields["sex"],
        expiry_date=fields.get("expiry_date", FILLER * 6),
        optional_data=optional,
        primary_name=primary,
        secondary_name=secondary,
        checks=checks,
    )


def format_td3(
    *,
    document_code: str = "P",
    issuer: str,
    primary_name: str,
    secondary_name: str,
    document_number: str,
    nationality: str,
    birth_date: date,
    sex: str,
    expiry_date: date,
    optional_data: str = "",
) -> tuple[str, str]:
    """Return the two lines of a passport (part 4, 4.2.2) with right check digits.

    Names are given in MRZ characters and spaces (see :func:`gate.checks.icao.transliterate`); they are cut at 39
    characters. Raises ValueError if another field is too long or a character is not allowed.
    """
    names = f"{primary_name.replace(' ', FILLER)}<<{secondary_name.replace(' ', FILLER)}"[:39]
    first = _pad(document_code, 2) + _pad(issuer, 3) + _pad(names, 39)
    number, birth, expiry = _pad(document_number, 9), f"{birth_date:%y%m%d}", f"{expiry_date:%y%m%d}"
    optional = _pad(optional_data, 14)
    # An unused optional field may carry 0 or a filler as its check digit; most issuers print the filler.
    optional_check = str(check_digit(optional)) if optional_data else FILLER
    number += str(check_digit(number))
    birth += str(check_digit(birth))
    expiry += str(check_digit(expiry))
    composite = check_digit(number + birth + expiry + optional + optional_check)
    second = f"{number}{_pad(nationality, 3)}{birth}{_pad(sex, 1)}{expiry}{optional}{optional_check}{composite}"
    return first, second


def _pad(text: str, length: int) -> str:
    if len(text) > length:
        raise ValueError(f"{text!r} is longer than its {length} characters")
    check_digit(text)
    return text.ljust(length, FILLER)


def _verify(check: Check, lines: Sequence[str]) -> CheckResult:
    covered = "".join(span.of(lines) for span in check.covers)
    printed = check.digit.of(lines)
    expected = check_digit(covered)
    empty = check.may_be_filler and printed == FILLER and not covered.strip(FILLER)
    return CheckResult(name=check.name, printed=printed, expected=expected, is_ok=empty or printed == str(expected))


def _document_number(
    layout: Layout, lines: Sequence[str], fields: Mapping[str, str]
) -> tuple[str, CheckResult | None, str]:
    """Return the number, its check result if the number is a long one, and what remains of the optional data.

    A number of more than nine characters goes on in the optional data; its check digit place holds a filler and the last
    character before the next filler is the check digit (part 5, 4.2.2 note j; part 6, 4.2.2 note j).
    """
    number = fields["document_number"]
    optional = fields.get("optional_data", "")
    rest = fields.get("optional_data_2", "")
    if layout.format in (MrzFormat.TD1, MrzFormat.TD2):
        place = next(check.digit for check in layout.checks if check.name is CheckName.DOCUMENT_NUMBER)
        tail, _, after = optional.partition(FILLER)
        if place.of(lines) == FILLER and FILLER not in number and len(tail) >= 2:
            number += tail[:-1]
            expected = check_digit(number)
            result = CheckResult(
                name=CheckName.DOCUMENT_NUMBER, printed=tail[-1], expected=expected, is_ok=tail[-1] == str(expected)
            )
            return number, result, _join(after, rest)
    return number.rstrip(FILLER), None, _join(optional, rest)


def _join(*parts: str) -> str:
    return " ".join(part.strip(FILLER) for part in parts if part.strip(FILLER))


def _names(layout: Layout, lines: Sequence[str], fields: Mapping[str, str]) -> tuple[str, str]:
    if layout.format is MrzFormat.FRID:
        primary, secondary = fields["names"], FRID_GIVEN_NAMES.of(lines)
    else:
        primary, _, secondary = fields["names"].partition(FILLER * 2)
    return _words(primary), _words(secondary)


def _words(name: str) -> str:
    return " ".join(word for word in name.split(FILLER) if word)


def _resolve(text: str, *, newest_year: int, latest: date | None) -> date | None:
    if not text.isdigit():
        return None
    year = newest_year - (newest_year - int(text[:2])) % 100
    try:
        resolved = date(year, int(text[2:4]), int(text[4:6]))
        if latest is not None and resolved > latest:
            resolved = resolved.replace(year=year - 100)
    except ValueError:
        return None
    return resolved
