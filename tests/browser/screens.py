"""Makes the pictures of ``docs/screens``: ``python tests/browser/screens.py [FOLDER]``.

The screens, the hub and the broker are real; the lanes' words and the faces are made up here.
"""

import sys
import tempfile
from pathlib import Path

from conftest import CHROMIUM_ARGUMENTS, chromium, fill_in
from playwright.sync_api import Browser, Page, expect, sync_playwright
from port_kit import PASSWORD, Broker, PortProcess, TalkingLane
from screens_kiosk import take_kiosk
from screens_roles import take_roles

from gate.wire.messages import KioskStep

ROOT = Path(__file__).parents[2]
OFFICERS_PX = (1280, 800)


class Studio:
    """A browser and where its pictures go."""

    def __init__(self, browser: Browser, url: str, folder: Path) -> None:
        self._browser = browser
        self._url = url
        self._folder = folder

    def open(self, path: str, *, user: str = "", size_px: tuple[int, int] = OFFICERS_PX, locale: str = "en-GB") -> Page:
        context = self._browser.new_context(
            viewport={"width": size_px[0], "height": size_px[1]}, reduced_motion="reduce", locale=locale
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


def take_lanes(studio: Studio, lane: TalkingLane) -> None:
    lanes = studio.open("/lanes", user="chen")
    lane.state(KioskStep.OUT_OF_SERVICE, state="fault", lamp="red", problem="exit door jammed")
    expect(lanes.get_by_text("exit door jammed").first).to_be_visible()
    studio.take(lanes, "lanes")


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
                take_roles(studio, lane, other)
                take_lanes(studio, other)
                browser.close()
            lane.close()
            other.close()
        finally:
            port.stop()
            broker.stop()


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "docs" / "screens")
