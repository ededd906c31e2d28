"""What a message of the broker's says, or why it is not believed. Nothing that a peer sends raises here."""

import json
import re
from collections.abc import Collection
from dataclasses import dataclass
from functools import lru_cache

from pydantic import ValidationError

from gate.hub.believe import stored_event
from gate.hub.records import StoredEvent
from gate.hub.rows import event_time_ms
from gate.wire.messages import Ack, CloudEvent, LaneState, LaneStatus, event_source
from gate.wire.topics import Channel, LaneTopic, parse

MAX_PAYLOAD_BYTES = 256 * 1024
MAX_SEQUENCE = 2**53
_topic = lru_cache(maxsize=4096)(parse)
_NUL = rb"\u0000"
_EVENT_ID = re.compile(r"[0-9a-f]{32}")
_CASE_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Incoming:
    """One message as the broker delivered it. ``arrived_ns`` is the monotonic clock."""

    topic: str
    payload: bytes
    arrived_ns: int
    mid: int = 0
    qos: int = 0
    connection: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Rejected:
    """A message that is not believed, and why."""

    topic: str
    payload: bytes
    reason: str
    lane: str | None = None  # whose event it was, and its id, where it can be told that repeating is in vain
    event_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LaneEvent:
    """A believed event. ``case_id`` is None when it concerns no case, or one that is another lane's."""

    lane: str
    event: CloudEvent
    stored: StoredEvent
    case_id: str | None
    body: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LaneAck:
    lane: str
    ack: Ack


@dataclass(frozen=True, slots=True, kw_only=True)
class LaneWord:
    """A lane's retained status or state."""

    lane: str
    word: LaneStatus | LaneState


Parsed = LaneEvent | LaneAck | LaneWord | Rejected


def parse_message(message: Incoming, *, port: str, lanes: Collection[str]) -> Parsed:
    """What a message says, or why it is not believed. Never raises on any topic or payload."""
    topic = _topic(message.topic)
    reason: str | None = None
    if not isinstance(topic, LaneTopic) or topic.port != port:
        reason = "foreign_topic"
    elif topic.lane not in lanes:
        reason = "unknown_lane"
    elif len(message.payload) > MAX_PAYLOAD_BYTES:
        reason = "too_long"
    if reason is not None or not isinstance(topic, LaneTopic):
        return Rejected(topic=message.topic, payload=message.payload, reason=reason or "foreign_topic")
    parsed: Parsed | str
    try:
        match topic.channel:
            case Channel.EVENT:
                parsed = _parse_event(topic.lane, port, message.payload)
            case Channel.ACK:
                ack = Ack.model_validate_json(message.payload)
                parsed = "malformed" if _NUL in message.payload else LaneAck(lane=topic.lane, ack=ack)
            case Channel.STATUS:
                parsed = LaneWord(lane=topic.lane, word=LaneStatus.model_validate_json(message.payload))
            case Channel.STATE:
                parsed = LaneWord(lane=topic.lane, word=LaneState.model_validate_json(message.payload))
            case Channel.COMMAND | Channel.RECEIPT | Channel.HELP:
                parsed = "not_for_the_hub"
    except ValidationError:
        parsed = "malformed"
    if not isinstance(parsed, str):
        return parsed
    is_event = topic.channel is Channel.EVENT
    return Rejected(
        topic=message.topic,
        payload=message.payload,
        reason=parsed,
        lane=topic.lane if is_event else None,
        event_id=_event_id(message.payload) if is_event else None,
    )


def _event_id(payload: bytes) -> str | None:
    """The id of an event that is not believed, if it has one."""
    try:
        said = json.loads(payload)
    except (ValueError, RecursionError):
        return None
    event_id = said.get("id") if isinstance(said, dict) else None
    return event_id if isinstance(event_id, str) and _EVENT_ID.fullmatch(event_id) else None


def _parse_event(lane: str, port: str, payload: bytes) -> LaneEvent | str:
    if _NUL in payload:
        return "malformed"  # PostgreSQL's text cannot hold it
    event = CloudEvent.model_validate_json(payload)
    if event.source != event_source(port, lane):
        return "forged_source"
    if event.time.tzinfo is None or event.sequence > MAX_SEQUENCE:
        return "malformed"
    data = event.typed_data()
    case_id = getattr(data, "case_id", None)
    if case_id is not None and _CASE_ID.fullmatch(case_id) is None:
        return "bad_case_id"
    if event.subject is not None and event.subject != case_id:
        return "other_subject"
    stored = stored_event(
        port=port,
        lane=lane,
        event_id=event.id,
        sequence=event.sequence,
        event_type=event.type,
        at_ms=event_time_ms(event),
        data=data,
    )
    return LaneEvent(lane=lane, event=event, stored=stored, case_id=case_id, body=payload.decode())
