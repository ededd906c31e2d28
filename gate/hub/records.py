"""What the store hands to the pure parts: events, and commands with what became of them."""

from dataclasses import dataclass
from enum import StrEnum

from gate.core.evidence import Evidence
from gate.wire.messages import Act, EventType, Message


class CommandState(StrEnum):
    """What became of a command. Only SENT, TAKEN and SPENT releases may still open, or have opened, an exit."""

    SENT = "sent"
    TAKEN = "taken"
    SPENT = "spent"
    REFUSED = "refused"
    EXPIRED = "expired"  # its time ran out and the lane never answered
    LAPSED = "lapsed"  # the lane took it, and its time ran out unused


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredEvent:
    """An event out of the store. ``data`` is of the model of its ``type``; ``at_ms`` is the lane's clock.

    ``evidence`` is what :func:`gate.hub.believe.check_evidence` made of an EvidenceRecorded, None for other types.
    """

    id: str
    lane: str
    sequence: int
    type: EventType
    at_ms: int
    data: Message
    evidence: Evidence | str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandRecord:
    """A command the hub issued for a case."""

    seq: int
    command_id: str
    act: Act
    author: str
    evidence_digest: str | None
    issued_ms: int
    expires_ms: int
    state: CommandState
    note: str = ""
    reason: str = ""
    settled_ms: int | None = None
