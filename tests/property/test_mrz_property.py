"""What must hold for every zone, not only for the specimens."""

from datetime import date

from hypothesis import given
from hypothesis import strategies as st

from gate.checks.mrz import (
    CHARACTERS,
    DIGITS,
    LAYOUTS,
    LETTERS,
    Mrz,
    MrzFormat,
    MrzRefusal,
    check_digit,
    format_td3,
    parse,
)

mrz_text = st.text(alphabet=CHARACTERS, max_size=44)
words = st.text(alphabet=LETTERS, min_size=1, max_size=12)
dates = st.dates(date(1930, 1, 1), date(2026, 1, 1))


@st.composite
def passports(draw: st.DrawFn) -> dict[str, object]:
    return {
        "issuer": draw(st.text(alphabet=LETTERS, min_size=1, max_size=3)),
        "primary_name": draw(words),
        "secondary_name": draw(words),
        "document_number": draw(st.text(alphabet=DIGITS + LETTERS, min_size=1, max_size=9)),
        "nationality": draw(st.text(alphabet=LETTERS, min_size=1, max_size=3)),
        "birth_date": draw(dates),
        "sex": draw(st.sampled_from("MF<")),
        "expiry_date": draw(st.dates(date(2000, 1, 1), date(2070, 1, 1))),
        "optional_data": draw(st.text(alphabet=DIGITS + LETTERS, max_size=14)),
    }


@given(passports())
def test_what_is_formatted_is_parsed_back(fields: dict[str, object]) -> None:
    mrz = parse(format_td3(**fields))  # type: ignore[arg-type]
    assert isinstance(mrz, Mrz)
    assert mrz.format is MrzFormat.TD3
    assert mrz.check_digits_ok
    today = date(2026, 1, 1)
    for name in ("issuer", "primary_name", "secondary_name", "document_number", "nationality", "sex", "optional_data"):
        assert getattr(mrz, name) == fields[name]
    assert mrz.born_on(today) == fields["birth_date"]
    assert mrz.expires_on(today) == fields["expiry_date"]


@given(passports(), st.integers(0, 42), st.sampled_from(DIGITS))
def test_a_changed_digit_is_noticed(fields: dict[str, object], place: int, digit: str) -> None:
    first, second = format_td3(**fields)  # type: ignore[arg-type]
    # Any single digit changed into another is caught (part 3, 4.9): weights 7, 3 and 1 are coprime to ten.
    if second[place] in DIGITS and second[place] != digit and not 10 <= place < 13 and place != 20:
        mrz = parse((first, second[:place] + digit + second[place + 1 :]))
        assert isinstance(mrz, Mrz)
        assert not mrz.check_digits_ok


@given(mrz_text, mrz_text)
def test_a_check_digit_is_a_sum_over_aligned_parts(a: str, b: str) -> None:
    aligned = a.ljust(-(-len(a) // 3) * 3, "<")
    assert check_digit(aligned + b) == (check_digit(a) + check_digit(b)) % 10


@given(st.lists(st.text(max_size=45), max_size=4))
def test_parse_never_raises(lines: list[str]) -> None:
    assert isinstance(parse(lines), Mrz | MrzRefusal)


@given(st.sampled_from(sorted(LAYOUTS)), st.data())
def test_every_zone_of_the_right_size_is_parsed_losslessly(format_: MrzFormat, data: st.DataObject) -> None:
    layout = LAYOUTS[format_]
    line = st.text(alphabet=CHARACTERS, min_size=layout.line_length, max_size=layout.line_length)
    lines = tuple(data.draw(line) for _ in range(layout.line_count))
    mrz = parse(lines)
    assert isinstance(mrz, Mrz)
    assert mrz.lines == lines
