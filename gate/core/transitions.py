"""What each event means in each state: the handlers that the lane's table names. Pure functions, one paragraph of a crossing each.

An ``assert isinstance`` says which event a handler is listed for; the table's test checks that it is listed for no other.
"""

from dataclasses import replace

from gate.core import effects as do
from gate.core import events as on
from gate.core.effects import CrossingOutcome, Effect, Purpose
from gate.core.emergency import Step, alarm, entered, hold, shut, timer, way_back
from gate.core.events import Event
from gate.core.state import LanePolicy, LaneState, State

BOARD_LINK = "board_link"
"""The device that a lost line to the lane board is reported as."""


def ignore(state: LaneState, _event: Event, _policy: LanePolicy) -> Step:
    return state, ()


def referred(state: LaneState, policy: LanePolicy, *reasons: str) -> Step:
    """Somebody is inside and an officer has to say what happens; the limit of the stay runs (it may run already)."""
    after = entered(state, State.REFERRED, was_referred=True, is_going_back=False, reasons=(*state.reasons, *reasons))
    return after, (do.StartInsideLimit(duration_ms=policy.inside_limit_ms),)


def check(state: LaneState, outcome: CrossingOutcome | None, delay_ms: int, *reasons: str) -> Step:
    after = entered(
        state,
        State.CHECKING,
        outcome=outcome,
        reasons=(*state.reasons, *reasons),
        is_limit_spent=False,
        is_crowded=False,
        looks_left=0,
    )
    return after, (do.StopChecks(), do.CancelInsideLimit(), timer(after, delay_ms))


# --- starting, ready, out of service -------------------------------------------------------------------------------------


def look(state: LaneState, _event: Event, policy: LanePolicy) -> Step:
    return state, (*_end_of_egress(state), do.CheckLane(), timer(state, policy.retry_ms))


def _end_of_egress(state: LaneState) -> tuple[Effect, ...]:
    """Said again until the lane is found shut: had the command been lost, both doors would stand open for good."""
    return (do.EndEgress(),) if state.is_egress_ending else ()


def shut_again(state: LaneState, _event: Event, _policy: LanePolicy) -> Step:
    """The lane was found empty but not shut: a command to shut may have been lost, so say it again."""
    return state, (do.CloseExit(), do.CloseEntry())


def note_somebody(state: LaneState, _event: Event, policy: LanePolicy) -> Step:
    """Somebody got into a lane that serves nobody: the limit of the stay runs for them, too."""
    return state, (do.StartInsideLimit(duration_ms=policy.inside_limit_ms),)


def become_ready(state: LaneState, _event: Event, _policy: LanePolicy) -> Step:
    """The lane is empty: report the crossing that ended, then wait for the next, or for an officer where something latched."""
    outcome = state.outcome or CrossingOutcome.INTERRUPTED
    end = (do.EndCrossing(outcome=outcome, reasons=state.reasons),) if state.is_crossing else ()
    after = replace(
        state,
        is_crossing=False,
        is_going_back=False,
        was_referred=False,
        outcome=None,
        reasons=(),
        is_egress_ending=False,
        is_limit_spent=False,
        is_crowded=False,
        looks_left=0,
    )
    if after.faults or after.is_fault_latched:
        return entered(after, State.FAULT), (do.CancelInsideLimit(), *end)
    if after.is_alarm_latched:
        return entered(after, State.ALARM), (do.CancelInsideLimit(), *end)
    name = State.READY if state.is_service_wanted else State.OUT_OF_SERVICE
    return entered(after, name), (do.CancelInsideLimit(), do.SoundBuzzer(is_on=False), *end)


def start_again(state: LaneState, policy: LanePolicy, *first: Effect) -> Step:
    after = entered(state, State.STARTING, is_going_back=False, looks_left=0)
    return after, (*first, *shut(policy), timer(after, policy.settle_ms))


def found_somebody_at_start(state: LaneState, event: Event, policy: LanePolicy) -> Step:
    assert isinstance(event, on.LaneFoundOccupied)
    if event.person_count == 0:
        return alarm(state, event.reason, policy)
    after, acts = referred(state, policy, f"start.{event.reason}")
    return after, (*_end_of_egress(state), do.CloseExit(), do.CloseEntry(), *acts)


def take_out_of_service(state: LaneState, _event: Event, policy: LanePolicy) -> Step:
    return entered(state, State.OUT_OF_SERVICE, is_service_wanted=False), shut(policy)


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
    return alarm(state, "intrusion", policy)


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
    return state, (do.CloseEntry(), do.CheckLane(), timer(state, policy.retry_ms))


def entry_found_empty(state: LaneState, _event: Event, policy: LanePolicy) -> Step:
    """The entry never opened, or its shutting was not seen: the lane is empty and shut all the same."""
    return check(state, CrossingOutcome.ABANDONED, policy.settle_ms, "entry.nobody_came")


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
    return alarm(state, "not_exactly_one", policy)


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
    after = entered(state, State.CLEARED, outcome=outcome, is_limit_spent=False)
    limit = (
        do.CancelInsideLimit(),
        do.StartInsideLimit(duration_ms=policy.inside_limit_ms),
    )  # it runs from this answer
    return after, (do.StopChecks(), do.OpenExit(release=event.release), *limit, timer(after, policy.exit_timeout_ms))


def exit_refused(state: LaneState, event: Event, policy: LanePolicy) -> Step:
    assert isinstance(event, on.DoorRefused)
    after, acts = referred(replace(state, outcome=None), policy, f"door.{event.rule}")
    return after, (do.CloseExit(), *acts)


def open_way_back(state: LaneState, _event: Event, policy: LanePolicy) -> Step:
    return way_back(state, policy, do.SoundBuzzer(is_on=False))


def limit_reached(state: LaneState, event: Event, policy: LanePolicy) -> Step:
    spent = replace(state, reasons=(*state.reasons, "inside.limit"), is_limit_spent=True)
    return open_way_back(spent, event, policy)


def exit_not_passed(state: LaneState, event: Event, policy: LanePolicy) -> Step:
    """Released long ago and still not out: the exit is stuck or blocked. The way back, since the guard will not open the exit again."""
    if state.is_going_back:
        return replace(state, is_limit_spent=True), ()  # the way back is being opened again and again as it is
    after, acts = limit_reached(state, event, policy)
    return replace(after, outcome=CrossingOutcome.INTERRUPTED), acts


# --- out ------------------------------------------------------------------------------------------------------------------


def shut_exit_behind(state: LaneState, _event: Event, policy: LanePolicy) -> Step:
    after = entered(state, State.LEAVING)
    return after, (do.CloseExit(), timer(after, policy.exit_timeout_ms))


def did_not_leave(state: LaneState, _event: Event, policy: LanePolicy) -> Step:
    return state, (do.CloseExit(), do.CheckLane(), timer(state, policy.retry_ms))


def exit_found_empty(state: LaneState, _event: Event, policy: LanePolicy) -> Step:
    """Nobody is inside and nobody was seen to leave: the lane goes on, and the record says that it does not know."""
    return check(state, CrossingOutcome.INTERRUPTED, policy.settle_ms, "exit.unseen")


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
    after, acts = check(state, state.outcome, policy.settle_ms)
    return after, (do.CloseExit(), do.CloseEntry(), *acts)  # the way back may just have been opened once more


def leaving_acknowledged(state: LaneState, event: Event, policy: LanePolicy) -> Step:
    if state.is_limit_spent:
        return way_back_acknowledged(state, event, policy)
    if state.is_alarm_latched:
        return alarm_seen_to(state, event, policy)
    if state.faults:
        return fault_remains(state, policy)
    if state.is_fault_latched:
        return fault_seen_to(state, event, policy)
    return start_again(state, policy)


def way_back_acknowledged(state: LaneState, event: Event, policy: LanePolicy) -> Step:
    """What latched was seen to, so that the board holds no longer: the way back is asked for at once, and no new limit begins."""
    assert isinstance(event, on.Acknowledged)
    is_fault_seen = state.is_fault_latched and not state.faults
    seen = (
        *((do.ClearAlarm(by=event.by),) if state.is_alarm_latched else ()),
        *((do.ReportFaultsCleared(by=event.by),) if is_fault_seen else ()),
    )
    latched = replace(state, is_alarm_latched=False, is_fault_latched=state.is_fault_latched and not is_fault_seen)
    after, acts = way_back(latched, policy, do.SoundBuzzer(is_on=False), *seen)
    return after, (*acts, do.CheckLane())


def leaving_company(state: LaneState, event: Event, policy: LanePolicy) -> Step:
    """More than one on the way back is a way out for all of them; more than one at the exit is an alarm."""
    return (state, ()) if state.is_going_back else company(state, event, policy)


# --- checking, alarm, fault, evacuation -----------------------------------------------------------------------------------


def left_something(state: LaneState, event: Event, policy: LanePolicy) -> Step:
    assert isinstance(event, on.LaneFoundOccupied)
    if event.person_count is not None and event.person_count > 0:
        return intrusion(state, event, policy)
    return alarm(state, event.reason, policy)


def alarm_seen_to(state: LaneState, event: Event, policy: LanePolicy) -> Step:
    assert isinstance(event, on.Acknowledged)
    quiet = replace(state, is_alarm_latched=False)
    ends = (do.SoundBuzzer(is_on=False), do.ClearAlarm(by=event.by))
    return fault_remains(quiet, policy, *ends) if state.faults else start_again(quiet, policy, *ends)


def fault_remains(state: LaneState, policy: LanePolicy, *first: Effect) -> Step:
    """A device is still out: a lane that began again with it would hang in the beginning, and tell nobody why."""
    return entered(state, State.FAULT, is_going_back=False), (*first, *hold(policy))


def recovered(state: LaneState, event: Event, _policy: LanePolicy) -> Step:
    assert isinstance(event, on.DeviceRecovered)
    # What the board last said is void after a lost link: a fire that still burns is raised anew by its first report.
    is_fire = state.is_fire and event.device != BOARD_LINK
    return replace(state, faults=state.faults - {event.device}, is_fire=is_fire), ()


def fault_seen_to(state: LaneState, event: Event, policy: LanePolicy) -> Step:
    """A fault latches: it goes only when every device is back *and* an officer says so."""
    assert isinstance(event, on.Acknowledged)
    if state.faults:
        return state, ()
    return start_again(replace(state, is_fault_latched=False), policy, do.ReportFaultsCleared(by=event.by))


def fire_is_out(state: LaneState, _event: Event, _policy: LanePolicy) -> Step:
    return replace(state, is_fire=False), ()


def order_is_over(state: LaneState, _event: Event, _policy: LanePolicy) -> Step:
    return replace(state, is_evacuation_ordered=False), ()


def free_again(state: LaneState, _event: Event, policy: LanePolicy) -> Step:
    """While the reason lasts, ask again: a command that was lost or refused must not keep people in."""
    if state.is_fire or state.is_evacuation_ordered:
        return state, (do.FreeEgress(), timer(state, policy.retry_ms))
    return state, ()


def evacuation_seen_to(state: LaneState, event: Event, policy: LanePolicy) -> Step:
    assert isinstance(event, on.Acknowledged)
    if state.is_fire or state.is_evacuation_ordered:
        return state, ()
    state = replace(state, is_egress_ending=True)
    ends = (do.EndEgress(), do.SoundBuzzer(is_on=False), do.ClearAlarm(by=event.by))
    if state.is_fault_latched:
        return fault_remains(state, policy, *ends)
    return start_again(state, policy, *ends)
