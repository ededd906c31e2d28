"""Travellers of a walk-through lane in simulated time: they step up, several at once if they like, and wait for the one door."""

import asyncio

from gate.wire.messages import KioskStep
from simulator.chaos.people import BEYOND_MM, OUTSIDE_MM, PASSABLE_RATIO, Kind, Traveller

_POLL_S = 0.05
_PATIENCE_S = 40.0
_ASIDE_S = 0.6


class WalkThroughTraveller(Traveller):
    """One attempt to cross. Who is followed asks for patience, or is run after once the exit is open."""

    async def cross(self) -> str:
        """Step up, place the document, and see how far it goes: ``through``, ``back``, ``turned_away``."""
        try:
            if self.kind is not Kind.NEVER_ENTERS:
                self._walk_in()
                await asyncio.sleep(0.2)
            self._sight.place(self._person())
            try:
                return await self._wait_for_exit()
            finally:
                self._sight.take_away()
        finally:
            await self._clear_away()

    async def _wait_for_exit(self) -> str:
        turns_at_s = self._rng.uniform(0.05, 0.6) if self.kind is Kind.TURNS_ROUND else None
        is_rude = self.kind is Kind.TAILGATED and self._rng.random() < 0.6
        loop = asyncio.get_running_loop()
        began_s = loop.time()
        while loop.time() < began_s + _PATIENCE_S:
            waited_s = loop.time() - began_s
            if self._world.exit.position >= PASSABLE_RATIO and self.kind is not Kind.LINGERS and self._walkers:
                return await self._go_through()
            if (turns_at_s is not None and waited_s >= turns_at_s) or self._is_sent_away():
                return await self._go_back()
            if is_rude and waited_s >= _ASIDE_S:
                is_rude = False
                self._walkers[-1].walk_to(OUTSIDE_MM)  # steps aside, and waits for the door
            await asyncio.sleep(_POLL_S)
        return await self._go_back()

    def _is_sent_away(self) -> bool:
        lane = self._lane()
        return lane is not None and any(
            lane.is_asking_for(step) for step in (KioskStep.GO_TO_DESK, KioskStep.WALK_BACK)
        )

    async def _go_through(self) -> str:
        self._send_all(BEYOND_MM)
        for _ in range(80):
            await asyncio.sleep(_POLL_S)
            if self._walkers[0].is_there:
                return "through"
        return await self._go_back()

    async def _go_back(self) -> str:
        self._send_all(OUTSIDE_MM)
        for _ in range(20):
            await asyncio.sleep(_POLL_S)
            if all(walker.is_there for walker in self._walkers):
                break
        return "back" if self._walkers else "turned_away"

    async def _clear_away(self) -> None:
        """People are gone a while later; a bag lies until the lane has called somebody for it, or in its way for long enough."""
        for walker in self._walkers:
            self._world.remove(walker)
        for _ in range(60):
            lane = self._lane()
            if self._left is None or lane is None or not lane.is_asking_for(KioskStep.PLEASE_WAIT):
                break
            await asyncio.sleep(_POLL_S)
        if self._left is not None:
            self._world.remove(self._left)
