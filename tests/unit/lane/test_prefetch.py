"""What a lane fetched beforehand carries it through an outage of the hub, for as long as it is young enough, in simulated time."""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from typing import cast

import pytest
from test_lookups import DOCUMENT

from gate.core.policy import Answer
from gate.lane.hub_link import HubLink
from gate.lane.lookups import Lookups
from gate.lane.prefetch import AGAIN_S, Prefetched
from gate.lane.sightings import PrivateDocument
from gate.wire.messages import LookupResult, PrefetchedDocument, PrefetchOut
from gate.wire.prefetch import document_digest
from simulator.chaos.timeloop import LoopClock, TimeLoop

NAMES = ("customs_declaration", "health_declaration")
EVERY_S, MAX_AGE_S = 300, 3600


class Hub:
    """Answers with what it has, or not at all; counts how often it was asked."""

    def __init__(self, *documents: PrivateDocument, is_once: bool = False, age_ms: int = 0) -> None:
        self.is_there = True
        self.asked = 0
        results = [LookupResult(name=name, is_hit=False, role="customs", detail="d") for name in (*NAMES, "watchlist")]
        self._out = PrefetchOut(
            at_ms=0,
            age_ms=age_ms,
            documents=[
                PrefetchedDocument(
                    document=document_digest(item.issuer, item.document_number, item.birth_date),
                    results=results,
                    is_once=is_once,
                )
                for item in documents
            ],
        )

    async def prefetch(self) -> PrefetchOut | None:
        self.asked += 1
        return self._out if self.is_there else None


class Lane:
    def __init__(self, hub: Hub, names: Sequence[str] = (*NAMES, "watchlist")) -> None:
        self.loop = TimeLoop()
        self.source = Prefetched(
            cast(HubLink, hub), names, every_s=EVERY_S, max_age_s=MAX_AGE_S, clock=LoopClock(self.loop)
        )
        self.task = self.loop.create_task(self.source.run())
        self._names = names

    def close(self) -> None:
        self.task.cancel()
        self.loop.run_until_complete(asyncio.gather(self.task, return_exceptions=True))
        self.loop.close()

    def wait(self, duration_s: float) -> None:
        async def pass_by() -> None:
            await asyncio.sleep(duration_s)

        self.loop.run_until_complete(pass_by())

    def answers(self, case_id: str = "c1") -> dict[str, Answer]:
        facts = self.loop.run_until_complete(Lookups(self._names, [self.source], deadline_ms=1500)(DOCUMENT, case_id))
        return {item.name: item.answer for item in facts}


Open = Callable[..., Lane]


@pytest.fixture
def lanes() -> Iterator[Open]:
    made: list[Lane] = []

    def open_lane(hub: Hub, names: Sequence[str] = (*NAMES, "watchlist")) -> Lane:
        made.append(Lane(hub, names))
        return made[-1]

    yield open_lane
    for lane in made:
        lane.close()


def test_what_was_fetched_counts_until_it_is_too_old(lanes: Open) -> None:
    hub = Hub(DOCUMENT)
    lane = lanes(hub)
    lane.wait(1)
    hub.is_there = False
    lane.wait(MAX_AGE_S - 1)
    assert lane.answers()["customs_declaration"] is Answer.NOTHING
    lane.wait(1)
    assert lane.answers()["customs_declaration"] is Answer.STALE


def test_the_time_at_the_hub_counts_as_well(lanes: Open) -> None:
    hub = Hub(DOCUMENT, age_ms=600_000)
    lane = lanes(hub)
    lane.wait(1)
    hub.is_there = False
    lane.wait(MAX_AGE_S - 600)
    assert lane.answers()["customs_declaration"] is Answer.STALE


def test_the_watchlist_is_never_answered_from_what_was_fetched(lanes: Open) -> None:
    lane = lanes(Hub(DOCUMENT))
    lane.wait(1)
    assert lane.answers()["watchlist"] is Answer.NO_ANSWER


def test_somebody_who_was_not_expected_is_not_known(lanes: Open) -> None:
    lane = lanes(Hub())
    lane.wait(1)
    assert lane.answers()["customs_declaration"] is Answer.NO_ANSWER


def test_what_is_good_for_one_crossing_is_given_once(lanes: Open) -> None:
    lane = lanes(Hub(DOCUMENT, is_once=True))
    lane.wait(1)
    assert lane.answers("c1")["health_declaration"] is Answer.NOTHING
    assert lane.answers("c1")["health_declaration"] is Answer.NOTHING
    assert lane.answers("c2") == {
        "customs_declaration": Answer.NOTHING,
        "health_declaration": Answer.NO_ANSWER,
        "watchlist": Answer.NO_ANSWER,
    }


@pytest.mark.parametrize(("is_there", "pause_s"), [(True, EVERY_S), (False, AGAIN_S)])
def test_it_is_fetched_now_and_then_and_sooner_when_it_failed(lanes: Open, is_there: bool, pause_s: float) -> None:
    hub = Hub(DOCUMENT)
    hub.is_there = is_there
    lane = lanes(hub)
    lane.wait(1)
    lane.wait(10 * pause_s)
    assert hub.asked == 11


def test_a_lane_that_asks_nothing_fetches_nothing(lanes: Open) -> None:
    hub = Hub(DOCUMENT)
    lane = lanes(hub, ["watchlist"])
    lane.wait(EVERY_S * 3)
    assert (hub.asked, lane.task.done()) == (0, True)
