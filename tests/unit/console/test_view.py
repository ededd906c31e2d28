"""What officers are shown, worked out without a screen."""

from typing import Any

from gate.console.hub_models import Case, CaseSummary, ClaimView, FindingView, InspectionView, VerdictView
from gate.console.i18n import words_of
from gate.console.view import (
    Urgency,
    age,
    choose_case,
    colleague_at,
    finding_lines,
    liveness_of,
    match_of,
    measured_value,
    next_cases,
    queue_of,
    short_id,
    temperature_of,
    urgency_of,
    what_changed,
)
from gate.core.evidence import Outcome

WORDS = words_of("en")
CHINESE = words_of("zh_CN")


def summary(
    case_id: str, *, waiting_ms: int | None = 1000, status: str = "open", verdict: str = "pending"
) -> CaseSummary:
    return CaseSummary(
        case_id=case_id,
        lane="lane-1",
        status=status,
        opened_ms=(waiting_ms or 0) - 500,
        waiting_since_ms=waiting_ms,
        required_roles=("customs",),
        verdicts={"customs": VerdictView(kind=verdict)},
    )


def finding(code: str, outcome: Outcome = Outcome.PASS, **more: Any) -> FindingView:
    return FindingView(code=code, outcome=outcome, stage="exit", **more)


def case(*findings: FindingView, digest: str | None = "d1", revision: int = 1, **more: Any) -> Case:
    data: dict[str, Any] = {"case_id": "c", "lane": "lane-1", "status": "open", "opened_ms": 0}
    return Case(**data | {"findings": findings, "evidence_digest": digest, "revision": revision} | more)


def test_ages_are_read_as_a_clock_and_never_negative() -> None:
    assert [age(0), age(41_900), age(72_000), age(3_600_000), age(-500)] == [
        "00:00",
        "00:41",
        "01:12",
        "1:00:00",
        "00:00",
    ]


def test_long_case_ids_are_shortened_to_their_end() -> None:
    assert short_id("7K2-0419") == "7K2-0419"
    assert short_id("0123456789abcdef") == "89abcdef"


def test_what_waits_for_the_role_comes_first_and_the_oldest_of_it_foremost() -> None:
    cases = [summary("young", waiting_ms=3000), summary("given", verdict="released_by_officer"), summary("old")]
    assert [item.case_id for item in queue_of(cases, "customs")] == ["old", "young", "given"]


def test_a_closed_case_is_not_in_the_queue_and_a_released_one_is() -> None:
    cases = [summary("over", status="closed"), summary("going", status="released", waiting_ms=None)]
    assert [item.case_id for item in queue_of(cases, "customs")] == ["going"]


def test_a_verdict_on_older_evidence_counts_as_none() -> None:
    stale = VerdictView(kind="released_by_officer", is_current=False)
    held = summary("c").model_copy(update={"verdicts": {"customs": stale}})
    assert held.verdict_kind("customs") == "pending"
    assert held.waits_for("customs")
    assert not held.waits_for("quarantine")


def test_the_oldest_waiting_case_is_chosen_when_nothing_is() -> None:
    assert choose_case([summary("b", waiting_ms=2000), summary("a")], role="customs", current=None) == "a"
    assert choose_case([], role="customs", current=None) is None


def test_a_case_that_waits_itself_stays_though_an_older_one_comes() -> None:
    current = summary("mine", waiting_ms=2000)
    assert choose_case([current, summary("older")], role="customs", current=current) == "mine"


def test_a_case_that_only_is_watched_gives_way_to_one_that_waits() -> None:
    watched = summary("watched", waiting_ms=None)
    assert choose_case([watched, summary("waits")], role="customs", current=watched) == "waits"
    assert choose_case([watched], role="customs", current=watched) == "watched"


def test_a_case_that_was_chosen_or_has_waited_stays_until_it_is_decided() -> None:
    kept = summary("kept", waiting_ms=None)
    cases = [kept, summary("waits")]
    assert choose_case(cases, role="customs", current=kept, is_kept=True) == "kept"
    assert choose_case(cases, role="customs", current=kept, is_kept=True, is_decided=True) == "waits"


def test_a_case_that_is_released_gives_way_to_one_that_waits() -> None:
    gone = summary("gone", waiting_ms=None, status="released", verdict="released_by_officer")
    assert choose_case([gone, summary("waits")], role="customs", current=gone, is_kept=True) == "waits"
    assert choose_case([gone], role="customs", current=gone, is_kept=True) == "gone"


def test_a_decided_case_that_waits_again_is_not_left() -> None:
    again = summary("again")
    assert choose_case([again, summary("waits")], role="customs", current=again, is_decided=True) == "again"


def test_a_case_that_is_over_is_left() -> None:
    over = summary("over", status="closed")
    assert choose_case([summary("next", waiting_ms=None)], role="customs", current=over) == "next"
    assert choose_case([], role="customs", current=over) is None


def test_findings_in_the_way_come_first_the_roles_own_foremost() -> None:
    shown = case(
        finding("document.portrait"),
        finding("health.temperature", Outcome.REFER, role="quarantine", measured=38.4, threshold=37.3),
        finding("lookup.customs_declaration", Outcome.REFER, role="customs", measured="hit", detail="meat"),
        finding("document.birth", Outcome.INFO),
    )
    lines = finding_lines(shown, role="customs", words=WORDS)
    assert [(line.mark, line.title, line.value) for line in lines] == [
        ("!", "Goods were declared", ""),
        ("!", "Temperature is raised", "38.4 / 37.3 °C"),
        ("i", "Birth date is partly unknown", ""),
        ("ok", "Portrait found on the page", ""),
    ]
    assert [line.is_mine for line in lines] == [True, False, False, False]


def test_what_was_measured_is_short_or_absent() -> None:
    assert measured_value(finding("face.match", measured=0.6123, threshold=0.42)) == "0.61 / 0.42"
    assert measured_value(finding("document.expiry", measured="2032-04-15", threshold="2026-01-01")) == "2032-04-15"
    assert measured_value(finding("occupancy.one_person", measured="curtain 1, camera 1")) == ""
    assert measured_value(finding("document.portrait")) == ""


def test_the_newest_match_and_temperature_are_shown() -> None:
    shown = case(
        finding("face.match", Outcome.REFER, measured=0.2, threshold=0.42),
        finding("face.match", measured=0.7, threshold=0.42),
        finding("health.temperature", measured=36.6),
    )
    match = match_of(shown)
    assert match is not None
    assert (match.score, match.threshold, match.is_match) == (0.7, 0.42, True)
    temperature = temperature_of(shown)
    assert temperature is not None
    assert temperature.measured == 36.6
    assert match_of(case()) is None


def test_a_comparison_that_failed_is_no_match_without_a_score() -> None:
    assert match_of(case(finding("face.match", Outcome.NOT_CHECKED, threshold=0.42))) is None


def test_what_changed_names_the_new_findings_and_pictures() -> None:
    before = case(finding("document.portrait"))
    after = case(
        finding("document.portrait"),
        finding("health.temperature", Outcome.REFER, measured=39.0, threshold=37.3),
        digest="d2",
        revision=2,
        attachments=[
            {"kind": "live", "sha256": "a" * 64, "media_type": "image/jpeg"},
            {"kind": "private", "sha256": "b" * 64, "media_type": "application/json"},
        ],
    )
    assert what_changed(before, after, words=WORDS) == (
        "The evidence changed: Temperature is raised (39.0 / 37.3 °C); new picture: face at the gate. Look again, then decide."
    )
    assert what_changed(after, after, words=WORDS) == ""


def test_a_change_that_cannot_be_named_is_still_said() -> None:
    assert "revision 2" in what_changed(case(), case(digest="d2", revision=2), words=WORDS)


def test_the_end_of_an_inspection_is_named_in_the_officers_language() -> None:
    over = InspectionView(inspection_id="i", state="finished")
    after = case(digest="d2", revision=1, inspections=(over,))
    assert what_changed(case(), after, words=WORDS) == (
        "The evidence changed: the joint inspection ended. Look again, then decide."
    )
    assert what_changed(case(), after, words=CHINESE) == "证据有变化：联合查验已结束。请重新查看后再决定。"


def test_why_a_finding_was_made_names_rule_facts_and_model() -> None:
    shown = case(finding("face.match", Outcome.REFER, measured=0.21, threshold=0.42, model_hash="ab" * 32, detail="x"))
    (line,) = finding_lines(shown, role="border", words=WORDS)
    assert dict(line.why) == {
        "why.rule": "face.match",
        "why.measured": "0.21",
        "why.limit": "0.42",
        "why.stage": "at the exit",
        "why.model": "ab" * 8,
        "why.detail": "x",
    }


def test_signs_of_life_that_refer_go_before_those_that_only_are_noted() -> None:
    refers = finding("face.presentation", Outcome.REFER)
    shown = case(refers, finding("face.presentation.blink", Outcome.INFO))
    assert liveness_of(shown) == refers
    assert liveness_of(case(finding("face.match"))) is None


def claimed(name: str, user: str, **more: Any) -> CaseSummary:
    return summary(name, **more).model_copy(update={"claims": {"customs": ClaimView(user=user, since_ms=0)}})


def test_a_case_at_which_a_colleague_works_does_not_come_by_itself() -> None:
    cases = [claimed("theirs", "li"), summary("free", waiting_ms=5000)]
    assert choose_case(cases, role="customs", current=None, user="wang") == "free"
    assert choose_case(cases, role="customs", current=None, user="li") == "theirs"
    assert choose_case(cases[:1], role="customs", current=None, user="wang") is None
    assert [item.case_id for item in next_cases(cases, role="customs", user="wang", beside=None)] == ["free"]


def test_a_colleague_is_one_of_the_same_role_and_another_person() -> None:
    case_ = claimed("c", "li")
    assert colleague_at(case_, role="customs", user="li") is None
    assert colleague_at(case_, role="quarantine", user="zhao") is None
    found = colleague_at(case_, role="customs", user="wang")
    assert found is not None
    assert found.user == "li"


def test_what_is_urgent_goes_before_what_is_older() -> None:
    wanted = summary("wanted", waiting_ms=9000).model_copy(update={"reasons": ("lookup.watchlist",)})
    cases = [summary("old"), summary("given", verdict="hold"), wanted]
    assert [item.case_id for item in queue_of(cases, "customs")] == ["wanted", "old", "given"]
    assert urgency_of(wanted, now_ms=9000, inside_limit_ms=90_000) is Urgency.URGENT


def test_the_queue_says_when_a_travellers_time_runs_out() -> None:
    waits = summary("c", waiting_ms=0)
    assert urgency_of(waits, now_ms=60_000, inside_limit_ms=90_000) is Urgency.CALM
    assert urgency_of(waits, now_ms=60_001, inside_limit_ms=90_000) is Urgency.RUNNING_OUT
