"""Bar coded boarding passes (BCBP): parsing and formatting. Pure, standard library only.

Source: IATA Resolution 792 (version 8, June 2020), attachment "data element matrix", and the IATA BCBP Implementation Guide,
7th edition. The numbers in brackets below are the resolution's item numbers.

A pass names a traveller and their flights; it proves nothing. Its security field is kept apart together with the text that it
signs, for whoever has the airline's key.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

FORMAT_CODE = "M"
CONDITIONAL_MARK = ">"
SECURITY_MARK = "^"
MAX_LEGS = 4
MAX_CHARACTERS = 4096
"""Far more than a symbol holds (PDF417: 1,850 characters): what is longer is not looked at."""


class BcbpReason(StrEnum):
    """Why a text is no boarding pass."""

    NOT_BCBP = "not_bcbp"
    BAD_CHARACTER = "bad_character"
    TOO_SHORT = "too_short"
    BAD_FIELD = "bad_field"
    BAD_SIZE = "bad_size"


@dataclass(frozen=True, slots=True, kw_only=True)
class BcbpRefusal:
    reason: BcbpReason
    detail: str
    """Which field, and where it starts (0 is the first character)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Leg:
    """One flight. Empty strings and None are fields that the airline left blank, which the resolution allows for each."""

    pnr: str
    """[7] Record locator at the operating carrier, up to 7 characters."""
    origin: str
    """[26] IATA city or airport code."""
    destination: str
    """[38]"""
    carrier: str
    """[42] Operating carrier, two or three characters."""
    flight_number: str
    """[43] Four digits and perhaps a letter, as printed: `0834`, `0834A`."""
    day_of_year: int | None
    """[46] 1 to 366; the year is not in the pass (:func:`flight_date`)."""
    compartment: str
    """[71]"""
    seat: str
    """[104] `001A`; `INF` for an infant."""
    sequence: str
    """[107] Check-in sequence number."""
    status: str
    """[117] Passenger status, one character; `1` and `3` are checked in."""
    airline_numeric: str = ""
    """[142]"""
    document_serial: str = ""
    """[143]"""
    selectee: str = ""
    """[18]"""
    document_verification: str = ""
    """[108] `1`: travel documents must be verified, `2`: they were."""
    marketing_carrier: str = ""
    """[19]"""
    frequent_flyer_airline: str = ""
    """[20]"""
    frequent_flyer_number: str = ""
    """[236]"""
    id_ad: str = ""
    """[89]"""
    free_baggage: str = ""
    """[118] `20K`, `2PC`."""
    fast_track: bool | None = None
    """[254] None where it is blank."""
    airline_data: str = ""
    """[4] For the airline's own use, as it is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SecurityField:
    """[28] to [30], not judged here."""

    kind: str
    data: str
    signed_text: str
    """Everything before the security mark: what the airline signed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BoardingPass:
    """A parsed pass: what the text says, not that it is true."""

    name: str
    """[11] `SURNAME/GIVEN`, up to 20 characters, cut off where the name is longer."""
    electronic_ticket: str
    """[253] `E`, `L` or blank."""
    legs: tuple[Leg, ...]
    version: str = ""
    """[9] Of the conditional items; empty where the pass has none."""
    passenger_description: str = ""
    """[15]"""
    check_in_source: str = ""
    """[12]"""
    issuance_source: str = ""
    """[14]"""
    issued: str = ""
    """[22] Last digit of the year and day of the year: `6225` (:func:`issue_date`)."""
    document_type: str = ""
    """[16] `B` boarding pass, `I` itinerary receipt."""
    issuer: str = ""
    """[21] Airline that issued the pass."""
    bag_tags: tuple[str, ...] = ()
    """[23], [31], [32] 13 digits each: ten of the first tag and three for how many follow it."""
    security: SecurityField | None = None

    @property
    def surname(self) -> str:
        return self.name.partition("/")[0].strip()

    @property
    def given_names(self) -> str:
        return self.name.partition("/")[2].strip()


class _Bad(Exception):
    """Ends parsing; never leaves this module."""

    def __init__(self, reason: BcbpReason, detail: str) -> None:
        self.refusal = BcbpRefusal(reason=reason, detail=detail)


class _Cursor:
    def __init__(self, text: str, start: int, end: int) -> None:
        self._text = text
        self.at = start
        self.end = end

    def take(self, length: int, what: str) -> str:
        """Exactly so many characters."""
        if self.at + length > self.end:
            raise _Bad(BcbpReason.TOO_SHORT, f"{what} is missing at {self.at}")
        return self.take_some(length)

    def take_some(self, length: int) -> str:
        """Up to so many: a message may end after its last used item."""
        start, self.at = self.at, min(self.at + length, self.end)
        return self._text[start : self.at]

    def take_size(self, what: str) -> int:
        """Two hexadecimal digits."""
        at = self.at
        digits = self.take(2, what)
        if any(digit not in "0123456789ABCDEF" for digit in digits):
            raise _Bad(BcbpReason.BAD_SIZE, f"{what} at {at} is {digits!r}, not two hexadecimal digits")
        return int(digits, 16)

    def inside(self, length: int, what: str) -> "_Cursor":
        """The next so many characters, for themselves; this cursor goes behind them."""
        if self.at + length > self.end:
            raise _Bad(
                BcbpReason.BAD_SIZE, f"{what} claims {length} characters at {self.at}, {self.end - self.at} follow"
            )
        part = _Cursor(self._text, self.at, self.at + length)
        self.at += length
        return part


def parse_bcbp(text: str) -> BoardingPass | BcbpRefusal:
    """Read a pass out of a bar code's text. Never raises: any text gives a pass or the reason why it is none."""
    text = text.rstrip("\r\n")
    if not text.startswith(FORMAT_CODE) or len(text) > MAX_CHARACTERS:
        return BcbpRefusal(reason=BcbpReason.NOT_BCBP, detail="does not begin with the format code M, or is too long")
    wrong = next((i for i, character in enumerate(text) if not " " <= character <= "~"), None)
    if wrong is not None:
        return BcbpRefusal(
            reason=BcbpReason.BAD_CHARACTER, detail=f"character {text[wrong]!r} at {wrong} is not printable ASCII"
        )
    try:
        return _parse(text)
    except _Bad as bad:
        return bad.refusal


def _parse(text: str) -> BoardingPass:
    cursor = _Cursor(text, 1, len(text))
    count = cursor.take(1, "the number of legs")
    if count not in "1234":
        raise _Bad(BcbpReason.NOT_BCBP, f"the number of legs is {count!r}, not 1 to {MAX_LEGS}")
    name = cursor.take(20, "the name").rstrip()
    if not name:
        raise _Bad(BcbpReason.BAD_FIELD, "the name at 2 is blank")
    electronic_ticket = cursor.take(1, "the electronic ticket indicator").strip()
    unique: dict[str, str] = {}
    legs = [_leg(cursor, unique, is_first=number == 0) for number in range(int(count))]
    security = _security(text, cursor)
    if text[cursor.at :].strip():
        raise _Bad(BcbpReason.BAD_SIZE, f"characters are left over at {cursor.at}")
    tags = tuple(tag for key in ("tag", "tag_1", "tag_2") if (tag := unique.pop(key, "")))
    return BoardingPass(
        name=name, electronic_ticket=electronic_ticket, legs=tuple(legs), bag_tags=tags, security=security, **unique
    )


_UNIQUE = (
    ("passenger_description", 1),
    ("check_in_source", 1),
    ("issuance_source", 1),
    ("issued", 4),
    ("document_type", 1),
    ("issuer", 3),
    ("tag", 13),
    ("tag_1", 13),
    ("tag_2", 13),
)
_REPEATED = (
    ("airline_numeric", 3),
    ("document_serial", 10),
    ("selectee", 1),
    ("document_verification", 1),
    ("marketing_carrier", 3),
    ("frequent_flyer_airline", 3),
    ("frequent_flyer_number", 16),
    ("id_ad", 1),
    ("free_baggage", 3),
    ("fast_track", 1),
)


def _leg(cursor: _Cursor, unique: dict[str, str], *, is_first: bool) -> Leg:
    pnr = cursor.take(7, "the record locator").strip()
    origin = _code(cursor, "the origin")
    destination = _code(cursor, "the destination")
    carrier = cursor.take(3, "the operating carrier").strip()
    flight_number = _flight_number(cursor)
    day_of_year = _day(cursor)
    compartment = cursor.take(1, "the compartment").strip()
    seat = cursor.take(4, "the seat").strip()
    sequence = cursor.take(5, "the check-in sequence number").strip()
    status = cursor.take(1, "the passenger status").strip()
    variable = cursor.inside(cursor.take_size("the size of the conditional items"), "the conditional items")
    repeated = _conditional(variable, unique, is_first=is_first)
    fast_track = {"Y": True, "N": False}.get(repeated.pop("fast_track", ""))
    return Leg(
        pnr=pnr,
        origin=origin,
        destination=destination,
        carrier=carrier,
        flight_number=flight_number,
        day_of_year=day_of_year,
        compartment=compartment,
        seat=seat,
        sequence=sequence,
        status=status,
        fast_track=fast_track,
        airline_data=variable.take_some(variable.end),
        **repeated,
    )


def _conditional(variable: _Cursor, unique: dict[str, str], *, is_first: bool) -> dict[str, str]:
    """The items of one leg; those of the whole pass, which stand in the first leg, go to `unique`."""
    if variable.at == variable.end:
        return {}
    if is_first:
        mark = variable.take(1, "the beginning of the conditional items")
        if mark != CONDITIONAL_MARK:
            # Without the mark the airline has used the room for itself alone.
            variable.at -= 1
            return {}
        unique["version"] = variable.take(1, "the version").strip()
        part = variable.inside(variable.take_size("the size of the unique items"), "the unique items")
        unique.update((name, part.take_some(length).strip()) for name, length in _UNIQUE)
        if variable.at == variable.end:
            return {}
    part = variable.inside(variable.take_size("the size of the repeated items"), "the repeated items")
    return {name: part.take_some(length).strip() for name, length in _REPEATED}


def _security(text: str, cursor: _Cursor) -> SecurityField | None:
    if cursor.at >= cursor.end or text[cursor.at] != SECURITY_MARK:
        return None
    signed_text = text[: cursor.at]
    cursor.at += 1
    kind = cursor.take(1, "the kind of security data")
    part = cursor.inside(cursor.take_size("the size of the security data"), "the security data")
    return SecurityField(kind=kind, data=part.take_some(part.end), signed_text=signed_text)


def _code(cursor: _Cursor, what: str) -> str:
    at = cursor.at
    code = cursor.take(3, what).strip()
    if code and not (len(code) == 3 and code.isalpha() and code.isupper()):
        raise _Bad(BcbpReason.BAD_FIELD, f"{what} at {at} is {code!r}, not three letters")
    return code


def _flight_number(cursor: _Cursor) -> str:
    at = cursor.at
    number = cursor.take(5, "the flight number").strip()
    digits = number[:-1] if number[-1:].isalpha() else number
    if number and not (digits.isdecimal() and len(digits) <= 5):
        raise _Bad(BcbpReason.BAD_FIELD, f"the flight number at {at} is {number!r}, not digits and a letter")
    return number


def _day(cursor: _Cursor) -> int | None:
    at = cursor.at
    day = cursor.take(3, "the date of flight")
    if not day.strip():
        return None
    if not day.isdecimal() or not 1 <= int(day) <= 366:
        raise _Bad(BcbpReason.BAD_FIELD, f"the date of flight at {at} is {day!r}, not a day of the year")
    return int(day)


def flight_date(leg: Leg, reference: date) -> date | None:
    """The flight's day in the year that puts it nearest to `reference` (normally today).

    None where the leg has no date, and for day 366 where none of the three years around the reference has one: a pass for
    the last day of a leap year that is not near is no pass of these days.
    """
    return None if leg.day_of_year is None else _nearest(leg.day_of_year, _years(reference, 1), reference)


def issue_date(boarding_pass: BoardingPass, reference: date) -> date | None:
    """When the pass was issued: the year nearest to `reference` that ends in the digit given. None where it is not said."""
    issued = boarding_pass.issued
    if len(issued) != 4 or not issued.isdecimal() or not issued.isascii() or not 1 <= int(issued[1:]) <= 366:
        return None
    years = [year for year in _years(reference, 6) if year % 10 == int(issued[0])]
    return _nearest(int(issued[1:]), years, reference)


def _years(reference: date, around: int) -> list[int]:
    return list(range(max(1, reference.year - around), min(9999, reference.year + around) + 1))


def _nearest(day_of_year: int, years: Sequence[int], reference: date) -> date | None:
    days = [date(year, 1, 1) + timedelta(days=day_of_year - 1) for year in years if day_of_year <= _length(year)]
    return min(days, key=lambda day: (abs(day - reference), day), default=None)


def _length(year: int) -> int:
    return date(year, 12, 31).timetuple().tm_yday


def format_bcbp(boarding_pass: BoardingPass) -> str:
    """The text of a pass, for printing one. Fields that are too long are cut, as airlines do with names."""
    text = f"{FORMAT_CODE}{len(boarding_pass.legs)}{boarding_pass.name:20.20}{boarding_pass.electronic_ticket:1.1}"
    for number, leg in enumerate(boarding_pass.legs):
        day = "   " if leg.day_of_year is None else f"{leg.day_of_year:03d}"
        variable = _format_variable(boarding_pass, leg, is_first=number == 0)
        text += (
            f"{leg.pnr:7.7}{leg.origin:3.3}{leg.destination:3.3}{leg.carrier:3.3}{leg.flight_number:5.5}{day}"
            f"{leg.compartment:1.1}{leg.seat:>4.4}{leg.sequence:5.5}{leg.status:1.1}{len(variable):02X}{variable}"
        )
    if boarding_pass.security is not None:
        security = boarding_pass.security
        text += f"{SECURITY_MARK}{security.kind:1.1}{len(security.data):02X}{security.data}"
    return text


def _format_variable(boarding_pass: BoardingPass, leg: Leg, *, is_first: bool) -> str:
    flag = {True: "Y", False: "N", None: " "}[leg.fast_track]
    values = {name: flag if name == "fast_track" else getattr(leg, name) for name, _ in _REPEATED}
    repeated = "".join(f"{values[name]:{length}.{length}}" for name, length in _REPEATED).rstrip()
    if not is_first:
        return f"{len(repeated):02X}{repeated}{leg.airline_data}" if repeated or leg.airline_data else ""
    if not boarding_pass.version:
        return leg.airline_data
    tags = dict(zip(("tag", "tag_1", "tag_2"), boarding_pass.bag_tags, strict=False))
    unique = "".join(
        f"{tags.get(name, '') if name.startswith('tag') else getattr(boarding_pass, name):{length}.{length}}"
        for name, length in _UNIQUE
    ).rstrip()
    head = f"{CONDITIONAL_MARK}{boarding_pass.version:1.1}{len(unique):02X}{unique}"
    return head + (f"{len(repeated):02X}{repeated}{leg.airline_data}" if repeated or leg.airline_data else "")
