"""Looks after a store that takes nothing: the lane stands in its fault state meanwhile, and goes on when there is room again."""

import asyncio
import sqlite3
from collections.abc import Callable

from gate.core import events as on
from gate.core.events import Event
from gate.core.state import LaneState, State
from gate.lane.store import LaneStore

DEVICE = "store"
LOOK_S = 1.0
STARTER = "start"
"""Who acknowledges a fault that lasted from the start on: nothing was served in it that an officer would have to look at."""


class StoreWatch:
    """Lives on the lane's event loop. A failure in service is told to be over, and waits for an officer like any other.

    One from the very start, with nothing else wrong since, ends by itself: it is the start that has been put off.
    """

    def __init__(self, store: LaneStore, *, post: Callable[[Event], None], state: Callable[[], LaneState]) -> None:
        self._store = store
        self._post = post
        self._state = state
        self._owed: Callable[[], None] | None = None
        self._is_other_wrong = False
        self._due: asyncio.TimerHandle | None = None

    def owe(self, write: Callable[[], None]) -> None:
        """The start could not be written: ``write`` is tried until it succeeds (sqlite3.Error: it did not)."""
        self._owed = write

    def faults_changed(self, faults: frozenset[str]) -> None:
        """The machine's faults are others than before."""
        self._is_other_wrong = self._is_other_wrong or bool(faults - {DEVICE})
        if DEVICE in faults and self._due is None:
            self._due = asyncio.get_running_loop().call_later(LOOK_S, self._look)

    def cancel(self) -> None:
        if self._due is not None:
            self._due.cancel()
            self._due = None

    def _look(self) -> None:
        self._due = None
        owed = self._owed
        if owed is None and DEVICE not in self._state().faults:
            return
        try:
            (owed or self._store.check)()
        except sqlite3.Error:
            self._due = asyncio.get_running_loop().call_later(LOOK_S, self._look)
            return
        self._owed = None
        self._post(on.DeviceRecovered(device=DEVICE))
        if owed is not None and self._state().name is State.FAULT and not self._is_other_wrong:
            self._post(on.Acknowledged(by=STARTER))
