"""What can happen to a lane: facts in the past tense, made by the lane's runtime out of sensors, checks, messages and timers."""

from dataclasses import dataclass

from gate.core.release import VerifiedRelease


@dataclass(frozen=True, slots=True, kw_only=True)
class LaneFoundEmpty:
    """Sensors are fresh, every door is shut, no beam is broken."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LaneFoundOccupied:
    """Somebody or something is inside, or the sensors do not agree. ``person_count`` is None when it cannot be told, as at an open exit
    of a lane without an entry.
    """

    person_count: int | None
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TakenOutOfService:
    by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PutInService:
    by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentPlaced:
    pass


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentRemoved:
    pass


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryAdmitted:
    """Document and look-ups allow the traveller in."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryDenied:
    """Document or look-ups send the traveller to the desk."""

    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonEntered:
    """The curtain counts somebody inside and the entry's own beams are free, so that the door may shut."""

    person_count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonLeft:
    """The curtain counts nobody any more, and the beams of both doors are free. Without an entry: somebody has passed the exit."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CompanyDetected:
    """Curtain or camera count more than one person."""

    person_count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CountChanged:
    """In a lane without an entry: the curtain counts another number than before, so that what was seen of who stood there is void.

    ``is_exit_shut``: shut and locked in the same report. ``is_by_exit``: nobody is counted any more, and the last shadow was at the exit.
    """

    person_count: int | None
    is_exit_shut: bool
    is_by_exit: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Tailgated:
    """In a lane without an entry: somebody had passed the open exit and its doorway was free, and before it shut somebody stood in it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryShut:
    """The entry is shut and locked. ``person_count`` is what the curtain counts now; None when it cannot tell."""

    person_count: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ExitShut:
    """The exit is shut and locked. ``person_count`` as in :class:`EntryShut`."""

    person_count: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CrossingCleared:
    """The lane's policy finds nothing in the way. This opens no door: a release does."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CrossingReferred:
    """The lane's policy wants officers to look."""

    reasons: tuple[str, ...]
    roles: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleaseVerified:
    release: VerifiedRelease


@dataclass(frozen=True, slots=True, kw_only=True)
class DoorRefused:
    """The guard vetoed a door command, or the board did not carry it out. ``rule`` says which and why."""

    rule: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SentBack:
    """An officer wants the traveller to leave the way they came."""

    by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StateTimedOut:
    """The timer of the state of this ``generation`` ran out; one of an older generation is void."""

    generation: int


@dataclass(frozen=True, slots=True, kw_only=True)
class InsideLimitReached:
    """Somebody has been inside for as long as the policy allows without an officer's answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Acknowledged:
    """An officer has seen to an alarm, a fault or the end of an evacuation."""

    by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceFailed:
    device: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceRecovered:
    device: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DoorForced:
    door: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FireRaised:
    pass


@dataclass(frozen=True, slots=True, kw_only=True)
class FireCleared:
    pass


@dataclass(frozen=True, slots=True, kw_only=True)
class EvacuationOrdered:
    by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class EvacuationEnded:
    by: str


Event = (
    LaneFoundEmpty
    | LaneFoundOccupied
    | TakenOutOfService
    | PutInService
    | DocumentPlaced
    | DocumentRemoved
    | EntryAdmitted
    | EntryDenied
    | PersonEntered
    | PersonLeft
    | CompanyDetected
    | CountChanged
    | Tailgated
    | EntryShut
    | ExitShut
    | CrossingCleared
    | CrossingReferred
    | ReleaseVerified
    | DoorRefused
    | SentBack
    | StateTimedOut
    | InsideLimitReached
    | Acknowledged
    | DeviceFailed
    | DeviceRecovered
    | DoorForced
    | FireRaised
    | FireCleared
    | EvacuationOrdered
    | EvacuationEnded
)

EVENT_KINDS: tuple[type[Event], ...] = Event.__args__
"""Every kind of event; the lane's table has a column for each."""
