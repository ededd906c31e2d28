"""What the console knows of its lanes, and how far it can be believed."""

from datetime import UTC, datetime

import pytest

from config.loader import parse_site
from config.schema import Site
from gate.console.live import SILENCE_LIMIT_MS, Freshness, Live
from gate.core.clock import ManualClock
from gate.wire.messages import CaseChanged, KioskStep, LaneState, LaneStatus
from gate.wire.topics import Channel, case_topic, lane_topic

STATE = LaneState(state="ready", step=KioskStep.PLACE_DOCUMENT, lamp="green", since=datetime(2026, 1, 1, tzinfo=UTC))
ONLINE = LaneStatus(is_online=True, boot_id="b", software_version="1")


@pytest.fixture
def site() -> Site:
    camera = {"kind": "folder", "source": "x"}
    lane = {"id": "lane-1", "board": {"port": "/dev/none"}, "face_camera": camera, "document_camera": camera}
    role = {"id": "customs", "title": "Customs", "title_zh": "海关", "colour": "#000000"}
    return parse_site({"port": {"id": "quay", "title": "Quay"}, "role": [role], "lane": [lane]}, origin="test")


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def live(site: Site, clock: ManualClock) -> Live:
    made = Live(site, clock)
    made.set_link(True)
    return made


def say(live: Live, channel: Channel, message: LaneState | LaneStatus, *, lane: str = "lane-1") -> None:
    live.take(lane_topic("quay", lane, channel), message.model_dump_json().encode())


def test_a_lane_is_unknown_live_stale_and_live_again(live: Live, clock: ManualClock) -> None:
    assert live.freshness("lane-1") is Freshness.UNKNOWN
    say(live, Channel.STATE, STATE)
    assert live.lane("lane-1").state == STATE
    clock.advance_ms(SILENCE_LIMIT_MS)
    assert live.freshness("lane-1") is Freshness.LIVE
    clock.advance_ms(1)
    assert live.freshness("lane-1") is Freshness.STALE
    assert live.silence_ms("lane-1") == SILENCE_LIMIT_MS + 1
    say(live, Channel.STATE, STATE)
    assert live.freshness("lane-1") is Freshness.LIVE


def test_the_last_will_makes_a_lane_offline_whatever_its_state(live: Live) -> None:
    say(live, Channel.STATE, STATE)
    say(live, Channel.STATUS, ONLINE.model_copy(update={"is_online": False}))
    assert live.freshness("lane-1") is Freshness.OFFLINE
    say(live, Channel.STATUS, ONLINE)
    assert live.freshness("lane-1") is Freshness.LIVE


def test_a_lost_link_is_worse_than_everything_else(live: Live) -> None:
    say(live, Channel.STATE, STATE)
    changes: list[bool] = []
    live.link_changed.subscribe(changes.append)
    live.set_link(False)
    live.set_link(False)
    assert live.freshness("lane-1") is Freshness.LINK_LOST
    assert changes == [False]


def test_pages_hear_of_lanes_and_cases(live: Live) -> None:
    lanes: list[str] = []
    cases: list[CaseChanged] = []
    live.lane_changed.subscribe(lanes.append)
    live.case_changed.subscribe(cases.append)
    say(live, Channel.STATE, STATE)
    change = CaseChanged(case_id="c1", lane="lane-1", revision=1, status="open", verdicts={"customs": "pending"})
    live.take(case_topic("quay", "c1"), change.model_dump_json().encode())
    assert lanes == ["lane-1"]
    assert cases == [change]


@pytest.mark.parametrize(
    ("topic", "payload"),
    [
        ("tongguan/v1/quay/lane-1/state", b"{"),
        ("tongguan/v1/quay/lane-1/state", b""),
        ("tongguan/v1/quay/lane-1/status", b'{"is_online": "perhaps"}'),
        ("tongguan/v1/quay/case/c1", b'{"case_id": "c1", "surname": "X"}'),
        ("tongguan/v1/quay/lane-9/state", STATE.model_dump_json().encode()),
        ("tongguan/v1/other/lane-1/state", STATE.model_dump_json().encode()),
        ("tongguan/v1/quay/lane-1/command", b"x"),
        ("nonsense", b"x"),
    ],
)
def test_what_does_not_fit_is_counted_and_changes_nothing(live: Live, topic: str, payload: bytes) -> None:
    heard: list[object] = []
    live.lane_changed.subscribe(heard.append)
    live.case_changed.subscribe(heard.append)
    live.take(topic, payload)
    assert live.rejected_count == 1
    assert heard == []
    assert live.lane("lane-1").state is None
