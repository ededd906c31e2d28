"""How many lanes and officers a quarter hour needs so that 95 of 100 travellers wait less than was promised.

A traveller waits for a lane, and one who is referred keeps the lane while waiting for an officer and while the officer looks. So
officers are planned first, for the referred; then lanes, for crossings that are longer by the officers' part. Travellers who are late at
either make the five of a hundred together. A forecast is not a number but several that may come true, and in the crowded ones more
travellers are late: late travellers are counted over all of them.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from gate.checks.flow.queueing import period_waiting
from gate.checks.flow.series import Scenario

QUARTER_S = 900.0
PROMISED = 0.95
LATE_AT_LANES = 0.03
"""Of all travellers; what is left of five in a hundred is for officers."""
MOST_LATE_AT_OFFICERS = 0.25
"""Of the referred, however few they are."""
MAX_OFFICERS = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceTimes:
    """Measured at the port, in seconds. ``crossing_cv``: standard deviation by mean. ``referral_ratio``: 0 to 1. ValueError otherwise."""

    crossing_s: float
    crossing_cv: float = 0.4
    referral_ratio: float = 0.1
    officer_s: float = 60.0

    def __post_init__(self) -> None:
        if self.crossing_s <= 0 or self.officer_s <= 0 or not 0 <= self.referral_ratio <= 1 or self.crossing_cv < 0:
            raise ValueError("times are longer than 0 s, a share lies from 0 to 1")


@dataclass(frozen=True, slots=True, kw_only=True)
class Staffing:
    """A quarter hour of the plan. ``late``: the share of travellers who are expected to wait longer for a lane than promised.

    ``is_enough`` is false when the port has not as many lanes as the promise needs; then ``lanes`` are all that it has.
    """

    arrivals: float
    lanes: int
    officers: int
    late: float
    is_enough: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class _Seen:
    late: float
    mean_s: float
    backlog: float


def plan_staffing(
    quarters: Sequence[Sequence[Scenario]], times: ServiceTimes, *, limit_s: float, lanes_available: int
) -> list[Staffing]:
    """The plan of quarter hours that follow each other; of each, what may come. What is left waiting is carried into the next.

    ValueError for a port without lanes.
    """
    if lanes_available < 1:
        raise ValueError("a port has a lane at least")
    plan: list[Staffing] = []
    left_at_lanes = left_at_officers = 0.0
    officers = lanes = 1
    for scenarios in quarters:
        desk = _Queue(scenarios, times.referral_ratio, times.officer_s, 1.0, limit_s / 2, left_at_officers)
        officers, at_officers = desk.fewest(officers, MAX_OFFICERS, _late_at_officers(times))
        held_s, variation = _lane_time(times, at_officers.mean_s)
        row = _Queue(scenarios, 1.0, held_s, (1 + variation) / 2, limit_s, left_at_lanes)
        lanes, at_lanes = row.fewest(lanes, lanes_available, LATE_AT_LANES)
        left_at_lanes, left_at_officers = at_lanes.backlog, at_officers.backlog
        plan.append(
            Staffing(
                arrivals=sum(item.arrivals * item.weight for item in scenarios),
                lanes=lanes,
                officers=officers,
                late=at_lanes.late,
                is_enough=at_lanes.late <= LATE_AT_LANES,
            )
        )
    return plan


@dataclass(frozen=True, slots=True)
class _Queue:
    scenarios: Sequence[Scenario]
    share: float
    service_s: float
    variability: float
    limit_s: float
    backlog: float

    def fewest(self, guess: int, most: int, target: float) -> tuple[int, _Seen]:
        """The fewest servers with which no more than ``target`` are late, or all there are. Looks around what was needed before."""
        servers = min(max(1, guess), most)
        seen = self._seen(servers)
        while seen.late > target and servers < most:
            servers += 1
            seen = self._seen(servers)
        while servers > 1 and (fewer := self._seen(servers - 1)).late <= target:
            servers, seen = servers - 1, fewer
        return servers, seen

    def _seen(self, servers: int) -> _Seen:
        coming = late = mean = backlog = 0.0
        for item in self.scenarios:
            count = item.arrivals * self.share
            one = period_waiting(
                count,
                QUARTER_S,
                servers=servers,
                service_s=self.service_s,
                limit_s=self.limit_s,
                backlog=self.backlog,
                variability=self.variability,
            )
            weight = item.weight * (count + self.backlog)
            coming += weight
            late += weight * one.late
            mean += weight * one.mean_s
            backlog += item.weight * one.backlog
        # So few that the next day begins with them are nobody.
        if coming < 1e-6:
            return _Seen(late=0.0, mean_s=0.0, backlog=0.0)
        return _Seen(late=late / coming, mean_s=mean / coming, backlog=backlog)


def _late_at_officers(times: ServiceTimes) -> float:
    if times.referral_ratio <= 0:
        return MOST_LATE_AT_OFFICERS
    return min(MOST_LATE_AT_OFFICERS, (1 - PROMISED - LATE_AT_LANES) / times.referral_ratio)


def _lane_time(times: ServiceTimes, officer_wait_s: float) -> tuple[float, float]:
    """Mean time that a traveller keeps a lane (s), and its squared coefficient of variation: a crossing, and for some an officer."""
    share = times.referral_ratio
    extra = times.officer_s + min(officer_wait_s, 10 * times.officer_s)
    mean = times.crossing_s + share * extra
    variance = (times.crossing_cv * times.crossing_s) ** 2 + share * 2 * extra**2 - (share * extra) ** 2
    return mean, variance / mean**2
