"""Single fields of a list: what a good one looks like, or what is wrong with it."""

import re
from datetime import date
from functools import lru_cache

from gate.checks.country_codes import CodeStatus, issuer_status, nationality_status

_NAME = re.compile(r"[^\W\d_](?:[^\W\d_]|[ .,'\-/])*")
_NUMBER = re.compile(r"[A-Z0-9](?:[A-Z0-9 /<\-]*[A-Z0-9<])?")
_PORT = re.compile(r"[A-Z]{3}(?:[A-Z0-9]{2})?")
_KIND = re.compile(r"[A-Z]{1,3}")
_FLIGHT = re.compile(r"[A-Z0-9]{2,3}[0-9]{1,4}[A-Z]?")
_STAMP = re.compile(r"(?:\d{2})?\d{10}")
MAX_NAME = 64
MAX_NUMBER = 35
_GERMANY = {"DEU": "D"}
"""ISO 3166-1 has DEU, Doc 9303 has D (part 3, section 5)."""


class BadField(ValueError):
    """What is wrong with a field, in words that go behind its name."""


@lru_cache(maxsize=65536)
def read_date(text: str, form: str, *, today: date, is_past: bool) -> date:
    """``YYMMDD`` (format 101 or none) or ``CCYYMMDD`` (102). A two-digit year is the last one that fits, or one of the next 50.

    ``is_past``: a birth date, which is not after ``today``.
    """
    if not text:
        raise BadField("is missing")
    if not (text.isascii() and text.isdigit() and len(text) in (6, 8) and form in ("", "101", "102")):
        raise BadField(f"{_shown(text)} is no date of the form YYMMDD")
    try:
        if len(text) == 8:
            read = date(int(text[:4]), int(text[4:6]), int(text[6:]))
        else:
            read = _of_two_digits(int(text[:2]), int(text[2:4]), int(text[4:]), today, is_past=is_past)
    except ValueError:
        raise BadField(f"{_shown(text)} is no day of the calendar") from None
    if (is_past and not today.year - 130 <= read.year <= today.year) or (is_past and read > today):
        raise BadField(f"{_shown(text)} is nobody's birth date")
    return read


def _of_two_digits(year: int, month: int, day: int, today: date, *, is_past: bool) -> date:
    latest = today.year if is_past else today.year + 50
    full = latest - (latest - year) % 100
    read = date(full, month, day)
    return date(full - 100, month, day) if is_past and read > today else read


@lru_cache(maxsize=65536)
def read_name(text: str) -> str:
    """A name part; letters of any alphabet, no digits."""
    if len(text) > MAX_NAME:
        raise BadField(f"is longer than {MAX_NAME} characters")
    if _NAME.fullmatch(text) is None:
        raise BadField("is missing" if not text.strip() else f"{_shown(text)} is no name")
    return text


def read_document_number(text: str) -> str:
    """As printed, with the separators that some states use."""
    if not text:
        raise BadField("is missing")
    if len(text) > MAX_NUMBER or _NUMBER.fullmatch(text) is None:
        raise BadField(f"{_shown(text)} is no document number")
    return text


@lru_cache(maxsize=1024)
def read_document_kind(text: str) -> str:
    """P, V, A, C, I, AC, IP, F, M, ...: one to three letters."""
    if not text:
        raise BadField("is missing")
    if _KIND.fullmatch(text) is None:
        raise BadField(f"{_shown(text)} is no kind of document")
    return text


@lru_cache(maxsize=4096)
def read_state(text: str, *, is_issuer: bool) -> str:
    """A code of ISO 3166-1 alpha-3 or Doc 9303, as sent."""
    if not text:
        raise BadField("is missing")
    code = doc9303_state(text)
    status = issuer_status(code) if is_issuer else nationality_status(code)
    if status is CodeStatus.UNKNOWN:
        raise BadField(f"{_shown(text)} is no state's code of ISO 3166-1 or ICAO Doc 9303")
    return text


def doc9303_state(code: str) -> str:
    """A state's code as travel documents carry it."""
    return _GERMANY.get(code, code)


@lru_cache(maxsize=4096)
def read_port(text: str) -> str:
    """Three letters of IATA or five of UN/LOCODE."""
    if _PORT.fullmatch(text) is None:
        raise BadField("is missing" if not text else f"{_shown(text)} is no port's code")
    return text


def read_flight(text: str) -> str:
    """Carrier and number, such as ``UA123`` or ``CA0981A``."""
    if _FLIGHT.fullmatch(text) is None:
        raise BadField("is missing" if not text else f"{_shown(text)} is no flight")
    return text


def read_stamp(text: str) -> str:
    """``YYMMDDhhmm`` (201) or with the century (203)."""
    if not (text.isascii() and _STAMP.fullmatch(text)):
        raise BadField("is missing" if not text else f"{_shown(text)} is no time of the form YYMMDDhhmm")
    month, day, hour, minute = (int(text[at : at + 2]) for at in range(len(text) - 8, len(text), 2))
    if not (1 <= month <= 12 and 1 <= day <= 31 and hour <= 23 and minute <= 59):
        raise BadField(f"{_shown(text)} is no time of day")
    return text


def read_count(text: str) -> int:
    """A whole number of up to six digits."""
    if not (text.isascii() and text.isdigit() and len(text) <= 6):
        raise BadField("is missing" if not text else f"{_shown(text)} is no number")
    return int(text)


def _shown(text: str) -> str:
    return repr(text if len(text) <= 40 else text[:40] + "…")
