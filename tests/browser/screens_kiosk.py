"""The kiosk's pictures of ``docs/screens``; ``screens.py`` takes them with the others, alone: ``python tests/browser/screens_kiosk.py``."""

import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from conftest import CHROMIUM_ARGUMENTS, chromium
from playwright.sync_api import Page, expect, sync_playwright
from port_kit import Broker, PortProcess, TalkingLane, drawn_face

from drivers.camera.interface import Frame
from gate.lane.mirror import Mirror
from gate.wire.messages import KioskStep

ROOT = Path(__file__).parents[2]
WIDE_PX = (1280, 800)
TALL_PX = (1080, 1920)
STEPS: tuple[tuple[str, tuple[int, int], KioskStep, str, dict[str, Any]], ...] = (
    ("kiosk-place-document", WIDE_PX, KioskStep.PLACE_DOCUMENT, "green", {"issuer": "UTO"}),
    ("kiosk-chip", WIDE_PX, KioskStep.READING_DOCUMENT, "blue", {"issuer": "JPN", "chip_progress": 0.6}),
    ("kiosk-walk-in", TALL_PX, KioskStep.WALK_IN, "green", {"issuer": "SAU"}),
    ("kiosk-glasses", WIDE_PX, KioskStep.LOOK_AT_CAMERA, "blue", {"issuer": "CHN", "hint": "remove_glasses"}),
    ("kiosk-officer", WIDE_PX, KioskStep.WAIT_FOR_OFFICER, "amber", {"issuer": "SAU", "person_count": 1}),
    ("kiosk-walk-out", TALL_PX, KioskStep.WALK_OUT, "green", {"issuer": "RUS", "person_count": 1, "exit": "open"}),
)


class Pages:
    """A kiosk of each size, and where its pictures go."""

    def __init__(self, browser: Any, url: str, folder: Path) -> None:
        self._folder = folder
        self._pages: dict[tuple[int, int], Page] = {}
        for size_px in (WIDE_PX, TALL_PX):
            viewport = {"width": size_px[0], "height": size_px[1]}
            context = browser.new_context(viewport=viewport, reduced_motion="reduce")
            self._pages[size_px] = context.new_page()
            self._pages[size_px].goto(f"{url}/kiosk/lane-1")

    def at(self, size_px: tuple[int, int], step: KioskStep) -> Page:
        page = self._pages[size_px]
        expect(page.get_by_test_id("kiosk-step")).to_have_attribute("data-step", step.value)
        return page

    def take(self, page: Page, name: str) -> None:
        page.wait_for_load_state("networkidle") if "mirror" not in name else page.wait_for_timeout(300)
        page.screenshot(path=self._folder / f"{name}.png")
        print(self._folder / f"{name}.png")


@contextmanager
def face_before(port: PortProcess) -> Iterator[None]:
    """A traveller before the lane's camera, in its mirror: drawn, since no photograph of anybody is kept here."""
    image = drawn_face(warmth=18).astype(np.uint8)
    mirror, is_over = Mirror(port.mirror_port), threading.Event()
    mirror.start()

    def show() -> None:
        number = 0
        while not is_over.wait(0.05):
            number += 1
            mirror.look(0, Frame(image_bgr=image, captured_ns=number, sequence=number))

    thread = threading.Thread(target=show)
    thread.start()
    try:
        yield
    finally:
        is_over.set()
        thread.join()
        mirror.stop()


def take_kiosk(browser: Any, port: PortProcess, folder: Path, lane: TalkingLane) -> None:
    """All of them."""
    pages = Pages(browser, port.url, folder)
    for name, size_px, step, lamp, more in STEPS:
        lane.state(step, lamp=lamp, case_id="K1", **more)
        pages.take(pages.at(size_px, step), name)
    with face_before(port):
        for name, size_px, hint in (("kiosk-mirror", WIDE_PX, None), ("kiosk-mirror-closer", TALL_PX, "come_closer")):
            lane.state(KioskStep.LOOK_AT_CAMERA, lamp="blue", issuer="FRA", case_id="K1", person_count=1, hint=hint)
            page = pages.at(size_px, KioskStep.LOOK_AT_CAMERA)
            expect(page.get_by_test_id("kiosk-mirror")).to_be_visible()
            pages.take(page, name)
    lane.state(KioskStep.PLACE_DOCUMENT, lamp="green", case_id="K2", issuer="KOR")
    page = pages.at(TALL_PX, KioskStep.PLACE_DOCUMENT)
    for name in ("low", "contrast"):
        page.get_by_test_id(f"kiosk-{name}").click()
    expect(page.get_by_test_id("kiosk")).to_have_attribute("data-contrast", "high")
    pages.take(page, "kiosk-low-contrast")
    page = pages.at(WIDE_PX, KioskStep.PLACE_DOCUMENT)
    page.get_by_test_id("kiosk-help").click()
    expect(page.get_by_test_id("kiosk-help-panel")).to_be_visible()
    pages.take(page, "kiosk-help")


def main(folder: Path) -> None:
    with tempfile.TemporaryDirectory() as state:
        broker = Broker(Path(state))
        broker.start()
        port = PortProcess(Path(state), broker)
        try:
            port.start()
            lane = TalkingLane(port, broker, "lane-1")
            lane.status()
            with sync_playwright() as playwright:
                browser = playwright.chromium.launch(executable_path=chromium(), args=CHROMIUM_ARGUMENTS)
                take_kiosk(browser, port, folder, lane)
                browser.close()
            lane.close()
        finally:
            port.stop()
            broker.stop()


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "docs" / "screens")
