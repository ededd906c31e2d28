"""From the board's reports to events: edges once, company only when it stays, a bag is not a person, silence forgets."""

from dataclasses import replace

import pytest

from drivers.lane_io.interface import DoorPosition, LaneSensors, SafetyDevice, SelfTestState
from gate.core import events as on
from gate.lane import sensing

INSIDE = 0b0000_1111_1100
"""Twelve beams: two before the entry, eight inside, two behind the exit."""
MIDDLE = 0b0000_0011_0000
AT_ENTRY = 0b0000_0000_0100
MS = 1_000_000


def report(at_ms: int = 1000, **changes: object) -> LaneSensors:
    """An empty lane with both doors shut and locked."""
    calm = LaneSensors(
        received_ns=at_ms * MS,
        sequence=1,
        board_uptime_ms=at_ms,
        boot_id=7,
        entry=DoorPosition.CLOSED,
        exit=DoorPosition.CLOSED,
        is_entry_locked=True,
        is_exit_locked=True,
        beams=0,
        beam_count=12,
        person_count=0,
        is_estop_pressed=False,
        is_fire=False,
        is_power_failed=False,
        is_watchdog_tripped=False,
        exit_token=None,
        inside_mask=INSIDE,
    )
    return replace(calm, **changes)  # type: ignore[arg-type]


def events(*reports: LaneSensors) -> list[on.Event]:
    """What the last of the reports makes."""
    sense = sensing.Sensing()
    made: list[on.Event] = []
    for item in reports:
        made = sense.observe(item)
    return made


def test_a_calm_lane_makes_no_events() -> None:
    assert events(report()) == []
    assert events(report(), report(1100)) == []


def test_a_door_that_becomes_shut_is_told_once_and_only_when_locked() -> None:
    opened = report(entry=DoorPosition.OPEN, is_entry_locked=False)
    closed = report(1100, is_entry_locked=False)
    locked = report(1200, person_count=1, beams=MIDDLE)
    assert events(opened, closed) == []
    assert events(opened, closed, locked) == [on.PersonEntered(person_count=1), on.EntryShut(person_count=1)]
    assert events(opened, closed, locked, replace(locked, received_ns=1300 * MS)) == []
    assert events(report(exit=DoorPosition.OPEN, is_exit_locked=False), report(1100)) == [on.ExitShut(person_count=0)]


def test_the_first_report_makes_no_edges_of_doors() -> None:
    """Boot and reconnection: what is found is looked at, it did not happen now."""
    assert events(report()) == []
    sense = sensing.Sensing()
    sense.observe(report(exit=DoorPosition.OPEN, is_exit_locked=False))
    sense.forget()
    assert sense.last is None
    assert sense.observe(report(1100)) == []


def test_somebody_has_entered_when_the_doorway_is_free_again() -> None:
    in_the_door = report(beams=AT_ENTRY, person_count=1)
    assert events(report(), in_the_door) == []
    assert events(report(), in_the_door, report(1100, beams=MIDDLE, person_count=1)) == [
        on.PersonEntered(person_count=1)
    ]


def test_somebody_has_left_when_nobody_is_counted_and_the_doorway_is_free() -> None:
    inside = report(beams=MIDDLE, person_count=1)
    in_the_exit = report(1100, beams=0b0100_0000_0000, person_count=0)
    assert events(inside, in_the_exit) == []
    assert events(inside, in_the_exit, report(1200)) == [on.PersonLeft()]


def test_a_count_that_is_unknown_is_neither_entered_nor_left() -> None:
    unknown = report(1100, beams=MIDDLE, person_count=None)
    assert events(report(), unknown) == []
    assert events(report(beams=MIDDLE, person_count=1), unknown) == []


def company(at_ms: int, count: int = 2) -> LaneSensors:
    return report(at_ms, beams=MIDDLE, person_count=count)


def test_company_counts_when_it_stays() -> None:
    told = on.CompanyDetected(person_count=2)
    assert told not in events(report(), company(1100))
    assert told not in events(report(), company(1100), company(1399))
    assert events(report(), company(1100), company(1400)) == [told]
    assert events(report(), company(1100), company(1400), company(1500)) == [], "told once"


def test_company_for_a_moment_is_somebody_who_walks_away_from_a_bag() -> None:
    for other in (report(1250, beams=MIDDLE, person_count=1), report(1250, beams=MIDDLE, person_count=None)):
        made = events(report(), company(1100), other, company(1300), company(1450))
        assert on.CompanyDetected(person_count=2) not in made


def test_company_that_comes_again_is_told_again() -> None:
    one = report(1500, beams=MIDDLE, person_count=1)
    made = events(report(), company(1100), company(1400), one, company(1600), company(1900, 3))
    assert made == [on.CompanyDetected(person_count=3)]


def test_a_lost_link_starts_the_count_of_company_anew() -> None:
    sense = sensing.Sensing()
    sense.observe(company(1100))
    sense.forget()
    assert on.CompanyDetected(person_count=2) not in sense.observe(company(5000))


@pytest.mark.parametrize(
    ("changes", "device"),
    [
        ({"is_estop_pressed": True}, "emergency_stop"),
        ({"is_power_failed": True}, "power"),
        ({"entry": DoorPosition.JAMMED}, "entry_door"),
        ({"exit": DoorPosition.JAMMED}, "exit_door"),
        ({"is_holding": True}, "board"),
    ],
)
def test_what_the_board_says_is_wrong_fails_and_recovers_once(changes: dict[str, object], device: str) -> None:
    wrong = report(1100, **changes)
    failed = on.DeviceFailed(device=device, reason="reported_by_board")
    assert failed in events(report(), wrong)
    assert events(wrong)[0] == failed, "at the first report too"
    assert failed not in events(report(), wrong, replace(wrong, received_ns=1200 * MS))
    assert on.DeviceRecovered(device=device) in events(report(), wrong, report(1200))


def test_fire_is_fire_even_at_the_first_report_and_no_fault_of_the_board() -> None:
    burning = report(is_fire=True, is_holding=True)
    assert events(burning) == [on.FireRaised()]
    assert on.FireCleared() in events(burning, report(1100))
    assert events(burning, replace(burning, received_ns=1100 * MS)) == []


def test_an_evacuation_from_before_is_ordered_again_at_the_first_report_and_only_there() -> None:
    evacuating = report(is_evacuating=True)
    assert events(evacuating) == [on.EvacuationOrdered(by="board")]
    assert events(evacuating, report(2000, is_evacuating=True)) == []
    assert events(report(), report(2000, is_evacuating=True)) == []


def test_a_forced_door_is_told_with_its_name() -> None:
    forced = report(1100, entry=DoorPosition.FORCED)
    assert on.DoorForced(door="entry") in events(report(), forced)
    assert on.DoorForced(door="exit") in events(report(), report(1100, exit=DoorPosition.FORCED))
    assert on.DoorForced(door="entry") not in events(report(), forced, replace(forced, received_ns=1200 * MS))


def test_an_empty_lane_is_found_empty() -> None:
    assert sensing.lane_check(report()) == on.LaneFoundEmpty()


def test_an_empty_lane_with_a_door_open_is_not_ready_but_left() -> None:
    assert sensing.lane_check(report(exit=DoorPosition.CLOSING, is_exit_locked=False)) == on.PersonLeft()
    assert sensing.lane_check(report(is_entry_locked=False)) == on.PersonLeft()


def test_a_thing_is_not_a_person() -> None:
    found = sensing.lane_check(report(beams=MIDDLE))
    assert found == on.LaneFoundOccupied(person_count=0, reason="left_object")


@pytest.mark.parametrize(("count", "reason"), [(1, "person_inside"), (2, "person_inside"), (None, "count_unknown")])
def test_somebody_is_found_and_what_cannot_be_told_is_somebody(count: int | None, reason: str) -> None:
    found = sensing.lane_check(report(beams=MIDDLE, person_count=count))
    assert found == on.LaneFoundOccupied(person_count=count, reason=reason)


def test_a_beam_broken_outside_is_not_inside() -> None:
    assert sensing.lane_check(report(beams=0b11)) == on.LaneFoundEmpty()


def test_a_board_that_nobody_spoke_to_may_be_taken_over() -> None:
    assert sensing.is_held_by_silence_only(report(is_watchdog_tripped=True, is_holding=True))
    assert not sensing.is_held_by_silence_only(report(is_holding=True))


@pytest.mark.parametrize(
    "changes",
    [
        {"is_estop_pressed": True},
        {"is_fire": True},
        {"is_power_failed": True},
        {"is_evacuating": True},
        {"entry": DoorPosition.JAMMED},
        {"exit": DoorPosition.FORCED},
    ],
)
def test_a_board_that_holds_for_any_other_cause_is_left_to_an_officer(changes: dict[str, object]) -> None:
    assert not sensing.is_held_by_silence_only(report(is_watchdog_tripped=True, is_holding=True, **changes))


@pytest.mark.parametrize("changes", [{"is_holding": True}, {"is_watchdog_tripped": True}, {"is_power_failed": True}])
def test_the_guard_hears_of_every_hold(changes: dict[str, object]) -> None:
    assert not sensing.guard_facts(report()).is_board_holding
    assert sensing.guard_facts(report(**changes)).is_board_holding


def test_the_guard_believes_a_door_only_when_it_is_locked() -> None:
    facts = sensing.guard_facts(report(is_entry_locked=False, exit=DoorPosition.UNKNOWN))
    assert (facts.is_entry_shut, facts.is_exit_shut) == (False, False)
    assert facts.observed_ns == 1000 * MS


def test_a_failed_safety_device_is_a_failed_device_with_its_name_until_it_passes() -> None:
    blind = report(failed=frozenset({SafetyDevice.CURTAIN}), self_test=SelfTestState.FAILED)
    assert events(report(), blind) == [
        on.DeviceFailed(device="board", reason="reported_by_board"),
        on.DeviceFailed(device="light_curtain", reason="self_test_failed"),
    ]
    assert events(blind, report(1100)) == [
        on.DeviceRecovered(device="board"),
        on.DeviceRecovered(device="light_curtain"),
    ]


def test_a_board_without_an_entry_cannot_serve_a_lane_of_two_doors() -> None:
    absent = report(entry=DoorPosition.ABSENT, is_entry_locked=False)
    assert events(absent) == [on.DeviceFailed(device="entry_door", reason="this_lane_needs_two_doors")]
