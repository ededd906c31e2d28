"""The one order of everything that happens to a lane: whoever has something puts it in, and it is taken item by item on the event loop.

Not an ``asyncio.Queue``: nobody waits for an item here, so that one costs a turn of the loop and no task's waking.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Generic, TypeVar

Item = TypeVar("Item")


class Inbox(Generic[Item]):
    """``take`` is called with each item, never from within :meth:`put`. What is put in before :meth:`run` waits for it."""

    def __init__(self, take: Callable[[Item], None]) -> None:
        self._take = take
        self._items: deque[Item] = deque()
        self._is_due = False
        self._loop: asyncio.AbstractEventLoop | None = None
        self._end: asyncio.Future[None] | None = None

    @property
    def is_empty(self) -> bool:
        return not self._items

    def put(self, item: Item) -> None:
        """Add an item, from the event loop. Returns at once."""
        self._items.append(item)
        if not self._is_due and self._loop is not None:
            self._is_due = True
            self._loop.call_soon(self._drain)

    async def run(self) -> None:
        """Hand items on until cancelled, or until ``take`` raises: that error ends it, and is raised here."""
        self._loop = asyncio.get_running_loop()
        self._end = self._loop.create_future()
        self._is_due = True
        self._loop.call_soon(self._drain)
        try:
            await self._end
        finally:
            self._loop = None

    def _drain(self) -> None:
        end, items, take = self._end, self._items, self._take
        self._is_due = False
        if end is None or end.done():
            return
        try:
            while items:
                take(items.popleft())
        except Exception as error:  # noqa: BLE001  a bug of ours ends the lane: it is raised by run(), where the lane is stopped
            end.set_exception(error)
