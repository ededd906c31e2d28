"""What the officers' screens show, worked out without a screen: which case, what changed, in which words and order."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from gate.console.hub_models import AttachmentView, Case, CaseSummary, FindingView
from gate.console.texts import Texts
from gate.core.evidence import Outcome

_MARKS = {Outcome.PASS: "ok", Outcome.INFO: "i", Outcome.REFER: "!", Outcome.NOT_CHECKED: "?"}


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """The comparison of the faces: cosine scores, -1 to 1."""

    score: float
    threshold: float | None
    is_match: bool


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


def queue_of(cases: Sequence[CaseSummary], role: str) -> tuple[CaseSummary, ...]:
    """Cases in the order of a role's queue: what waits for this role first, then the others, each in the order of arrival.

    A traveller's place does not change when new evidence makes their case wait anew.
    """
    live = [case for case in cases if case.status in ("open", "released")]
    return tuple(sorted(live, key=lambda case: (not case.waits_for(role), case.opened_ms, case.case_id)))


def choose_case(
    cases: Sequence[CaseSummary],
    *,
    role: str,
    current: CaseSummary | None,
    is_kept: bool = False,
    is_decided: bool = False,
) -> str | None:
    """Which case the screen shows next; None when there is none.

    ``is_kept``: an officer chose the current case, or it has waited for them on this screen; it stays until it is over or decided,
    also while new evidence makes it wait for nobody. What is only watched gives way to a case that waits for this role.
    ``is_decided``: this role has just released or sent back the current case.
    """
    queue = [case for case in queue_of(cases, role) if current is None or case.case_id != current.case_id]
    waiting = next((case for case in queue if case.waits_for(role)), None)
    if current is not None and current.status != "closed":
        is_theirs = is_kept and not is_decided and current.status == "open"
        if waiting is None or is_theirs or current.waits_for(role):
            return current.case_id
    if waiting is not None:
        return waiting.case_id
    return queue[0].case_id if queue else None


def finding_lines(case: Case, *, role: str, texts: Texts) -> tuple[FindingLine, ...]:
    """The findings in plain words: in the way for this role, in the way for others, to be noted, fine."""
    lines = [_finding_line(finding, role=role, texts=texts) for finding in case.findings]
    order = {"!": 0, "?": 0, "i": 1, "ok": 2}
    return tuple(sorted(lines, key=lambda line: (order[line.mark], not line.is_mine)))


def _finding_line(finding: FindingView, *, role: str, texts: Texts) -> FindingLine:
    long_words = finding.measured if isinstance(finding.measured, str) and len(finding.measured) > 12 else ""
    return FindingLine(
        code=finding.code,
        mark=_MARKS[finding.outcome],
        title=texts.finding(finding),
        value=measured_value(finding),
        detail=" · ".join(part for part in (long_words, finding.detail) if part),
        role=finding.role,
        is_mine=finding.role == role,
        is_in_the_way=finding.is_in_the_way,
    )


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


def what_changed(before: Case, after: Case, *, texts: Texts) -> str:
    """What an officer must look at again, in one sentence; empty when the evidence is the same."""
    if before.evidence_digest == after.evidence_digest:
        return ""
    held = {(finding.code, finding.outcome, finding.measured) for finding in before.findings}
    fresh = [item for item in after.findings if (item.code, item.outcome, item.measured) not in held]
    pictures = {item.sha256 for item in before.attachments}
    fresh_kinds = {item.kind for item in after.attachments if item.sha256 not in pictures and item.kind != "private"}
    kinds = sorted({"X-ray" if kind.startswith("xray") else kind for kind in fresh_kinds})
    news = [_news_of(item, texts) for item in fresh]
    news += [f"new picture: {kind}" for kind in kinds]
    if not news:
        news = [f"revision {after.revision}"]
    shown = "; ".join(news[:3]) + (f"; and {len(news) - 3} more" if len(news) > 3 else "")
    return f"The evidence changed: {shown}. Look again, then decide."


def _news_of(finding: FindingView, texts: Texts) -> str:
    value = measured_value(finding)
    return f"{texts.finding(finding)} ({value})" if value else texts.finding(finding)
