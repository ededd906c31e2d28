"""Who is taken for one person: the table is repeatable, and says what SAFETY.md says."""

import json

import pytest
from typer.testing import CliRunner

from gate.cli import make_app
from simulator.parties import Row, confusion, load_parties


@pytest.fixture(scope="module")
def rows() -> dict[str, Row]:
    return {row.party.id: row for row in confusion(load_parties(), walks=400, seed=1)}


def test_an_adult_who_walks_alone_is_one(rows: dict[str, Row]) -> None:
    assert rows["adult"].passed_ratio > 0.99
    assert rows["slim"].passed_ratio > 0.8


@pytest.mark.parametrize("party", ["backpack", "trolley"])
def test_luggage_costs_an_officers_look_rather_than_a_second_person(rows: dict[str, Row], party: str) -> None:
    """A bag behind somebody is as long as a child behind somebody: in doubt it is two."""
    assert rows[party].curtain[2] > 0.3 * rows[party].walks


@pytest.mark.parametrize("party", ["tailgating-20cm", "tailgating-touching", "crawling-behind", "wheelchair-pushed"])
def test_one_behind_the_other_is_never_one_to_the_curtain(rows: dict[str, Row], party: str) -> None:
    assert rows[party].curtain_says_one <= 0.01 * rows[party].walks


@pytest.mark.parametrize("party", ["two-abreast", "child-by-the-hand", "carried-child"])
def test_side_by_side_it_takes_the_camera(rows: dict[str, Row], party: str) -> None:
    row = rows[party]
    assert row.curtain_says_one > 0.5 * row.walks
    assert row.both_say_one < 0.5 * row.curtain_says_one


def test_what_an_officer_sees_to(rows: dict[str, Row]) -> None:
    """A wheelchair is as long as three people: nobody is cleared wrongly, and an officer is asked."""
    assert rows["wheelchair"].passed_ratio < 0.05
    assert rows["crawling"].passed_ratio < 0.05


def test_the_same_seed_gives_the_same_table() -> None:
    one, other = (CliRunner().invoke(make_app(), ["sim", "people", "--walks", "20", "--json"]).stdout for _ in range(2))
    assert one == other
    assert len(json.loads(one)["parties"]) == len(load_parties())
