"""Whose scan is it? By a tag or document scanned with the thing, else by lane and time. Pure.

The caller gives the stays it knows of, under keys of its own; nothing here knows what a case is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from drivers.xray.interface import TimeSource, XrayImage


class MatchBy(StrEnum):
    TAG = "tag"
    DOCUMENT = "document"
    LANE_AND_TIME = "lane_and_time"


@dataclass(frozen=True, slots=True, kw_only=True)
class Stay:
    """Somebody in a lane, from `began` until `ended` (None: still there), and what is known to be theirs."""

    key: str
    lane: str
    began: datetime
    ended: datetime | None = None
    bag_tags: frozenset[str] = frozenset()
    document: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Matched:
    key: str
    by: MatchBy


@dataclass(frozen=True, slots=True, kw_only=True)
class Unmatched:
    """An officer links it by hand; it is never given to the nearest."""

    reason: str


SLACK = timedelta(seconds=5)
"""A bag may enter the tunnel a little before its owner the lane, or leave it a little after."""


def match_scan(image: XrayImage, stays: Sequence[Stay], *, slack: timedelta = SLACK) -> Matched | Unmatched:
    """The one stay that the scan belongs to. What was scanned counts before time does; two candidates are none."""
    for by, keys in (
        (MatchBy.TAG, {stay.key for stay in stays if _has_tag(stay, image.bag_tag)}),
        (MatchBy.DOCUMENT, {stay.key for stay in stays if image.document and stay.document == image.document}),
    ):
        if len(keys) == 1:
            return Matched(key=keys.pop(), by=by)
        if keys:
            return Unmatched(reason=f"{len(keys)} stays have this {by}")
    if image.bag_tag is not None or image.document is not None:
        return Unmatched(reason="nobody has the tag or document that was scanned")
    if image.lane is None:
        return Unmatched(reason="the machine says neither lane nor tag")
    if image.time_source is TimeSource.FILE:
        return Unmatched(reason="the time of a file is too weak to tell two travellers apart")
    keys = {stay.key for stay in stays if stay.lane == image.lane and _covers(stay, image.taken_at, slack)}
    if len(keys) == 1:
        return Matched(key=keys.pop(), by=MatchBy.LANE_AND_TIME)
    return Unmatched(
        reason=f"{len(keys)} stays were in lane {image.lane} at that time" if keys else "nobody was in the lane then"
    )


def _has_tag(stay: Stay, tag: str | None) -> bool:
    """A licence plate has ten digits (IATA Resolution 740); a boarding pass adds three that say how many tags follow."""
    return tag is not None and any(
        known[:10] == tag[:10] if tag.isdecimal() else known == tag for known in stay.bag_tags
    )


def _covers(stay: Stay, moment: datetime, slack: timedelta) -> bool:
    return stay.began - slack <= moment and (stay.ended is None or moment <= stay.ended + slack)
