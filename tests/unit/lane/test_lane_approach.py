"""Reports of a lane without an entry: every count is told, who passes behind is seen, and settings and board must agree."""

from dataclasses import replace

import pytest

from drivers.lane_io.interface import DoorPosition, LampColour, LaneSensors
from gate.core import events as on
from gate.core.state import LaneState, State
from gate.lane import sensing
from gate.lane.presentation import lane_state, look
from gate.wire.messages import KioskStep

INSIDE = 0b0011_1111_1100
"""Twelve beams: two before the line, eight in the approach, two behind the exit."""
AT_LINE, AT_EXIT, WAY_IN = 0b0000_0111_0000, 0b0111_0000_0000, 0b0000_0000_0011
BEHIND, NEAR, OUTERMOST = 0b1100_0000_0000, 0b0100_0000_0000, 0b1000_0000_0000
MS = 1_000_000


def report(at_ms: int = 1000, **changes: object) -> LaneSensors:
    """An empty approach with the exit shut and locked."""
    calm = LaneSensors(
        received_ns=at_ms * MS,
        sequence=1,
        board_uptime_ms=at_ms,
        boot_id=7,
        entry=DoorPosition.ABSENT,
        exit=DoorPosition.CLOSED,
        is_entry_locked=False,
        is_exit_locked=True,
        beams=0,
        beam_count=12,
        person_count=0,
        is_estop_pressed=False,
        is_fire=False,
        is_power_failed=False,
        is_watchdog_tripped=False,
        exit_token=5,
        inside_mask=INSIDE,
    )
    return replace(calm, **changes)  # type: ignore[arg-type]


OPEN = {"exit": DoorPosition.OPEN, "is_exit_locked": False, "exit_token": None}
STANDING = report(person_count=1, beams=AT_LINE)
AT_OPEN_EXIT = report(person_count=1, beams=AT_EXIT, **OPEN)
GONE = report(beams=BEHIND, **OPEN)
FREE = report(**OPEN)


def events(*reports: LaneSensors) -> list[on.Event]:
    """What the last of the reports makes."""
    sense = sensing.Sensing(has_entry=False)
    made: list[on.Event] = []
    for item in reports:
        made = sense.observe(item)
    return made


def test_every_change_of_the_count_is_told_at_once() -> None:
    assert events(report()) == [on.CountChanged(person_count=0, is_exit_shut=True)]
    assert events(report(), STANDING) == [on.CountChanged(person_count=1, is_exit_shut=True)]
    two = report(person_count=2, beams=AT_LINE)
    assert events(report(), STANDING, two) == [on.CountChanged(person_count=2, is_exit_shut=True)]
    assert events(report(), STANDING, STANDING) == []


def test_after_a_lost_link_the_count_is_told_anew() -> None:
    sense = sensing.Sensing(has_entry=False)
    sense.observe(STANDING)
    sense.forget()
    assert sense.observe(STANDING) == [on.CountChanged(person_count=1, is_exit_shut=True)]


def test_by_which_way_somebody_left() -> None:
    by_exit = on.CountChanged(person_count=0, is_exit_shut=False, is_by_exit=True)
    assert events(STANDING, AT_OPEN_EXIT, GONE) == [by_exit]
    assert events(STANDING, AT_OPEN_EXIT, FREE) == [by_exit], "one quick step from the last shadow"
    back = report(beams=WAY_IN, **OPEN)
    assert events(STANDING, replace(STANDING, **OPEN), back) == [on.CountChanged(person_count=0, is_exit_shut=False)]
    shut = report(beams=BEHIND)
    assert events(STANDING, shut) == [on.CountChanged(person_count=0, is_exit_shut=True)]


def test_who_passes_the_open_exit_after_it_was_free_is_tailgating() -> None:
    follower = report(person_count=0, beams=BEHIND, **OPEN)
    assert events(STANDING, AT_OPEN_EXIT, GONE, FREE, follower) == [on.Tailgated()]
    assert on.Tailgated() not in events(STANDING, AT_OPEN_EXIT, GONE, follower), "the doorway was never free"
    next_one = report(person_count=1, beams=AT_LINE, **OPEN)
    assert on.Tailgated() not in events(STANDING, AT_OPEN_EXIT, GONE, FREE, next_one), "the approach is anybody's"
    assert on.Tailgated() in events(STANDING, AT_OPEN_EXIT, GONE, FREE, next_one, replace(next_one, beams=AT_EXIT))
    shut_meanwhile = events(STANDING, AT_OPEN_EXIT, GONE, FREE, report(), replace(follower, person_count=1))
    assert on.Tailgated() not in shut_meanwhile


def test_who_has_passed_is_told_although_the_next_one_is_in_already() -> None:
    """The count was never nobody: a runner came in while the first one was in the doorway, too shortly to be company."""
    both = report(person_count=2, beams=AT_EXIT | WAY_IN | 1 << 2, **OPEN)
    runner = report(person_count=1, beams=OUTERMOST | AT_LINE, **OPEN)
    ran = replace(runner, beams=AT_LINE)
    assert on.PersonLeft() in events(STANDING, AT_OPEN_EXIT, both, runner, ran)
    assert on.Tailgated() in events(STANDING, AT_OPEN_EXIT, both, runner, ran, replace(ran, beams=AT_EXIT))


def test_who_turns_back_in_the_doorway_has_not_passed() -> None:
    near = report(person_count=1, beams=NEAR | 1 << 9, **OPEN)
    inside = report(person_count=1, beams=AT_LINE, **OPEN)
    assert events(STANDING, AT_OPEN_EXIT, near, inside) == []
    assert events(STANDING, AT_OPEN_EXIT, near, inside, AT_OPEN_EXIT) == [], "nor is the second step into it tailgating"


def test_several_at_the_open_exit_are_company_when_it_lasts() -> None:
    two = report(1000, person_count=2, beams=AT_LINE, **OPEN)
    company = on.CompanyDetected(person_count=2)
    lasting = (STANDING, two, replace(two, received_ns=1299 * MS))
    assert company not in events(*lasting)
    assert events(*lasting, replace(two, received_ns=1300 * MS)) == [company]
    assert events(*lasting, replace(two, received_ns=1300 * MS), replace(two, received_ns=1400 * MS)) == []
    one = replace(two, person_count=1)
    again = (replace(one, received_ns=1200 * MS), replace(two, received_ns=1250 * MS))
    assert company not in events(STANDING, two, *again, replace(two, received_ns=1400 * MS))
    shut = report(person_count=2, beams=AT_LINE)
    assert company not in events(STANDING, shut, replace(shut, received_ns=5000 * MS))


def test_settings_and_board_must_agree_that_there_is_no_entry() -> None:
    assert not any(isinstance(event, on.DeviceFailed) for event in events(report()))
    for position in (DoorPosition.CLOSED, DoorPosition.UNKNOWN, DoorPosition.OPEN):
        failed = on.DeviceFailed(device="entry_door", reason="this_lane_has_no_entry")
        assert failed in events(report(entry=position))
    assert on.DeviceRecovered(device="entry_door") in events(report(entry=DoorPosition.CLOSED), report(1100))


def test_the_guard_is_told_what_it_goes_by() -> None:
    facts = sensing.guard_facts(report())
    assert (facts.is_entry_absent, facts.is_entry_shut, facts.is_exit_shut, facts.exit_token) == (True, False, True, 5)


def test_looking_tells_an_open_exit_from_who_stands_there() -> None:
    def found(sensors: LaneSensors) -> on.Event:
        return sensing.lane_check(sensors, has_entry=False)

    assert found(report()) == on.LaneFoundEmpty()
    assert found(STANDING) == on.LaneFoundOccupied(person_count=1, reason="person_inside")
    assert found(report(beams=1 << 5)) == on.LaneFoundOccupied(person_count=0, reason="left_object")
    assert found(FREE) == found(AT_OPEN_EXIT) == on.LaneFoundOccupied(person_count=None, reason="exit_not_shut")
    assert found(report(is_exit_locked=False)) == on.LaneFoundOccupied(person_count=None, reason="exit_not_shut")


@pytest.mark.parametrize(
    ("name", "is_crowded", "count", "hint"),
    [
        (State.READY, False, 0, None),
        (State.READY, False, 2, "one_person_only"),
        (State.READING_DOCUMENT, False, 3, "one_person_only"),
        (State.ENTRY_OPEN, False, 0, "come_closer"),
        (State.ENTRY_OPEN, True, 1, "one_person_only"),
        (State.OCCUPIED, False, 1, "hold_still"),
        (State.CLEARED, False, 1, "take_document"),
        (State.REFERRED, False, 1, None),
    ],
)
def test_what_the_kiosk_says_in_an_open_approach(name: State, is_crowded: bool, count: int, hint: str | None) -> None:
    state = LaneState(name=name, is_crowded=is_crowded)
    sensors = report(person_count=count)
    camera_hint = "hold_still" if name is State.OCCUPIED else None
    shown = lane_state(
        state, since_ms=0, hint=camera_hint, sensors=sensors, crossing=None, crossings=0, has_entry=False
    )
    assert shown.hint == hint
    two_doors = lane_state(state, since_ms=0, hint=camera_hint, sensors=sensors, crossing=None, crossings=0)
    assert two_doors.hint == camera_hint


def test_nobody_is_asked_to_walk_in_where_no_door_opens() -> None:
    assert look(LaneState(name=State.ENTRY_OPEN), has_entry=False) == (LampColour.BLUE, KioskStep.LOOK_AT_CAMERA)
    assert look(LaneState(name=State.ENTRY_OPEN))[1] is KioskStep.WALK_IN
