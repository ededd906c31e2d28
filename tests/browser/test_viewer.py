"""The X-ray viewer in a real browser: what numpy computes is on the screen, and what one officer draws is on the other's."""

import re

import numpy as np
import pytest
from conftest import Screens
from playwright.sync_api import Page, expect
from port_kit import TalkingLane
from viewer_kit import HEIGHT_PX, WIDTH_PX, ViewerPage, expected, known_picture, png_with_every_filter, scanned_crossing

pytestmark = pytest.mark.browser

Lanes = dict[str, TalkingLane]


def test_every_view_shows_the_pixels_that_numpy_computes(screens: Screens, lanes: Lanes) -> None:
    page = screens.open("/role/customs", "li")
    scanned_crossing(lanes["lane-1"], "known-pixels")
    viewer = ViewerPage(page)
    viewer.wait_until_shown()
    high, low = known_picture()
    held = viewer.run("[v.picture.high, v.picture.low].map(p => Array.from(p.levels[0].data.subarray(330000, 330600)))")
    assert held == [plane[300, :600].tolist() for plane in (high, low)]
    sums = viewer.run(
        "[v.picture.high, v.picture.low].map(p => p.levels[0].data.reduce((sum, value) => sum + value, 0))"
    )
    assert sums == [int(plane.sum()) for plane in (high, low)], "every row, whatever its filter"

    page.keyboard.press("1")
    assert viewer.run("v.view.scale") == 1
    x0, y0 = (round(part) for part in viewer.place(60, 60))
    steps = ["", "c", "i", "e", "h", "e", "h", "Shift+ArrowUp", "Shift+ArrowLeft", "r", "a"]
    around = np.s_[y0 - 1 : y0 + 49, x0 - 1 : x0 + 201]
    seen = []
    for key in steps:
        if key:
            page.keyboard.press(key)
        seen.append(viewer.tone())
        wanted = expected(high[around], low[around], seen[-1])[1:-1, 1:-1]
        shown = viewer.pixels(60, 60, 200, 48)
        assert np.abs(shown - wanted).max() < 1.6, (key, seen[-1])
    assert seen[0] == seen[-1], "back to the automatic window"
    assert len(set(seen)) == len(steps) - 1


def test_zoom_keeps_what_is_under_the_pointer_and_a_pan_moves_whole_pixels(screens: Screens, lanes: Lanes) -> None:
    page = screens.open("/role/customs", "li")
    scanned_crossing(lanes["lane-1"], "zoomed")
    viewer = ViewerPage(page)
    viewer.wait_until_shown()
    left, top = viewer.stage()
    page.mouse.move(left + 170, top + 130)
    before = viewer.place(170, 130)
    page.mouse.wheel(0, -900)
    page.wait_for_function("s => Number(document.querySelector('.xray').dataset.scale) > s", arg=1.2)
    after = viewer.place(170, 130)
    assert np.abs(np.subtract(before, after)).max() < 1
    page.keyboard.press("1")
    page.mouse.move(left + 200, top + 150)
    origin = viewer.run("v.view.origin(v.frame)")
    viewer.pixels(0, 0, 1, 1)
    page.mouse.down()
    for step in range(1, 6):
        page.mouse.move(left + 200 - 9 * step, top + 150 + 4 * step)
    page.mouse.up()
    moved = viewer.run("v.view.origin(v.frame)")
    assert (moved["x"] - origin["x"], moved["y"] - origin["y"]) == (-45, 20)
    # What was shifted and filled up at the edges is what a whole drawing would show.
    is_same = """(() => {
      const shifted = v.surface.context.getImageData(0, 0, 400, 300).data;
      v.surface.painted = null;
      return v.readPixels(0, 0, 400, 300).every((value, index) => value === shifted[index]);
    })()"""
    assert viewer.run(is_same)
    page.keyboard.press("0")
    fitted = viewer.run("[v.view.scale, v.frame.width, v.frame.height]")
    assert fitted[0] == pytest.approx(min(fitted[1] / WIDTH_PX, fitted[2] / HEIGHT_PX))


def test_a_mark_drawn_by_keyboard_is_on_the_others_screen_and_only_its_author_can_erase_it(
    screens: Screens, lanes: Lanes
) -> None:
    customs, quarantine = screens.open("/role/customs", "li"), screens.open("/role/quarantine", "zhao")
    scanned_crossing(lanes["lane-1"], "marked")
    viewers = [ViewerPage(customs), ViewerPage(quarantine)]
    for viewer in viewers:
        viewer.wait_until_shown()
    quarantine.keyboard.press("1")
    scale = viewers[1].run("v.view.scale")
    customs.keyboard.press("b")
    note = customs.get_by_test_id("xray-note")
    expect(note).to_be_focused()
    note.press_sequentially("bottle i x3")
    note.press("Enter")
    for page in (customs, quarantine):
        expect(page.get_by_test_id("mark-1")).to_contain_text(
            re.compile(r"bottle i x3.*Customs · Li Wei · \d\d:\d\d:\d\d")
        )
    marks = [viewer.run("v.marks.map(m => [m.x, m.y, m.width, m.height, m.colour, m.kind])") for viewer in viewers]
    assert marks[0] == marks[1]
    assert marks[0][0][4:] == ["#3aa0ff", "box"]
    assert marks[0][0][0] + marks[0][0][2] / 2 == pytest.approx(WIDTH_PX / 2, abs=2)
    assert viewers[1].run("v.view.scale") == scale, "each screen has its own view"
    assert not viewers[0].run("v.tone.isInverted"), "what is typed is no command"

    quarantine.reload()
    viewers[1].wait_until_shown()
    mine, theirs = (page.get_by_test_id("mark-1").locator(".xray-list-remove") for page in (customs, quarantine))
    expect(mine).to_have_count(1)
    expect(theirs).to_have_count(0)
    customs.keyboard.press(".")
    customs.keyboard.press("Delete")
    for page in (customs, quarantine):
        expect(page.get_by_test_id("mark-1")).to_have_count(0)


def test_it_can_be_used_without_a_mouse_and_read_by_a_screen_reader(screens: Screens, lanes: Lanes) -> None:
    page = screens.open("/role/customs", "li")
    scanned_crossing(lanes["lane-1"], "by-keyboard")
    viewer = ViewerPage(page)
    viewer.wait_until_shown()
    assert unnamed(page) == []
    page.keyboard.press("?")
    expect(page.get_by_test_id("xray-keys")).to_be_visible()
    expect(page.get_by_test_id("xray-keys")).to_be_focused()
    keys = set(page.get_by_test_id("xray-keys").locator("kbd").all_inner_texts())
    assert {"+", "-", "0", "1", "I", "E", "H", "C", "M", "L", "N", "O", "B", "Shift ↑", "Esc", "?"} <= keys
    page.keyboard.press("Escape")
    expect(page.get_by_test_id("xray-keys")).to_be_hidden()
    tool = page.get_by_test_id("xray-invert")
    tool.focus()
    page.keyboard.press("Enter")
    expect(tool).to_have_attribute("aria-pressed", "true")
    centre = viewer.run("[v.view.x, v.view.y]")
    page.keyboard.press("1")
    page.keyboard.press("ArrowRight")
    assert viewer.run("[v.view.x, v.view.y]") == pytest.approx([centre[0] + 80, centre[1]], abs=1)
    expect(page.get_by_test_id("btn-release")).to_be_enabled()
    page.keyboard.press("F2")
    expect(page.get_by_test_id("choice-dialog")).to_be_visible()
    page.keyboard.press("1")
    expect(page.get_by_test_id("verdict-customs")).to_have_attribute("data-kind", "hold")


def test_a_damaged_picture_is_said_and_one_is_sent_to_officers_only(screens: Screens, lanes: Lanes) -> None:
    page = screens.open("/role/customs", "li")
    whole = png_with_every_filter(known_picture()[0][300:340])
    bodies = [whole[:-600], whole[:3000] + bytes(64) + whole[3064:], b"GIF89a" + whole[6:]]
    page.route("**/console-scans/*", lambda route: route.fulfill(body=bodies[0], content_type="image/png"))
    for number, _ in enumerate(tuple(bodies)):
        scanned_crossing(lanes["lane-1"], f"damaged-{number}")
        expect(page.get_by_test_id("case-id")).to_have_attribute("data-case-id", f"damaged-{number}")
        page.get_by_test_id("tab-xray").click()
        expect(page.get_by_test_id("xray")).to_have_attribute("data-state", "error")
        expect(page.locator(".xray-word")).to_contain_text(re.compile("damaged|incomplete|cannot be read"))
        lanes["lane-1"].end("sent_back")
        expect(page.get_by_test_id("queue-empty")).to_be_visible()
        bodies.pop(0)
    stranger = screens.open("/login")
    assert stranger.evaluate(f"fetch('/console-scans/{'a' * 64}').then(answer => answer.status)") == 401


def unnamed(page: Page) -> list[str]:
    """Controls and pictures on the page without a name for assistive technology (the heart of axe's serious rules)."""
    found = page.evaluate(
        """() => [...document.querySelectorAll('button, a[href], input, img, canvas, [role=dialog], [tabindex="0"]')]
        .filter(e => e.offsetParent !== null)
        .filter(e => !(e.getAttribute('aria-label') || e.getAttribute('alt') || e.textContent.trim() || e.title))
        .map(e => e.outerHTML.slice(0, 120))"""
    )
    return list(found)
