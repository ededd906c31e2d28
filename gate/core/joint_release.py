"""One inspection, one release: when do several agencies together let a traveller go?

Pure rules (三个一: one declaration, one inspection, one release). A verdict counts only for the evidence digest its author saw; new
evidence, and the record of an inspection is evidence, makes every verdict of before a thing of the past; release happens when every
required role has released the current digest, and is issued once. Until then an officer may take a word back. While a bag is open
nobody releases, and whom two officers refused nobody releases at all. The order of evidence among itself and of roles among themselves
does not matter, as long as no verdict comes before the evidence that it judges (such a one is refused, and has to be given again).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from functools import lru_cache

from gate.core.evidence import canonical_sha256

CONSENT_WINDOW_MS = 120_000
"""What needs two officers needs them within this time: a consent is to what both look at now."""


class VerdictKind(StrEnum):
    """What one role says of a case. PENDING: nothing yet, or an officer took the role's word back."""

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
    """One role's word on one evidence digest. ``number`` orders the verdicts of a case (a later one replaces an earlier).

    ``seen_number`` is the number of the role's word that the author had on the screen (0: none), None when they did not say: of two
    officers of one role the second must not overrule a first whose word they never saw.
    """

    role: str
    kind: VerdictKind
    evidence_digest: str
    author: str
    at_ms: int
    number: int
    reason: str = ""
    seen_number: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class JointCase:
    """What the roles have said so far. Build it with the functions of this module only.

    ``lane_digest`` is that of the lane's evidence, ``records`` are those of finished inspections, in their order.
    """

    required_roles: frozenset[str]
    evidence_revision: int = -1
    lane_digest: str | None = None
    records: tuple[str, ...] = ()
    verdicts: Mapping[str, Verdict] = field(default_factory=dict)
    is_inspection_open: bool = False
    refused_by: tuple[str, str] | None = None
    is_release_issued: bool = False
    consent_window_ms: int = CONSENT_WINDOW_MS

    def __post_init__(self) -> None:
        if not self.required_roles:
            raise ValueError("a joint release needs at least one required role; an empty set would release everybody")

    @property
    def evidence_digest(self) -> str | None:
        """What verdicts are bound to: the lane's evidence and every record that was added to it."""
        return self.lane_digest if self.lane_digest is None else bound_digest(self.lane_digest, self.records)


@lru_cache(maxsize=256)
def bound_digest(lane_digest: str, records: tuple[str, ...]) -> str:
    """The digest of a lane's evidence together with the records of inspections; without any, the lane's own."""
    return canonical_sha256({"evidence": lane_digest, "inspections": list(records)}) if records else lane_digest


@dataclass(frozen=True, slots=True, kw_only=True)
class VerdictRefused:
    """The verdict was not taken.

    Why: ``unknown_role``, ``already_released``, ``stale_evidence``, ``refused``, ``inspection_open`` or ``colleague_spoke``.
    """

    reason: str


def with_evidence(case: JointCase, *, revision: int, digest: str) -> JointCase:
    """The case with this revision known. An older revision, or the same again, changes nothing."""
    if revision <= case.evidence_revision:
        return case
    return replace(case, evidence_revision=revision, lane_digest=digest)


def with_record(case: JointCase, record_digest: str) -> JointCase:
    """The case after an inspection ended with this record: the bag is shut, and everybody has to look again."""
    if record_digest in case.records:
        return case
    return replace(case, records=(*case.records, record_digest), is_inspection_open=False)


def with_inspection_open(case: JointCase, *, is_open: bool) -> JointCase:
    """The case while an appointment to inspect stands, or after it was called off."""
    return replace(case, is_inspection_open=is_open)


def with_verdict(case: JointCase, verdict: Verdict) -> JointCase | VerdictRefused:
    """The case with ``verdict`` taken, or why it was not. A verdict on a digest that is not current is never taken."""
    held = case.verdicts.get(verdict.role)
    reason = _objection(case, verdict)
    if reason is not None:
        return VerdictRefused(reason=reason)
    if held is not None and held.number >= verdict.number:
        return case
    if verdict.seen_number is not None and verdict.seen_number != (held.number if held is not None else 0):
        return VerdictRefused(reason="colleague_spoke")
    second = consenting(case.verdicts.values(), verdict, window_ms=case.consent_window_ms)
    return replace(
        case,
        verdicts={**case.verdicts, verdict.role: verdict},
        refused_by=(second.author, verdict.author) if second is not None else None,
    )


def _objection(case: JointCase, verdict: Verdict) -> str | None:
    if verdict.role not in case.required_roles:
        return "unknown_role"
    if case.is_release_issued:
        return "already_released"
    if verdict.evidence_digest != case.evidence_digest:
        return "stale_evidence"
    if case.refused_by is not None:
        return "refused"
    if case.is_inspection_open and verdict.kind.is_release:
        return "inspection_open"
    return None


def consenting(standing: Iterable[Verdict], verdict: Verdict, *, window_ms: int) -> Verdict | None:
    """The standing refusal by another officer of the same evidence, near enough in time to make ``verdict`` the second one."""
    if verdict.kind is not VerdictKind.REFUSE:
        return None
    others = (
        item
        for item in standing
        if item.kind is VerdictKind.REFUSE
        and item.author != verdict.author
        and item.evidence_digest == verdict.evidence_digest
        and abs(verdict.at_ms - item.at_ms) <= window_ms
    )
    return max(others, key=lambda item: item.number, default=None)


def refusal_of(verdicts: Iterable[Verdict], *, window_ms: int = CONSENT_WINDOW_MS) -> tuple[Verdict, Verdict] | None:
    """The first two refusals that agree, of all that was ever said in a case: new evidence does not undo them."""
    standing: dict[str, Verdict] = {}
    for verdict in sorted(verdicts, key=lambda item: item.number):
        first = consenting(standing.values(), verdict, window_ms=window_ms)
        if first is not None:
            return first, verdict
        standing[verdict.role] = verdict
    return None


def current_verdict(case: JointCase, role: str) -> VerdictKind:
    """What ``role`` says of the *current* evidence: PENDING when it has not spoken on it."""
    verdict = case.verdicts.get(role)
    if verdict is None or verdict.evidence_digest != case.evidence_digest:
        return VerdictKind.PENDING
    return verdict.kind


def is_releasable(case: JointCase) -> bool:
    """Whether every required role has released the current evidence, nothing stands against it, and no release was issued yet."""
    return (
        case.evidence_digest is not None
        and not case.is_release_issued
        and not case.is_inspection_open
        and case.refused_by is None
        and all(current_verdict(case, role).is_release for role in case.required_roles)
    )


def with_release_issued(case: JointCase) -> JointCase:
    """The case after its one release went out. Raises ValueError when the case is not releasable."""
    if not is_releasable(case):
        raise ValueError("this case cannot be released: not every required role has released the current evidence")
    return replace(case, is_release_issued=True)


def with_release_void(case: JointCase) -> JointCase:
    """The case after it became certain that the issued release can never open anything: refused by the lane, or out of time."""
    return replace(case, is_release_issued=False)
