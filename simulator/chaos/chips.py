"""What the chips of a fitted lane's travellers turn out to be, as findings by the product's own rules; no cryptography is done here."""

from enum import StrEnum

from gate.checks.emrtd.findings import ChipLimits, judge_findings
from gate.checks.emrtd.results import (
    NEEDED_CHECKS,
    Check,
    CheckName,
    CheckOutcome,
    ChipState,
    ChipVerdict,
    PassiveAuthentication,
    overall,
)
from gate.core.evidence import Finding


class ChipStory(StrEnum):
    GENUINE = "genuine"
    SILENT = "silent"
    """It does not answer, or the reader does not."""
    GARBLED = "garbled"
    """It answers what is no file."""
    FORGED = "forged"
    """Well-formed, and signed by nobody who may."""
    COPIED = "copied"
    """Every file of a real one, without its private key."""


def findings_of(story: ChipStory) -> tuple[Finding, ...]:
    """What a lane finds that wants every chip read and no copy."""
    limits = ChipLimits(needs_chip=True, needs_no_copy=True)
    match story:
        case ChipStory.SILENT:
            return judge_findings(_unread(ChipState.SILENT), limits)
        case ChipStory.GARBLED:
            return judge_findings(_unread(ChipState.FAILED), limits)
        case _:
            return judge_findings(_read(story), limits)


def _unread(state: ChipState) -> ChipVerdict:
    return ChipVerdict(
        state=state, passive=None, authentications=(), is_no_copy=CheckOutcome.NOT_CHECKED, reason="made so"
    )


def _read(story: ChipStory) -> ChipVerdict:
    forged = {CheckName.SOD_SIGNATURE} if story is ChipStory.FORGED else set()
    checks = tuple(
        Check(name=name, outcome=CheckOutcome.FAIL if name in forged else CheckOutcome.PASS, reason="made so")
        for name in sorted(NEEDED_CHECKS)
    )
    groups = frozenset({1, 2, 14, 15})
    passive = PassiveAuthentication(
        outcome=overall(checks), checks=checks, authentic_groups=groups, listed_groups=groups, country="UT"
    )
    no_copy = CheckOutcome.PASS if story is ChipStory.GENUINE else CheckOutcome.FAIL
    proof = Check(name=CheckName.CHIP_AUTHENTICATION, outcome=no_copy, reason="made so")
    return ChipVerdict(
        state=ChipState.READ, passive=passive, authentications=(proof,), is_no_copy=no_copy, reason="read"
    )
