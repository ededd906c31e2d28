"""A hub of one lane in memory, and the officers behind it: receipts, joint release by the core's rules, signed commands.

It keeps what it took (as a database would) when it is stopped and started; what arrives meanwhile is lost on the wire.
"""

import json
import random
import secrets
from dataclasses import dataclass, field
from typing import Any

from gate.core.joint_release import (
    JointCase,
    Verdict,
    VerdictKind,
    VerdictRefused,
    is_releasable,
    with_evidence,
    with_release_issued,
    with_verdict,
)
from gate.wire.messages import Act, Command, EventType, Receipt
from gate.wire.signing import SigningKey, sign_command, sign_receipt
from gate.wire.topics import Channel, lane_topic
from simulator.chaos.broker import Broker
from simulator.chaos.timeloop import LoopClock, TimeLoop

ROLES = frozenset({"customs", "quarantine"})
_BATCH_S = 1.0
"""Receipts are collected for so long, as a hub that has many lanes does."""
_REPEAT_S = 1.0
_LIFETIME_S = 10.0
_ROUND_S = 0.3


@dataclass(frozen=True, slots=True)
class Issued:
    """A release that was signed: for which stay, until when (wall clock, milliseconds), and when (monotonic)."""

    occupancy_id: str | None
    expires_ms: int
    at_ns: int


@dataclass(slots=True)
class _Case:
    joint: JointCase = field(default_factory=lambda: JointCase(required_roles=ROLES))
    occupancy_id: str | None = None
    cleared: set[str] = field(default_factory=set)
    """Digests of which the lane said that nothing is in the way."""
    in_the_way: set[str] = field(default_factory=set)
    """Digests of evidence in which something is in the way of a clearance."""
    numbers: int = 0
    is_ended: bool = False


@dataclass(slots=True)
class _Unanswered:
    token: str
    expires_ms: int


class Hub:
    """Everything that the lane must find there again lives here, for the whole of a shift."""

    def __init__(self, *, port: str, lane: str, broker: Broker, loop: TimeLoop, clock: LoopClock) -> None:
        self.key = SigningKey.generate()
        self.address = f"{port}/{lane}"
        self.is_up = True
        self.events: dict[str, dict[str, Any]] = {}
        self.sequences: dict[int, str] = {}
        self.doubled = 0
        self.wrongly_cleared: list[str] = []
        """Cases that the lane let go by itself although something was in the way."""
        self.spent: list[str] = []
        self.issued: dict[str, Issued] = {}
        self.sent: list[str] = []
        self._state_json = b"{}"
        self._state: dict[str, Any] | None = None
        self.cases: dict[str, _Case] = {}
        self._topics = {channel: lane_topic(port, lane, channel) for channel in Channel}
        self._broker = broker
        self._loop = loop
        self._clock = clock
        self._seq = 0
        self._unanswered: dict[str, _Unanswered] = {}
        self._receipts: list[str] = []
        broker.deliver = self._hear
        loop.call_later(_REPEAT_S, self._repeat)

    @property
    def state(self) -> dict[str, Any]:
        """What the lane last said of itself; parsed when somebody looks."""
        if self._state is None:
            self._state = json.loads(self._state_json)
        return self._state

    # -- in ------------------------------------------------------------------------------------------------------------

    def _hear(self, topic: str, payload: bytes) -> None:
        if not self.is_up:
            return
        if topic == self._topics[Channel.EVENT]:
            self._take(json.loads(payload))
        elif topic == self._topics[Channel.ACK]:
            answer = json.loads(payload)
            if answer["reason"] != "replayed":
                self._unanswered.pop(answer["command_id"], None)
        elif topic == self._topics[Channel.STATE]:
            self._state_json, self._state = payload, None

    def _take(self, event: dict[str, Any]) -> None:
        known = self.events.get(event["id"])
        if known is None:
            holder = self.sequences.setdefault(event["sequence"], event["id"])
            self.doubled += holder != event["id"]
            self.events[event["id"]] = event
            self._learn(EventType(event["type"]), event["data"])
        if not self._receipts:
            self._loop.call_later(_BATCH_S, self._receipt)
        self._receipts.append(event["id"])

    def _receipt(self) -> None:
        ids, self._receipts = self._receipts, []
        if self.is_up:
            receipt = Receipt(aud=self.address, iat=self._clock.utc_ms() / 1000, event_ids=ids)
            self._broker.send(self._topics[Channel.RECEIPT], sign_receipt(self.key, receipt).encode())

    def _learn(self, kind: EventType, data: dict[str, Any]) -> None:
        case_id = data.get("case_id")
        if case_id is None:
            return
        case = self.cases.setdefault(case_id, _Case())
        if kind is EventType.EVIDENCE_RECORDED:
            before = case.joint
            case.joint = with_evidence(before, revision=data["revision"], digest=data["digest"])
            if not _is_clear(data["evidence"]["findings"]):
                case.in_the_way.add(data["digest"])
            if case.joint is not before:
                case.occupancy_id = data["evidence"].get("occupancy_id")
        elif kind is EventType.CROSSING_DECIDED and data["decision"] == "clear":
            case.cleared.add(data["digest"])
            if data["digest"] in case.in_the_way:
                self.wrongly_cleared.append(case_id)
        elif kind is EventType.RELEASE_SPENT:
            self.spent.append(data["release_id"])
        elif kind is EventType.CROSSING_ENDED:
            case.is_ended = True
        digest = case.joint.evidence_digest
        if digest in case.cleared and not case.is_ended:
            self._release(case_id, case, VerdictKind.RELEASED_BY_RULE, "rule")

    # -- verdicts and commands -------------------------------------------------------------------------------------------

    def release_by_officers(self, case_id: str) -> None:
        """Both roles look at the case as it is now and release it."""
        case = self.cases.get(case_id)
        if case is not None and not case.is_ended:
            self._release(case_id, case, VerdictKind.RELEASED_BY_OFFICER, "ann")

    def _release(self, case_id: str, case: _Case, kind: VerdictKind, author: str) -> None:
        digest = case.joint.evidence_digest
        if digest is None:
            return
        for role in sorted(ROLES):
            case.numbers += 1
            verdict = Verdict(
                role=role,
                kind=kind,
                evidence_digest=digest,
                author=author,
                at_ms=self._clock.utc_ms(),
                number=case.numbers,
            )
            taken = with_verdict(case.joint, verdict)
            if isinstance(taken, VerdictRefused):
                return
            case.joint = taken
        if is_releasable(case.joint):
            case.joint = with_release_issued(case.joint)
            self.command(Act.RELEASE, by=author, case_id=case_id, occupancy_id=case.occupancy_id, digest=digest)

    def command(
        self,
        act: Act,
        *,
        by: str = "ann",
        case_id: str | None = None,
        occupancy_id: str | None = None,
        digest: str | None = None,
    ) -> str:
        """Sign a command and send it until the lane answers or it expires; the token."""
        now_ms = self._clock.utc_ms()
        self._seq += 1
        command = Command(
            iss="hub",
            aud=self.address,
            jti=secrets.token_hex(16),
            seq=max(self._seq, now_ms),
            iat=now_ms / 1000,
            exp=now_ms / 1000 + _LIFETIME_S,
            act=act,
            by=by,
            case_id=case_id,
            occupancy_id=occupancy_id,
            evidence_digest=digest,
        )
        self._seq = command.seq
        token = sign_command(self.key, command)
        expires_ms = now_ms + int(_LIFETIME_S * 1000)
        if act is Act.RELEASE:
            self.issued[command.jti] = Issued(occupancy_id, expires_ms, self._clock.monotonic_ns())
        self._unanswered[command.jti] = _Unanswered(token, expires_ms)
        self.sent.append(token)
        self._broker.send(self._topics[Channel.COMMAND], token.encode())
        return token

    def forget_unanswered(self) -> None:
        """Repeat nothing of what was sent so far."""
        self._unanswered.clear()

    def replay(self, token: str) -> None:
        """Somebody on the network sends a message of before, or one of their own."""
        self._broker.send(self._topics[Channel.COMMAND], token.encode())

    def _repeat(self) -> None:
        now_ms = self._clock.utc_ms()
        for command_id, waiting in tuple(self._unanswered.items()):
            if waiting.expires_ms <= now_ms:
                del self._unanswered[command_id]
            elif self.is_up:
                self._broker.send(self._topics[Channel.COMMAND], waiting.token.encode())
        self._loop.call_later(_REPEAT_S, self._repeat)


def _is_clear(findings: list[dict[str, Any]]) -> bool:
    """Whether the newest word of every check is no obstacle."""
    newest = {finding["code"]: finding["outcome"] for finding in findings}
    return set(newest.values()) <= {"pass", "info"}


class Officers:
    """Look at the lane's screen twice a second and do what officers do: release, send back, acknowledge, end what is over.

    ``empty_lane`` is what they do with their own hands: take away bags, ask people out who stand there while a door is open.
    """

    def __init__(self, hub: Hub, *, loop: TimeLoop, rng: random.Random) -> None:
        self._hub = hub
        self._loop = loop
        self._rng = rng
        self._since: tuple[str, float] = ("", 0.0)
        self._patience_s = 1.0
        self._acted_s = 0.0
        self.are_there = True
        self.will_release = True
        loop.call_later(_ROUND_S, self._look)

    def _look(self) -> None:
        self._loop.call_later(_ROUND_S, self._look)
        now_s = self._loop.time()
        name = str(self._hub.state.get("state", ""))
        if name != self._since[0]:
            self._since = (name, now_s)
            self._patience_s = self._rng.uniform(0.2, 1.5)
        if not self.are_there or not self._hub.is_up or now_s - self._since[1] < self._patience_s:
            return
        if now_s - self._acted_s >= _REPEAT_S:
            self._acted_s = now_s
            self._act(name)

    def _act(self, name: str) -> None:
        people = self._hub.state.get("person_count")
        case_id = self._hub.state.get("case_id")
        if name == "referred" and case_id is not None:
            if self.will_release and people == 1:
                self._hub.release_by_officers(case_id)
            else:
                self._send_back(case_id)
        elif name in ("alarm", "fault") and people != 0 and case_id is not None and self._rng.random() < 0.7:
            self._send_back(case_id)
        elif name in ("alarm", "fault", "leaving"):
            self._hub.command(Act.ACKNOWLEDGE)
        elif name == "evacuating":
            self._hub.command(Act.END_EVACUATION)
            self._hub.command(Act.ACKNOWLEDGE)
        elif name == "out_of_service":
            self._hub.command(Act.PUT_IN_SERVICE)

    def _send_back(self, case_id: str) -> None:
        case = self._hub.cases.get(case_id)
        self._hub.command(
            Act.SEND_BACK,
            case_id=case_id,
            occupancy_id=case.occupancy_id if case else None,
            digest=case.joint.evidence_digest if case else None,
        )
