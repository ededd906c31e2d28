"""The overview of lanes, who may open what, and screens that have lost a link."""

import httpx
import pytest
from conftest import Screens, fill_in
from playwright.sync_api import expect
from port_kit import Broker, PortProcess, TalkingLane, referred_crossing

from gate.wire.messages import KioskStep

pytestmark = pytest.mark.browser

Lanes = dict[str, TalkingLane]


def test_lanes_are_drawn_with_their_doors_and_what_is_wrong(screens: Screens, lanes: Lanes) -> None:
    lane = lanes["lane-1"]
    lane.status()
    lane.state(KioskStep.WALK_OUT, state="cleared", lamp="green", exit="open", person_count=1)
    page = screens.open("/lanes", "chen")
    card = page.get_by_test_id("lane-card-lane-1")
    expect(card.get_by_test_id("lane-state")).to_have_text("cleared")
    expect(card.locator(".door-open")).to_have_count(1)
    expect(card.locator(".head")).to_have_count(1)
    lane.state(KioskStep.OUT_OF_SERVICE, state="fault", lamp="red", problem="exit door jammed")
    expect(page.get_by_test_id("alarm-lane-1")).to_contain_text("exit door jammed")
    page.get_by_test_id("acknowledge-lane-1").click()
    expect(page.get_by_test_id("lanes-said")).to_have_text("Lane 1: acknowledge: sent.")
    lane.state(KioskStep.PLACE_DOCUMENT, state="ready", lamp="green")
    expect(page.get_by_test_id("alarm-lane-1")).to_have_count(0)
    page.get_by_test_id("out-of-service-lane-1").click()
    expect(page.get_by_test_id("lanes-said")).to_have_text("Lane 1: take out of service: sent.")


def test_an_officer_without_the_right_can_look_but_not_command(screens: Screens, lanes: Lanes) -> None:
    lanes["lane-1"].status()
    lanes["lane-1"].state(KioskStep.PLACE_DOCUMENT, state="ready", lamp="green")
    page = screens.open("/lanes", "li")
    expect(page.get_by_test_id("lane-card-lane-1").get_by_test_id("lane-state")).to_have_text("ready")
    expect(page.get_by_test_id("out-of-service-lane-1")).to_be_disabled()


def test_a_wrong_password_is_one_sentence(screens: Screens) -> None:
    page = screens.open("/login")
    fill_in(page, "li", "not the password")
    expect(page.get_by_test_id("login-problem")).to_have_text("User name or password is not right.")


def test_another_roles_screen_stays_shut(screens: Screens) -> None:
    page = screens.open("/role/customs", "li")
    page.goto(page.url.replace("customs", "quarantine"))
    expect(page.get_by_test_id("not-yours")).to_be_visible()
    expect(page.get_by_test_id("role-screen")).to_have_count(0)


def test_pictures_are_for_signed_in_officers_only(port: PortProcess, lanes: Lanes) -> None:
    lanes["lane-1"].begin("shown-to-none")
    picture = lanes["lane-1"].store("page", b"\xff\xd8 not for strangers", "image/jpeg")
    answer = httpx.get(f"{port.url}/console-pictures/{picture.sha256}", trust_env=False, timeout=5)
    assert answer.status_code == 401
    assert answer.content == b""
    lanes["lane-1"].end("abandoned")


def test_a_lost_broker_is_drawn_and_found_again(screens: Screens, lanes: Lanes, broker: Broker) -> None:
    lanes["lane-1"].status()
    lanes["lane-1"].state(KioskStep.PLACE_DOCUMENT, state="ready", lamp="green")
    kiosk, customs = screens.open("/kiosk/lane-1"), screens.open("/role/customs", "li")
    expect(customs.get_by_test_id("link-state")).to_have_text("link ok")
    broker.stop()
    try:
        expect(kiosk.get_by_test_id("kiosk-step")).to_have_attribute("data-step", "link_lost")
        expect(customs.get_by_test_id("link-state")).to_have_text("live news lost")
    finally:
        broker.start()
    expect(customs.get_by_test_id("link-state")).to_have_text("link ok")
    # The broker forgot everything; the lane repeats its state.
    lanes["lane-1"].wait_until_connected()
    lanes["lane-1"].state(KioskStep.PLACE_DOCUMENT, state="ready", lamp="green")
    expect(kiosk.get_by_test_id("kiosk-step")).to_have_attribute("data-step", "place_document")
    referred_crossing(lanes["lane-1"], "after-the-loss")
    expect(customs.get_by_test_id("case-id")).to_have_attribute("data-case-id", "after-the-loss")
    lanes["lane-1"].end("sent_back")
