"""Every sentence is there in every language, and a missing one is noticed at start."""

import tomllib
from importlib import resources
from typing import Any
from xml.etree import ElementTree

import pytest

from gate.console.drawings import lane_plan
from gate.console.kiosk_drawings import kiosk_drawing
from gate.console.texts import Texts, load_texts
from gate.wire.messages import KioskStep
from models.face.quality import Hint


def raw() -> dict[str, Any]:
    return tomllib.loads((resources.files("gate.console") / "texts.toml").read_text(encoding="utf-8"))


def test_every_step_is_said_in_every_language_and_differently() -> None:
    texts = load_texts()
    for language in texts.languages:
        assert len({texts.kiosk(step.value, language) for step in KioskStep}) == len(KioskStep)


@pytest.mark.parametrize(("table", "phrase"), [("kiosk", "walk_in"), ("hint", "come_closer")])
def test_a_missing_sentence_is_an_error_at_start(table: str, phrase: str) -> None:
    data = raw()
    del data[table][phrase]["ko"]
    with pytest.raises(ValueError, match=rf"{table}\.{phrase}\.ko"):
        Texts(data)


def test_a_missing_step_is_an_error_at_start() -> None:
    data = raw()
    del data["kiosk"]["emergency"]
    with pytest.raises(ValueError, match="emergency"):
        Texts(data)


@pytest.mark.parametrize(
    ("issuer", "language"), [("CHN", "zh"), ("JPN", "ja"), ("SAU", "ar"), ("FRA", "fr"), ("UTO", "en"), (None, "en")]
)
def test_the_issuing_state_gives_the_language(issuer: str | None, language: str) -> None:
    assert load_texts().language_of(issuer) == language


def test_hints_are_known_by_their_other_names_too_and_unknown_ones_are_not_shown() -> None:
    texts = load_texts()
    assert texts.hint_name("closer") == texts.hint_name("come_closer") == "come_closer"
    assert texts.hint_name("watchlist_hit") is None
    assert texts.hint_name(None) is None


def test_every_hint_of_the_face_check_has_a_sentence() -> None:
    texts = load_texts()
    assert [hint for hint in Hint if texts.hint_name(hint.value) is None] == []


@pytest.mark.parametrize("step", list(KioskStep))
def test_every_step_has_a_drawing_that_is_well_formed(step: KioskStep) -> None:
    root = ElementTree.fromstring(kiosk_drawing(step))
    assert len(list(root.iter())) > 4


@pytest.mark.parametrize(("count", "heads"), [(None, 0), (0, 0), (1, 1), (2, 2), (7, 3)])
def test_a_lane_is_drawn_with_its_people(count: int | None, heads: int) -> None:
    svg = lane_plan(entry="open", exit_="flying", person_count=count)
    assert svg.count('class="head"') == heads
    assert ("?</text>" in svg) == (count is None)
    assert "door-open" in svg
    assert "door-unknown" in svg
