"""Codes beside the document: gathered from frames, judged with the page, recorded without a word of them in clear."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import zxingcpp
from lane_kit import document, make_casework
from numpy.typing import NDArray

from drivers.codes.zxing import ZxingReader
from gate.core.clock import ManualClock
from gate.core.evidence import Outcome
from gate.core.travel_findings import CodeRule, HealthFacts, HealthVerdict, PassFacts, TravelPolicy
from gate.lane.casework import Casework, Surroundings
from gate.lane.sightings import CodesSeen, FaceOutcome, PrivateDocument
from gate.lane.store import LaneStore, OutboxRow
from gate.lane.travel_codes import KEEP_NS, LOOK_NS, TravelCodes

REQUIRED = TravelPolicy(boarding_pass=CodeRule.REQUIRE, health_code=CodeRule.REQUIRE)
SEEN_NOTHING = CodesSeen(ticket=1, boarding_pass=None, health=None)


def holder() -> PrivateDocument:
    found = document().private
    assert found is not None
    return found


def pass_text(clock: ManualClock, name: str = "ERIKSSON/ANNA") -> str:
    today = datetime.fromtimestamp(clock.utc_ms() / 1000, tz=UTC).timetuple().tm_yday
    return f"M1{name:20}EABC123 YULFRAAC 0834 {today:03d}J001A0025 100"


def frame(*texts: str) -> NDArray[np.uint8]:
    """A glass with these codes on it, as a camera sees them."""
    seen = np.full((700, 1000, 3), 215, np.uint8)
    for number, text in enumerate(texts):
        code = np.array(zxingcpp.create_barcode(text, zxingcpp.BarcodeFormat.PDF417).to_image(scale=2))
        top = 40 + number * 330
        seen[top : top + code.shape[0], 40 : 40 + code.shape[1]] = code[:, :, None]
    return np.asarray(cv2.GaussianBlur(seen, (3, 3), 0), dtype=np.uint8)


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def codes(clock: ManualClock) -> TravelCodes:
    return TravelCodes(ZxingReader(), keys={}, clock=clock)


def test_a_pass_that_lay_there_before_the_page_is_the_travellers(codes: TravelCodes, clock: ManualClock) -> None:
    assert codes.look(frame(pass_text(clock)), is_due=True)
    clock.advance_ms(4_000)
    assert not codes.look(frame(), is_due=True)
    found = codes.take(holder())
    assert found.boarding_pass == PassFacts(name_ratio=1.0, days_off=0)
    assert found.health is None
    assert found.record is not None
    assert json.loads(found.record)["codes"] == [pass_text(clock)]
    assert "ERIKSSON" not in repr(found)
    assert codes.take(holder()).boarding_pass is None, "the next document is another's"


def test_what_was_seen_long_ago_is_nobodys(codes: TravelCodes, clock: ManualClock) -> None:
    codes.look(frame(pass_text(clock)), is_due=True)
    before = codes.has_fresh
    clock.advance_ms(KEEP_NS // 1_000_000 + 1)
    assert (before, codes.has_fresh) == (True, False)
    assert codes.take(holder()).boarding_pass is None


def test_frames_are_looked_at_now_and_then(codes: TravelCodes, clock: ManualClock) -> None:
    shown = frame(pass_text(clock))
    assert codes.look(shown, is_due=True)
    assert not codes.look(shown), "not every frame is worth 15 ms"
    clock.advance_ms(LOOK_NS // 1_000_000)
    assert codes.look(shown)


def test_an_advertisement_is_no_code(codes: TravelCodes) -> None:
    assert not codes.look(frame("https://example.org/offers"), is_due=True)


class Case:
    """A casework with a crossing, and what it recorded."""

    def __init__(self, folder: Path, travel: TravelPolicy) -> None:
        clock = ManualClock()
        self.rows: list[OutboxRow] = []
        self.posted: list[Any] = []
        self.store = LaneStore(folder / "lane.sqlite", port="p", lane="lane-1", clock=clock)
        self.work: Casework = make_casework(
            self.store, clock, send=self.rows.extend, post=self.posted.append, travel=travel
        )
        self.work.begin()

    def judge_face(self) -> None:
        self.work.judge_face(
            FaceOutcome(
                ticket=1,
                score=0.9,
                threshold=0.4,
                hints=(),
                model_hash="ab" * 32,
                person_count=1,
                seen_ns=1,
                live_jpeg=None,
            ),
            Surroundings(occupancy_id="s", curtain_count=1, celsius=None),
        )

    def outcomes(self) -> dict[str, Outcome]:
        assert self.work.crossing is not None
        return {item.code: item.outcome for item in self.work.crossing.evidence.findings}


def test_what_is_asked_for_and_never_told_is_not_checked(tmp_path: Path) -> None:
    case = Case(tmp_path, REQUIRED)
    case.judge_face()
    assert case.outcomes()["travel.boarding_pass"] is Outcome.NOT_CHECKED
    assert case.outcomes()["health.declaration_code"] is Outcome.NOT_CHECKED
    assert type(case.posted[-1]).__name__ == "CrossingReferred"
    case.store.close()


def test_codes_that_are_good_stand_in_nobodys_way_and_travel_by_digest(tmp_path: Path) -> None:
    case = Case(tmp_path, REQUIRED)
    record = b'{"bag_tags":[],"codes":["M1ERIKSSON/ANNA"]}'
    good = PassFacts(name_ratio=1.0, days_off=0)
    healthy = HealthFacts(verdict=HealthVerdict.CLEAR)
    case.work.add_codes(CodesSeen(ticket=1, boarding_pass=good, health=healthy, record=record))
    case.judge_face()
    assert case.outcomes()["travel.boarding_pass"] is case.outcomes()["health.declaration_code"] is Outcome.PASS
    assert type(case.posted[-1]).__name__ == "CrossingCleared"
    assert [picture.data for picture in case.store.waiting_pictures()] == [record]
    assert "ERIKSSON" not in "".join(row.body for row in case.rows)
    case.store.close()


def test_codes_that_come_after_the_decision_reopen_it(tmp_path: Path) -> None:
    case = Case(tmp_path, TravelPolicy(health_code=CodeRule.COMPARE))
    case.judge_face()
    assert type(case.posted[-1]).__name__ == "CrossingCleared"
    declared = HealthFacts(verdict=HealthVerdict.DECLARED)
    case.work.add_codes(CodesSeen(ticket=1, boarding_pass=None, health=declared))
    assert type(case.posted[-1]).__name__ == "CrossingReferred"
    assert case.posted[-1].roles == ("quarantine",)
    case.store.close()


def test_a_site_that_does_not_ask_gets_no_finding(tmp_path: Path) -> None:
    case = Case(tmp_path, TravelPolicy())
    case.work.add_codes(SEEN_NOTHING)
    case.judge_face()
    assert not {"travel.boarding_pass", "health.declaration_code"} & case.outcomes().keys()
    case.store.close()
