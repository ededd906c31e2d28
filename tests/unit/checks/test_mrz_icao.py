"""Codes and transliteration of Doc 9303 part 3."""

import pytest

from gate.checks.icao import STATE_CODES, is_state_code, transliterate


@pytest.mark.parametrize("code", ["CHN", "D", "XXB", "EUE", "RKS", "GBD"])
def test_codes_in_use(code: str) -> None:
    assert is_state_code(code)


@pytest.mark.parametrize("code", ["UTO", "DEU", "ABC", ""])
def test_codes_not_in_use(code: str) -> None:
    # Germany prints D, not its ISO code; UTO is the specimens' Utopia.
    assert not is_state_code(code)


def test_codes_are_one_to_three_letters() -> None:
    assert all(1 <= len(code) <= 3 and code.isalpha() and code.isupper() for code in STATE_CODES)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Büßow", "BUESSOW"),
        ("O'Connor", "OCONNOR"),
        ("Smith-Jones", "SMITH JONES"),
        ("Nuñez  de la Cruz", "NUNEZ DE LA CRUZ"),
        ("Ægir Þór", "AEGIR THOR"),
        ("Łukasz", "LUKASZ"),
    ],
)
def test_latin_names(name: str, expected: str) -> None:
    assert transliterate(name) == expected


def test_another_script_is_not_guessed() -> None:
    with pytest.raises(ValueError, match="no transliteration"):
        transliterate("李小明")
