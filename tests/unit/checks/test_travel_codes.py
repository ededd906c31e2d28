"""Boarding passes and health declarations against the document: whose they are, when they are for, and who signed."""

from datetime import date
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from joserfc.jwk import OKPKey

from gate.checks.bcbp import BoardingPass, Leg, format_bcbp
from gate.checks.health_qr import HealthDeclaration, document_name, issue_health
from gate.checks.travel_codes import (
    Holder,
    bag_tags,
    is_travel_code,
    judge_health,
    judge_passes,
    load_authority_keys,
)
from gate.core.evidence import Outcome
from gate.core.travel_findings import (
    CodeRule,
    HealthFacts,
    HealthVerdict,
    PassFacts,
    judge_boarding_pass,
    judge_health_code,
)
from gate.errors import GateError

TODAY = date(2026, 11, 23)
NOW_S = 1_795_435_200.0
HOLDER = Holder(surname="ERIKSSON", given_names="ANNA MARIA", issuer="UTO", document_number="L898902C<")
AUTHORITY, STRANGER = OKPKey.generate_key("Ed25519"), OKPKey.generate_key("Ed25519")
KEYS = {AUTHORITY.thumbprint(): OKPKey.import_key(AUTHORITY.as_pem(private=False))}


def boarding_pass(name: str, day: date = TODAY, tags: tuple[str, ...] = ()) -> str:
    leg = Leg(
        pnr="ABC123",
        origin="PEK",
        destination="TYN",
        carrier="CA",
        flight_number="0834",
        day_of_year=day.timetuple().tm_yday,
        compartment="Y",
        seat="001A",
        sequence="0025",
        status="1",
    )
    return format_bcbp(BoardingPass(name=name, electronic_ticket="E", legs=(leg,), version="6", bag_tags=tags))


def declaration(
    key: OKPKey = AUTHORITY, *, document: str = "", has_fever: bool = False, expires_s: float = 3600.0
) -> str:
    said = HealthDeclaration(
        declaration_id="d1",
        issuer="GACC",
        issued_s=NOW_S - 60,
        expires_s=NOW_S + expires_s,
        document=document or document_name(HOLDER.issuer, HOLDER.document_number),
        has_fever=has_fever,
        symptoms=(),
        had_contact=False,
        visited=(),
    )
    return issue_health(said, key)


@pytest.mark.parametrize(
    "name",
    [
        "ERIKSSON/ANNA MARIA",
        "ERIKSSON/ANNA",
        "ERIKSSON/ANNAMRS",
        "ERIKSSON/ANNA MRS",
        "ERIKSSON/A",
        "ERIKSSON/ANNAMARIAMS",
    ],
)
def test_a_pass_of_the_holders_is_known_however_the_airline_writes_it(name: str) -> None:
    facts = judge_passes([boarding_pass(name)], HOLDER, today=TODAY)
    assert facts is not None
    assert judge_boarding_pass(facts, CodeRule.REQUIRE)[0].outcome is Outcome.PASS, facts


@pytest.mark.parametrize("name", ["SMITH/ANNA MARIA", "ERIKSSON/BO", "LARSSON/ERIK", "ERIK/SSON"])
def test_another_travellers_pass_refers(name: str) -> None:
    facts = judge_passes([boarding_pass(name)], HOLDER, today=TODAY)
    (finding,) = judge_boarding_pass(facts, CodeRule.COMPARE)
    assert finding.outcome is Outcome.REFER, facts
    assert name.split("/", maxsplit=1)[0] not in str(finding.to_json()), "findings travel in clear"


def test_a_long_name_is_compared_as_far_as_a_pass_has_room() -> None:
    holder = Holder(surname="WOLFESCHLEGELSTEINHAUSEN", given_names="HUBERT", issuer="D", document_number="C0")
    facts = judge_passes([boarding_pass("WOLFESCHLEGELSTEINHA")], holder, today=TODAY)
    assert facts is not None
    assert facts.name_ratio == 1.0


@pytest.mark.parametrize(("day", "days_off"), [(date(2026, 11, 22), -1), (TODAY, 0), (date(2026, 11, 24), 1)])
def test_a_flight_of_these_days_passes(day: date, days_off: int) -> None:
    facts = judge_passes([boarding_pass("ERIKSSON/ANNA", day)], HOLDER, today=TODAY)
    assert facts is not None
    assert facts.days_off == days_off
    assert judge_boarding_pass(facts, CodeRule.COMPARE)[0].outcome is Outcome.PASS


@pytest.mark.parametrize("day", [date(2026, 11, 21), date(2026, 11, 25), date(2026, 5, 23)])
def test_a_flight_of_other_days_refers(day: date) -> None:
    facts = judge_passes([boarding_pass("ERIKSSON/ANNA", day)], HOLDER, today=TODAY)
    assert judge_boarding_pass(facts, CodeRule.COMPARE)[0].outcome is Outcome.REFER


def test_a_pass_without_a_date_and_one_that_is_none_refer() -> None:
    assert judge_boarding_pass(PassFacts(name_ratio=1.0), CodeRule.COMPARE)[0].outcome is Outcome.REFER
    broken = judge_passes([boarding_pass("ERIKSSON/ANNA")[:40]], HOLDER, today=TODAY)
    assert judge_boarding_pass(broken, CodeRule.COMPARE)[0].outcome is Outcome.REFER
    assert (
        judge_boarding_pass(PassFacts(name_ratio=float("nan"), days_off=0), CodeRule.COMPARE)[0].outcome
        is Outcome.REFER
    )


def test_of_two_passes_the_holders_counts() -> None:
    both = [boarding_pass("SMITH/JOHN"), boarding_pass("ERIKSSON/ANNA")]
    facts = judge_passes(both, HOLDER, today=TODAY)
    assert facts is not None
    assert facts.name_ratio == 1.0


def test_none_shown_is_a_matter_of_the_rule() -> None:
    assert judge_passes(["https://example.org"], HOLDER, today=TODAY) is None
    assert judge_boarding_pass(None, CodeRule.OFF) == judge_health_code(None, CodeRule.OFF) == ()
    for judge in (judge_boarding_pass, judge_health_code):
        assert judge(None, CodeRule.COMPARE)[0].outcome is Outcome.INFO
        assert judge(None, CodeRule.REQUIRE)[0].outcome is Outcome.NOT_CHECKED


def test_bag_tags_of_all_passes() -> None:
    texts = [boarding_pass("A/B", tags=("0014123456001",)), declaration(), "x"]
    assert bag_tags(texts) == ("0014123456001",)
    assert [is_travel_code(text) for text in texts] == [True, True, False]


@pytest.mark.parametrize(
    ("text", "verdict", "outcome"),
    [
        (declaration(), HealthVerdict.CLEAR, Outcome.PASS),
        (declaration(has_fever=True), HealthVerdict.DECLARED, Outcome.REFER),
        (declaration(STRANGER), HealthVerdict.UNKNOWN_KEY, Outcome.NOT_CHECKED),
        (declaration(document="UTO:X1"), HealthVerdict.REFUSED, Outcome.REFER),
        (declaration(expires_s=-1.0), HealthVerdict.REFUSED, Outcome.REFER),
        (declaration()[:-4] + "AAAA", HealthVerdict.REFUSED, Outcome.REFER),
        ("TGH1:", HealthVerdict.REFUSED, Outcome.REFER),
    ],
)
def test_a_declaration_passes_only_when_it_is_signed_good_and_clear(
    text: str, verdict: HealthVerdict, outcome: Outcome
) -> None:
    facts = judge_health([text], HOLDER, KEYS, now_s=NOW_S)
    assert facts is not None
    assert facts.verdict is verdict
    (finding,) = judge_health_code(facts, CodeRule.COMPARE)
    assert (finding.outcome, finding.role) == (outcome, "quarantine")


def test_without_any_authoritys_key_nothing_passes() -> None:
    assert judge_health([declaration()], HOLDER, {}, now_s=NOW_S) == HealthFacts(
        verdict=HealthVerdict.UNKNOWN_KEY, reason="unknown_key"
    )


def test_a_declaration_that_asks_for_an_officer_outweighs_a_clear_one() -> None:
    facts = judge_health([declaration(), declaration(has_fever=True)], HOLDER, KEYS, now_s=NOW_S)
    assert facts is not None
    assert facts.verdict is HealthVerdict.DECLARED


def test_authorities_keys_come_from_a_folder(tmp_path: Path) -> None:
    with pytest.raises(GateError, match="health_authority_keys_dir"):
        load_authority_keys(tmp_path / "none")
    assert load_authority_keys(tmp_path) == {}
    (tmp_path / "a.pem").write_bytes(AUTHORITY.as_pem(private=False))
    (tmp_path / "readme.txt").write_text("not a key")
    assert set(load_authority_keys(tmp_path)) == {AUTHORITY.thumbprint()}
    (tmp_path / "b.pem").write_bytes(AUTHORITY.as_pem(private=True))
    with pytest.raises(GateError, match="never a private one"):
        load_authority_keys(tmp_path)
    (tmp_path / "b.pem").write_text("nonsense")
    with pytest.raises(GateError, match=r"b\.pem"):
        load_authority_keys(tmp_path)
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    (tmp_path / "b.pem").write_bytes(key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    with pytest.raises(GateError, match=r"b\.pem"):
        load_authority_keys(tmp_path)
