"""The hub counts its own arrivals, forecasts from them and the timetable, plans lanes, and publishes times that name nobody."""

import json
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pytest
from api_kit import Api
from hub_kit import FakeLane, finding, make_hub, make_site
from sqlalchemy import select

from gate.checks.flow.series import DAY_MS, DAY_QUARTERS, DayCounts, day_start_ms, local_day
from gate.checks.flow.staffing import ServiceTimes
from gate.core.clock import ManualClock
from gate.core.joint_release import VerdictKind
from gate.hub.errors import HubError
from gate.hub.flow_records import count_days, flights, history, measured_times, read_flights, read_history, store_days
from gate.hub.flow_schema import FLOW_DAYS
from gate.hub.forecast import HOUR_MS
from gate.hub.schema import CASES
from gate.hub.service import Hub
from gate.hub.store import upsert_all

OFFSET_MIN = 480


class Port:
    """A hub with some history, and its API."""

    def __init__(self, folder: Path) -> None:
        self.clock = ManualClock()
        self.hub = make_hub(make_site(folder, window={"utc_offset_min": OFFSET_MIN}), self.clock)
        self.hub.store.migrate()
        self.api = Api(self.hub)
        self.today = local_day(self.clock.utc_ms(), OFFSET_MIN)

    def remember(self, weeks: int) -> None:
        """The same every week, most on Fridays, at nine and at six."""
        week = np.zeros((7, DAY_QUARTERS))
        week[:, 36:40], week[:, 72:76] = 20, 10
        week[4] *= 2
        first = self.today - timedelta(days=7 * weeks)
        usual = np.stack([week[(first + timedelta(days=step)).weekday()] for step in range(7 * weeks)])
        counts = np.random.default_rng(1).poisson(usual).astype(np.float64)
        with self.hub.store.write() as connection:
            store_days(connection, DayCounts(first_day=first, counts=counts), source="file")


@pytest.fixture
def port(tmp_path: Path) -> Iterator[Port]:
    made = Port(tmp_path)
    yield made
    made.api.http.close()
    made.hub.stop()


def add_cases(
    hub: Hub, *, opened_ms: list[int], taken_ms: int, lane: str = "lane-1", was_referred: bool = False
) -> None:
    rows = [
        {
            "case_id": f"{lane}-{number}-{at_ms}-{was_referred}",
            "lane": lane,
            "status": "closed",
            "opened_ms": at_ms,
            "closed_ms": at_ms + taken_ms,
            "waiting_since_ms": None,
            "revision": 1,
            "evidence_digest": None,
            "was_referred": was_referred,
            "outcome": "cleared",
            "document_to_entry_ms": None,
            "face_to_exit_ms": None,
            "body": json.dumps({}),
        }
        for number, at_ms in enumerate(opened_ms)
    ]
    with hub.store.write() as connection:
        upsert_all(connection, CASES, rows)


def test_without_four_weeks_there_is_no_forecast_and_no_plan(port: Port) -> None:
    port.remember(3)
    assert port.hub.flow.refresh() is None
    assert port.api.call("GET", "/statistics/now", "sue").json()["forecast"] is None
    answer = port.api.call("GET", "/flow/plan", "sue")
    assert (answer.status_code, answer.json()["type"].endswith("no_forecast")) == (404, True)


def test_the_supervisors_page_gets_the_next_six_hours(port: Port) -> None:
    port.remember(6)
    assert port.hub.flow.refresh() is not None
    told = port.api.call("GET", "/statistics/now", "sue").json()["forecast"]
    assert (told["source"], len(told["hours"])) == ("history", 6)
    assert told["hours"][0]["at_ms"] == port.clock.utc_ms() // HOUR_MS * HOUR_MS
    assert all(hour["low"] <= hour["arrivals"] <= hour["high"] for hour in told["hours"])
    nine_ms = day_start_ms(port.today, OFFSET_MIN) + DAY_MS + 9 * HOUR_MS
    nine = port.hub.forecast.hours(nine_ms, 1)
    assert nine is not None
    usual = 160 if (port.today + timedelta(days=1)).weekday() == 4 else 80
    assert nine.hours[0].arrivals == pytest.approx(usual, rel=0.2)
    assert port.hub.forecast.hours(nine_ms + 30 * DAY_MS, 6) is None


def test_the_plan_begins_now_and_says_when_the_port_has_too_few_lanes(port: Port) -> None:
    port.remember(6)
    port.hub.flow.refresh()
    plan = port.api.call("GET", "/flow/plan?hours=24", "bo").json()
    assert len(plan["quarters"]) == 96
    assert plan["quarters"][0]["at_ms"] <= port.clock.utc_ms() < plan["quarters"][1]["at_ms"]
    assert {item["lanes"] for item in plan["quarters"]} == {1, 2}
    quiet = [item for item in plan["quarters"] if item["high"] == 0]
    assert quiet
    assert all(item["is_enough"] and item["lanes"] == 1 for item in quiet)
    assert port.api.call("GET", "/flow/plan", "ira").status_code == 403


def test_the_flight_information_system_tells_flights_and_changes_them(port: Port) -> None:
    at_ms = port.clock.utc_ms() + HOUR_MS
    said = {"flight": "TG1", "scheduled_ms": at_ms, "seats": 180}
    for changes in ({}, {"estimated_ms": at_ms + HOUR_MS}, {"estimated_ms": at_ms + HOUR_MS, "is_cancelled": True}):
        answer = port.api.call("POST", "/flow/flights", "ira", json=[said | changes])
        assert (answer.status_code, answer.json()) == (200, {"flights": 1})
    with port.hub.store.read() as connection:
        held = flights(connection, at_ms, at_ms + 1)
    assert [(item.flight, item.due_ms, item.is_cancelled) for item in held] == [("TG1", at_ms + HOUR_MS, True)]
    assert port.api.call("POST", "/flow/flights", "ann", json=[said]).status_code == 403
    assert port.api.call("POST", "/flow/flights", "ira", json=[said | {"seats": 0}]).status_code == 422


def test_days_that_are_over_are_counted_by_the_ports_clock_and_late_news_once_more(port: Port) -> None:
    start_ms = day_start_ms(port.today, OFFSET_MIN)
    add_cases(
        port.hub,
        opened_ms=[start_ms - 4 * DAY_MS, start_ms - DAY_MS, start_ms - DAY_MS + 1, start_ms - 1, start_ms],
        taken_ms=9,
    )
    add_cases(port.hub, opened_ms=[start_ms - 5], taken_ms=9, lane="parcels")
    for extra in ([], [start_ms - 2 * DAY_MS]):  # a lane that had lost its hub
        add_cases(port.hub, opened_ms=extra, taken_ms=8, lane="lane-2") if extra else None
        with port.hub.store.write() as connection:
            count_days(connection, port.hub.site, port.clock.utc_ms())
            known = history(connection, port.today)
            assert known is not None
            assert known.first_day == port.today - timedelta(days=3)  # the first day is seldom whole
            assert known.counts.sum(axis=1).tolist() == [0, len(extra), 3]
            assert (known.counts[2, 0], known.counts[2, 95]) == (2, 1)
    with port.hub.store.read() as connection:
        assert set(connection.scalars(select(FLOW_DAYS.c.source))) == {"cases"}


def test_times_are_measured_when_there_are_enough_and_planned_until_then(port: Port) -> None:
    now_ms = port.clock.utc_ms()
    with port.hub.store.read() as connection:
        assert measured_times(connection, port.hub.site, now_ms) == ServiceTimes(crossing_s=20)
    moments = [now_ms - DAY_MS + number for number in range(270)]
    add_cases(port.hub, opened_ms=moments, taken_ms=15_000)
    add_cases(port.hub, opened_ms=moments[:30], taken_ms=60_000, was_referred=True)
    with port.hub.store.read() as connection:
        got = measured_times(connection, port.hub.site, now_ms)
    assert (got.crossing_s, got.referral_ratio, got.officer_s) == pytest.approx((15, 0.1, 45))
    assert got.crossing_cv == pytest.approx(0, abs=1e-3)


def test_everybody_may_read_service_times_and_nobody_is_in_them(port: Port) -> None:
    until_ms = port.clock.utc_ms() // DAY_MS * DAY_MS
    add_cases(port.hub, opened_ms=[until_ms - DAY_MS + number for number in range(19)], taken_ms=30_000)
    told = port.api.call("GET", "/flow/service-times", None).json()
    assert (told["crossings"], told["kept_ratio"], told["service_ms_p95"]) == (0, None, None)
    port.clock.advance_ms(DAY_MS)
    add_cases(port.hub, opened_ms=[until_ms + 7], taken_ms=90_000)
    told = port.api.call("GET", "/flow/service-times", None).json()
    assert (told["crossings"], told["kept_ratio"]) == (20, 0.95)
    assert (told["service_ms_p50"], told["service_ms_p95"], told["promised_ms"]) == (30_000, 30_000, 60_000)


def test_hits_and_looks_are_counted_for_each_agency_and_lane(port: Port) -> None:
    lane = FakeLane(port.clock, "lane-1")
    begin_ms = port.clock.utc_ms()
    for case_id, kind in (("a", VerdictKind.INSPECT), ("b", VerdictKind.RELEASED_BY_OFFICER)):
        said = [lane.start(case_id), lane.record(finding("customs.declared", "customs"))]
        port.hub.take_in([*said, lane.decide("refer", ("customs.declared",), ("customs",))])
        digest = lane.evidence.digest()
        taken = port.hub.give_verdict(
            case_id=case_id, role="customs", kind=kind, digest=digest, author="ann", reason="x"
        )
        assert taken is None
        port.clock.advance_ms(1_000)
        port.hub.take_in([lane.end("cleared")])
    query = f"from_ms={begin_ms}&until_ms={port.clock.utc_ms() + 1}"
    told = port.api.call("GET", f"/flow/agencies?{query}", "sue").json()
    customs = next(item for item in told["by_role"] if item["role"] == "customs")
    assert customs == {"role": "customs", "looked": 2, "hits": 1, "hit_ratio": 0.5}
    row = told["by_lane"][0]
    assert (row["lane"], row["crossings"], row["referred"], row["opened"], row["hit_ratio"]) == ("lane-1", 2, 2, 1, 0.5)
    assert (row["scanned"], row["non_intrusive_ratio"]) == (0, None)
    assert port.api.call("GET", "/flow/agencies?from_ms=5&until_ms=5", "sue").status_code == 422
    assert port.api.call("GET", f"/flow/agencies?{query}", "ira").status_code == 403


def test_files_of_other_systems_are_read_or_named_by_line() -> None:
    rows = read_flights("flight,scheduled,seats,cancelled\nca12,2026-03-01T08:00,180,1\n", OFFSET_MIN)
    assert rows[0]["scheduled_ms"] == day_start_ms(date(2026, 3, 1), OFFSET_MIN) + 8 * HOUR_MS
    assert (rows[0]["flight"], rows[0]["is_cancelled"], rows[0]["estimated_ms"]) == ("CA12", True, None)
    days = read_history("at,arrivals\n2026-03-01T08:15,42\n2026-03-03T00:00+08:00,7\n", OFFSET_MIN)
    assert (days.first_day, days.counts.sum(axis=1).tolist(), days.counts[0, 33]) == (date(2026, 3, 1), [42, 0, 7], 42)
    for text, said in (
        ("flight,scheduled\n", "seats"),
        ("flight,scheduled,seats\nX,yesterday,180\n", "line 2"),
        ("flight,scheduled,seats\nX,2026-03-01T08:00,0\n", "line 2"),
    ):
        with pytest.raises(HubError, match=said):
            read_flights(text, OFFSET_MIN)
    for text, said in (
        ("at,arrivals\n", "no lines"),
        ("at,arrivals\n2026-03-01T08:15,-1\n", "line 2"),
        ("at\n", "arrivals"),
    ):
        with pytest.raises(HubError, match=said):
            read_history(text, OFFSET_MIN)
