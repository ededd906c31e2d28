"""Makes the pictures of ``docs/screens``: ``python tests/browser/screens.py [FOLDER]``.

The screens, the hub and the broker are real; the lanes' words and the faces are made up here.
"""

import sys
import tempfile
from pathlib import Path

from conftest import CHROMIUM_ARGUMENTS, chromium, fill_in
from playwright.sync_api import Browser, Page, expect, sync_playwright
from port_kit import PASSWORD, Broker, Person, PortProcess, TalkingLane, finding, referred_crossing
from screens_kiosk import take_kiosk

from gate.core.evidence import Outcome
from gate.wire.messages import KioskStep

ROOT = Path(__file__).parents[2]
OFFICERS_PX = (1280, 800)


class Studio:
    """A browser and where its pictures go."""

    def __init__(self, browser: Browser, url: str, folder: Path) -> None:
        self._browser = browser
        self._url = url
        self._folder = folder

    def open(self, path: str, *, user: str = "", size_px: tuple[int, int] = OFFICERS_PX) -> Page:
        context = self._browser.new_context(
            viewport={"width": size_px[0], "height": size_px[1]}, reduced_motion="reduce"
        )
        page = context.new_page()
        page.goto(self._url + path)
        if user:
            fill_in(page, user, PASSWORD)
            page.wait_for_url(f"**{path}")
        return page

    def take(self, page: Page, name: str) -> None:
        page.wait_for_load_state("networkidle")
        page.screenshot(path=self._folder / f"{name}.png")
        print(self._folder / f"{name}.png")


def take_officers(studio: Studio, lane: TalkingLane, other: TalkingLane) -> None:
    customs = studio.open("/role/customs", user="li")
    quarantine = studio.open("/role/quarantine", user="zhao")
    lanes = studio.open("/lanes", user="chen")
    referred_crossing(lane, "7K2-0419")
    lane.state(KioskStep.WAIT_FOR_OFFICER, state="referred", lamp="amber", issuer="UTO", person_count=1)
    for page in (customs, quarantine):
        expect(page.get_by_test_id("case-id")).to_have_attribute("data-case-id", "7K2-0419")
        expect(page.get_by_test_id("btn-release")).to_be_enabled()
    referred_crossing(other, "7K2-0420", Person(surname="NOVAK", given_names="JAN", document_number="X1234567"))
    other.state(KioskStep.OUT_OF_SERVICE, state="fault", lamp="red", problem="exit door jammed")
    expect(customs.get_by_test_id("role-queue-item")).to_have_count(2)
    studio.take(customs, "role-customs")
    customs.get_by_test_id("btn-hold").click()
    expect(quarantine.get_by_test_id("verdict-customs")).to_have_attribute("data-kind", "hold")
    studio.take(quarantine, "role-quarantine")
    lane.record(finding("health.temperature", Outcome.REFER, role="quarantine", measured=38.9, threshold=37.3))
    lane.decide("refer", reasons=("health.temperature",), roles=("customs", "quarantine"))
    expect(customs.get_by_test_id("notice-text")).to_contain_text("The evidence changed")
    expect(customs.get_by_test_id("btn-release")).to_be_enabled()
    studio.take(customs, "role-evidence-changed")
    studio.take(lanes, "lanes")
    customs.get_by_test_id("btn-release").click()
    expect(quarantine.get_by_test_id("btn-release")).to_be_enabled()
    quarantine.get_by_test_id("btn-release").click()
    expect(quarantine.get_by_test_id("released-banner")).to_be_visible()
    studio.take(quarantine, "role-released")


def main(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as state:
        broker = Broker(Path(state))
        broker.start()
        port = PortProcess(Path(state), broker)
        try:
            port.start()
            lane, other = (TalkingLane(port, broker, name) for name in ("lane-1", "lane-2"))
            with sync_playwright() as playwright:
                browser = playwright.chromium.launch(executable_path=chromium(), args=CHROMIUM_ARGUMENTS)
                studio = Studio(browser, port.url, folder)
                for talking in (lane, other):
                    talking.status()
                    talking.begin("K1")
                take_kiosk(browser, port, folder, lane)
                for talking in (lane, other):
                    talking.end("cleared")
                take_officers(studio, lane, other)
                browser.close()
            lane.close()
            other.close()
        finally:
            port.stop()
            broker.stop()


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "docs" / "screens")
