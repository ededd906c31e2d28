"""What a start of a lane leaves in its store: the number of the boot, and the word that it started."""

import secrets
import sqlite3

from gate.lane.casework import Casework
from gate.lane.store import LaneStore
from gate.lane.store_watch import DEVICE
from gate.wire.messages import EventType, FaultRaised, LaneStarted


class Start:
    """One start. Where the store takes nothing, it has a name drawn by lot, and :meth:`write` makes up for the rest later."""

    def __init__(self, store: LaneStore, *, software_version: str, model_hashes: dict[str, str]) -> None:
        self._store = store
        self._number: int | None = None
        self._failure: str | None = None
        try:
            self._number = store.next_boot()
        except sqlite3.Error as error:
            self._failure = str(error)
        # Never given twice: by the number, or else by a lot long enough.
        self.boot_id = f"0-{secrets.token_hex(8)}" if self._number is None else f"{self._number}-{secrets.token_hex(3)}"
        self._started: LaneStarted | None = LaneStarted(
            boot_id=self.boot_id, software_version=software_version, model_hashes=model_hashes
        )

    def write(self, casework: Casework) -> None:
        """Put on disk what is not there yet. sqlite3.Error when it cannot be written: call it again when there is room."""
        try:
            if self._number is None:
                self._number = self._store.next_boot()
            if self._started is not None:
                casework.report(EventType.LANE_STARTED, self._started)
                self._started = None
        except sqlite3.Error as error:
            self._failure = str(error)
            raise
        if self._failure is not None:
            casework.report(EventType.FAULT_RAISED, FaultRaised(device=DEVICE, reason=self._failure))
            self._failure = None
        casework.close_interrupted()
