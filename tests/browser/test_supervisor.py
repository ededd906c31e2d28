"""The pages of whoever watches a port, in a browser: lanes, one lane, evacuation, watches, cases, audit log, figures."""

import csv
import io
import re

import pytest
from axe_playwright_python.sync_playwright import Axe
from conftest import Screens
from playwright.sync_api import Page, expect
from port_kit import Broker, TalkingLane, finding, referred_crossing

from gate.wire.messages import EventType, KioskStep

pytestmark = pytest.mark.browser

Lanes = dict[str, TalkingLane]
SERIOUS = ("serious", "critical")

JAM = '[data-testid="alarm-lane-1"][data-kind="problem"]'
"""Its own row: another test's traveller may be asking for help at the same lane."""


def ready(lane: TalkingLane) -> None:
    lane.status()
    lane.state(KioskStep.PLACE_DOCUMENT, state="ready", lamp="green")


def test_lanes_are_drawn_with_their_doors_people_and_what_is_wrong(screens: Screens, lanes: Lanes) -> None:
    lane = lanes["lane-1"]
    lane.status()
    lane.state(KioskStep.WALK_OUT, state="cleared", lamp="green", exit="open", person_count=1)
    page = screens.open("/lanes", "chen")
    card = page.get_by_test_id("lane-card-lane-1")
    expect(card.get_by_test_id("lane-state")).to_have_text("cleared")
    expect(card.locator(".door-open")).to_have_count(1)
    expect(card.locator(".head")).to_have_count(1)
    seconds = card.get_by_test_id("lane-seconds")
    expect(seconds).to_have_text(re.compile(r"^\d\d:\d\d$"))
    expect(seconds).not_to_have_text(str(seconds.text_content()))  # they run in the browser
    expect(page.get_by_test_id("forecast-none")).to_be_visible()
    lane._say(EventType.FAULT_RAISED, {"device": "exit", "reason": "jammed"})
    lane.state(KioskStep.OUT_OF_SERVICE, state="fault", lamp="red", problem="jammed")
    expect(page.locator(JAM)).to_contain_text("jammed")
    page.get_by_test_id("acknowledge-lane-1").click()
    expect(page.get_by_test_id("lanes-said")).to_have_text("Lane 1: Acknowledge: sent.")
    expect(page.locator(JAM)).to_contain_text("acknowledged by chen")
    lane._say(EventType.FAULT_CLEARED, {"by": "chen"})
    ready(lane)
    expect(page.locator(JAM)).to_have_count(0)
    expect(page.get_by_test_id("alarms-past")).to_contain_text("exit: jammed")
    assert serious(page) == []


def test_whoever_may_not_command_can_look(screens: Screens, lanes: Lanes) -> None:
    ready(lanes["lane-1"])
    page = screens.open("/lanes", "li")
    card = page.get_by_test_id("lane-card-lane-1")
    expect(card.get_by_test_id("lane-state")).to_have_text("ready")
    expect(page.get_by_test_id("watch")).to_have_count(0)
    card.click()
    expect(page.get_by_test_id("lane-screen")).to_be_visible()
    expect(page.get_by_test_id("out-of-service")).to_be_disabled()
    expect(page.get_by_test_id("journal")).to_contain_text("Journals are for supervisors")


def test_one_lane_shows_who_is_inside_and_takes_orders(screens: Screens, lanes: Lanes) -> None:
    lane = lanes["lane-1"]
    lane.status()
    referred_crossing(lane, "one-lane-1")
    lane.state(KioskStep.WAIT_FOR_OFFICER, state="referred", lamp="amber", person_count=1)
    page = screens.open("/lanes/lane-1", "chen")
    expect(page.get_by_test_id("lane-state")).to_have_text("waits for officers")
    expect(page.get_by_test_id("still").locator("img")).to_be_visible()
    expect(page.get_by_test_id("stay-facts")).to_contain_text("Temperature is raised")
    expect(page.get_by_test_id("journal")).to_contain_text("evidence recorded")
    expect(page.get_by_test_id("devices")).to_contain_text("lane controller")
    page.get_by_test_id("out-of-service").click()
    expect(page.get_by_test_id("lanes-said")).to_have_text("Lane 1: Out of service: sent.")
    expect(page.get_by_test_id("given")).to_contain_text("Out of service")
    page.get_by_test_id("force-open").click()
    page.get_by_test_id("confirm-yes").click()
    expect(page.get_by_test_id("confirm")).to_be_visible()  # not without a reason
    page.get_by_test_id("confirm-words").fill("door sensor is wet")
    page.get_by_test_id("confirm-yes").click()
    expect(page.get_by_test_id("lanes-said")).to_contain_text("a second officer must agree")
    assert serious(page) == []
    page.get_by_test_id("send-back").click()
    page.get_by_test_id("confirm-words").fill("asked for")
    page.get_by_test_id("confirm-yes").click()
    expect(page.get_by_test_id("lanes-said")).to_have_text("Send back: sent.")


def test_a_port_is_evacuated_after_a_second_look(screens: Screens, lanes: Lanes) -> None:
    ready(lanes["lane-1"])
    ready(lanes["lane-2"])
    page = screens.open("/evacuation", "chen")
    page.get_by_test_id("evacuate-port").click()
    page.get_by_test_id("confirm-no").click()
    expect(page.get_by_test_id("confirm")).to_have_count(0)
    expect(page.get_by_test_id("lanes-said")).to_have_text("")
    page.get_by_test_id("evacuate-port").click()
    page.get_by_test_id("confirm-yes").click()
    expect(page.get_by_test_id("lanes-said")).to_have_text("All lanes: Evacuate: sent.")
    open_doors = {"entry": "open", "exit": "open"}
    lanes["lane-1"].state(KioskStep.EMERGENCY, state="evacuating", lamp="red", person_count=1, **open_doors)
    lanes["lane-2"].state(KioskStep.EMERGENCY, state="evacuating", lamp="red", entry="open")
    expect(page.get_by_test_id("safety-lane-1")).to_have_attribute("data-kind", "inside")
    expect(page.get_by_test_id("safety-lane-2")).to_have_attribute("data-kind", "shut")
    lanes["lane-1"].state(KioskStep.EMERGENCY, state="evacuating", lamp="red", person_count=0, **open_doors)
    expect(page.get_by_test_id("safety-lane-1")).to_have_attribute("data-kind", "open")
    assert serious(page) == []
    other = screens.open("/evacuation", "li")
    expect(other.get_by_test_id("evacuate-port")).to_be_disabled()
    for lane in lanes.values():
        ready(lane)


def test_a_watch_begins_and_is_handed_over_with_a_note(screens: Screens, lanes: Lanes) -> None:
    ready(lanes["lane-1"])
    page = screens.open("/lanes", "chen")
    expect(page.get_by_test_id("watch")).to_have_text("No watch begun")
    page.get_by_test_id("watch").click()
    page.get_by_test_id("watch-begin").click()
    expect(page.get_by_test_id("watch")).to_contain_text("of 1:00:00")
    page.get_by_test_id("watch").click()
    page.get_by_test_id("watch-note").fill("lane 2 squeaks")
    page.get_by_test_id("watch-end").click()
    expect(page.get_by_test_id("watch")).to_have_text("No watch begun")
    page.get_by_test_id("watch").click()
    expect(page.get_by_test_id("watch-notes")).to_contain_text("lane 2 squeaks")


def test_a_case_is_found_and_its_entry_in_the_log_proven(screens: Screens, lanes: Lanes) -> None:
    lane = lanes["lane-2"]
    lane.begin("look-for-me")
    lane.record(finding("document.expiry"))
    lane.end("abandoned")
    page = screens.open("/cases", "chen")
    page.get_by_test_id("search-text").fill("LOOK-FOR")
    page.get_by_test_id("search-go").click()
    row = page.get_by_test_id("case-row")
    expect(row).to_have_count(1)
    row.click()
    expect(page.get_by_test_id("case-detail-id")).to_have_text("look-for-me")
    expect(page.get_by_test_id("case-detail")).to_contain_text("abandoned")
    page.get_by_test_id("search-text").fill("nothing-like-it")
    page.get_by_test_id("search-go").click()
    expect(page.get_by_test_id("search-none")).to_be_visible()
    assert serious(page) == []
    page.goto(page.url.replace("/cases", "/audit?case=look-for-me"))
    page.get_by_test_id("audit-row").first.click()
    expect(page.get_by_test_id("audit-proof")).to_have_attribute("data-believed", "proven")
    expect(page.get_by_test_id("audit-body")).to_contain_text("look-for-me")
    assert serious(page) == []
    other = screens.open("/audit", "li")
    expect(other.get_by_test_id("audit-not_yours")).to_be_visible()


def test_figures_of_a_period_are_drawn_and_taken_away(screens: Screens, lanes: Lanes) -> None:
    lane = lanes["lane-2"]
    lane.begin("counted")
    lane.record(finding("document.expiry"))
    lane.end("cleared")
    page = screens.open("/kpi?period=hour", "chen")
    expect(page.locator("canvas").first).to_be_visible()
    expect(page.get_by_test_id("period-hour")).to_have_attribute("aria-pressed", "true")
    page.get_by_test_id("period-week").click()
    expect(page.get_by_test_id("export-csv")).to_have_attribute("href", "/kpi/export.csv?period=week")
    assert serious(page) == []
    origin = page.url.split("/kpi")[0]
    table = page.request.get(f"{origin}/kpi/export.csv?period=hour")
    rows = list(csv.DictReader(io.StringIO(table.body().decode("utf-8-sig"))))
    total = next(row for row in rows if row["what"] == "total")
    assert int(total["crossings"]) >= 1
    assert sum(int(row["crossings"]) for row in rows if row["what"] == "step") == int(total["crossings"])
    report = page.request.get(f"{origin}/kpi/export.pdf?period=hour")
    assert report.headers["content-type"] == "application/pdf"
    assert report.body().startswith(b"%PDF-")


def test_what_is_old_says_so_and_a_lost_broker_is_told(screens: Screens, lanes: Lanes, broker: Broker) -> None:
    ready(lanes["lane-1"])
    page = screens.open("/lanes", "chen")
    card = page.get_by_test_id("lane-card-lane-1")
    expect(card).to_have_attribute("data-freshness", "live")
    broker.stop()
    try:
        expect(card).to_have_attribute("data-freshness", "link_lost")
        expect(page.get_by_test_id("link-state")).to_have_text("live news lost")
    finally:
        broker.start()
    lanes["lane-1"].wait_until_connected()
    ready(lanes["lane-1"])
    expect(card).to_have_attribute("data-freshness", "live")
    # The browser's own link: nothing may look newer than three seconds when the server says nothing any more.
    page.evaluate("() => window.socket.disconnect()")
    expect(page.get_by_test_id("stale-marker")).to_contain_text("What you see is 00:0")
    expect(page.locator(".wall[data-stale]")).to_have_count(1)
    page.evaluate("() => window.socket.connect()")
    expect(page.locator(".wall[data-stale]")).to_have_count(0)


def serious(page: Page) -> list[str]:
    """What axe finds on this page that keeps somebody from using it."""
    found = Axe().run(page).response["violations"]
    return [
        f"{item['id']}: {node['html'][:160]}" for item in found if item["impact"] in SERIOUS for node in item["nodes"]
    ]
