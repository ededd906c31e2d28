"""Printed text against the MRZ: agreeing, altered, unread; and dates as issuers print them."""

import pytest

from gate.checks.mrz import Mrz, check_digit, parse
from gate.checks.visual_zone import COMPARED, PrintedText, VisualZoneComparison, compare_visual_zone, read_dates
from gate.core.document_findings import Agreement

TD3 = ("P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<", "L898902C36UTO7408122F1204159ZE184226B<<<<<10")
PRINTED = (
    "UTOPIA",
    "Passport/",
    "L898902C3",
    "ERIKSSON",
    "ANNA MARIA",
    "12 AUG/AOUT 74",
    "ZE 184226 B",
    "16 APR/AVR 07",
)
WHOLE = (*PRINTED, "15 APR/AVR 12")


def compared(*rows: str, confidence: float = 0.98, lines: tuple[str, str] = TD3) -> VisualZoneComparison:
    mrz = parse(lines)
    assert isinstance(mrz, Mrz)
    return compare_visual_zone([PrintedText(text=row, confidence=confidence) for row in rows], mrz)


def without(*left_out: str) -> list[str]:
    return [row for row in WHOLE if row not in left_out]


def test_a_page_that_says_the_same_agrees() -> None:
    result = compared(*WHOLE)
    assert result == VisualZoneComparison(
        agreement=Agreement.AGREES, fields=tuple((name, 1.0) for name in COMPARED), differing=()
    )
    assert result.is_complete


@pytest.mark.parametrize(
    "row", ["L898902C3", "No. L898902C3", "L 898902C3", "L898902 C3", "L8989O2C3", "Passport No.L898902C3x"]
)
def test_the_number_is_found_as_issuers_print_it(row: str) -> None:
    assert dict(compared(row).fields)["document_number"] == 1.0


@pytest.mark.parametrize("altered", ["L898902C8", "L898912C3", "L888902C3", "K898902C3", "M123456D7"])
def test_an_altered_number_is_different(altered: str) -> None:
    result = compared(*without("L898902C3"), altered)
    assert result.agreement is Agreement.DIFFERS
    assert result.differing == ("document_number",)


def test_an_unclear_row_accuses_nobody() -> None:
    rows = [PrintedText(text=row, confidence=0.99) for row in without("L898902C3")]
    mrz = parse(TD3)
    assert isinstance(mrz, Mrz)
    result = compare_visual_zone([*rows, PrintedText(text="L898902C8", confidence=0.7)], mrz)
    assert result.agreement is Agreement.AGREES
    assert "document_number" not in dict(result.fields)


@pytest.mark.parametrize("row", ["L8989020", "898902C3", "12.08.1974", "ZE184226B", "UTOPIA1234"])
def test_other_rows_are_no_altered_number(row: str) -> None:
    assert "document_number" not in compared(row).differing


def test_mere_digits_of_the_same_length_may_be_another_field() -> None:
    number = "107182890"
    second = f"{number}{check_digit(number)}GBR8501178F1601312" + "<" * 14 + "0"
    lines = (TD3[0].replace("UTO", "GBR"), second + "0")
    assert compared("123456782", lines=lines).agreement is Agreement.UNREAD
    assert compared("107182891", lines=lines).differing == ("document_number",)


@pytest.mark.parametrize(
    ("field", "row", "other"),
    [
        ("birth_date", "12 AUG/AOUT 74", "12 AUG/AOUT 79"),
        ("birth_date", "12 AUG/AOUT 74", "12.09.1974"),
        ("expiry_date", "15 APR/AVR 12", "15 APR/AVR 17"),
        ("expiry_date", "15 APR/AVR 12", "15 APR/AVR 22"),
        ("surname", "ERIKSSON", "ERIKSENN"),
        ("given_names", "ANNA MARIA", "ANNE MARGO"),
    ],
)
def test_other_altered_fields_are_different(field: str, row: str, other: str) -> None:
    result = compared(*without(row), other)
    assert (result.agreement, result.differing) == (Agreement.DIFFERS, (field,))


def test_a_date_of_issue_is_no_altered_expiry() -> None:
    assert compared(*without("15 APR/AVR 12"), "15 APR/AVR 07").agreement is Agreement.AGREES


def test_a_name_that_lost_a_letter_neither_agrees_nor_differs() -> None:
    result = compared("ERIKSSN", "NNA MARIA", "ERIKS")
    assert result.differing == ()


def test_accents_and_other_scripts_do_not_matter() -> None:
    lines = ("P<D<<MUELLER<<JOERG" + "<" * 25, "L898902C36D<<7408122F1204159<<<<<<<<<<<<<<06")
    result = compared("Müller", "JÖRG", lines=lines)
    assert dict(result.fields) == {"surname": 1.0, "given_names": 1.0}
    assert result.agreement is Agreement.AGREES


@pytest.mark.parametrize("rows", [(), ("UTOPIA",), ("ERIKSSON",)])
def test_one_name_or_nothing_is_unread(rows: tuple[str, ...]) -> None:
    result = compared(*rows)
    assert result.agreement is Agreement.UNREAD
    assert not result.is_complete


@pytest.mark.parametrize(
    ("text", "date"),
    [
        ("12.08.1964", (64, 8, 12)),
        ("2014-12-31", (14, 12, 31)),
        ("12 AUG/AOÛT 74", (74, 8, 12)),
        ("05FEB1965", (65, 2, 5)),
        ("13 LIP/JUL 2016", (16, 7, 13)),
        ("26 MAÍ/MAY 99", (99, 5, 26)),
        ("19 OKT/OCT 1971", (71, 10, 19)),
        ("01 MÁR/MAR 22", (22, 3, 1)),
        ("08/25/1980", (80, 8, 25)),
        ("22. 06. 1969", (69, 6, 22)),
    ],
)
def test_dates_as_issuers_print_them(text: str, date: tuple[int, int, int]) -> None:
    assert date in read_dates(text)


@pytest.mark.parametrize("text", ["", "99009054", "311266-9539", "31.31.1999", "00 JAN 2000", "1,71m", "KARL 12"])
def test_other_rows_are_no_dates(text: str) -> None:
    assert read_dates(text) == frozenset()
