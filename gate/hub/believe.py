"""Which evidence of a lane the hub believes: what has the shape, the owner, the revision and the digest that it is said to have."""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from gate.core.evidence import Attachment, Evidence, Finding
from gate.hub.quick_json import same_canonical_json
from gate.hub.records import StoredEvent
from gate.wire.messages import EventType, EvidenceRecorded, Message

_SHA256 = re.compile(r"[0-9a-f]{64}")
_EVIDENCE_KEYS, _FINDING_KEYS, _ATTACHMENT_KEYS = (len(fields(kind)) for kind in (Evidence, Finding, Attachment))


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
        texts = [evidence.port, evidence.lane, evidence.case_id]
        texts += [] if evidence.occupancy_id is None else [evidence.occupancy_id]
        for finding in evidence.findings:
            texts += (finding.code, finding.role, finding.detail)
        for attachment in evidence.attachments:
            texts += (attachment.kind, attachment.sha256, attachment.media_type)
        if set(map(type, texts)) != {str}:
            return "malformed evidence (not text)"
        digest = _digest(evidence, data.evidence)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        return f"malformed evidence ({type(error).__name__})"
    if (evidence.port, evidence.lane, evidence.case_id) != (port, lane, data.case_id):
        return "evidence of another case"
    if not _is_int(evidence.revision) or evidence.revision != data.revision or evidence.revision < 0:
        return "another revision than announced"
    if not all(_SHA256.fullmatch(item.sha256) for item in evidence.attachments):
        return "malformed evidence (attachment)"
    return evidence if digest == data.digest else "another digest than announced"


def _digest(evidence: Evidence, said: Mapping[str, Any]) -> str:
    """``evidence.digest()`` of evidence whose texts are texts. What holds every key and nothing else need not be written out anew."""
    if not _is_plain(said):
        return evidence.digest()
    leaves: list[object] = [evidence.revision]
    for finding in evidence.findings:
        leaves += (finding.measured, finding.threshold, finding.model_hash)
    return hashlib.sha256(same_canonical_json(said, leaves)).hexdigest()


def _is_plain(said: Mapping[str, Any]) -> bool:
    """Whether evidence that could be read holds nothing beyond what was read."""
    findings, attachments = said["findings"], said["attachments"]
    return (
        len(said) == _EVIDENCE_KEYS
        and type(findings) is list
        and type(attachments) is list
        and {type(item) for item in (*findings, *attachments)} <= {dict}
        and {len(item) for item in findings} <= {_FINDING_KEYS}
        and {len(item) for item in attachments} <= {_ATTACHMENT_KEYS}
    )


def _is_int(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)
