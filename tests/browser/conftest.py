"""A port in its own process, a broker, and the system's Chromium."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright
from port_kit import LANES, PASSWORD, Broker, PortProcess, TalkingLane

CHROMIUM_ARGUMENTS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


def chromium() -> str | None:
    """The system's Chromium."""
    return next(
        (path for name in ("chromium", "chromium-browser", "google-chrome") if (path := shutil.which(name))), None
    )


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Chromium, for one file: Playwright's synchronous API keeps an event loop running, in which no asynchronous test could run."""
    program = chromium()
    if program is None:
        _missing("chromium is not installed: apt-get install chromium")
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=program, args=CHROMIUM_ARGUMENTS)
        yield launched
        launched.close()


def _missing(message: str) -> None:
    if os.environ.get("CI"):
        pytest.fail(message)
    pytest.skip(message)


@pytest.fixture(scope="session")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    if shutil.which("mosquitto") is None and not Path("/usr/sbin/mosquitto").exists():
        _missing("mosquitto is not installed: apt-get install mosquitto")
    made = Broker(tmp_path_factory.mktemp("broker"))
    made.start()
    yield made
    made.stop()


@pytest.fixture(scope="session")
def port(tmp_path_factory: pytest.TempPathFactory, broker: Broker) -> Iterator[PortProcess]:
    made = PortProcess(tmp_path_factory.mktemp("port"), broker)
    made.start()
    yield made
    made.stop()


@pytest.fixture(scope="session")
def all_lanes(port: PortProcess, broker: Broker) -> Iterator[dict[str, TalkingLane]]:
    made = {lane: TalkingLane(port, broker, lane) for lane in LANES}
    yield made
    for lane in made.values():
        lane.close()


@pytest.fixture
def lanes(all_lanes: dict[str, TalkingLane]) -> Iterator[dict[str, TalkingLane]]:
    """The lanes, without an open case after the test however it ended."""
    yield all_lanes
    for lane in all_lanes.values():
        if lane.has_open_case:
            lane.end("interrupted")


class Screens:
    """Browsers that stay open for a whole file: one a user, so that nobody signs in twice.

    ``errors`` are of their scripts; ``strange_requests`` are those that leave the machine, which a port without internet would miss.
    """

    def __init__(self, browser: Browser, url: str) -> None:
        self._browser = browser
        self._url = url
        self._contexts: dict[str, BrowserContext] = {}
        self.errors: list[str] = []
        self.strange_requests: list[str] = []

    def open(self, path: str, user: str = "") -> Page:
        """A new page in the browser of ``user`` (nobody signed in when empty)."""
        is_new = user not in self._contexts
        if is_new:
            self._contexts[user] = self._browser.new_context(
                viewport={"width": 1280, "height": 800}, reduced_motion="reduce"
            )
        page = self._contexts[user].new_page()
        page.set_default_timeout(10_000)
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.on("request", lambda request: self._look_at(request.url))
        page.goto(self._url + path)
        if user and is_new:
            fill_in(page, user, PASSWORD)
            page.wait_for_url(f"**{path}")
        return page

    def _look_at(self, url: str) -> None:
        if not url.startswith(("http://127.0.0.1:", "ws://127.0.0.1:", "data:", "blob:")):
            self.strange_requests.append(url)

    def close_pages(self) -> None:
        """Close every page but those that stand at a lane."""
        for context in self._contexts.values():
            for page in context.pages:
                if "/kiosk/" not in page.url:
                    page.close()

    def close(self) -> None:
        for context in self._contexts.values():
            context.close()


@pytest.fixture(scope="module")
def all_screens(port: PortProcess, browser: Browser) -> Iterator[Screens]:
    expect.set_options(timeout=10_000)
    made = Screens(browser, port.url)
    yield made
    made.close()


@pytest.fixture
def screens(all_screens: Screens) -> Iterator[Screens]:
    """The screens of one test; an error of a page's script fails it, and so does a request that leaves the machine."""
    all_screens.errors.clear()
    yield all_screens
    all_screens.close_pages()
    assert not all_screens.errors
    assert not all_screens.strange_requests


def fill_in(page: Page, user: str, password: str) -> None:
    page.get_by_test_id("login-user").fill(user)
    page.get_by_test_id("login-password").fill(password)
    page.get_by_test_id("login-submit").click()
