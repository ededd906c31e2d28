"""The traveller's screen follows the lane, speaks the traveller's language, and says nothing that is not for travellers."""

import re
from collections.abc import Iterator

import pytest
from conftest import Screens
from playwright.sync_api import Page, expect
from port_kit import LANES, TalkingLane

from gate.console.texts import load_texts
from gate.wire.messages import KioskLight, KioskStep
from models.pad.challenge import COLOURS

pytestmark = pytest.mark.browser

Lanes = dict[str, TalkingLane]
TEXTS = load_texts()


@pytest.fixture(scope="module")
def standing_kiosk(all_screens: Screens) -> Iterator[Page]:
    """One page for the whole file, as at a lane, where it is never opened anew."""
    page = all_screens.open("/kiosk/lane-2", "")
    yield page
    page.close()


@pytest.fixture
def kiosk(standing_kiosk: Page, screens: Screens, lanes: Lanes) -> Page:
    lanes["lane-2"].status()
    lanes["lane-2"].state(KioskStep.PLEASE_WAIT, case_id="the one before")
    expect_step(standing_kiosk, KioskStep.PLEASE_WAIT)
    lanes["lane-2"].state(KioskStep.PLACE_DOCUMENT, lamp="green", case_id=None)
    expect_step(standing_kiosk, KioskStep.PLACE_DOCUMENT)
    return standing_kiosk


def expect_step(page: Page, step: KioskStep | str) -> None:
    expect(page.get_by_test_id("kiosk-step")).to_have_attribute("data-step", str(step))


def test_every_step_has_its_drawing_sentence_and_colour(kiosk: Page, lanes: Lanes) -> None:
    sentences = set()
    for step in KioskStep:
        lanes["lane-2"].state(step, lamp="amber", issuer="UTO", case_id="k1")
        expect_step(kiosk, step)
        expect(kiosk.get_by_test_id("kiosk")).to_have_attribute("data-lamp", "amber")
        expect(kiosk.locator(".kiosk-drawing svg")).to_have_count(1)
        sentences.add(kiosk.get_by_test_id("kiosk-sentence").inner_text())
    assert len(sentences) == len(KioskStep)


def test_the_exit_door_is_followed(kiosk: Page, lanes: Lanes) -> None:
    lanes["lane-2"].state(KioskStep.WALK_OUT, lamp="green", case_id="k1", exit="open")
    expect(kiosk.get_by_test_id("kiosk-exit")).to_have_attribute("data-exit", "open")


def test_it_speaks_the_language_of_the_document_until_another_is_chosen(kiosk: Page, lanes: Lanes) -> None:
    lane = lanes["lane-2"]
    lane.state(KioskStep.WALK_IN, issuer="SAU", case_id="k2")
    expect(kiosk.get_by_test_id("kiosk")).to_have_attribute("lang", "ar")
    expect(kiosk.get_by_test_id("kiosk")).to_have_attribute("dir", "rtl")
    kiosk.get_by_test_id("kiosk-language-fr").click()
    expect(kiosk.get_by_test_id("kiosk")).to_have_attribute("lang", "fr")
    expect(kiosk.get_by_test_id("kiosk")).to_have_attribute("dir", "ltr")
    lane.state(KioskStep.LOOK_AT_CAMERA, issuer="SAU", case_id="k2")
    expect_step(kiosk, KioskStep.LOOK_AT_CAMERA)
    expect(kiosk.get_by_test_id("kiosk-sentence")).to_have_text("Regardez la caméra")
    lane.state(KioskStep.PLACE_DOCUMENT, case_id=None)
    # Chinese at rest, or English where the browser has no letters for it; the choice is gone either way.
    expect(kiosk.get_by_test_id("kiosk")).to_have_attribute("lang", re.compile("^(zh|en)$"))


def test_hints_are_words_and_an_arrow_and_an_unknown_one_shows_nothing(kiosk: Page, lanes: Lanes) -> None:
    lane = lanes["lane-2"]
    lane.state(KioskStep.LOOK_AT_CAMERA, issuer="UTO", case_id="k3", hint="come_closer")
    expect(kiosk.get_by_test_id("kiosk-hint")).to_have_text("Come a little closer")
    expect(kiosk.locator(".kiosk-arrow svg")).to_be_visible()
    lane.state(KioskStep.LOOK_AT_CAMERA, issuer="UTO", case_id="k3", hint="watchlist_hit")
    expect(kiosk.get_by_test_id("kiosk-hint")).to_be_hidden()


def test_a_referral_is_calm_and_gives_no_reason(kiosk: Page, lanes: Lanes) -> None:
    lanes["lane-2"].state(
        KioskStep.WAIT_FOR_OFFICER,
        lamp="amber",
        issuer="UTO",
        case_id="k4",
        problem="watchlist hit",
        hint="watchlist_hit",
    )
    expect(kiosk.get_by_test_id("kiosk-sentence")).to_have_text("Please wait here. An officer will help you")
    assert re.search("watchlist|refer|alarm|reason", kiosk.content(), re.IGNORECASE) is None


def test_the_privacy_line_comes_before_the_first_picture_only(kiosk: Page, lanes: Lanes) -> None:
    expect(kiosk.get_by_test_id("kiosk-privacy")).to_be_visible()
    lanes["lane-2"].state(KioskStep.LOOK_AT_CAMERA, case_id="k5")
    expect(kiosk.get_by_test_id("kiosk-privacy")).to_be_hidden()


def test_a_call_for_help_reaches_the_officers_until_one_goes(kiosk: Page, screens: Screens) -> None:
    lanes_page = screens.open("/lanes", "chen")
    expect(lanes_page.get_by_test_id("go-lane-2")).to_have_count(0)
    kiosk.get_by_test_id("kiosk-help").click()
    expect(kiosk.get_by_test_id("kiosk-help-panel")).to_be_visible()
    lanes_page.get_by_test_id("go-lane-2").click()
    expect(lanes_page.get_by_test_id("go-lane-2")).to_have_count(0)
    kiosk.get_by_test_id("kiosk-help-close").click()
    expect(kiosk.get_by_test_id("kiosk-help-panel")).to_be_hidden()


def test_a_lane_that_went_offline_is_said_to_be_out_of_use(kiosk: Page, lanes: Lanes) -> None:
    lanes["lane-2"].status(is_online=False)
    expect_step(kiosk, "offline")
    expect(kiosk.get_by_test_id("kiosk")).to_have_attribute("data-lamp", "off")
    assert kiosk.get_by_test_id("kiosk-sentence").inner_text() in {
        TEXTS.kiosk("offline", name) for name in ("zh", "en")
    }
    lanes["lane-2"].status()
    expect_step(kiosk, KioskStep.PLACE_DOCUMENT)
    expect(kiosk.get_by_test_id("kiosk")).to_have_attribute("data-lamp", "green")


def test_a_lane_that_does_not_exist_has_no_kiosk(screens: Screens) -> None:
    page = screens.open("/kiosk/lane-9")
    expect(page.get_by_text("This lane does not exist.")).to_be_visible()
    assert "lane-9" not in LANES


def plan(name: str) -> KioskLight:
    shown = tuple(f"#{r:02x}{g:02x}{b:02x}" for r, g, b in COLOURS.values())
    return KioskLight(id=name, colours=shown[:3], step_ms=600)


def test_it_lights_the_face_once_for_each_plan_and_then_is_dark(kiosk: Page, lanes: Lanes) -> None:
    light = plan("one")
    pane = kiosk.get_by_test_id("kiosk-light")
    kiosk.emulate_media(reduced_motion="no-preference")
    try:
        lanes["lane-2"].state(KioskStep.LOOK_AT_CAMERA, light=light)
        expect(pane).to_have_attribute("data-colour", light.colours[-1])
        expect(pane).to_be_hidden()
        lanes["lane-2"].state(KioskStep.LOOK_AT_CAMERA, light=light, hint="hold_still")
        expect(kiosk.get_by_test_id("kiosk-hint")).to_have_attribute("data-hint", "hold_still")
        expect(pane).to_be_hidden()
    finally:
        kiosk.emulate_media(reduced_motion="reduce")


def test_who_asked_for_less_motion_is_not_lit(kiosk: Page, lanes: Lanes) -> None:
    lanes["lane-2"].state(KioskStep.LOOK_AT_CAMERA, light=plan("two"))
    pane = kiosk.get_by_test_id("kiosk-light")
    expect(pane).to_have_attribute("data-light", "two")
    expect(pane).to_be_hidden()
