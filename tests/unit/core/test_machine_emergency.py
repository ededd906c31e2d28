"""Fire, evacuation, failed devices, forced doors: from every state; what latches; and that nobody stays shut in."""

from dataclasses import replace

import pytest
from core_kit import POLICY, at, run, step

from gate.core import effects as do
from gate.core import events as on
from gate.core.effects import CrossingOutcome as Outcome
from gate.core.state import LaneState, State

ACK = on.Acknowledged(by="ann")
TIMEOUT = on.StateTimedOut(generation=0)
INSIDE = do.StartInsideLimit(duration_ms=POLICY.inside_limit_ms)
WAY_BACK = do.OpenEntry(purpose=do.Purpose.WAY_BACK)
FAILED = on.DeviceFailed(device="face_camera", reason="silent")
RECOVERED = on.DeviceRecovered(device="face_camera")
RETRY_MS = POLICY.retry_ms

MAY_HOLD_SOMEBODY = (
    State.STARTING,
    State.ENTRY_OPEN,
    State.OCCUPIED,
    State.REFERRED,
    State.CLEARED,
    State.LEAVING,
    State.ALARM,
    State.FAULT,
)
"""Where the limit of a stay acts. Checking and the states of an empty lane turn into Alarm as soon as somebody is seen, and
evacuation has opened everything already."""


@pytest.mark.parametrize("name", State)
@pytest.mark.parametrize(("event", "why"), [(on.FireRaised(), "fire"), (on.EvacuationOrdered(by="ann"), "evacuation")])
def test_fire_or_an_order_evacuates_from_every_state(name: State, event: on.Event, why: str) -> None:
    state, effects = step(at(name, outcome=Outcome.CLEARED), event)
    assert state.name is State.EVACUATING
    assert do.FreeEgress() in effects
    assert do.StartStateTimer(duration_ms=RETRY_MS, generation=state.generation) in effects
    if name is not State.EVACUATING:
        assert (state.outcome, state.reasons) == (Outcome.CLEARED, (why,))
        assert {do.StopChecks(), do.CancelInsideLimit(), do.SoundBuzzer(is_on=True)} <= set(effects)
        assert do.RaiseAlarm(reason=why) in effects
    assert step(at(name), event)[0].outcome is (None if name is State.EVACUATING else Outcome.INTERRUPTED)


def test_egress_is_asked_for_again_while_the_reason_lasts() -> None:
    state, _ = run(at(State.OCCUPIED), on.FireRaised())
    _, effects = run(state, TIMEOUT)
    assert effects == [do.FreeEgress(), do.StartStateTimer(duration_ms=RETRY_MS, generation=state.generation)]
    state, _ = run(state, on.FireCleared())
    assert run(state, TIMEOUT)[1] == []
    state, effects = run(state, on.EvacuationOrdered(by="ann"))
    assert do.FreeEgress() in effects
    assert do.FreeEgress() in run(state, TIMEOUT)[1]


def test_an_evacuation_ends_only_when_every_reason_is_gone_and_an_officer_says_so() -> None:
    state, _ = run(at(State.OCCUPIED), on.FireRaised(), on.EvacuationOrdered(by="ann"))
    assert run(state, ACK) == (state, [])
    state, effects = run(state, on.FireCleared(), ACK)
    assert (state.name, effects) == (State.EVACUATING, [])
    state, effects = run(state, on.EvacuationEnded(by="ann"))
    assert (state.name, effects) == (State.EVACUATING, [])
    state, effects = run(state, ACK)
    assert state.name is State.STARTING
    assert effects[:3] == [do.EndEgress(), do.SoundBuzzer(is_on=False), do.ClearAlarm(by="ann")]
    assert {do.CloseExit(), do.CloseEntry()} <= set(effects)
    order_only, _ = run(at(State.READY), on.EvacuationOrdered(by="ann"), on.FireCleared(), ACK)
    assert order_only.name is State.EVACUATING


@pytest.mark.parametrize("name", State)
def test_the_ends_of_emergencies_are_noted_in_every_state(name: State) -> None:
    before = at(name, is_fire=True, is_evacuation_ordered=True)
    assert step(before, on.FireCleared()) == (at(name, is_evacuation_ordered=True), ())
    assert step(before, on.EvacuationEnded(by="ann")) == (at(name, is_fire=True), ())


@pytest.mark.parametrize("name", State)
def test_a_failed_device_stops_the_lane_from_every_state(name: State) -> None:
    state, effects = step(at(name, outcome=Outcome.CLEARED), FAILED)
    assert (state.faults, state.is_fault_latched) == ({"face_camera"}, True)
    assert do.ReportFault(device="face_camera", reason="silent") in effects
    assert step(state, FAILED)[1] == (), "reported once"
    if name is State.EVACUATING:
        assert state.name is State.EVACUATING
        return
    assert state.name is State.FAULT
    if name is not State.FAULT:
        assert {do.StopChecks(), do.CloseExit(), do.CloseEntry(), INSIDE} <= set(effects)
        assert (state.outcome, state.reasons) == (Outcome.CLEARED, ("fault.face_camera",))
        assert step(at(name), FAILED)[0].outcome is Outcome.INTERRUPTED
    second, effects = step(state, on.DeviceFailed(device="power", reason="mains"))
    assert second.faults == {"face_camera", "power"}
    assert effects == (do.ReportFault(device="power", reason="mains"),)


def test_a_failing_device_does_not_shut_the_way_back_on_anybody() -> None:
    going_back = at(State.LEAVING, is_going_back=True)
    state, effects = step(going_back, FAILED)
    assert (state.name, state.is_fault_latched) == (State.LEAVING, True)
    assert effects == (do.ReportFault(device="face_camera", reason="silent"),)
    assert step(at(State.LEAVING), FAILED)[0].name is State.FAULT


@pytest.mark.parametrize("name", sorted(set(State) - {State.EVACUATING}))
def test_a_forced_door_is_an_alarm_in_every_state_but_evacuation(name: State) -> None:
    state, effects = step(at(name), on.DoorForced(door="entry"))
    assert (state.name, state.is_alarm_latched, state.outcome) == (State.ALARM, True, Outcome.ALARMED)
    assert do.RaiseAlarm(reason="door_forced.entry") in effects
    assert {do.StopChecks(), do.CloseExit(), do.CloseEntry(), do.SoundBuzzer(is_on=True), INSIDE} <= set(effects)
    again, effects = step(state, on.DoorForced(door="entry"))
    assert (again, effects) == (state, (do.CloseExit(), do.CloseEntry()))
    other, effects = step(state, on.DoorForced(door="exit"))
    assert do.RaiseAlarm(reason="door_forced.exit") in effects
    assert other.reasons == ("door_forced.entry", "door_forced.exit")


def test_a_door_that_is_pushed_open_in_an_evacuation_is_no_alarm() -> None:
    state = at(State.EVACUATING, is_fire=True)
    assert step(state, on.DoorForced(door="exit")) == (state, ())


@pytest.mark.parametrize("name", MAY_HOLD_SOMEBODY)
def test_the_limit_of_a_stay_opens_the_way_back_and_never_the_exit(name: State) -> None:
    state, effects = step(at(name), on.InsideLimitReached())
    assert (state.name, state.is_going_back) == (State.LEAVING, True)
    assert "inside.limit" in state.reasons
    assert WAY_BACK in effects
    assert not any(isinstance(effect, do.OpenExit) for effect in effects)
    state, effects = run(state, on.DoorRefused(rule="exit_not_shut"), TIMEOUT)
    assert WAY_BACK in effects, "a refused way back is asked for again"


@pytest.mark.parametrize("name", [State.CLEARED, State.LEAVING])
def test_who_was_released_and_is_not_out_goes_back_and_the_record_claims_nothing(name: State) -> None:
    state, _ = step(at(name, outcome=Outcome.CLEARED), on.InsideLimitReached())
    assert state.outcome is Outcome.INTERRUPTED


def test_the_limit_says_nothing_new_on_the_way_back_already() -> None:
    state = at(State.LEAVING, is_going_back=True, outcome=Outcome.SENT_BACK)
    assert step(state, on.InsideLimitReached()) == (replace(state, is_limit_spent=True), ())


SPENT = at(State.LEAVING, is_going_back=True, is_limit_spent=True, outcome=Outcome.SENT_BACK)


def test_an_acknowledgement_begins_no_second_limit() -> None:
    """The board held, so the way back was refused until an officer saw to it: who waited is not held for the limit once more."""
    state, _ = run(at(State.OCCUPIED), FAILED, on.InsideLimitReached(), on.DoorRefused(rule="board_holds"), RECOVERED)
    assert (state.name, state.is_limit_spent, state.is_fault_latched) == (State.LEAVING, True, True)
    state, effects = run(state, ACK)
    assert (state.name, state.is_going_back, state.is_fault_latched) == (State.LEAVING, True, False)
    assert {WAY_BACK, do.ReportFaultsCleared(by="ann"), do.CheckLane()} <= set(effects)
    assert not {INSIDE, do.CloseEntry()} & set(effects)


def test_what_an_officer_cannot_have_seen_to_stays_latched_on_the_way_back() -> None:
    state, effects = run(replace(SPENT, is_fault_latched=True, faults=frozenset({"power"})), ACK)
    assert (state.is_fault_latched, state.faults) == (True, frozenset({"power"}))
    assert not any(isinstance(effect, do.ReportFaultsCleared | do.ClearAlarm) for effect in effects)
    state, effects = run(replace(SPENT, is_alarm_latched=True), ACK)
    assert (state.is_alarm_latched, effects.count(do.ClearAlarm(by="ann"))) == (False, 1)


def test_a_forced_door_calls_an_officer_and_holds_nobody_whose_limit_is_over() -> None:
    forced = on.DoorForced(door="exit")
    state, effects = step(SPENT, forced)
    assert (state.name, state.is_alarm_latched, state.outcome) == (State.LEAVING, True, Outcome.ALARMED)
    assert {do.CloseExit(), WAY_BACK, do.SoundBuzzer(is_on=True), do.RaiseAlarm(reason="door_forced.exit")} <= set(
        effects
    )
    assert not {INSIDE, do.CloseEntry()} & set(effects)
    again, effects = step(state, forced)
    assert (again.reasons, do.RaiseAlarm(reason="door_forced.exit") in effects) == (state.reasons, False)


@pytest.mark.parametrize("event", [on.LaneFoundEmpty(), on.EntryShut(person_count=0), on.FireRaised()])
def test_the_next_stay_has_a_limit_of_its_own(event: on.Event) -> None:
    assert not step(SPENT, event)[0].is_limit_spent


@pytest.mark.parametrize("name", sorted(set(State) - set(MAY_HOLD_SOMEBODY) - {State.EVACUATING}))
def test_somebody_in_an_empty_lane_starts_the_limit_by_way_of_an_alarm(name: State) -> None:
    """The other states hold nobody: whoever is found there is an alarm, in which the limit runs."""
    found = (
        on.LaneFoundOccupied(person_count=None, reason="count_unknown")
        if name is State.CHECKING
        else on.PersonEntered(person_count=1)
    )
    state, effects = step(at(name), found)
    assert state.name is State.ALARM
    assert INSIDE in effects


@pytest.mark.parametrize("name", [State.ALARM, State.FAULT])
@pytest.mark.parametrize("event", [on.PersonEntered(person_count=1), on.CompanyDetected(person_count=2)])
def test_somebody_who_gets_into_a_stopped_lane_has_the_limit_too(name: State, event: on.Event) -> None:
    assert step(at(name), event) == (at(name), (INSIDE,))


def test_an_alarm_latches_over_the_stay_of_whoever_caused_it() -> None:
    state, _ = run(at(State.OCCUPIED, is_crossing=True), on.CompanyDetected(person_count=2))
    state, _ = run(state, on.InsideLimitReached(), on.PersonLeft(), on.EntryShut(person_count=0))
    assert state.name is State.CHECKING
    state, effects = run(state, TIMEOUT, on.LaneFoundEmpty())
    assert (state.name, state.is_alarm_latched) == (State.ALARM, True)
    assert do.EndCrossing(outcome=Outcome.ALARMED, reasons=("not_exactly_one", "inside.limit")) in effects
    state, effects = run(state, ACK)
    assert effects[:2] == [do.SoundBuzzer(is_on=False), do.ClearAlarm(by="ann")]
    state, _ = run(state, TIMEOUT, on.LaneFoundEmpty())
    assert (state.name, state.is_alarm_latched) == (State.READY, False)


def test_an_alarm_can_be_seen_to_while_they_go_back() -> None:
    state, effects = run(at(State.LEAVING, is_going_back=True, is_alarm_latched=True), ACK)
    assert (state.name, state.is_alarm_latched, state.is_going_back) == (State.STARTING, False, False)
    assert do.ClearAlarm(by="ann") in effects
    state, effects = run(at(State.LEAVING, is_going_back=True), ACK)
    assert state.name is State.STARTING
    assert not any(isinstance(effect, do.ClearAlarm | do.ReportFaultsCleared) for effect in effects)


def test_a_fault_goes_only_when_the_device_is_back_and_an_officer_says_so() -> None:
    state, _ = run(at(State.READY), FAILED)
    assert run(state, ACK) == (state, [])
    state, effects = run(state, RECOVERED)
    assert (state.name, state.faults, effects) == (State.FAULT, frozenset(), [])
    state, effects = run(state, ACK)
    assert (state.name, state.is_fault_latched) == (State.STARTING, False)
    assert effects[0] == do.ReportFaultsCleared(by="ann")


def test_a_fault_that_went_by_itself_still_waits_for_an_officer() -> None:
    """Failed, sent back, recovered, empty: nobody has seen to it, so the lane is not ready."""
    state, _ = run(at(State.OCCUPIED), FAILED, on.SentBack(by="ann"), RECOVERED)
    state, _ = run(state, on.PersonLeft(), on.EntryShut(person_count=0), TIMEOUT, on.LaneFoundEmpty())
    assert state.name is State.FAULT
    state, _ = run(state, ACK, TIMEOUT, on.LaneFoundEmpty())
    assert state.name is State.READY


def test_a_fault_of_an_evacuation_is_seen_to_on_its_own() -> None:
    state, _ = run(at(State.READY), on.FireRaised(), FAILED, RECOVERED, on.FireCleared())
    state, effects = run(state, ACK)
    assert state.name is State.FAULT
    assert {do.EndEgress(), do.CloseExit(), do.CloseEntry(), INSIDE} <= set(effects)
    assert run(state, ACK)[1][0] == do.ReportFaultsCleared(by="ann")


@pytest.mark.parametrize("name", State)
@pytest.mark.parametrize("kind", [FAILED, on.DoorForced(door="exit")])
def test_nothing_latched_ever_leads_to_ready_without_an_officer(name: State, kind: on.Event) -> None:
    state, _ = step(at(name), kind)
    every = (RECOVERED, on.InsideLimitReached(), on.PersonLeft(), on.EntryShut(person_count=0), TIMEOUT)
    for event in (*every, on.LaneFoundEmpty(), TIMEOUT, *every, on.LaneFoundEmpty(), on.PutInService(by="ann")):
        state, _ = step(state, event)
        assert state.name is not State.READY


@pytest.mark.parametrize("name", State)
def test_a_device_that_comes_back_is_struck_off_in_every_state(name: State) -> None:
    before = at(name, faults=frozenset({"face_camera", "power"}), is_fault_latched=True)
    state, effects = step(before, RECOVERED)
    assert (state.faults, state.is_fault_latched, state.name, effects) == (frozenset({"power"}), True, name, ())


@pytest.mark.parametrize("changes", [{"faults": frozenset({"power"})}, {"is_fault_latched": True}])
@pytest.mark.parametrize("name", [State.STARTING, State.CHECKING])
def test_no_lane_is_ready_with_a_fault(name: State, changes: dict[str, object]) -> None:
    state, effects = step(at(name, **changes), on.LaneFoundEmpty())
    assert state.name is State.FAULT
    assert effects == (do.CancelInsideLimit(),)


def test_an_alarm_and_a_fault_are_each_seen_to() -> None:
    state, _ = run(at(State.OCCUPIED), FAILED, on.DoorForced(door="exit"), RECOVERED)
    assert state.name is State.ALARM
    state, _ = run(state, ACK, TIMEOUT, on.LaneFoundEmpty())
    assert state.name is State.FAULT
    state, _ = run(state, ACK, TIMEOUT, on.LaneFoundEmpty())
    assert state.name is State.READY


def test_the_reasons_of_an_emergency_are_added_to_those_of_the_crossing() -> None:
    state, _ = run(LaneState(name=State.REFERRED, reasons=("face.match",)), FAILED, on.FireRaised())
    assert state.reasons == ("face.match", "fault.face_camera", "fire")


def test_the_end_of_an_evacuation_is_said_again_until_the_lane_is_found_shut() -> None:
    """A lost command must not leave both doors open behind an evacuation that an officer has ended."""
    state, _ = run(at(State.READY), on.EvacuationOrdered(by="ann"), on.EvacuationEnded(by="ann"), ACK)
    for _ in range(2):
        state, effects = run(state, TIMEOUT)
        assert effects[:2] == [do.EndEgress(), do.CheckLane()]
    found, effects = run(state, on.LaneFoundOccupied(person_count=1, reason="person_inside"))
    assert (found.name, effects[0]) == (State.REFERRED, do.EndEgress())
    ready, _ = run(state, on.LaneFoundEmpty())
    assert not ready.is_egress_ending
    again, _ = run(state, on.FireRaised())
    assert not again.is_egress_ending
    assert run(at(State.STARTING), TIMEOUT)[1][0] == do.CheckLane(), "a restart alone ends no evacuation"


def test_the_board_has_said_nothing_of_a_fire_since_its_line_was_lost() -> None:
    burning = at(State.EVACUATING, is_fire=True, is_evacuation_ordered=True, faults=frozenset({"board_link", "x"}))
    state, _ = run(burning, on.DeviceRecovered(device="x"))
    assert state.is_fire
    state, _ = run(state, on.DeviceRecovered(device="board_link"))
    assert (state.is_fire, state.is_evacuation_ordered, state.name) == (False, True, State.EVACUATING)


def test_one_word_sees_to_a_fault_on_the_way_back_when_the_device_is_back() -> None:
    state, _ = run(at(State.LEAVING, is_going_back=True), FAILED)
    assert run(state, ACK)[0].is_fault_latched
    state, effects = run(state, RECOVERED, ACK)
    assert (state.name, state.is_fault_latched) == (State.STARTING, False)
    assert effects[0] == do.ReportFaultsCleared(by="ann")
