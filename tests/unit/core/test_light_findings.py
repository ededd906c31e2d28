"""What the reader's lamps show, as findings: what fails refers, what could not be done is never a pass."""

from math import inf, nan

import pytest

from gate.core.document_lights import LightCheck, judge_lights
from gate.core.evidence import Outcome, Stage


def check(measured: float | None, *, is_least: bool = True, is_noted: bool = False, reason: str = "") -> LightCheck:
    return LightCheck(
        name="infrared_ink", limit=0.45, is_least=is_least, measured=measured, is_noted=is_noted, reason=reason
    )


@pytest.mark.parametrize(
    ("measured", "is_least", "outcome"),
    [
        (0.45, True, Outcome.PASS),
        (0.44, True, Outcome.REFER),
        (0.45, False, Outcome.PASS),
        (0.46, False, Outcome.REFER),
        (None, True, Outcome.NOT_CHECKED),
        (nan, False, Outcome.NOT_CHECKED),
        (inf, True, Outcome.NOT_CHECKED),
        (-inf, False, Outcome.NOT_CHECKED),
    ],
)
def test_limit_decides_and_no_number_passes_nothing(measured: float | None, is_least: bool, outcome: Outcome) -> None:
    (finding,) = judge_lights((check(measured, is_least=is_least),), refers=True)
    assert finding.outcome is outcome
    assert finding.is_in_the_way == (outcome is not Outcome.PASS)
    assert (finding.threshold, finding.stage) == (0.45, Stage.ENTRY)
    assert finding.measured is None or finding.measured == measured


def test_reason_why_it_could_not_be_done_is_said() -> None:
    (finding,) = judge_lights((check(None, reason="no answer from the lamps"),), refers=True)
    assert finding.detail == "no answer from the lamps"


def test_site_that_only_notes_stops_nobody() -> None:
    findings = judge_lights((check(0.1), check(None), check(0.9)), refers=False)
    assert [finding.outcome for finding in findings] == [Outcome.INFO, Outcome.INFO, Outcome.PASS]


def test_check_that_is_noted_never_refers() -> None:
    findings = judge_lights((check(0.1, is_noted=True), check(None, is_noted=True)), refers=True)
    assert not any(finding.is_in_the_way for finding in findings)


def test_reader_without_lamps_says_so_and_stops_nobody() -> None:
    (finding,) = judge_lights(None, refers=True)
    assert (finding.code, finding.measured, finding.is_in_the_way) == ("document.lights", "not checked", False)
