"""Scenario files: the shipped one holds what it promises, a wrong one is refused with the place that is wrong."""

from pathlib import Path

import pytest

from gate.core.effects import CrossingOutcome
from gate.errors import GateError
from simulator.crowd import Result
from simulator.photos import PhotoLibrary
from simulator.scenario import ChipKind, TravellerSpec, load_scenario, scenarios_dir, usual_travellers

TEN = scenarios_dir() / "ten.toml"


def spec(name: str) -> TravellerSpec:
    return next(item for item in load_scenario(TEN).travellers if item.id == name)


def result(spec: TravellerSpec, outcome: str | None, *reasons: str) -> Result:
    return Result(spec=spec, lane="lane-1", outcome=outcome, reasons=reasons, crossing_s=1.0)


def test_the_shipped_scenario_has_ten_kinds_of_travellers() -> None:
    travellers = load_scenario(TEN).travellers
    assert len({item.id for item in travellers}) == 10
    assert len({item.document.number for item in travellers}) == 10
    assert {item.expected.outcome for item in travellers} == {
        CrossingOutcome.CLEARED,
        CrossingOutcome.RELEASED_BY_OFFICER,
        CrossingOutcome.SENT_BACK,
        CrossingOutcome.DENIED_ENTRY,
        CrossingOutcome.ALARMED,
        CrossingOutcome.ABANDONED,
    }


def test_the_walk_through_scenario_is_of_one_door_and_names_people_with_photographs() -> None:
    scenario = load_scenario(scenarios_dir() / "walk_through.toml")
    people = PhotoLibrary()
    assert (scenario.doors, usual_travellers().doors) == (1, 2)
    assert {item.expected.outcome for item in scenario.travellers} >= {CrossingOutcome.CLEARED, CrossingOutcome.ALARMED}
    for item in scenario.travellers:
        assert people.person(item.person)
        assert item.followed_by is None or people.person(item.followed_by)


def test_everybody_in_it_has_photographs() -> None:
    people = PhotoLibrary()
    for item in load_scenario(TEN).travellers:
        for name in (item.person, item.document.portrait_of, item.followed_by):
            assert name is None or people.person(name).photos


def test_the_impostor_carries_somebody_elses_portrait() -> None:
    assert spec("impostor").document.portrait_of not in (None, spec("impostor").person)


def test_an_outcome_counts_only_with_its_reasons() -> None:
    impostor = spec("impostor")
    assert result(impostor, "sent_back", "face.match").is_as_expected
    assert result(impostor, "sent_back", "face.match", "inside.limit").is_as_expected
    assert result(impostor, "sent_back", "lane.face.match").is_as_expected
    assert not result(impostor, "sent_back", "inside.limit").is_as_expected
    assert not result(impostor, "cleared", "face.match").is_as_expected
    assert not result(impostor, None).is_as_expected


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("title = 1\n[[traveller]]\n", "wrong at title"),
        ('title = "x"\n', "wrong at traveller"),
        ('title = "x"\ntraveller = []\n', "wrong at traveller"),
        ('title = "x"\nfoo = 1\n[[traveller]]\n', "wrong at"),
        ("title = ", "cannot be read"),
    ],
)
def test_a_wrong_file_is_refused_in_one_sentence(tmp_path: Path, text: str, told: str) -> None:
    file = tmp_path / "wrong.toml"
    file.write_text(text)
    with pytest.raises(GateError) as caught:
        load_scenario(file)
    assert told in str(caught.value)
    assert str(file) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_missing_file_names_one_that_is_there(tmp_path: Path) -> None:
    with pytest.raises(GateError, match=r"nowhere\.toml does not exist: pass a TOML file such as .*ten\.toml"):
        load_scenario(tmp_path / "nowhere.toml")


def test_the_demonstration_brings_the_ten_and_then_everything_that_a_chip_may_be() -> None:
    usual = usual_travellers()
    assert usual.travellers[:10] == load_scenario(TEN).travellers
    assert len({item.id for item in usual.travellers}) == len(usual.travellers)
    chips = [item.document.chip for item in usual.travellers[10:]]
    assert set(chips) == {None, *ChipKind}
    cleared = {item.document.chip for item in usual.travellers[10:] if item.expected.outcome is CrossingOutcome.CLEARED}
    assert cleared == {None, ChipKind.GENUINE}, (
        "a silent, a failed and a false chip are not cleared; a document without one is"
    )
