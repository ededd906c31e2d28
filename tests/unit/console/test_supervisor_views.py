"""What the supervisors' pages show, worked out without a browser: numbers, alarms, safety, charts, periods, what a lane wall is told."""

import asyncio
from typing import Any

import pytest

from config.loader import parse_site
from config.schema import Site
from gate.console.alarm_panel import lines_of, past_of
from gate.console.context import Console
from gate.console.flow_chart import crossings_chart, forecast_chart, waiting_chart
from gate.console.help_desk import HelpDesk
from gate.console.hub_supervision import Alarm, CaseQuery, Flow, Forecast, Now
from gate.console.i18n import words_of
from gate.console.lane_feed import LaneFeed
from gate.console.live import Live
from gate.console.page_evacuation import safety_of
from gate.console.page_lane import devices_of, journal_detail
from gate.console.page_lanes import numbers_of
from gate.console.period import DAY_MS, HOUR_MS, PERIODS, period_of
from gate.console.supervisor_head import WatchTime
from gate.console.wall.element import LaneWall
from gate.core.clock import ManualClock
from gate.wire.messages import KioskStep, LaneState, LaneStatus, utc
from gate.wire.topics import Channel, lane_topic

EN, ZH = words_of("en"), words_of("zh_CN")


def make_site() -> Site:
    lane = {
        "face_camera": {"kind": "folder", "source": "x"},
        "document_camera": {"kind": "folder", "source": "x"},
    }
    lanes = [
        {"id": f"lane-{number}", "title": f"Lane {number}", "board": {"port": f"/dev/none-{number}"}, **lane}
        for number in (1, 2)
    ]
    port = {"id": "p", "title": "Port"}
    return parse_site({"port": port, "policy": {"mode": "gate"}, "lane": lanes}, origin="test")


class Room:
    """A console's facts without its pages."""

    def __init__(self) -> None:
        self.clock = ManualClock()
        self.site = make_site()
        self.live = Live(self.site, self.clock)
        self.live.set_link(True)
        self.help_desk = HelpDesk(self.clock)
        parts: dict[str, Any] = dict.fromkeys(Console.__slots__)
        parts |= {"site": self.site, "clock": self.clock, "live": self.live, "help_desk": self.help_desk}
        self.console = Console(**parts)

    def say(self, lane: str, state: str = "ready", *, step: KioskStep = KioskStep.PLACE_DOCUMENT, **more: Any) -> None:
        known = {"entry": "closed", "exit": "closed", "person_count": 0, "lamp": "green", **more}
        message = LaneState(state=state, step=step, since=utc(self.clock.utc_ms()), **known)
        self.live.take(lane_topic("p", lane, Channel.STATE), message.model_dump_json().encode())

    def status(self, lane: str, *, is_online: bool) -> None:
        message = LaneStatus(is_online=is_online, boot_id="b", software_version="1")
        self.live.take(lane_topic("p", lane, Channel.STATUS), message.model_dump_json().encode())


@pytest.fixture
def room() -> Room:
    return Room()


def make_flow(**changes: Any) -> Flow:
    data = {
        "from_ms": 0,
        "until_ms": 2 * HOUR_MS,
        "step_ms": HOUR_MS,
        "crossings": 30,
        "referred": 3,
        "referral_ratio": 0.1,
        "waiting_ms_p95": 42_000.0,
        "buckets": [
            {"at_ms": 0, "crossings": 10, "referred": 1, "waiting_ms_p95": 40_400.0},
            {"at_ms": HOUR_MS, "crossings": 20, "referred": 2, "waiting_ms_p95": None},
        ],
        "by_lane": [{"lane": "lane-1", "crossings": 30, "referred": 3}],
        "by_outcome": {"cleared": 27, "sent_back": 3},
        "reasons": [{"code": "document.expiry", "crossings": 3}],
    }
    return Flow.model_validate(data | changes)


def make_now(**changes: Any) -> Now:
    promise = {
        "waiting_limit_ms": 60_000,
        "lane_crossings_per_h": 100,
        "crossings_per_h": 40,
        "referral_ratio": 0.1,
        "lanes_out": 0,
        "watch_ms": HOUR_MS,
    }
    data = {"now_ms": 0, "last_hour": make_flow(), "waiting": 0, "promise": promise, "last_outcomes": {}}
    return Now.model_validate(data | changes)


def test_each_number_says_whether_its_promise_is_kept() -> None:
    numbers = numbers_of(make_now(), lanes_out=1, lanes=2, words=EN)
    assert [number.is_kept for number in numbers] == [True, False, True, False]
    assert [number.value for number in numbers] == ["42 s", "30", "10.0 %", "1 of 2"]


def test_before_the_hub_has_answered_nothing_is_kept_or_broken() -> None:
    numbers = numbers_of(None, lanes_out=2, lanes=2, words=EN)
    assert [number.is_kept for number in numbers] == [None] * 4
    assert [number.value for number in numbers] == ["", "", "", "2 of 2"]


def test_an_hour_without_a_crossing_has_no_times() -> None:
    empty = make_flow(crossings=0, referred=0, referral_ratio=None, waiting_ms_p95=None, buckets=[])
    waiting, _, referred, _ = numbers_of(make_now(last_hour=empty), lanes_out=0, lanes=2, words=ZH)
    assert (waiting.value, waiting.is_kept) == ("", None)
    assert (referred.value, referred.is_kept) == ("", None)


def alarm(lane: str, **more: Any) -> Alarm:
    return Alarm.model_validate(
        {"lane": lane, "kind": "fault", "reason": "jammed", "device": "exit", "raised_ms": 1, **more}
    )


def test_a_lanes_own_word_makes_an_alarm_and_the_hub_says_who_saw_it(room: Room) -> None:
    room.status("lane-1", is_online=True)
    room.say("lane-1", "fault", problem="jammed")
    room.status("lane-2", is_online=False)
    room.help_desk.ask("lane-2")
    seen = alarm("lane-1", acknowledged_by="chen", acknowledged_ms=1_000)
    older = alarm("lane-1", cleared_ms=9, acknowledged_by="li", acknowledged_ms=5)
    lines = lines_of(room.console, [seen, older], EN)
    assert [(line.kind, line.lane) for line in lines] == [
        ("problem", "lane-1"),
        ("offline", "lane-2"),
        ("help", "lane-2"),
    ]
    assert lines[0].seen.startswith("acknowledged by chen")
    assert lines_of(room.console, [], EN)[0].seen == ""
    past = past_of([seen, older], EN)
    assert [item.what for item in past] == ["exit: jammed"]
    assert past[0].seen.startswith("acknowledged by li")


def test_what_is_not_known_for_certain_is_not_safe(room: Room) -> None:
    doors: dict[str, Any] = {"entry": "open", "exit": "open"}

    def kind() -> str:
        return safety_of(room.live, "lane-1").kind

    assert kind() == "silent"
    room.say("lane-1")
    assert kind() == "normal"
    room.say("lane-1", "occupied", person_count=1)
    assert kind() == "inside"
    room.say("lane-1", "evacuating", **doors)
    assert kind() == "open"
    room.say("lane-1", "evacuating", person_count=None, **doors)
    assert kind() == "inside"
    room.say("lane-1", "evacuating", entry="open", exit="jammed")
    assert kind() == "shut"
    room.clock.advance_ms(21_000)
    assert kind() == "silent"
    room.say("lane-1", "evacuating", **doors)
    room.status("lane-1", is_online=False)
    assert kind() == "silent"


def test_a_forecast_above_capacity_is_red_and_none_is_no_chart() -> None:
    assert forecast_chart(make_now(), lanes_in_service=2, words=EN) is None
    hours = [
        {"at_ms": 0, "arrivals": 150, "low": 1, "high": 190},
        {"at_ms": HOUR_MS, "arrivals": 250, "low": 1, "high": 2},
    ]
    now = make_now(forecast=Forecast.model_validate({"made_ms": 0, "source": "flights", "hours": hours}))
    chart = forecast_chart(now, lanes_in_service=2, words=EN)
    assert chart is not None
    bars, high, capacity = chart["series"]
    assert [bar["value"] for bar in bars["data"]] == [150, 250]
    assert bars["data"][0]["itemStyle"] != bars["data"][1]["itemStyle"]
    assert high["data"] == [190, 2]
    assert capacity["data"] == [200, 200]


def test_charts_leave_a_gap_where_nothing_was_measured() -> None:
    chart = waiting_chart(make_flow(), limit_ms=60_000, words=EN, day_steps=False)
    assert chart["series"][0]["data"] == [40.4, None]
    assert chart["series"][1]["data"] == [60.0, 60.0]
    course = crossings_chart(make_flow(), words=EN, day_steps=False)
    assert [series["data"] for series in course["series"]] == [[9, 18], [1, 2]]


@pytest.mark.parametrize("name", PERIODS)
def test_a_period_ends_now_and_has_few_enough_whole_steps(name: str) -> None:
    for now_ms in (DAY_MS * 20_000 + 5 * HOUR_MS + 123_456, DAY_MS * 20_000, DAY_MS * 20_000 - 1):
        period = period_of(name, now_ms)
        assert period.from_ms <= now_ms < period.until_ms
        steps = -(-(period.until_ms - period.from_ms) // period.step_ms)
        assert 1 <= steps <= 31
        assert period.is_by_day == (name in ("week", "month"))
        assert period_of(name, now_ms + 1).from_ms >= period.from_ms


def test_an_unknown_period_is_today() -> None:
    assert period_of("'; drop", DAY_MS).name == "today"


def test_a_watch_is_over_after_its_limit_and_announced_before() -> None:
    def state(minutes: float) -> tuple[bool, bool]:
        time = WatchTime(elapsed_ms=int(minutes * 60_000), limit_ms=HOUR_MS)
        return time.is_nearly_over, time.is_over

    assert [state(minutes) for minutes in (0, 54.9, 55, 59.9, 60, 90)] == [
        (False, False),
        (False, False),
        (True, False),
        (True, False),
        (False, True),
        (False, True),
    ]


def test_a_search_asks_only_for_what_was_given() -> None:
    assert CaseQuery().to_query() == {}
    query = CaseQuery(text="a", lane=None, outcome="", is_referred=True, from_ms=0)
    assert query.to_query() == {"text": "a", "is_referred": "true", "from_ms": 0}


def test_the_site_says_which_devices_a_lane_has(room: Room) -> None:
    assert devices_of(room.site.lanes[0]) == ("board_link", "document_camera", "face_camera")


def test_a_journal_line_is_in_words() -> None:
    from gate.console.hub_supervision import JournalLine

    line = JournalLine(
        sequence=1,
        at_ms=0,
        type="tongguan.door.commanded",
        case_id="c1",
        detail={"door": "exit", "position": "open", "purpose": "release", "boot_id": "secret"},
    )
    assert journal_detail(line, EN) == "exit · open · release · c1"
    assert journal_detail(line, ZH).startswith("出口门 · 打开")


class Screen:
    """Stands for one row of lanes in a browser; the client's part that the feed uses is here."""

    def __init__(self) -> None:
        self.batches: list[dict[str, Any]] = []
        self.client = self
        self._ends: list[Any] = []

    def take(self, batch: dict[str, Any]) -> None:
        self.batches.append(batch)

    def on_delete(self, end: Any) -> None:
        self._ends.append(end)

    def close(self) -> None:
        for end in self._ends:
            end()


def as_wall(screen: Screen) -> LaneWall:
    return screen  # type: ignore[return-value]


async def test_many_changes_are_one_message_to_each_screen(room: Room) -> None:
    feed = LaneFeed(room.console)
    screens = [Screen() for _ in range(3)]
    for screen in screens:
        feed.join(as_wall(screen), EN)
    assert [len(screen.batches) for screen in screens] == [1, 1, 1]
    assert [lane["id"] for lane in screens[0].batches[0]["lanes"]] == ["lane-1", "lane-2"]
    for count in range(5):
        room.say("lane-1", "occupied", person_count=count)
    await until(lambda: len(screens[0].batches) > 1)
    told = screens[0].batches[1]["lanes"]
    assert [(lane["id"], lane["count"], lane["words"]) for lane in told] == [("lane-1", 4, "somebody inside")]
    assert all(screen.batches[1] is screens[0].batches[1] for screen in screens)
    screens[0].close()
    room.say("lane-2")
    await until(lambda: len(screens[1].batches) > 2)
    assert len(screens[0].batches) == 2
    for screen in screens:
        screen.close()
    await until(lambda: not feed.is_beating)


async def test_screens_of_two_languages_are_told_in_theirs_and_of_a_lost_link(room: Room) -> None:
    feed = LaneFeed(room.console)
    english, chinese = Screen(), Screen()
    feed.join(as_wall(english), EN)
    feed.join(as_wall(chinese), ZH)
    room.say("lane-1", "referred", problem="tailgating")
    await until(lambda: len(chinese.batches) > 1)
    assert english.batches[1]["lanes"][0]["problem"] == "two people together"
    assert chinese.batches[1]["lanes"][0]["problem"] == "尾随"
    room.live.set_link(False)
    await until(lambda: not chinese.batches[-1]["link"])
    assert len(chinese.batches[-1]["lanes"]) == 2
    english.close()
    chinese.close()
    await until(lambda: not feed.is_beating)


async def until(condition: Any) -> None:
    """Wait for a condition, with a bound."""
    async with asyncio.timeout(10):
        while not condition():  # noqa: ASYNC110  what is waited for has no event
            await asyncio.sleep(0.01)


def test_every_language_says_what_pages_put_together() -> None:
    from gate.console.audit_proof import Believed
    from gate.core.state import State
    from gate.wire.messages import Act, EventType

    wanted = [f"lane_state.{state.value}" for state in State]
    wanted += [f"act.{act.value}" for act in Act]
    wanted += [f"event.{event.value}" for event in EventType]
    wanted += [f"believed.{believed.value}" for believed in Believed]
    wanted += [f"period.{name}" for name in PERIODS]
    wanted += [f"safety.{kind}" for kind in ("open", "inside", "shut", "silent", "normal")]
    for words in (EN, ZH):
        assert [key for key in wanted if words.get(key) is None] == []
