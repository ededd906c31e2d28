"""Travellers in simulated time. They know doors, the kiosk's screen and patience; nobody tells them anything else."""

import asyncio
import random
from collections.abc import Callable
from enum import StrEnum

from gate.wire.messages import KioskStep
from simulator.chaos.lane import LaneProcess
from simulator.chaos.sight import Person, Sight
from simulator.world import Body, LaneWorld, Walker

OUTSIDE_MM, LINE_MM, BEHIND_MM, BEYOND_MM = -600.0, 1200.0, 600.0, 3000.0
FAST_MM_S = 12_000.0
PASSABLE_RATIO = 0.8
_POLL_S = 0.05
_PATIENCE_S = 90.0


class Kind(StrEnum):
    HONEST = "honest"
    IMPOSTOR = "impostor"
    UNREADABLE = "unreadable"
    NEVER_ENTERS = "never_enters"
    TAILGATED = "tailgated"
    PRESSED_CLOSE = "pressed_close"
    LEAVES_BAG = "leaves_bag"
    LEAVES_BIG_BAG = "leaves_big_bag"
    TURNS_ROUND = "turns_round"
    LINGERS = "lingers"


KINDS = {
    Kind.HONEST: 80,
    Kind.IMPOSTOR: 4,
    Kind.UNREADABLE: 2,
    Kind.NEVER_ENTERS: 1,
    Kind.TAILGATED: 3,
    Kind.PRESSED_CLOSE: 2,
    Kind.LEAVES_BAG: 2,
    Kind.LEAVES_BIG_BAG: 2,
    Kind.TURNS_ROUND: 2,
    Kind.LINGERS: 2,
}
"""How often each comes, in a hundred."""


class Traveller:
    """One attempt to cross. ``lane`` gives the process that runs now, None while there is none."""

    def __init__(
        self, kind: Kind, world: LaneWorld, sight: Sight, lane: Callable[[], LaneProcess | None], rng: random.Random
    ) -> None:
        self.kind = kind
        self._world = world
        self._sight = sight
        self._lane = lane
        self._rng = rng
        self._walkers: list[Walker] = []
        self._bag: Body | None = None
        self._left: Body | None = None

    async def cross(self) -> str:
        """Place the document, and see how far it goes: ``through``, ``back``, ``turned_away``, ``gave_up``."""
        self._sight.place(self._person())
        try:
            if not await self._wait(self._may_enter, 3.0) or self.kind is Kind.NEVER_ENTERS:
                return "turned_away"
        finally:
            self._sight.take_away()
        self._walk_in()
        try:
            return await self._leave()
        finally:
            for walker in self._walkers:
                self._world.remove(walker)

    def _person(self) -> Person:
        score = {Kind.IMPOSTOR: 0.1, Kind.LINGERS: None}.get(self.kind, 0.8)
        return Person(is_document_readable=self.kind is not Kind.UNREADABLE, score=score)

    def _may_enter(self) -> bool:
        return self._world.entry.position >= PASSABLE_RATIO

    def _walk_in(self) -> None:
        first = self._world.add_person(OUTSIDE_MM, speed_mm_s=FAST_MM_S)
        first.walk_to(LINE_MM)
        self._walkers = [first]
        if self.kind in (Kind.TAILGATED, Kind.PRESSED_CLOSE):
            apart_mm, gap_mm = (430.0, 120.0) if self.kind is Kind.TAILGATED else (360.0, 20.0)
            follower = self._world.add_person(OUTSIDE_MM - apart_mm, speed_mm_s=FAST_MM_S)
            follower.gap_mm = gap_mm
            follower.walk_to(BEHIND_MM)
            self._walkers.append(follower)
        if self.kind in (Kind.LEAVES_BAG, Kind.LEAVES_BIG_BAG):
            length_mm = 150.0 if self.kind is Kind.LEAVES_BAG else 400.0
            self._bag = self._world.add_bag(carried_by=first, length_mm=length_mm)

    async def _leave(self) -> str:
        """Out by the door that opens: the exit, or the entry once it has been seen shut or the screen waves one back."""
        world = self._world
        was_shut_in = False
        loop = asyncio.get_running_loop()
        end_s = loop.time() + _PATIENCE_S
        if self.kind is Kind.TURNS_ROUND:
            await asyncio.sleep(self._rng.uniform(0.1, 0.6))
            self._send_all(OUTSIDE_MM)
        while loop.time() < end_s:
            was_shut_in = was_shut_in or world.entry.position <= 0.0
            if world.exit.position >= PASSABLE_RATIO and self.kind is not Kind.LINGERS:
                self._send_all(BEYOND_MM)
            elif world.entry.position >= PASSABLE_RATIO and (was_shut_in or self._is_waved_back()):
                self._send_all(OUTSIDE_MM)
            elif world.exit.position >= PASSABLE_RATIO and self._rng.random() < 0.02:
                self._send_all(BEYOND_MM)
            if all(not world.is_inside(walker.body) and walker.is_there for walker in self._walkers):
                x_mm = self._walkers[0].body.x_mm
                if x_mm > world.length_mm or x_mm < 0.0:
                    return "through" if x_mm > 0.0 else "back"
            await asyncio.sleep(_POLL_S)
        return "gave_up"

    def _send_all(self, x_mm: float) -> None:
        if self._bag is not None and self._walkers:
            self._left = self._walkers[0].drop_bag()
            self._bag = None
        apart_mm, last = 700.0, len(self._walkers) - 1
        for number, walker in enumerate(self._walkers):  # the first is ahead, whichever way they go
            walker.walk_to(x_mm + apart_mm * (last - number) if x_mm > 0 else x_mm - apart_mm * number)

    def _is_waved_back(self) -> bool:
        lane = self._lane()
        return lane is not None and lane.is_asking_for(KioskStep.WALK_BACK)

    async def _wait(self, condition: Callable[[], bool], within_s: float) -> bool:
        for _ in range(int(within_s / _POLL_S)):
            if condition():
                return True
            lane = self._lane()
            if lane is not None and lane.is_asking_for(KioskStep.GO_TO_DESK):
                return False
            await asyncio.sleep(_POLL_S)
        return condition()
