"""What orjson writes for a digest is, byte for byte, what the standard library writes on the lane."""

import json
import math
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from gate.core.evidence import Attachment, Evidence, Finding, Outcome, Stage, canonical_json
from gate.hub.believe import check_evidence
from gate.hub.quick_json import same_canonical_json, stable_json
from gate.wire.messages import EvidenceRecorded

NUMBERS = st.one_of(
    st.floats(allow_nan=False, allow_infinity=False),
    st.floats(1e-6, 1e-3),
    st.floats(1e14, 1e18),
    st.integers(-(10**25), 10**25),
    st.booleans(),
)
ANYTHING = st.recursive(
    st.one_of(st.none(), st.text(), NUMBERS),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=6,
)


@given(st.one_of(st.none(), st.text(), NUMBERS, ANYTHING), st.text())
@example(1e16, "")
@example(9999999999999998.0, "")
@example(1e-4, "")
@example(9.999999999999999e-05, "")
@example(-0.0, '\x7f\u2028\\"\x00\x1f/')
@example(2**63, "\U0001f600")
@example(-(2**63) - 1, "é")
def test_the_bytes_are_those_of_the_standard_library(leaf: object, text: str) -> None:
    value = {"b": [text, leaf], "a": text, text: None}
    assert same_canonical_json(value, [leaf]) == canonical_json(value)


@pytest.mark.parametrize("leaf", [math.nan, math.inf, -math.inf, "\ud800"])
def test_what_is_no_json_is_refused_as_it_was(leaf: object) -> None:
    with pytest.raises(ValueError):
        canonical_json({"a": leaf})
    with pytest.raises(ValueError):
        same_canonical_json({"a": leaf}, [leaf])


@given(ANYTHING)
def test_what_is_kept_can_be_read_back_and_does_not_depend_on_the_order_of_keys(value: Any) -> None:
    text = stable_json({"x": value, "a": 1})
    assert text == stable_json({"a": 1, "x": value})
    assert json.loads(text) == {"a": 1, "x": value}


@given(ANYTHING, ANYTHING, ANYTHING)
@example(1e-5, 1e22, None)
@example({"b": 1e-7, "a": [True]}, 10**30, 5)
def test_a_digest_that_the_lane_made_is_believed_whatever_was_measured(
    measured: Any, threshold: Any, model_hash: Any
) -> None:
    finding = Finding(
        code="c",
        outcome=Outcome.PASS,
        stage=Stage.ENTRY,
        measured=measured,
        threshold=threshold,
        model_hash=model_hash,
    )
    item = Attachment(kind="page", sha256="a" * 64, media_type="image/jpeg")
    evidence = Evidence(port="p", lane="l", case_id="c", findings=(finding,), attachments=(item,))
    data = EvidenceRecorded(case_id="c", revision=0, digest=evidence.digest(), evidence=evidence.to_json())
    assert check_evidence("p", "l", data) == evidence
    wrong = data.model_copy(update={"digest": "0" * 64})
    assert check_evidence("p", "l", wrong) == "another digest than announced"


@pytest.mark.parametrize("occupancy_id", [0, False, [], {}, 1.0])
def test_a_stay_is_named_by_a_text_or_not_at_all(occupancy_id: Any) -> None:
    evidence = Evidence(port="p", lane="l", case_id="c", occupancy_id=occupancy_id)
    data = EvidenceRecorded(case_id="c", revision=0, digest=evidence.digest(), evidence=evidence.to_json())
    assert check_evidence("p", "l", data) == "malformed evidence (not text)"


def test_what_is_said_beyond_the_evidence_does_not_count_in_its_digest() -> None:
    evidence = Evidence(
        port="p", lane="l", case_id="c", findings=(Finding(code="c", outcome=Outcome.INFO, stage=Stage.EXIT),)
    )
    said = evidence.to_json()
    said["findings"][0]["more"] = 1
    data = EvidenceRecorded(case_id="c", revision=0, digest=evidence.digest(), evidence=said | {"more": 2})
    assert check_evidence("p", "l", data) == evidence
