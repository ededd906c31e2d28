"""The pictures of an officer's screen: the hub and the screens are real, the lanes' words, the faces and the bag are made up."""

from typing import Protocol

from playwright.sync_api import Page, expect
from port_kit import Person, TalkingLane, drawn_face, finding, jpeg, referred_crossing
from viewer_kit import ViewerPage

from gate.core.evidence import Outcome
from gate.wire.messages import KioskStep
from simulator.xray_scans import make_scan, png16


class Studio(Protocol):
    """Opens pages and keeps their pictures."""

    def open(self, path: str, *, user: str = "", size_px: tuple[int, int] = ..., locale: str = ...) -> Page: ...

    def take(self, page: Page, name: str) -> None: ...


def scan_bag(lane: TalkingLane) -> None:
    """A bag is scanned at two energies, and the chip's picture is there."""
    scan = make_scan(5, size_px=1600)
    attachments = (
        lane.store("chip", jpeg(drawn_face(warmth=6)), "image/jpeg"),
        lane.store("xray_high", png16(scan.high, pixel_mm=0.5), "image/png"),
        lane.store("xray_low", png16(scan.low, pixel_mm=0.5), "image/png"),
    )
    lane.record(
        finding("chip.no_copy"),
        finding("face.presentation", measured=0.91, threshold=0.5),
        finding("cargo.scan", Outcome.REFER, role="customs", measured="tunnel"),
        attachments=attachments,
    )
    lane.decide("refer", reasons=("cargo.scan", "health.temperature"), roles=("customs", "quarantine"))


def choose(page: Page, key: str, number: str = "1") -> None:
    page.keyboard.press(key)
    expect(page.get_by_test_id("choice-dialog")).to_be_visible()
    page.keyboard.press(number)
    expect(page.get_by_test_id("choice-dialog")).to_be_hidden()


def wait_for_pictures(page: Page) -> None:
    page.wait_for_function("[...document.images].every(each => !each.src || (each.complete && each.naturalWidth > 0))")


def take_roles(studio: Studio, lane: TalkingLane, other: TalkingLane) -> None:
    """One case from both sides, in both languages, from the first look to the joint release. Ends with two open cases."""
    customs = studio.open("/role/customs", user="li")
    quarantine = studio.open("/role/quarantine", user="zhao", locale="zh-CN")
    studio.take(customs, "role-empty")
    referred_crossing(lane, "7K2-0419")
    scan_bag(lane)
    lane.state(KioskStep.WAIT_FOR_OFFICER, state="referred", lamp="amber", issuer="UTO", person_count=1)
    for page in (customs, quarantine):
        expect(page.get_by_test_id("case-id")).to_have_attribute("data-case-id", "7K2-0419")
        ViewerPage(page).wait_until_shown()
        expect(page.get_by_test_id("btn-release")).to_be_enabled()
    referred_crossing(other, "7K2-0420", Person(surname="NOVAK", given_names="JAN", document_number="X1234567"))
    expect(customs.get_by_test_id("role-queue-item")).to_have_count(2)
    studio.take(customs, "role-customs")
    customs.keyboard.press("d")
    customs.get_by_test_id("finding-health.temperature").click()
    studio.take(customs, "role-documents-and-why")
    choose(customs, "F2", "3")
    expect(quarantine.get_by_test_id("verdict-customs")).to_have_attribute("data-kind", "hold")
    studio.take(quarantine, "role-quarantine")
    take_inspection(studio, customs, quarantine)
    lane.record(finding("health.temperature", Outcome.REFER, role="quarantine", measured=38.9, threshold=37.3))
    lane.decide("refer", reasons=("health.temperature",), roles=("customs", "quarantine"))
    expect(customs.get_by_test_id("notice-text")).to_contain_text("Temperature is raised (38.9")
    expect(customs.get_by_test_id("btn-release")).to_be_enabled()
    studio.take(customs, "role-evidence-changed")
    choose(customs, "F1", "2")
    expect(quarantine.get_by_test_id("btn-release")).to_be_enabled()
    choose(quarantine, "F1", "2")
    expect(quarantine.get_by_test_id("released-banner")).to_be_visible()
    wait_for_pictures(quarantine)
    studio.take(quarantine, "role-released")
    large = studio.open("/role/quarantine", user="zhao", size_px=(3840, 2160))
    expect(large.get_by_test_id("case-id")).to_have_attribute("data-case-id", "7K2-0420")
    expect(large.get_by_test_id("btn-release")).to_be_enabled()
    wait_for_pictures(large)
    studio.take(large, "role-4k")


def take_inspection(studio: Studio, customs: Page, quarantine: Page) -> None:
    """Calling a joint inspection, coming to it, and what was found."""
    customs.keyboard.press("F3")
    expect(customs.get_by_test_id("choice-dialog")).to_be_visible()
    studio.take(customs, "role-inspect")
    customs.keyboard.press("1")
    quarantine_key = quarantine.get_by_test_id("btn-inspect")
    expect(quarantine_key).to_contain_text("到场")
    expect(quarantine_key).to_be_enabled()
    studio.take(quarantine, "role-called-to-the-bag")
    quarantine.keyboard.press("F3")
    expect(customs.get_by_test_id("btn-inspect")).to_contain_text("OPEN BAG")
    customs.keyboard.press("F3")
    for page, word in ((customs, "RESULT"), (quarantine, "结果")):
        expect(page.get_by_test_id("btn-inspect")).to_contain_text(word)
        choose(page, "F3", "1")
    expect(customs.get_by_test_id("notice-text")).to_contain_text("the joint inspection ended")
    expect(customs.get_by_test_id("btn-release")).to_be_enabled()
