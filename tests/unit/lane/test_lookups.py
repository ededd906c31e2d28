"""All look-ups at once within one deadline, in simulated time: each has its own outcome, and none is cleared by silence."""

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest

from gate.core.policy import Answer, LookupFacts
from gate.lane.lookups import Lookups, Reply
from gate.lane.sightings import PrivateDocument
from simulator.chaos.timeloop import TimeLoop

NAMES = ("watchlist", "customs_declaration", "health_declaration")
DEADLINE_MS = 1500
DOCUMENT = PrivateDocument(
    surname="ERIKSSON",
    given_names="ANNA MARIA",
    document_code="P",
    document_number="L898902C3",
    issuer="UTO",
    nationality="UTO",
    birth_date="1974-08-12",
    sex="F",
    expiry_date="2032-04-15",
    mrz_lines=(),
)


def reply(name: str, answer: Answer = Answer.NOTHING, **times: Any) -> Reply:
    return Reply(facts=LookupFacts(name=name, answer=answer, role="customs"), **times)


class Source:
    """Answers after ``delay_ms``; remembers that it was cancelled."""

    def __init__(
        self, replies: Sequence[Reply], *, delay_ms: int = 0, suffices: bool = True, names: Sequence[str] = NAMES
    ) -> None:
        self.names = frozenset(names)
        self.suffices = suffices
        self.is_cancelled = False
        self._replies = replies
        self._delay_ms = delay_ms

    async def ask(self, _document: PrivateDocument, _case_id: str) -> Sequence[Reply]:
        try:
            await asyncio.sleep(self._delay_ms / 1000)
        except asyncio.CancelledError:
            self.is_cancelled = True
            raise
        return self._replies


def look_up(sources: Sequence[Source], names: Sequence[str] = NAMES) -> tuple[dict[str, Answer], int]:
    """The answers by name, and how long it took in simulated milliseconds."""
    loop = TimeLoop()
    try:
        began_s = loop.time()
        facts = loop.run_until_complete(Lookups(names, sources, deadline_ms=DEADLINE_MS)(DOCUMENT, "case"))
        took_ms = round((loop.time() - began_s) * 1000)
    finally:
        loop.close()
    assert [item.name for item in facts] == list(names)
    return {item.name: item.answer for item in facts}, took_ms


def test_sources_are_asked_at_once_not_one_after_another() -> None:
    sources = [Source([reply(name)], delay_ms=400, names=[name]) for name in NAMES]
    assert look_up(sources) == (dict.fromkeys(NAMES, Answer.NOTHING), 400)


@pytest.mark.parametrize("silent", NAMES)
def test_each_look_up_times_out_alone(silent: str) -> None:
    sources = [
        Source([reply(name)], delay_ms=DEADLINE_MS + 1 if name == silent else 10, names=[name]) for name in NAMES
    ]
    answers, took_ms = look_up(sources)
    assert answers == {name: Answer.TIMED_OUT if name == silent else Answer.NOTHING for name in NAMES}
    assert took_ms == DEADLINE_MS
    assert [source.is_cancelled for source in sources] == [name == silent for name in NAMES]


def test_an_answer_at_the_last_moment_counts() -> None:
    assert look_up([Source([reply(name) for name in NAMES], delay_ms=DEADLINE_MS - 1)])[1] == DEADLINE_MS - 1


def test_a_source_that_is_out_of_reach_is_no_reason_to_wait() -> None:
    assert look_up([Source([])]) == (dict.fromkeys(NAMES, Answer.NO_ANSWER), 0)


def test_what_is_left_out_of_an_answer_has_none() -> None:
    answers, _ = look_up([Source([reply("watchlist")])])
    assert answers == {
        "watchlist": Answer.NOTHING,
        "customs_declaration": Answer.NO_ANSWER,
        "health_declaration": Answer.NO_ANSWER,
    }


def test_a_look_up_that_nobody_can_answer_has_no_answer() -> None:
    assert look_up([], ["watchlist"]) == ({"watchlist": Answer.NO_ANSWER}, 0)


def test_a_source_answers_for_its_own_look_ups_only() -> None:
    stray = Source([reply("watchlist"), reply("customs_declaration")], names=["customs_declaration"])
    assert look_up([stray], ["watchlist", "customs_declaration"])[0]["watchlist"] is Answer.NO_ANSWER


def test_an_old_copy_never_clears() -> None:
    held = Source([reply("watchlist", age_ms=60_001, max_age_ms=60_000)], names=["watchlist"])
    assert look_up([held], ["watchlist"])[0] == {"watchlist": Answer.STALE}
    held = Source([reply("watchlist", age_ms=60_000, max_age_ms=60_000)], names=["watchlist"])
    assert look_up([held], ["watchlist"])[0] == {"watchlist": Answer.NOTHING}


def test_an_old_copy_is_asked_about_elsewhere() -> None:
    held = Source([reply("watchlist", age_ms=60_001, max_age_ms=60_000)], names=["watchlist"])
    hub = Source([reply("watchlist", Answer.HIT)], delay_ms=300, names=["watchlist"])
    assert look_up([held, hub], ["watchlist"]) == ({"watchlist": Answer.HIT}, 300)


def test_a_copy_that_suffices_does_not_wait_for_the_hub() -> None:
    held = Source([reply("watchlist", age_ms=1000, max_age_ms=60_000)], names=["watchlist"])
    hub = Source([], delay_ms=10_000, names=["watchlist"])
    assert look_up([held, hub], ["watchlist"]) == ({"watchlist": Answer.NOTHING}, 0)
    assert hub.is_cancelled


def test_a_copy_that_does_not_suffice_helps_when_the_hub_is_silent() -> None:
    copy = [reply("customs_declaration", Answer.HIT, age_ms=1000, max_age_ms=60_000)]
    held = Source(copy, suffices=False, names=["customs_declaration"])
    silent = Source([], delay_ms=10_000)
    assert look_up([held, silent], ["customs_declaration"]) == ({"customs_declaration": Answer.HIT}, DEADLINE_MS)
    hub = Source([reply("customs_declaration")], delay_ms=200)
    assert look_up([held, hub], ["customs_declaration"]) == ({"customs_declaration": Answer.NOTHING}, 200)


def test_of_two_answers_of_one_age_the_hit_counts() -> None:
    sources = [Source([reply("watchlist")], names=["watchlist"]), Source([reply("watchlist", Answer.HIT)])]
    assert look_up(sources, ["watchlist"])[0] == {"watchlist": Answer.HIT}
    assert look_up(sources[::-1], ["watchlist"])[0] == {"watchlist": Answer.HIT}


class Broken(Source):
    async def ask(self, _document: PrivateDocument, _case_id: str) -> Sequence[Reply]:
        raise ZeroDivisionError


def test_a_bug_in_a_source_is_not_taken_for_an_answer() -> None:
    slow = Source([], delay_ms=1000)
    with pytest.raises(ZeroDivisionError):
        look_up([Broken([]), slow])
    assert slow.is_cancelled


def test_a_traveller_who_leaves_is_asked_about_no_longer() -> None:
    slow = Source([], delay_ms=1000)

    async def leave() -> None:
        task = asyncio.get_running_loop().create_task(Lookups(NAMES, [slow], deadline_ms=DEADLINE_MS)(DOCUMENT, "case"))
        await asyncio.sleep(0.1)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    loop = TimeLoop()
    loop.run_until_complete(leave())
    loop.close()
    assert slow.is_cancelled
