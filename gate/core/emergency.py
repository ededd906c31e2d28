"""What comes before the table in every state: fire, evacuation, a failed device, a forced door; and what every handler is made of.

Pure functions from a state to the next one and what to do.
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


def entered(state: LaneState, name: State, **changes: object) -> LaneState:
    return replace(state, name=name, generation=state.generation + 1, **changes)  # type: ignore[arg-type]


def timer(state: LaneState, duration_ms: int) -> do.StartStateTimer:
    return do.StartStateTimer(duration_ms=duration_ms, generation=state.generation)


def emergency(state: LaneState, event: Event, policy: LanePolicy) -> Step | None:
    if isinstance(event, on.FireRaised):
        return evacuate(replace(state, is_fire=True), "fire", policy)
    if isinstance(event, on.EvacuationOrdered):
        return evacuate(replace(state, is_evacuation_ordered=True), "evacuation", policy)
    if isinstance(event, on.DeviceFailed):
        return fail(state, event, policy)
    if isinstance(event, on.DoorForced) and state.name is not State.EVACUATING:
        return alarm(state, f"door_forced.{event.door}", policy)
    return None


def shut(policy: LanePolicy) -> tuple[Effect, ...]:
    """Every door that the lane has."""
    return (do.CloseExit(), do.CloseEntry()) if policy.has_entry else (do.CloseExit(),)


def hold(policy: LanePolicy) -> tuple[Effect, ...]:
    """Shut, and let nobody wait behind shut doors for ever; out of a lane without an entry anybody may walk."""
    limit = (do.StartInsideLimit(duration_ms=policy.inside_limit_ms),) if policy.has_entry else ()
    return (*shut(policy), *limit)


def way_back(state: LaneState, policy: LanePolicy, *first: Effect) -> Step:
    """The entry opens for whoever is inside, again and again until they are out; the exit stays shut."""
    outcome = CrossingOutcome.ALARMED if state.outcome is CrossingOutcome.ALARMED else CrossingOutcome.SENT_BACK
    after = entered(state, State.LEAVING, is_going_back=True, outcome=outcome)
    opening = do.OpenEntry(purpose=Purpose.WAY_BACK)
    return after, (do.StopChecks(), do.CloseExit(), *first, opening, timer(after, policy.exit_timeout_ms))


def evacuate(state: LaneState, reason: str, policy: LanePolicy) -> Step:
    if state.name is State.EVACUATING:
        return state, (do.FreeEgress(), timer(state, policy.retry_ms))
    after = entered(
        state,
        State.EVACUATING,
        outcome=state.outcome or CrossingOutcome.INTERRUPTED,
        reasons=(*state.reasons, reason),
        is_egress_ending=False,
        is_limit_spent=False,
    )
    return after, (
        do.StopChecks(),
        do.CancelInsideLimit(),
        do.FreeEgress(),
        timer(after, policy.retry_ms),
        do.SoundBuzzer(is_on=True),
        do.RaiseAlarm(reason=reason),
    )


def fail(state: LaneState, event: on.DeviceFailed, policy: LanePolicy) -> Step:
    """A failed device stops the lane, except that a way out which is already open stays open to whoever uses it."""
    after = replace(state, faults=state.faults | {event.device}, is_fault_latched=True)
    report = () if event.device in state.faults else (do.ReportFault(device=event.device, reason=event.reason),)
    is_way_back_open = policy.has_entry and state.name is State.LEAVING and state.is_going_back
    if is_way_back_open or state.name in (State.EVACUATING, State.FAULT):
        return after, report
    code = f"fault.{event.device}"
    after = entered(
        after, State.FAULT, outcome=state.outcome or CrossingOutcome.INTERRUPTED, reasons=(*state.reasons, code)
    )
    return after, (do.StopChecks(), *hold(policy), *report)


def alarm(state: LaneState, reason: str, policy: LanePolicy) -> Step:
    """Hold and call an officer. The limit of the stay always runs: what the curtain takes for a bag may be a child.

    Where it ran out before, an officer is called and the way back is asked for: the board and the guard know whether it may open.
    """
    if state.name is State.ALARM and reason in state.reasons:
        return state, shut(policy)
    if state.is_limit_spent:
        is_known = state.is_alarm_latched and reason in state.reasons
        told = () if is_known else (do.SoundBuzzer(is_on=True), do.RaiseAlarm(reason=reason))
        reasons = state.reasons if reason in state.reasons else (*state.reasons, reason)
        held = replace(state, outcome=CrossingOutcome.ALARMED, reasons=reasons, is_alarm_latched=True)
        return way_back(held, policy, *told)
    after = entered(
        state, State.ALARM, outcome=CrossingOutcome.ALARMED, reasons=(*state.reasons, reason), is_alarm_latched=True
    )
    return after, (
        do.StopChecks(),
        *hold(policy),
        do.SoundBuzzer(is_on=True),
        do.RaiseAlarm(reason=reason),
    )
