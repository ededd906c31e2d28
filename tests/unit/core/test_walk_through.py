"""The walk-through lane step by step: nobody is alarmed before the exit opens, and what was seen is void with any other count."""

from dataclasses import replace

import pytest
from core_kit import EVENTS, ONE_DOOR, RELEASE, at, run, step

from gate.core import effects as do
from gate.core import events as on
from gate.core.effects import CrossingOutcome, Effect
from gate.core.events import EVENT_KINDS, Event
from gate.core.state import LaneState, State

ONE = on.CountChanged(person_count=1, is_exit_shut=True)
NOBODY = on.CountChanged(person_count=0, is_exit_shut=True)
TWO = on.CountChanged(person_count=2, is_exit_shut=True)
TWO_AT_OPEN_EXIT = on.CountChanged(person_count=2, is_exit_shut=False)
UNKNOWN_AT_OPEN_EXIT = on.CountChanged(person_count=None, is_exit_shut=False)
OUT = on.CountChanged(person_count=0, is_exit_shut=False, is_by_exit=True)
TURNED_BACK = on.CountChanged(person_count=0, is_exit_shut=False)
ONE_FOUND = on.LaneFoundOccupied(person_count=1, reason="person_inside")
THING = on.LaneFoundOccupied(person_count=0, reason="left_object")
EXIT_OPEN = on.LaneFoundOccupied(person_count=None, reason="exit_not_shut")
TIME = on.StateTimedOut(generation=0)
VOID = (do.StopChecks(), do.VoidStay(), do.CloseExit())


def go(state: LaneState, *events: Event) -> tuple[LaneState, list[Effect]]:
    return run(state, *events, policy=ONE_DOOR)


def name_after(state: LaneState, *events: Event) -> State:
    return go(state, *events)[0].name


def test_a_crossing_by_the_book() -> None:
    state, effects = go(at(State.READY), ONE, on.DocumentPlaced(), on.EntryAdmitted(), ONE_FOUND)
    assert state.name is State.OCCUPIED
    assert do.CaptureFace() in effects
    state, effects = go(state, on.CrossingCleared(), on.ReleaseVerified(release=RELEASE))
    assert (state.name, state.outcome) == (State.CLEARED, CrossingOutcome.CLEARED)
    assert do.OpenExit(release=RELEASE) in effects
    state, effects = go(state, OUT)
    assert (state.name, effects[0]) == (State.LEAVING, do.CloseExit())
    state, effects = go(state, ONE, on.ExitShut(person_count=1), TIME, ONE_FOUND)
    assert state.name is State.READY, "the next one may stand there already"
    assert do.EndCrossing(outcome=CrossingOutcome.CLEARED, reasons=()) in effects


def test_no_entry_is_ever_asked_for() -> None:
    for name in State:
        for kind in EVENT_KINDS:
            for state in (at(name), at(name, is_going_back=True), at(name, faults=frozenset({"x"}))):
                _, effects = step(state, EVENTS[kind], ONE_DOOR)
                assert not any(isinstance(effect, do.OpenEntry | do.CloseEntry) for effect in effects), (name, kind)


@pytest.mark.parametrize("name", [State.READY, State.READING_DOCUMENT, State.OUT_OF_SERVICE, State.CHECKING])
@pytest.mark.parametrize("event", [ONE, NOBODY, TWO, on.CompanyDetected(person_count=2)])
def test_people_come_and_go_and_nobody_minds(name: State, event: Event) -> None:
    assert step(at(name), event, ONE_DOOR) == (at(name), ())


@pytest.mark.parametrize("name", [State.OCCUPIED, State.REFERRED])
@pytest.mark.parametrize(
    ("event", "is_crowded"), [(NOBODY, False), (TWO, True), (on.CompanyDetected(person_count=2), True)]
)
def test_with_another_count_what_was_seen_is_void(name: State, event: Event, is_crowded: bool) -> None:
    state, effects = go(at(name, is_crossing=True), event)
    assert (state.name, state.is_crowded, state.is_alarm_latched) == (State.ENTRY_OPEN, is_crowded, False)
    assert tuple(effects[:3]) == VOID
    assert name_after(state, ONE) is State.OCCUPIED, "one at a time: it goes on when the other is gone"


def test_the_face_is_seen_anew_each_time() -> None:
    _, effects = go(at(State.OCCUPIED), TWO, ONE, NOBODY, ONE)
    assert effects.count(do.CaptureFace()) == effects.count(do.VoidStay()) == 2


def test_who_was_referred_before_is_not_cleared_by_a_second_look() -> None:
    """They stepped aside while an officer looked: what was found then still waits for the officer."""
    state, _ = go(at(State.OCCUPIED), on.CrossingReferred(reasons=("face.match",), roles=("border",)), NOBODY, ONE)
    assert (state.name, state.was_referred) == (State.OCCUPIED, True)
    state, effects = go(state, on.CrossingCleared())
    assert state.name is State.REFERRED
    assert not any(isinstance(effect, do.OpenExit) for effect in effects)


@pytest.mark.parametrize(("crowd", "outcome"), [(NOBODY, "abandoned"), (TWO, "denied_entry")])
def test_nobody_is_waited_for_without_end(crowd: Event, outcome: str) -> None:
    state, _ = go(at(State.READING_DOCUMENT, is_crossing=True), on.EntryAdmitted(), crowd)
    looks = ONE_DOOR.entry_timeout_ms // ONE_DOOR.retry_ms
    state, effects = go(state, *[TIME] * (looks - 1))
    assert state.name is State.ENTRY_OPEN
    assert effects.count(do.CheckLane()) == looks - 1
    state, _ = go(state, TIME)
    assert (state.name, state.outcome) == (State.CHECKING, CrossingOutcome(outcome))


def test_who_steps_aside_begins_the_wait_anew_and_not_for_ever() -> None:
    state, effects = go(at(State.OCCUPIED), NOBODY)
    assert state.looks_left == ONE_DOOR.entry_timeout_ms // ONE_DOOR.retry_ms
    assert not any(isinstance(effect, do.CancelInsideLimit) for effect in effects), "the crossing's limit runs on"


@pytest.mark.parametrize("name", [State.ENTRY_OPEN, State.OCCUPIED, State.REFERRED])
@pytest.mark.parametrize("event", [on.SentBack(by="ann"), on.InsideLimitReached()])
def test_the_end_of_a_stay_is_said_and_opens_nothing(name: State, event: Event) -> None:
    state, effects = go(at(name, is_crossing=True), event)
    assert (state.name, state.is_going_back, state.outcome) == (State.LEAVING, True, CrossingOutcome.SENT_BACK)
    assert [effect for effect in effects if isinstance(effect, do.OpenEntry | do.OpenExit)] == []
    assert name_after(state, NOBODY) is State.CHECKING
    assert name_after(state, TIME) is State.CHECKING, "also when they stay where they are"
    assert name_after(state, ONE, on.ExitShut(person_count=1), ONE_FOUND) is State.LEAVING


@pytest.mark.parametrize("event", [on.Tailgated(), on.CompanyDetected(person_count=2)])
def test_more_than_one_at_the_open_exit_is_an_alarm(event: Event) -> None:
    state, effects = go(at(State.CLEARED, is_crossing=True), event)
    assert (state.name, state.is_alarm_latched) == (State.ALARM, True)
    assert do.CloseExit() in effects
    assert do.RaiseAlarm(reason="tailgating") in effects
    assert not any(isinstance(effect, do.StartInsideLimit) for effect in effects), "nobody is shut in"


@pytest.mark.parametrize("event", [TWO_AT_OPEN_EXIT, UNKNOWN_AT_OPEN_EXIT])
def test_a_moment_of_several_at_the_open_exit_may_be_a_bag(event: Event) -> None:
    assert go(at(State.CLEARED), event) == (at(State.CLEARED), [])


def test_who_passed_has_crossed_also_with_the_next_one_in_the_approach() -> None:
    state, effects = go(at(State.CLEARED, outcome=CrossingOutcome.CLEARED), on.PersonLeft())
    assert (state.name, state.outcome, effects[0]) == (State.LEAVING, CrossingOutcome.CLEARED, do.CloseExit())


def test_behind_who_left_the_doorway_is_watched_and_the_approach_is_not() -> None:
    leaving, _ = go(at(State.CLEARED), OUT)
    assert name_after(leaving, ONE, TWO_AT_OPEN_EXIT, on.CompanyDetected(person_count=2)) is State.LEAVING
    assert name_after(leaving, on.Tailgated()) is State.ALARM


def test_the_count_changes_before_the_board_took_the_command() -> None:
    """The exit is still shut and locked: the board will refuse the token of before, and nobody is alarmed."""
    state, _ = go(at(State.CLEARED, outcome=CrossingOutcome.CLEARED), TWO)
    assert (state.name, state.outcome, state.is_alarm_latched) == (State.ENTRY_OPEN, None, False)


def test_who_turns_back_at_the_open_exit_has_not_crossed() -> None:
    state, _ = go(at(State.CLEARED, outcome=CrossingOutcome.CLEARED), TURNED_BACK)
    assert (state.name, state.outcome, state.reasons) == (State.LEAVING, CrossingOutcome.ABANDONED, ("exit.not_used",))


def test_an_exit_that_shut_unused_needs_an_officer() -> None:
    cleared = at(State.CLEARED, outcome=CrossingOutcome.CLEARED)
    state, effects = go(cleared, TIME, on.ExitShut(person_count=1))
    assert (state.name, state.was_referred, state.reasons) == (State.ENTRY_OPEN, True, ("exit.not_used",))
    assert do.CheckLane() in effects
    assert name_after(state, ONE_FOUND, on.CrossingCleared()) is State.REFERRED
    assert name_after(cleared, on.ExitShut(person_count=0)) is State.CHECKING


@pytest.mark.parametrize(
    ("rule", "refers"), [("release_other_stay", False), ("board_refused_token", False), ("sensors_stale", True)]
)
def test_a_refused_exit_means_to_look_again(rule: str, refers: bool) -> None:
    state, effects = go(at(State.CLEARED, outcome=CrossingOutcome.CLEARED), on.DoorRefused(rule=rule))
    assert (state.name, state.was_referred, state.outcome) == (State.ENTRY_OPEN, refers, None)
    assert state.reasons == ((f"door.{rule}",) if refers else ())
    assert tuple(effects[:3]) == VOID


def test_an_exit_that_nobody_passes_is_shut_at_the_limit() -> None:
    state, effects = go(at(State.CLEARED, outcome=CrossingOutcome.CLEARED), on.InsideLimitReached())
    assert (state.name, state.is_going_back, state.outcome) == (State.LEAVING, False, CrossingOutcome.INTERRUPTED)
    assert do.CloseExit() in effects
    again, effects = go(state, TIME, EXIT_OPEN)
    assert again.name is State.LEAVING
    assert effects[:2] == [do.CloseExit(), do.CheckLane()]
    assert name_after(state, ONE_FOUND) is State.CHECKING


@pytest.mark.parametrize("name", [State.STARTING, State.CHECKING])
def test_ready_means_that_the_exit_is_shut_whoever_stands_there(name: State) -> None:
    state = at(name)
    assert go(state, EXIT_OPEN) == (state, [do.CloseExit()])
    for found in (on.LaneFoundEmpty(), ONE_FOUND, replace(ONE_FOUND, person_count=2)):
        assert name_after(state, found) is State.READY


@pytest.mark.parametrize("name", [State.STARTING, State.CHECKING])
def test_a_thing_may_lie_for_a_while_and_not_for_good(name: State) -> None:
    looks = ONE_DOOR.exit_timeout_ms // ONE_DOOR.retry_ms
    state, effects = go(at(name), *[THING] * (looks - 1))
    assert (state.name, effects) == (name, [])
    assert name_after(state, ONE_FOUND) is State.READY, "somebody came back for it"
    state, effects = go(state, THING)
    assert state.name is State.ALARM
    assert do.RaiseAlarm(reason="left_object") in effects


def test_a_failed_device_stops_the_lane_on_the_way_back_too() -> None:
    """No door stands open to anybody that way, so there is nothing to keep open."""
    state, _ = go(at(State.LEAVING, is_going_back=True), on.DeviceFailed(device="face_camera", reason="silent"))
    assert state.name is State.FAULT
    _, effects = go(at(State.OCCUPIED), on.DeviceFailed(device="face_camera", reason="silent"))
    assert not any(isinstance(effect, do.StartInsideLimit) for effect in effects)
