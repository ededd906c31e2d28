"""What the hub tells whoever watches a port: numbers beside the promise, alarms, journals, watches, cases that are looked for."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from api_kit import Api
from hub_kit import FakeLane, finding, make_hub, make_site

from gate.core.clock import ManualClock
from gate.hub.forecast import HOUR_MS, Forecast, ForecastHour
from gate.hub.statistics import Window
from gate.wire.messages import EventType


class Port:
    """A hub, its API, and its two lanes, all at one clock."""

    def __init__(self, folder: Path) -> None:
        self.clock = ManualClock()
        self.hub = make_hub(make_site(folder, promise={"waiting_limit_s": 30}), self.clock)
        self.hub.store.migrate()
        self.api = Api(self.hub)
        self.lanes = [FakeLane(self.clock, "lane-1"), FakeLane(self.clock, "lane-2")]

    def cross(self, lane: int, case_id: str, seconds: float, *, reasons: tuple[str, ...] = ()) -> None:
        """One traveller, for so long."""
        talker = self.lanes[lane]
        said = [talker.start(case_id), talker.record(finding(*reasons[:1], is_fine=not reasons))]
        said.append(talker.decide("refer" if reasons else "clear", reasons, ("border",) if reasons else ()))
        self.clock.advance_ms(int(seconds * 1000))
        self.hub.take_in([*said, talker.end("sent_back" if reasons else "cleared")])


@pytest.fixture
def port(tmp_path: Path) -> Iterator[Port]:
    made = Port(tmp_path)
    yield made
    made.api.http.close()
    made.hub.stop()


def test_the_last_hour_is_counted_beside_what_was_promised(port: Port) -> None:
    for number in range(19):
        port.cross(0, f"quick-{number}", 10)
    port.cross(1, "slow", 45, reasons=("document.expired",))
    now = port.api.call("GET", "/statistics/now", "sue").json()
    hour = now["last_hour"]
    assert (hour["crossings"], hour["referred"], hour["referral_ratio"]) == (20, 1, 0.05)
    assert hour["waiting_ms_p95"] == 10_000  # nineteen of twenty are 95 %
    assert hour["by_lane"] == [
        {"lane": "lane-1", "crossings": 19, "referred": 0},
        {"lane": "lane-2", "crossings": 1, "referred": 1},
    ]
    assert hour["by_outcome"] == {"cleared": 19, "sent_back": 1}
    assert hour["reasons"] == [{"code": "document.expired", "crossings": 1}]
    assert now["promise"]["waiting_limit_ms"] == 30_000
    assert now["promise"]["watch_ms"] == 3_600_000
    assert now["forecast"] is None
    told = {lane: last["outcome"] for lane, last in now["last_outcomes"].items()}
    assert told == {"lane-1": "cleared", "lane-2": "sent_back"}


def test_one_slow_traveller_more_moves_the_ninety_fifth(port: Port) -> None:
    for number in range(18):
        port.cross(0, f"quick-{number}", 10)
    for number in range(2):
        port.cross(1, f"slow-{number}", 45)
    assert port.api.call("GET", "/statistics/now", "sue").json()["last_hour"]["waiting_ms_p95"] == 45_000


def test_a_period_is_told_in_steps_also_those_without_a_crossing(port: Port) -> None:
    begin_ms = port.clock.utc_ms()
    port.cross(0, "first", 10)
    port.clock.advance_ms(2 * HOUR_MS)
    port.cross(0, "second", 20)
    query = f"from_ms={begin_ms}&until_ms={begin_ms + 3 * HOUR_MS}&step_ms={HOUR_MS}"
    flow = port.api.call("GET", f"/statistics/flow?{query}", "sue").json()
    told = [(bucket["crossings"], bucket["waiting_ms_p95"]) for bucket in flow["buckets"]]
    assert told == [(1, 10_000), (0, None), (1, 20_000)]
    assert [bucket["at_ms"] for bucket in flow["buckets"]] == [begin_ms + hour * HOUR_MS for hour in range(3)]
    assert port.api.call("GET", f"/statistics/flow?from_ms=5&until_ms={2**52}", "sue").status_code == 422
    assert port.api.call("GET", "/statistics/flow?from_ms=5&until_ms=4", "sue").status_code == 422
    assert port.api.call("GET", f"/statistics/flow?{query}", "ira").status_code == 403


def test_a_forecast_is_told_as_soon_as_somebody_makes_one(port: Port) -> None:
    def source(from_ms: int, count: int) -> Forecast:
        hours = tuple(
            ForecastHour(at_ms=from_ms + place * HOUR_MS, arrivals=100, low=80, high=130) for place in range(count)
        )
        return Forecast(made_ms=1, source="flights", hours=hours)

    port.hub.forecast.source = source
    forecast = port.api.call("GET", "/statistics/now", "sue").json()["forecast"]
    assert len(forecast["hours"]) == 6
    assert forecast["hours"][0]["at_ms"] % HOUR_MS == 0
    assert forecast["hours"][0]["at_ms"] <= port.clock.utc_ms() < forecast["hours"][1]["at_ms"]


def test_a_window_has_a_beginning_before_its_end_and_few_enough_steps() -> None:
    assert Window(from_ms=0, until_ms=10, step_ms=4).count == 3
    for from_ms, until_ms, step_ms in ((0, 0, 1), (0, 10, 0), (0, 1_001, 1)):
        with pytest.raises(ValueError, match="step"):
            Window(from_ms=from_ms, until_ms=until_ms, step_ms=step_ms)


def test_an_alarm_says_who_acknowledged_it_when_and_what_ended_it(port: Port) -> None:
    lane, other = port.lanes
    begin_ms = port.clock.utc_ms()
    port.hub.take_in(
        [
            lane.say(EventType.FAULT_RAISED, {"device": "exit", "reason": "jammed"}),
            other.say(EventType.ALARM_RAISED, {"reason": "tailgating", "case_id": "c1"}),
        ]
    )
    port.clock.advance_ms(5_000)
    port.api.call("POST", "/lanes/lane-1/commands", "bo", json={"act": "acknowledge"})
    port.clock.advance_ms(1_000)
    port.hub.take_in([lane.say(EventType.FAULT_CLEARED, {"by": "bo"})])
    port.clock.advance_ms(1_000)
    port.hub.take_in([lane.say(EventType.FAULT_RAISED, {"device": "exit", "reason": "jammed"})])
    told = port.api.call("GET", "/alarms", "sue").json()["alarms"]
    assert [(item["lane"], item["kind"], item["cleared_by"], item["acknowledged_by"]) for item in told] == [
        ("lane-1", "fault", None, None),
        ("lane-1", "fault", "bo", "bo"),
        ("lane-2", "alarm", None, None),
    ]
    assert (told[1]["acknowledged_ms"], told[1]["cleared_ms"]) == (begin_ms + 5_000, begin_ms + 6_000)
    assert (told[1]["device"], told[2]["case_id"]) == ("exit", "c1")
    of_lane = port.api.call("GET", "/alarms?lane=lane-2", "sue").json()["alarms"]
    assert [item["lane"] for item in of_lane] == ["lane-2"]
    assert port.api.call("GET", "/alarms", "ann").status_code == 403


def test_a_lanes_journal_holds_no_evidence_and_goes_on_where_it_ended(port: Port) -> None:
    port.cross(0, "c1", 10, reasons=("document.expired",))
    first = port.api.call("GET", "/lanes/lane-1/journal?limit=2", "bo").json()
    assert [line["type"] for line in first["lines"]] == ["tongguan.crossing.ended", "tongguan.crossing.decided"]
    assert first["lines"][0]["detail"] == {"outcome": "sent_back"}
    assert first["lines"][1]["detail"] == {"decision": "refer"}
    rest = port.api.call("GET", f"/lanes/lane-1/journal?before={first['next']}", "bo").json()
    assert [line["type"] for line in rest["lines"]] == ["tongguan.evidence.recorded", "tongguan.crossing.started"]
    assert rest["lines"][0]["detail"] == {"revision": "1"}
    assert rest["next"] is None
    assert port.api.call("GET", "/lanes/nowhere/journal", "bo").status_code == 404


def test_one_order_reaches_every_lane_and_only_a_supervisor_gives_it(port: Port) -> None:
    assert port.api.call("POST", "/orders", "bo", json={"act": "evacuate"}).status_code == 403
    answer = port.api.call("POST", "/orders", "sue", json={"act": "evacuate"})
    assert answer.status_code == 202
    assert set(answer.json()["commands"]) == {"lane-1", "lane-2"}
    one = port.api.call("POST", "/orders", "sue", json={"act": "take_out_of_service", "lanes": ["lane-2"]})
    assert set(one.json()["commands"]) == {"lane-2"}
    given = port.api.call("GET", "/lanes/lane-2/commands", "sue").json()["commands"]
    assert [(item["act"], item["author"], item["state"]) for item in given] == [
        ("take_out_of_service", "sue", "sent"),
        ("evacuate", "sue", "sent"),
    ]
    assert port.api.call("POST", "/orders", "sue", json={"act": "evacuate", "lanes": ["x"]}).status_code == 404
    assert port.api.call("POST", "/orders", "sue", json={"act": "release"}).status_code == 422


def test_a_watch_ends_with_a_note_for_the_next_officer(port: Port) -> None:
    assert port.api.call("POST", "/watches/end", "sue", json={"note": "x"}).json()["type"].endswith("not_watching")
    assert port.api.call("POST", "/watches", "sue").status_code == 201
    assert port.api.call("POST", "/watches", "sue").json()["type"].endswith("already_watching")
    assert port.api.call("POST", "/watches", "bo").status_code == 201
    port.clock.advance_ms(HOUR_MS // 2)
    note = "lane 2 squeaks"
    assert port.api.call("POST", "/watches/end", "sue", json={"note": note}).json()["note"] == note
    told = port.api.call("GET", "/watches", "bo").json()
    assert told["limit_ms"] == HOUR_MS
    assert [(item["author"], item["ended_ms"]) for item in told["open"]] == [("bo", None)]
    assert [(item["author"], item["name"], item["note"]) for item in told["ended"]] == [("sue", "Sue", note)]
    kinds = [entry["kind"] for entry in port.api.call("GET", "/audit", "sue").json()["entries"]]
    assert kinds.count("watch.began") == 2
    assert kinds.count("watch.ended") == 1
    assert port.api.call("POST", "/watches", "ann").status_code == 403


def test_cases_are_found_by_id_lane_outcome_and_time(port: Port) -> None:
    begin_ms = port.clock.utc_ms()
    port.cross(0, "A-100", 10)
    port.cross(1, "A-200", 10, reasons=("document.expired",))
    port.hub.take_in([port.lanes[0].start("B-100")])

    def found(query: str) -> list[str]:
        cases = port.api.call("GET", f"/search/cases?{query}", "sue").json()["cases"]
        return [case["case_id"] for case in cases]

    assert found("") == ["B-100", "A-200", "A-100"]
    assert found("text=a-") == ["A-200", "A-100"]
    assert found("text=_") == []
    assert found("lane=lane-2") == ["A-200"]
    assert found("outcome=cleared") == ["A-100"]
    assert found("outcome=open") == ["B-100"]
    assert found("is_referred=true") == ["A-200"]
    assert found(f"until_ms={begin_ms + 1}") == ["A-100"]
    page = port.api.call("GET", "/search/cases?limit=1", "sue").json()
    assert found(f"after={page['next']}") == ["A-200", "A-100"]
    assert port.api.call("GET", "/search/cases", "ira").status_code == 403
