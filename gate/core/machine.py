"""A lane: a pure ``step(state, event, policy) -> (state, effects)`` over a table of every (state, event).

There are two tables: that of the lane of two doors is here, that of the walk-through lane of one door in
:mod:`gate.core.walk_through`; the policy says which is a lane's. Emergencies come before the table, in every state. What a row ignores is
listed as ignored; a pair that is missing is an error at import. The machine proposes, the guard disposes: nothing here is trusted with
the safety of a door.
"""

from gate.core import events as on
from gate.core import transitions as to
from gate.core.emergency import Step, emergency, shut, timer
from gate.core.events import Event
from gate.core.state import LanePolicy, LaneState, State
from gate.core.table import DECISION, DOCUMENT, DOORS, FOUND, SERVICE_LATER, Row, Table, ignored, whole
from gate.core.walk_through import WALK_THROUGH


def table(policy: LanePolicy) -> Table:
    """The table of a lane of this policy."""
    return TABLE if policy.has_entry else WALK_THROUGH


def start(policy: LanePolicy) -> Step:
    """The first state, and what to do: nothing is assumed about the lane, it is looked at."""
    return LaneState(), (*shut(policy), timer(LaneState(), policy.settle_ms))


def step(state: LaneState, event: Event, policy: LanePolicy) -> Step:
    """What follows from ``event``. Raises KeyError on an event that is not in the table: that is a bug."""
    if isinstance(event, on.StateTimedOut) and event.generation != state.generation:
        return state, ()
    before_the_table = emergency(state, event, policy)
    if before_the_table is not None:
        return before_the_table
    return table(policy)[state.name, type(event)](state, event, policy)


_ROWS: dict[State, Row] = {
    State.STARTING: {
        **ignored(*DOCUMENT, *DECISION, *DOORS, on.ReleaseVerified, on.DoorRefused, on.SentBack, on.Acknowledged),
        **ignored(on.PersonEntered, on.CompanyDetected),  # CheckLane will tell
        **SERVICE_LATER,
        on.StateTimedOut: to.look,
        on.LaneFoundEmpty: to.become_ready,
        on.LaneFoundOccupied: to.found_somebody_at_start,
        on.PersonLeft: to.shut_again,
        on.InsideLimitReached: to.limit_reached,
        on.DeviceRecovered: to.recovered,
    },
    State.OUT_OF_SERVICE: {
        **ignored(*DOCUMENT, *DECISION, *DOORS, *FOUND, on.ReleaseVerified, on.DoorRefused, on.SentBack),
        **ignored(on.PersonLeft, on.Acknowledged, on.StateTimedOut, on.InsideLimitReached, on.TakenOutOfService),
        on.PutInService: to.put_in_service,
        on.PersonEntered: to.intrusion,
        on.CompanyDetected: to.intrusion,
        on.DeviceRecovered: to.recovered,
    },
    State.READY: {
        **ignored(on.DocumentRemoved, on.EntryAdmitted, on.EntryDenied, *DECISION, *DOORS, *FOUND),
        **ignored(on.ReleaseVerified, on.DoorRefused, on.SentBack, on.PersonLeft, on.Acknowledged),
        **ignored(on.StateTimedOut, on.InsideLimitReached, on.PutInService),
        on.DocumentPlaced: to.begin,
        on.TakenOutOfService: to.take_out_of_service,
        on.PersonEntered: to.intrusion,
        on.CompanyDetected: to.intrusion,
        on.DeviceRecovered: to.recovered,
    },
    State.READING_DOCUMENT: {
        **ignored(on.DocumentPlaced, *DECISION, *DOORS, *FOUND, on.ReleaseVerified, on.DoorRefused, on.SentBack),
        **ignored(on.PersonLeft, on.Acknowledged, on.InsideLimitReached),
        **SERVICE_LATER,
        on.EntryAdmitted: to.admit,
        on.EntryDenied: to.deny,
        on.DocumentRemoved: to.document_taken_away,
        on.StateTimedOut: to.deny_unread,
        on.PersonEntered: to.intrusion,
        on.CompanyDetected: to.intrusion,
        on.DeviceRecovered: to.recovered,
    },
    State.ENTRY_OPEN: {
        **ignored(*DOCUMENT, *DECISION, on.ReleaseVerified, on.SentBack, on.ExitShut, on.PersonLeft),
        **ignored(on.Acknowledged, on.LaneFoundOccupied),
        **SERVICE_LATER,
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
        **ignored(*DOCUMENT, *DOORS, *FOUND, on.PersonEntered, on.DoorRefused, on.Acknowledged),
        **SERVICE_LATER,
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
        **ignored(*DOCUMENT, *DOORS, *FOUND, on.PersonEntered, on.PersonLeft, on.DoorRefused, on.CrossingCleared),
        **ignored(on.StateTimedOut, on.Acknowledged),
        **SERVICE_LATER,
        on.CrossingReferred: to.refer_more,
        on.ReleaseVerified: to.open_exit,
        on.SentBack: to.open_way_back,
        on.CompanyDetected: to.company,
        on.InsideLimitReached: to.limit_reached,
        on.DeviceRecovered: to.recovered,
    },
    State.CLEARED: {
        **ignored(*DOCUMENT, *DECISION, on.PersonEntered, on.ReleaseVerified, on.SentBack, on.EntryShut),
        **ignored(on.Acknowledged, on.LaneFoundOccupied),
        **SERVICE_LATER,
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
        **ignored(*DOCUMENT, *DECISION, on.PersonEntered, on.ReleaseVerified, on.LaneFoundOccupied),
        **SERVICE_LATER,
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
        **ignored(*DOCUMENT, *DECISION, *DOORS, on.ReleaseVerified, on.DoorRefused, on.SentBack),
        **ignored(on.Acknowledged, on.InsideLimitReached, on.PersonEntered, on.CompanyDetected),  # CheckLane will tell
        **SERVICE_LATER,
        on.StateTimedOut: to.look,
        on.LaneFoundEmpty: to.become_ready,
        on.LaneFoundOccupied: to.left_something,
        on.PersonLeft: to.shut_again,
        on.DeviceRecovered: to.recovered,
    },
    State.ALARM: {
        **ignored(*DOCUMENT, *DECISION, *DOORS, on.ReleaseVerified, on.DoorRefused, on.StateTimedOut),
        **ignored(on.PersonLeft, on.LaneFoundEmpty),
        **SERVICE_LATER,
        on.LaneFoundOccupied: to.note_somebody,
        on.PersonEntered: to.note_somebody,
        on.CompanyDetected: to.note_somebody,
        on.Acknowledged: to.alarm_seen_to,
        on.SentBack: to.open_way_back,
        on.InsideLimitReached: to.limit_reached,
        on.DeviceRecovered: to.recovered,
    },
    State.EVACUATING: {
        **ignored(*DOCUMENT, *DECISION, *DOORS, *FOUND, on.ReleaseVerified, on.DoorRefused),
        **ignored(on.PersonEntered, on.PersonLeft, on.CompanyDetected, on.SentBack, on.InsideLimitReached),
        **SERVICE_LATER,
        on.StateTimedOut: to.free_again,
        on.Acknowledged: to.evacuation_seen_to,
        on.DeviceRecovered: to.recovered,
    },
    State.FAULT: {
        **ignored(*DOCUMENT, *DECISION, *DOORS, on.ReleaseVerified, on.DoorRefused, on.StateTimedOut),
        **ignored(on.PersonLeft, on.LaneFoundEmpty),
        **SERVICE_LATER,
        on.LaneFoundOccupied: to.note_somebody,
        on.PersonEntered: to.note_somebody,
        on.CompanyDetected: to.note_somebody,
        on.Acknowledged: to.fault_seen_to,
        on.SentBack: to.open_way_back,
        on.InsideLimitReached: to.limit_reached,
        on.DeviceRecovered: to.recovered,
    },
}

TABLE = whole(_ROWS, never=(on.CountChanged, on.Tailgated))
