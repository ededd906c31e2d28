"""The two-door lane: a pure ``step(state, event, policy) -> (state, effects)`` over a table of every (state, event).

Emergencies come before the table, in every state. What a row ignores is listed as ignored; a pair that is missing is an error at
import. The machine proposes, the guard disposes: nothing here is trusted with the safety of a door.
"""

from gate.core import effects as do
from gate.core import events as on
from gate.core import transitions as to
from gate.core.emergency import Handler, Step, emergency, timer
from gate.core.events import EVENT_KINDS, Event
from gate.core.state import LanePolicy, LaneState, State


def start(policy: LanePolicy) -> Step:
    """The first state, and what to do: nothing is assumed about the lane, it is looked at."""
    return LaneState(), (do.CloseExit(), do.CloseEntry(), timer(LaneState(), policy.settle_ms))


def step(state: LaneState, event: Event, policy: LanePolicy) -> Step:
    """What follows from ``event``. Raises KeyError on an event that is not in the table: that is a bug."""
    if isinstance(event, on.StateTimedOut) and event.generation != state.generation:
        return state, ()
    before_the_table = emergency(state, event, policy)
    if before_the_table is not None:
        return before_the_table
    return TABLE[state.name, type(event)](state, event, policy)


_EMERGENCIES: dict[type[Event], Handler] = dict.fromkeys(
    (on.FireRaised, on.EvacuationOrdered, on.DeviceFailed, on.DoorForced), to.ignore
)  # handled before the table; the row is there so that every pair is listed


def _ignored(*kinds: type[Event]) -> dict[type[Event], Handler]:
    return dict.fromkeys(kinds, to.ignore)


_DOCUMENT = (on.DocumentPlaced, on.DocumentRemoved, on.EntryAdmitted, on.EntryDenied)
_DECISION = (on.CrossingCleared, on.CrossingReferred)
_DOORS = (on.EntryShut, on.ExitShut)
_FOUND = (on.LaneFoundEmpty, on.LaneFoundOccupied)
_EMERGENCY_ENDS: dict[type[Event], Handler] = {on.FireCleared: to.fire_is_out, on.EvacuationEnded: to.order_is_over}
_SERVICE_LATER: dict[type[Event], Handler] = {on.TakenOutOfService: to.take_out_later, on.PutInService: to.serve_on}

_ROWS: dict[State, dict[type[Event], Handler]] = {
    State.STARTING: {
        **_ignored(*_DOCUMENT, *_DECISION, *_DOORS, on.ReleaseVerified, on.DoorRefused, on.SentBack, on.Acknowledged),
        **_ignored(on.PersonEntered, on.CompanyDetected),  # CheckLane will tell
        **_SERVICE_LATER,
        on.StateTimedOut: to.look,
        on.LaneFoundEmpty: to.become_ready,
        on.LaneFoundOccupied: to.found_somebody_at_start,
        on.PersonLeft: to.shut_again,
        on.InsideLimitReached: to.limit_reached,
        on.DeviceRecovered: to.recovered,
    },
    State.OUT_OF_SERVICE: {
        **_ignored(*_DOCUMENT, *_DECISION, *_DOORS, *_FOUND, on.ReleaseVerified, on.DoorRefused, on.SentBack),
        **_ignored(on.PersonLeft, on.Acknowledged, on.StateTimedOut, on.InsideLimitReached, on.TakenOutOfService),
        on.PutInService: to.put_in_service,
        on.PersonEntered: to.intrusion,
        on.CompanyDetected: to.intrusion,
        on.DeviceRecovered: to.recovered,
    },
    State.READY: {
        **_ignored(on.DocumentRemoved, on.EntryAdmitted, on.EntryDenied, *_DECISION, *_DOORS, *_FOUND),
        **_ignored(on.ReleaseVerified, on.DoorRefused, on.SentBack, on.PersonLeft, on.Acknowledged),
        **_ignored(on.StateTimedOut, on.InsideLimitReached, on.PutInService),
        on.DocumentPlaced: to.begin,
        on.TakenOutOfService: to.take_out_of_service,
        on.PersonEntered: to.intrusion,
        on.CompanyDetected: to.intrusion,
        on.DeviceRecovered: to.recovered,
    },
    State.READING_DOCUMENT: {
        **_ignored(on.DocumentPlaced, *_DECISION, *_DOORS, *_FOUND, on.ReleaseVerified, on.DoorRefused, on.SentBack),
        **_ignored(on.PersonLeft, on.Acknowledged, on.InsideLimitReached),
        **_SERVICE_LATER,
        on.EntryAdmitted: to.admit,
        on.EntryDenied: to.deny,
        on.DocumentRemoved: to.document_taken_away,
        on.StateTimedOut: to.deny_unread,
        on.PersonEntered: to.intrusion,
        on.CompanyDetected: to.intrusion,
        on.DeviceRecovered: to.recovered,
    },
    State.ENTRY_OPEN: {
        **_ignored(*_DOCUMENT, *_DECISION, on.ReleaseVerified, on.SentBack, on.ExitShut, on.PersonLeft),
        **_ignored(on.Acknowledged, on.LaneFoundOccupied),
        **_SERVICE_LATER,
        on.LaneFoundEmpty: to.entry_found_empty,
        on.PersonEntered: to.shut_entry_behind,
        on.EntryShut: to.entry_is_shut,
        on.CompanyDetected: to.company,
        on.StateTimedOut: to.nobody_came,
        on.InsideLimitReached: to.limit_reached,
        on.DoorRefused: to.entry_refused,
        on.DeviceRecovered: to.recovered,
    },
    State.OCCUPIED: {
        **_ignored(*_DOCUMENT, *_DOORS, *_FOUND, on.PersonEntered, on.DoorRefused, on.Acknowledged),
        **_SERVICE_LATER,
        on.CrossingCleared: to.await_release,
        on.CrossingReferred: to.refer,
        on.ReleaseVerified: to.open_exit,
        on.SentBack: to.open_way_back,
        on.StateTimedOut: to.refer_late,
        on.PersonLeft: to.refer_vanished,
        on.CompanyDetected: to.company,
        on.InsideLimitReached: to.limit_reached,
        on.DeviceRecovered: to.recovered,
    },
    State.REFERRED: {
        **_ignored(*_DOCUMENT, *_DOORS, *_FOUND, on.PersonEntered, on.PersonLeft, on.DoorRefused, on.CrossingCleared),
        **_ignored(on.StateTimedOut, on.Acknowledged),
        **_SERVICE_LATER,
        on.CrossingReferred: to.refer_more,
        on.ReleaseVerified: to.open_exit,
        on.SentBack: to.open_way_back,
        on.CompanyDetected: to.company,
        on.InsideLimitReached: to.limit_reached,
        on.DeviceRecovered: to.recovered,
    },
    State.CLEARED: {
        **_ignored(*_DOCUMENT, *_DECISION, on.PersonEntered, on.ReleaseVerified, on.SentBack, on.EntryShut),
        **_ignored(on.Acknowledged, on.LaneFoundOccupied),
        **_SERVICE_LATER,
        on.LaneFoundEmpty: to.exit_found_empty,
        on.PersonLeft: to.shut_exit_behind,
        on.ExitShut: to.exit_is_shut,
        on.StateTimedOut: to.did_not_leave,
        on.DoorRefused: to.exit_refused,
        on.CompanyDetected: to.company,
        on.InsideLimitReached: to.exit_not_passed,
        on.DeviceRecovered: to.recovered,
    },
    State.LEAVING: {
        **_ignored(*_DOCUMENT, *_DECISION, on.PersonEntered, on.ReleaseVerified, on.LaneFoundOccupied),
        **_SERVICE_LATER,
        on.InsideLimitReached: to.exit_not_passed,
        on.LaneFoundEmpty: to.leaving_found_empty,
        on.PersonLeft: to.is_out,
        on.ExitShut: to.leaving_exit_shut,
        on.EntryShut: to.leaving_entry_shut,
        on.StateTimedOut: to.leaving_slowly,
        on.DoorRefused: to.leaving_refused,
        on.CompanyDetected: to.leaving_company,
        on.SentBack: to.open_way_back,
        on.Acknowledged: to.leaving_acknowledged,
        on.DeviceRecovered: to.recovered,
    },
    State.CHECKING: {
        **_ignored(*_DOCUMENT, *_DECISION, *_DOORS, on.ReleaseVerified, on.DoorRefused, on.SentBack),
        **_ignored(on.Acknowledged, on.InsideLimitReached, on.PersonEntered, on.CompanyDetected),  # CheckLane will tell
        **_SERVICE_LATER,
        on.StateTimedOut: to.look,
        on.LaneFoundEmpty: to.become_ready,
        on.LaneFoundOccupied: to.left_something,
        on.PersonLeft: to.shut_again,
        on.DeviceRecovered: to.recovered,
    },
    State.ALARM: {
        **_ignored(*_DOCUMENT, *_DECISION, *_DOORS, *_FOUND, on.ReleaseVerified, on.DoorRefused, on.StateTimedOut),
        **_ignored(on.PersonLeft),
        **_SERVICE_LATER,
        on.PersonEntered: to.note_somebody,
        on.CompanyDetected: to.note_somebody,
        on.Acknowledged: to.alarm_seen_to,
        on.SentBack: to.open_way_back,
        on.InsideLimitReached: to.limit_reached,
        on.DeviceRecovered: to.recovered,
    },
    State.EVACUATING: {
        **_ignored(*_DOCUMENT, *_DECISION, *_DOORS, *_FOUND, on.ReleaseVerified, on.DoorRefused),
        **_ignored(on.PersonEntered, on.PersonLeft, on.CompanyDetected, on.SentBack, on.InsideLimitReached),
        **_SERVICE_LATER,
        on.StateTimedOut: to.free_again,
        on.Acknowledged: to.evacuation_seen_to,
        on.DeviceRecovered: to.recovered,
    },
    State.FAULT: {
        **_ignored(*_DOCUMENT, *_DECISION, *_DOORS, *_FOUND, on.ReleaseVerified, on.DoorRefused, on.StateTimedOut),
        **_ignored(on.PersonLeft),
        **_SERVICE_LATER,
        on.PersonEntered: to.note_somebody,
        on.CompanyDetected: to.note_somebody,
        on.Acknowledged: to.fault_seen_to,
        on.SentBack: to.open_way_back,
        on.InsideLimitReached: to.limit_reached,
        on.DeviceRecovered: to.recovered,
    },
}

TABLE: dict[tuple[State, type[Event]], Handler] = {
    (state, kind): handler
    for state, row in _ROWS.items()
    for kind, handler in {**_EMERGENCIES, **_EMERGENCY_ENDS, **row}.items()
}

_missing = [(state.value, kind.__name__) for state in State for kind in EVENT_KINDS if (state, kind) not in TABLE]
if _missing:
    raise RuntimeError(f"the lane's table has no entry for {_missing}")
