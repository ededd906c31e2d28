"""Whether the hub still answers, asked once a second for all pages of a console, so that no screen looks younger than it is."""

import asyncio
from collections.abc import Awaitable, Callable

from nicegui import Event, background_tasks

from gate.core.clock import Clock

INTERVAL_S = 1.0
STALE_AFTER_MS = 3_000
"""After which a screen without its link says how old it is."""


class Pulse:
    """``ask`` says whether the hub answers. Use on one event loop only."""

    def __init__(self, ask: Callable[[], Awaitable[bool]], clock: Clock) -> None:
        self._ask = ask
        self._clock = clock
        self._task: asyncio.Task[None] | None = None
        self._lost_ns: int | None = None
        self.changed: Event[bool] = Event()

    @property
    def is_answering(self) -> bool:
        return self._lost_ns is None

    @property
    def silence_ms(self) -> int:
        """For how long the hub has not answered; 0 while it does."""
        return 0 if self._lost_ns is None else (self._clock.monotonic_ns() - self._lost_ns) // 1_000_000

    def start(self) -> None:
        """Ask from now on, on the running event loop."""
        self._task = background_tasks.create(self._run(), name="console pulse")

    def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            self._task = None

    async def beat(self) -> None:
        """Ask once."""
        is_answering = await self._ask()
        if is_answering != self.is_answering:
            self._lost_ns = None if is_answering else self._clock.monotonic_ns()
            self.changed.emit(is_answering)

    async def _run(self) -> None:
        while True:
            await self.beat()
            await asyncio.sleep(INTERVAL_S)
