"""Whose scan it is: what was scanned before time, and never the nearest."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from drivers.xray import TimeSource, XrayImage, XrayView
from drivers.xray.matching import MatchBy, Matched, Stay, Unmatched, match_scan

NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


def at(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


def image(**said: object) -> XrayImage:
    view = XrayView(high=np.zeros((16, 16), np.uint8))
    known: dict[str, object] = {"taken_at": NOON, "time_source": TimeSource.MACHINE, "lane": "lane-1"} | said
    return XrayImage(image_id="0" * 64, views=(view,), machine="", **known)  # type: ignore[arg-type]


ANNA = Stay(
    key="anna", lane="lane-1", began=at(-10), ended=at(20), bag_tags=frozenset({"0014123456003"}), document="L1"
)
BEN = Stay(key="ben", lane="lane-1", began=at(40), bag_tags=frozenset({"0999"}), document="L2")
CARL = Stay(key="carl", lane="lane-2", began=at(-10))


@pytest.mark.parametrize(
    ("said", "key", "by"),
    [
        ({"bag_tag": "0014123456"}, "anna", MatchBy.TAG),
        ({"bag_tag": "0999", "taken_at": at(-500), "lane": None}, "ben", MatchBy.TAG),
        ({"document": "L2"}, "ben", MatchBy.DOCUMENT),
        ({}, "anna", MatchBy.LANE_AND_TIME),
        ({"lane": "lane-2"}, "carl", MatchBy.LANE_AND_TIME),
        ({"taken_at": at(24)}, "anna", MatchBy.LANE_AND_TIME),
        ({"taken_at": at(36)}, "ben", MatchBy.LANE_AND_TIME),
        ({"taken_at": at(4000)}, "ben", MatchBy.LANE_AND_TIME),
    ],
)
def test_scan_finds_its_stay(said: dict[str, object], key: str, by: MatchBy) -> None:
    assert match_scan(image(**said), [ANNA, BEN, CARL]) == Matched(key=key, by=by)


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ({"bag_tag": "7777777777"}, "nobody has the tag"),
        ({"lane": None}, "neither lane nor tag"),
        ({"time_source": TimeSource.FILE}, "too weak"),
        ({"taken_at": at(30)}, "nobody was in the lane"),
        ({"lane": "lane-3"}, "nobody was in the lane"),
    ],
)
def test_scan_without_an_owner_goes_to_an_officer(said: dict[str, object], why: str) -> None:
    found = match_scan(image(**said), [ANNA, BEN, CARL])
    assert isinstance(found, Unmatched)
    assert why in found.reason


def test_two_candidates_are_none() -> None:
    close = Stay(key="dora", lane="lane-1", began=at(22), bag_tags=frozenset({"0014123456"}))
    assert isinstance(match_scan(image(taken_at=at(21)), [ANNA, close]), Unmatched)
    assert isinstance(match_scan(image(bag_tag="0014123456"), [ANNA, close]), Unmatched)
