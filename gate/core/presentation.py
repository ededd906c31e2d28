"""What is known of whether a living person, or a picture of one, stands before the face camera, as findings (ISO/IEC 30107-1: presentation
attack detection). Pure; how it was measured is the models' part.
"""

from dataclasses import dataclass
from enum import StrEnum

from gate.core.evidence import Finding, Outcome, Stage

CODE = "face.presentation"


class Presentation(StrEnum):
    """What the signals say together."""

    LIVE = "live"
    ATTACK = "attack"
    UNSURE = "unsure"


@dataclass(frozen=True, slots=True, kw_only=True)
class SignalFacts:
    """One signal's part: ``score`` and ``threshold`` in its own unit, ``llr`` its log-likelihood ratio; None: it had no evidence."""

    name: str
    score: float | None
    threshold: float
    llr: float | None
    model_hash: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PresentationFacts:
    """``llr``: the sum of the signals' log-likelihood ratios, live over attack; ``threshold``: what it takes to be live."""

    presentation: Presentation
    llr: float
    threshold: float
    signals: tuple[SignalFacts, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class PresentationPolicy:
    """Whether an attack, and whether doubt, refers to an officer; what does not refer is noted for officers to see."""

    refers_attack: bool = True
    refers_unsure: bool = True


def judge_presentation(facts: PresentationFacts | None, policy: PresentationPolicy | None) -> tuple[Finding, ...]:
    """One finding for all signals together and one, for information, for each that had evidence. None where no policy asks.

    A presentation that was not measured at all stands in the way like one in doubt.
    """
    if policy is None:
        return ()
    if facts is None:
        outcome = Outcome.NOT_CHECKED if policy.refers_unsure else Outcome.INFO
        return (Finding(code=CODE, outcome=outcome, stage=Stage.EXIT),)
    told = tuple(item for item in facts.signals if item.llr is not None and item.score is not None)
    whole = Finding(
        code=CODE,
        outcome=_outcome(facts.presentation, policy),
        stage=Stage.EXIT,
        measured=round(facts.llr, 4),
        threshold=facts.threshold,
        detail=", ".join((facts.presentation.value, *(f"{item.name} {item.llr:+.2f}" for item in told))),
    )
    parts = tuple(
        Finding(
            code=f"{CODE}.{item.name}",
            outcome=Outcome.INFO,
            stage=Stage.EXIT,
            measured=round(item.score or 0.0, 6),
            threshold=round(item.threshold, 6),
            model_hash=item.model_hash,
        )
        for item in told
    )
    return (whole, *parts)


def _outcome(presentation: Presentation, policy: PresentationPolicy) -> Outcome:
    match presentation:
        case Presentation.LIVE:
            return Outcome.PASS
        case Presentation.ATTACK:
            return Outcome.REFER if policy.refers_attack else Outcome.INFO
        case Presentation.UNSURE:
            return Outcome.REFER if policy.refers_unsure else Outcome.INFO
