"""Two officers in two browsers decide one case together, and neither can decide on what they have not seen."""

import re

import pytest
from conftest import Screens
from playwright.sync_api import Locator, Page, expect
from port_kit import Person, TalkingLane, finding, referred_crossing

from gate.core.evidence import Outcome

pytestmark = pytest.mark.browser

Lanes = dict[str, TalkingLane]


def test_two_roles_see_one_case_and_release_it_together(screens: Screens, lanes: Lanes) -> None:
    customs, quarantine = screens.open("/role/customs", "li"), screens.open("/role/quarantine", "zhao")
    referred_crossing(lanes["lane-1"], "two-roles")
    for page in (customs, quarantine):
        expect(case_id(page)).to_have_attribute("data-case-id", "two-roles")
        expect(page.get_by_test_id("traveller-surname")).to_have_text("ERIKSSON")
        expect(page.get_by_test_id("finding-health.temperature")).to_have_attribute("data-mark", "!")
        expect_picture(page.get_by_test_id("picture-page"))
    pages = [page.get_by_test_id("picture-page").get_attribute("src") for page in (customs, quarantine)]
    assert pages[0] == pages[1]

    release(customs)
    for page in (customs, quarantine):
        expect(page.get_by_test_id("verdict-customs")).to_have_attribute("data-kind", "released_by_officer")
        expect(page.get_by_test_id("verdict-quarantine")).to_have_attribute("data-kind", "pending")
        expect(page.get_by_test_id("released-banner")).to_be_hidden()

    expect(quarantine.get_by_test_id("btn-release")).to_be_enabled()
    quarantine.keyboard.press("F1")
    expect(quarantine.get_by_test_id("choice-dialog")).to_contain_text("Release although something stands in the way?")
    quarantine.keyboard.press("2")
    for page in (customs, quarantine):
        expect(page.get_by_test_id("released-banner")).to_be_visible()
        expect(page.get_by_test_id("released-banner")).to_contain_text(re.compile(r"Released together \d\d:\d\d:\d\d"))
    lanes["lane-1"].end("released_by_officer")
    expect(customs.get_by_test_id("queue-empty")).to_be_visible()


def test_new_evidence_asks_again_and_says_what_changed(screens: Screens, lanes: Lanes) -> None:
    customs, quarantine = screens.open("/role/customs", "li"), screens.open("/role/quarantine", "zhao")
    lane = lanes["lane-1"]
    referred_crossing(lane, "asks-again")
    for page in (customs, quarantine):
        expect(case_id(page)).to_have_attribute("data-case-id", "asks-again")
    release(customs)
    expect(customs.get_by_test_id("verdict-customs")).to_have_attribute("data-kind", "released_by_officer")

    lane.record(finding("health.temperature", Outcome.REFER, role="quarantine", measured=39.2, threshold=37.3))
    lane.decide("refer", reasons=("health.temperature",), roles=("customs", "quarantine"))
    for page in (customs, quarantine):
        expect(page.get_by_test_id("notice-text")).to_contain_text(
            "The evidence changed: Temperature is raised (39.2 / 37.3 °C)"
        )
        expect(page.get_by_test_id("verdict-customs")).to_have_attribute("data-kind", "pending")
    expect(customs.get_by_test_id("verdict-customs")).to_contain_text("on older evidence")
    expect(customs.get_by_test_id("released-banner")).to_be_hidden()
    lane.end("sent_back")
    expect(customs.get_by_test_id("queue-empty")).to_be_visible()


def test_an_answer_that_crosses_with_new_evidence_is_refused_and_explained(screens: Screens, lanes: Lanes) -> None:
    """Whichever comes first, the click or the news, nothing is decided on evidence that was not on the screen."""
    customs = screens.open("/role/customs", "li")
    lane = lanes["lane-1"]
    referred_crossing(lane, "crosses")
    expect(case_id(customs)).to_have_attribute("data-case-id", "crosses")
    expect(customs.get_by_test_id("btn-release")).to_be_enabled()
    lane.record(finding("face.match", Outcome.REFER, measured=0.11, threshold=0.42))
    lane.decide("refer", reasons=("face.match",), roles=("border", "customs", "quarantine"))
    customs.get_by_test_id("btn-release").evaluate("button => button.click()")
    if customs.get_by_test_id("choice-dialog").is_visible():
        customs.keyboard.press("1")
    expect(customs.get_by_test_id("notice-text")).to_contain_text("The evidence changed: Live face does not match")
    expect(customs.get_by_test_id("verdict-customs")).to_have_attribute("data-kind", "pending")
    lane.end("sent_back")
    expect(customs.get_by_test_id("queue-empty")).to_be_visible()


def test_hold_and_send_back_with_a_reason(screens: Screens, lanes: Lanes) -> None:
    customs = screens.open("/role/customs", "li")
    referred_crossing(lanes["lane-2"], "goes-back", Person(surname="NOVAK", given_names="JAN"))
    expect(case_id(customs)).to_have_attribute("data-case-id", "goes-back")
    expect(customs.get_by_test_id("btn-hold")).to_be_enabled()
    customs.keyboard.press("F2")
    expect(customs.get_by_test_id("choice-dialog")).to_contain_text("Hold the traveller?")
    customs.keyboard.press("1")
    expect(customs.get_by_test_id("verdict-customs")).to_have_attribute("data-kind", "hold")
    expect(customs.get_by_test_id("verdict-customs")).to_contain_text("Questions to the traveller")
    expect(customs.get_by_test_id("btn-hold")).to_have_attribute("data-given", "yes")
    expect(customs.get_by_test_id("btn-send-back")).to_be_enabled()
    customs.keyboard.press("F7")
    customs.get_by_test_id("choice-customs").click()
    expect(customs.get_by_test_id("notice-text")).to_contain_text("Sending the traveller back")
    expect(customs.get_by_test_id("history")).to_contain_text("Sending back: Goods must be inspected at the desk")
    lanes["lane-2"].end("sent_back")
    expect(customs.get_by_test_id("queue-empty")).to_be_visible()


def test_the_oldest_waiting_case_comes_first_and_a_choice_by_hand_stays(screens: Screens, lanes: Lanes) -> None:
    referred_crossing(lanes["lane-1"], "older")
    customs = screens.open("/role/customs", "li")
    expect(case_id(customs)).to_have_attribute("data-case-id", "older")
    referred_crossing(lanes["lane-2"], "younger", Person(surname="NOVAK", given_names="JAN"))
    expect(customs.get_by_test_id("role-queue-item")).to_have_count(2)
    expect(case_id(customs)).to_have_attribute("data-case-id", "older")
    customs.locator('[data-testid=role-queue-item][data-case-id="younger"]').click()
    expect(customs.get_by_test_id("traveller-surname")).to_have_text("NOVAK")
    lanes["lane-1"].end("sent_back")
    expect(customs.get_by_test_id("role-queue-item")).to_have_count(1)
    expect(case_id(customs)).to_have_attribute("data-case-id", "younger")
    lanes["lane-2"].end("sent_back")
    expect(customs.get_by_test_id("queue-empty")).to_be_visible()


def test_new_evidence_does_not_make_the_screen_jump_to_another_case(screens: Screens, lanes: Lanes) -> None:
    """Between new evidence and the lane's word on it the case waits for nobody; the officer's eyes are still on it."""
    customs = screens.open("/role/customs", "li")
    referred_crossing(lanes["lane-1"], "looked-at")
    expect(customs.get_by_test_id("btn-release")).to_be_enabled()
    referred_crossing(lanes["lane-2"], "also-waiting")
    expect(customs.get_by_test_id("role-queue-item")).to_have_count(2)
    lanes["lane-1"].record(finding("face.match", Outcome.REFER, measured=0.2, threshold=0.42))
    expect(customs.get_by_test_id("notice-text")).to_contain_text("Live face does not match")
    first_in_queue = customs.get_by_test_id("role-queue-item").first
    expect(first_in_queue).to_have_attribute("data-case-id", "also-waiting")
    expect(case_id(customs)).to_have_attribute("data-case-id", "looked-at")


def test_a_second_press_does_not_release_the_next_traveller(screens: Screens, lanes: Lanes) -> None:
    customs = screens.open("/role/customs", "li")
    referred_crossing(lanes["lane-1"], "first")
    expect(customs.get_by_test_id("btn-release")).to_be_enabled()
    referred_crossing(lanes["lane-2"], "second")
    expect(customs.get_by_test_id("role-queue-item")).to_have_count(2)
    customs.keyboard.press("F1")
    expect(customs.get_by_test_id("choice-dialog")).to_be_visible()
    customs.keyboard.press("1")
    customs.keyboard.press("1")
    customs.keyboard.press("F1")
    expect(case_id(customs)).to_have_attribute("data-case-id", "second")
    expect(customs.get_by_test_id("btn-release")).to_be_enabled()
    expect(customs.get_by_test_id("verdict-customs")).to_have_attribute("data-kind", "pending")


def test_a_picture_can_be_looked_at_closely(screens: Screens, lanes: Lanes) -> None:
    customs = screens.open("/role/customs", "li")
    referred_crossing(lanes["lane-1"], "closely")
    picture = customs.get_by_test_id("picture-page")
    expect_picture(picture)
    pane = customs.locator(".viewer").first
    pane.hover()
    customs.mouse.wheel(0, -600)
    expect(pane).to_have_attribute("data-scale", re.compile(r"2\.\d\d"))
    pane.dblclick()
    expect(pane).to_have_attribute("data-scale", "1.00")
    lanes["lane-1"].end("sent_back")
    expect(customs.get_by_test_id("queue-empty")).to_be_visible()


def release(page: Page) -> None:
    """Release although a finding of the role stands in the way, for the first of the reasons."""
    expect(page.get_by_test_id("btn-release")).to_be_enabled()
    page.get_by_test_id("btn-release").click()
    page.locator('[data-choice="1"]').click()


def case_id(page: Page) -> Locator:
    return page.get_by_test_id("case-id")


def expect_picture(picture: Locator) -> None:
    """The picture is there and was decoded."""
    expect(picture).to_be_visible()
    expect(picture).to_have_js_property("complete", True)
    assert picture.evaluate("element => element.naturalWidth") > 100
