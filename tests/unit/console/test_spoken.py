"""What the hub says, in the officer's language."""

import pytest

from config.loader import parse_site
from config.schema import Site
from gate.console.hub_models import Case, FindingView, HistoryLine
from gate.console.i18n import LANGUAGES, words_of
from gate.console.spoken import (
    finding_words,
    history_words,
    outcome_words,
    reason_words,
    role_title,
    standing_of,
    verdict_words,
)
from gate.core.effects import CrossingOutcome
from gate.core.evidence import Outcome
from gate.core.inspection import InspectionAct, InspectionOutcome
from gate.core.joint_release import VerdictKind

ENGLISH, CHINESE = words_of("en"), words_of("zh_CN")
IVORY = {"title": {"ivory": {"en": "Ivory?", "zh_CN": "疑似象牙"}}, "hold": ["ivory"]}


@pytest.fixture
def site() -> Site:
    lane = {
        "id": "lane-1",
        "board": {"port": "/dev/none"},
        "face_camera": {"kind": "folder", "source": "x"},
        "document_camera": {"kind": "folder", "source": "x"},
    }
    role = {"id": "customs", "title": "Customs", "title_zh": "海关", "colour": "#3aa0ff"}
    data = {"port": {"id": "p", "title": "P"}, "role": [role], "lane": [lane], "reasons": IVORY}
    return parse_site(data, origin="test")


def line(what: str, detail: str = "") -> HistoryLine:
    return HistoryLine(at_ms=0, what=what, detail=detail)


def test_a_finding_is_told_by_the_longest_code_that_is_known() -> None:
    found = FindingView(code="document.expiry.visa", outcome=Outcome.REFER, stage="entry")
    assert finding_words(found, ENGLISH) == "Document has expired"
    assert finding_words(found, CHINESE) == "证件已过期"


def test_a_finding_that_has_no_sentence_is_still_plain() -> None:
    found = FindingView(code="bag.seal_number", outcome=Outcome.NOT_CHECKED, stage="entry")
    assert finding_words(found, ENGLISH) == "Bag · seal number: could not be checked"
    assert finding_words(found, CHINESE) == "Bag · seal number：无法核验"


def test_every_word_that_the_hub_has_is_known_in_every_language() -> None:
    for language in LANGUAGES:
        words = words_of(language)
        assert [kind for kind in VerdictKind if words.get(f"verdict.{kind.value}") is None] == []
        assert [kind for kind in VerdictKind if words.get(f"history.verdict.{kind.value}") is None] == []
        assert [act for act in InspectionAct if words.get(f"history.inspection.{act.value}") is None] == []
        assert [end for end in InspectionOutcome if words.get(f"inspection.outcome.{end.value}") is None] == []
        assert [end for end in CrossingOutcome if words.get(f"outcome.{end.value}") is None] == []


def test_a_word_of_a_newer_hub_is_shown_as_it_is() -> None:
    assert verdict_words("sent_home", CHINESE) == "sent home"
    assert outcome_words("sent_home", ENGLISH) == "sent home"


def test_every_reason_of_the_lists_has_a_title(site: Site) -> None:
    reasons = site.reasons
    names = reasons.release + reasons.inspect + reasons.refuse + reasons.send_back + reasons.force_open
    for language in LANGUAGES:
        assert [name for name in names if words_of(language).get(f"reason.{name}") is None] == []


@pytest.mark.parametrize(
    ("kept", "english", "chinese"),
    [
        ("look-closer", "The picture needs a closer look", "图像需仔细查看"),
        ("look-closer: left pocket", "The picture needs a closer look (left pocket)", "图像需仔细查看（left pocket）"),
        ("ivory", "Ivory?", "疑似象牙"),
        ("something: written", "something: written", "something: written"),
        ("Written by hand.", "Written by hand.", "Written by hand."),
        ("", "", ""),
    ],
)
def test_a_reason_is_read_in_any_language(site: Site, kept: str, english: str, chinese: str) -> None:
    assert reason_words(kept, ENGLISH, site.reasons) == english
    assert reason_words(kept, CHINESE, site.reasons) == chinese


def test_history_is_told_in_plain_words(site: Site) -> None:
    told = history_words(line("crossing.decided", "refer health.temperature"), ENGLISH, site)
    assert told == "Lane's own word: refer · temperature is raised"
    told = history_words(line("verdict.hold", "customs look-closer: pocket"), CHINESE, site)
    assert told == "扣留待查：海关 · 图像需仔细查看（pocket）"
    told = history_words(line("inspection.result", "customs found two bottles"), ENGLISH, site)
    assert told == "Result of the inspection: Customs · something found · two bottles"
    assert history_words(line("something.new"), ENGLISH, site) == "something new"


def test_a_role_has_its_own_name_in_chinese(site: Site) -> None:
    assert role_title(site, "customs", CHINESE) == "海关"
    assert role_title(site, "customs", ENGLISH) == "Customs"
    assert role_title(site, "unknown-one", ENGLISH) == "unknown-one"


def test_how_a_case_stands_that_is_no_longer_open() -> None:
    case = Case(case_id="c", lane="l", status="closed", opened_ms=0, outcome="sent_back")
    assert standing_of(case, ENGLISH) == "over: sent back"
    assert standing_of(case.model_copy(update={"outcome": None}), CHINESE) == "已结束"
    assert standing_of(case.model_copy(update={"status": "released"}), CHINESE) == "已放行"
