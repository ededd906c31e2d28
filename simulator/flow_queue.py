"""A row of lanes and the officers behind it, as a discrete-event simulation (SimPy): what the staffing formulas are held against.

A traveller waits for a lane, crosses, and if referred keeps the lane while waiting for an officer and while the officer looks. Lanes and
officers open and close by the quarter hour; one who is busy finishes first.
"""

from collections.abc import Generator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import simpy
from numpy.typing import NDArray

QUARTER_S = 900.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """Times in seconds; ``crossing_sd_s`` is that of a gamma distribution, officers' times are exponential."""

    crossing_s: float
    crossing_sd_s: float
    referral_ratio: float
    officer_s: float


class Staffed:
    """Servers of which so many are open as the plan of the quarter says; first come, first served."""

    def __init__(self, env: simpy.Environment, plan: Sequence[int]) -> None:
        self._env, self._plan = env, list(plan)
        self._busy = 0
        self._queue: list[simpy.Event] = []
        env.process(self._follow())

    def enter(self) -> simpy.Event:
        """An event that happens when a server is free for whoever asked."""
        event = self._env.event()
        self._queue.append(event)
        self._let_in()
        return event

    def leave(self) -> None:
        self._busy -= 1
        self._let_in()

    def _let_in(self) -> None:
        quarter = int(self._env.now // QUARTER_S)
        is_open = self._plan[min(quarter, len(self._plan) - 1)]
        while self._queue and self._busy < is_open:
            self._busy += 1
            self._queue.pop(0).succeed()

    def _follow(self) -> Generator[simpy.Event, Any, None]:
        for _ in self._plan:
            yield self._env.timeout(QUARTER_S)
            self._let_in()


def simulate_waits(
    moments_s: Sequence[float] | NDArray[np.float64],
    *,
    lanes: Sequence[int],
    officers: Sequence[int],
    work: Work,
    seed: int = 1,
) -> NDArray[np.float64]:
    """Seconds that each traveller waited, for the lane and for an officer together; in the order of ``moments_s``.

    Whoever still waits when the last quarter is over is served by its staff. ValueError when the last has no lane or no officer.
    """
    if not lanes or not officers or lanes[-1] < 1 or officers[-1] < 1:
        raise ValueError("the last quarter needs a lane and an officer, or somebody would wait for ever")
    env = simpy.Environment()
    row, desk = Staffed(env, lanes), Staffed(env, officers)
    rng = np.random.default_rng(seed)
    count = len(moments_s)
    shape = (work.crossing_s / work.crossing_sd_s) ** 2
    crossings = rng.gamma(shape, work.crossing_s / shape, count)
    is_referred = rng.random(count) < work.referral_ratio
    looks = rng.exponential(work.officer_s, count)
    waited = np.zeros(count)

    def cross(number: int) -> Generator[simpy.Event, Any, None]:
        came_s = env.now
        yield row.enter()
        waited[number] = env.now - came_s
        yield env.timeout(float(crossings[number]))
        if is_referred[number]:
            asked_s = env.now
            yield desk.enter()
            waited[number] += env.now - asked_s
            yield env.timeout(float(looks[number]))
            desk.leave()
        row.leave()

    def come() -> Generator[simpy.Event, Any, None]:
        for number, moment_s in enumerate(moments_s):
            yield env.timeout(max(0.0, float(moment_s) - env.now))
            env.process(cross(number))

    env.process(come())
    env.run()
    return waited
