"""What the inspection of a chip means for a crossing: one finding for each check, weighed by what a site asks.

No finding carries personal data: reasons name certificates, data groups and numbers of characters, never their content.
"""

from dataclasses import dataclass
from typing import assert_never

from gate.checks.emrtd.results import NEEDED_CHECKS, Check, CheckName, CheckOutcome, ChipState, ChipVerdict
from gate.core.evidence import Finding, Outcome, Stage


@dataclass(frozen=True, slots=True, kw_only=True)
class ChipLimits:
    """What a site does about chips that prove nothing. A check that failed is always referred to an officer.

    ``needs_chip``: a document without a chip is referred; ``accepts_silent`` and ``accepts_unread``: a chip that does not answer, or that
    cannot be read, is shown and not referred; ``accepts_unknown_issuer``: a state whose CSCA is not in the trust store is shown and not
    referred; ``needs_no_copy``: a chip that could be a copy (neither active nor chip authentication) is referred.
    """

    needs_chip: bool = False
    accepts_silent: bool = False
    accepts_unread: bool = False
    accepts_unknown_issuer: bool = False
    needs_no_copy: bool = False


def judge_findings(verdict: ChipVerdict, limits: ChipLimits) -> tuple[Finding, ...]:
    """Findings of the entry: ``chip.state``, then ``chip.`` and the name of each check, then ``chip.no_copy``."""
    state = Finding(
        code="chip.state",
        outcome=_state_outcome(verdict.state, limits),
        stage=Stage.ENTRY,
        measured=verdict.state.value,
        detail=verdict.reason if verdict.state is not ChipState.READ else "",
    )
    if verdict.passive is None:
        return (state,)
    is_issuer_unknown = verdict.passive.outcome_of(CheckName.DSC_CHAIN) is CheckOutcome.NOT_CHECKED
    is_excused = limits.accepts_unknown_issuer and is_issuer_unknown
    checks = tuple(_check_finding(check, is_excused=is_excused) for check in verdict.checks)
    return state, *checks, _copy_finding(verdict, limits)


def _state_outcome(state: ChipState, limits: ChipLimits) -> Outcome:
    match state:
        case ChipState.READ:
            return Outcome.PASS
        case ChipState.NO_CHIP:
            return Outcome.REFER if limits.needs_chip else Outcome.INFO
        case ChipState.SILENT:
            return Outcome.INFO if limits.accepts_silent else Outcome.REFER
        case ChipState.FAILED:
            return Outcome.INFO if limits.accepts_unread else Outcome.REFER
        case _:
            assert_never(state)


def _check_finding(check: Check, *, is_excused: bool) -> Finding:
    if check.outcome is CheckOutcome.PASS:
        outcome = Outcome.PASS
    elif check.outcome is CheckOutcome.FAIL:
        outcome = Outcome.REFER
    else:
        # What nothing depends on is said and stands in nobody's way.
        outcome = Outcome.NOT_CHECKED if check.name in NEEDED_CHECKS and not is_excused else Outcome.INFO
    return Finding(
        code=f"chip.{check.name.value}",
        outcome=outcome,
        stage=Stage.ENTRY,
        measured=check.outcome.value,
        detail=check.reason,
    )


def _copy_finding(verdict: ChipVerdict, limits: ChipLimits) -> Finding:
    if verdict.is_no_copy is CheckOutcome.PASS:
        outcome = Outcome.PASS
    elif verdict.is_no_copy is CheckOutcome.FAIL or limits.needs_no_copy:
        outcome = Outcome.REFER
    else:
        outcome = Outcome.INFO
    return Finding(code="chip.no_copy", outcome=outcome, stage=Stage.ENTRY, measured=verdict.is_no_copy.value)
