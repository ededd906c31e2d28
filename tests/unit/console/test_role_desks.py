"""What stands behind a role's screen: claims, the hub's pulse, the key for inspections, appeals, remembered languages."""

from pathlib import Path
from typing import Any, cast

import httpx
import pytest

from config.loader import parse_site
from config.schema import Site
from gate.console.answer_bar import next_step, standing_appeals
from gate.console.claim_desk import ClaimDesk
from gate.console.context import Console
from gate.console.decision_desk import DecisionDesk, LastWord, Screen
from gate.console.hub_client import HubClient, Refusal
from gate.console.hub_models import Case, CaseSummary, ConsentView, InspectionView, VerdictKind, VerdictView
from gate.console.i18n import words_of
from gate.console.languages import ChosenLanguages
from gate.console.pulse import STALE_AFTER_MS, Pulse
from gate.console.sessions import Officer
from gate.console.spoken import refusal_words
from gate.core.clock import ManualClock

WORDS = words_of("en")
OFFICER = Officer(user="li", name="Li Wei", roles=frozenset({"customs"}), token="t", expires_ms=10**15)
CLAIMED = {"type": "urn:tongguan:problem:claimed", "detail": "wang is at work on this case"}


def make_site() -> Site:
    lane = {
        "id": "lane-1",
        "board": {"port": "/dev/none"},
        "face_camera": {"kind": "folder", "source": "x"},
        "document_camera": {"kind": "folder", "source": "x"},
    }
    roles = [
        {"id": name, "title": name.title(), "title_zh": name, "colour": "#3aa0ff"} for name in ("customs", "quarantine")
    ]
    return parse_site({"port": {"id": "p", "title": "P"}, "role": roles, "lane": [lane]}, origin="test")


class FakeConsole:
    """A console whose hub answers from a list."""

    def __init__(self, *answers: tuple[int, Any]) -> None:
        self.site = make_site()
        self.clock = ManualClock()
        self.asked: list[tuple[str, str]] = []
        self._answers = list(answers)
        self.hub = HubClient("http://hub.test", transport=httpx.MockTransport(self._answer))

    def _answer(self, request: httpx.Request) -> httpx.Response:
        self.asked.append((request.method, request.url.path.removeprefix("/api/v1")))
        status, body = self._answers.pop(0)
        return httpx.Response(status, json=body)


def case(**more: Any) -> Case:
    data = {"case_id": "c", "lane": "lane-1", "status": "open", "opened_ms": 0, "evidence_digest": "d"}
    return Case(**{**data, "required_roles": ("customs", "quarantine"), **more})


def desk_of(console: FakeConsole, changes: list[int]) -> ClaimDesk:
    role = console.site.roles[0]
    return ClaimDesk(cast(Console, console), role, officer=lambda: OFFICER, changed=lambda: changes.append(1))


async def test_a_case_is_claimed_when_it_comes_on_the_screen_and_let_go_when_it_leaves() -> None:
    console, changes = FakeConsole((200, {"claims": {}}), (200, {"claims": {}}), (200, {"claims": {}})), []
    desk = desk_of(console, changes)
    await desk.select(case())
    assert desk.standing.is_ours
    await desk.select(case())
    await desk.repeat()
    await desk.select(None)
    assert console.asked == [("PUT", "/cases/c/claim"), ("PUT", "/cases/c/claim"), ("DELETE", "/cases/c/claim")]
    assert len(changes) == 1


@pytest.mark.parametrize("more", [{"status": "closed"}, {"required_roles": ("quarantine",)}])
async def test_what_is_over_or_anothers_is_not_claimed(more: dict[str, Any]) -> None:
    console = FakeConsole()
    await desk_of(console, []).select(case(**more))
    assert console.asked == []


async def test_a_case_that_a_colleague_took_is_lost_and_said_so() -> None:
    listed = CaseSummary(case_id="c", lane="lane-1", status="open", opened_ms=0).model_dump()
    listed |= {"claims": {"customs": {"user": "wang", "name": "Wang Fang", "since_ms": 5}}}
    console, changes = FakeConsole((200, {"claims": {}}), (409, CLAIMED), (200, {"cases": [listed]})), []
    desk = desk_of(console, changes)
    await desk.select(case())
    await desk.repeat()
    assert desk.standing.is_lost
    assert desk.standing.colleague is not None
    assert desk.standing.colleague.name == "Wang Fang"
    assert len(changes) == 2


async def test_a_hub_that_is_away_takes_no_case_out_of_an_officers_hands() -> None:
    console, changes = FakeConsole((200, {"claims": {}}), (503, {})), []
    desk = desk_of(console, changes)
    await desk.select(case())
    await desk.repeat()
    assert desk.standing.is_ours
    assert len(changes) == 1


async def test_the_pulse_says_when_the_hub_falls_silent_and_for_how_long() -> None:
    clock, answers, heard = ManualClock(), [True, False, False, True], []

    async def ask() -> bool:
        return answers.pop(0)

    pulse = Pulse(ask, clock)
    pulse.changed.subscribe(heard.append)
    await pulse.beat()
    assert (pulse.is_answering, pulse.silence_ms) == (True, 0)
    await pulse.beat()
    clock.advance_ms(STALE_AFTER_MS)
    await pulse.beat()
    assert (pulse.is_answering, pulse.silence_ms) == (False, STALE_AFTER_MS)
    await pulse.beat()
    assert (pulse.is_answering, pulse.silence_ms) == (True, 0)
    assert heard == [False, True]


@pytest.mark.parametrize(
    ("state", "present", "results", "step"),
    [
        (None, (), (), "inspect"),
        ("proposed", ("quarantine",), (), "join"),
        ("proposed", ("customs",), (), "waiting"),
        ("proposed", ("customs", "quarantine"), (), "start"),
        ("started", ("customs", "quarantine"), (), "result"),
        ("started", ("customs", "quarantine"), ("customs",), "given"),
        ("started", ("customs", "quarantine"), ("quarantine",), "result"),
    ],
)
def test_one_key_is_the_next_step_of_an_inspection(
    state: str | None, present: tuple[str, ...], results: tuple[str, ...], step: str
) -> None:
    inspection = None
    if state is not None:
        data = {"inspection_id": "i", "state": state, "roles": ("customs", "quarantine")}
        data |= {"present": dict.fromkeys(present, "x"), "results": {key: {"outcome": "found"} for key in results}}
        inspection = InspectionView.model_validate(data)
    assert next_step(inspection, "customs") == step


def test_who_was_not_called_to_a_bag_waits() -> None:
    others = InspectionView(inspection_id="i", state="proposed", roles=("quarantine",))
    assert next_step(others, "customs") == "waiting"


def appeal(shown: Case, *, user: str = "li", now_ms: int = 60_000) -> str:
    return standing_appeals(shown, "customs", user, WORDS, cast(Console, FakeConsole()), now_ms)


def test_a_forced_opening_is_asked_of_a_second_officer_while_there_is_time() -> None:
    shown = case(force_open=(ConsentView(author="zhao", at_ms=0, reason="medical"),))
    assert "zhao agrees to forcing the exit (Medical emergency)" in appeal(shown)
    assert "within 01:00" in appeal(shown)
    assert appeal(shown, user="zhao").startswith("You agreed to forcing the exit")
    assert appeal(shown, now_ms=120_001) == ""


def test_a_refusal_asks_other_officers_and_not_its_author() -> None:
    word = VerdictView(kind="refuse", author="zhao", reason="wanted")
    shown = case(verdicts={"quarantine": word})
    assert appeal(shown).startswith("Quarantine refuses (zhao: Wanted, or on the watchlist)")
    assert appeal(shown, user="zhao") == ""
    assert appeal(shown.model_copy(update={"refused_by": ("zhao", "li")})).startswith("Refused by zhao and li.")


def test_a_word_can_be_taken_back_for_a_moment_although_another_case_is_shown() -> None:
    console = FakeConsole()
    desk = DecisionDesk(cast(Console, console), console.site.roles[0], WORDS, cast(Screen, None))
    given = case(verdicts={"customs": VerdictView(kind="released_by_officer", author="li")})
    other = case(case_id="other")
    assert desk.word_to_take_back(given) is given
    assert desk.word_to_take_back(other) is None
    desk.last = LastWord(case=given, kind=VerdictKind.RELEASE, at_ms=console.clock.utc_ms())
    assert desk.word_to_take_back(other) is given
    console.clock.advance_ms(8_001)
    assert desk.word_to_take_back(other) is None
    by_rule = case(verdicts={"customs": VerdictView(kind="released_by_rule", author="rule")})
    assert desk.word_to_take_back(by_rule) is None
    assert desk.word_to_take_back(given.model_copy(update={"status": "released"})) is None


def test_a_refusal_of_the_hub_is_said_in_the_officers_language() -> None:
    refused = Refusal(status=409, kind="not_all_present", detail="not every role is there yet")
    assert refusal_words(refused, words_of("zh_CN")) == "尚有岗位未到场。"
    assert refusal_words(Refusal(status=403, kind="new_one"), WORDS) == "Your role may not do that."
    assert refusal_words(Refusal(status=409, kind="new_one", detail="why."), WORDS) == "The hub did not take it: why."
    assert refusal_words(Refusal(status=409), WORDS) == "The hub did not take it."


def test_a_chosen_language_outlives_the_console(tmp_path: Path) -> None:
    file = tmp_path / "console" / "languages.json"
    chosen = ChosenLanguages(file)
    chosen.choose("li", "zh_CN")
    chosen.choose("li", "xx")
    assert ChosenLanguages(file).of("li") == "zh_CN"
    assert ChosenLanguages(file).of("wang") is None


@pytest.mark.parametrize("content", ["", "[]", '{"li": "xx"}', "\x00"])
def test_a_damaged_file_of_languages_costs_the_memory_not_the_console(tmp_path: Path, content: str) -> None:
    file = tmp_path / "languages.json"
    file.write_text(content)
    chosen = ChosenLanguages(file)
    assert chosen.of("li") is None
    chosen.choose("li", "en")
    assert ChosenLanguages(file).of("li") == "en"
