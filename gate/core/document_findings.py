"""What a page shows beside its check digits and dates, as findings: codes, printed text against the MRZ, signs of a copy. Pure.

None of it is proof. A code that nobody uses, a printed number that differs and a page that looks like a screen are what an officer
is asked to look at; a visual zone that could not be read says nothing.
"""

from dataclasses import dataclass
from enum import StrEnum
from math import isfinite

from gate.core.evidence import Finding, Outcome, Stage


class Agreement(StrEnum):
    """How the printed text compares with the MRZ."""

    AGREES = "viz_agrees"
    DIFFERS = "viz_differs"
    UNREAD = "viz_unread"


@dataclass(frozen=True, slots=True, kw_only=True)
class VisualZoneFacts:
    """The visual zone (VIZ) against the MRZ. ``fields`` gives each field that was found its agreement, 0..1; never the text.

    ``differing`` names those that were read clearly and differ. ``model_hash`` is that of the model that read.
    """

    agreement: Agreement
    fields: tuple[tuple[str, float], ...] = ()
    differing: tuple[str, ...] = ()
    model_hash: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CueFacts:
    """One sign of a copy: ``name`` (screen, photocopy, ...), what was measured, and the limit above which it speaks."""

    name: str
    measured: float
    limit: float

    @property
    def is_strong(self) -> bool:
        """Whether it is above its limit; what is no number is not below it."""
        return not self.measured <= self.limit


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentLimits:
    """What a site asks of a page. ``referring_cues`` names the signs of a copy that send it to an officer; others are shown only."""

    accepts_specimens: bool = False
    referring_cues: frozenset[str] = frozenset()
    refers_unread_visual_zone: bool = False
    refers_lights: bool = True
    """Whether ink and paper that fail under the reader's lamps send a page to an officer."""


def judge_codes(unknown_codes: tuple[str, ...], *, is_specimen: bool, limits: DocumentLimits) -> Finding:
    """Issuer and nationality must be codes of ICAO Doc 9303 part 3 section 5; a specimen's Utopia is nobody's document."""
    if unknown_codes:
        outcome, detail = Outcome.REFER, f"no code of ICAO Doc 9303: {', '.join(unknown_codes)}"
    elif is_specimen:
        outcome = Outcome.INFO if limits.accepts_specimens else Outcome.REFER
        detail = "a specimen (UTO)"
    else:
        outcome, detail = Outcome.PASS, ""
    return Finding(code="document.codes", outcome=outcome, stage=Stage.ENTRY, detail=detail)


def judge_visual_zone(facts: VisualZoneFacts | None, limits: DocumentLimits) -> tuple[Finding, ...]:
    """Printed text that differs from the MRZ is referred; unread text is too only where a site says so. None: nothing reads it."""
    if facts is None:
        return ()
    unread = Outcome.NOT_CHECKED if limits.refers_unread_visual_zone else Outcome.INFO
    outcomes = {Agreement.AGREES: Outcome.PASS, Agreement.DIFFERS: Outcome.REFER, Agreement.UNREAD: unread}
    detail = ", ".join(f"{name} {share:.2f}" for name, share in facts.fields)
    if facts.differing:
        detail += f"; differs: {', '.join(facts.differing)}"
    return (
        Finding(
            code="document.visual_zone",
            outcome=outcomes[facts.agreement],
            stage=Stage.ENTRY,
            measured=facts.agreement.value,
            model_hash=facts.model_hash,
            detail=detail,
        ),
    )


def judge_cues(cues: tuple[CueFacts, ...], limits: DocumentLimits) -> tuple[Finding, ...]:
    """One finding per sign of a copy, with what was measured and the limit it was held to."""
    found = []
    for cue in cues:
        strong = Outcome.REFER if cue.name in limits.referring_cues else Outcome.INFO
        found.append(
            Finding(
                code=f"document.cue.{cue.name}",
                outcome=strong if cue.is_strong else Outcome.PASS,
                stage=Stage.ENTRY,
                measured=round(cue.measured, 4) if isfinite(cue.measured) else None,
                threshold=cue.limit,
            )
        )
    return tuple(found)
