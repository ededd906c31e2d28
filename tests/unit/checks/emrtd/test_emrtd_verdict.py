"""The chip as a whole: its own proofs never count without passive authentication; what a site makes of each outcome."""

import pytest
from emrtd_kit import FAIL, GROUPS, NOT_CHECKED, NOT_SUPPORTED, PASS, check, signer

from gate.checks.emrtd.findings import ChipLimits, judge_findings
from gate.checks.emrtd.results import (
    NEEDED_CHECKS,
    Check,
    CheckName,
    CheckOutcome,
    ChipState,
    judge_chip,
    overall,
    unread_chip,
)
from gate.checks.emrtd.store import TrustStore
from gate.core.evidence import Outcome
from simulator.chip.files import make_com, make_dg14, make_dg15
from simulator.chip.sod import make_sod
from simulator.chip.tlv import tlv

WHOLE = GROUPS | {14: make_dg14(), 15: make_dg15(tlv(0x30))}
AA, CA = CheckName.ACTIVE_AUTHENTICATION, CheckName.CHIP_AUTHENTICATION


def passed(name: CheckName, outcome: CheckOutcome = PASS) -> Check:
    return Check(name=name, outcome=outcome, reason="the chip answered")


def whole(**changes: object):  # type: ignore[no-untyped-def]
    given = {"sod": make_sod(WHOLE, signer()), "groups": WHOLE, "com": make_com(WHOLE)} | changes
    return check(**given)  # type: ignore[arg-type]


@pytest.mark.parametrize("name", [AA, CA])
def test_a_proof_counts_over_a_verified_key(name: CheckName) -> None:
    verdict = judge_chip(whole(), [passed(name)])
    assert verdict.is_no_copy is PASS
    assert verdict.state is ChipState.READ
    assert verdict.reason == ""


@pytest.mark.parametrize("name", [AA, CA])
@pytest.mark.parametrize("is_vouched", [False, True])
def test_no_proof_counts_when_passive_authentication_failed_or_was_not_made(name: CheckName, is_vouched: bool) -> None:
    for passive in (whole(groups=WHOLE | {2: GROUPS[1]}), whole(trust=TrustStore())):
        verdict = judge_chip(passive, [passed(name)], is_key_vouched_for=is_vouched)
        assert verdict.is_no_copy is NOT_CHECKED
        assert PASS not in {item.outcome for item in verdict.authentications}


@pytest.mark.parametrize(("name", "group"), [(AA, 15), (CA, 14)])
def test_a_proof_by_a_key_that_was_not_verified_does_not_count(name: CheckName, group: int) -> None:
    some = {number: file for number, file in WHOLE.items() if number != group}
    verdict = judge_chip(whole(groups=some), [passed(name)])
    assert verdict.is_no_copy is NOT_CHECKED
    signed_without = check()
    assert judge_chip(signed_without, [passed(name)]).is_no_copy is NOT_CHECKED


def test_a_key_of_card_security_vouches_for_chip_authentication_only() -> None:
    assert judge_chip(check(), [passed(CA)], is_key_vouched_for=True).is_no_copy is PASS
    assert judge_chip(check(), [passed(AA)], is_key_vouched_for=True).is_no_copy is NOT_CHECKED


def test_one_failed_proof_outweighs_a_good_one() -> None:
    verdict = judge_chip(whole(), [passed(CA), passed(AA, FAIL)])
    assert verdict.is_no_copy is FAIL
    assert verdict.reason == "the chip answered"


def test_a_chip_without_keys_and_one_that_nobody_asked_are_two_things() -> None:
    assert judge_chip(check()).is_no_copy is NOT_SUPPORTED
    assert judge_chip(whole()).is_no_copy is NOT_CHECKED


def test_no_chip_a_silent_one_and_a_failed_one_are_three_things() -> None:
    outcomes = {
        state: judge_findings(unread_chip(state, "why"), ChipLimits())[0].outcome
        for state in (ChipState.NO_CHIP, ChipState.SILENT, ChipState.FAILED)
    }
    assert outcomes == {
        ChipState.NO_CHIP: Outcome.INFO,
        ChipState.SILENT: Outcome.REFER,
        ChipState.FAILED: Outcome.REFER,
    }
    lax = ChipLimits(needs_chip=True, accepts_silent=True, accepts_unread=True)
    turned = {state: judge_findings(unread_chip(state, "why"), lax)[0].outcome for state in outcomes}
    assert turned == {ChipState.NO_CHIP: Outcome.REFER, ChipState.SILENT: Outcome.INFO, ChipState.FAILED: Outcome.INFO}
    with pytest.raises(ValueError, match="judge_chip"):
        unread_chip(ChipState.READ, "")


def test_a_document_in_order_has_nothing_in_the_way() -> None:
    findings = judge_findings(judge_chip(whole(), [passed(AA)]), ChipLimits(needs_no_copy=True))
    assert not [finding.code for finding in findings if finding.is_in_the_way]
    assert len({finding.code for finding in findings}) == len(findings) == len(CheckName) + 2


def test_every_failure_is_referred_and_what_was_needed_and_not_made_is_in_the_way() -> None:
    findings = judge_findings(judge_chip(whole(groups=WHOLE | {2: GROUPS[1]})), ChipLimits())
    assert [finding.code for finding in findings if finding.is_in_the_way] == ["chip.dg_hashes"]
    unknown = judge_chip(whole(trust=TrustStore()))
    assert "chip.dsc_chain" in {item.code for item in judge_findings(unknown, ChipLimits()) if item.is_in_the_way}
    lax = judge_findings(unknown, ChipLimits(accepts_unknown_issuer=True))
    assert not [finding.code for finding in lax if finding.is_in_the_way]
    copied = judge_findings(judge_chip(whole()), ChipLimits(needs_no_copy=True))
    assert [finding.code for finding in copied if finding.is_in_the_way] == ["chip.no_copy"]


def test_overall_is_the_worst_that_matters() -> None:
    good = [Check(name=name, outcome=PASS, reason="") for name in NEEDED_CHECKS]
    assert overall(good) is PASS
    assert overall([*good, Check(name=CheckName.MRZ_MATCH, outcome=NOT_CHECKED, reason="")]) is PASS
    assert overall([*good, Check(name=CheckName.MRZ_MATCH, outcome=FAIL, reason="")]) is FAIL
    assert overall([]) is NOT_CHECKED
    for name in NEEDED_CHECKS:
        rest = [item for item in good if item.name is not name]
        assert overall(rest) is NOT_CHECKED
        assert overall([*rest, Check(name=name, outcome=NOT_SUPPORTED, reason="")]) is NOT_SUPPORTED
