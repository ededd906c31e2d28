"""Does the text printed in the visual zone agree with the MRZ? Pure, standard library only.

Source: ICAO Doc 9303, 8th edition, part 3: the data elements of both zones, 4.8 (dates), section 6 (transliteration). Rows come from a
recogniser that errs, so only a row that is clear and looks like the field, yet is another value, counts as different; a field that
is not found says nothing.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from gate.checks.mrz import Mrz
from gate.checks.names import mrz_spelling, name_similarity, similarity_ratio, skeleton
from gate.core.document_findings import Agreement

COMPARED = ("document_number", "surname", "given_names", "birth_date", "expiry_date")

Ymd = tuple[int, int, int]
"""Two-digit year, month, day."""

# Least certain character of a row that may accuse a document: of another number, and of another name or date, which rows of print that
# were cut or misread resemble more easily. Then how like a field a row must be to be that field, altered.
SURE = 0.8
SURER = 0.96
_LIKE_NUMBER = 0.6
# Above the first it is the name; between the second and the third another; between, accents or a lost letter may be the reason.
_SAME_NAME, _OTHER_NAME, _LIKE_NAME = 0.85, 0.75, 0.6
_SHORTEST_NUMBER = 5
_SHORTEST_NAME = 3

# Months' names in the languages of travel documents, by their first three letters; one name may be two months (LIP is June in
# Croatian and July in Polish), so a date is all that it may be.
_MONTH_NAMES = (
    "JAN ENE GEN STY SIJ LED SAU",
    "FEB FEV LUT VEL UNO VAS",
    "MAR MRT MAE OZU KOV",
    "APR AVR ABR KWI TRA DUB BAL",
    "MAY MAI MEI MAJ MAG SVI KVE GEG TOU",
    "JUN JUI GIU CZE LIP CVN BIR",
    "JUL JUI LUG SRP CVC LIP LIE HEI",
    "AUG AOU AGO SIE KOL ELO SRP",
    "SEP SET WRZ RUJ ZAR RGS SYY",
    "OCT OKT OTT OUT PAZ LIS RIJ SPA LOK",
    "NOV LIS STU NOE LAP",
    "DEC DEZ DIC GRU PRO GRD JOU",
)
_MONTHS: dict[str, set[int]] = {}
for _month, _names in enumerate(_MONTH_NAMES, start=1):
    for _word in _names.split():
        _MONTHS.setdefault(_word, set()).add(_month)
_NUMERIC = re.compile(r"(?<!\d)(\d{1,2})[ ./\-]{1,2}(\d{1,2})[ ./\-]{1,2}(\d{4}|\d{2})(?!\d)")
_YEAR_FIRST = re.compile(r"(?<!\d)(\d{4})[ ./\-]{1,2}(\d{1,2})[ ./\-]{1,2}(\d{1,2})(?!\d)")
_WORDED = re.compile(r"(?<!\d)(\d{1,2})[ ./\-]*([A-Z]{3,}(?:[ ./\-]+[A-Z]{3,})?)[ ./\-]*(\d{4}|\d{2})(?!\d)")


@dataclass(frozen=True, slots=True, kw_only=True)
class PrintedText:
    """One row as a recogniser read it; ``confidence`` 0..1 is that of its least certain character."""

    text: str
    confidence: float


@dataclass(frozen=True, slots=True, kw_only=True)
class VisualZoneComparison:
    """``fields`` gives each field that was found its agreement, 0..1; ``differing`` names those that are clear and differ."""

    agreement: Agreement
    fields: tuple[tuple[str, float], ...]
    differing: tuple[str, ...]

    @property
    def is_complete(self) -> bool:
        """Whether every field that is compared was found."""
        return len(self.fields) == len(COMPARED)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Match:
    share: float
    differs: bool


def compare_visual_zone(texts: Sequence[PrintedText], mrz: Mrz) -> VisualZoneComparison:
    """Compare rows of printed text with a parsed zone.

    The zones agree if the document number does, or two other fields, and none differs.
    """
    found = {
        "document_number": _number(texts, mrz),
        "surname": _name(texts, mrz.primary_name, is_truncated=mrz.is_name_truncated and not mrz.secondary_name),
        "given_names": _name(texts, mrz.secondary_name, is_truncated=mrz.is_name_truncated),
        "birth_date": _birth(texts, mrz),
        "expiry_date": _expiry(texts, mrz),
    }
    fields = {name: match for name, match in found.items() if match is not None}
    differing = tuple(name for name, match in fields.items() if match.differs)
    agreeing = {name for name, match in fields.items() if not match.differs}
    if differing:
        agreement = Agreement.DIFFERS
    elif "document_number" in agreeing or len(agreeing) >= 2:
        agreement = Agreement.AGREES
    else:
        agreement = Agreement.UNREAD
    shares = tuple((name, round(match.share, 3)) for name, match in fields.items())
    return VisualZoneComparison(agreement=agreement, fields=shares, differing=differing)


def read_dates(text: str) -> frozenset[Ymd]:
    """Return the dates in a row of print, in digits (day first unless that is impossible) or with a month's name."""
    plain = mrz_spelling_keeping_signs(text)
    found = {(int(y) % 100, int(m), int(d)) for y, m, d in _YEAR_FIRST.findall(plain)}
    for first, second, year in _NUMERIC.findall(plain):
        day, month = (int(second), int(first)) if int(second) > 12 else (int(first), int(second))
        found.add((int(year) % 100, month, day))
    for day, words, year in _WORDED.findall(plain):
        months = {month for word in re.split(r"[^A-Z]+", words) for month in _MONTHS.get(word[:3], ())}
        found |= {(int(year) % 100, month, int(day)) for month in months}
    return frozenset((y, m, d) for y, m, d in found if 1 <= m <= 12 and 1 <= d <= 31)


def mrz_spelling_keeping_signs(text: str) -> str:
    """Return ``text`` in plain capitals, with the signs that part dates."""
    return "".join(character if character in " ./-" else mrz_spelling(character) or " " for character in text)


def _number(texts: Sequence[PrintedText], mrz: Mrz) -> _Match | None:
    number = _look_alike(mrz.document_number)
    if len(number) < _SHORTEST_NUMBER:
        return None
    best: float | None = None
    known = _look_alike(mrz.optional_data)
    for text in texts:
        for word in _words(text.text):
            if number in word:
                return _Match(share=1.0, differs=False)
            if text.confidence < SURE or len(word) != len(number) or word in known or _is_date(text.text):
                continue
            share = similarity_ratio(word, number)
            if share >= _LIKE_NUMBER or (_shape(word) == _shape(number) and _is_mixed(number)):
                best = max(best or 0.0, share)
    return None if best is None else _Match(share=best, differs=True)


def _words(text: str) -> set[str]:
    """Return the row's words and what they make together: some issuers space their numbers."""
    words = [_look_alike(word) for word in re.split(r"[^0-9A-Za-z]+", text)]
    pairs = (a + b for a, b in pairwise(words))
    return {word for word in (*words, *pairs, "".join(words)) if len(word) >= _SHORTEST_NUMBER}


def _look_alike(text: str) -> str:
    """Return letters and digits, with O as 0 and I as 1: recognisers do not tell them apart in print."""
    return re.sub(r"[^0-9A-Z]", "", text.upper()).translate(str.maketrans("OI", "01"))


def _shape(word: str) -> str:
    return re.sub(r"[A-Z]", "A", re.sub(r"\d", "0", word))


def _is_mixed(number: str) -> bool:
    """Mere digits may be anything; letters among them are an issuer's own pattern."""
    return bool(re.search(r"[A-Z]", number)) and bool(re.search(r"\d{4}", number))


def _is_date(text: str) -> bool:
    return bool(read_dates(text))


def _name(texts: Sequence[PrintedText], name: str, *, is_truncated: bool) -> _Match | None:
    wanted = skeleton(name)
    if len(wanted) < _SHORTEST_NAME:
        return None
    best, is_sure = 0.0, False
    for text in texts:
        if wanted in skeleton(text.text):
            return _Match(share=1.0, differs=False)
        share = name_similarity(text.text, name, is_truncated=is_truncated)
        if share > best:
            is_whole = abs(len(skeleton(text.text)) - len(wanted)) <= 1
            best, is_sure = share, is_whole and text.confidence >= SURER
    if best >= _SAME_NAME:
        return _Match(share=best, differs=False)
    return _Match(share=best, differs=True) if _LIKE_NAME <= best <= _OTHER_NAME and is_sure else None


def _birth(texts: Sequence[PrintedText], mrz: Mrz) -> _Match | None:
    expected = _ymd(mrz.birth_date)
    if expected is None:
        return None
    near = _near(texts, expected)
    if near is None or expected in near:
        return None if near is None else _Match(share=1.0, differs=False)
    suspects = near - {_ymd(mrz.expiry_date)}
    return _Match(share=2 / 3, differs=True) if suspects else None


def _expiry(texts: Sequence[PrintedText], mrz: Mrz) -> _Match | None:
    expected = _ymd(mrz.expiry_date)
    if expected is None:
        return None
    near = _near(texts, expected)
    if near is None or expected in near:
        return None if near is None else _Match(share=1.0, differs=False)
    # The date of issue often has the expiry's day and month; only a later year is an expiry.
    suspects = [date for date in near if date[0] == expected[0] or 0 < (date[0] - expected[0]) % 100 <= 20]
    return _Match(share=2 / 3, differs=True) if suspects else None


def _near(texts: Iterable[PrintedText], expected: Ymd) -> frozenset[Ymd] | None:
    """Return the dates that have at least two parts of the expected one, or the date itself; None if there are none."""
    dates = set()
    for text in texts:
        for date in read_dates(text.text):
            alike = sum(a == b for a, b in zip(date, expected, strict=True))
            if alike == 3 or (alike == 2 and text.confidence >= SURER):
                dates.add(date)
    return frozenset(dates) or None


def _ymd(printed: str) -> Ymd | None:
    return (int(printed[:2]), int(printed[2:4]), int(printed[4:6])) if printed.isdigit() else None
