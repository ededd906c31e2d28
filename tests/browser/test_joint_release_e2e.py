"""The whole way: a traveller at a simulated lane, real processes, two officers in two browsers, one release, the exit opens."""

import threading
from collections.abc import Iterator

import pytest
from conftest import fill_in
from playwright.sync_api import Browser, Page, expect

from drivers.lane_io.interface import Door
from simulator.costume import dress
from simulator.photos import PhotoLibrary
from simulator.port import SimulatedPort
from simulator.scenario import DeclarationSpec, TravellerSpec, load_scenario, scenarios_dir
from simulator.traveller import Traveller

pytestmark = [pytest.mark.browser, pytest.mark.slow]
LANE = "lane-1"


@pytest.fixture(scope="module")
def port() -> Iterator[SimulatedPort]:
    with SimulatedPort(lane_count=1, overrides={"inside_limit_ms": 90_000}) as made:
        made.wait_until_ready()
        yield made


def referred_by_both() -> TravellerSpec:
    """Goods to declare and a raised temperature: customs and quarantine must both release by hand."""
    honest = load_scenario(scenarios_dir() / "ten.toml").travellers[0]
    declared = DeclarationSpec(goods=("dried meat",))
    return honest.model_copy(update={"id": "both", "celsius": 38.1, "declaration": declared})


def open_screen(browser: Browser, port: SimulatedPort, path: str, user: str = "") -> Page:
    page = browser.new_context(viewport={"width": 1280, "height": 800}).new_page()
    page.set_default_timeout(15_000)
    page.goto(port.site.hub.url + path)
    if user:
        fill_in(page, user, next(login.password for login in port.logins if login.user == user))
        page.wait_for_url(f"**{path}")
    return page


def release(page: Page) -> None:
    """Release although a finding of the role stands in the way, for the first of the reasons."""
    page.get_by_test_id("btn-release").click()
    page.locator('[data-choice="1"]').click()


def exit_openings(port: SimulatedPort) -> int:
    return sum(opening.door is Door.EXIT for opening in port.twins[LANE].board.openings)


def test_released_from_both_screens_the_exit_opens_and_the_kiosk_shows_it(
    browser: Browser, port: SimulatedPort
) -> None:
    expect.set_options(timeout=20_000)
    kiosk = open_screen(browser, port, f"/kiosk/{LANE}")
    customs = open_screen(browser, port, "/role/customs", "customs")
    quarantine = open_screen(browser, port, "/role/quarantine", "quarantine")
    expect(kiosk.get_by_test_id("kiosk-step")).to_have_attribute("data-step", "place_document")

    spec = referred_by_both()
    port.officers.declare(spec)
    is_over = threading.Event()
    traveller = Traveller(spec, dress(spec, PhotoLibrary(), seed=7), port.twins[LANE], is_over=is_over)
    walk = threading.Thread(target=traveller.cross, daemon=True)
    walk.start()
    try:
        expect(kiosk.get_by_test_id("kiosk-step")).to_have_attribute("data-step", "wait_for_officer")
        for page in (customs, quarantine):
            expect(page.get_by_test_id("traveller-surname")).to_have_text("ERIKSSON")
            expect(page.get_by_test_id("btn-release")).to_be_enabled()
        seen = [page.get_by_test_id("picture-page").get_attribute("src") for page in (customs, quarantine)]
        assert seen[0] == seen[1]

        release(customs)
        expect(quarantine.get_by_test_id("verdict-customs")).to_have_attribute("data-kind", "released_by_officer")
        assert exit_openings(port) == 0, "one agency's word alone opens nothing"

        release(quarantine)
        expect(kiosk.get_by_test_id("kiosk-exit")).to_have_attribute("data-exit", "open")
        for page in (customs, quarantine):
            expect(page.get_by_test_id("released-banner")).to_be_visible()
        ended = port.observer.wait_for_end(LANE, 0, 30)
    finally:
        is_over.set()
        walk.join(timeout=10)
    assert ended is not None
    assert ended.outcome.value == "released_by_officer"
    assert [opening.reason for opening in port.twins[LANE].board.openings if opening.door is Door.EXIT] == ["token"]
