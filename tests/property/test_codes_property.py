"""Any text gives a result or a refusal; what is formatted or issued is read back."""

import string
from datetime import date

from hypothesis import given
from hypothesis import strategies as st
from joserfc.jwk import OKPKey

from gate.checks.bcbp import (
    BcbpRefusal,
    BoardingPass,
    Leg,
    SecurityField,
    flight_date,
    format_bcbp,
    issue_date,
    parse_bcbp,
)
from gate.checks.health_qr import HealthDeclaration, HealthReason, HealthRefusal, issue_health, verify_health

SAMPLE_PASS = (
    "M1DESMARAIS/LUC       EABC123 YULFRAAC 0834 226F001A0025 14D>6181WW6225BAC 00141234560032A0141234567890 1AC AC 1234567890123"
    "    20KYLX58Z^108GIWVC5EH"
)
LETTERS = string.ascii_uppercase
GRAPHIC = LETTERS + string.digits
KEY = OKPKey.generate_key("Ed25519")
NOW_S = 1_767_225_600.0


def texts(alphabet: str, smallest: int, largest: int) -> st.SearchStrategy[str]:
    return st.text(alphabet, min_size=smallest, max_size=largest)


legs = st.builds(
    Leg,
    pnr=texts(GRAPHIC, 0, 7),
    origin=texts(LETTERS, 3, 3),
    destination=texts(LETTERS, 3, 3),
    carrier=texts(GRAPHIC, 2, 3),
    flight_number=st.from_regex(r"[0-9]{4}[A-Z]?", fullmatch=True),
    day_of_year=st.none() | st.integers(1, 366),
    compartment=texts(LETTERS, 1, 1),
    seat=st.from_regex(r"[0-9]{3}[A-K]", fullmatch=True),
    sequence=texts(string.digits, 0, 5),
    status=texts(GRAPHIC, 1, 1),
    airline_numeric=texts(string.digits, 0, 3),
    frequent_flyer_number=texts(GRAPHIC, 0, 16),
    fast_track=st.none() | st.booleans(),
    airline_data=texts(GRAPHIC, 0, 30),
)
passes = st.builds(
    BoardingPass,
    name=st.from_regex(r"[A-Z]{1,9}/[A-Z]{1,10}", fullmatch=True),
    electronic_ticket=st.sampled_from(["", "E", "L"]),
    legs=st.lists(legs, min_size=1, max_size=4).map(tuple),
    version=st.sampled_from("12345678"),
    passenger_description=texts(GRAPHIC, 0, 1),
    issued=st.from_regex(r"[0-9]0[0-9][1-9]", fullmatch=True),
    issuer=texts(GRAPHIC, 0, 3),
    bag_tags=st.lists(texts(string.digits, 13, 13), max_size=3).map(tuple),
)


@given(passes)
def test_pass_that_was_formatted_is_read_back(boarding_pass: BoardingPass) -> None:
    assert parse_bcbp(format_bcbp(boarding_pass)) == boarding_pass


@given(passes, st.text(string.ascii_letters, max_size=200))
def test_security_field_signs_all_before_it(boarding_pass: BoardingPass, data: str) -> None:
    text = format_bcbp(boarding_pass)
    found = parse_bcbp(f"{text}^1{len(data):02X}{data}")
    assert isinstance(found, BoardingPass)
    assert found.security == SecurityField(kind="1", data=data, signed_text=text)


@given(st.text(max_size=300) | st.text(string.printable, max_size=300).map("M1".__add__))
def test_any_text_is_a_pass_or_refused(text: str) -> None:
    assert isinstance(parse_bcbp(text), BoardingPass | BcbpRefusal)


@given(st.integers(0, len(SAMPLE_PASS) - 1), st.characters(), st.integers(0, len(SAMPLE_PASS)))
def test_damaged_pass_is_a_pass_or_refused(at: int, character: str, end: int) -> None:
    damaged = (SAMPLE_PASS[:at] + character + SAMPLE_PASS[at + 1 :])[:end]
    assert isinstance(parse_bcbp(damaged), BoardingPass | BcbpRefusal)


@given(passes, st.dates())
def test_flight_is_never_over_half_a_year_and_a_day_away(boarding_pass: BoardingPass, reference: date) -> None:
    issue_date(boarding_pass, reference)
    for leg in boarding_pass.legs:
        day = flight_date(leg, reference)
        if day is None or leg.day_of_year == 366 or not 2 <= reference.year <= 9998:
            continue
        assert day.timetuple().tm_yday == leg.day_of_year
        assert abs((day - reference).days) <= 183


@given(st.text(max_size=200) | st.text(string.ascii_letters + '._-{}"', max_size=200).map("TGH1:".__add__))
def test_any_text_is_a_declaration_or_refused(text: str) -> None:
    found = verify_health(text, {KEY.thumbprint(): KEY}, document="UTO:L1", now_s=NOW_S)
    assert isinstance(found, HealthRefusal)


@given(st.data())
def test_declaration_with_one_character_changed_is_refused_or_the_same(data: st.DataObject) -> None:
    declaration = HealthDeclaration(
        declaration_id="d-1",
        issuer="GACC",
        issued_s=NOW_S,
        expires_s=NOW_S + 86_400,
        document="UTO:L1",
        has_fever=False,
        symptoms=(),
        had_contact=False,
        visited=("UTO",),
    )
    text = issue_health(declaration, KEY)
    at = data.draw(st.integers(0, len(text) - 1))
    character = data.draw(st.sampled_from(GRAPHIC + "_-."))
    changed = text[:at] + character + text[at + 1 :]
    found = verify_health(changed, {KEY.thumbprint(): KEY}, document="UTO:L1", now_s=NOW_S + 1)
    # The last character of base64url may carry unused bits: only what decodes to the same bytes may pass.
    assert found == declaration or isinstance(found, HealthRefusal)
    if changed[:-1] != text[:-1] and isinstance(found, HealthRefusal):
        assert found.reason is not HealthReason.EXPIRED
