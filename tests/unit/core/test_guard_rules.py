"""The guard at its edges: what it permits, what a stay is, when a door counts as shut, how old is too old."""

from dataclasses import replace

import pytest
from core_kit import LANE, Hub

from gate.core.clock import ManualClock
from gate.core.effects import Purpose
from gate.core.guard import RELEASE_MAX_LIFE_NS, RELEASES_REMEMBERED, Guard, Permitted, Rule, SensorFacts, Vetoed
from gate.core.release import VerifiedEvacuation, VerifiedRelease
from gate.wire.messages import Act

MAX_AGE_NS = 400_000_000
EMPTY = SensorFacts(
    observed_ns=0,
    is_entry_shut=True,
    is_exit_shut=True,
    person_count=0,
    is_fire=False,
    is_estop_pressed=False,
    is_board_holding=False,
)
ONE = replace(EMPTY, person_count=1)
ENTRY_OPEN = replace(EMPTY, is_entry_shut=False)
EXIT_OPEN = replace(EMPTY, is_exit_shut=False)
YES = Permitted()


class Bench:
    def __init__(self) -> None:
        self.clock = ManualClock()
        self.spent: list[str] = []
        self.guard = Guard(
            lane=LANE,
            boot_id="boot",
            clock=self.clock,
            sensor_max_age_ns=MAX_AGE_NS,
            is_spent=lambda release_id: release_id in self.spent,
            spend=self.spent.append,
        )
        self.hub = Hub(self.clock)

    def see(self, *reports: SensorFacts) -> None:
        for facts in reports:
            self.clock.advance_ms(1)
            self.guard.observe(replace(facts, observed_ns=self.clock.monotonic_ns()))

    def one_inside(self) -> None:
        self.see(ENTRY_OPEN, ONE)
        self.guard.observe_camera(1)

    def release(self, **changes: object) -> VerifiedRelease:
        return self.hub.release(**{"occupancy_id": self.guard.occupancy_id, **changes})

    def order(self, address: str = LANE) -> VerifiedEvacuation:
        evacuation = Hub(self.clock, address).verified(Act.EVACUATE).evacuation
        assert evacuation is not None
        return evacuation


@pytest.fixture
def bench() -> Bench:
    return Bench()


def test_before_any_report_nothing_opens(bench: Bench) -> None:
    stale = Vetoed(rule=Rule.SENSORS_STALE)
    assert bench.guard.may_open_entry(Purpose.ADMIT) == stale
    assert bench.guard.may_open_entry(Purpose.WAY_BACK) == stale
    assert bench.guard.may_open_exit(bench.release(occupancy_id="boot-0")) == stale
    assert bench.guard.may_free_egress() == Vetoed(rule=Rule.NO_EMERGENCY)
    assert bench.guard.occupancy_id is None


def test_an_empty_lane_admits_and_one_person_with_a_release_leaves(bench: Bench) -> None:
    bench.see(EMPTY)
    assert bench.guard.may_open_entry(Purpose.ADMIT) == YES
    bench.see(ENTRY_OPEN)
    bench.guard.note_entry_closing()
    bench.see(ONE)
    bench.guard.observe_camera(1)
    release = bench.release()
    assert bench.guard.may_open_exit(release) == YES
    assert bench.spent == [release.release_id]


def test_a_report_is_good_for_its_time_and_not_longer(bench: Bench) -> None:
    bench.see(EMPTY)
    bench.clock.advance_ms(400)
    assert bench.guard.may_open_entry(Purpose.ADMIT) == YES
    other = Bench()
    other.see(EMPTY)
    other.clock.advance_ms(401)
    assert other.guard.may_open_entry(Purpose.ADMIT) == Vetoed(rule=Rule.SENSORS_STALE)


def test_a_report_from_the_future_is_not_believed(bench: Bench) -> None:
    bench.guard.observe(replace(EMPTY, observed_ns=bench.clock.monotonic_ns() + 1))
    assert bench.guard.may_open_entry(Purpose.ADMIT) == Vetoed(rule=Rule.SENSORS_STALE)
    bench.guard.observe(replace(EMPTY, observed_ns=bench.clock.monotonic_ns()))
    assert bench.guard.may_open_entry(Purpose.ADMIT) == YES


@pytest.mark.parametrize("purpose", Purpose)
@pytest.mark.parametrize(
    ("facts", "rule"),
    [
        ({"is_board_holding": True}, Rule.BOARD_HOLDS),
        ({"is_estop_pressed": True}, Rule.EMERGENCY_STOP),
        ({"is_exit_shut": False}, Rule.EXIT_NOT_SHUT),
    ],
)
def test_what_keeps_the_entry_shut_for_whatever_purpose(
    bench: Bench, purpose: Purpose, facts: dict[str, bool], rule: Rule
) -> None:
    bench.see(replace(EMPTY, **facts))  # type: ignore[arg-type]
    assert bench.guard.may_open_entry(purpose) == Vetoed(rule=rule)
    bench.see(EMPTY)
    assert bench.guard.may_open_entry(purpose) == YES, "a veto leaves nothing behind"


@pytest.mark.parametrize("count", [None, 1, 2])
def test_the_way_back_opens_whoever_is_inside_but_nobody_else_is_admitted(bench: Bench, count: int | None) -> None:
    bench.see(replace(EMPTY, person_count=count))
    assert bench.guard.may_open_entry(Purpose.ADMIT) == Vetoed(rule=Rule.LANE_NOT_EMPTY)
    assert bench.guard.may_open_entry(Purpose.WAY_BACK) == YES


def test_the_entry_may_be_told_twice(bench: Bench) -> None:
    bench.see(EMPTY)
    assert [bench.guard.may_open_entry(Purpose.ADMIT) for _ in range(2)] == [YES, YES]


@pytest.mark.parametrize(
    ("facts", "rule"),
    [
        ({"is_board_holding": True}, Rule.BOARD_HOLDS),
        ({"is_estop_pressed": True}, Rule.EMERGENCY_STOP),
        ({"is_entry_shut": False}, Rule.ENTRY_NOT_SHUT),
        ({"person_count": 0}, Rule.NOT_EXACTLY_ONE),
        ({"person_count": 2}, Rule.NOT_EXACTLY_ONE),
        ({"person_count": None}, Rule.NOT_EXACTLY_ONE),
    ],
)
def test_what_keeps_the_exit_shut(bench: Bench, facts: dict[str, object], rule: Rule) -> None:
    bench.one_inside()
    release = bench.release()
    bench.see(replace(ONE, **facts))  # type: ignore[arg-type]
    assert bench.guard.may_open_exit(release) == Vetoed(rule=rule)
    assert bench.spent == [], "what was vetoed is not spent"


@pytest.mark.parametrize("frames", [[], [0], [2], [1, 2, 1], [2, 1], [3, 1]])
def test_the_camera_must_have_seen_one_and_never_more(bench: Bench, frames: list[int]) -> None:
    bench.see(ENTRY_OPEN, ONE)
    for count in frames:
        bench.guard.observe_camera(count)
    assert bench.guard.may_open_exit(bench.release()) == Vetoed(rule=Rule.CAMERA_DISAGREES)


def test_a_frame_without_anybody_takes_nothing_back(bench: Bench) -> None:
    bench.one_inside()
    bench.guard.observe_camera(0)
    assert bench.guard.may_open_exit(bench.release()) == YES


def test_what_the_camera_saw_of_the_last_stay_is_forgotten(bench: Bench) -> None:
    bench.one_inside()
    bench.guard.observe_camera(2)
    bench.see(ENTRY_OPEN, ONE)
    assert bench.guard.may_open_exit(bench.release()) == Vetoed(rule=Rule.CAMERA_DISAGREES)
    bench.guard.observe_camera(1)
    assert bench.guard.may_open_exit(bench.release()) == YES


# -- stays -----------------------------------------------------------------------------------------------------------------


def test_a_stay_begins_with_both_doors_shut_on_somebody_and_ends_with_either_door(bench: Bench) -> None:
    names = []
    for reports in (
        (EMPTY,),
        (ONE,),
        (EMPTY,),
        (ENTRY_OPEN,),
        (ONE,),
        (EXIT_OPEN,),
        (EMPTY,),
        (replace(EMPTY, person_count=None),),
    ):
        bench.see(*reports)
        names.append(bench.guard.occupancy_id)
    assert names == [None, "boot-1", "boot-1", None, "boot-2", None, None, "boot-3"]


def test_nobody_counted_with_a_door_open_is_a_stay(bench: Bench) -> None:
    bench.see(replace(ENTRY_OPEN, person_count=1))
    assert bench.guard.occupancy_id is None
    bench.see(replace(EXIT_OPEN, person_count=1))
    assert bench.guard.occupancy_id is None


def test_a_release_is_for_its_stay_its_lane_and_its_time(bench: Bench) -> None:
    bench.one_inside()
    earlier = bench.release()
    bench.one_inside()
    assert bench.guard.may_open_exit(earlier) == Vetoed(rule=Rule.RELEASE_OTHER_STAY)
    elsewhere = Hub(bench.clock, "port/lane-2").release(occupancy_id=bench.guard.occupancy_id)
    assert bench.guard.may_open_exit(elsewhere) == Vetoed(rule=Rule.RELEASE_FOREIGN)
    spent = bench.release()
    bench.spent.append(spent.release_id)
    assert bench.guard.may_open_exit(spent) == Vetoed(rule=Rule.RELEASE_SPENT)
    assert bench.guard.may_open_exit(bench.release()) == YES


@pytest.mark.parametrize(("ms", "answer"), [(9_999, YES), (10_000, Vetoed(rule=Rule.RELEASE_EXPIRED))])
def test_a_release_ends_at_its_hour(bench: Bench, ms: int, answer: Permitted | Vetoed) -> None:
    bench.one_inside()
    release = bench.release()
    bench.clock.jump_utc_ms(ms)
    assert bench.guard.may_open_exit(release) == answer


@pytest.mark.parametrize("is_shown", [True, False])
def test_a_clock_that_is_set_back_does_not_lengthen_a_release(bench: Bench, is_shown: bool) -> None:
    """The life runs from the first sight, by a clock that nobody sets."""
    assert RELEASE_MAX_LIFE_NS == 60_000_000_000
    bench.one_inside()
    release = bench.release()
    if is_shown:
        bench.guard.see_release(release)
    bench.clock.advance_ms(60_000)
    bench.clock.jump_utc_ms(-60_000)
    bench.see(ONE)
    expired = Vetoed(rule=Rule.RELEASE_EXPIRED)
    assert bench.guard.may_open_exit(release) == (expired if is_shown else YES)


def test_a_release_just_within_its_life_is_good(bench: Bench) -> None:
    bench.one_inside()
    release = bench.release()
    bench.guard.see_release(release)
    bench.clock.advance_ms(59_998)
    bench.clock.jump_utc_ms(-59_998)
    bench.see(ONE, ONE)
    assert bench.guard.may_open_exit(release) == Vetoed(rule=Rule.RELEASE_EXPIRED), "a minute to the nanosecond"
    other = Bench()
    other.one_inside()
    release = other.release()
    other.guard.see_release(release)
    other.clock.advance_ms(59_998)
    other.clock.jump_utc_ms(-59_998)
    other.see(ONE)
    assert other.guard.may_open_exit(release) == YES


def test_the_guard_remembers_the_newest_releases(bench: Bench) -> None:
    bench.one_inside()
    first, second = bench.release(), bench.release()
    bench.guard.see_release(first)
    bench.guard.see_release(second)
    for _ in range(RELEASES_REMEMBERED - 1):
        bench.guard.see_release(bench.release())
    bench.clock.advance_ms(60_000)
    bench.clock.jump_utc_ms(-60_000)
    bench.see(ONE)
    assert bench.guard.may_open_exit(second) == Vetoed(rule=Rule.RELEASE_EXPIRED)
    assert bench.guard.may_open_exit(first) == YES, "the 65th pushed out the first; its own expiry still holds"


def test_a_release_that_cannot_be_recorded_as_spent_opens_nothing() -> None:
    bench = Bench()
    bench.one_inside()

    def full(_release_id: str) -> None:
        raise OSError("disk full")

    guard = bench.guard
    guard._spend = full
    with pytest.raises(OSError, match="disk full"):
        guard.may_open_exit(bench.release())
    assert guard.may_open_entry(Purpose.WAY_BACK) == YES, "the exit was never wanted open"


# -- a door that was told to open is not shut until it was told to shut and then seen shut ----------------------------------


def test_a_door_told_to_open_counts_as_open_whatever_the_next_report_says(bench: Bench) -> None:
    bench.one_inside()
    assert bench.guard.may_open_entry(Purpose.WAY_BACK) == YES
    bench.see(ONE, ONE)
    assert bench.guard.may_open_exit(bench.release()) == Vetoed(rule=Rule.ENTRY_NOT_SHUT)
    bench.guard.note_entry_closing()
    assert bench.guard.may_open_exit(bench.release()) == Vetoed(rule=Rule.ENTRY_NOT_SHUT), "no report since"
    bench.see(ENTRY_OPEN)
    bench.one_inside()
    assert bench.guard.may_open_exit(bench.release()) == YES


def test_the_same_for_the_exit(bench: Bench) -> None:
    bench.one_inside()
    assert bench.guard.may_open_exit(bench.release()) == YES
    bench.see(ONE)
    assert bench.guard.may_open_entry(Purpose.WAY_BACK) == Vetoed(rule=Rule.EXIT_NOT_SHUT)
    bench.guard.note_exit_closing()
    assert bench.guard.may_open_entry(Purpose.WAY_BACK) == Vetoed(rule=Rule.EXIT_NOT_SHUT)
    bench.see(EXIT_OPEN)
    assert bench.guard.may_open_entry(Purpose.WAY_BACK) == Vetoed(rule=Rule.EXIT_NOT_SHUT)
    bench.see(EMPTY)
    assert bench.guard.may_open_entry(Purpose.ADMIT) == YES


@pytest.mark.parametrize("door", ["entry", "exit"])
def test_a_report_of_the_very_moment_of_the_answer_came_after_it(bench: Bench, door: str) -> None:
    bench.one_inside()
    if door == "entry":
        assert bench.guard.may_open_entry(Purpose.WAY_BACK) == YES
        bench.guard.note_entry_closing()
    else:
        assert bench.guard.may_open_exit(bench.release()) == YES
        bench.guard.note_exit_closing()
    now_ns = bench.clock.monotonic_ns()
    bench.guard.observe(replace(ONE, observed_ns=now_ns - 1))
    shut_ = bench.guard._is_entry_surely_shut if door == "entry" else bench.guard._is_exit_surely_shut
    assert not shut_()
    bench.guard.observe(replace(ONE, observed_ns=now_ns))
    assert shut_()


@pytest.mark.parametrize("door", ["entry", "exit"])
def test_an_order_to_shut_from_before_does_not_count_for_a_later_opening(bench: Bench, door: str) -> None:
    bench.guard.note_entry_closing()
    bench.guard.note_exit_closing()
    bench.one_inside()
    if door == "entry":
        assert bench.guard.may_open_entry(Purpose.WAY_BACK) == YES
        bench.see(ONE)
        assert bench.guard.may_open_exit(bench.release()) == Vetoed(rule=Rule.ENTRY_NOT_SHUT)
    else:
        assert bench.guard.may_open_exit(bench.release()) == YES
        bench.see(ONE)
        assert bench.guard.may_open_entry(Purpose.WAY_BACK) == Vetoed(rule=Rule.EXIT_NOT_SHUT)


# -- egress ----------------------------------------------------------------------------------------------------------------


def test_fire_frees_egress_as_long_as_the_board_reports_it_whatever_else(bench: Bench) -> None:
    bench.see(replace(ONE, is_fire=True, is_board_holding=True))
    bench.clock.advance_ms(5_000)
    assert bench.guard.may_free_egress() == YES
    bench.see(ONE)
    assert bench.guard.may_free_egress() == Vetoed(rule=Rule.NO_EMERGENCY)


def test_an_order_frees_egress_until_it_is_ended_even_without_a_board(bench: Bench) -> None:
    bench.guard.order_evacuation(bench.order())
    assert bench.guard.may_free_egress() == YES
    bench.guard.end_evacuation()
    assert bench.guard.may_free_egress() == Vetoed(rule=Rule.NO_EMERGENCY)


def test_an_order_for_another_lane_is_a_bug(bench: Bench) -> None:
    with pytest.raises(PermissionError, match=r"port/lane-2.*port/lane-1"):
        bench.guard.order_evacuation(bench.order("port/lane-2"))
    assert bench.guard.may_free_egress() == Vetoed(rule=Rule.NO_EMERGENCY)


def test_after_an_evacuation_both_doors_must_be_told_to_shut_and_seen_shut(bench: Bench) -> None:
    bench.guard.note_entry_closing()
    bench.guard.note_exit_closing()
    bench.guard.order_evacuation(bench.order())
    assert bench.guard.may_free_egress() == YES
    bench.guard.end_evacuation()
    bench.one_inside()
    assert bench.guard.may_open_entry(Purpose.WAY_BACK) == Vetoed(rule=Rule.EXIT_NOT_SHUT)
    assert bench.guard.may_open_exit(bench.release()) == Vetoed(rule=Rule.ENTRY_NOT_SHUT)
    bench.guard.note_entry_closing()
    bench.one_inside()
    assert bench.guard.may_open_entry(Purpose.WAY_BACK) == Vetoed(rule=Rule.EXIT_NOT_SHUT)
    assert bench.guard.may_open_exit(bench.release()) == YES
    bench.guard.note_exit_closing()
    bench.see(EMPTY)
    assert bench.guard.may_open_entry(Purpose.ADMIT) == YES
