"""One lane for one hazard: the product's runtime, guard, store, driver and uplink in simulated time, and what people do in it."""

import asyncio
import contextlib
import logging
from collections.abc import Callable, Coroutine, Iterator
from dataclasses import replace
from typing import Any

import structlog

from drivers.lane_io.interface import Door
from gate.core.state import State
from gate.wire.messages import Act, EventType
from simulator.chaos.lane import WALKING, LaneProcess, Pace
from simulator.chaos.shift import Findings, Shift, play
from simulator.chaos.sight import Person
from simulator.world import Walker

OUTSIDE_MM, LINE_MM, BEYOND_MM = -600.0, 1200.0, 3000.0
SHUT, PASSABLE = 0.02, 0.8
HONEST, IMPOSTOR = Person(), Person(score=0.1)


class Scene:
    """``lane`` is the process that runs now; ``until`` fails the test when something does not happen in time."""

    def __init__(self, shift: Shift) -> None:
        self.shift = shift
        self.world = shift.board.world
        self.board = shift.board
        self.hub = shift.hub
        self.judge = shift.judge

    @property
    def lane(self) -> LaneProcess:
        assert self.shift.process is not None
        return self.shift.process

    @property
    def state(self) -> State:
        return self.lane.state.name

    def is_open(self, door: Door) -> bool:
        return self.world.leaf(door).position >= PASSABLE

    def is_shut(self, door: Door) -> bool:
        return self.world.leaf(door).position <= SHUT

    @property
    def are_both_shut(self) -> bool:
        return self.is_shut(Door.ENTRY) and self.is_shut(Door.EXIT)

    def openings(self, door: Door) -> list[str]:
        """Why this door opened, each time."""
        return [opening.reason for opening in self.board.openings if opening.door is door]

    def told(self, kind: EventType) -> list[dict[str, Any]]:
        """The data of what the hub heard of this kind."""
        return [event["data"] for event in self.hub.events.values() if event["type"] == kind.value]

    async def until(self, condition: Callable[[], bool], what: str, within_s: float = 20.0) -> None:
        for _ in range(int(within_s / 0.02)):
            if condition():
                return
            await asyncio.sleep(0.02)
        raise AssertionError(f"not within {within_s} s: {what}; the lane is {self.lane.state}")

    async def until_state(self, *names: State, within_s: float = 20.0) -> None:
        await self.until(lambda: self.state in names, " or ".join(names), within_s)

    async def never(self, condition: Callable[[], bool], what: str, for_s: float) -> None:
        for _ in range(int(for_s / 0.02)):
            assert not condition(), what
            await asyncio.sleep(0.02)

    async def pause(self, for_s: float) -> None:
        await asyncio.sleep(for_s)

    async def until_without_lane(self, condition: Callable[[], bool], what: str, within_s: float = 5.0) -> None:
        """As :meth:`until`, while no process runs."""
        for _ in range(int(within_s / 0.02)):
            if condition():
                return
            await asyncio.sleep(0.02)
        raise AssertionError(f"not within {within_s} s, without a lane: {what}")

    async def until_open_without_lane(self, door: Door) -> None:
        await self.until_without_lane(lambda: self.is_open(door), f"the {door.value} is open")

    @property
    def case_id(self) -> str:
        here = self.lane.casework.crossing
        assert here is not None
        return here.case_id

    def sign_release(self, *, is_sent: bool = False) -> str:
        """A release by the hub for the present stay and its evidence; kept back unless ``is_sent``."""
        here = self.lane.casework.crossing
        assert here is not None
        was_up = self.shift.broker.is_up
        self.shift.broker.is_up = is_sent
        token = self.hub.command(
            Act.RELEASE,
            case_id=here.case_id,
            occupancy_id=here.evidence.occupancy_id,
            digest=here.evidence.digest(),
        )
        self.hub.forget_unanswered()
        self.shift.broker.is_up = was_up
        return token

    async def leave_by_any(self, walker: Walker) -> None:
        """Walk out by whichever door opens first."""
        await self.until(lambda: self.is_open(Door.EXIT) or self.is_open(Door.ENTRY), "a door opens", 40.0)
        await self.leave_by(Door.EXIT if self.is_open(Door.EXIT) else Door.ENTRY, walker)

    async def enter(self, person: Person = HONEST) -> Walker:
        """A traveller places a document and walks in as far as the line; returns when the entry is shut behind them."""
        assert await self.shift.until_ready()
        self.shift.sight.place(person)
        await self.until(lambda: self.is_open(Door.ENTRY), "the entry opens")
        self.shift.sight.take_away()
        walker = self.world.add_person(OUTSIDE_MM, speed_mm_s=3_000.0)
        walker.walk_to(LINE_MM)
        await self.until(lambda: walker.is_there, "the traveller stands at the line")
        return walker

    async def step_up(self, person: Person = HONEST) -> Walker:
        """In a walk-through lane a traveller stands before the reader and places a document."""
        assert await self.shift.until_ready()
        walker = self.world.add_person(OUTSIDE_MM, speed_mm_s=3_000.0)
        walker.walk_to(LINE_MM)
        await self.until(lambda: walker.is_there, "the traveller stands at the line")
        self.shift.sight.place(person)
        return walker

    async def leave_by(self, door: Door, walker: Walker) -> None:
        """Walk out as soon as ``door`` is open."""
        await self.until(lambda: self.is_open(door), f"the {door.value} opens", 40.0)
        walker.walk_to(BEYOND_MM if door is Door.EXIT else OUTSIDE_MM)
        await self.until(lambda: walker.is_there, "the traveller is out")
        self.world.remove(walker)

    async def serves_again(self) -> None:
        """With officers who do their part the lane is ready, and the next traveller crosses."""
        self.shift.officers.are_there = True
        assert await self.shift.until_ready(), self.lane.state
        await self.leave_by(Door.EXIT, await (self.enter() if self.world.has_entry else self.step_up()))


ONE_DOOR = replace(WALKING, policy=replace(WALKING.policy, has_entry=False))
"""A walk-through lane."""


def play_hazard(
    script: Callable[[Scene], Coroutine[Any, Any, None]], *, pace: Pace = WALKING, is_ready: bool = True
) -> Findings:
    """Play it on a fresh lane without officers; nothing may have opened that should not, nobody trapped, nothing lost.

    ``is_ready`` False: the script begins with the lane's start.
    """

    async def whole(shift: Shift) -> None:
        shift.officers.are_there = False
        if is_ready:
            shift.start_lane()
            assert await shift.until_ready()
        await script(Scene(shift))
        shift.officers.are_there = True
        await shift.close()

    with _hushed():
        findings = play("hazard", whole, pace=pace)
    assert findings.is_clean, findings
    return findings


@contextlib.contextmanager
def _hushed() -> Iterator[None]:
    before = structlog.get_config()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    try:
        yield
    finally:
        structlog.configure(**before)
