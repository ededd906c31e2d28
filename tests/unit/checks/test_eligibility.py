"""Entry as a national, by visa or in transit: each rule of the data at its edges, and why the others do not let in."""

from dataclasses import replace
from datetime import date, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

from gate.checks.country_codes import CodeStatus, nationality_status
from gate.checks.eligibility import (
    Applicant,
    Journey,
    NotPermitted,
    Onward,
    Permitted,
    Visa,
    judge_entry,
    load_entry_rules,
)
from gate.errors import GateError

RULES = load_entry_rules()
ZONE = timezone(timedelta(hours=8))
NOW = datetime(2026, 3, 1, 9, 30, tzinfo=ZONE)
MIDNIGHT = datetime(2026, 3, 2, tzinfo=ZONE)


def onward(departs_at: datetime, destination: str = "JPN", *, is_confirmed: bool = True) -> Onward:
    return Onward(destination=destination, departs_at=departs_at, is_confirmed=is_confirmed)


def traveller(nationality: str = "USA", *, at: datetime = NOW, region: str = "CN-BJ", **changes: Any) -> Applicant:
    journey = Journey(origin="USA", arrives_at=at, region="", onward=changes.pop("ticket", None))
    made = Applicant(
        nationality=nationality,
        document_expiry=date(2030, 1, 1),
        at=at,
        home_state="CHN",
        region=region,
        port="beijing",
        journey=journey,
    )
    return replace(made, **changes)


def why(who: Applicant, rule: str) -> str:
    verdict = judge_entry(who, RULES)
    assert isinstance(verdict, NotPermitted), verdict
    return dict(verdict.reasons)[rule]


def test_nationals_need_nothing() -> None:
    for state in ("CHN", "HKG", "MAC", "TWN"):
        assert judge_entry(traveller(state), RULES) == Permitted(basis="national")


def test_240_hours_count_from_the_midnight_after_arrival() -> None:
    last = MIDNIGHT + timedelta(hours=240)
    assert judge_entry(traveller(ticket=onward(last)), RULES) == Permitted(basis="transit-240h", until=last)
    late = traveller(ticket=onward(last + timedelta(minutes=1)))
    assert why(late, "transit-240h") == "the onward ticket is later than 240 hours"


def test_24_hours_are_for_everybody_everywhere_and_count_from_arrival() -> None:
    last = NOW + timedelta(hours=24)
    who = traveller("KEN", region="CN-XZ", ticket=onward(last))
    assert judge_entry(who, RULES) == Permitted(basis="transit-24h", until=last)
    late = traveller("KEN", region="CN-XZ", ticket=onward(last + timedelta(minutes=1)))
    assert why(late, "transit-24h") == "the onward ticket is later than 24 hours"
    assert why(late, "transit-240h") == "not for this nationality"


@pytest.mark.parametrize(
    ("at", "hours", "region", "basis"),
    [
        (datetime(2024, 12, 16, 9, tzinfo=ZONE), 144, "CN-BJ", "transit-144h"),
        (datetime(2024, 12, 16, 9, tzinfo=ZONE), 72, "CN-HN", "transit-72h"),
        (datetime(2024, 12, 17, 9, tzinfo=ZONE), 240, "CN-HN", "transit-240h"),
    ],
)
def test_the_rule_of_the_day_counts(at: datetime, hours: int, region: str, basis: str) -> None:
    last = datetime(at.year, at.month, at.day, tzinfo=ZONE) + timedelta(days=1, hours=hours)
    who = traveller(at=at, region=region, ticket=onward(last))
    assert judge_entry(who, RULES) == Permitted(basis=basis, until=last)
    assert isinstance(
        judge_entry(traveller(at=at, region=region, ticket=onward(last + timedelta(hours=1))), RULES), NotPermitted
    )


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"journey": None}, "no onward ticket"),
        ({"ticket": onward(NOW + timedelta(days=3), is_confirmed=False)}, "the onward ticket is not confirmed"),
        ({"ticket": onward(NOW + timedelta(days=3), "CHN")}, "the onward ticket does not leave the state"),
        (
            {"ticket": onward(NOW + timedelta(days=3), "USA")},
            "the onward ticket goes back to where the journey came from",
        ),
        ({"ticket": onward(NOW)}, "the onward ticket is of the past"),
        ({"ticket": onward(NOW + timedelta(days=3)), "region": "CN-XZ"}, "not in this region"),
        (
            {"ticket": onward(NOW + timedelta(days=3)), "document_expiry": date(2026, 5, 31)},
            "the document is not known to be valid for 3 months",
        ),
        (
            {"ticket": onward(NOW + timedelta(days=3)), "document_expiry": None},
            "the document is not known to be valid for 3 months",
        ),
    ],
)
def test_what_is_missing_is_said(changes: dict[str, Any], reason: str) -> None:
    assert why(traveller(**changes), "transit-240h") == reason


def test_a_region_with_borders_of_its_own_is_a_third_one() -> None:
    verdict = judge_entry(traveller(ticket=onward(NOW + timedelta(hours=30), "HKG")), RULES)
    assert isinstance(verdict, Permitted)


def test_three_months_end_on_the_same_day_or_the_months_last() -> None:
    ticket = onward(NOW + timedelta(days=3))
    assert isinstance(judge_entry(traveller(ticket=ticket, document_expiry=date(2026, 6, 1)), RULES), Permitted)
    at = datetime(2026, 11, 30, 9, tzinfo=ZONE)
    ticket = onward(at + timedelta(days=3))
    assert isinstance(judge_entry(traveller(at=at, ticket=ticket, document_expiry=date(2027, 2, 28)), RULES), Permitted)
    assert isinstance(
        judge_entry(traveller(at=at, ticket=ticket, document_expiry=date(2027, 2, 27)), RULES), NotPermitted
    )


def visa(**changes: Any) -> Visa:
    made = Visa(number="V1", first_day=date(2026, 1, 1), last_day=date(2026, 3, 1), entries=1, stay_days=30)
    return replace(made, **changes)


@pytest.mark.parametrize(
    ("held", "reason"),
    [
        (visa(is_revoked=True), "revoked"),
        (visa(first_day=date(2026, 3, 2), last_day=date(2026, 4, 1)), "not valid before 2026-03-02"),
        (visa(last_day=date(2026, 2, 28)), "expired on 2026-02-28"),
        (visa(is_used=True), "its entry was made"),
    ],
)
def test_a_visa_that_does_not_hold_says_why(held: Visa, reason: str) -> None:
    assert why(traveller("KEN", visas=(held,)), "visa") == reason


def test_a_visa_holds_to_its_last_day_and_the_longest_stay_counts() -> None:
    until = MIDNIGHT + timedelta(days=30)
    assert judge_entry(traveller("KEN", visas=(visa(),)), RULES) == Permitted(basis="visa", until=until)
    again = visa(entries=0, is_used=True)
    assert judge_entry(traveller("KEN", visas=(again,)), RULES) == Permitted(basis="visa", until=until)
    both = traveller(visas=(visa(),), ticket=onward(NOW + timedelta(hours=5)))
    assert judge_entry(both, RULES) == Permitted(basis="visa", until=until)


def test_the_shipped_rules_name_states_that_are_in_use() -> None:
    for group in RULES.groups.values():
        assert [code for code in group if nationality_status(code) is not CodeStatus.IN_USE] == []
        assert len(set(group)) == len(group)
    assert len(RULES.groups["transit"]) == 54


def test_rules_that_are_wrong_are_named(tmp_path: Path) -> None:
    file = tmp_path / "rules.toml"
    with pytest.raises(GateError, match=r"cannot be read.*transit_rules_file"):
        load_entry_rules(file)
    file.write_text("source = [")
    with pytest.raises(GateError, match="are no TOML"):
        load_entry_rules(file)
    good = 'source = "s"\nnationals = ["CHN"]\n'
    rule = '[[transit]]\nid = "a"\nhours = 1\nclock = "arrival"\n'
    file.write_text(good + rule + 'nationalities = ["@nobody"]\n')
    with pytest.raises(GateError, match="@nobody"):
        load_entry_rules(file)
    file.write_text(good + rule + 'nationalities = "some"\n')
    with pytest.raises(GateError, match=r"transit\.0\.nationalities"):
        load_entry_rules(file)
