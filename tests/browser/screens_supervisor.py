"""The supervisors' pictures of ``docs/screens``: ``python tests/browser/screens_supervisor.py [FOLDER]``.

Broker, hub and screens are real; what the fourteen lanes say, also of the day before, is made up here.
"""

import random
import sys
import time
from pathlib import Path
from typing import Any

from conftest import CHROMIUM_ARGUMENTS, chromium
from playwright.sync_api import Browser, Page, expect, sync_playwright

from gate.core.evidence import Evidence, Finding, Outcome, Stage
from gate.wire.messages import EventType, KioskStep, LaneState, utc
from simulator.bench_port import BenchPort

ROOT = Path(__file__).parents[2]
LANES = 14
HOUR_MS = 3_600_000
_DOING: tuple[tuple[str, KioskStep, str, dict[str, Any]], ...] = (
    ("ready", KioskStep.PLACE_DOCUMENT, "green", {}),
    ("reading_document", KioskStep.READING_DOCUMENT, "blue", {}),
    ("entry_open", KioskStep.WALK_IN, "green", {"entry": "open"}),
    ("occupied", KioskStep.LOOK_AT_CAMERA, "blue", {"person_count": 1}),
    ("cleared", KioskStep.WALK_OUT, "green", {"exit": "open", "person_count": 1}),
    ("referred", KioskStep.WAIT_FOR_OFFICER, "amber", {"person_count": 1}),
)


def tell_of_yesterday(port: BenchPort, now_ms: int) -> None:
    """Some two hundred crossings of the last day, more of them in the mornings and evenings."""
    luck = random.Random(38)
    for number in range(220):
        lane = port.site.lanes[luck.randrange(LANES)].id
        hours_ago = luck.choice((0.1, 0.4, 1, 2, 3, 4, 5, 8, 9, 12, 13, 13, 14, 20, 21, 22))
        at_ms = now_ms - int((hours_ago + luck.random() * 0.5) * HOUR_MS)
        is_referred = luck.random() < 0.08
        case_id = f"7K2-{number:04d}"
        evidence = Evidence(port=port.site.port.id, lane=lane, case_id=case_id)
        code = luck.choice(("document.expiry", "face.match", "lookup.customs_declaration", "health.temperature"))
        outcome = Outcome.REFER if is_referred else Outcome.PASS
        evidence = evidence.extended(
            findings=(Finding(code=code, outcome=outcome, stage=Stage.EXIT),), occupancy_id="s"
        )
        said = {"case_id": case_id, "digest": evidence.digest()}
        port.say(lane, EventType.CROSSING_STARTED, {"case_id": case_id}, at_ms=at_ms)
        recorded = {**said, "revision": evidence.revision, "evidence": evidence.to_json()}
        port.say(lane, EventType.EVIDENCE_RECORDED, recorded, at_ms=at_ms + 4_000)
        reasons = [code] if is_referred else []
        roles = ["customs"] if is_referred else []
        decision = "refer" if is_referred else "clear"
        decided = {**said, "decision": decision, "reasons": reasons, "roles": roles}
        port.say(lane, EventType.CROSSING_DECIDED, decided, at_ms=at_ms + 7_000)
        took_ms = luck.randrange(40_000, 140_000) if is_referred else luck.randrange(9_000, 24_000)
        how = luck.choice(("released_by_officer", "sent_back")) if is_referred else "cleared"
        ended = {"case_id": case_id, "outcome": how, "reasons": [], "duration_ms": took_ms}
        port.say(lane, EventType.CROSSING_ENDED, ended, at_ms=at_ms + took_ms)


def tell_of_now(port: BenchPort, now_ms: int) -> None:
    """What the lanes do: most are at work, one has a fault, one is out of service."""
    for place, lane in enumerate(port.site.lanes):
        state, step, lamp, more = _DOING[place % len(_DOING)]
        problem = None
        if place == 8:
            state, step, lamp, more, problem = "fault", KioskStep.OUT_OF_SERVICE, "red", {"exit": "jammed"}, "jammed"
            port.say(lane.id, EventType.FAULT_RAISED, {"device": "exit", "reason": "jammed"})
        elif place == 11:
            state, step, lamp, more = "out_of_service", KioskStep.OUT_OF_SERVICE, "off", {}
        known = {"entry": "closed", "exit": "closed", "person_count": 0, **more}
        since = utc(now_ms - 1_000 * (3 + 7 * place % 40))
        port.say_state(
            lane.id,
            LaneState(state=state, step=step, lamp=lamp, since=since, crossings=40 + place, problem=problem, **known),
        )


def open_page(browser: Browser, port: BenchPort, locale: str) -> Page:
    login = port.logins["border"]
    page = browser.new_context(
        viewport={"width": 1280, "height": 800}, reduced_motion="reduce", locale=locale
    ).new_page()
    page.goto(f"{port.url}/lanes")
    page.get_by_test_id("login-user").fill(login.user)
    page.get_by_test_id("login-password").fill(login.password)
    page.get_by_test_id("login-submit").click()
    page.wait_for_url("**/lanes")
    return page


def take_supervisor(folder: Path) -> None:
    """All of them, with a port of their own."""
    with BenchPort(lanes=LANES) as port, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=CHROMIUM_ARGUMENTS)
        now_ms = int(time.time() * 1000)
        tell_of_yesterday(port, now_ms)
        tell_of_now(port, now_ms)
        page = open_page(browser, port, "en-GB")

        def take(name: str) -> None:
            page.wait_for_load_state("networkidle")
            page.screenshot(path=folder / f"supervisor-{name}.png")
            print(folder / f"supervisor-{name}.png")

        page.get_by_test_id("watch").click()
        page.get_by_test_id("watch-begin").click()
        expect(page.get_by_test_id("watch")).to_contain_text("of 1:00:00")
        expect(page.get_by_test_id("alarm-lane-009")).to_be_visible()
        expect(page.get_by_text("last:").first).to_be_visible()
        take("lanes")
        page.goto(f"{port.url}/lanes/lane-009")
        expect(page.get_by_test_id("journal")).to_contain_text("crossing over")
        expect(page.get_by_test_id("devices")).to_contain_text("jammed")
        take("lane")
        page.goto(f"{port.url}/cases?case=7K2-0005")
        expect(page.get_by_test_id("case-detail-id")).to_be_visible()
        take("cases")
        page.goto(f"{port.url}/audit?case=7K2-0005")
        page.get_by_test_id("audit-row").first.click()
        expect(page.get_by_test_id("audit-proof")).to_have_attribute("data-believed", "proven")
        take("audit")
        page.goto(f"{port.url}/kpi?period=day")
        expect(page.locator("canvas").nth(3)).to_be_visible()
        take("figures")
        for lane in port.site.lanes:
            doors = {"entry": "open", "exit": "open", "person_count": int(lane.id == "lane-004")}
            state = {"state": "evacuating", "step": KioskStep.EMERGENCY, "lamp": "red", "since": utc(now_ms)}
            port.say_state(lane.id, LaneState(**state, **doors))
        page.goto(f"{port.url}/evacuation")
        expect(page.get_by_test_id("safety-lane-004")).to_have_attribute("data-kind", "inside")
        take("evacuation")
        tell_of_now(port, int(time.time() * 1000))
        page = open_page(browser, port, "zh-CN")
        expect(page.get_by_test_id("alarm-lane-009")).to_be_visible()
        take("lanes-zh")
        browser.close()


if __name__ == "__main__":
    take_supervisor(Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "docs" / "screens")
