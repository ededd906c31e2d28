"""A shared answer is fresh, is for those with the same rights only, and outlives nobody's session."""

import asyncio

import pytest

from gate.console.hub_client import Refusal
from gate.console.shared_answer import OWN_WORD_S, SharedAnswer
from gate.core.clock import ManualClock

CUSTOMS, QUARANTINE = frozenset({"customs"}), frozenset({"quarantine"})


class Hub:
    """Answers with the number of the question; ``over`` are tokens it does not know any more."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.over: set[str] = set()
        self.gate: asyncio.Event | None = None

    async def ask(self, token: str) -> int | Refusal:
        number = len(self.asked)
        self.asked.append(token)
        if self.gate is not None:
            await self.gate.wait()
        await asyncio.sleep(0)
        return Refusal(status=401) if token in self.over else number


@pytest.fixture
def hub() -> Hub:
    return Hub()


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def shared(hub: Hub, clock: ManualClock) -> SharedAnswer[int | Refusal]:
    return SharedAnswer(hub.ask, clock)


async def test_known_askers_share_one_question(hub: Hub, shared: SharedAnswer[int | Refusal]) -> None:
    tokens = [f"t{number}" for number in range(10)]
    await asyncio.gather(*(shared.get(token, CUSTOMS) for token in tokens))
    assert sorted(hub.asked) == tokens  # each shows its own token once
    hub.asked.clear()
    answers = await asyncio.gather(*(shared.get(token, CUSTOMS) for token in tokens))
    assert len(hub.asked) == 1
    assert len(set(map(str, answers))) == 1


async def test_rights_are_not_shared(hub: Hub, shared: SharedAnswer[int | Refusal]) -> None:
    for _ in range(2):
        await asyncio.gather(shared.get("a", CUSTOMS), shared.get("b", QUARANTINE))
    assert sorted(hub.asked) == ["a", "a", "b", "b"]


async def test_no_answer_is_older_than_its_question(hub: Hub, shared: SharedAnswer[int | Refusal]) -> None:
    await asyncio.gather(shared.get("a", CUSTOMS), shared.get("b", CUSTOMS))
    hub.asked.clear()
    hub.gate = asyncio.Event()
    first = asyncio.create_task(shared.get("a", CUSTOMS))
    while not hub.asked:  # noqa: ASYNC110  the question has no event
        await asyncio.sleep(0)
    second = asyncio.create_task(shared.get("b", CUSTOMS))
    await asyncio.sleep(0)
    hub.gate.set()
    assert await first != await second
    assert len(hub.asked) == 2


async def test_an_ended_session_is_found_out_and_harms_nobody_else(
    hub: Hub, shared: SharedAnswer[int | Refusal], clock: ManualClock
) -> None:
    await asyncio.gather(shared.get("a", CUSTOMS), shared.get("b", CUSTOMS))
    hub.over.add("a")
    clock.advance_ms(int(OWN_WORD_S * 1000) + 1)
    a, b = await asyncio.gather(shared.get("a", CUSTOMS), shared.get("b", CUSTOMS))
    assert isinstance(a, Refusal)
    assert isinstance(b, int)


async def test_an_unheard_of_token_gets_nothing_by_others(hub: Hub, shared: SharedAnswer[int | Refusal]) -> None:
    hub.over.add("stranger")
    await shared.get("a", CUSTOMS)
    a, stranger = await asyncio.gather(shared.get("a", CUSTOMS), shared.get("stranger", CUSTOMS))
    assert isinstance(a, int)
    assert isinstance(stranger, Refusal)


async def test_a_broken_question_is_everybodys(clock: ManualClock) -> None:
    async def ask(_token: str) -> int:
        raise RuntimeError("broken")

    shared: SharedAnswer[int] = SharedAnswer(ask, clock)
    done = await asyncio.gather(shared.get("a", CUSTOMS), shared.get("b", CUSTOMS), return_exceptions=True)
    assert [type(item) for item in done] == [RuntimeError, RuntimeError]
