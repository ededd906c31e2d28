"""Who may open what, and screens that have lost a link."""

import httpx
import pytest
from conftest import Screens, fill_in
from playwright.sync_api import expect
from port_kit import Broker, PortProcess, TalkingLane, referred_crossing

from gate.wire.messages import KioskStep

pytestmark = pytest.mark.browser

Lanes = dict[str, TalkingLane]


def test_a_wrong_password_is_one_sentence(screens: Screens) -> None:
    page = screens.open("/login")
    fill_in(page, "li", "not the password")
    expect(page.get_by_test_id("login-problem")).to_have_text("User name or password is not right.")


def test_another_roles_screen_stays_shut(screens: Screens) -> None:
    page = screens.open("/role/customs", "li")
    expect(page.get_by_test_id("role-screen")).to_be_visible()
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
        expect(customs.get_by_test_id("stale")).to_contain_text("Not updated for 00:0")
        expect(customs.get_by_test_id("role-screen")).to_have_attribute("data-stale", "yes")
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
