"""What a screen is sent and what it is not, its languages, its keys, its age, and the end of a session."""

import re
import signal
import sqlite3
from collections.abc import Iterator
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from conftest import Screens, fill_in
from playwright.sync_api import Browser, Page, Response, WebSocket, expect
from port_kit import PASSWORD, PortProcess, TalkingLane, referred_crossing

pytestmark = pytest.mark.browser

Lanes = dict[str, TalkingLane]


@pytest.fixture
def fresh(browser: Browser, port: PortProcess) -> Iterator[Any]:
    """Opens a page in a browser of its own, before anybody has signed in; what the page received is in ``received``."""
    contexts = []

    def open_page(user: str, path: str, **more: Any) -> tuple[Page, list[str]]:
        context = browser.new_context(viewport={"width": 1280, "height": 800}, reduced_motion="reduce", **more)
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(10_000)
        received: list[str] = []

        def hear(socket: WebSocket) -> None:
            socket.on("framereceived", lambda frame: received.append(str(frame)))

        def read(response: Response) -> None:
            received.append(response.url)
            if "html" in response.headers.get("content-type", ""):
                received.append(response.text())

        page.on("websocket", hear)
        page.on("requestfinished", lambda request: read(request.response()) if request.response() else None)
        page.goto(port.url + path)
        fill_in(page, user, PASSWORD)
        page.wait_for_url(f"**{path}")
        return page, received

    yield open_page
    for context in contexts:
        context.close()


def test_what_a_role_may_not_see_never_reaches_its_screen(fresh: Any, lanes: Lanes) -> None:
    customs, all_of_it = fresh("li", "/role/customs")
    security, part_of_it = fresh("sun", "/role/security")
    referred_crossing(lanes["lane-1"], "kept-from-some", celsius=38.9)
    page_picture = next(item.sha256 for item in lanes["lane-1"].evidence.attachments if item.kind == "page")
    expect(customs.get_by_test_id("traveller-surname")).to_have_text("ERIKSSON")
    expect(customs.get_by_test_id("picture-page")).to_be_attached()
    expect(security.get_by_test_id("finding-lookup.customs_declaration")).to_be_visible()
    expect(security.get_by_test_id("traveller")).to_contain_text("Your role does not see names")
    secrets = ("ERIKSSON", "L898902C3", page_picture, "38.9", "health.temperature")
    assert [secret for secret in secrets if secret not in "".join(all_of_it)] == [], "the test can see what is sent"
    assert [secret for secret in secrets if secret in "".join(part_of_it)] == []
    lanes["lane-1"].end("sent_back")


def test_each_officer_has_their_own_language_which_is_remembered(fresh: Any, lanes: Lanes) -> None:
    page, _ = fresh("sun", "/role/security", locale="zh-CN")
    expect(page.get_by_test_id("queue-empty")).to_have_text("没有待处理案件，新案件会自动出现。")
    assert page.evaluate("document.documentElement.lang") == "zh-CN"
    page.get_by_role("link", name="English").click()
    expect(page.get_by_test_id("queue-empty")).to_have_text("No open case. The next one comes here by itself.")
    elsewhere, _ = fresh("sun", "/role/security", locale="zh-CN")
    expect(elsewhere.get_by_test_id("queue-empty")).to_have_text("No open case. The next one comes here by itself.")
    elsewhere.get_by_role("link", name="中文").click()
    expect(elsewhere.get_by_test_id("queue-empty")).to_contain_text("没有待处理案件")


def test_a_session_that_is_over_leaves_nothing_on_the_screen(fresh: Any, port: PortProcess, lanes: Lanes) -> None:
    page, _ = fresh("wang", "/role/customs")
    referred_crossing(lanes["lane-2"], "signed-out")
    expect(page.get_by_test_id("traveller-surname")).to_have_text("ERIKSSON")
    with sqlite3.connect(port.folder / "hub.db") as database:
        assert database.execute("DELETE FROM sessions WHERE user = 'wang'").rowcount > 0
    lanes["lane-2"].record()
    expect(page.get_by_test_id("session-over")).to_be_visible()
    expect(page.get_by_test_id("traveller-surname")).to_have_count(0)
    expect(page.get_by_test_id("case-id")).to_have_text("")
    page.get_by_test_id("session-over").get_by_role("link").click()
    fill_in(page, "wang", PASSWORD)
    expect(page.get_by_test_id("traveller-surname")).to_have_text("ERIKSSON")
    lanes["lane-2"].end("sent_back")


def test_a_screen_that_is_told_nothing_any_more_says_so(screens: Screens, port: PortProcess, lanes: Lanes) -> None:
    page = screens.open("/role/customs", "li")
    expect(page.get_by_test_id("link-state")).to_have_text("link ok")
    expect(page.get_by_test_id("page-unheard")).to_be_hidden()
    assert port.process is not None
    port.process.send_signal(signal.SIGSTOP)
    try:
        expect(page.get_by_test_id("page-unheard")).to_be_visible()
    finally:
        port.process.send_signal(signal.SIGCONT)
    expect(page.get_by_test_id("page-unheard")).to_be_hidden()
    referred_crossing(lanes["lane-1"], "heard-again")
    expect(page.get_by_test_id("case-id")).to_have_attribute("data-case-id", "heard-again")
    lanes["lane-1"].end("sent_back")


def test_a_finding_says_why(screens: Screens, lanes: Lanes) -> None:
    page = screens.open("/role/customs", "li")
    referred_crossing(lanes["lane-1"], "why")
    expect(page.get_by_test_id("btn-release")).to_be_enabled()
    page.keyboard.press("w")
    first = page.get_by_test_id("finding-lookup.customs_declaration")
    expect(first).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_test_id("why-lookup.customs_declaration")).to_contain_text(re.compile("Rule.*lookup.customs"))
    page.get_by_test_id("finding-face.match").click()
    expect(page.get_by_test_id("why-face.match")).to_contain_text(re.compile("Measured.*0.612.*Limit.*0.42"))
    lanes["lane-1"].end("sent_back")


def test_everything_is_done_by_keys(screens: Screens, lanes: Lanes) -> None:
    page = screens.open("/role/customs", "li")
    referred_crossing(lanes["lane-1"], "keys-1")
    expect(page.get_by_test_id("case-id")).to_have_attribute("data-case-id", "keys-1")
    referred_crossing(lanes["lane-2"], "keys-2")
    expect(page.get_by_test_id("role-queue-item")).to_have_count(2)
    page.keyboard.press("PageDown")
    expect(page.get_by_test_id("case-id")).to_have_attribute("data-case-id", "keys-2")
    page.keyboard.press("PageUp")
    expect(page.get_by_test_id("case-id")).to_have_attribute("data-case-id", "keys-1")
    expect(page.get_by_test_id("tab-document")).to_have_attribute("aria-pressed", "true")
    page.keyboard.press("d")
    expect(page.get_by_test_id("tab-xray")).to_have_attribute("aria-pressed", "true")
    page.keyboard.press("F10")
    expect(page.get_by_test_id("keys-overlay")).to_contain_text("Take your word back")
    page.keyboard.press("F2")
    expect(page.get_by_test_id("choice-dialog")).to_be_hidden()
    page.keyboard.press("Escape")
    expect(page.get_by_test_id("keys-overlay")).to_be_hidden()
    expect(page.get_by_test_id("btn-hold")).to_be_enabled()
    page.keyboard.press("F2")
    expect(page.get_by_test_id("choice-dialog")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_test_id("choice-dialog")).to_be_hidden()
    expect(page.get_by_test_id("verdict-customs")).to_have_attribute("data-kind", "pending")
    for lane in lanes.values():
        lane.end("sent_back")


def serious(page: Page) -> list[tuple[str, str]]:
    """What axe finds that is serious or critical (WCAG 2.2 A and AA), with the first element."""
    rules = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
    found = Axe().run(page, options={"runOnly": {"type": "tag", "values": rules}}).response["violations"]
    return [(item["id"], item["nodes"][0]["html"][:160]) for item in found if item["impact"] in ("serious", "critical")]


def test_axe_finds_nothing_serious_on_the_way_in(screens: Screens) -> None:
    for path in ("/", "/login"):
        page = screens.open(path)
        assert serious(page) == [], path
    not_yours = screens.open("/role/customs", "li")
    expect(not_yours.get_by_test_id("role-screen")).to_be_visible()
    not_yours.goto(not_yours.url.replace("customs", "quarantine"))
    expect(not_yours.get_by_test_id("not-yours")).to_be_visible()
    assert serious(not_yours) == []


def test_axe_finds_nothing_serious_on_a_roles_screen(screens: Screens, lanes: Lanes) -> None:
    page = screens.open("/role/customs", "li")
    expect(page.get_by_test_id("queue-empty")).to_be_visible()
    assert serious(page) == []
    referred_crossing(lanes["lane-1"], "axe")
    expect(page.get_by_test_id("btn-release")).to_be_enabled()
    page.get_by_test_id("finding-health.temperature").click()
    expect(page.get_by_test_id("why-health.temperature")).to_be_visible()
    assert serious(page) == []
    page.keyboard.press("F3")
    expect(page.get_by_test_id("choice-dialog")).to_be_visible()
    assert serious(page) == []
    page.keyboard.press("Escape")
    expect(page.get_by_test_id("choice-dialog")).to_be_hidden()
    page.keyboard.press("F10")
    expect(page.get_by_test_id("keys-overlay")).to_be_visible()
    assert serious(page) == []
    lanes["lane-1"].end("sent_back")
