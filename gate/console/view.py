"""What the officers' screens show, worked out without a screen: which case, what changed, in which words and order."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum

from gate.console.hub_models import AttachmentView, Case, CaseSummary, ClaimView, FindingView
from gate.console.i18n import Words
from gate.console.spoken import finding_words
from gate.core.evidence import Outcome

_MARKS = {Outcome.PASS: "ok", Outcome.INFO: "i", Outcome.REFER: "!", Outcome.NOT_CHECKED: "?"}
_URGENT = (
    "lookup.watchlist",
    "cargo.radiation",
    "chip.no_copy",
    "chip.sod_signature",
    "chip.dg_hashes",
    "face.presentation",
)
"""Reasons that go before the others in a queue: a danger to those who stand around, or somebody who is not who they say."""

_NEARLY = 2 / 3
"""Of the time for which a traveller may be kept inside: from then on the queue says that it runs out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FindingLine:
    """One line of the list of findings. ``mark`` is ``!``, ``?``, ``i`` or ``ok``."""

    code: str
    mark: str
    title: str
    value: str
    detail: str
    role: str
    is_mine: bool
    is_in_the_way: bool
    why: tuple[tuple[str, str], ...] = ()
    """What it was decided by: names (keys of the catalogue) and values."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """The comparison of the faces: cosine scores, -1 to 1."""

    score: float
    threshold: float | None
    is_match: bool


class Urgency(StrEnum):
    """How a case stands in a role's queue."""

    CALM = "calm"
    RUNNING_OUT = "running_out"  # the traveller has to be let out soon
    URGENT = "urgent"


@dataclass(frozen=True, slots=True, kw_only=True)
class ScanView:
    """One direction of sight of a scan: digests of what to show and of the low energy's picture, where there is one."""

    sha256: str
    low: str | None = None


def scan_views(attachments: Iterable[AttachmentView]) -> tuple[ScanView, ...]:
    """What the viewer shows of a case, the newest scan first, as far as it is here.

    A scan comes as ``xray`` (for a screen, perhaps in the machine's own colours), then each view's ``xray_high`` and, of two energies,
    ``xray_low`` (:mod:`gate.hub.scans.pictures`). What was measured goes before what was painted.
    """
    scans: list[tuple[list[ScanView], list[ScanView]]] = []
    last = ""
    for item in attachments:
        if not item.kind.startswith("xray"):
            continue
        if not scans or (item.kind == "xray" and last != "xray"):
            scans.append(([], []))
        measured, painted = scans[-1]
        last = item.kind
        if not item.is_available:
            continue
        if item.kind == "xray":
            painted.append(ScanView(sha256=item.sha256))
        elif item.kind == "xray_high":
            measured.append(ScanView(sha256=item.sha256))
        elif item.kind == "xray_low" and measured and measured[-1].low is None:
            measured[-1] = ScanView(sha256=measured[-1].sha256, low=item.sha256)
    return tuple(view for measured, painted in reversed(scans) for view in (*measured, *painted))


def clock_time(at_ms: int) -> str:
    """Local time of day, HH:MM:SS."""
    return datetime.fromtimestamp(at_ms / 1000, tz=UTC).astimezone().strftime("%H:%M:%S")


def age(duration_ms: int) -> str:
    """``mm:ss``, or ``h:mm:ss`` from an hour on; never negative (clocks of two machines differ a little)."""
    seconds = max(0, duration_ms) // 1000
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{seconds:02d}" if hours else f"{minutes:02d}:{seconds:02d}"


def short_id(case_id: str) -> str:
    """A case id that can be read aloud: its last eight characters when it is long."""
    return case_id if len(case_id) <= 12 else case_id[-8:]


def waiting_from_ms(case: CaseSummary) -> int:
    """Since when the case counts as waiting, for its age: its referral, else its beginning."""
    return case.waiting_since_ms if case.waiting_since_ms is not None else case.opened_ms


def urgency_of(case: CaseSummary, *, now_ms: int, inside_limit_ms: int) -> Urgency:
    """``inside_limit_ms``: after which the lane lets a traveller out by the entry, answered or not."""
    if any(reason.startswith(_URGENT) for reason in case.reasons):
        return Urgency.URGENT
    waited_ms = now_ms - case.waiting_since_ms if case.waiting_since_ms is not None else 0
    return Urgency.RUNNING_OUT if waited_ms > _NEARLY * inside_limit_ms else Urgency.CALM


def queue_of(cases: Sequence[CaseSummary], role: str) -> tuple[CaseSummary, ...]:
    """Cases in the order of a role's queue: what waits for this role first, of these what is urgent, then in the order of arrival.

    A traveller's place does not change when new evidence of the same kind makes their case wait anew, nor with time.
    """

    def place(case: CaseSummary) -> tuple[bool, bool, int, str]:
        is_urgent = any(reason.startswith(_URGENT) for reason in case.reasons)
        return (not case.waits_for(role), not is_urgent, case.opened_ms, case.case_id)

    return tuple(sorted((case for case in cases if case.status in ("open", "released")), key=place))


def colleague_at(case: CaseSummary, *, role: str, user: str | None) -> ClaimView | None:
    """The other officer of the same role who is at work on the case, if one is."""
    claim = case.claims.get(role)
    return claim if claim is not None and claim.user != user else None


def choose_case(
    cases: Sequence[CaseSummary],
    *,
    role: str,
    current: CaseSummary | None,
    user: str | None = None,
    is_kept: bool = False,
    is_decided: bool = False,
) -> str | None:
    """Which case the screen shows next; None when there is none.

    ``is_kept``: an officer chose the current case, or it has waited for them on this screen; it stays until it is over or decided,
    also while new evidence makes it wait for nobody. What is only watched gives way to a case that waits for this role.
    ``is_decided``: this role has just released or sent back the current case. A case at which a colleague of ``user`` is at work comes
    on the screen only when ``user`` chooses it.
    """
    queue = next_cases(cases, role=role, user=user, beside=current.case_id if current is not None else None)
    waiting = next((case for case in queue if case.waits_for(role)), None)
    if current is not None and current.status != "closed":
        is_theirs = is_kept and not is_decided and current.status == "open"
        if waiting is None or is_theirs or current.waits_for(role):
            return current.case_id
    if waiting is not None:
        return waiting.case_id
    return queue[0].case_id if queue else None


def next_cases(
    cases: Sequence[CaseSummary], *, role: str, user: str | None, beside: str | None
) -> tuple[CaseSummary, ...]:
    """The queue without the case ``beside`` and without those at which a colleague is at work."""
    return tuple(
        case
        for case in queue_of(cases, role)
        if case.case_id != beside and colleague_at(case, role=role, user=user) is None
    )


def finding_lines(case: Case, *, role: str, words: Words) -> tuple[FindingLine, ...]:
    """The findings in plain words: in the way for this role, in the way for others, to be noted, fine."""
    lines = [_finding_line(finding, role=role, words=words) for finding in case.findings]
    order = {"!": 0, "?": 0, "i": 1, "ok": 2}
    return tuple(sorted(lines, key=lambda line: (order[line.mark], not line.is_mine)))


def _finding_line(finding: FindingView, *, role: str, words: Words) -> FindingLine:
    long_words = finding.measured if isinstance(finding.measured, str) and len(finding.measured) > 12 else ""
    return FindingLine(
        code=finding.code,
        mark=_MARKS[finding.outcome],
        title=finding_words(finding, words),
        value=measured_value(finding),
        detail=" · ".join(part for part in (long_words, finding.detail) if part),
        role=finding.role,
        is_mine=finding.role == role,
        is_in_the_way=finding.is_in_the_way,
        why=_why(finding, words),
    )


def _why(finding: FindingView, words: Words) -> tuple[tuple[str, str], ...]:
    """By which rule, from which facts, at which place."""
    measured, threshold, model = finding.measured, finding.threshold, finding.model_hash
    facts = [("why.rule", finding.code)]
    if measured is not None:
        facts.append(("why.measured", _exactly(measured)))
    if threshold is not None:
        facts.append(("why.limit", _exactly(threshold)))
    facts.append(("why.stage", words.get(f"why.stage.{finding.stage}") or finding.stage))
    if model:
        facts.append(("why.model", model[:16]))
    if finding.detail:
        facts.append(("why.detail", finding.detail))
    return tuple(facts)


def _exactly(value: float | str) -> str:
    return value if isinstance(value, str) else f"{value:g}"


def measured_value(finding: FindingView) -> str:
    """What was measured, short enough to stand beside the words, with the limit it was held against; empty when neither helps."""
    measured, threshold = finding.measured, finding.threshold
    if measured is None or finding.code.startswith("lookup."):
        return ""
    if isinstance(measured, str):
        return measured if len(measured) <= 12 else ""
    if "temperature" in finding.code:
        limit = f" / {threshold:.1f}" if isinstance(threshold, float | int) else ""
        return f"{measured:.1f}{limit} °C"
    limit = f" / {_number(threshold)}" if isinstance(threshold, float | int) else ""
    return f"{_number(measured)}{limit}"


def _number(value: float) -> str:
    return str(int(value)) if value == int(value) and abs(value) >= 1 else f"{value:.2f}"


def match_of(case: Case) -> Match | None:
    """The newest comparison of the live face with the document, if there was one."""
    for finding in reversed(case.findings):
        if finding.code.startswith("face.match") and isinstance(finding.measured, float | int):
            threshold = finding.threshold if isinstance(finding.threshold, float | int) else None
            return Match(score=float(finding.measured), threshold=threshold, is_match=finding.outcome is Outcome.PASS)
    return None


def temperature_of(case: Case) -> FindingView | None:
    """The newest finding on the temperature."""
    return next((finding for finding in reversed(case.findings) if "temperature" in finding.code), None)


def liveness_of(case: Case) -> FindingView | None:
    """The newest finding on whether a living person stands there; what refers goes before what only notes."""
    found = [finding for finding in case.findings if finding.code.startswith("face.presentation")]
    decided = [finding for finding in found if finding.outcome is not Outcome.INFO]
    chosen = decided or found
    return chosen[-1] if chosen else None


def what_changed(before: Case, after: Case, *, words: Words) -> str:
    """What an officer must look at again, in one sentence; empty when the evidence is the same."""
    if before.evidence_digest == after.evidence_digest:
        return ""
    held = {(finding.code, finding.outcome, finding.measured) for finding in before.findings}
    fresh = [item for item in after.findings if (item.code, item.outcome, item.measured) not in held]
    pictures = {item.sha256 for item in before.attachments}
    fresh_kinds = {item.kind for item in after.attachments if item.sha256 not in pictures and item.kind != "private"}
    kinds = sorted({"xray" if kind.startswith("xray") else kind for kind in fresh_kinds})
    news = [_news_of(item, words) for item in fresh if item.is_in_the_way]
    news += [words("changed.picture", kind=words.get(f"picture.{kind}") or kind) for kind in kinds]
    news += [_news_of(item, words) for item in fresh if not item.is_in_the_way]
    finished = {item.inspection_id for item in before.inspections if item.state == "finished"}
    if any(item.state == "finished" and item.inspection_id not in finished for item in after.inspections):
        news.insert(0, words("changed.inspection"))
    if not news:
        news = [words("changed.revision", revision=after.revision)]
    if len(news) > 3:
        news = [*news[:3], words.count("changed.more", len(news) - 3)]
    return words("changed.sentence", news=words("changed.joint").join(news))


def _news_of(finding: FindingView, words: Words) -> str:
    value = measured_value(finding)
    title = finding_words(finding, words)
    return words("changed.finding", finding=title, value=value) if value else title
