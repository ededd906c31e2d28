"""What a lane is doing and the times it goes by."""

from dataclasses import dataclass
from enum import StrEnum

from gate.core.effects import CrossingOutcome


class State(StrEnum):
    STARTING = "starting"
    OUT_OF_SERVICE = "out_of_service"
    READY = "ready"
    READING_DOCUMENT = "reading_document"
    ENTRY_OPEN = "entry_open"
    OCCUPIED = "occupied"
    CLEARED = "cleared"
    LEAVING = "leaving"
    CHECKING = "checking"
    REFERRED = "referred"
    ALARM = "alarm"
    EVACUATING = "evacuating"
    FAULT = "fault"


@dataclass(frozen=True, slots=True, kw_only=True)
class LanePolicy:
    """The times of a lane, in milliseconds, each > 0 (the notice may be 0), and which of the two tables it goes by.

    ``has_entry`` False: a walk-through lane of one door (:mod:`gate.core.walk_through`), which anybody may walk into and out of.
    """

    document_timeout_ms: int = 6_000
    entry_timeout_ms: int = 10_000
    face_timeout_ms: int = 8_000
    release_wait_ms: int = 3_000
    exit_timeout_ms: int = 10_000
    inside_limit_ms: int = 90_000
    desk_notice_ms: int = 4_000
    settle_ms: int = 300
    retry_ms: int = 1_000
    has_entry: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class LaneState:
    """Everything the machine knows. ``generation`` counts entries into states; a timer of another generation is void.

    ``outcome`` is set once the end of the crossing is known and reported when the lane was found empty; ``is_crossing`` says that
    there is one to report. Alarms and faults latch: they outlive the stay of whoever caused them, until an officer acknowledges;
    ``faults`` are the devices that are out now, ``is_fault_latched`` says that one was and nobody has seen to it.
    ``is_egress_ending`` says that an officer ended an evacuation and the lane was not found shut since.
    ``is_limit_spent`` says that the limit of the present stay ran out: the lane stays Leaving, with the way back
    asked for, until it is empty or evacuated; neither a fault nor its acknowledgement begins another limit.
    ``is_crowded`` and ``looks_left`` are a walk-through lane's: somebody else stands beside the traveller whom it waits for, and how
    often it still looks before it gives up waiting.
    """

    name: State = State.STARTING
    generation: int = 0
    is_crossing: bool = False
    is_going_back: bool = False
    was_referred: bool = False
    outcome: CrossingOutcome | None = None
    reasons: tuple[str, ...] = ()
    faults: frozenset[str] = frozenset()
    is_fire: bool = False
    is_evacuation_ordered: bool = False
    is_alarm_latched: bool = False
    is_fault_latched: bool = False
    is_egress_ending: bool = False
    is_limit_spent: bool = False
    is_crowded: bool = False
    looks_left: int = 0
    is_service_wanted: bool = True
