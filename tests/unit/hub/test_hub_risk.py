"""Risk rules at the hub: facts of what is known, one judgement a case, lots that can be worked out again, a dry run on past cases."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from api_kit import Api
from hub_kit import make_hub, make_site

from config.risk import Risk
from gate.checks.risk.sampling import day_key, lot
from gate.core.clock import ManualClock
from gate.errors import GateError
from gate.hub.risk import replay, sampling_secret, site_rules
from gate.hub.service import Hub

RULES = """
[sampling]
role = "customs"
{rates}

[[rule]]
id = "food"
when = '"meat" in goods'
role = "quarantine"
words = "food"

[[rule]]
id = "often"
when = 'crossings_30d >= 2'
role = "customs"
words = "crosses often"

[[rule]]
id = "young"
when = 'age_years != null and age_years < 12'
role = "border"
ask = "note"
words = "a child"
"""


@pytest.fixture
def rules_file(tmp_path: Path) -> Path:
    path = tmp_path / "rules.toml"
    path.write_text(RULES.format(rates="standard = 0.0"), encoding="utf-8")
    return path


@pytest.fixture
def hub(tmp_path: Path, clock: ManualClock, rules_file: Path) -> Iterator[Hub]:
    site = make_site(tmp_path)
    policy = site.policy.model_copy(update={"lookups": ("watchlist", "risk")})
    made = make_hub(site.model_copy(update={"policy": policy, "risk": Risk(rules_file=rules_file)}), clock)
    made.store.migrate()
    yield made
    made.stop()


def ask(api: Api, case_id: str, **said: str) -> dict[str, Any]:
    body = {"document_number": "C01X", "issuer": "UTO", "nationality": "UTO", "birth_date": "1990-01-01", **said}
    results = api.call("POST", "/lookups", "lane-1", json={"case_id": case_id, **body}).json()["results"]
    assert [item["name"] for item in results] == ["watchlist", "risk"], "trust and rules never leave the watchlist out"
    return dict(results[1])


def test_nothing_is_a_reason_and_a_note_stops_nobody(api: Api) -> None:
    assert (ask(api, "c1")["is_hit"], ask(api, "c1")["detail"]) == (False, "")
    child = ask(api, "c2", birth_date="2020-01-01", document_number="C02X")
    assert child["is_hit"] is False
    assert "young: a child (age_years = 6.0)" in child["detail"] or "age_years = 5.0" in child["detail"]


def test_a_declaration_is_a_fact_and_the_rules_role_is_asked(api: Api) -> None:
    customs = {"goods": ["meat"], "is_nothing_to_declare": False}
    api.call("POST", "/declarations", "ira", json={"document_number": "C01X", "issuer": "UTO", "customs": customs})
    found = ask(api, "c1")
    assert (found["is_hit"], found["role"]) == (True, "quarantine")
    assert found["detail"] == "food: food (goods = ['meat'])"


def test_a_case_is_judged_once_and_counts_once(api: Api) -> None:
    for _ in range(3):
        assert ask(api, "c1")["is_hit"] is False
    assert ask(api, "c2")["is_hit"] is False
    third = ask(api, "c3")
    assert (third["is_hit"], third["role"]) == (True, "customs")
    assert ask(api, "c1")["is_hit"] is False, "what was said of a case stays"


def test_lots_are_kept_and_can_be_worked_out_again(api: Api, rules_file: Path) -> None:
    rules_file.write_text(RULES.format(rates="standard = 1.0"), encoding="utf-8")
    api.hub.risk.rules = site_rules(api.hub.site)
    drawn = ask(api, "c9")
    assert (drawn["is_hit"], drawn["role"]) == (True, "customs")
    secret = sampling_secret(api.hub.site.keys_dir)
    today = datetime.fromtimestamp(api.hub.clock.utc_ms() / 1000, UTC).date()
    assert f"drawn by lot ({lot(day_key(secret, today), 'c9'):.4f} below 1 for standard)" in drawn["detail"]
    with api.hub.store.read() as connection:
        ((past, changed),) = list(replay(connection, api.hub.risk.rules, since_ms=0))
    assert past.is_sampled
    assert changed is None


def test_a_dry_run_says_what_other_rules_would_have_said_and_writes_nothing(api: Api, tmp_path: Path) -> None:
    ask(api, "c1")
    ask(api, "c2", document_number="C02X", nationality="XXO")
    other = tmp_path / "other.toml"
    other.write_text(
        '[[rule]]\nid = "from-xxo"\nwhen = \'nationality == "XXO"\'\nrole = "customs"\nwords = "w"\n', encoding="utf-8"
    )
    with api.hub.store.read() as connection:
        said = list(replay(connection, site_rules(api.hub.site, other), since_ms=0))
        again = list(replay(connection, api.hub.risk.rules, since_ms=0))
    assert [(past.case_id, changed.after if changed else None) for past, changed in said] == [
        ("c1", None),
        ("c2", ("from-xxo",)),
    ]
    assert [changed for _, changed in again] == [None, None]


def test_rules_that_fail_their_own_tests_keep_a_hub_from_starting(tmp_path: Path, rules_file: Path) -> None:
    text = rules_file.read_text(encoding="utf-8")
    rules_file.write_text(
        f'{text}\n[[test]]\nname = "t"\nfacts = {{ goods = ["meat"] }}\nfires = []\n', encoding="utf-8"
    )
    site = make_site(tmp_path).model_copy(update={"risk": Risk(rules_file=rules_file)})
    with pytest.raises(GateError, match="test 't' fires"):
        site_rules(site)
