"""Asking often, working once: many reasons to refresh become one refresh at a time, and one more at the end."""

import asyncio
from collections.abc import Awaitable, Callable

from nicegui import Client, background_tasks


class Coalesced:
    """Runs ``work`` for a page soon after :meth:`ask`; asked while it runs, it runs once more. At most once per ``min_interval_s``.

    It ends with the page: ``client`` is whose elements the work draws.
    """

    def __init__(self, work: Callable[[], Awaitable[None]], *, client: Client, min_interval_s: float = 0.0) -> None:
        self._work = work
        self._client = client
        client.on_delete(self.close)
        self._min_interval_s = min_interval_s
        self._is_asked = False
        self._is_running = False
        self._is_closed = False

    def ask(self) -> None:
        """Say that there is something to do."""
        self._is_asked = True
        if not self._is_running and not self._is_closed:
            self._is_running = True
            background_tasks.create(self._run(), name="console refresh", context=self._client)

    def close(self) -> None:
        """Start nothing any more; what runs ends by itself."""
        self._is_closed = True

    async def _run(self) -> None:
        try:
            while self._is_asked and not self._is_closed:
                self._is_asked = False
                await self._work()
                if self._is_asked and self._min_interval_s > 0:
                    await asyncio.sleep(self._min_interval_s)
        finally:
            self._is_running = False
