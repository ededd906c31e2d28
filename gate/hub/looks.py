"""Looks are put on record before anything is shown, many of them with one commit: forty screens that draw a case cost one."""

import threading
from dataclasses import dataclass, field

from gate.hub.audit.log import Entry, note
from gate.hub.errors import HubError
from gate.hub.store import Store


@dataclass(slots=True, kw_only=True, eq=False)
class _Batch:
    """Entries that one thread writes for all who brought them."""

    entries: list[Entry] = field(default_factory=list)
    is_written: threading.Event = field(default_factory=threading.Event)
    problem: BaseException | None = None


class LookLog:
    """Safe to use from many threads. Who comes first waits for the pen, and writes down what came meanwhile as well (group commit)."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._lock = threading.Lock()
        self._gathering = _Batch()

    def record(self, entry: Entry) -> None:
        """On disk on return. Raises what the database raised; to those whose entry another thread wrote, HubError."""
        with self._lock:
            batch = self._gathering
            batch.entries.append(entry)
            is_first = len(batch.entries) == 1
        if is_first:
            self._write(batch)
            return
        batch.is_written.wait()
        if batch.problem is not None:
            raise HubError(
                "a look could not be put on record, so nothing is shown: see to the hub's database"
            ) from batch.problem

    def _write(self, batch: _Batch) -> None:
        try:
            with self._store.serialised():
                with self._lock:
                    self._gathering = _Batch()
                with self._store.write() as connection:
                    for entry in batch.entries:
                        note(connection, entry)
        except BaseException as problem:
            batch.problem = problem
            raise
        finally:
            with self._lock:
                if self._gathering is batch:
                    self._gathering = _Batch()
            batch.is_written.set()
