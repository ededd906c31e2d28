"""What the lane notes for replay and inquiry, written with the next record or a moment later: a commit of its own for every
line of it would cost more than the crossing's records. What is noted less than :data:`DELAY_S` before a crash may be missing.
"""

import asyncio
from collections.abc import Callable, Mapping
from typing import Any

from gate.lane.store import LaneStore

DELAY_S = 0.2


class Journal:
    """Lives on the lane's event loop. ``writes`` runs something that records, and turns a failing store into an event."""

    def __init__(self, store: LaneStore, *, writes: Callable[[Callable[[], None]], None]) -> None:
        self._store = store
        self._writes = writes
        self._due: asyncio.TimerHandle | None = None

    def note(self, kind: str, body: Mapping[str, Any]) -> None:
        """Keep a line; it is on disk with the next record, or after :data:`DELAY_S`."""
        self._store.journal([(kind, body)])
        if self._due is None:
            self._due = asyncio.get_running_loop().call_later(DELAY_S, self.write)

    def write(self) -> None:
        """Put on disk what waits."""
        if self._due is not None:
            self._due.cancel()
            self._due = None
        self._writes(self._store.write_journal)
