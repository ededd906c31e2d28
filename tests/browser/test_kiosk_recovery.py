"""A kiosk comes back by itself, whatever went away: its broker, its server, its own page. Nobody is there to touch it."""

from collections.abc import Iterator

import pytest
from conftest import Screens
from playwright.sync_api import Browser, Page, expect
from port_kit import Broker, PortProcess, TalkingLane

from gate.console.texts import load_texts
from gate.wire.messages import KioskStep

# The steps themselves are in test_kiosk.py; `make test` has 15 minutes.
pytestmark = [pytest.mark.browser, pytest.mark.long]

Lanes = dict[str, TalkingLane]
TEXTS = load_texts()
COMES_BACK_MS = 45_000


@pytest.fixture
def kiosk(port: PortProcess, browser: Browser, lanes: Lanes) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 1080, "height": 1920}, reduced_motion="reduce")
    page = context.new_page()
    lanes["lane-1"].status()
    lanes["lane-1"].state(KioskStep.WALK_IN, issuer="SAU", case_id="k1")
    page.goto(f"{port.url}/kiosk/lane-1")
    expect_step(page, KioskStep.WALK_IN)
    yield page
    context.close()


def expect_step(page: Page, step: KioskStep | str) -> None:
    shown = page.get_by_test_id("kiosk-step")
    expect(shown).to_have_attribute("data-step", str(step), timeout=COMES_BACK_MS)


def test_without_its_broker_it_says_so_and_goes_on_when_it_is_back(kiosk: Page, lanes: Lanes, broker: Broker) -> None:
    broker.stop()
    try:
        expect_step(kiosk, "link_lost")
        expect(kiosk.get_by_test_id("kiosk-exit")).to_have_attribute("data-exit", "unknown")
        kiosk.get_by_test_id("kiosk-help").click()
        expect(kiosk.get_by_test_id("kiosk-help-panel")).to_have_attribute("data-said", "help_unheard")
    finally:
        broker.start()
        lanes["lane-1"].wait_until_connected()
    lanes["lane-1"].state(KioskStep.WALK_OUT, issuer="SAU", case_id="k1")
    expect_step(kiosk, KioskStep.WALK_OUT)
    expect(kiosk.get_by_test_id("kiosk-help-panel")).to_have_attribute("data-said", "help_called")


@pytest.mark.timeout(300)  # it starts a whole port once more, which takes its time on a busy computer
def test_without_its_server_it_shows_nothing_old_and_both_page_and_reload_come_back_alone(
    kiosk: Page, lanes: Lanes, port: PortProcess, screens: Screens
) -> None:
    kiosk.wait_for_function("navigator.serviceWorker.ready.then(worker => worker.active !== null)")
    other = kiosk.context.new_page()
    port.stop()
    try:
        wait = kiosk.get_by_test_id("kiosk-wait")
        expect(wait).to_be_visible()
        expect(wait).to_contain_text(TEXTS.kiosk("please_wait", "ar"))
        # Power is cut and comes back while there is still no server: the browser starts anew at its address.
        other.goto(f"{port.url}/kiosk/lane-1")
        expect(other.get_by_test_id("kiosk-shell")).to_be_visible()
        for language in TEXTS.languages:
            expect(other.get_by_text(TEXTS.kiosk("please_wait", language), exact=True)).to_be_visible()
    finally:
        port.start()
    lanes["lane-1"].state(KioskStep.LOOK_AT_CAMERA, issuer="SAU", case_id="k1")
    for page in (kiosk, other):
        expect_step(page, KioskStep.LOOK_AT_CAMERA)
        expect(page.get_by_test_id("kiosk-wait")).to_be_hidden(timeout=COMES_BACK_MS)
        expect(page.get_by_test_id("kiosk")).to_have_attribute("lang", "ar")
