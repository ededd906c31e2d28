"""What a lane wants done: imperative, idempotent, carried out by the lane's executor and, for doors, only past the guard."""

from dataclasses import dataclass
from enum import StrEnum

from gate.core.release import VerifiedRelease


class CrossingOutcome(StrEnum):
    """How a crossing ended."""

    CLEARED = "cleared"  # the exit opened and no officer was needed
    RELEASED_BY_OFFICER = "released_by_officer"
    DENIED_ENTRY = "denied_entry"  # sent to the desk before door 1
    SENT_BACK = "sent_back"  # left by the entry, on an officer's word or after the time limit
    ABANDONED = "abandoned"  # the document was taken away, or door 1 opened and nobody came
    ALARMED = "alarmed"  # ended in an alarm that an officer acknowledged
    INTERRUPTED = "interrupted"  # the lane restarted, failed or was evacuated in the middle


class Purpose(StrEnum):
    """Why the entry opens."""

    ADMIT = "admit"
    WAY_BACK = "way_back"


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenEntry:
    purpose: Purpose


@dataclass(frozen=True, slots=True, kw_only=True)
class CloseEntry:
    pass


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenExit:
    release: VerifiedRelease


@dataclass(frozen=True, slots=True, kw_only=True)
class CloseExit:
    pass


@dataclass(frozen=True, slots=True, kw_only=True)
class FreeEgress:
    """Open both ways out, in an evacuation only."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EndEgress:
    """The evacuation is over: the board may shut its doors again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SoundBuzzer:
    is_on: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class StartStateTimer:
    """Replaces the timer of the state before. Its expiry is ``StateTimedOut(generation)``."""

    duration_ms: int
    generation: int


@dataclass(frozen=True, slots=True, kw_only=True)
class StartInsideLimit:
    """Starts the limit of a stay unless it runs already."""

    duration_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelInsideLimit:
    pass


@dataclass(frozen=True, slots=True, kw_only=True)
class BeginCrossing:
    """Open a case and read the document."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CaptureFace:
    """Start the checks of the person inside."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StopChecks:
    """Stop reading and capturing; what is still under way is void."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VoidStay:
    """Who stands in the lane may be somebody else than before: the face has to be seen anew, what is known of the document stays."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckLane:
    """Look whether the lane is empty: answered by ``LaneFoundEmpty`` or ``LaneFoundOccupied``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EndCrossing:
    """Report how it ended and wipe the biometrics."""

    outcome: CrossingOutcome
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RaiseAlarm:
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ClearAlarm:
    by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportFault:
    device: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportFaultsCleared:
    by: str


Effect = (
    OpenEntry
    | CloseEntry
    | OpenExit
    | CloseExit
    | FreeEgress
    | EndEgress
    | SoundBuzzer
    | StartStateTimer
    | StartInsideLimit
    | CancelInsideLimit
    | BeginCrossing
    | CaptureFace
    | StopChecks
    | VoidStay
    | CheckLane
    | EndCrossing
    | RaiseAlarm
    | ClearAlarm
    | ReportFault
    | ReportFaultsCleared
)
