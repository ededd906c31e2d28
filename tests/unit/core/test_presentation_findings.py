"""From signs of life to findings: an attack refers, doubt refers unless the site says otherwise, and every signal is recorded."""

import pytest

from gate.core.evidence import Outcome
from gate.core.presentation import (
    Presentation,
    PresentationFacts,
    PresentationPolicy,
    SignalFacts,
    judge_presentation,
)

SIGNALS = (
    SignalFacts(name="planarity", score=0.6, threshold=0.48, llr=1.2),
    SignalFacts(name="pad-texture", score=-1.0, threshold=0.1, llr=-0.5, model_hash="ab" * 32),
    SignalFacts(name="border", score=None, threshold=-0.4, llr=None),
)
REFER, NOTE = PresentationPolicy(), PresentationPolicy(refers_attack=False, refers_unsure=False)


def facts(presentation: Presentation) -> PresentationFacts:
    return PresentationFacts(presentation=presentation, llr=0.7, threshold=1.2, signals=SIGNALS)


@pytest.mark.parametrize(
    ("presentation", "policy", "outcome"),
    [
        (Presentation.LIVE, REFER, Outcome.PASS),
        (Presentation.ATTACK, REFER, Outcome.REFER),
        (Presentation.UNSURE, REFER, Outcome.REFER),
        (Presentation.ATTACK, NOTE, Outcome.INFO),
        (Presentation.UNSURE, NOTE, Outcome.INFO),
        (Presentation.ATTACK, PresentationPolicy(refers_unsure=False), Outcome.REFER),
        (Presentation.UNSURE, PresentationPolicy(refers_unsure=False), Outcome.INFO),
    ],
)
def test_what_refers(presentation: Presentation, policy: PresentationPolicy, outcome: Outcome) -> None:
    whole, *_ = judge_presentation(facts(presentation), policy)
    assert (whole.code, whole.outcome, whole.measured, whole.threshold) == ("face.presentation", outcome, 0.7, 1.2)
    assert presentation.value in whole.detail


def test_each_signal_with_evidence_is_recorded_and_none_of_them_decides() -> None:
    _, *parts = judge_presentation(facts(Presentation.ATTACK), REFER)
    assert [(part.code, part.measured, part.threshold, part.model_hash) for part in parts] == [
        ("face.presentation.planarity", 0.6, 0.48, None),
        ("face.presentation.pad-texture", -1.0, 0.1, "ab" * 32),
    ]
    assert not any(part.is_in_the_way for part in parts)


def test_what_was_not_measured_stands_in_the_way_like_doubt() -> None:
    (finding,) = judge_presentation(None, REFER)
    assert (finding.outcome, finding.is_in_the_way) == (Outcome.NOT_CHECKED, True)
    (finding,) = judge_presentation(None, NOTE)
    assert not finding.is_in_the_way


def test_nobody_asks_nobody_answers() -> None:
    assert judge_presentation(facts(Presentation.ATTACK), None) == ()
