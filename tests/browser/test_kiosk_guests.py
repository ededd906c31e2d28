"""Travellers of all kinds at the kiosk: their language, their eyes, ears and height, their own face; and no way out of the page."""

import re
import threading
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import numpy as np
import pytest
from axe_playwright_python.sync_playwright import Axe
from conftest import Screens
from playwright.sync_api import Browser, Locator, Page, expect
from port_kit import PortProcess, TalkingLane, drawn_face

from drivers.camera.interface import Frame
from gate.console.kiosk_view import privacy_line
from gate.console.texts import load_texts
from gate.core.clock import SystemClock
from gate.lane.mirror import Mirror
from gate.wire.messages import HelpAsked, KioskStep, utc

# The steps themselves are in test_kiosk.py; `make test` has 15 minutes.
pytestmark = [pytest.mark.browser, pytest.mark.long]

Lanes = dict[str, TalkingLane]
TEXTS = load_texts()
VOICES = """
const said = [];
window.said = said;
const voices = [
  { lang: "en-GB", localService: true, name: "en" },
  { lang: "ar-SA", localService: true, name: "ar" },
  { lang: "fr-FR", localService: false, name: "fr, elsewhere" },
];
Object.defineProperty(window, "speechSynthesis", { value: {
  getVoices: () => voices, cancel: () => {}, speaking: false, addEventListener: () => {},
  speak: (utterance) => said.push([utterance.lang, utterance.text]),
} });
window.SpeechSynthesisUtterance = class { constructor(text) { this.text = text; } };
"""


@pytest.fixture(scope="module")
def standing_kiosk(port: PortProcess, browser: Browser, all_screens: Screens) -> Iterator[Page]:
    """One page for the whole file, on a tall screen as at a lane, with a browser that has voices of its own for two languages."""
    context = browser.new_context(
        viewport={"width": 1080, "height": 1920}, reduced_motion="reduce", has_touch=True, base_url=port.url
    )
    context.add_init_script(VOICES)
    page = context.new_page()
    page.on("pageerror", lambda error: all_screens.errors.append(str(error)))
    page.goto("/kiosk/lane-1")
    yield page
    context.close()


@pytest.fixture
def kiosk(standing_kiosk: Page, screens: Screens, lanes: Lanes) -> Page:
    lane = lanes["lane-1"]
    lane.status()
    lane.help(None)
    lane.state(KioskStep.PLEASE_WAIT, case_id="the one before")
    expect_step(standing_kiosk, KioskStep.PLEASE_WAIT)
    lane.state(KioskStep.PLACE_DOCUMENT, lamp="green", case_id=None)
    expect_step(standing_kiosk, KioskStep.PLACE_DOCUMENT)
    return standing_kiosk


def expect_step(page: Page, step: KioskStep) -> None:
    expect(page.get_by_test_id("kiosk-step")).to_have_attribute("data-step", step.value)


def corner(element: Locator) -> tuple[float, float, float, float]:
    """x, y, width and height, CSS pixels."""
    box = element.bounding_box()
    assert box is not None
    return box["x"], box["y"], box["width"], box["height"]


@pytest.mark.parametrize(
    ("issuer", "language", "way"), [("CHN", "zh", "ltr"), ("UTO", "en", "ltr"), ("SAU", "ar", "rtl")]
)
def test_a_crossing_is_told_in_the_travellers_language_from_beginning_to_end(
    kiosk: Page, lanes: Lanes, issuer: str, language: str, way: str
) -> None:
    for step in KioskStep:
        lanes["lane-1"].state(step, issuer=issuer, case_id="k1", hint="remove_mask")
        expect_step(kiosk, step)
        expect(kiosk.get_by_test_id("kiosk-sentence")).to_have_text(TEXTS.kiosk(step.value, language))
        expect(kiosk.get_by_test_id("kiosk-hint")).to_have_text(TEXTS.hint("remove_mask", language))
    expect(kiosk.get_by_test_id("kiosk")).to_have_attribute("dir", way)
    expect(kiosk.get_by_test_id("kiosk-help")).to_have_text(TEXTS.kiosk("help", language))
    expect(kiosk.get_by_test_id("kiosk-manual")).to_have_text(TEXTS.kiosk("manual_lane", language))


def test_arabic_is_mirrored_but_for_the_corners_where_help_and_languages_are(kiosk: Page, lanes: Lanes) -> None:
    kiosk.set_viewport_size({"width": 1280, "height": 800})
    try:
        places = {}
        for issuer in ("UTO", "SAU"):
            lanes["lane-1"].state(KioskStep.WALK_IN, issuer=issuer, case_id="k1")
            expect(kiosk.get_by_test_id("kiosk")).to_have_attribute("lang", TEXTS.language_of(issuer))
            places[issuer] = [
                corner(kiosk.locator(".kiosk-picture"))[0],
                corner(kiosk.get_by_test_id("kiosk-language-zh"))[0],
                corner(kiosk.get_by_test_id("kiosk-help"))[0] > 640,
            ]
        assert places["UTO"][0] < 100
        assert places["SAU"][0] > 600
        assert places["UTO"][1:] == places["SAU"][1:]
        assert places["SAU"][2] is True
    finally:
        kiosk.set_viewport_size({"width": 1080, "height": 1920})


def test_nothing_is_read_aloud_until_asked_and_then_the_right_sentence_in_the_right_language(
    kiosk: Page, lanes: Lanes
) -> None:
    lane, voice = lanes["lane-1"], kiosk.get_by_test_id("kiosk-voice")
    kiosk.evaluate("said.length = 0")
    lane.state(KioskStep.WALK_IN, issuer="SAU", case_id="k1")
    expect(kiosk.get_by_test_id("kiosk")).to_have_attribute("lang", "ar")
    expect(voice).to_have_attribute("aria-pressed", "false")
    assert kiosk.evaluate("said") == []
    voice.click()
    walk_in = ["ar-SA", TEXTS.kiosk("walk_in", "ar")]
    kiosk.wait_for_function("said.length === 1")
    lane.state(KioskStep.LOOK_AT_CAMERA, issuer="SAU", case_id="k1", hint="come_closer")
    kiosk.wait_for_function("said.length === 2")
    assert kiosk.evaluate("said") == [walk_in, ["ar-SA", TEXTS.hint("come_closer", "ar")]]
    voice.click()
    lane.state(KioskStep.WALK_OUT, issuer="SAU", case_id="k1")
    expect_step(kiosk, KioskStep.WALK_OUT)
    expect(kiosk.get_by_test_id("kiosk-voice-text")).to_have_attribute("data-voice", "off")
    assert len(kiosk.evaluate("said")) == 2


def test_reading_aloud_is_offered_only_where_this_machine_has_the_voice(kiosk: Page, lanes: Lanes) -> None:
    lanes["lane-1"].state(KioskStep.WALK_IN, issuer="UTO", case_id="k1")
    expect(kiosk.get_by_test_id("kiosk-voice")).to_be_visible()
    lanes["lane-1"].state(KioskStep.WALK_IN, issuer="FRA", case_id="k1")
    expect(kiosk.get_by_test_id("kiosk-voice")).to_be_hidden()


def test_what_a_traveller_chose_is_forgotten_with_their_crossing(kiosk: Page, lanes: Lanes) -> None:
    lanes["lane-1"].state(KioskStep.WALK_IN, issuer="UTO", case_id="k1")
    root = kiosk.get_by_test_id("kiosk")
    for name in ("voice", "contrast", "low"):
        kiosk.get_by_test_id(f"kiosk-{name}").click()
    expect(root).to_have_attribute("data-contrast", "high")
    expect(root).to_have_attribute("data-layout", "low")
    lanes["lane-1"].state(KioskStep.WALK_IN, issuer="UTO", case_id="k2")
    for name in ("voice", "contrast", "low"):
        expect(kiosk.get_by_test_id(f"kiosk-{name}")).to_have_attribute("aria-pressed", "false")
    assert root.get_attribute("data-contrast") is None
    assert root.get_attribute("data-layout") is None


def test_who_sits_reaches_every_button_and_has_the_words_low(kiosk: Page, lanes: Lanes) -> None:
    lanes["lane-1"].state(KioskStep.PLACE_DOCUMENT, issuer="RUS", case_id="k1")
    kiosk.get_by_test_id("kiosk-low").click()
    expect(kiosk.get_by_test_id("kiosk")).to_have_attribute("data-layout", "low")
    for button in kiosk.get_by_test_id("kiosk").locator("button:visible").all():
        _, top, width, height = corner(button)
        assert top > 1920 * 0.8
        assert min(width, height) >= 64
    picture, sentence, privacy = (
        corner(kiosk.locator(".kiosk-picture")),
        corner(kiosk.get_by_test_id("kiosk-sentence")),
        corner(kiosk.get_by_test_id("kiosk-privacy")),
    )
    assert picture[1] > 1920 * 0.3
    assert picture[1] + picture[3] <= sentence[1]
    assert privacy[1] + privacy[3] <= corner(kiosk.get_by_test_id("kiosk-language-zh"))[1]


CUT_OFF = """() => {
  const box = (name) => document.querySelector(name).getBoundingClientRect();
  const top = box(".kiosk-top").bottom, bottom = box(".kiosk-bottom").top;
  const inside = [".kiosk-picture", ".kiosk-sentence", ".kiosk-second", ".kiosk-hint", ".kiosk-privacy"].map((name) => [name, box(name)]);
  const bars = [".kiosk-manual", ".kiosk-languages", ".kiosk-aids", ".kiosk-help"].map((name) => [name, box(name)]);
  return [
    ...inside.filter(([, at]) => at.width && (at.top < top - 1 || at.bottom > bottom + 1)),
    ...[...inside, ...bars].filter(([, at]) => at.left < 20 || at.right > innerWidth - 20 || at.bottom > innerHeight - 20),
  ].map(([name]) => name);
}"""


def test_nothing_is_cut_off_in_any_language_size_or_layout(kiosk: Page, lanes: Lanes) -> None:
    found = []
    lanes["lane-1"].state(KioskStep.READING_DOCUMENT, issuer="UTO", case_id="k1", chip_progress=0.5)
    expect_step(kiosk, KioskStep.READING_DOCUMENT)
    for layout in ("high", "low"):
        if layout == "low":
            kiosk.get_by_test_id("kiosk-low").click()
            expect(kiosk.get_by_test_id("kiosk")).to_have_attribute("data-layout", "low")
        for language in TEXTS.languages:
            kiosk.get_by_test_id(f"kiosk-language-{language}").click()
            expect(kiosk.get_by_test_id("kiosk-hint")).to_have_text(TEXTS.hint("leave_document", language))
            for width, height in ((1280, 800), (1080, 1920)):
                kiosk.set_viewport_size({"width": width, "height": height})
                found += [(layout, language, width, name) for name in kiosk.evaluate(CUT_OFF)]
    assert found == []


def test_a_chip_that_is_read_fills_a_ring_of_its_own(kiosk: Page, lanes: Lanes) -> None:
    lane, ring = lanes["lane-1"], kiosk.get_by_test_id("kiosk-chip-ring")
    lane.state(KioskStep.READING_DOCUMENT, issuer="UTO", case_id="k1")
    expect_step(kiosk, KioskStep.READING_DOCUMENT)
    expect(ring).to_be_hidden()
    for progress in (0.25, 0.75):
        lane.state(KioskStep.READING_DOCUMENT, issuer="UTO", case_id="k1", chip_progress=progress)
        expect(ring).to_be_visible()
        expect(ring.locator(".filled")).to_have_css("stroke-dashoffset", re.compile(rf"\b{1 - progress}px"))
        expect(kiosk.get_by_test_id("kiosk-hint")).to_have_text("Leave the document lying. Its chip is being read")


def test_what_is_taken_and_when_it_is_erased_is_said_as_the_settings_have_it(
    kiosk: Page, lanes: Lanes, port: PortProcess
) -> None:
    lanes["lane-1"].state(KioskStep.PLACE_DOCUMENT, issuer="FRA", case_id="k1")
    expect(kiosk.get_by_test_id("kiosk")).to_have_attribute("lang", "fr")
    line = privacy_line(TEXTS, "fr", port.site.retention, is_temperature_checked=True)
    expect(kiosk.get_by_test_id("kiosk-privacy")).to_have_text(line)
    assert "24\xa0heures" in line
    assert "30\xa0jours" in line


def test_a_traveller_who_called_is_told_when_an_officer_comes(kiosk: Page, lanes: Lanes) -> None:
    lanes["lane-1"].state(KioskStep.WAIT_FOR_OFFICER, issuer="UTO", case_id="k1")
    expect_step(kiosk, KioskStep.WAIT_FOR_OFFICER)
    kiosk.get_by_test_id("kiosk-help").click()
    said = kiosk.get_by_test_id("kiosk-help-said")
    expect(said).to_have_text(TEXTS.kiosk("help_called", "en"))
    # An officer takes the call at a console elsewhere.
    later = utc(SystemClock().utc_ms()) + timedelta(seconds=1)
    lanes["lane-1"].help(HelpAsked(at=later, is_taken=True))
    expect(said).to_have_text(TEXTS.kiosk("help_coming", "en"))
    lanes["lane-1"].state(KioskStep.PLACE_DOCUMENT, case_id=None)
    expect(kiosk.get_by_test_id("kiosk-help-panel")).to_be_hidden()


class Camera:
    """A face in front of the lane's camera, as the face watch tells a mirror."""

    def __init__(self, mirror: Mirror) -> None:
        self._mirror = mirror
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self) -> None:
        image = drawn_face(warmth=0).astype(np.uint8)
        number = 0
        while not self._is_over.wait(0.03):
            number += 1
            self._mirror.look(0, Frame(image_bgr=image, captured_ns=number, sequence=number))

    def stop(self) -> None:
        self._is_over.set()
        self._thread.join()


def test_the_face_step_shows_the_travellers_own_picture_and_without_one_the_drawing(
    kiosk: Page, lanes: Lanes, port: PortProcess
) -> None:
    lane, mirror = lanes["lane-1"], Mirror(port.mirror_port)
    lane.state(KioskStep.LOOK_AT_CAMERA, issuer="UTO", case_id="k1")
    expect(kiosk.locator(".kiosk-drawing svg")).to_be_visible()
    expect(kiosk.get_by_test_id("kiosk-mirror")).to_be_hidden()
    lane.state(KioskStep.PLEASE_WAIT, issuer="UTO", case_id="k1")
    expect(kiosk.get_by_test_id("kiosk-mirror")).to_have_count(0)
    mirror.start()
    camera = Camera(mirror)
    try:
        lane.state(KioskStep.LOOK_AT_CAMERA, issuer="UTO", case_id="k1")
        shown = kiosk.get_by_test_id("kiosk-mirror")
        expect(shown).to_be_visible()
        kiosk.wait_for_function("document.querySelector('.kiosk-mirror-picture').naturalWidth > 0")
        picture = shown.locator("img")
        picture.evaluate("image => { image.isTheSame = true }")
        lane.state(KioskStep.LOOK_AT_CAMERA, issuer="UTO", case_id="k1", hint="come_closer")
        expect(shown.locator(".way-to-go")).to_be_visible()
        assert picture.evaluate("image => image.isTheSame === true"), "the stream began anew with a hint"
        lane.state(KioskStep.WALK_OUT, issuer="UTO", case_id="k1")
        expect(shown).to_have_count(0)
    finally:
        camera.stop()
        mirror.stop()


def test_no_touch_leads_out_of_the_page(kiosk: Page, lanes: Lanes) -> None:
    assert kiosk.locator("a, iframe, form, input, select, textarea, [contenteditable]").count() == 0
    refused = kiosk.evaluate("""() => ["contextmenu", "dragstart", "selectstart", "gesturestart", "drop"].filter((kind) => {
      const event = new Event(kind, { bubbles: true, cancelable: true });
      document.querySelector(".kiosk-sentence").dispatchEvent(event);
      return event.defaultPrevented;
    })""")
    assert refused == ["contextmenu", "dragstart", "selectstart", "gesturestart", "drop"]
    style = kiosk.evaluate("""() => {
      const style = getComputedStyle(document.body);
      return [style.userSelect, style.touchAction, style.overscrollBehavior];
    }""")
    assert style == ["none", "none", "none"]
    address = kiosk.url
    kiosk.evaluate("history.back()")
    kiosk.get_by_test_id("kiosk-language-fr").tap()
    expect(kiosk.get_by_test_id("kiosk")).to_have_attribute("lang", "fr")
    assert kiosk.url == address


@pytest.mark.parametrize(
    ("step", "issuer", "more", "pressed"),
    [
        (KioskStep.PLACE_DOCUMENT, "UTO", {}, ()),
        (KioskStep.READING_DOCUMENT, "JPN", {"chip_progress": 0.5}, ()),
        (KioskStep.LOOK_AT_CAMERA, "SAU", {"hint": "remove_glasses"}, ()),
        (KioskStep.PLACE_DOCUMENT, "UTO", {}, ("low", "contrast")),
        (KioskStep.WAIT_FOR_OFFICER, "FRA", {}, ("help",)),
    ],
)
def test_axe_finds_nothing_serious(
    kiosk: Page, lanes: Lanes, step: KioskStep, issuer: str, more: dict[str, Any], pressed: tuple[str, ...]
) -> None:
    lanes["lane-1"].state(step, issuer=issuer, case_id="k1", **more)
    expect_step(kiosk, step)
    expect(kiosk.get_by_test_id("kiosk")).to_have_attribute("lang", TEXTS.language_of(issuer))
    for name in pressed:
        kiosk.get_by_test_id(f"kiosk-{name}").click()
    if "help" in pressed:
        expect(kiosk.get_by_test_id("kiosk-help-panel")).to_be_visible()
    result = Axe().run(kiosk)
    found = [
        (finding["id"], node["target"], node["failureSummary"])
        for finding in result.response["violations"]
        if finding["impact"] in {"serious", "critical"}
        for node in finding["nodes"]
    ]
    assert found == []
