"""The walk-through lane of one door: an open approach with document reader and camera, and an exit.

Nobody can be shut in, so nothing here opens a way back. People walk in and out as they like; what was seen of whoever stands there is
good only as long as exactly that one stands there: any change of the count sends the lane back to waiting for exactly one, and the face is
seen anew. Several people are asked to come one at a time until the exit opens; at the open exit they are an alarm. The states are those of
a lane of two doors; Entry open means here that the document allows somebody through, and that the lane waits for exactly one.
"""

from dataclasses import replace

from gate.core import effects as do
from gate.core import events as on
from gate.core import transitions as to
from gate.core.effects import CrossingOutcome
from gate.core.emergency import Step, alarm, entered, timer
from gate.core.events import Event
from gate.core.state import LanePolicy, LaneState, State
from gate.core.table import DECISION, DOCUMENT, FOUND, SERVICE_LATER, Row, ignored, whole

TAILGATING = "tailgating"


def looks(duration_ms: int, policy: LanePolicy) -> int:
    """How often the lane looks in so long a time, at least once."""
    return max(1, duration_ms // policy.retry_ms)


def is_crowd(person_count: int | None) -> bool:
    """Several people, or a number that cannot be told."""
    return person_count is None or person_count > 1


def tailgated(state: LaneState, _event: Event, policy: LanePolicy) -> Step:
    return alarm(state, TAILGATING, policy)


# --- starting and checking: only the exit must be shut, anybody may stand in the approach ---------------------------------


def found_on_looking(state: LaneState, event: Event, policy: LanePolicy) -> Step:
    """People may stand there. A thing that lies there alone gets the time of somebody who comes back for it."""
    assert isinstance(event, on.LaneFoundOccupied)
    if event.person_count is None:
        return state, (do.CloseExit(),)
    if event.person_count > 0:
        return to.become_ready(state, event, policy)
    left = state.looks_left or looks(policy.exit_timeout_ms, policy)
    if left == 1:
        return alarm(replace(state, looks_left=0), event.reason, policy)
    return replace(state, looks_left=left - 1), ()


# --- waiting for exactly one ----------------------------------------------------------------------------------------------


def await_one(state: LaneState, _event: Event, policy: LanePolicy) -> Step:
    """Document and look-ups allow it: most often the traveller stands there already."""
    after = entered(state, State.ENTRY_OPEN, looks_left=looks(policy.entry_timeout_ms, policy))
    limit = do.StartInsideLimit(duration_ms=policy.inside_limit_ms)
    return after, (limit, do.CheckLane(), timer(after, policy.retry_ms))


def counted_while_waiting(state: LaneState, event: Event, policy: LanePolicy) -> Step:
    assert isinstance(event, on.CountChanged)
    return _counted(state, event.person_count, policy)


def found_while_waiting(state: LaneState, event: Event, policy: LanePolicy) -> Step:
    assert isinstance(event, on.LaneFoundOccupied)
    return _counted(state, event.person_count, policy)


def _counted(state: LaneState, person_count: int | None, policy: LanePolicy) -> Step:
    if person_count != 1:
        return replace(state, is_crowded=is_crowd(person_count)), ()
    after = entered(state, State.OCCUPIED, is_crowded=False)
    limit = do.StartInsideLimit(duration_ms=policy.inside_limit_ms)
    return after, (limit, do.CaptureFace(), timer(after, policy.face_timeout_ms))


def nobody_found(state: LaneState, _event: Event, _policy: LanePolicy) -> Step:
    return replace(state, is_crowded=False), ()


def look_again(state: LaneState, _event: Event, policy: LanePolicy) -> Step:
    """Nobody is waited for without end: several are sent to the desk, and where nobody came there was no crossing."""
    if state.looks_left > 1:
        after = replace(state, looks_left=state.looks_left - 1)
        return after, (do.CheckLane(), timer(after, policy.retry_ms))
    if state.is_crowded:
        return to.check(state, CrossingOutcome.DENIED_ENTRY, policy.desk_notice_ms, "not_exactly_one")
    return to.check(state, CrossingOutcome.ABANDONED, policy.settle_ms, "entry.nobody_came")


# --- exactly one stands there ---------------------------------------------------------------------------------------------


def wait_anew(
    state: LaneState, policy: LanePolicy, *reasons: str, is_crowded: bool, is_now: bool, refers: bool = False
) -> Step:
    """What was seen of the stay is void. ``is_now``: look at once whether exactly one stands there; ``refers``: an officer has to look."""
    after = entered(
        state,
        State.ENTRY_OPEN,
        looks_left=looks(policy.entry_timeout_ms, policy),
        is_crowded=is_crowded,
        outcome=None,
        was_referred=state.was_referred or refers,
        reasons=(*state.reasons, *(reason for reason in reasons if reason not in state.reasons)),
    )
    limit = do.StartInsideLimit(duration_ms=policy.inside_limit_ms)
    look = (do.CheckLane(),) if is_now else ()
    return after, (do.StopChecks(), do.VoidStay(), do.CloseExit(), limit, *look, timer(after, policy.retry_ms))


def count_changed(state: LaneState, event: Event, policy: LanePolicy) -> Step:
    assert isinstance(event, on.CountChanged)
    return wait_anew(state, policy, is_crowded=is_crowd(event.person_count), is_now=event.person_count == 1)


def company_beside(state: LaneState, _event: Event, policy: LanePolicy) -> Step:
    """The camera sees somebody else: the next look is a moment later, so that they have time to step aside."""
    return wait_anew(state, policy, is_crowded=True, is_now=False)


def cleared(state: LaneState, event: Event, policy: LanePolicy) -> Step:
    """Where something of this crossing was referred before, seeing the face again is no officer's answer."""
    return to.referred(state, policy) if state.was_referred else to.await_release(state, event, policy)


def sent_back(state: LaneState, _event: Event, policy: LanePolicy) -> Step:
    """The way they came is open: tell them, and go on when they are gone or were told long enough."""
    after = entered(
        state, State.LEAVING, is_going_back=True, is_crowded=False, looks_left=0, outcome=CrossingOutcome.SENT_BACK
    )
    return after, (do.StopChecks(), do.CloseExit(), timer(after, policy.exit_timeout_ms))


def stay_is_over(state: LaneState, event: Event, policy: LanePolicy) -> Step:
    return sent_back(replace(state, reasons=(*state.reasons, "inside.limit")), event, policy)


# --- at the exit and out --------------------------------------------------------------------------------------------------


def counted_at_exit(state: LaneState, event: Event, policy: LanePolicy) -> Step:
    """As long as the exit is shut and locked the board has not taken the command, and will not for another count.

    At the open exit several of a moment may be one who pulls a bag: those who stay are told as company, those who pass as tailgating.
    """
    assert isinstance(event, on.CountChanged)
    if event.person_count == 0:
        return _left(state, policy) if event.is_by_exit else _left(state, policy, "exit.not_used")
    if event.is_exit_shut and event.person_count != 1:
        return count_changed(state, event, policy)
    return state, ()


def passed(state: LaneState, _event: Event, policy: LanePolicy) -> Step:
    return _left(state, policy)


def _left(state: LaneState, policy: LanePolicy, *reasons: str) -> Step:
    outcome = CrossingOutcome.ABANDONED if reasons else state.outcome
    after = entered(state, State.LEAVING, outcome=outcome, reasons=(*state.reasons, *reasons))
    return after, (do.CloseExit(), timer(after, policy.retry_ms))


def exit_is_shut(state: LaneState, event: Event, policy: LanePolicy) -> Step:
    """It shut before anybody was seen to leave."""
    assert isinstance(event, on.ExitShut)
    if event.person_count == 0:
        return to.exit_found_empty(state, event, policy)
    return wait_anew(
        state,
        policy,
        "exit.not_used",
        is_crowded=is_crowd(event.person_count),
        is_now=event.person_count == 1,
        refers=True,
    )


STAY_CHANGED = frozenset({"release_other_stay", "not_exactly_one", "camera_disagrees", "board_refused_token"})
"""Refusals that say no more than that the count has just changed."""


def exit_refused(state: LaneState, event: Event, policy: LanePolicy) -> Step:
    assert isinstance(event, on.DoorRefused)
    if event.rule in STAY_CHANGED:
        return wait_anew(state, policy, is_crowded=False, is_now=True)
    return wait_anew(state, policy, f"door.{event.rule}", is_crowded=False, is_now=True, refers=True)


def exit_not_passed(state: LaneState, _event: Event, policy: LanePolicy) -> Step:
    after, acts = _left(state, policy, "inside.limit")
    return replace(after, outcome=CrossingOutcome.INTERRUPTED), acts


def leaving_counted(state: LaneState, event: Event, policy: LanePolicy) -> Step:
    """On the way back nobody is left: done. Behind somebody who left by the exit the approach is anybody's again."""
    assert isinstance(event, on.CountChanged)
    is_done = state.is_going_back and event.person_count == 0
    return to.check(state, state.outcome, policy.settle_ms) if is_done else (state, ())


def leaving_exit_shut(state: LaneState, _event: Event, policy: LanePolicy) -> Step:
    return (state, ()) if state.is_going_back else to.check(state, state.outcome, policy.settle_ms)


def leaving_found(state: LaneState, event: Event, policy: LanePolicy) -> Step:
    """Found with a count: the exit is shut, whether its shutting was seen or not."""
    is_unknown = isinstance(event, on.LaneFoundOccupied) and event.person_count is None
    is_done = not is_unknown and not state.is_going_back
    return to.check(state, state.outcome, policy.settle_ms) if is_done else (state, ())


def leaving_slowly(state: LaneState, _event: Event, policy: LanePolicy) -> Step:
    if state.is_going_back:
        return to.check(state, state.outcome, policy.settle_ms)
    return state, (do.CloseExit(), do.CheckLane(), timer(state, policy.retry_ms))


_NEVER = (on.PersonEntered, on.EntryShut)
"""What the sensing of a lane without an entry does not tell: see CountChanged. That somebody stands on a floor mat is no news here."""

_ROWS: dict[State, Row] = {
    State.STARTING: {
        **ignored(*DOCUMENT, *DECISION, on.ExitShut, on.ReleaseVerified, on.DoorRefused, on.SentBack, on.Acknowledged),
        **ignored(on.PersonLeft, on.CompanyDetected, on.CountChanged, on.InsideLimitReached),
        **SERVICE_LATER,
        on.StateTimedOut: to.look,
        on.LaneFoundEmpty: to.become_ready,
        on.LaneFoundOccupied: found_on_looking,
        on.Tailgated: tailgated,
        on.DeviceRecovered: to.recovered,
    },
    State.OUT_OF_SERVICE: {
        **ignored(*DOCUMENT, *DECISION, *FOUND, on.ExitShut, on.ReleaseVerified, on.DoorRefused, on.SentBack),
        **ignored(
            on.PersonLeft, on.CompanyDetected, on.CountChanged, on.Acknowledged, on.StateTimedOut, on.InsideLimitReached
        ),
        **ignored(on.TakenOutOfService),
        on.PutInService: to.put_in_service,
        on.Tailgated: tailgated,
        on.DeviceRecovered: to.recovered,
    },
    State.READY: {
        **ignored(on.DocumentRemoved, on.EntryAdmitted, on.EntryDenied, *DECISION, *FOUND, on.ExitShut),
        **ignored(on.ReleaseVerified, on.DoorRefused, on.SentBack, on.Acknowledged, on.StateTimedOut),
        **ignored(on.PersonLeft, on.CompanyDetected, on.CountChanged, on.InsideLimitReached, on.PutInService),
        on.DocumentPlaced: to.begin,
        on.TakenOutOfService: to.take_out_of_service,
        on.Tailgated: tailgated,
        on.DeviceRecovered: to.recovered,
    },
    State.READING_DOCUMENT: {
        **ignored(on.DocumentPlaced, *DECISION, *FOUND, on.ExitShut, on.ReleaseVerified, on.DoorRefused, on.SentBack),
        **ignored(on.PersonLeft, on.CompanyDetected, on.CountChanged, on.Acknowledged, on.InsideLimitReached),
        **SERVICE_LATER,
        on.EntryAdmitted: await_one,
        on.EntryDenied: to.deny,
        on.DocumentRemoved: to.document_taken_away,
        on.StateTimedOut: to.deny_unread,
        on.Tailgated: tailgated,
        on.DeviceRecovered: to.recovered,
    },
    State.ENTRY_OPEN: {
        **ignored(
            *DOCUMENT, *DECISION, on.ReleaseVerified, on.ExitShut, on.DoorRefused, on.PersonLeft, on.CompanyDetected
        ),
        **ignored(on.Acknowledged),
        **SERVICE_LATER,
        on.CountChanged: counted_while_waiting,
        on.LaneFoundOccupied: found_while_waiting,
        on.LaneFoundEmpty: nobody_found,
        on.StateTimedOut: look_again,
        on.SentBack: sent_back,
        on.InsideLimitReached: stay_is_over,
        on.Tailgated: tailgated,
        on.DeviceRecovered: to.recovered,
    },
    State.OCCUPIED: {
        **ignored(on.PersonLeft, *DOCUMENT, *FOUND, on.ExitShut, on.DoorRefused, on.Acknowledged),
        **SERVICE_LATER,
        on.CrossingCleared: cleared,
        on.CrossingReferred: to.refer,
        on.ReleaseVerified: to.open_exit,
        on.SentBack: sent_back,
        on.StateTimedOut: to.refer_late,
        on.CountChanged: count_changed,
        on.CompanyDetected: company_beside,
        on.InsideLimitReached: stay_is_over,
        on.Tailgated: tailgated,
        on.DeviceRecovered: to.recovered,
    },
    State.REFERRED: {
        **ignored(on.PersonLeft, *DOCUMENT, *FOUND, on.ExitShut, on.DoorRefused, on.CrossingCleared, on.StateTimedOut),
        **ignored(on.Acknowledged),
        **SERVICE_LATER,
        on.CrossingReferred: to.refer_more,
        on.ReleaseVerified: to.open_exit,
        on.SentBack: sent_back,
        on.CountChanged: count_changed,
        on.CompanyDetected: company_beside,
        on.InsideLimitReached: stay_is_over,
        on.Tailgated: tailgated,
        on.DeviceRecovered: to.recovered,
    },
    State.CLEARED: {
        **ignored(*DOCUMENT, *DECISION, on.ReleaseVerified, on.SentBack, on.Acknowledged, on.LaneFoundOccupied),
        **SERVICE_LATER,
        on.LaneFoundEmpty: to.exit_found_empty,
        on.CountChanged: counted_at_exit,
        on.PersonLeft: passed,
        on.ExitShut: exit_is_shut,
        on.StateTimedOut: to.did_not_leave,
        on.DoorRefused: exit_refused,
        on.CompanyDetected: tailgated,
        on.InsideLimitReached: exit_not_passed,
        on.Tailgated: tailgated,
        on.DeviceRecovered: to.recovered,
    },
    State.LEAVING: {
        **ignored(
            *DOCUMENT, *DECISION, on.ReleaseVerified, on.DoorRefused, on.SentBack, on.PersonLeft, on.CompanyDetected
        ),
        **ignored(on.InsideLimitReached, on.Acknowledged),
        **SERVICE_LATER,
        on.LaneFoundEmpty: leaving_found,
        on.LaneFoundOccupied: leaving_found,
        on.CountChanged: leaving_counted,
        on.ExitShut: leaving_exit_shut,
        on.StateTimedOut: leaving_slowly,
        on.Tailgated: tailgated,
        on.DeviceRecovered: to.recovered,
    },
    State.CHECKING: {
        **ignored(*DOCUMENT, *DECISION, on.ExitShut, on.ReleaseVerified, on.DoorRefused, on.SentBack, on.Acknowledged),
        **ignored(on.PersonLeft, on.CompanyDetected, on.CountChanged, on.InsideLimitReached),
        **SERVICE_LATER,
        on.StateTimedOut: to.look,
        on.LaneFoundEmpty: to.become_ready,
        on.LaneFoundOccupied: found_on_looking,
        on.Tailgated: tailgated,
        on.DeviceRecovered: to.recovered,
    },
    State.ALARM: {
        **ignored(*DOCUMENT, *DECISION, *FOUND, on.ExitShut, on.ReleaseVerified, on.DoorRefused, on.StateTimedOut),
        **ignored(on.PersonLeft, on.CompanyDetected, on.CountChanged, on.SentBack, on.InsideLimitReached),
        **SERVICE_LATER,
        on.Acknowledged: to.alarm_seen_to,
        on.Tailgated: tailgated,
        on.DeviceRecovered: to.recovered,
    },
    State.EVACUATING: {
        **ignored(*DOCUMENT, *DECISION, *FOUND, on.ExitShut, on.ReleaseVerified, on.DoorRefused, on.SentBack),
        **ignored(on.PersonLeft, on.CompanyDetected, on.CountChanged, on.Tailgated, on.InsideLimitReached),
        **SERVICE_LATER,
        on.StateTimedOut: to.free_again,
        on.Acknowledged: to.evacuation_seen_to,
        on.DeviceRecovered: to.recovered,
    },
    State.FAULT: {
        **ignored(*DOCUMENT, *DECISION, *FOUND, on.ExitShut, on.ReleaseVerified, on.DoorRefused, on.StateTimedOut),
        **ignored(on.PersonLeft, on.CompanyDetected, on.CountChanged, on.SentBack, on.InsideLimitReached),
        **SERVICE_LATER,
        on.Acknowledged: to.fault_seen_to,
        on.Tailgated: tailgated,
        on.DeviceRecovered: to.recovered,
    },
}

WALK_THROUGH = whole(_ROWS, never=_NEVER)
