"""A case as the hub knows it: a pure function of the lane's events, the officers' verdicts and the hub's commands.

:func:`fold_case` gives the same :class:`CaseView` for every order in which those arrived. The rule of release itself is
:mod:`gate.core.joint_release`; here is only what it is asked with.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any, Literal

from gate.core.consent import Consent
from gate.core.evidence import Evidence
from gate.core.inspection import Inspection, InspectionState, InspectionWord, inspections_of
from gate.core.joint_release import (
    JointCase,
    Verdict,
    VerdictKind,
    current_verdict,
    is_releasable,
    refusal_of,
    with_evidence,
    with_inspection_open,
    with_record,
    with_verdict,
)
from gate.hub.history import history_of
from gate.hub.records import CommandRecord, CommandState, StoredEvent
from gate.hub.rules import Duties, SiteRules, duties
from gate.wire.messages import (
    Act,
    CrossingDecided,
    CrossingEnded,
    EntryDecided,
    EvidenceRecorded,
    ReleaseSpent,
)

RELEASING = frozenset({Act.RELEASE, Act.FORCE_OPEN})
"""What lets the exit open: they are counted together, so that there are never two."""

_UNDER_WAY = frozenset({CommandState.SENT, CommandState.TAKEN})

MAX_RELEASES_PER_DIGEST = 2
"""One release, and one more by hand when the first expired without the lane having taken it."""


class CaseStatus(StrEnum):
    OPEN = "open"
    RELEASED = "released"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseView:
    """Everything about one case but its private part."""

    port: str
    lane: str
    case_id: str
    status: CaseStatus
    opened_ms: int
    closed_ms: int | None
    waiting_since_ms: int | None
    evidence: Evidence | None
    joint: JointCase
    decision: Literal["clear", "refer"] | None
    decided_ms: int | None
    reasons: tuple[str, ...]
    was_referred: bool
    ended: CrossingEnded | None
    releases: tuple[CommandRecord, ...]
    inspections: tuple[Inspection, ...]
    consents: tuple[Consent, ...]
    is_sent_back: bool
    is_contradicted: bool
    history: tuple[dict[str, Any], ...] = field(repr=False)

    @property
    def occupancy_id(self) -> str | None:
        return self.evidence.occupancy_id if self.evidence else None

    @property
    def standing_release(self) -> CommandRecord | None:
        """The release that opened the exit or still may, if there is one."""
        return next((item for item in reversed(self.releases) if _is_standing(item, self.joint)), None)

    @property
    def releases_of_this_evidence(self) -> int:
        return sum(item.evidence_digest == self.joint.lane_digest for item in self.releases)

    @property
    def may_release(self) -> bool:
        """Whether a release may go out now, as far as the case itself says: decided on exactly what all required roles released."""
        return (
            self.status is CaseStatus.OPEN
            and self.decided_ms is not None
            and self.occupancy_id is not None
            and not self.is_sent_back
            and not self.is_contradicted
            and is_releasable(self.joint)
        )

    def verdict_kinds(self) -> dict[str, str]:
        """What each required role says of the current evidence."""
        return {role: current_verdict(self.joint, role).value for role in sorted(self.joint.required_roles)}

    def to_json(self) -> dict[str, Any]:
        """The case without its private part, as kept in the projection and shown to officers."""
        release = self.standing_release
        return {
            "case_id": self.case_id,
            "port": self.port,
            "lane": self.lane,
            "status": self.status.value,
            "opened_ms": self.opened_ms,
            "closed_ms": self.closed_ms,
            "waiting_since_ms": self.waiting_since_ms,
            "revision": self.joint.evidence_revision,
            "evidence_digest": self.joint.evidence_digest,
            "occupancy_id": self.occupancy_id,
            "decision": self.decision,
            "reasons": list(self.reasons),
            "findings": [item.to_json() for item in self.evidence.findings] if self.evidence else [],
            "attachments": [item.to_json() for item in self.evidence.attachments] if self.evidence else [],
            "required_roles": sorted(self.joint.required_roles),
            "verdicts": {role: self._verdict_json(role) for role in sorted(self.joint.required_roles)},
            "release": {"release_id": release.command_id, "issued_ms": release.issued_ms} if release else None,
            "outcome": self.ended.outcome.value if self.ended else None,
            "inspections": [item.to_json() for item in self.inspections],
            "is_inspection_open": self.joint.is_inspection_open,
            "refused_by": list(self.joint.refused_by) if self.joint.refused_by else None,
            "force_open": [
                {"author": item.author, "role": item.role, "at_ms": item.at_ms, "reason": item.reason}
                for item in self.consents
                if item.evidence_digest == self.joint.evidence_digest
            ],
            "history": list(self.history),
        }

    def _verdict_json(self, role: str) -> dict[str, Any]:
        verdict = self.joint.verdicts.get(role)
        if verdict is None:
            verdict = Verdict(
                role=role, kind=VerdictKind.PENDING, evidence_digest="", author="", at_ms=self.opened_ms, number=-1
            )
        return {
            "kind": verdict.kind.value,
            "evidence_digest": verdict.evidence_digest or None,
            "author": verdict.author,
            "at_ms": verdict.at_ms if verdict.number >= 0 else None,
            "number": max(verdict.number, 0),
            "reason": verdict.reason,
            "is_current": verdict.number >= 0 and verdict.evidence_digest == self.joint.evidence_digest,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class _Facts:
    """What the events alone say."""

    evidence: Evidence | None
    digest: str | None
    is_contradicted: bool
    refused_evidence: frozenset[str]  # event ids
    decided: tuple[tuple[StoredEvent, CrossingDecided], ...]
    entry: tuple[StoredEvent, EntryDecided] | None
    ended: tuple[StoredEvent, CrossingEnded] | None
    spent: frozenset[str]  # release ids


def fold_case(
    *,
    port: str,
    lane: str,
    case_id: str,
    events: Sequence[StoredEvent],
    verdicts: Sequence[Verdict],
    commands: Sequence[CommandRecord],
    rules: SiteRules,
    consents: Sequence[Consent] = (),
    inspections: Sequence[InspectionWord] = (),
) -> CaseView:
    """The case that these (at least one event; any order, no id twice) make. Raises ValueError without an event."""
    if not events:
        raise ValueError(f"case {case_id} has no event")
    ordered = sorted(events, key=lambda item: (item.sequence, item.id))
    facts = _facts(ordered)
    now = _decided_now(facts)
    duty = duties(
        rules,
        findings=facts.evidence.findings if facts.evidence else (),
        decision=now.decision,
        referred=now.referred,
    )
    appointments = inspections_of(inspections)
    joint = _joint(facts, duty, verdicts, now.at_ms, appointments)
    sendable = sorted((_with_spent(item, facts.spent) for item in commands), key=lambda item: item.seq)
    releases = tuple(item for item in sendable if item.act in RELEASING)
    joint = replace(joint, is_release_issued=_is_release_issued(releases, joint))
    status = _status(facts, releases, joint)
    return CaseView(
        port=port,
        lane=lane,
        case_id=case_id,
        status=status,
        opened_ms=min(item.at_ms for item in ordered),
        closed_ms=facts.ended[0].at_ms if facts.ended else None,
        waiting_since_ms=now.at_ms if status is CaseStatus.OPEN and not is_releasable(joint) else None,
        evidence=facts.evidence,
        joint=joint,
        decision=facts.decided[-1][1].decision if facts.decided else None,
        decided_ms=now.at_ms,
        reasons=_reasons(facts),
        was_referred=_was_referred(facts),
        ended=facts.ended[1] if facts.ended else None,
        releases=releases,
        inspections=appointments,
        consents=tuple(sorted(consents, key=lambda item: item.number)),
        is_sent_back=any(item.act is Act.SEND_BACK and item.state in _UNDER_WAY for item in sendable),
        is_contradicted=facts.is_contradicted,
        history=history_of(
            events=ordered,
            refused_evidence=facts.refused_evidence,
            verdicts=verdicts,
            commands=sendable,
            consents=consents,
            inspections=inspections,
        ),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _DecidedNow:
    """What the lane decided about the evidence as it is now; ``at_ms`` of the last such word."""

    decision: Literal["clear", "refer"] | None
    at_ms: int | None
    referred: frozenset[str]


def _decided_now(facts: _Facts) -> _DecidedNow:
    current = [(event, data) for event, data in facts.decided if data.digest == facts.digest]
    if not current:
        return _DecidedNow(decision=None, at_ms=None, referred=frozenset())
    referrals = [data for _, data in current if data.decision == "refer"]
    return _DecidedNow(
        # A lane that said both about the same evidence has not cleared anybody.
        decision="refer" if referrals else "clear",
        at_ms=max(event.at_ms for event, _ in current),
        referred=frozenset(role for data in referrals for role in data.roles),
    )


def _status(facts: _Facts, releases: Sequence[CommandRecord], joint: JointCase) -> CaseStatus:
    if facts.ended is not None:
        return CaseStatus.CLOSED
    return CaseStatus.RELEASED if any(_is_standing(item, joint) for item in releases) else CaseStatus.OPEN


def _was_referred(facts: _Facts) -> bool:
    if facts.entry is not None and not facts.entry[1].is_admitted:
        return True
    return any(data.decision == "refer" for _, data in facts.decided)


def _facts(ordered: Sequence[StoredEvent]) -> _Facts:
    believed: dict[int, dict[str, Evidence]] = {}
    refused: dict[str, int] = {}
    decided: list[tuple[StoredEvent, CrossingDecided]] = []
    entry: tuple[StoredEvent, EntryDecided] | None = None
    ended: tuple[StoredEvent, CrossingEnded] | None = None
    spent: set[str] = set()
    for event in ordered:
        match event.data:
            case EvidenceRecorded() as data:
                if isinstance(event.evidence, Evidence):
                    believed.setdefault(data.revision, {})[data.digest] = event.evidence
                else:
                    refused[event.id] = data.revision
            case CrossingDecided() as data:
                decided.append((event, data))
            case EntryDecided() as data:
                entry = (event, data)
            case CrossingEnded() as data:
                ended = ended or (event, data)
            case ReleaseSpent() as data:
                spent.add(data.release_id)
            case _:
                pass
    revision = max(believed, default=-1)
    newest = believed.get(revision, {})
    digest = min(newest, default=None)
    return _Facts(
        evidence=newest[digest] if digest is not None else None,
        digest=digest,
        # Two truths of one revision, or a later one that could not be believed: nobody is let go on either.
        is_contradicted=len(newest) > 1 or any(number >= revision for number in refused.values()),
        refused_evidence=frozenset(refused),
        decided=tuple(decided),
        entry=entry,
        ended=ended,
        spent=frozenset(spent),
    )


def _joint(
    facts: _Facts,
    duty: Duties,
    verdicts: Sequence[Verdict],
    decided_ms: int | None,
    appointments: Sequence[Inspection],
) -> JointCase:
    joint = JointCase(required_roles=duty.required)
    if facts.evidence is not None and facts.digest is not None:
        joint = with_evidence(joint, revision=facts.evidence.revision, digest=facts.digest)
    finished = [item for item in appointments if item.state is InspectionState.FINISHED]
    for item in finished:
        joint = with_record(joint, item.digest())
    digest = joint.evidence_digest
    past = [item for item in verdicts if item.role in duty.required and item.evidence_digest != digest]
    if facts.evidence is not None and digest is not None:
        present = [item for item in verdicts if item.evidence_digest == digest]
        if decided_ms is not None and facts.evidence.occupancy_id is not None and not facts.is_contradicted:
            # Who went to look into the bag says afterwards what they saw; no rule says it for them.
            inspected = frozenset(role for item in finished for role in item.roles)
            present += [
                Verdict(
                    role=role,
                    kind=VerdictKind.RELEASED_BY_RULE,
                    evidence_digest=digest,
                    author="rule",
                    at_ms=decided_ms,
                    number=0,
                )
                for role in duty.by_rule - _objecting(verdicts) - inspected
            ]
        for verdict in sorted(present, key=lambda item: (item.number, item.role)):
            taken = with_verdict(joint, verdict)
            if isinstance(taken, JointCase):
                joint = taken
    # Words on older evidence stay visible as such; joint_release counts them as pending.
    shown = {item.role: item for item in sorted(past, key=lambda item: item.number)} | dict(joint.verdicts)
    refused = refusal_of(verdicts)
    return replace(
        with_inspection_open(joint, is_open=bool(appointments) and _is_open(appointments[-1], digest)),
        verdicts=dict(sorted(shown.items())),
        refused_by=(refused[0].author, refused[1].author) if refused else None,
    )


def _is_open(inspection: Inspection, digest: str | None) -> bool:
    """An open bag stays open whatever comes; an appointment stands for as long as it is about what is known now."""
    if inspection.state is InspectionState.PROPOSED:
        return inspection.evidence_digest == digest
    return inspection.state is InspectionState.STARTED


def _objecting(verdicts: Sequence[Verdict]) -> frozenset[str]:
    """Roles whose officer last said anything but release: what an officer held, no rule lets go, whatever evidence follows."""
    last = {item.role: item.kind for item in sorted(verdicts, key=lambda item: item.number)}
    return frozenset(role for role, kind in last.items() if not kind.is_release)


def _with_spent(command: CommandRecord, spent: frozenset[str]) -> CommandRecord:
    is_spent = command.act in RELEASING and command.command_id in spent
    return replace(command, state=CommandState.SPENT) if is_spent else command


def _is_standing(release: CommandRecord, joint: JointCase) -> bool:
    if release.state is CommandState.LAPSED:
        # Taken and never used: only other evidence than it was given for may be released anew.
        return release.evidence_digest == joint.lane_digest
    return release.state in (CommandState.SENT, CommandState.TAKEN, CommandState.SPENT)


def _is_release_issued(releases: Sequence[CommandRecord], joint: JointCase) -> bool:
    same = sum(item.evidence_digest == joint.lane_digest for item in releases)
    return same >= MAX_RELEASES_PER_DIGEST or any(_is_standing(item, joint) for item in releases)


def _reasons(facts: _Facts) -> tuple[str, ...]:
    if facts.decided:
        return tuple(facts.decided[-1][1].reasons)
    if facts.entry is not None and facts.entry[1].reasons:
        return tuple(facts.entry[1].reasons)
    return tuple(facts.ended[1].reasons) if facts.ended else ()
