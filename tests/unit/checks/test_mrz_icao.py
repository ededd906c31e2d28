"""Codes and transliteration of Doc 9303 part 3, and names compared across spellings."""

import pytest

from gate.checks.country_codes import NAMES, PERSONS, CodeStatus, issuer_status, name_of, nationality_status
from gate.checks.icao import transliterate
from gate.checks.names import edit_distance, mrz_spelling, name_similarity, similarity_ratio, skeleton


@pytest.mark.parametrize(
    ("code", "name"),
    [
        ("CHN", "China"),
        ("D", "Germany"),
        ("EUE", "European Union (laissez-passer)"),
        ("GBD", "British Overseas Territories citizen"),
        ("UNO", "United Nations Organization"),
        ("XOM", "Sovereign Military Order of Malta"),
        ("ZWE", "Zimbabwe"),
        ("ABW", "Aruba"),
    ],
)
def test_codes_in_use_have_names(code: str, name: str) -> None:
    assert issuer_status(code) is nationality_status(code) is CodeStatus.IN_USE
    assert name_of(code) == name


@pytest.mark.parametrize("code", ["XXA", "XXB", "XXC", "XXX"])
def test_a_person_without_a_nationality_is_no_issuer(code: str) -> None:
    assert nationality_status(code) is CodeStatus.IN_USE
    assert issuer_status(code) is CodeStatus.UNKNOWN


@pytest.mark.parametrize("code", ["DEU", "ABC", "", "BDR", "CHN<"])
def test_codes_not_in_use(code: str) -> None:
    # Germany prints D, not its ISO code.
    assert issuer_status(code) is nationality_status(code) is CodeStatus.UNKNOWN
    assert name_of(code) is None


def test_utopia_is_a_specimen() -> None:
    assert issuer_status("UTO") is nationality_status("UTO") is CodeStatus.SPECIMEN
    assert name_of("UTO") is None


def test_the_table_is_whole() -> None:
    # ISO 3166-1 has 249 codes, of which Doc 9303 prints D for DEU; 21 authorities and 4 kinds of persons.
    assert len(NAMES) == 249 + 21 + 4
    assert len(PERSONS) == 4
    assert all(1 <= len(code) <= 3 and code.isalpha() and code.isupper() for code in NAMES)
    assert all(name and name == name.strip() for name in NAMES.values())


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Büßow", "BUESSOW"),
        ("O'Connor", "OCONNOR"),
        ("Smith-Jones", "SMITH JONES"),
        ("Nuñez  de la Cruz", "NUNEZ DE LA CRUZ"),
        ("Ægir Þór", "AEGIR THOR"),
        ("Łukasz", "LUKASZ"),
        ("Zu\u0308rich", "ZUERICH"),
        ("Горбачёв", "GORBACHEV"),
        ("Щукин Юрий", "SHCHUKIN IURII"),
    ],
)
def test_names_in_mrz_letters(name: str, expected: str) -> None:
    assert transliterate(name) == expected


@pytest.mark.parametrize(
    ("issuer", "expected"),
    [("RUS", "GRIGORII"), ("UKR", "HRYHORYI"), ("BLR", "HRIHORII"), ("", "GRIGORII")],
)
def test_issuers_differ_in_cyrillic(issuer: str, expected: str) -> None:
    assert transliterate("Григорий", issuer=issuer) == expected


def test_another_script_is_not_guessed() -> None:
    with pytest.raises(ValueError, match="no transliteration"):
        transliterate("李小明")


@pytest.mark.parametrize(
    ("printed", "expected"),
    [
        ("李小明 LI, XIAOMING", "LI XIAOMING"),
        ("李小明LI", "LI"),
        ("Ævarsdóttir", "AEVARSDOTTIR"),
        ("L898902C3", "L898902C3"),
        ("12 AUG/AOÛT 74", "12 AUG AOUT 74"),
        ("", ""),
    ],
)
def test_what_an_mrz_would_spell(printed: str, expected: str) -> None:
    assert mrz_spelling(printed) == expected


@pytest.mark.parametrize(
    ("printed", "mrz"),
    [
        ("Müller", "MUELLER"),
        ("Müller", "MUXXLLER"),
        ("Müller", "MULLER"),
        ("Muller", "MUELLER"),
        ("Nuñez", "NUNXXEZ"),
        ("Åström", "AASTROEM"),
        ("Anna-Maria", "ANNA MARIA"),
        ("D'Artagnan", "DARTAGNAN"),
        ("VAN DER MUELLEN", "VANDERMUELLEN"),
    ],
)
def test_permitted_spellings_are_the_same_name(printed: str, mrz: str) -> None:
    assert skeleton(printed) == skeleton(mrz)
    assert name_similarity(printed, mrz) == 1.0


def test_other_names_are_not() -> None:
    assert name_similarity("ERIKSSON", "ERIKSEN") == pytest.approx(0.75)
    assert name_similarity("ANNA", "PETER") < 0.3


def test_a_cut_name_is_compared_with_what_is_left_of_it() -> None:
    assert name_similarity("DEJTHAMRONG KRASUANG", "DEJTHAMRONG K", is_truncated=True) == 1.0
    assert name_similarity("DEJTHAMRONG KRASUANG", "DEJTHAMRONG K") < 0.7
    assert name_similarity("DEJT", "DEJTHAMRONG K", is_truncated=True) < 0.5


@pytest.mark.parametrize(
    ("a", "b", "distance"), [("", "", 0), ("ABC", "", 3), ("KITTEN", "SITTING", 3), ("L898902C3", "L898902C8", 1)]
)
def test_edit_distance(a: str, b: str, distance: int) -> None:
    assert edit_distance(a, b) == edit_distance(b, a) == distance


def test_similarity_is_a_share_of_the_longer_text() -> None:
    assert similarity_ratio("", "") == 1.0
    assert similarity_ratio("AB", "ABCD") == 0.5
