"""One traveller's way through the machine, and the ways it ends."""

import pytest
from core_kit import EVENTS, POLICY, RELEASE, at, run, step

from gate.core import effects as do
from gate.core import events as on
from gate.core import machine
from gate.core.effects import CrossingOutcome as Outcome
from gate.core.effects import Effect
from gate.core.events import Event
from gate.core.state import LaneState, State

TIMEOUT = on.StateTimedOut(generation=0)
INSIDE = do.StartInsideLimit(duration_ms=POLICY.inside_limit_ms)


def timer_ms(effects: list[Effect] | tuple[Effect, ...]) -> list[int]:
    return [effect.duration_ms for effect in effects if isinstance(effect, do.StartStateTimer)]


def ends(effects: list[Effect]) -> list[tuple[Outcome, tuple[str, ...]]]:
    return [(effect.outcome, effect.reasons) for effect in effects if isinstance(effect, do.EndCrossing)]


IN = (on.DocumentPlaced(), on.EntryAdmitted(), on.PersonEntered(person_count=1), on.EntryShut(person_count=1))
OUT = (on.PersonLeft(), on.ExitShut(person_count=0), TIMEOUT, on.LaneFoundEmpty())


def test_a_cleared_crossing_from_ready_to_ready() -> None:
    state, effects = run(at(State.READY), *IN, on.CrossingCleared(), on.ReleaseVerified(release=RELEASE), *OUT)
    assert state.name is State.READY
    assert not state.is_crossing
    assert (state.outcome, state.reasons, state.was_referred) == (None, (), False)
    doors = [
        e for e in effects if isinstance(e, do.OpenEntry | do.OpenExit | do.CloseEntry | do.CloseExit | do.CaptureFace)
    ]
    assert doors == [
        do.OpenEntry(purpose=do.Purpose.ADMIT),
        do.CloseEntry(),
        do.CaptureFace(),
        do.OpenExit(release=RELEASE),
        do.CloseExit(),
    ]
    assert ends(effects) == [(Outcome.CLEARED, ())]


def test_each_waiting_has_its_own_time() -> None:
    state, effects = step(at(State.READY), on.DocumentPlaced())
    assert timer_ms(effects) == [POLICY.document_timeout_ms]
    state, effects = step(state, on.EntryAdmitted())
    assert timer_ms(effects) == [POLICY.entry_timeout_ms]
    state, effects = step(state, on.EntryShut(person_count=1))
    assert timer_ms(effects) == [POLICY.face_timeout_ms]
    assert INSIDE in effects
    state, effects = step(state, on.CrossingCleared())
    assert timer_ms(effects) == [POLICY.release_wait_ms]
    state, effects = step(state, on.ReleaseVerified(release=RELEASE))
    assert timer_ms(effects) == [POLICY.exit_timeout_ms]
    assert do.StopChecks() in effects
    assert effects.index(do.CancelInsideLimit()) < effects.index(INSIDE), "the limit runs anew from an officer's answer"
    state, effects = step(state, on.PersonLeft())
    assert (state.name, timer_ms(effects)) == (State.LEAVING, [POLICY.exit_timeout_ms])
    state, effects = step(state, on.ExitShut(person_count=0))
    assert (state.name, timer_ms(effects)) == (State.CHECKING, [POLICY.settle_ms])
    assert do.CancelInsideLimit() in effects


def test_who_was_referred_is_released_by_an_officer() -> None:
    refer = on.CrossingReferred(reasons=("face.match",), roles=("border",))
    state, effects = run(at(State.READY), *IN, refer)
    assert (state.name, state.reasons) == (State.REFERRED, ("face.match",))
    assert INSIDE in effects
    state, effects = run(state, on.ReleaseVerified(release=RELEASE), *OUT)
    assert ends(effects) == [(Outcome.RELEASED_BY_OFFICER, ("face.match",))]


@pytest.mark.parametrize(
    ("event", "outcome", "reasons", "delay_ms"),
    [
        (
            on.EntryDenied(reasons=("document.expiry",)),
            Outcome.DENIED_ENTRY,
            ("document.expiry",),
            POLICY.desk_notice_ms,
        ),
        (TIMEOUT, Outcome.DENIED_ENTRY, ("document.timeout",), POLICY.desk_notice_ms),
        (on.DocumentRemoved(), Outcome.ABANDONED, ("document.removed",), POLICY.settle_ms),
    ],
)
def test_nobody_is_let_in_without_a_document(
    event: Event, outcome: Outcome, reasons: tuple[str, ...], delay_ms: int
) -> None:
    state, effects = run(at(State.READY), on.DocumentPlaced(), event)
    assert state.name is State.CHECKING
    assert timer_ms(effects)[-1] == delay_ms
    assert not any(isinstance(effect, do.OpenEntry) for effect in effects)
    state, effects = run(state, TIMEOUT, on.LaneFoundEmpty())
    assert ends(effects) == [(outcome, reasons)]
    assert state.name is State.READY


def test_a_refused_entry_sends_to_the_desk_and_shuts() -> None:
    state, effects = run(at(State.ENTRY_OPEN, is_crossing=True), on.DoorRefused(rule="lane_not_empty"))
    assert (state.name, state.outcome, state.reasons) == (
        State.CHECKING,
        Outcome.DENIED_ENTRY,
        ("door.lane_not_empty",),
    )
    assert do.CloseEntry() in effects


def test_nobody_came() -> None:
    state, effects = run(at(State.ENTRY_OPEN, is_crossing=True), TIMEOUT)
    assert state.name is State.ENTRY_OPEN
    assert effects[:2] == [do.CloseEntry(), do.CheckLane()]
    assert timer_ms(effects) == [POLICY.retry_ms]
    for event in (on.EntryShut(person_count=0), on.LaneFoundEmpty()):
        after, effects = run(state, event)
        assert timer_ms(effects) == [POLICY.settle_ms]
        assert (after.name, after.outcome, after.reasons) == (
            State.CHECKING,
            Outcome.ABANDONED,
            ("entry.nobody_came",),
        )


@pytest.mark.parametrize("count", [None, 2, 3])
def test_the_entry_shut_on_anything_but_one_person_is_an_alarm(count: int | None) -> None:
    state, effects = run(at(State.ENTRY_OPEN, is_crossing=True), on.EntryShut(person_count=count))
    assert (state.name, state.outcome, state.is_alarm_latched) == (State.ALARM, Outcome.ALARMED, True)
    assert {do.CloseEntry(), do.CloseExit(), INSIDE} <= set(effects)
    assert do.RaiseAlarm(reason="not_exactly_one") in effects
    assert do.CaptureFace() not in effects


@pytest.mark.parametrize("name", [State.ENTRY_OPEN, State.OCCUPIED, State.REFERRED, State.CLEARED, State.LEAVING])
def test_company_on_the_way_out_is_an_alarm(name: State) -> None:
    state, effects = step(at(name), on.CompanyDetected(person_count=2))
    assert state.name is State.ALARM
    assert {do.CloseExit(), do.CloseEntry(), do.SoundBuzzer(is_on=True), INSIDE} <= set(effects)


@pytest.mark.parametrize("name", [State.READY, State.OUT_OF_SERVICE, State.READING_DOCUMENT])
@pytest.mark.parametrize("event", [on.PersonEntered(person_count=1), on.CompanyDetected(person_count=2)])
def test_an_intruder_is_an_alarm(name: State, event: Event) -> None:
    state, effects = step(at(name), event)
    assert (state.name, state.reasons) == (State.ALARM, ("intrusion",))
    assert INSIDE in effects


def test_a_decision_that_does_not_come_refers() -> None:
    state, _effects = run(at(State.OCCUPIED), TIMEOUT)
    assert (state.name, state.reasons, state.was_referred) == (State.REFERRED, ("decision.late",), True)
    state, _effects = run(at(State.OCCUPIED), on.PersonLeft())
    assert (state.name, state.reasons) == (State.REFERRED, ("occupancy.lost",))


def test_more_reasons_are_added_once() -> None:
    more = on.CrossingReferred(reasons=("a", "b"), roles=("border",))
    state, _ = run(at(State.REFERRED, reasons=("a",)), more, more)
    assert state.reasons == ("a", "b")


def test_a_refused_exit_goes_back_to_the_officers_and_forgets_the_outcome() -> None:
    state, _ = run(at(State.OCCUPIED), on.ReleaseVerified(release=RELEASE))
    assert (state.name, state.outcome) == (State.CLEARED, Outcome.CLEARED)
    state, effects = run(state, on.DoorRefused(rule="release_spent"))
    assert (state.name, state.outcome, state.reasons) == (State.REFERRED, None, ("door.release_spent",))
    assert do.CloseExit() in effects
    assert INSIDE in effects


def test_who_does_not_use_the_exit_is_referred_again() -> None:
    state, effects = run(at(State.CLEARED, outcome=Outcome.CLEARED), TIMEOUT)
    assert effects[:2] == [do.CloseExit(), do.CheckLane()]
    after, _ = run(state, on.ExitShut(person_count=1))
    assert (after.name, after.outcome, after.reasons) == (State.REFERRED, None, ("exit.not_used",))
    after, _ = run(state, on.ExitShut(person_count=2))
    assert after.name is State.ALARM
    after, _ = run(state, on.LaneFoundEmpty())
    assert (after.name, after.outcome, after.reasons) == (State.CHECKING, Outcome.INTERRUPTED, ("exit.unseen",))


def test_sent_back_by_an_officer() -> None:
    for name in (State.OCCUPIED, State.REFERRED, State.ALARM, State.FAULT, State.LEAVING):
        state, effects = step(at(name), on.SentBack(by="ann"))
        assert (state.name, state.is_going_back, state.outcome) == (State.LEAVING, True, Outcome.SENT_BACK)
        assert effects.index(do.CloseExit()) < effects.index(do.OpenEntry(purpose=do.Purpose.WAY_BACK))
        assert timer_ms(effects) == [POLICY.exit_timeout_ms]
        assert {do.StopChecks(), do.SoundBuzzer(is_on=False)} <= set(effects)


def test_the_way_back_of_an_alarm_stays_an_alarm_in_the_record() -> None:
    state, _ = run(at(State.ALARM, outcome=Outcome.ALARMED), on.SentBack(by="ann"))
    assert state.outcome is Outcome.ALARMED


BACK = at(State.LEAVING, is_going_back=True, outcome=Outcome.SENT_BACK, is_crossing=True)


def test_the_way_back_stays_open_until_the_lane_is_empty() -> None:
    state, effects = run(BACK, TIMEOUT)
    assert effects[:2] == [do.OpenEntry(purpose=do.Purpose.WAY_BACK), do.CheckLane()]
    state, effects = run(state, on.EntryShut(person_count=1))
    assert state.name is State.LEAVING
    assert do.OpenEntry(purpose=do.Purpose.WAY_BACK) in effects
    state, effects = run(state, on.DoorRefused(rule="exit_not_shut"), on.DoorRefused(rule="exit_not_shut"))
    assert (state.name, state.reasons) == (State.LEAVING, ("exit_not_shut",))
    assert timer_ms(effects) == [POLICY.retry_ms] * 2
    assert step(state, on.CompanyDetected(person_count=2)) == (state, ())
    assert step(state, on.ExitShut(person_count=0)) == (state, ())
    state, effects = run(state, on.PersonLeft())
    assert do.CloseEntry() in effects
    assert do.CloseExit() not in effects
    state, effects = run(state, on.EntryShut(person_count=0), TIMEOUT, on.LaneFoundEmpty())
    assert timer_ms(effects)[0] == POLICY.settle_ms
    assert ends(effects) == [(Outcome.SENT_BACK, ("exit_not_shut",))]


def test_leaving_by_the_exit() -> None:
    way_out = at(State.LEAVING, outcome=Outcome.CLEARED)
    assert run(way_out, TIMEOUT)[1][:2] == [do.CloseExit(), do.CheckLane()]
    assert step(way_out, on.EntryShut(person_count=0)) == (way_out, ())
    state, effects = run(way_out, on.LaneFoundEmpty())
    assert (state.name, state.outcome) == (State.CHECKING, Outcome.CLEARED)
    assert {do.CloseExit(), do.CloseEntry()} <= set(effects)
    assert run(way_out, on.PersonLeft())[1][0] == do.CloseExit()
    assert step(way_out, on.CompanyDetected(person_count=2))[0].name is State.ALARM


@pytest.mark.parametrize("count", [0, 1, 2, None])
def test_what_stayed_behind_is_an_alarm(count: int | None) -> None:
    found = on.LaneFoundOccupied(person_count=count, reason="left_object")
    state, effects = run(at(State.CHECKING, outcome=Outcome.CLEARED, is_crossing=True), TIMEOUT, found)
    assert (state.name, state.outcome) == (State.ALARM, Outcome.ALARMED)
    assert state.reasons == (("left_object",) if not count else ("intrusion",))
    assert INSIDE in effects


@pytest.mark.parametrize("name", [State.STARTING, State.CHECKING])
def test_an_empty_lane_that_is_not_shut_is_shut_again(name: State) -> None:
    before = at(name)
    state, effects = run(before, TIMEOUT, on.PersonLeft())
    assert state == before
    assert {do.CloseExit(), do.CloseEntry(), do.CheckLane()} <= set(effects)
    assert timer_ms(effects) == [POLICY.retry_ms]


@pytest.mark.parametrize("count", [1, 2, None])
def test_somebody_inside_at_the_start_is_referred(count: int | None) -> None:
    found = on.LaneFoundOccupied(person_count=count, reason="person_inside")
    state, effects = run(at(State.STARTING), found)
    assert (state.name, state.reasons) == (State.REFERRED, ("start.person_inside",))
    assert {INSIDE, do.CloseExit(), do.CloseEntry()} <= set(effects)


def test_a_thing_inside_at_the_start_is_an_alarm() -> None:
    state, _effects = run(at(State.STARTING), on.LaneFoundOccupied(person_count=0, reason="left_object"))
    assert (state.name, state.reasons) == (State.ALARM, ("left_object",))


def test_service_ends_now_or_after_the_crossing() -> None:
    out = on.TakenOutOfService(by="ann")
    state, effects = run(at(State.READY), out)
    assert (state.name, state.is_service_wanted) == (State.OUT_OF_SERVICE, False)
    assert effects == [do.CloseExit(), do.CloseEntry()]
    state, effects = run(state, on.PutInService(by="ann"))
    assert (state.name, state.is_service_wanted) == (State.STARTING, True)
    later = set(State) - {State.READY, State.OUT_OF_SERVICE}
    for name in later:
        after, effects2 = step(at(name), out)
        assert (after.name, after.is_service_wanted, effects2) == (name, False, ())
        assert step(after, on.PutInService(by="ann"))[0].is_service_wanted
    state, _ = run(at(State.CHECKING, is_service_wanted=False), on.LaneFoundEmpty())
    assert state.name is State.OUT_OF_SERVICE


def test_a_crossing_whose_end_is_unknown_was_interrupted() -> None:
    _, effects = run(at(State.STARTING, is_crossing=True, reasons=("fire",)), on.LaneFoundEmpty())
    assert ends(effects) == [(Outcome.INTERRUPTED, ("fire",))]
    assert do.SoundBuzzer(is_on=False) in effects
    assert do.CancelInsideLimit() in effects
    _, effects = run(at(State.STARTING), on.LaneFoundEmpty())
    assert ends(effects) == []


@pytest.mark.parametrize("name", [State.STARTING, State.CHECKING])
def test_only_these_states_ask_whether_the_lane_is_empty_before_ready(name: State) -> None:
    assert step(at(name), EVENTS[on.LaneFoundEmpty])[0].name is State.READY
    others = set(State) - {State.STARTING, State.CHECKING}
    assert all(
        step(at(other), EVENTS[on.LaneFoundEmpty])[0].name is not State.READY for other in others - {State.READY}
    )


def test_default_state_is_starting_in_service() -> None:
    state = LaneState()
    assert (state.name, state.is_service_wanted, state.is_alarm_latched, state.is_fault_latched) == (
        State.STARTING,
        True,
        False,
        False,
    )


def test_nothing_of_one_crossing_is_left_in_the_next() -> None:
    full = at(
        State.CHECKING,
        is_crossing=True,
        is_going_back=True,
        was_referred=True,
        outcome=Outcome.CLEARED,
        reasons=("a",),
        is_egress_ending=True,
    )
    assert step(full, on.LaneFoundEmpty())[0] == LaneState(name=State.READY, generation=8)


def test_whoever_steps_in_starts_the_limit_and_the_entry_shuts() -> None:
    before = at(State.ENTRY_OPEN)
    assert step(before, on.PersonEntered(person_count=1)) == (before, (do.CloseEntry(), INSIDE))


def test_who_is_referred_is_not_going_back() -> None:
    found = on.LaneFoundOccupied(person_count=1, reason="person_inside")
    assert step(at(State.STARTING, is_going_back=True), found)[0].is_going_back is False


def test_the_first_timer_lets_the_sensors_settle() -> None:
    _, effects = machine.start(POLICY)
    assert timer_ms(effects) == [POLICY.settle_ms]
