"""What each event means in each state: the handlers that the lane's table names. Pure functions, one paragraph of a crossing each.

An ``assert isinstance`` says which event a handler is listed for; the table's test checks that it is listed for no other.
"""

from collections.abc import Callable
from dataclasses import replace

from gate.core import effects as do
from gate.core import events as on
from gate.core.effects import CrossingOutcome, Effect, Purpose
from gate.core.events import Event
from gate.core.state import LanePolicy, LaneState, State

Step = tuple[LaneState, tuple[Effect, ...]]
Handler = Callable[[LaneState, Event, LanePolicy], Step]


# --- emergencies: tested before the table, in every state ---------------------------------------------------------------


def emergency(state: LaneState, event: Event, policy: LanePolicy) -> Step | None:
    if isinstance(event, on.FireRaised):
        return evacuate(replace(state, is_fire=True), "fire")
    if isinstance(event, on.EvacuationOrdered):
        return evacuate(replace(state, is_evacuation_ordered=True), "evacuation")
    if isinstance(event, on.DeviceFailed):
        return fail(state, event, policy)
    if isinstance(event, on.DoorForced) and state.name is not State.EVACUATING:
        return alarm(state, f"door_forced.{event.door}")
    return None


def evacuate(state: LaneState, reason: str) -> Step:
    if state.name is State.EVACUATING:
        return state, (do.FreeEgress(),)
    after = entered(
        state, State.EVACUATING, outcome=state.outcome or CrossingOutcome.INTERRUPTED, reasons=(*state.reasons, reason)
    )
    return after, (
        do.StopChecks(),
        do.CancelInsideLimit(),
        do.FreeEgress(),
        do.SoundBuzzer(is_on=True),
        do.RaiseAlarm(reason=reason),
    )


def fail(state: LaneState, event: on.DeviceFailed, policy: LanePolicy) -> Step:
    after = replace(state, faults=state.faults | {event.device})
    report = () if event.device in state.faults else (do.ReportFault(device=event.device, reason=event.reason),)
    if state.name in (State.EVACUATING, State.FAULT):
        return after, report
    code = f"fault.{event.device}"
    after = entered(
        after, State.FAULT, outcome=state.outcome or CrossingOutcome.INTERRUPTED, reasons=(*state.reasons, code)
    )
    limit = do.StartInsideLimit(duration_ms=policy.inside_limit_ms)
    return after, (do.StopChecks(), do.CloseExit(), do.CloseEntry(), limit, *report)


def alarm(state: LaneState, reason: str) -> Step:
    if state.name is State.ALARM and reason in state.reasons:
        return state, (do.CloseExit(), do.CloseEntry())
    after = entered(
        state, State.ALARM, outcome=CrossingOutcome.ALARMED, reasons=(*state.reasons, reason), is_alarm_latched=True
    )
    return after, (
        do.StopChecks(),
        do.CloseExit(),
        do.CloseEntry(),
        do.SoundBuzzer(is_on=True),
        do.RaiseAlarm(reason=reason),
    )


# --- helpers -------------------------------------------------------------------------------------------------------------


def entered(state: LaneState, name: State, **changes: object) -> LaneState:
    return replace(state, name=name, generation=state.generation + 1, **changes)  # type: ignore[arg-type]


def timer(state: LaneState, duration_ms: int) -> do.StartStateTimer:
    return do.StartStateTimer(duration_ms=duration_ms, generation=state.generation)


def ignore(state: LaneState, _event: Event, _policy: LanePolicy) -> Step:
    return state, ()


def referred(state: LaneState, policy: LanePolicy, *reasons: str) -> Step:
    """Somebody is inside and an officer has to say what happens; the limit of the stay runs (it may run already)."""
    after = entered(state, State.REFERRED, was_referred=True, is_going_back=False, reasons=(*state.reasons, *reasons))
    return after, (do.StartInsideLimit(duration_ms=policy.inside_limit_ms),)


def check(state: LaneState, outcome: CrossingOutcome | None, delay_ms: int, *reasons: str) -> Step:
    after = entered(state, State.CHECKING, outcome=outcome, reasons=(*state.reasons, *reasons))
    return after, (do.StopChecks(), do.CancelInsideLimit(), timer(after, delay_ms))


# --- starting, ready, out of service -------------------------------------------------------------------------------------


def look(state: LaneState, _event: Event, policy: LanePolicy) -> Step:
    return state, (do.CheckLane(), timer(state, policy.retry_ms))


def become_ready(state: LaneState, _event: Event, _policy: LanePolicy) -> Step:
    """The lane is empty: report the crossing that ended, then wait for the next, or for an officer where something latched."""
    outcome = state.outcome or CrossingOutcome.INTERRUPTED
    end = (do.EndCrossing(outcome=outcome, reasons=state.reasons),) if state.is_crossing else ()
    after = replace(state, is_crossing=False, is_going_back=False, was_referred=False, outcome=None, reasons=())
    if after.faults:
        return entered(after, State.FAULT), (do.CancelInsideLimit(), *end)
    if after.is_alarm_latched:
        return entered(after, State.ALARM), (do.CancelInsideLimit(), *end)
    name = State.READY if state.is_service_wanted else State.OUT_OF_SERVICE
    return entered(after, name), (do.CancelInsideLimit(), do.SoundBuzzer(is_on=False), *end)


def start_again(state: LaneState, policy: LanePolicy, *first: Effect) -> Step:
    after = entered(state, State.STARTING, is_going_back=False)
    return after, (*first, do.CloseExit(), do.CloseEntry(), timer(after, policy.settle_ms))


def found_somebody_at_start(state: LaneState, event: Event, policy: LanePolicy) -> Step:
    assert isinstance(event, on.LaneFoundOccupied)
    if event.person_count == 0:
        return alarm(state, event.reason)
    return referred(state, policy, f"start.{event.reason}")


def take_out_of_service(state: LaneState, _event: Event, _policy: LanePolicy) -> Step:
    return entered(state, State.OUT_OF_SERVICE, is_service_wanted=False), (do.CloseExit(), do.CloseEntry())


def take_out_later(state: LaneState, _event: Event, _policy: LanePolicy) -> Step:
    return replace(state, is_service_wanted=False), ()


def put_in_service(state: LaneState, _event: Event, policy: LanePolicy) -> Step:
    return start_again(replace(state, is_service_wanted=True), policy)


def serve_on(state: LaneState, _event: Event, _policy: LanePolicy) -> Step:
    return replace(state, is_service_wanted=True), ()


def begin(state: LaneState, _event: Event, policy: LanePolicy) -> Step:
    after = entered(state, State.READING_DOCUMENT, is_crossing=True)
    return after, (do.BeginCrossing(), timer(after, policy.document_timeout_ms))


def intrusion(state: LaneState, _event: Event, policy: LanePolicy) -> Step:
    after, acts = alarm(state, "intrusion")
    return after, (*acts, do.StartInsideLimit(duration_ms=policy.inside_limit_ms))


# --- document and entry --------------------------------------------------------------------------------------------------


def admit(state: LaneState, _event: Event, policy: LanePolicy) -> Step:
    after = entered(state, State.ENTRY_OPEN)
    return after, (do.OpenEntry(purpose=Purpose.ADMIT), timer(after, policy.entry_timeout_ms))


def deny(state: LaneState, event: Event, policy: LanePolicy) -> Step:
    assert isinstance(event, on.EntryDenied)
    return check(state, CrossingOutcome.DENIED_ENTRY, policy.desk_notice_ms, *event.reasons)


def deny_unread(state: LaneState, _event: Event, policy: LanePolicy) -> Step:
    return check(state, CrossingOutcome.DENIED_ENTRY, policy.desk_notice_ms, "document.timeout")


def document_taken_away(state: LaneState, _event: Event, policy: LanePolicy) -> Step:
    return check(state, CrossingOutcome.ABANDONED, policy.settle_ms, "document.removed")


def entry_refused(state: LaneState, event: Event, policy: LanePolicy) -> Step:
    assert isinstance(event, on.DoorRefused)
    after, acts = check(state, CrossingOutcome.DENIED_ENTRY, policy.desk_notice_ms, f"door.{event.rule}")
    return after, (do.CloseEntry(), *acts)


def shut_entry_behind(state: LaneState, _event: Event, policy: LanePolicy) -> Step:
    return state, (do.CloseEntry(), do.StartInsideLimit(duration_ms=policy.inside_limit_ms))


def nobody_came(state: LaneState, _event: Event, policy: LanePolicy) -> Step:
    return state, (do.CloseEntry(), timer(state, policy.retry_ms))


def entry_is_shut(state: LaneState, event: Event, policy: LanePolicy) -> Step:
    assert isinstance(event, on.EntryShut)
    if event.person_count == 0:
        return check(state, CrossingOutcome.ABANDONED, policy.settle_ms, "entry.nobody_came")
    if event.person_count != 1:
        return company(state, event, policy)
    after = entered(state, State.OCCUPIED)
    limit = do.StartInsideLimit(duration_ms=policy.inside_limit_ms)
    return after, (limit, do.CaptureFace(), timer(after, policy.face_timeout_ms))


def company(state: LaneState, _event: Event, policy: LanePolicy) -> Step:
    after, acts = alarm(state, "not_exactly_one")
    return after, (*acts, do.StartInsideLimit(duration_ms=policy.inside_limit_ms))


# --- inside ---------------------------------------------------------------------------------------------------------------


def await_release(state: LaneState, _event: Event, policy: LanePolicy) -> Step:
    return state, (timer(state, policy.release_wait_ms),)


def refer(state: LaneState, event: Event, policy: LanePolicy) -> Step:
    assert isinstance(event, on.CrossingReferred)
    return referred(state, policy, *event.reasons)


def refer_more(state: LaneState, event: Event, _policy: LanePolicy) -> Step:
    assert isinstance(event, on.CrossingReferred)
    new = tuple(reason for reason in event.reasons if reason not in state.reasons)
    return replace(state, reasons=(*state.reasons, *new)), ()


def refer_late(state: LaneState, _event: Event, policy: LanePolicy) -> Step:
    return referred(state, policy, "decision.late")


def refer_vanished(state: LaneState, _event: Event, policy: LanePolicy) -> Step:
    return referred(state, policy, "occupancy.lost")


def open_exit(state: LaneState, event: Event, policy: LanePolicy) -> Step:
    assert isinstance(event, on.ReleaseVerified)
    outcome = CrossingOutcome.RELEASED_BY_OFFICER if state.was_referred else CrossingOutcome.CLEARED
    after = entered(state, State.CLEARED, outcome=outcome)
    return after, (do.StopChecks(), do.OpenExit(release=event.release), timer(after, policy.exit_timeout_ms))


def exit_refused(state: LaneState, event: Event, policy: LanePolicy) -> Step:
    assert isinstance(event, on.DoorRefused)
    after, acts = referred(replace(state, outcome=None), policy, f"door.{event.rule}")
    return after, (do.CloseExit(), *acts)


def open_way_back(state: LaneState, _event: Event, policy: LanePolicy) -> Step:
    outcome = CrossingOutcome.ALARMED if state.outcome is CrossingOutcome.ALARMED else CrossingOutcome.SENT_BACK
    after = entered(state, State.LEAVING, is_going_back=True, outcome=outcome)
    opening = do.OpenEntry(purpose=Purpose.WAY_BACK)
    return after, (
        do.StopChecks(),
        do.CloseExit(),
        do.SoundBuzzer(is_on=False),
        opening,
        timer(after, policy.exit_timeout_ms),
    )


def limit_reached(state: LaneState, event: Event, policy: LanePolicy) -> Step:
    return open_way_back(replace(state, reasons=(*state.reasons, "inside.limit")), event, policy)


# --- out ------------------------------------------------------------------------------------------------------------------


def shut_exit_behind(state: LaneState, _event: Event, policy: LanePolicy) -> Step:
    after = entered(state, State.LEAVING)
    return after, (do.CloseExit(), timer(after, policy.exit_timeout_ms))


def did_not_leave(state: LaneState, _event: Event, policy: LanePolicy) -> Step:
    return state, (do.CloseExit(), timer(state, policy.retry_ms))


def exit_is_shut(state: LaneState, event: Event, policy: LanePolicy) -> Step:
    assert isinstance(event, on.ExitShut)
    if event.person_count == 0:
        return check(state, state.outcome, policy.settle_ms)
    if event.person_count == 1:
        return referred(replace(state, outcome=None), policy, "exit.not_used")
    return company(state, event, policy)


def is_out(state: LaneState, _event: Event, policy: LanePolicy) -> Step:
    """Leaving: the person is out; shut the door behind them."""
    closing = do.CloseEntry() if state.is_going_back else do.CloseExit()
    return state, (closing, timer(state, policy.retry_ms))


def leaving_exit_shut(state: LaneState, event: Event, policy: LanePolicy) -> Step:
    return (state, ()) if state.is_going_back else exit_is_shut(state, event, policy)


def leaving_entry_shut(state: LaneState, event: Event, policy: LanePolicy) -> Step:
    assert isinstance(event, on.EntryShut)
    if not state.is_going_back:
        return state, ()
    if event.person_count == 0:
        return check(state, state.outcome, policy.settle_ms)
    return open_way_back(state, event, policy)


def leaving_refused(state: LaneState, event: Event, policy: LanePolicy) -> Step:
    """The way back did not open. Keep asking: nobody may stay shut in because one command was refused."""
    assert isinstance(event, on.DoorRefused)
    after = replace(state, reasons=state.reasons if event.rule in state.reasons else (*state.reasons, event.rule))
    return after, (timer(after, policy.retry_ms),)


def leaving_slowly(state: LaneState, _event: Event, policy: LanePolicy) -> Step:
    """Still inside: on the way out shut the exit (the sensors will say who is inside), on the way back keep it open."""
    again = do.OpenEntry(purpose=Purpose.WAY_BACK) if state.is_going_back else do.CloseExit()
    return state, (again, do.CheckLane(), timer(state, policy.retry_ms))


def leaving_found_empty(state: LaneState, _event: Event, policy: LanePolicy) -> Step:
    return check(state, state.outcome, policy.settle_ms)


def leaving_acknowledged(state: LaneState, event: Event, policy: LanePolicy) -> Step:
    return alarm_seen_to(state, event, policy) if state.is_alarm_latched else start_again(state, policy)


def leaving_company(state: LaneState, event: Event, policy: LanePolicy) -> Step:
    """More than one on the way back is a way out for all of them; more than one at the exit is an alarm."""
    return (state, ()) if state.is_going_back else company(state, event, policy)


# --- checking, alarm, fault, evacuation -----------------------------------------------------------------------------------


def left_something(state: LaneState, event: Event, policy: LanePolicy) -> Step:
    assert isinstance(event, on.LaneFoundOccupied)
    if event.person_count is not None and event.person_count > 0:
        return intrusion(state, event, policy)
    return alarm(state, event.reason)


def alarm_seen_to(state: LaneState, event: Event, policy: LanePolicy) -> Step:
    assert isinstance(event, on.Acknowledged)
    quiet = replace(state, is_alarm_latched=False)
    return start_again(quiet, policy, do.SoundBuzzer(is_on=False), do.ClearAlarm(by=event.by))


def recovered(state: LaneState, event: Event, _policy: LanePolicy) -> Step:
    assert isinstance(event, on.DeviceRecovered)
    return replace(state, faults=state.faults - {event.device}), ()


def fault_seen_to(state: LaneState, event: Event, policy: LanePolicy) -> Step:
    """A fault latches: it goes only when every device is back *and* an officer says so."""
    assert isinstance(event, on.Acknowledged)
    if state.faults:
        return state, ()
    return start_again(state, policy, do.ReportFaultsCleared(by=event.by))


def fire_is_out(state: LaneState, _event: Event, _policy: LanePolicy) -> Step:
    return replace(state, is_fire=False), ()


def order_is_over(state: LaneState, _event: Event, _policy: LanePolicy) -> Step:
    return replace(state, is_evacuation_ordered=False), ()


def evacuation_seen_to(state: LaneState, event: Event, policy: LanePolicy) -> Step:
    assert isinstance(event, on.Acknowledged)
    if state.is_fire or state.is_evacuation_ordered:
        return state, ()
    ends = (do.EndEgress(), do.SoundBuzzer(is_on=False), do.ClearAlarm(by=event.by))
    if state.faults:
        return entered(state, State.FAULT), (*ends, do.CloseExit(), do.CloseEntry())
    return start_again(state, policy, *ends)
