"""What the hub's HTTP API says, as the console reads it. A key that is not known here is ignored, so that a hub may be newer."""

from collections.abc import Collection
from enum import StrEnum
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict

from gate.core.evidence import Outcome

MaybeText = Annotated[str, BeforeValidator(lambda value: "" if value is None else value)]
"""Text in which null means that nothing was read."""


class HubModel(BaseModel):
    """The settings all answers share."""

    model_config = ConfigDict(extra="ignore", frozen=True, allow_inf_nan=False)


class VerdictKind(StrEnum):
    """What an officer can say of a case over HTTP."""

    RELEASE = "released_by_officer"
    HOLD = "hold"
    INSPECT = "inspect"
    REFUSE = "refuse"


class FindingView(HubModel):
    """One finding, as :meth:`gate.core.evidence.Finding.to_json` wrote it."""

    code: str
    outcome: Outcome
    stage: str
    role: str = "border"
    measured: float | str | None = None
    threshold: float | str | None = None
    model_hash: str | None = None
    detail: str = ""

    @property
    def is_in_the_way(self) -> bool:
        return self.outcome not in (Outcome.PASS, Outcome.INFO)


class AttachmentView(HubModel):
    kind: str
    sha256: str
    media_type: str
    is_available: bool = True


class Traveller(HubModel):
    surname: MaybeText = ""
    given_names: MaybeText = ""
    document_code: MaybeText = ""
    document_number: MaybeText = ""
    issuer: MaybeText = ""
    nationality: MaybeText = ""
    birth_date: MaybeText = ""
    sex: MaybeText = ""
    expiry_date: MaybeText = ""


class Declaration(HubModel):
    customs: dict[str, Any] | None = None
    health: dict[str, Any] | None = None


class VerdictView(HubModel):
    """One role's word. ``is_current``: was it given on the evidence the case has now? ``number``: which of the case's words."""

    kind: str
    number: int | None = None
    evidence_digest: str | None = None
    author: str = ""
    at_ms: int | None = None
    reason: str = ""
    is_current: bool = True


class ReleaseView(HubModel):
    release_id: str
    issued_ms: int


class HistoryLine(HubModel):
    at_ms: int
    what: str
    who: str = ""
    detail: str = ""


class ClaimView(HubModel):
    """An officer whose screen says that they are at work on the case."""

    user: str
    name: str = ""
    since_ms: int


class InspectionResult(HubModel):
    outcome: str
    author: str = ""
    at_ms: int = 0
    detail: str = ""


class InspectionView(HubModel):
    """A joint inspection. ``present`` maps each role that has come to its officer's account."""

    inspection_id: str
    roles: tuple[str, ...] = ()
    proposed_by: str = ""
    proposed_ms: int = 0
    state: str
    present: dict[str, str] = {}
    results: dict[str, InspectionResult] = {}
    evidence_digest: str = ""


class ConsentView(HubModel):
    """One officer's agreement to opening the exit without the roles' verdicts."""

    author: str
    role: str = ""
    at_ms: int
    reason: str = ""


class ForceOpenAnswer(HubModel):
    """``waiting`` for a second officer until ``until_ms``, or ``sent``."""

    state: str
    until_ms: int | None = None


class ClaimPage(HubModel):
    """Who is at work on a case now; ``before``: from whom it was just taken over."""

    claims: dict[str, ClaimView] = {}
    before: str | None = None


class CaseSummary(HubModel):
    """A case in the queue. Times are milliseconds since 1970 UTC. ``claims``: who is at work on it, by role; in lists only."""

    case_id: str
    lane: str
    status: str
    opened_ms: int
    closed_ms: int | None = None
    waiting_since_ms: int | None = None
    revision: int | None = None
    decision: str | None = None
    outcome: str | None = None
    reasons: tuple[str, ...] = ()
    required_roles: tuple[str, ...] = ()
    verdicts: dict[str, VerdictView | str] = {}
    claims: dict[str, ClaimView] = {}

    def verdict_kind(self, role: str) -> str:
        """What ``role`` says of the current evidence; ``pending`` when it has not spoken on it."""
        verdict = self.verdicts.get(role)
        if verdict is None:
            return "pending"
        if isinstance(verdict, str):
            return verdict
        return verdict.kind if verdict.is_current else "pending"

    def word_number(self, role: str) -> int | None:
        """The number of the role's word on the screen, None where the hub does not count them."""
        verdict = self.verdicts.get(role)
        return verdict.number if isinstance(verdict, VerdictView) else None

    def waits_for(self, role: str) -> bool:
        """Whether the case was referred or is being waited for, and ``role`` has not spoken on its current evidence."""
        is_waiting = self.status == "open" and self.waiting_since_ms is not None
        return is_waiting and role in self.required_roles and self.verdict_kind(role) == "pending"


class Case(CaseSummary):
    """A case as the officer's role may see it; what the role may not see is None or empty."""

    evidence_digest: str | None = None
    occupancy_id: str | None = None
    findings: tuple[FindingView, ...] = ()
    attachments: tuple[AttachmentView, ...] = ()
    traveller: Traveller | None = None
    declaration: Declaration | None = None
    release: ReleaseView | None = None
    history: tuple[HistoryLine, ...] = ()
    inspections: tuple[InspectionView, ...] = ()
    is_inspection_open: bool = False
    refused_by: tuple[str, ...] | None = None
    force_open: tuple[ConsentView, ...] = ()

    @property
    def inspection(self) -> InspectionView | None:
        """The appointment that stands, if one does."""
        last = self.inspections[-1] if self.inspections else None
        return last if last is not None and self.is_inspection_open else None

    @property
    def is_sent_back(self) -> bool:
        """Whether the traveller is on the way out by the entry."""
        orders = [line.what for line in self.history if line.what.startswith("send_back.")]
        return bool(orders) and orders[-1] in ("send_back.issued", "send_back.taken")

    def awaits_more(self, sees: Collection[str]) -> bool:
        """Whether something of it is still on its way for a role that ``sees`` so much."""
        is_nameless = self.traveller is None and "identity" in sees
        return is_nameless or any(not item.is_available for item in self.attachments)

    def own_word(self, role: str) -> VerdictView | None:
        """What ``role`` last said, also on older evidence."""
        verdict = self.verdicts.get(role)
        return verdict if isinstance(verdict, VerdictView) else None

    def in_the_way_of(self, role: str) -> bool:
        """Whether a finding that this role has to look at stands against a release."""
        return any(item.is_in_the_way and item.role == role for item in self.findings)

    def attachment(self, kind: str) -> AttachmentView | None:
        """The newest attachment of that kind."""
        return next((item for item in reversed(self.attachments) if item.kind == kind), None)


class MarkKind(StrEnum):
    """The shape of a mark."""

    POINT = "point"
    ELLIPSE = "ellipse"
    BOX = "box"


class MarkView(HubModel):
    """A mark on a picture (``picture`` is its sha256); places and sizes are pixels of the picture."""

    mark_id: str
    number: int
    picture: str
    kind: MarkKind
    x: float
    y: float
    width: float
    height: float
    text: str
    role: str
    author: str
    author_name: str = ""
    at_ms: int


class MarkPage(HubModel):
    marks: tuple[MarkView, ...]


class LastScan(HubModel):
    """The scan before; ``attachments`` is empty when none is known."""

    taken_ms: int | None = None
    attachments: tuple[AttachmentView, ...] = ()


class CasePage(HubModel):
    cases: tuple[CaseSummary, ...]
    next: str | int | None = None


class Login(HubModel):
    token: str
    user: str
    name: str
    roles: tuple[str, ...]
    expires_ms: int


class Statistics(HubModel):
    """Counts since ``since_ms``; the times are medians in milliseconds, None before there is one."""

    since_ms: int | None = None
    crossings: int = 0
    by_outcome: dict[str, int] = {}
    by_lane: dict[str, Any] = {}
    referral_ratio: float | None = None
    document_to_entry_ms_p50: float | None = None
    face_to_exit_ms_p50: float | None = None
