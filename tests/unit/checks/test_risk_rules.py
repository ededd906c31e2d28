"""Risk rules: read with one clear sentence of what is wrong, judged with an explanation, and never a way round a check."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gate.checks.risk.facts import TRUST_LEVELS, TYPES, RiskFacts
from gate.checks.risk.rules import Ask, RulesInvalid, load_rules
from gate.checks.risk.sampling import day_key, is_drawn, lot

EXAMPLE = Path(__file__).parents[3] / "config" / "rules" / "example.toml"
ROLES = ["customs", "quarantine", "border"]
RULE = {"id": "a-rule", "when": '"meat" in goods', "role": "customs", "words": "w"}
FACTS = st.builds(
    RiskFacts,
    trust=st.sampled_from(TRUST_LEVELS),
    nationality=st.none() | st.sampled_from(["UTO", "XXO"]),
    declares_nothing=st.none() | st.booleans(),
    goods=st.lists(st.sampled_from(["meat", "fruit", "cash"]), max_size=3).map(tuple),
    symptoms=st.lists(st.sampled_from(["fever"]), max_size=1).map(tuple),
    from_airport=st.none() | st.sampled_from(["CAI", "PEK"]),
    bags=st.none() | st.integers(0, 9).map(float),
    crossings_30d=st.integers(0, 30).map(float),
    age_years=st.none() | st.floats(0, 120),
)


def write(path: Path, **rule: Any) -> Path:
    said = RULE | rule
    lines = [
        f"{key} = {value!r}" if key != "when" else f"when = '''{value}'''"
        for key, value in said.items()
        if value is not None
    ]
    path.write_text("[[rule]]\n" + "\n".join(lines) + "\n", encoding="utf-8")
    return path


def test_the_shipped_example_passes_its_own_tests() -> None:
    rules, failed = load_rules(EXAMPLE, roles=ROLES)
    assert len(rules.rules) >= 4
    assert failed == ()


def test_a_fired_rule_says_on_which_facts() -> None:
    rules, _ = load_rules(EXAMPLE, roles=ROLES)
    fired = {item.rule: item for item in rules.judge(RiskFacts(goods=("fruit",), crossings_30d=9.0))}
    assert fired["meat-declared"].ask is Ask.INSPECT
    assert fired["courier"].explanation() == (
        "courier: crosses more often than travellers do (trust = standard, crossings_30d = 9.0)"
    )


@pytest.mark.parametrize(
    ("rule", "problem"),
    [
        ({"when": "unknown == 1"}, "no condition on the facts"),
        ({"when": "nationality > 3"}, "no condition on the facts"),
        ({"when": "__import__('os')"}, "no condition on the facts"),
        ({"when": "nationality =="}, "no condition on the facts"),
        ({"role": "coast-guard"}, "not one of this site's"),
        ({"ask": "clear"}, "'ask' is one of look, inspect, note"),
        ({"id": "Big Rule"}, "cannot be"),
        ({"words": ""}, "'words'"),
        ({"unless": "x"}, "'unless' is not known"),
    ],
)
def test_what_cannot_be_used_is_named(tmp_path: Path, rule: dict[str, Any], problem: str) -> None:
    with pytest.raises(RulesInvalid, match=problem):
        load_rules(write(tmp_path / "r.toml", **rule), roles=ROLES)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("rule = 3", r"\[\[rule\]\]"),
        ("[[rule]", "cannot be read"),
        ("[other]", "no section"),
        ("[sampling]\nstandard = 2", "a share from 0 to 1"),
        ("[sampling]\nstandard = 0.1\nrole = 'x'", "sampling.role"),
        ("[[test]]\nfires = ['x']", "there is no rule 'x'"),
        ("[[test]]\nfacts = { wings = 2 }", "'wings' is no fact"),
        ("[[test]]\nfacts = { trust = 'vip' }", "'trust' is one of"),
        ("[[test]]\nfacts = { bags = 'many' }", "cannot be 'many'"),
    ],
)
def test_a_file_that_cannot_be_used_is_named(tmp_path: Path, text: str, problem: str) -> None:
    path = tmp_path / "r.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(RulesInvalid, match=problem):
        load_rules(path, roles=ROLES)


@given(FACTS)
def test_whatever_is_known_rules_only_ever_add_looks(facts: RiskFacts) -> None:
    rules, _ = load_rules(EXAMPLE, roles=ROLES)
    fired = rules.judge(facts)
    assert all(item.ask in Ask and item.role in ROLES for item in fired)
    assert fired == rules.judge(RiskFacts.from_json(facts.to_json())), (
        "what was kept of a case gives the same answer again"
    )
    assert not {"watchlist", "document", "chip", "face"} & set(TYPES), "no rule can even speak of those checks"


def test_a_fact_that_nobody_knows_fires_nothing_that_compares_it(tmp_path: Path) -> None:
    rules, _ = load_rules(write(tmp_path / "r.toml", when="bags > 3"), roles=ROLES)
    assert rules.judge(RiskFacts()) == ()
    assert len(rules.judge(RiskFacts(bags=4.0))) == 1


def test_lots_are_even_repeatable_and_of_their_day() -> None:
    from datetime import date

    key = day_key(bytes(32), date(2026, 11, 23))
    drawn = sum(is_drawn(key, f"case-{i}", 0.1) for i in range(5000))
    assert 400 < drawn < 600
    assert lot(key, "case-1") == lot(key, "case-1")
    assert lot(key, "case-1") != lot(day_key(bytes(32), date(2026, 11, 24)), "case-1")
    assert not is_drawn(key, "case-1", 0.0)
    assert is_drawn(key, "case-1", 1.0)
    with pytest.raises(ValueError, match="32 bytes"):
        day_key(b"short", date(2026, 1, 1))
