"""What the tables of both kinds of lane are made of: groups of events, and the making of a whole table out of its rows."""

from gate.core import events as on
from gate.core import transitions as to
from gate.core.emergency import Handler
from gate.core.events import EVENT_KINDS, Event
from gate.core.state import State

Row = dict[type[Event], Handler]
Table = dict[tuple[State, type[Event]], Handler]

DOCUMENT = (on.DocumentPlaced, on.DocumentRemoved, on.EntryAdmitted, on.EntryDenied)
DECISION = (on.CrossingCleared, on.CrossingReferred)
DOORS = (on.EntryShut, on.ExitShut)
FOUND = (on.LaneFoundEmpty, on.LaneFoundOccupied)


def ignored(*kinds: type[Event]) -> Row:
    """Columns in which nothing happens."""
    return dict.fromkeys(kinds, to.ignore)


SERVICE_LATER: Row = {on.TakenOutOfService: to.take_out_later, on.PutInService: to.serve_on}
_EMERGENCIES = ignored(
    on.FireRaised, on.EvacuationOrdered, on.DeviceFailed, on.DoorForced
)  # handled before the table; the row is there so that every pair is listed
_EMERGENCY_ENDS: Row = {on.FireCleared: to.fire_is_out, on.EvacuationEnded: to.order_is_over}


def whole(rows: dict[State, Row], *, never: tuple[type[Event], ...]) -> Table:
    """The table of ``rows``. ``never``: what does not happen to this kind of lane. RuntimeError when a pair is missing."""
    table = {
        (state, kind): handler
        for state, row in rows.items()
        for kind, handler in {**_EMERGENCIES, **_EMERGENCY_ENDS, **ignored(*never), **row}.items()
    }
    missing = [(state.value, kind.__name__) for state in State for kind in EVENT_KINDS if (state, kind) not in table]
    if missing:
        raise RuntimeError(f"the lane's table has no entry for {missing}")
    return table
