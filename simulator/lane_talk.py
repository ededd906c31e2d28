"""What lanes say of ordinary crossings, as many as are wanted, without lanes: for measurements and kill tests of the hub.

The messages are those that ``gate.lane.casework`` makes of a crossing without a referral, with as many findings and pictures.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import Any

from gate.core.evidence import Attachment, Evidence, Finding, Outcome, Stage
from gate.wire.messages import CloudEvent, EventType, event_source, new_event_id, new_traceparent, utc

_ENTRY_CODES = (
    "document.present",
    "document.type",
    "document.expiry",
    "document.check_digits",
    "document.visual_zone",
    "document.raster",
    "document.photocopy",
    "document.sheet",
    "chip.passive_authentication",
    "chip.active_authentication",
    "lookup.watchlist",
    "lookup.customs_declaration",
    "lookup.health_declaration",
)
_EXIT_CODES = ("person.count", "face.match", "face.presentation", "temperature.reading")
MESSAGES_PER_CROSSING = 10


class TalkingLane:
    """Numbers and dates the events of one lane; ``clock_ms`` is the wall clock when it speaks."""

    def __init__(self, port: str, lane: str) -> None:
        self._port = port
        self._lane = lane
        self.sequence = 0

    def crossing(self, case_id: str, clock_ms: int) -> Iterator[tuple[str, bytes]]:
        """(event id, payload) of one crossing from start to end, in order: MESSAGES_PER_CROSSING of them."""
        trace = new_traceparent()

        def say(kind: EventType, **data: Any) -> tuple[str, bytes]:
            self.sequence += 1
            event = CloudEvent(
                id=new_event_id(),
                source=event_source(self._port, self._lane),
                type=kind,
                time=utc(clock_ms),
                subject=case_id,
                traceparent=trace,
                sequence=self.sequence,
                data=data | {"case_id": case_id},
            )
            return event.id, event.model_dump_json(exclude_none=True).encode()

        def record(item: Evidence) -> tuple[str, bytes]:
            return say(
                EventType.EVIDENCE_RECORDED, revision=item.revision, digest=item.digest(), evidence=item.to_json()
            )

        yield say(EventType.CROSSING_STARTED)
        entry = Evidence(port=self._port, lane=self._lane, case_id=case_id).extended(
            findings=tuple(_finding(code, Stage.ENTRY) for code in _ENTRY_CODES),
            attachments=tuple(_attachment(kind, case_id) for kind in ("page", "portrait", "private")),
        )
        yield record(entry)
        yield say(EventType.ENTRY_DECIDED, is_admitted=True, reasons=[])
        yield say(EventType.DOOR_COMMANDED, door="entry", position="open", purpose="admit")
        yield say(EventType.DOOR_COMMANDED, door="entry", position="closed", purpose="admit")
        inside = entry.extended(
            findings=tuple(_finding(code, Stage.EXIT) for code in _EXIT_CODES),
            attachments=(_attachment("live", case_id),),
            occupancy_id=f"1-{case_id}",
        )
        yield record(inside)
        yield say(EventType.CROSSING_DECIDED, decision="clear", reasons=[], roles=[], digest=inside.digest())
        yield say(EventType.DOOR_COMMANDED, door="exit", position="open", purpose="release")
        yield say(EventType.DOOR_COMMANDED, door="exit", position="closed", purpose="release")
        yield say(
            EventType.CROSSING_ENDED,
            outcome="cleared",
            reasons=[],
            duration_ms=8_200,
            document_to_entry_ms=412.5,
            face_to_exit_ms=633.25,
            inference_ms=390.0,
            release_ms=24.0,
        )


def talk(port: str, lanes: list[str], crossings: int, clock_ms: int) -> Iterator[tuple[str, str, bytes]]:
    """(lane, event id, payload) of ``crossings`` crossings: every lane has one at a time, and all lanes speak by turns."""
    speakers = {lane: TalkingLane(port, lane) for lane in lanes}
    waiting = [(lane, f"{lane}-{number}") for number in range(-(-crossings // len(lanes))) for lane in lanes][
        :crossings
    ]
    for start in range(0, len(waiting), len(lanes)):
        under_way = [
            (lane, speakers[lane].crossing(case_id, clock_ms)) for lane, case_id in waiting[start:][: len(lanes)]
        ]
        for _ in range(MESSAGES_PER_CROSSING):
            for lane, words in under_way:
                yield (lane, *next(words))


def _finding(code: str, stage: Stage) -> Finding:
    model = hashlib.sha256(code.encode()).hexdigest()
    return Finding(code=code, outcome=Outcome.PASS, stage=stage, measured=0.8125, threshold=0.5, model_hash=model)


def _attachment(kind: str, case_id: str) -> Attachment:
    return Attachment(
        kind=kind, sha256=hashlib.sha256(f"{kind} {case_id}".encode()).hexdigest(), media_type="image/jpeg"
    )
