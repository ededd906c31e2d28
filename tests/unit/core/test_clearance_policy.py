"""What is not known to be fine is in the way; thresholds at their very numbers; every number is on the record."""

from datetime import date, timedelta

import pytest

from gate.core.evidence import Finding, Outcome, Stage
from gate.core.policy import (
    Admit,
    Answer,
    Clear,
    ClearancePolicy,
    Deny,
    DocumentFacts,
    FaceFacts,
    LookupFacts,
    Refer,
    decide_entry,
    decide_exit,
    judge_document,
    judge_face,
    judge_lookups,
    judge_people,
    judge_temperature,
    unreadable_document,
)

TODAY = date(2026, 1, 1)
DAY = timedelta(days=1)
POLICY = ClearancePolicy(face_threshold=0.4, temperature_max_celsius=37.3)
GOOD = DocumentFacts(
    format="TD3",
    failed_check_digits=(),
    expiry_date=TODAY + DAY,
    birth_date=date(1990, 5, 17),
    has_portrait=True,
    confidence_ratio=0.99,
    model_hash="a" * 64,
)


def document(**changes: object) -> dict[str, Finding]:
    fields = {name: getattr(GOOD, name) for name in DocumentFacts.__slots__}
    found = judge_document(DocumentFacts(**{**fields, **changes}), today=TODAY)
    return {finding.code: finding for finding in found}


def finding(outcome: Outcome, *, stage: Stage = Stage.EXIT, role: str = "border", code: str = "face.match") -> Finding:
    return Finding(code=code, outcome=outcome, stage=stage, role=role)


@pytest.mark.parametrize("outcome", Outcome)
def test_only_pass_and_info_are_not_in_the_way(outcome: Outcome) -> None:
    item = finding(outcome)
    assert item.is_in_the_way == (outcome in (Outcome.REFER, Outcome.NOT_CHECKED))
    fine = finding(Outcome.PASS, code="occupancy.one_person")
    assert isinstance(decide_exit((fine, item)), Refer if item.is_in_the_way else Clear)
    at_entry = finding(outcome, stage=Stage.ENTRY)
    assert isinstance(decide_entry((at_entry,), POLICY), Deny if item.is_in_the_way else Admit)


def test_a_good_document_passes_and_records_its_numbers() -> None:
    found = document()
    assert list(found) == [
        "document.check_digits",
        "document.expiry",
        "document.birth",
        "document.portrait",
        "document.codes",
        "document.lights",
    ]
    lamps = found.pop("document.lights")
    assert (lamps.outcome, lamps.measured) == (Outcome.INFO, "not checked"), "a reader without lamps says so"
    assert {item.outcome for item in found.values()} == {Outcome.PASS}
    assert {item.stage for item in found.values()} == {Stage.ENTRY}
    digits = found["document.check_digits"]
    assert (digits.measured, digits.model_hash, digits.detail) == (0.99, "a" * 64, "")
    expiry = found["document.expiry"]
    assert (expiry.measured, expiry.threshold) == ("2026-01-02", "2026-01-01")
    assert found["document.birth"].measured is None, "findings travel in clear: no date of birth in them"
    assert found["document.portrait"].detail == ""


@pytest.mark.parametrize(
    ("changes", "code", "outcome"),
    [
        ({"failed_check_digits": ("birth_date", "composite")}, "document.check_digits", Outcome.REFER),
        ({"expiry_date": TODAY - DAY}, "document.expiry", Outcome.REFER),
        ({"expiry_date": TODAY}, "document.expiry", Outcome.PASS),
        ({"expiry_date": date(2056, 12, 31)}, "document.expiry", Outcome.PASS),
        ({"expiry_date": date(2057, 1, 1)}, "document.expiry", Outcome.REFER),
        ({"expiry_date": None}, "document.expiry", Outcome.REFER),
        ({"birth_date": TODAY}, "document.birth", Outcome.PASS),
        ({"birth_date": TODAY + DAY}, "document.birth", Outcome.REFER),
        ({"birth_date": None}, "document.birth", Outcome.INFO),
        ({"has_portrait": False}, "document.portrait", Outcome.REFER),
    ],
)
def test_each_fault_of_a_document_alone(changes: dict[str, object], code: str, outcome: Outcome) -> None:
    found = document(**changes)
    assert found[code].outcome is outcome
    assert found[code].detail or changes.get("expiry_date") or changes.get("birth_date")
    assert {item.stage for item in found.values()} == {Stage.ENTRY}
    assert all(item.outcome is Outcome.PASS for name, item in found.items() if name not in (code, "document.lights"))


def test_what_could_not_be_read_is_said() -> None:
    found = document(expiry_date=None, birth_date=None, has_portrait=False)
    assert found["document.expiry"].detail == "the date is not a date"
    assert found["document.birth"].detail == "not a full date"
    assert found["document.portrait"].detail == "no portrait was found on the page"


def test_the_failed_digits_are_named() -> None:
    assert document(failed_check_digits=("a", "b"))["document.check_digits"].detail == "a, b"


def test_an_unreadable_page_refers_at_the_entry() -> None:
    found = unreadable_document("glare", model_hash="m")
    assert found == Finding(
        code="document.unreadable", outcome=Outcome.REFER, stage=Stage.ENTRY, detail="glare", model_hash="m"
    )
    assert decide_entry((found,), POLICY) == Deny(reasons=("document.unreadable",))


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        (Answer.NOTHING, Outcome.PASS),
        (Answer.HIT, Outcome.REFER),
        (Answer.NO_ANSWER, Outcome.NOT_CHECKED),
        (Answer.STALE, Outcome.NOT_CHECKED),
        (Answer.TIMED_OUT, Outcome.NOT_CHECKED),
    ],
)
def test_a_look_up_clears_only_by_finding_nothing(answer: Answer, outcome: Outcome) -> None:
    (found,) = judge_lookups([LookupFacts(name="watchlist", answer=answer, role="border", detail="d")], POLICY)
    assert found == Finding(
        code="lookup.watchlist", outcome=outcome, stage=Stage.ENTRY, role="border", measured=answer.value, detail="d"
    )


def test_a_required_look_up_that_is_missing_is_not_checked() -> None:
    policy = ClearancePolicy(face_threshold=0.4, required_lookups=frozenset({"b", "a", "watchlist"}))
    found = judge_lookups([LookupFacts(name="watchlist", answer=Answer.NOTHING, role="customs")], policy)
    assert [(item.code, item.outcome, item.role) for item in found] == [
        ("lookup.watchlist", Outcome.PASS, "customs"),
        ("lookup.a", Outcome.NOT_CHECKED, "border"),
        ("lookup.b", Outcome.NOT_CHECKED, "border"),
    ]
    assert decide_entry(found, policy) == Deny(reasons=("lookup.a", "lookup.b"))


@pytest.mark.parametrize(
    ("score", "outcome"),
    [(0.4, Outcome.PASS), (0.3999999, Outcome.REFER), (1.0, Outcome.PASS), (-1.0, Outcome.REFER), (0.0, Outcome.REFER)],
)
def test_the_face_at_its_threshold(score: float, outcome: Outcome) -> None:
    found = judge_face(FaceFacts(score=score, model_hash="m", hints=("dark", "far")), POLICY)
    assert (found.code, found.outcome, found.stage, found.role) == ("face.match", outcome, Stage.EXIT, "border")
    assert (found.measured, found.threshold, found.model_hash) == (round(score, 6), 0.4, "m")
    assert found.detail == "dark, far"


@pytest.mark.parametrize("broken", [float("nan"), float("inf"), float("-inf")])
def test_what_is_no_number_was_not_checked(broken: float) -> None:
    """NaN is on neither side of a threshold, and no evidence with it could be hashed."""
    face = judge_face(FaceFacts(score=broken, model_hash="m"), POLICY)
    (temperature,) = judge_temperature(broken, POLICY)
    for found in (face, temperature):
        assert (found.outcome, found.measured) == (Outcome.NOT_CHECKED, None)


def test_a_face_that_was_never_measured_is_not_checked() -> None:
    found = judge_face(FaceFacts(score=None, model_hash="m"), POLICY)
    assert (found.outcome, found.measured) == (Outcome.NOT_CHECKED, None)


@pytest.mark.parametrize("curtain", [None, 0, 1, 2])
@pytest.mark.parametrize("camera", [None, 0, 1, 2])
def test_curtain_and_camera_must_both_say_one(curtain: int | None, camera: int | None) -> None:
    found = judge_people(curtain, camera)
    assert (found.outcome is Outcome.PASS) == (curtain == 1 and camera == 1)
    assert (found.code, found.stage, found.threshold) == ("occupancy.one_person", Stage.EXIT, "1 and 1")


def test_people_are_recorded_as_they_were_counted() -> None:
    assert judge_people(None, 2).measured == "curtain unknown, camera 2"
    assert judge_people(3, None).measured == "curtain 3, camera unknown"


@pytest.mark.parametrize(
    ("celsius", "outcome"),
    [(37.3, Outcome.PASS), (37.31, Outcome.REFER), (36.0, Outcome.PASS), (None, Outcome.NOT_CHECKED)],
)
def test_the_temperature_at_its_limit(celsius: float | None, outcome: Outcome) -> None:
    (found,) = judge_temperature(celsius, POLICY)
    assert (found.code, found.outcome, found.stage, found.role) == (
        "health.temperature",
        outcome,
        Stage.EXIT,
        "quarantine",
    )
    assert (found.measured, found.threshold) == (celsius, 37.3)


def test_temperature_is_recorded_to_a_hundredth_and_asked_for_only_where_there_is_a_limit() -> None:
    assert judge_temperature(36.66666, POLICY)[0].measured == 36.67
    assert judge_temperature(40.0, ClearancePolicy(face_threshold=0.4, temperature_max_celsius=None)) == ()


def test_the_entry_waits_only_for_the_roles_that_decide_there() -> None:
    customs = finding(Outcome.REFER, stage=Stage.ENTRY, role="customs", code="lookup.customs")
    border = finding(Outcome.NOT_CHECKED, stage=Stage.ENTRY, code="lookup.watchlist")
    assert decide_entry((customs,), POLICY) == Admit()
    assert decide_entry((customs, border), POLICY) == Deny(reasons=("lookup.watchlist",))
    both = ClearancePolicy(face_threshold=0.4, entry_roles=frozenset({"border", "customs"}))
    assert decide_entry((customs, border), both) == Deny(reasons=("lookup.customs", "lookup.watchlist"))


def test_no_finding_is_no_clearance() -> None:
    nothing = Refer(reasons=("evidence.missing",), roles=("border",))
    assert decide_exit(()) == nothing
    assert decide_exit((finding(Outcome.PASS, stage=Stage.ENTRY),)) == nothing
    assert decide_entry((), POLICY) == Deny(reasons=("evidence.missing",))


def test_any_role_can_refer_at_the_exit_and_what_was_left_open_at_the_entry_comes_back() -> None:
    weighed = (
        finding(Outcome.PASS),
        finding(Outcome.REFER, role="quarantine", code="health.temperature"),
        finding(Outcome.REFER, stage=Stage.ENTRY, role="customs", code="lookup.customs"),
        finding(Outcome.REFER, role="customs", code="lookup.customs"),
    )
    assert decide_exit(iter(weighed)) == Refer(
        reasons=("health.temperature", "lookup.customs"), roles=("customs", "quarantine")
    )
