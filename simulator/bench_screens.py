"""How soon what a lane says is on the officers' screens, with many screens open and many lanes at work (part of ``gate bench console``).

A port with broker, hub and console as processes of their own. Every lane says an event and its state once a second; the first lane
holds a referred traveller whose evidence changes each time, so the two roles' screens show each of its events, and the rows of lanes
show every state. ``p50_ms`` and ``p99_ms``: from the moment at which the lane hands an event to the broker until it has arrived at
*both* screens of a pair (customs and quarantine), over all events and pairs. Most screens are protocol clients
(:mod:`simulator.screen_crowd`); ``browsers`` of them are pages in Chromium, in which the mark must be in the document.
"""

from __future__ import annotations

import re
import statistics
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from gate.core.evidence import Evidence, Finding, Outcome, Stage
from gate.errors import GateError
from gate.wire.messages import EventType, KioskStep, LaneState, utc
from simulator.bench_port import BenchPort
from simulator.screen_crowd import CrowdScreen, ScreenCrowd, Seen

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

LANES = 50
SCREENS = 40
WALLS = 8
"""Of the screens, so many show the row of lanes; the others are pairs of customs and quarantine."""

WARM_UP_S = 6
_ROLES = ("customs", "quarantine")
_PROCESSES = ("hub", "console")
_MARK = re.compile(r"mk\d{6}|[a-z0-9-]+#\d+")
_WALL = re.compile(r'"id": ?"([a-z0-9-]+)"[^{}]*?"crossings": ?"(\d+) crossing')
_WATCH = """() => {
  window.benchSeen = {};
  const look = () => {
    for (const mark of document.body.innerText.match(/mk\\d{6}/g) ?? []) window.benchSeen[mark] ??= Date.now();
  };
  new MutationObserver(look).observe(document.body, {childList: true, subtree: true, characterData: true});
  look();
}"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Screens:
    """What was measured; times in milliseconds. ``missed``: events that some pair never showed (a newer one counts as showing it).

    ``hub_cores`` and ``console_cores``: processor time that they used in a second of the clock. Where other work keeps the machine busy,
    these still say what the screens cost, while the times say more of the machine.
    """

    screens: int
    browsers: int
    lanes: int
    events: int
    missed: int
    p50_ms: float
    p99_ms: float
    worst_ms: float
    browser_p50_ms: float
    browser_p99_ms: float
    wall_p50_ms: float
    wall_p99_ms: float
    hub_cores: float
    console_cores: float


class Traffic:
    """All lanes, each saying an event and its state once a second, evenly spread; ``sent`` is when each mark went out."""

    def __init__(self, port: BenchPort, lanes: Sequence[str]) -> None:
        self._port = port
        self._lanes = lanes
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="traffic", daemon=True)
        self._held = Evidence(port=port.site.port.id, lane=lanes[0], case_id="bench-held")
        self._rounds: dict[str, int] = dict.fromkeys(lanes, 0)
        self._cases: dict[str, Evidence] = {}
        self.sent: Seen = {}

    def start(self) -> None:
        lane = self._lanes[0]
        self._port.say(lane, EventType.CROSSING_STARTED, {"case_id": self._held.case_id})
        self._record_held("mk000000")
        self._thread.start()

    def stop(self) -> None:
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join(10)

    def _run(self) -> None:
        step_s = 1.0 / len(self._lanes)
        due_s = time.monotonic()
        number = 0
        while not self._stop.is_set():
            lane = self._lanes[number % len(self._lanes)]
            self._speak(lane, is_held=lane == self._lanes[0])
            number += 1
            due_s += step_s
            self._stop.wait(max(0.0, due_s - time.monotonic()))

    def _speak(self, lane: str, *, is_held: bool) -> None:
        self._rounds[lane] += 1
        count = self._rounds[lane]
        state, step = ("referred", KioskStep.WAIT_FOR_OFFICER) if is_held else ("occupied", KioskStep.LOOK_AT_CAMERA)
        self.sent[f"{lane}#{count}"] = time.time() * 1000
        self._port.say_state(
            lane,
            LaneState(
                state=state,
                step=step,
                lamp="blue",
                since=utc(int(time.time() * 1000)),
                entry="closed",
                exit="open" if count % 2 else "closed",
                person_count=count % 2,
                case_id=self._held.case_id if is_held else None,
                crossings=count,
            ),
        )
        if is_held:
            self._record_held(f"mk{count:06d}")
        else:
            self._next_of_crossing(lane, count)

    def _record_held(self, mark: str) -> None:
        """The traveller whom both roles look at: new evidence, and the lane's word on it at the same time."""
        findings = tuple(
            Finding(code="cargo.scan", outcome=Outcome.REFER, stage=Stage.EXIT, role=role, measured=mark)
            for role in _ROLES
        )
        self._held = Evidence(
            port=self._held.port,
            lane=self._held.lane,
            case_id=self._held.case_id,
            revision=self._held.revision + 1,
            findings=findings,
            occupancy_id="stay-bench",
        )
        self.sent[mark] = time.time() * 1000
        self._record(self._held)
        self._decide(self._held, "refer", roles=list(_ROLES))

    def _next_of_crossing(self, lane: str, count: int) -> None:
        """An ordinary crossing, one event at a time: started, document, decided, door, face, cleared, ended."""
        place = count % 5
        if place == 1 or lane not in self._cases:
            self._cases[lane] = Evidence(port=self._port.site.port.id, lane=lane, case_id=f"{lane}-{count}")
            self._port.say(lane, EventType.CROSSING_STARTED, {"case_id": self._cases[lane].case_id})
            return
        evidence = self._cases[lane]
        if place in (2, 3):
            finding = Finding(code="document.expiry", outcome=Outcome.PASS, stage=Stage.EXIT, measured=float(place))
            self._cases[lane] = evidence.extended(findings=(finding,), occupancy_id=f"stay-{evidence.case_id}")
            self._record(self._cases[lane])
        elif place == 4:
            self._decide(evidence, "clear", roles=[])
        else:
            ended = {"case_id": evidence.case_id, "outcome": "cleared", "reasons": [], "duration_ms": 9000}
            self._port.say(lane, EventType.CROSSING_ENDED, ended)
            del self._cases[lane]

    def _record(self, evidence: Evidence) -> None:
        said = {"case_id": evidence.case_id, "digest": evidence.digest(), "revision": evidence.revision}
        self._port.say(evidence.lane, EventType.EVIDENCE_RECORDED, {**said, "evidence": evidence.to_json()})

    def _decide(self, evidence: Evidence, decision: str, *, roles: list[str]) -> None:
        said = {"case_id": evidence.case_id, "digest": evidence.digest(), "decision": decision}
        self._port.say(evidence.lane, EventType.CROSSING_DECIDED, {**said, "reasons": [], "roles": roles})


def marks_in(update: str) -> list[str]:
    """The marks in an update: findings' measured words, and ``lane#count`` of a row of lanes."""
    found = _MARK.findall(update) if "mk" in update else []
    return found + [f"{lane}#{count}" for lane, count in _WALL.findall(update)]


def measure_screens(browser: Browser, *, seconds: int, say: Any = lambda _words: None) -> Screens:
    """Open the screens, let the lanes speak for so long, and count. GateError when nothing arrives."""
    with BenchPort(lanes=LANES, has_own_console=True) as port:
        lanes = [lane.id for lane in port.site.lanes]
        traffic = Traffic(port, lanes)
        say("opening the browsers …")
        pages = {user: _open(port, browser, user, path) for user, path in _pages().items()}
        cookies = {user: _cookie(page) for user, page in pages.items()}
        crowd = ScreenCrowd(port.url, cookies, marks_in)
        try:
            say(f"opening {SCREENS} screens …")
            crowd.open(_crowd(len(pages)))
            traffic.start()
            for role in _ROLES:
                pages[role].evaluate(_WATCH)
            say("measuring …")
            time.sleep(WARM_UP_S)
            used_s = {name: port.cpu_s(name) for name in _PROCESSES}
            from_ms = time.time() * 1000
            time.sleep(seconds)
            until_ms = time.time() * 1000
            cores = {name: (port.cpu_s(name) - used_s[name]) * 1000 / (until_ms - from_ms) for name in _PROCESSES}
            time.sleep(3)  # what is under way arrives
            seen = {role: dict(pages[role].evaluate("() => window.benchSeen")) for role in _ROLES}
        finally:
            traffic.stop()
            crowd.close()
    return _count(traffic.sent, crowd.screens, seen, cores, during_ms=(from_ms, until_ms))


def _pages() -> dict[str, str]:
    return {role: f"/role/{role}" for role in _ROLES} | {"border": "/lanes"}


def _crowd(browsers: int) -> list[CrowdScreen]:
    """The screens beside those in browsers: pairs of the two roles, and rows of lanes."""
    pairs = (SCREENS - WALLS) // 2 - 1
    screens = [CrowdScreen(path=f"/role/{role}", user=role) for _ in range(pairs) for role in _ROLES]
    walls = SCREENS - browsers - len(screens)
    return screens + [CrowdScreen(path="/lanes", user="border") for _ in range(walls)]


def _open(port: BenchPort, browser: Browser, user: str, path: str) -> Page:
    login = port.logins[user]
    page = browser.new_context(viewport={"width": 1280, "height": 800}, locale="en-GB").new_page()
    page.set_default_timeout(60_000)
    page.goto(port.url + path)
    page.get_by_test_id("login-user").fill(login.user)
    page.get_by_test_id("login-password").fill(login.password)
    page.get_by_test_id("login-submit").click()
    page.wait_for_url(f"**{path}")
    return page


def _cookie(page: Page) -> str:
    return "; ".join(f"{item['name']}={item['value']}" for item in page.context.cookies())


def _count(
    sent: Seen,
    screens: Sequence[CrowdScreen],
    browsers: dict[str, Seen],
    cores: dict[str, float],
    *,
    during_ms: tuple[float, float],
) -> Screens:
    from_ms, until_ms = during_ms
    marks = sorted(mark for mark, at_ms in sent.items() if mark.startswith("mk") and from_ms <= at_ms < until_ms)
    by_role = {role: [item.seen for item in screens if item.path.endswith(role)] for role in _ROLES}
    pairs = list(zip(by_role[_ROLES[0]], by_role[_ROLES[1]], strict=True))
    both = [_until_both(mark, sent, pair) for mark in marks for pair in pairs]
    drawn = [_until_both(mark, sent, (browsers[_ROLES[0]], browsers[_ROLES[1]])) for mark in marks]
    states = {mark for mark, at_ms in sent.items() if "#" in mark and from_ms <= at_ms < until_ms}
    walls = [item.seen for item in screens if item.path == "/lanes"]
    rows = [seen[mark] - sent[mark] for seen in walls for mark in states if mark in seen]
    known = [value for value in both if value is not None]
    if not known or not rows:
        raise GateError("nothing of what the lanes said came to the screens: run 'gate console' alone to see why")
    known_drawn = [value for value in drawn if value is not None] or [float("nan")]
    return Screens(
        screens=len(screens) + len(browsers) + 1,
        browsers=len(browsers) + 1,
        lanes=LANES,
        events=len(marks),
        missed=len(both) - len(known),
        p50_ms=statistics.median(known),
        p99_ms=percentile(known, 0.99),
        worst_ms=max(known),
        browser_p50_ms=statistics.median(known_drawn),
        browser_p99_ms=percentile(known_drawn, 0.99),
        wall_p50_ms=statistics.median(rows),
        wall_p99_ms=percentile(rows, 0.99),
        hub_cores=cores["hub"],
        console_cores=cores["console"],
    )


def _until_both(mark: str, sent: Seen, pair: tuple[Seen, Seen]) -> float | None:
    """From sending until the later of the two screens showed this mark or a newer one; None when one never did."""
    arrived = [min((at for other, at in seen.items() if other >= mark), default=None) for seen in pair]
    return None if None in arrived else max(at for at in arrived if at is not None) - sent[mark]


def percentile(values: Sequence[float], ratio: float) -> float:
    """The smallest value that at least that share of ``values`` (not empty) does not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, max(0, -int(-len(ordered) * ratio // 1) - 1))]
