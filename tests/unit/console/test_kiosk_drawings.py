"""Every drawing of the kiosk is well formed, shows what it should, and the page that waits speaks to everybody."""

from xml.etree import ElementTree

import pytest

from gate.console.kiosk_drawings import MOTIONS, arrow, chip_ring, kiosk_drawing, mirror_frame, progress_ring
from gate.console.kiosk_shell import ALIVE_PATH, SHELL_PATH, shell_page, worker_script
from gate.console.texts import load_texts
from gate.wire.messages import KioskStep
from models.face.quality import Hint

TEXTS = load_texts()
FACE_HINTS = sorted(hint.value for hint in Hint)


def classes(svg: str) -> set[str]:
    root = ElementTree.fromstring(svg)
    return {name for node in root.iter() for name in node.get("class", "").split()}


def text_of_style() -> str:
    from importlib import resources

    return (resources.files("gate.console") / "kiosk.css").read_text(encoding="utf-8")


@pytest.mark.parametrize("hint", FACE_HINTS)
def test_the_drawn_face_shows_how_to_follow_each_hint(hint: str) -> None:
    assert f"do-{hint}" in classes(kiosk_drawing(KioskStep.LOOK_AT_CAMERA, hint))
    if hint != "hold_still":
        assert f".do-{hint} " in text_of_style(), "a motion without a style does not move"


def test_a_hint_that_is_none_moves_nothing() -> None:
    assert not {name for name in classes(kiosk_drawing(KioskStep.LOOK_AT_CAMERA, "watchlist_hit")) if "do-" in name}
    assert TEXTS.hint_name("watchlist_hit") is None


@pytest.mark.parametrize("hint", [*FACE_HINTS, "leave_document", "turn_document", "place_flat", "turn_head"])
def test_each_hint_has_a_sign_of_its_own(hint: str) -> None:
    sign = arrow(hint)
    ElementTree.fromstring(sign)
    assert hint == "look_at_camera" or sign != arrow("look_at_camera")


@pytest.mark.parametrize("hint", ["left", "right", "up", "down", "come_closer", "step_back", "move_into_view"])
def test_the_mirror_points_the_way(hint: str) -> None:
    assert "way-to-go" in classes(mirror_frame(hint))


def test_the_mirror_points_nowhere_without_a_direction() -> None:
    for hint in (None, "remove_mask"):
        assert classes(mirror_frame(hint)) == {"mirror-frame", "veil", "oval"}


def test_walking_turns_about_with_the_writing_and_a_face_does_not() -> None:
    turned = {step for step in KioskStep if "follows-writing" in classes(kiosk_drawing(step))}
    assert turned == {KioskStep.WALK_IN, KioskStep.WALK_OUT, KioskStep.WALK_BACK, KioskStep.GO_TO_DESK}


def test_rings_fill_by_a_share_of_their_whole_length() -> None:
    for ring in (progress_ring(), chip_ring()):
        circles = [node for node in ElementTree.fromstring(ring) if node.tag.endswith("circle")]
        assert [circle.get("pathLength") for circle in circles] == ["1", "1"]


def test_motions_are_hints_that_are_spoken() -> None:
    assert [name for name in sorted(MOTIONS) if TEXTS.hint_name(name) is None] == []


def test_the_page_that_waits_speaks_every_language_and_needs_nobody() -> None:
    page = shell_page(TEXTS)
    for language in TEXTS.languages:
        way = "rtl" if TEXTS.is_right_to_left(language) else "ltr"
        assert f'<p lang="{language}" dir="{way}">{TEXTS.kiosk("please_wait", language)}</p>' in page
    assert "http://" not in page.replace("http://www.w3.org", "")
    assert "<link" not in page
    assert "src=" not in page
    assert f'fetch("{ALIVE_PATH}"' in page


def test_a_new_shell_replaces_the_one_that_browsers_keep() -> None:
    old, new = worker_script("<p>one</p>"), worker_script("<p>two</p>")
    assert old != new
    assert f'const SHELL = "{SHELL_PATH}"' in new
