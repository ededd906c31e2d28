"""What takes several officers, on their screens: claims, joint inspections, refusals and forced openings by two, taking back."""

import pytest
from conftest import Screens
from playwright.sync_api import Page, expect
from port_kit import TalkingLane, referred_crossing

pytestmark = pytest.mark.browser

Lanes = dict[str, TalkingLane]


def both(screens: Screens, lanes: Lanes, case_id: str) -> tuple[Page, Page]:
    """Customs' and quarantine's screens at a referred case, ready to be answered."""
    pages = screens.open("/role/customs", "li"), screens.open("/role/quarantine", "zhao")
    referred_crossing(lanes["lane-1"], case_id)
    for page in pages:
        expect(page.get_by_test_id("case-id")).to_have_attribute("data-case-id", case_id)
        expect(page.get_by_test_id("btn-hold")).to_be_enabled()
    return pages


def answer(page: Page, key: str, choice: str = "1") -> None:
    """Press a key and choose in the dialog that it opens."""
    page.keyboard.press(key)
    expect(page.get_by_test_id("choice-dialog")).to_be_visible()
    page.keyboard.press(choice)
    expect(page.get_by_test_id("choice-dialog")).to_be_hidden()


def test_a_bag_is_opened_once_by_both_and_everybody_looks_again(screens: Screens, lanes: Lanes) -> None:
    customs, quarantine = both(screens, lanes, "one-bag")
    customs.keyboard.press("F3")
    expect(customs.get_by_test_id("invite-quarantine")).to_have_attribute("aria-checked", "true")
    expect(customs.get_by_test_id("invite-border")).to_have_attribute("aria-checked", "false")
    customs.keyboard.press("2")
    expect(quarantine.get_by_test_id("notice-text")).to_contain_text("li calls you to a joint inspection")
    expect(quarantine.get_by_test_id("verdict-customs")).to_contain_text("has come: li")
    for page in (customs, quarantine):
        expect(page.get_by_test_id("btn-release")).to_be_disabled()
    expect(customs.get_by_test_id("btn-inspect")).to_contain_text("WAITING")
    expect(quarantine.get_by_test_id("btn-inspect")).to_contain_text("JOIN BAG")
    quarantine.keyboard.press("F3")
    expect(customs.get_by_test_id("btn-inspect")).to_contain_text("OPEN BAG")
    customs.keyboard.press("F3")
    for page in (customs, quarantine):
        expect(page.get_by_test_id("btn-inspect")).to_contain_text("RESULT")
        expect(page.get_by_test_id("btn-leave-inspection")).to_be_disabled()
    answer(customs, "F3", "1")
    expect(quarantine.get_by_test_id("verdict-customs")).to_contain_text("nothing found")
    quarantine.keyboard.press("F3")
    quarantine.get_by_test_id("choice-note").fill("two apples")
    quarantine.get_by_test_id("choice-found").click()
    for page in (customs, quarantine):
        expect(page.get_by_test_id("notice-text")).to_contain_text("the joint inspection ended")
        expect(page.get_by_test_id("history")).to_contain_text("something found · two apples")
        expect(page.get_by_test_id("btn-inspect")).to_contain_text("INSPECT")
        expect(page.get_by_test_id("btn-release")).to_be_enabled()
    lanes["lane-1"].end("sent_back")


def test_two_refusals_send_the_traveller_back_and_one_does_not(screens: Screens, lanes: Lanes) -> None:
    customs, quarantine = both(screens, lanes, "refused")
    answer(customs, "F4", "2")
    expect(quarantine.get_by_test_id("notice-text")).to_have_text(
        "Customs refuses (li: False or changed document). If you refuse as well, the traveller goes back."
    )
    expect(quarantine.get_by_test_id("history")).not_to_contain_text("Sending back")
    answer(quarantine, "F4", "5")
    for page in (customs, quarantine):
        expect(page.get_by_test_id("notice-text")).to_contain_text("Refused by li and zhao")
        expect(page.get_by_test_id("history")).to_contain_text("Sending back")
        expect(page.get_by_test_id("btn-release")).to_be_disabled()
    lanes["lane-1"].end("sent_back")


def test_a_word_is_taken_back_as_long_as_the_release_has_not_gone_out(screens: Screens, lanes: Lanes) -> None:
    customs, quarantine = both(screens, lanes, "taken-back")
    expect(customs.get_by_test_id("btn-take-back")).to_be_disabled()
    answer(customs, "F1")
    expect(quarantine.get_by_test_id("verdict-customs")).to_have_attribute("data-kind", "released_by_officer")
    expect(customs.get_by_test_id("btn-take-back")).to_be_enabled()
    customs.keyboard.press("F6")
    for page in (customs, quarantine):
        expect(page.get_by_test_id("verdict-customs")).to_have_attribute("data-kind", "pending")
        expect(page.get_by_test_id("history")).to_contain_text("Word taken back")
    answer(quarantine, "F1")
    expect(quarantine.get_by_test_id("verdict-quarantine")).to_have_attribute("data-kind", "released_by_officer")
    expect(customs.get_by_test_id("released-banner")).to_be_hidden()
    answer(customs, "F1")
    expect(customs.get_by_test_id("released-banner")).to_be_visible()
    expect(customs.get_by_test_id("btn-take-back")).to_be_disabled()
    lanes["lane-1"].end("released_by_officer")


def test_the_exit_is_forced_by_two_officers_only(screens: Screens, lanes: Lanes) -> None:
    customs, quarantine = both(screens, lanes, "forced")
    answer(customs, "F8", "1")
    expect(customs.get_by_test_id("notice-text")).to_contain_text("You agreed to forcing the exit (Medical emergency)")
    expect(quarantine.get_by_test_id("notice-text")).to_contain_text(
        "li agrees to forcing the exit (Medical emergency). A second officer presses F8 within"
    )
    expect(quarantine.get_by_test_id("history")).not_to_contain_text("forced open")
    answer(quarantine, "F8", "2")
    for page in (customs, quarantine):
        expect(page.get_by_test_id("history")).to_contain_text("Exit forced open by two officers: Somebody is trapped")
    lanes["lane-1"].end("released_by_officer")


def test_a_colleague_sees_whose_case_it_is_and_takes_it_over_knowingly(screens: Screens, lanes: Lanes) -> None:
    first = screens.open("/role/customs", "li")
    referred_crossing(lanes["lane-1"], "claimed")
    expect(first.get_by_test_id("btn-release")).to_be_enabled()
    expect(first.get_by_test_id("verdict-customs")).to_contain_text("Li Wei")
    second = screens.open("/role/customs", "wang")
    item = second.locator('[data-testid=role-queue-item][data-case-id="claimed"]')
    expect(item).to_have_attribute("data-claimed", "yes")
    expect(second.get_by_test_id("case-id")).to_have_text("")
    item.click()
    expect(second.get_by_test_id("notice-text")).to_have_text("Li Wei of your role is at work on this case.")
    expect(second.get_by_test_id("traveller-surname")).to_have_text("ERIKSSON")
    for name in ("release", "hold", "inspect", "refuse", "send-back", "force-open"):
        expect(second.get_by_test_id(f"btn-{name}")).to_be_disabled()
    second.keyboard.press("F9")
    expect(second.get_by_test_id("btn-release")).to_be_enabled()
    expect(first.get_by_test_id("notice-text")).to_have_text("Wang Fang has taken this case over from you.")
    expect(first.get_by_test_id("btn-release")).to_be_disabled()
    lanes["lane-1"].end("sent_back")
