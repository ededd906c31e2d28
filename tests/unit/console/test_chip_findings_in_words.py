"""Every finding of a chip is a sentence to an officer, whatever its outcome."""

from gate.checks.emrtd.findings import ChipLimits, judge_findings
from gate.checks.emrtd.results import (
    Check,
    CheckName,
    CheckOutcome,
    ChipState,
    PassiveAuthentication,
    judge_chip,
    unread_chip,
)
from gate.console.hub_models import FindingView
from gate.console.i18n import LANGUAGES, words_of
from gate.console.spoken import finding_words


def test_no_code_is_shown_bare() -> None:
    found = set()
    for limits in (
        ChipLimits(),
        ChipLimits(needs_chip=True, needs_no_copy=True, accepts_silent=True, accepts_unread=True),
    ):
        for state in (ChipState.NO_CHIP, ChipState.SILENT, ChipState.FAILED):
            found.update(judge_findings(unread_chip(state, "why"), limits))
        for outcome in CheckOutcome:
            checks = tuple(Check(name=name, outcome=outcome, reason="why") for name in CheckName)
            passive = PassiveAuthentication(
                outcome=outcome,
                checks=checks[:-2],
                authentic_groups=frozenset({14, 15}),
                listed_groups=frozenset({14, 15}),
                country="UT",
            )
            found.update(judge_findings(judge_chip(passive, checks[-2:]), limits))
    assert len({finding.code for finding in found}) > 15
    bare = {
        (language, finding.code, finding.outcome)
        for finding in found
        for language in LANGUAGES
        if "·" in finding_words(FindingView.model_validate(finding.to_json()), words_of(language))
    }
    assert bare == set()
