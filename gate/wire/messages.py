"""Every payload on the wire, typed. Lane events are CloudEvents 1.0 in JSON; the id is the idempotency key.

Nothing here may carry a name, an MRZ, a document number, a picture or a template: those go to the evidence store over HTTPS and
are named here by their sha256.
"""

import json
import secrets
from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from gate.core.effects import CrossingOutcome

Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class Message(BaseModel):
    """The settings all payloads share: immutable, and an unknown key is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class EventType(StrEnum):
    """What a lane can report. The data model of each is :data:`EVENT_DATA`."""

    LANE_STARTED = "tongguan.lane.started"
    CROSSING_STARTED = "tongguan.crossing.started"
    EVIDENCE_RECORDED = "tongguan.evidence.recorded"
    ENTRY_DECIDED = "tongguan.entry.decided"
    CROSSING_DECIDED = "tongguan.crossing.decided"
    DOOR_COMMANDED = "tongguan.door.commanded"
    DOOR_VETOED = "tongguan.door.vetoed"
    RELEASE_SPENT = "tongguan.release.spent"
    CROSSING_ENDED = "tongguan.crossing.ended"
    ALARM_RAISED = "tongguan.alarm.raised"
    ALARM_CLEARED = "tongguan.alarm.cleared"
    FAULT_RAISED = "tongguan.fault.raised"
    FAULT_CLEARED = "tongguan.fault.cleared"
    COMMAND_REFUSED = "tongguan.command.refused"
    CARD_SHOWN = "tongguan.card.shown"


class LaneStarted(Message):
    boot_id: str
    software_version: str
    model_hashes: dict[str, str] = {}


class CrossingStarted(Message):
    case_id: str


class EvidenceRecorded(Message):
    """``evidence`` is :meth:`gate.core.evidence.Evidence.to_json`; the hub computes the digest itself and compares."""

    case_id: str
    revision: int
    digest: Sha256
    evidence: dict[str, Any]


class EntryDecided(Message):
    case_id: str
    is_admitted: bool
    reasons: list[str]


class CrossingDecided(Message):
    """The lane's own word: ``clear``, or ``refer`` with reasons and the roles that must look."""

    case_id: str
    decision: Literal["clear", "refer"]
    reasons: list[str]
    roles: list[str]
    digest: Sha256


class DoorCommanded(Message):
    door: Literal["entry", "exit"]
    position: Literal["open", "closed"]
    purpose: str
    case_id: str | None = None
    release_id: str | None = None


class DoorVetoed(Message):
    door: Literal["entry", "exit"]
    rule: str
    case_id: str | None = None


class ReleaseSpent(Message):
    case_id: str
    release_id: str


class CrossingEnded(Message):
    case_id: str
    outcome: CrossingOutcome
    reasons: list[str]
    duration_ms: int
    document_to_entry_ms: float | None = None
    face_to_exit_ms: float | None = None
    inference_ms: float | None = None  # bare model time of the whole crossing
    release_ms: float | None = (
        None  # from the lane's decision to the verified release: the hub, and its officers if any
    )


class AlarmRaised(Message):
    reason: str
    case_id: str | None = None


class AlarmCleared(Message):
    reason: str
    by: str


class FaultRaised(Message):
    device: str
    reason: str


class FaultCleared(Message):
    by: str


class CommandRefused(Message):
    command_id: str | None
    reason: str


class CardShown(Message):
    """A staff card was held to a reader of the lane. ``record`` is the sha256 of what was read, which is in the evidence store only."""

    reader: str
    record: Sha256


EVENT_DATA: dict[EventType, type[Message]] = {
    EventType.LANE_STARTED: LaneStarted,
    EventType.CROSSING_STARTED: CrossingStarted,
    EventType.EVIDENCE_RECORDED: EvidenceRecorded,
    EventType.ENTRY_DECIDED: EntryDecided,
    EventType.CROSSING_DECIDED: CrossingDecided,
    EventType.DOOR_COMMANDED: DoorCommanded,
    EventType.DOOR_VETOED: DoorVetoed,
    EventType.RELEASE_SPENT: ReleaseSpent,
    EventType.CROSSING_ENDED: CrossingEnded,
    EventType.ALARM_RAISED: AlarmRaised,
    EventType.ALARM_CLEARED: AlarmCleared,
    EventType.FAULT_RAISED: FaultRaised,
    EventType.FAULT_CLEARED: FaultCleared,
    EventType.COMMAND_REFUSED: CommandRefused,
    EventType.CARD_SHOWN: CardShown,
}


class CloudEvent(Message):
    """CloudEvents 1.0, structured JSON mode. ``sequence`` counts one lane's events from 1 without a gap, over restarts."""

    specversion: Literal["1.0"] = "1.0"
    id: str = Field(pattern=r"^[0-9a-f]{32}$")
    source: str  # "/{port}/{lane}"
    type: EventType
    time: datetime
    subject: str | None = None  # the case id, where there is one
    datacontenttype: Literal["application/json"] = "application/json"
    traceparent: str | None = Field(default=None, pattern=r"^00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$")
    sequence: int = Field(ge=1)
    data: dict[str, Any]

    def typed_data(self) -> Message:
        """``data`` as the model of its type; raises pydantic.ValidationError when it is not."""
        return EVENT_DATA[self.type].model_validate(self.data)


def cloud_event_json(
    data: Message,
    *,
    event_id: str,
    source: str,
    kind: EventType,
    at_ms: int,
    sequence: int,
    subject: str | None = None,
    traceparent: str | None = None,
) -> str:
    """A :class:`CloudEvent` of ``data`` in JSON: its text is put into the envelope as it is, where a model would take it apart again."""
    envelope: dict[str, str | int] = {
        "specversion": "1.0",
        "id": event_id,
        "source": source,
        "type": kind,
        "time": utc(at_ms).isoformat(),
        "datacontenttype": "application/json",
        "sequence": sequence,
    }
    if subject is not None:
        envelope["subject"] = subject
    if traceparent is not None:
        envelope["traceparent"] = traceparent
    head = json.dumps(envelope, ensure_ascii=False, separators=(",", ":"))
    return f'{head[:-1]},"data":{data.model_dump_json()}}}'


def event_source(port: str, lane: str) -> str:
    """The CloudEvents source of a lane."""
    return f"/{port}/{lane}"


def new_event_id() -> str:
    """128 random bits, hex."""
    return secrets.token_hex(16)


def new_traceparent() -> str:
    """A W3C Trace Context parent for one crossing (https://www.w3.org/TR/trace-context/), sampled."""
    return f"00-{secrets.token_hex(16)}-{secrets.token_hex(8)}-01"


def utc(at_ms: int) -> datetime:
    """Milliseconds since 1970 as an aware datetime."""
    return datetime.fromtimestamp(at_ms / 1000, tz=UTC)


class LaneStatus(Message):
    """Retained; the broker publishes ``is_online=false`` as the last will."""

    is_online: bool
    boot_id: str
    software_version: str


class KioskStep(StrEnum):
    """The one thing the traveller is asked to do now."""

    PLACE_DOCUMENT = "place_document"
    READING_DOCUMENT = "reading_document"
    WALK_IN = "walk_in"
    LOOK_AT_CAMERA = "look_at_camera"
    WAIT_FOR_OFFICER = "wait_for_officer"
    WALK_OUT = "walk_out"
    WALK_BACK = "walk_back"
    GO_TO_DESK = "go_to_desk"
    PLEASE_WAIT = "please_wait"
    OUT_OF_SERVICE = "out_of_service"
    EMERGENCY = "emergency"


class KioskLight(Message):
    """Colours for the kiosk to show, one after the other, each for ``step_ms``; a new ``id`` begins anew (WCAG 2.2, 2.3.1: slow, even)."""

    id: str = Field(min_length=1, max_length=32)
    colours: tuple[Annotated[str, Field(pattern=r"^#[0-9a-f]{6}$")], ...] = Field(min_length=1, max_length=12)
    step_ms: int = Field(ge=400, le=2_000)


class LaneState(Message):
    """Retained; what a lane does now, without personal data. ``hint`` is a face or document hint code for the kiosk."""

    state: str
    step: KioskStep
    hint: str | None = None
    chip_progress: float | None = Field(default=None, ge=0, le=1)  # of the document's chip, while it is being read
    lamp: str
    case_id: str | None = None
    since: datetime
    entry: str = "unknown"
    exit: str = "unknown"
    person_count: int | None = None
    issuer: str | None = None  # the document's issuing State, for the kiosk's language
    light: KioskLight | None = None
    problem: str | None = None  # an alarm's or a fault's reason, for officers
    crossings: int = 0


class HelpAsked(Message):
    """Retained; somebody at a lane's kiosk calls an officer. Screens only: it opens nothing and says nothing of who calls."""

    at: datetime
    is_taken: bool = False  # an officer is on the way


class Act(StrEnum):
    """What a hub may ask of a lane."""

    RELEASE = "release"
    FORCE_OPEN = (
        "force_open"  # a release that two officers answer for instead of the roles; every rule of the lane stands
    )
    SEND_BACK = "send_back"
    ACKNOWLEDGE = "acknowledge"
    TAKE_OUT_OF_SERVICE = "take_out_of_service"
    PUT_IN_SERVICE = "put_in_service"
    EVACUATE = "evacuate"
    END_EVACUATION = "end_evacuation"


class Command(Message):
    """The claims of a signed command (JWT names where there are some, times in seconds since 1970)."""

    iss: str  # the hub's name
    aud: str  # "{port}/{lane}"
    jti: str = Field(min_length=16, max_length=64)
    seq: int = Field(ge=1)  # rises with every command a hub sends
    iat: float
    exp: float
    act: Act
    by: str  # the officer, or "rule"
    also_by: str | None = None  # the other officer, where it takes two
    case_id: str | None = None
    occupancy_id: str | None = None
    evidence_digest: str | None = None


class AckOutcome(StrEnum):
    TAKEN = "taken"
    REFUSED = "refused"


class Ack(Message):
    """What became of a command, on the lane's ack topic."""

    command_id: str | None
    outcome: AckOutcome
    reason: str = ""


class Receipt(Message):
    """The claims of a signed receipt: these event ids of this lane are committed in the hub's store.

    ``refused`` are those of events that the hub has set aside because they break the rules of this module, which they will do however often
    they are said: the lane need not repeat them while it runs.
    """

    aud: str
    iat: float
    event_ids: list[str] = Field(default=[], max_length=1000)
    refused: list[str] = Field(default=[], max_length=1000)

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if not self.event_ids and not self.refused:
            raise ValueError("a receipt needs an event")
        return self


class CaseChanged(Message):
    """Says only that a case changed; who may see it asks the hub for it."""

    case_id: str
    lane: str
    revision: int
    status: str
    verdicts: dict[str, str]


class LookupRequest(Message):
    """What a lane asks the hub about a document, over HTTPS."""

    case_id: str
    document_number: str
    issuer: str
    nationality: str
    birth_date: str  # YYYY-MM-DD, or as printed where unknown parts are filled in
    expiry_date: str | None = None  # YYYY-MM-DD
    surname: str = ""
    given_names: str = ""
    sex: str = ""


class LookupResult(Message):
    """One look-up's answer. ``hit`` is ``False`` for nothing found, which is the only answer that does not stand in the way."""

    name: str  # "watchlist", "customs_declaration", "health_declaration"
    is_hit: bool
    role: str
    detail: str = ""


class LookupAnswer(Message):
    results: list[LookupResult]


class PrefetchedDocument(Message):
    """The answers about a passenger who is due. ``is_once``: they are good for one crossing."""

    document: Sha256  # gate.wire.prefetch.document_digest
    results: list[LookupResult]
    is_once: bool = False


class PrefetchOut(Message):
    """What a lane fetches beforehand; the answers are as of ``at_ms`` (the hub's clock), ``age_ms`` before they were sent."""

    at_ms: int
    age_ms: int = 0
    documents: list[PrefetchedDocument]
