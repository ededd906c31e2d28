"""What tests of the hub are made with: a site, keys, and a lane that says what a lane would say."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from argon2 import PasswordHasher

from config.loader import parse_site
from config.schema import Site
from gate.core.clock import Clock, ManualClock
from gate.core.evidence import Attachment, Evidence, Finding, Outcome, Stage
from gate.hub.accounts import Accounts
from gate.hub.heard import Incoming
from gate.hub.service import Hub
from gate.wire.messages import CloudEvent, EventType, event_source, new_event_id, utc
from gate.wire.signing import SigningKey

PORT = "p"
LANES = ("lane-1", "lane-2")
PASSWORD = "a good long password"
LANE_KEYS = {lane: SigningKey.generate() for lane in LANES}
HUB_KEY = SigningKey.generate()


def make_site(state_dir: Path, *, broker_port: int = 1, **changes: Any) -> Site:
    """Three roles (border sees no pictures), two lanes; nothing listens at ``broker_port`` unless a test says so."""
    roles = [
        {"id": "customs", "title": "Customs", "title_zh": "海关", "colour": "#000000"},
        {"id": "quarantine", "title": "Quarantine", "title_zh": "检疫", "colour": "#000000"},
        {
            "id": "border",
            "title": "Border",
            "title_zh": "边检",
            "colour": "#000000",
            "is_required": False,
            "sees": ["findings"],
        },
    ]
    lanes = [
        {
            "id": lane,
            "board": {"port": f"/dev/none-{lane}"},
            "face_camera": {"kind": "folder", "source": "x"},
            "document_camera": {"kind": "folder", "source": "x"},
        }
        for lane in LANES
    ]
    data: dict[str, Any] = {
        "port": {"id": PORT, "title": "Port"},
        "state_dir": str(state_dir),
        "broker": {"port": broker_port},
        "role": roles,
        "lane": lanes,
    }
    return parse_site(data | changes, origin="test")


def make_hub(site: Site, clock: Clock) -> Hub:
    hub = Hub(site, HUB_KEY, {lane: key.public() for lane, key in LANE_KEYS.items()}, clock)
    quick = PasswordHasher(time_cost=1, memory_cost=64, parallelism=1)
    hub.accounts = Accounts(hub.store, clock=clock, site=site, hasher=quick)
    return hub


def finding(code: str = "document.expired", role: str = "border", *, is_fine: bool = False) -> Finding:
    return Finding(code=code, outcome=Outcome.PASS if is_fine else Outcome.REFER, stage=Stage.EXIT, role=role)


class FakeLane:
    """Says a lane's events about one case after the other; ``messages`` is what it said."""

    def __init__(self, clock: Clock | None = None, lane: str = "lane-1") -> None:
        self.clock = clock or ManualClock()
        self.lane = lane
        self.sequence = 0
        self.evidence = Evidence(port=PORT, lane=lane, case_id="none")

    def say(self, event_type: EventType, data: dict[str, Any], **changes: Any) -> Incoming:
        self.sequence += 1
        event = CloudEvent(
            id=new_event_id(),
            source=event_source(PORT, self.lane),
            type=event_type,
            time=utc(self.clock.utc_ms()),
            sequence=self.sequence,
            data=data,
        ).model_copy(update=changes)
        return self.message("event", event.model_dump_json())

    def message(self, channel: str, payload: str | bytes) -> Incoming:
        raw = payload.encode() if isinstance(payload, str) else payload
        return Incoming(topic=f"tongguan/v1/{PORT}/{self.lane}/{channel}", payload=raw, arrived_ns=0)

    def start(self, case_id: str) -> Incoming:
        self.evidence = Evidence(port=PORT, lane=self.lane, case_id=case_id)
        return self.say(EventType.CROSSING_STARTED, {"case_id": case_id})

    def record(self, *findings: Finding, attachments: tuple[Attachment, ...] = (), inside: bool = True) -> Incoming:
        self.evidence = self.evidence.extended(
            findings=findings, attachments=attachments, occupancy_id="stay-1" if inside else None
        )
        return self.say(
            EventType.EVIDENCE_RECORDED,
            {
                "case_id": self.evidence.case_id,
                "revision": self.evidence.revision,
                "digest": self.evidence.digest(),
                "evidence": self.evidence.to_json(),
            },
        )

    def decide(self, decision: str = "clear", reasons: tuple[str, ...] = (), roles: tuple[str, ...] = ()) -> Incoming:
        return self.say(
            EventType.CROSSING_DECIDED,
            {
                "case_id": self.evidence.case_id,
                "decision": decision,
                "reasons": list(reasons),
                "roles": list(roles),
                "digest": self.evidence.digest(),
            },
        )

    def end(self, outcome: str = "cleared") -> Incoming:
        return self.say(
            EventType.CROSSING_ENDED,
            {
                "case_id": self.evidence.case_id,
                "outcome": outcome,
                "reasons": [],
                "duration_ms": 9000,
                "document_to_entry_ms": 900.0,
                "face_to_exit_ms": 700.0,
            },
        )

    def spend(self, release_id: str) -> Incoming:
        return self.say(EventType.RELEASE_SPENT, {"case_id": self.evidence.case_id, "release_id": release_id})

    def ack(self, command_id: str, outcome: str = "taken", reason: str = "") -> Incoming:
        return self.message("ack", f'{{"command_id": "{command_id}", "outcome": "{outcome}", "reason": "{reason}"}}')


def wait_for(condition: Callable[[], bool], what: str, within_s: float = 20.0) -> None:
    """Return as soon as ``condition`` holds; fail the test when it does not within the bound."""
    end = time.monotonic() + within_s
    while not condition():
        if time.monotonic() > end:
            raise AssertionError(f"not within {within_s} s: {what}")
        time.sleep(0.005)
