"""Boarding passes: the worked examples of IATA's implementation guide, the date rule, and what is refused."""

from datetime import date

import pytest

from gate.checks.bcbp import (
    BcbpReason,
    BcbpRefusal,
    BoardingPass,
    flight_date,
    format_bcbp,
    issue_date,
    parse_bcbp,
)

# The implementation guide's examples: mandatory items only; two legs with everything and a security field.
SHORT = "M1DESMARAIS/LUC       EABC123 YULFRAAC 0834 326J001A0025 100"
LONG = (
    "M2DESMARAIS/LUC       EABC123 YULFRAAC 0834 226F001A0025 14D>6181WW6225BAC 00141234560032A0141234567890 1AC AC 1234567890123"
    "    20KYLX58ZDEF456 FRAGVALH 3664 227C012C0002 12E2A0140987654321 1AC AC 1234567890123    2PCNWQ^164GIWVC5EH7JNT684FVNJ9"
    "1W2QA4DVN5J8K4F0L0GEQ3DF5TGBN8709HKT5D3DW3GBHFCVHMY7J5T6HFR41W2QA4DVN5J8K4F0L0GE"
)


def parsed(text: str) -> BoardingPass:
    found = parse_bcbp(text)
    assert isinstance(found, BoardingPass), found
    return found


def refused(text: str) -> BcbpRefusal:
    found = parse_bcbp(text)
    assert isinstance(found, BcbpRefusal), found
    return found


def test_mandatory_items_alone_are_a_pass() -> None:
    found = parsed(SHORT)
    (leg,) = found.legs
    assert (found.surname, found.given_names, found.electronic_ticket) == ("DESMARAIS", "LUC", "E")
    assert (leg.pnr, leg.origin, leg.destination, leg.carrier, leg.flight_number) == (
        "ABC123",
        "YUL",
        "FRA",
        "AC",
        "0834",
    )
    assert (leg.day_of_year, leg.compartment, leg.seat, leg.sequence, leg.status) == (326, "J", "001A", "0025", "1")
    assert (found.version, found.bag_tags, found.security, leg.fast_track) == ("", (), None, None)


def test_two_legs_with_everything() -> None:
    found = parsed(LONG)
    first, second = found.legs
    assert (found.version, found.issuer, found.issued, found.document_type) == ("6", "AC", "6225", "B")
    assert found.bag_tags == ("0014123456003",)
    assert (first.airline_numeric, first.document_serial, first.frequent_flyer_number) == (
        "014",
        "1234567890",
        "1234567890123",
    )
    assert (first.free_baggage, first.fast_track, first.airline_data) == ("20K", True, "LX58Z")
    assert (second.carrier, second.flight_number, second.destination, second.day_of_year) == ("LH", "3664", "GVA", 227)
    assert (second.free_baggage, second.fast_track, second.airline_data) == ("2PC", False, "WQ")


def test_security_field_is_kept_apart_with_what_it_signs() -> None:
    security = parsed(LONG).security
    assert security is not None
    assert (security.kind, len(security.data)) == ("1", 0x64)
    assert security.signed_text + "^164" + security.data == LONG


@pytest.mark.parametrize("text", [SHORT, LONG])
def test_formatting_is_the_inverse(text: str) -> None:
    assert format_bcbp(parsed(text)) == text


@pytest.mark.parametrize(
    ("today", "expected"),
    [
        (date(2026, 11, 21), date(2026, 11, 22)),
        (date(2027, 1, 2), date(2026, 11, 22)),
        (date(2026, 3, 1), date(2025, 11, 22)),
        (date(2028, 11, 22), date(2028, 11, 21)),
    ],
)
def test_flight_is_in_the_nearest_year(today: date, expected: date) -> None:
    assert flight_date(parsed(SHORT).legs[0], today) == expected


@pytest.mark.parametrize(
    ("today", "day", "expected"),
    [
        (date(2026, 12, 31), "001", date(2027, 1, 1)),
        (date(2027, 1, 1), "365", date(2026, 12, 31)),
        (date(2028, 12, 30), "366", date(2028, 12, 31)),
        (date(2026, 12, 31), "366", None),
        (date(2027, 5, 1), "366", date(2028, 12, 31)),
    ],
)
def test_turn_of_the_year_and_leap_day(today: date, day: str, expected: date | None) -> None:
    assert flight_date(parsed(SHORT.replace("326J", f"{day}J")).legs[0], today) == expected


def test_pass_without_a_date_has_none() -> None:
    assert flight_date(parsed(SHORT.replace("326J", "   J")).legs[0], date(2026, 1, 1)) is None


def test_issue_date_uses_the_digit_of_the_year() -> None:
    found = parsed(LONG)
    assert issue_date(found, date(2026, 8, 20)) == date(2026, 8, 13)
    assert issue_date(found, date(2029, 8, 20)) == date(2026, 8, 13)
    assert issue_date(parsed(SHORT), date(2026, 8, 20)) is None


@pytest.mark.parametrize(
    ("text", "reason", "where"),
    [
        ("", BcbpReason.NOT_BCBP, ""),
        ("https://example.org", BcbpReason.NOT_BCBP, ""),
        (SHORT.replace("M1", "M5"), BcbpReason.NOT_BCBP, "legs"),
        ("M" * 5000, BcbpReason.NOT_BCBP, ""),
        (SHORT[:40], BcbpReason.TOO_SHORT, "flight number"),
        (SHORT.replace("M1", "M2"), BcbpReason.TOO_SHORT, "record locator"),
        (SHORT.replace("YUL", "Y1L"), BcbpReason.BAD_FIELD, "origin at 30"),
        (SHORT.replace("326J", "367J"), BcbpReason.BAD_FIELD, "'367'"),
        (SHORT.replace("326J", "000J"), BcbpReason.BAD_FIELD, "'000'"),
        (SHORT.replace("0834 ", "08x4 "), BcbpReason.BAD_FIELD, "flight number at 39"),
        (SHORT.replace("DESMARAIS/LUC", "             "), BcbpReason.BAD_FIELD, "name"),
        (SHORT[:-2] + "0G", BcbpReason.BAD_SIZE, "hexadecimal"),
        (SHORT[:-2] + "05", BcbpReason.BAD_SIZE, "claims 5"),
        (SHORT + "x", BcbpReason.BAD_SIZE, "left over at 60"),
        (SHORT.replace("LUC", "LÜC"), BcbpReason.BAD_CHARACTER, "at 13"),
        (LONG[:-1], BcbpReason.BAD_SIZE, "security"),
    ],
)
def test_what_is_no_pass_is_refused_with_the_place(text: str, reason: BcbpReason, where: str) -> None:
    found = refused(text)
    assert found.reason is reason
    assert where in found.detail


def test_airline_data_without_the_mark_is_the_airlines_alone() -> None:
    assert parsed(SHORT[:-2] + "03ABC").legs[0].airline_data == "ABC"
