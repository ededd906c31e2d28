"""Which evidence of a lane the hub believes: what has the shape, the owner, the revision and the digest that it is said to have."""

import re

from gate.core.evidence import Evidence
from gate.hub.records import StoredEvent
from gate.wire.messages import EventType, EvidenceRecorded, Message

_SHA256 = re.compile(r"[0-9a-f]{64}")


def stored_event(
    *, port: str, lane: str, event_id: str, sequence: int, event_type: EventType, at_ms: int, data: Message
) -> StoredEvent:
    """An event as :func:`fold_case` takes it, its evidence checked."""
    return StoredEvent(
        id=event_id,
        lane=lane,
        sequence=sequence,
        type=event_type,
        at_ms=at_ms,
        data=data,
        evidence=check_evidence(port, lane, data) if isinstance(data, EvidenceRecorded) else None,
    )


def check_evidence(port: str, lane: str, data: EvidenceRecorded) -> Evidence | str:
    """The evidence that ``data`` carries, or why it is not believed: the hub computes the digest itself."""
    try:
        evidence = Evidence.from_json(data.evidence)
        digest = evidence.digest()
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        return f"malformed evidence ({type(error).__name__})"
    if (evidence.port, evidence.lane, evidence.case_id) != (port, lane, data.case_id):
        return "evidence of another case"
    if not _is_int(evidence.revision) or evidence.revision != data.revision or evidence.revision < 0:
        return "another revision than announced"
    texts = [evidence.occupancy_id or ""]
    texts += [text for item in evidence.findings for text in (item.code, item.role, item.detail)]
    texts += [text for item in evidence.attachments for text in (item.kind, item.sha256, item.media_type)]
    if not all(_is_text(text) for text in texts):
        return "malformed evidence (not text)"
    if not all(_SHA256.fullmatch(item.sha256) for item in evidence.attachments):
        return "malformed evidence (attachment)"
    return evidence if digest == data.digest else "another digest than announced"


def _is_int(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_text(value: object) -> bool:
    return isinstance(value, str)
