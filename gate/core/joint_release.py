"""One inspection, one release: when do several agencies together let a traveller go?

Pure rules (三个一: one declaration, one inspection, one release). A verdict counts only for the evidence digest its author saw; new
evidence makes every verdict of before a thing of the past; release happens when every required role has released the current
digest, and is issued once. The order of evidence among itself and of roles among themselves does not matter, as long as no verdict
comes before the evidence that it judges (such a one is refused, and has to be given again).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum


class VerdictKind(StrEnum):
    """What one role says of a case."""

    PENDING = "pending"
    RELEASED_BY_RULE = "released_by_rule"
    RELEASED_BY_OFFICER = "released_by_officer"
    HOLD = "hold"
    INSPECT = "inspect"
    REFUSE = "refuse"

    @property
    def is_release(self) -> bool:
        return self in (VerdictKind.RELEASED_BY_RULE, VerdictKind.RELEASED_BY_OFFICER)


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """One role's word on one evidence digest. ``number`` orders the verdicts of a case (a later one replaces an earlier)."""

    role: str
    kind: VerdictKind
    evidence_digest: str
    author: str
    at_ms: int
    number: int
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class JointCase:
    """What the roles have said so far. Build it with :func:`with_evidence` and :func:`with_verdict` only."""

    required_roles: frozenset[str]
    evidence_revision: int = -1
    evidence_digest: str | None = None
    verdicts: Mapping[str, Verdict] = field(default_factory=dict)
    is_release_issued: bool = False

    def __post_init__(self) -> None:
        if not self.required_roles:
            raise ValueError("a joint release needs at least one required role; an empty set would release everybody")


@dataclass(frozen=True, slots=True, kw_only=True)
class VerdictRefused:
    """The verdict was not taken, and why: ``unknown_role``, ``stale_evidence`` or ``already_released``."""

    reason: str


def with_evidence(case: JointCase, *, revision: int, digest: str) -> JointCase:
    """The case with this revision known. An older revision, or the same again, changes nothing."""
    if revision <= case.evidence_revision:
        return case
    return replace(case, evidence_revision=revision, evidence_digest=digest)


def with_verdict(case: JointCase, verdict: Verdict) -> JointCase | VerdictRefused:
    """The case with ``verdict`` taken, or why it was not. A verdict on a digest that is not current is never taken."""
    if verdict.role not in case.required_roles:
        return VerdictRefused(reason="unknown_role")
    if case.is_release_issued:
        return VerdictRefused(reason="already_released")
    if verdict.evidence_digest != case.evidence_digest:
        return VerdictRefused(reason="stale_evidence")
    held = case.verdicts.get(verdict.role)
    if held is not None and held.number >= verdict.number:
        return case
    return replace(case, verdicts={**case.verdicts, verdict.role: verdict})


def current_verdict(case: JointCase, role: str) -> VerdictKind:
    """What ``role`` says of the *current* evidence: PENDING when it has not spoken on it."""
    verdict = case.verdicts.get(role)
    if verdict is None or verdict.evidence_digest != case.evidence_digest:
        return VerdictKind.PENDING
    return verdict.kind


def is_releasable(case: JointCase) -> bool:
    """Whether every required role has released the current evidence and no release was issued yet."""
    return (
        case.evidence_digest is not None
        and not case.is_release_issued
        and all(current_verdict(case, role).is_release for role in case.required_roles)
    )


def with_release_issued(case: JointCase) -> JointCase:
    """The case after its one release went out. Raises ValueError when the case is not releasable."""
    if not is_releasable(case):
        raise ValueError("this case cannot be released: not every required role has released the current evidence")
    return replace(case, is_release_issued=True)
