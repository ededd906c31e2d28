"""What the API answers, as models: the OpenAPI document is made from them, and every answer is checked against them."""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict


class Answer(BaseModel):
    """The settings all answers share. What an officer may not see is null or empty."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class VerdictOut(Answer):
    """A role's word. ``is_current``: on the evidence that the case has now. ``number``: to be sent back as ``seen_number``."""

    kind: Literal["pending", "released_by_rule", "released_by_officer", "hold", "inspect", "refuse"]
    evidence_digest: str | None
    author: str
    at_ms: int | None
    number: int
    reason: str
    is_current: bool


class ReleaseOut(Answer):
    release_id: str
    issued_ms: int


class ClaimOut(Answer):
    """An officer whose screen says that they are at work on the case."""

    user: str
    name: str
    since_ms: int


class CaseSummaryOut(Answer):
    """A case in a list. Times are milliseconds since 1970 UTC. ``claims``: who is at work on it, by role; in lists only."""

    case_id: str
    port: str
    lane: str
    status: Literal["open", "released", "closed"]
    opened_ms: int
    closed_ms: int | None
    waiting_since_ms: int | None
    revision: int
    evidence_digest: str | None
    decision: Literal["clear", "refer"] | None
    reasons: list[str]
    required_roles: list[str]
    verdicts: dict[str, VerdictOut]
    release: ReleaseOut | None
    outcome: str | None
    claims: dict[str, ClaimOut] = {}


class CasePageOut(Answer):
    """``next`` continues the list as ``after``; null at its end."""

    cases: list[CaseSummaryOut]
    next: str | None


class FindingOut(Answer):
    code: str
    outcome: Literal["pass", "info", "refer", "not_checked"]
    stage: Literal["entry", "exit"]
    role: str
    measured: float | str | None
    threshold: float | str | None
    model_hash: str | None
    detail: str


class AttachmentOut(Answer):
    kind: str
    sha256: str
    media_type: str
    is_available: bool


class TravellerOut(Answer):
    surname: str | None
    given_names: str | None
    document_code: str | None
    document_number: str | None
    issuer: str | None
    nationality: str | None
    birth_date: str | None
    sex: str | None
    expiry_date: str | None


class DeclarationOut(Answer):
    customs: dict[str, Any] | None
    health: dict[str, Any] | None


class InspectionResultOut(Answer):
    outcome: Literal["nothing_found", "found"]
    author: str
    at_ms: int
    detail: str


class InspectionOut(Answer):
    """A joint inspection: who must be there, who is, and what each found."""

    inspection_id: str
    evidence_digest: str
    roles: list[str]
    proposed_by: str
    proposed_ms: int
    state: Literal["proposed", "started", "finished", "cancelled"]
    present: dict[str, str]
    results: dict[str, InspectionResultOut]
    started_ms: int | None
    finished_ms: int | None


class ConsentOut(Answer):
    author: str
    role: str
    at_ms: int
    reason: str


class HistoryLineOut(Answer):
    at_ms: int
    what: str
    who: str
    detail: str


class CaseOut(CaseSummaryOut):
    """A case as the officer's roles may see it."""

    occupancy_id: str | None
    findings: list[FindingOut]
    attachments: list[AttachmentOut]
    traveller: TravellerOut | None
    declaration: DeclarationOut | None
    inspections: list[InspectionOut]
    is_inspection_open: bool
    refused_by: list[str] | None
    force_open: list[ConsentOut]
    history: list[HistoryLineOut]


class CommandOut(Answer):
    command_id: str


class ForceOpenOut(Answer):
    """``waiting``: a second officer may agree until then. ``sent``: two agreed and the lane was told."""

    state: Literal["waiting", "sent"]
    until_ms: int | None = None
    command_id: str | None = None
    officers: list[str]


class SessionOut(Answer):
    """A session. ``csrf_token`` goes along as X-CSRF-Token where the session is shown by its cookie, and then ``token`` is null."""

    user: str
    name: str
    roles: list[str]
    token: str | None
    expires_ms: int
    csrf_token: str


class LaneOut(Answer):
    lane: str
    title: str
    is_online: bool
    state: dict[str, Any] | None
    seen_ms: int | None
    software_version: str | None
    missing_events: int


class LanesOut(Answer):
    lanes: list[LaneOut]


class StatisticsOut(Answer):
    since_ms: int
    crossings: int
    by_outcome: dict[str, int]
    by_lane: dict[str, int]
    referral_ratio: float | None
    document_to_entry_ms_p50: float | None
    face_to_exit_ms_p50: float | None


class DeclaredOut(Answer):
    declaration_id: str


class WatchlistOut(Answer):
    entries: int


class StoredOut(Answer):
    """``is_kept`` is false for evidence of a case whose evidence was erased: it is not wanted any more."""

    sha256: str
    is_kept: bool = True


class RoleOut(Answer):
    id: str
    title: str
    title_zh: str
    colour: str


class LaneNameOut(Answer):
    id: str
    title: str


class SiteOut(Answer):
    port: str
    title: str
    roles: list[RoleOut]
    lanes: list[LaneNameOut]


class LiveOut(Answer):
    status: Literal["up"]


class ReadyOut(Answer):
    is_ready: bool
    database: bool
    broker: bool


class AuditEntryOut(Answer):
    """An entry of the audit log. ``body`` is exactly what the leaf hashes: SHA-256(0x00 || body)."""

    number: int
    at_ms: int
    kind: str
    who: str
    case_id: str | None
    leaf: str
    body: str


class AuditPageOut(Answer):
    entries: list[AuditEntryOut]
    next: str | None


class CheckpointOut(Answer):
    """A signed note (C2SP tlog-checkpoint). Keep it where nobody of this port can change it."""

    note: str


class InclusionOut(Answer):
    """An RFC 6962 audit path in hex, from the leaf upwards, for the log that the checkpoint names."""

    number: int
    size: int
    leaf: str
    path: list[str]
    root: str
    note: str
