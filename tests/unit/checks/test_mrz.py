"""The MRZ as ICAO Doc 9303 prints it: its own examples, its check digits, its dates."""

from datetime import date

import pytest

from gate.checks.mrz import CheckName, Mrz, MrzFormat, MrzRefusal, RefusalReason, check_digit, format_td3, parse

# The specimens of Doc 9303: part 4 appendix B, part 5 appendix B, part 6 appendix B, part 7 appendices.
TD3 = ("P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<", "L898902C36UTO7408122F1204159ZE184226B<<<<<10")
TD1 = ("I<UTOD231458907<<<<<<<<<<<<<<<", "7408122F1204159UTO<<<<<<<<<<<6", "ERIKSSON<<ANNA<MARIA<<<<<<<<<<")
TD2 = ("I<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<", "D231458907UTO7408122F1204159<<<<<<<6")
MRVA = ("V<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<", "L8988901C4XXX4009078F96121096ZE184226B<<<<<<")
MRVB = ("V<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<", "L8988901C4XXX4009078F9612109<<<<<<<<")
TODAY = date(2026, 11, 23)


def parsed(lines: tuple[str, ...]) -> Mrz:
    result = parse(lines)
    assert isinstance(result, Mrz)
    return result


@pytest.mark.parametrize(
    ("text", "digit"),
    [("520727", 3), ("AB2134<<<", 5), ("HA672242<658022549601086<<<<<<<<<<<<<<0", 8), ("D23145890734", 9)],
)
def test_check_digits_of_part_3(text: str, digit: int) -> None:
    assert check_digit(text) == digit


def test_a_check_digit_needs_mrz_characters() -> None:
    with pytest.raises(ValueError, match="'a' is not an MRZ character"):
        check_digit("12a")


@pytest.mark.parametrize(
    ("lines", "format_", "number"),
    [
        (TD3, MrzFormat.TD3, "L898902C3"),
        (TD1, MrzFormat.TD1, "D23145890"),
        (TD2, MrzFormat.TD2, "D23145890"),
        (MRVA, MrzFormat.MRVA, "L8988901C"),
        (MRVB, MrzFormat.MRVB, "L8988901C"),
    ],
)
def test_the_specimens_parse(lines: tuple[str, ...], format_: MrzFormat, number: str) -> None:
    mrz = parsed(lines)
    assert mrz.format is format_
    assert mrz.check_digits_ok, mrz.checks
    assert mrz.document_number == number
    assert (mrz.primary_name, mrz.secondary_name, mrz.issuer, mrz.sex) == ("ERIKSSON", "ANNA MARIA", "UTO", "F")


def test_a_long_td1_number_goes_on_in_the_optional_data() -> None:
    mrz = parsed(("I<UTOD23145890<7349<<<<<<<<<<<", "3407127M9507122UTO<<<<<<<<<<<2", "STEVENSON<<PETER<JOHN<<<<<<<<<"))
    assert mrz.document_number == "D23145890734"
    assert mrz.check_digits_ok, mrz.checks
    assert mrz.optional_data == ""


def test_a_french_identity_card_has_its_own_layout() -> None:
    first, body = "IDFRABERTHIER<<<<<<<<<<<<<<<<<<<<<<<", "880692310285"
    second = f"{body}{check_digit(body)}CORINNE<<<<<<<651206"
    second += f"{check_digit('651206')}F"
    mrz = parsed((first, second + str(check_digit(first + second))))
    assert mrz.format is MrzFormat.FRID
    assert mrz.check_digits_ok
    assert (mrz.document_number, mrz.primary_name, mrz.secondary_name) == (body, "BERTHIER", "CORINNE")
    assert mrz.expires_on(TODAY) is None


@pytest.mark.parametrize(
    ("place", "names"),
    [
        (9, {CheckName.DOCUMENT_NUMBER, CheckName.COMPOSITE}),
        (19, {CheckName.BIRTH_DATE, CheckName.COMPOSITE}),
        (27, {CheckName.EXPIRY_DATE, CheckName.COMPOSITE}),
        (42, {CheckName.OPTIONAL_DATA, CheckName.COMPOSITE}),
        (43, {CheckName.COMPOSITE}),
    ],
)
def test_a_wrong_check_digit_is_named_not_refused(place: int, names: set[CheckName]) -> None:
    second = TD3[1]
    wrong = second[:place] + str((int(second[place]) + 1) % 10) + second[place + 1 :]
    mrz = parsed((TD3[0], wrong))
    assert {check.name for check in mrz.checks if not check.is_ok} == names


def test_an_empty_optional_field_may_have_a_filler_for_its_check_digit() -> None:
    for printed in "<0":
        body = "L898902C36UTO7408122F1204159<<<<<<<<<<<<<<" + printed
        composite = check_digit(body[:10] + body[13:20] + body[21:])
        assert parsed((TD3[0], body + str(composite))).check_digits_ok


def test_a_filler_does_not_stand_for_the_check_digit_of_optional_data_that_is_there() -> None:
    mrz = parsed((TD3[0], TD3[1][:42] + "<" + TD3[1][43]))
    assert CheckName.OPTIONAL_DATA in {check.name for check in mrz.checks if not check.is_ok}


@pytest.mark.parametrize("lines", [(), ("P<UTO",), (TD3[0], TD3[1][:-1]), (TD1[0], TD1[1])])
def test_other_shapes_are_refused(lines: tuple[str, ...]) -> None:
    result = parse(lines)
    assert isinstance(result, MrzRefusal)
    assert result.reason is RefusalReason.UNKNOWN_FORMAT


def test_a_strange_character_is_refused_with_its_place() -> None:
    result = parse((TD3[0], TD3[1].replace("F", "f")))
    assert isinstance(result, MrzRefusal)
    assert result.reason is RefusalReason.BAD_CHARACTER
    assert "line 2, position 21" in result.detail


@pytest.mark.parametrize(
    ("printed", "born"),
    [("740812", date(1974, 8, 12)), ("261123", date(2026, 11, 23)), ("261124", date(1926, 11, 24)), ("991301", None)],
)
def test_birth_dates_are_never_in_the_future(printed: str, born: date | None) -> None:
    mrz = parsed((TD3[0], TD3[1][:13] + printed + TD3[1][19:]))
    assert mrz.born_on(TODAY) == born


@pytest.mark.parametrize(
    ("printed", "expires"), [("310415", date(2031, 4, 15)), ("990415", date(1999, 4, 15)), ("750101", date(2075, 1, 1))]
)
def test_expiry_dates_lie_around_today(printed: str, expires: date) -> None:
    mrz = parsed((TD3[0], TD3[1][:21] + printed + TD3[1][27:]))
    assert mrz.expires_on(TODAY) == expires


def test_a_birth_date_with_unknown_day_is_no_date() -> None:
    mrz = parsed((TD3[0], TD3[1][:13] + "7408<<" + TD3[1][19:]))
    assert mrz.birth_date == "7408<<"
    assert mrz.born_on(TODAY) is None


def test_a_name_that_fills_its_field_may_be_cut() -> None:
    assert not parsed(TD3).is_name_truncated
    assert parsed(("P<UTO" + "NILAVADHANANANDA<<CHAYAPA<DEJTHAMRONG<K", TD3[1])).is_name_truncated


def test_format_td3_gives_the_specimen() -> None:
    lines = format_td3(
        issuer="UTO",
        primary_name="ERIKSSON",
        secondary_name="ANNA MARIA",
        document_number="L898902C3",
        nationality="UTO",
        birth_date=date(1974, 8, 12),
        sex="F",
        expiry_date=date(2012, 4, 15),
        optional_data="ZE184226B",
    )
    assert lines == TD3


def test_a_chinese_passport_prints_letters_where_others_print_a_personal_number() -> None:
    # P and the passport's kind (O ordinary, D diplomatic, S service), eight letters, fillers and a letter with a digit: with check digits
    # as anywhere. The values are invented after that pattern.
    number, birth, expiry, optional = "E00000000", "800101", "300101", "LBOPMBOO<<<<A9"
    body = f"{number}{check_digit(number)}CHN{birth}{check_digit(birth)}F{expiry}{check_digit(expiry)}"
    body += f"{optional}{check_digit(optional)}"
    lines = ("POCHNZHENGJIAN<<YANGBEN".ljust(44, "<"), body + str(check_digit(body[:10] + body[13:20] + body[21:])))
    mrz = parsed(lines)
    assert mrz.check_digits_ok, mrz.checks
    assert (mrz.document_code, mrz.issuer, mrz.optional_data) == ("PO", "CHN", "LBOPMBOO<<<<A9")
    assert (mrz.primary_name, mrz.secondary_name) == ("ZHENGJIAN", "YANGBEN")


@pytest.mark.parametrize(
    ("text", "digit"),
    [
        # Part 3, 4.9 (worked examples) and the specimens of parts 4 to 7, each digit by itself.
        ("L898902C3", 6),
        ("740812", 2),
        ("120415", 9),
        ("ZE184226B<<<<<", 1),
        ("L898902C3674081221204159ZE184226B<<<<<1", 0),
        ("D231458907<<<<<<<<<<<<<<<74081221204159<<<<<<<<<<<", 6),
        ("D23145890774081221204159<<<<<<<", 6),
        ("L8988901C", 4),
        ("400907", 8),
        ("961210", 9),
        ("<<<<<<<<<<<<<<", 0),
    ],
)
def test_check_digits_of_the_specimens(text: str, digit: int) -> None:
    assert check_digit(text) == digit
