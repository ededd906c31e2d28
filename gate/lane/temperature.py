"""Taking one traveller's temperature during a stay: in passing, or standing still; a reading, or why there is none."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from statistics import median

from gate.core.policy import NotTaken

POLL_S = 0.01
POLLS = 100
STILL_POLLS = 300
STEADY_POLLS = 60
"""So long without a break a reading must keep to itself when somebody is to stand still."""
STEADY_WITHIN_CELSIUS = 0.3


@dataclass(frozen=True, slots=True, kw_only=True)
class Thermometry:
    """How a lane reads: ``read(since_ns)`` is the present reading if it was made since then; ``why_not()`` why there can be none.

    ``is_each``: every traveller is measured alone and standing still (mode ``each``).
    """

    read: Callable[[int], float | None]
    why_not: Callable[[], str] = lambda: ""
    is_each: bool = False

    def __call__(self, since_ns: int) -> float | None:
        return self.read(since_ns)

    async def take(self, since_ns: int, ask_to_hold_still: Callable[[bool], None]) -> float | NotTaken:
        """Wait for the reading of a stay that began at ``since_ns``: at most a second, three for one that must be steady."""
        if not self.is_each:
            return await self._in_passing(since_ns)
        ask_to_hold_still(True)
        try:
            return await self._standing_still(since_ns)
        finally:
            ask_to_hold_still(False)

    async def _in_passing(self, since_ns: int) -> float | NotTaken:
        for _ in range(POLLS):
            celsius = self.read(since_ns)
            if celsius is not None:
                return celsius
            await asyncio.sleep(POLL_S)
        return NotTaken(reason=self.why_not() or "nobody was seen by the thermometer")

    async def _standing_still(self, since_ns: int) -> float | NotTaken:
        steady: list[float] = []
        for _ in range(STILL_POLLS):
            celsius = self.read(since_ns)
            steady = [] if celsius is None else [*steady, celsius]
            if steady and max(steady) - min(steady) > STEADY_WITHIN_CELSIUS:
                steady = steady[-1:]
            if len(steady) >= STEADY_POLLS:
                return round(median(steady), 2)
            await asyncio.sleep(POLL_S)
        return NotTaken(reason=self.why_not() or "the reading was never steady")
