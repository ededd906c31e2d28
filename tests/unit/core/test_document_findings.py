"""Codes, printed text and signs of a copy become findings; what is unread or within limits stands in nobody's way."""

from dataclasses import replace
from datetime import date
from math import isfinite

import pytest

from gate.core.document_findings import Agreement, CueFacts, DocumentLimits, VisualZoneFacts
from gate.core.evidence import Finding, Outcome, Stage, canonical_sha256
from gate.core.policy import DocumentFacts, judge_document

GOOD = DocumentFacts(
    format="TD3",
    failed_check_digits=(),
    expiry_date=date(2030, 1, 1),
    birth_date=date(1990, 5, 17),
    has_portrait=True,
    confidence_ratio=0.99,
    model_hash="a" * 64,
)


def judged(limits: DocumentLimits | None = None, **changes: object) -> dict[str, Finding]:
    facts = replace(GOOD, **changes)  # type: ignore[arg-type]
    found = judge_document(facts, today=date(2026, 1, 1), limits=limits)
    assert {finding.stage for finding in found} == {Stage.ENTRY}
    for finding in found:
        canonical_sha256(finding.to_json())  # raises for what cannot be hashed
    return {finding.code: finding for finding in found}


def test_a_code_of_no_state_is_referred_by_its_field() -> None:
    codes = judged(unknown_codes=("issuer",))["document.codes"]
    assert codes.outcome is Outcome.REFER
    assert "issuer" in codes.detail


def test_a_specimen_is_referred_unless_the_site_is_a_demonstration() -> None:
    assert judged(is_specimen=True)["document.codes"].outcome is Outcome.REFER
    shown = DocumentLimits(accepts_specimens=True)
    assert judged(shown, is_specimen=True)["document.codes"].outcome is Outcome.INFO
    assert judged(shown, is_specimen=True, unknown_codes=("issuer",))["document.codes"].outcome is Outcome.REFER


def test_nothing_is_said_of_a_visual_zone_that_nothing_reads() -> None:
    assert "document.visual_zone" not in judged()


@pytest.mark.parametrize(
    ("agreement", "outcome"),
    [(Agreement.AGREES, Outcome.PASS), (Agreement.DIFFERS, Outcome.REFER), (Agreement.UNREAD, Outcome.INFO)],
)
def test_printed_text_against_the_mrz(agreement: Agreement, outcome: Outcome) -> None:
    facts = VisualZoneFacts(
        agreement=agreement,
        fields=(("document_number", 0.89), ("surname", 1.0)),
        differing=("document_number",) if agreement is Agreement.DIFFERS else (),
        model_hash="b" * 64,
    )
    zone = judged(visual_zone=facts)["document.visual_zone"]
    assert (zone.outcome, zone.measured, zone.model_hash) == (outcome, agreement.value, "b" * 64)
    assert "document_number 0.89" in zone.detail
    assert ("differs: document_number" in zone.detail) == (agreement is Agreement.DIFFERS)


def test_a_site_may_want_every_visual_zone_read() -> None:
    strict = DocumentLimits(refers_unread_visual_zone=True)
    zone = judged(strict, visual_zone=VisualZoneFacts(agreement=Agreement.UNREAD))["document.visual_zone"]
    assert zone.is_in_the_way


@pytest.mark.parametrize(
    ("measured", "referring", "outcome"),
    [
        (0.3, {"screen"}, Outcome.PASS),
        (0.31, {"screen"}, Outcome.REFER),
        (0.31, {"photocopy"}, Outcome.INFO),
        (float("nan"), {"screen"}, Outcome.REFER),
    ],
)
def test_a_sign_of_a_copy_refers_where_the_site_says_so(measured: float, referring: set[str], outcome: Outcome) -> None:
    limits = DocumentLimits(referring_cues=frozenset(referring))
    cue = judged(limits, cues=(CueFacts(name="screen", measured=measured, limit=0.3),))["document.cue.screen"]
    assert (cue.outcome, cue.threshold) == (outcome, 0.3)
    assert cue.measured == (measured if isfinite(measured) else None)
