"""One valid payload of every kind that a lane sends."""

from typing import Any

from gate.core.evidence import Evidence, Finding, Outcome, Stage
from gate.wire.messages import EventType

PORT, LANE, CASE = "p", "l", "c1"
EVIDENCE = Evidence(
    port=PORT,
    lane=LANE,
    case_id=CASE,
    occupancy_id="stay",
    findings=(Finding(code="face.match", outcome=Outcome.PASS, stage=Stage.EXIT, measured=0.8, threshold=0.5),),
)
DATA: dict[EventType, dict[str, Any]] = {
    EventType.LANE_STARTED: {"boot_id": "1-abc", "software_version": "1", "model_hashes": {"m": "0" * 64}},
    EventType.CROSSING_STARTED: {"case_id": CASE},
    EventType.EVIDENCE_RECORDED: {
        "case_id": CASE,
        "revision": EVIDENCE.revision,
        "digest": EVIDENCE.digest(),
        "evidence": EVIDENCE.to_json(),
    },
    EventType.ENTRY_DECIDED: {"case_id": CASE, "is_admitted": True, "reasons": ["x"]},
    EventType.CROSSING_DECIDED: {
        "case_id": CASE,
        "decision": "clear",
        "reasons": [],
        "roles": ["customs"],
        "digest": EVIDENCE.digest(),
    },
    EventType.DOOR_COMMANDED: {
        "door": "exit",
        "position": "open",
        "purpose": "release",
        "case_id": CASE,
        "release_id": "r",
    },
    EventType.DOOR_VETOED: {"door": "exit", "rule": "no_release", "case_id": CASE},
    EventType.RELEASE_SPENT: {"case_id": CASE, "release_id": "r"},
    EventType.CROSSING_ENDED: {
        "case_id": CASE,
        "outcome": "cleared",
        "reasons": [],
        "duration_ms": 1,
        "document_to_entry_ms": 1.5,
        "face_to_exit_ms": None,
    },
    EventType.ALARM_RAISED: {"reason": "tailgating", "case_id": CASE},
    EventType.ALARM_CLEARED: {"reason": "acknowledged", "by": "ann"},
    EventType.FAULT_RAISED: {"device": "board", "reason": "silent"},
    EventType.FAULT_CLEARED: {"by": "ann"},
    EventType.CARD_SHOWN: {"reader": "staff", "record": "0" * 64},
    EventType.COMMAND_REFUSED: {"command_id": "0" * 32, "reason": "expired"},
}


def event(kind: EventType, **changes: Any) -> dict[str, Any]:
    """A whole CloudEvent of this type; its id is of the type, so that each says something new once."""
    number = list(EventType).index(kind) + 1
    envelope = {
        "specversion": "1.0",
        "id": f"{number:032x}",
        "source": f"/{PORT}/{LANE}",
        "type": kind.value,
        "time": "2026-01-01T00:00:00Z",
        "datacontenttype": "application/json",
        "traceparent": f"00-{number:032x}-{number:016x}-01",
        "sequence": number,
        "data": DATA[kind],
    }
    return envelope | changes
