"""A disk without room when the lane starts: the store is made all the same, and works as soon as there is room."""

import errno
import sqlite3
from pathlib import Path
from typing import Any

import pytest
from lane_kit import make_casework

from gate.core.clock import ManualClock
from gate.errors import GateError
from gate.lane.start import Start
from gate.lane.store import LaneStore
from gate.wire.messages import CloudEvent


class Disk:
    def __init__(self, error: Exception) -> None:
        self.error: Exception | None = error

    def connect(self, path: Path) -> sqlite3.Connection:
        if self.error is not None:
            raise self.error
        return sqlite3.connect(path, isolation_level=None)


def full() -> sqlite3.OperationalError:
    error = sqlite3.OperationalError("database or disk is full")
    error.sqlite_errorcode = sqlite3.SQLITE_FULL
    return error


def make(folder: Path, disk: Disk) -> LaneStore:
    return LaneStore(folder / "lane.sqlite", port="port", lane="lane-1", clock=ManualClock(), connect=disk.connect)


@pytest.mark.parametrize("error", [full(), OSError(errno.ENOSPC, "No space left on device")])
def test_everything_fails_as_sqlite_does_until_there_is_room(tmp_path: Path, error: Exception) -> None:
    disk = Disk(error)
    store = make(tmp_path, disk)
    for ask in (store.next_boot, store.waiting_events, store.check, lambda: store.last_command_seq):
        with pytest.raises(sqlite3.Error):
            ask()
    disk.error = None
    assert (store.next_boot(), store.last_command_seq, store.waiting_events()) == (1, 0, [])
    store.close()


def test_a_store_that_was_never_opened_can_be_closed(tmp_path: Path) -> None:
    make(tmp_path, Disk(full())).close()


@pytest.mark.parametrize("error", [PermissionError(errno.EACCES, "no"), sqlite3.OperationalError("unable to open")])
def test_what_does_not_mend_itself_is_told_at_once(tmp_path: Path, error: Exception) -> None:
    with pytest.raises(GateError, match="check the folder"):
        make(tmp_path, Disk(error))


def test_a_start_is_written_once_whenever_there_is_room(tmp_path: Path) -> None:
    disk = Disk(full())
    store = make(tmp_path, disk)
    start = Start(store, software_version="1", model_hashes={})
    rows: list[Any] = []
    casework = make_casework(store, ManualClock(), send=rows.extend)
    with pytest.raises(sqlite3.Error):
        start.write(casework)
    disk.error = None
    start.write(casework)
    start.write(casework)
    events = [CloudEvent.model_validate_json(row.body) for row in rows]
    assert [event.type.value for event in events] == ["tongguan.lane.started", "tongguan.fault.raised"]
    assert events[0].data["boot_id"] == start.boot_id
    assert store.next_boot() == 2
    store.close()


def test_a_start_with_room_has_a_number_and_no_fault(tmp_path: Path) -> None:
    disk = Disk(full())
    disk.error = None
    store = make(tmp_path, disk)
    rows: list[Any] = []
    start = Start(store, software_version="1", model_hashes={})
    start.write(make_casework(store, ManualClock(), send=rows.extend))
    assert start.boot_id.startswith("1-")
    assert [CloudEvent.model_validate_json(row.body).type.value for row in rows] == ["tongguan.lane.started"]
    store.close()


def test_two_starts_without_room_have_two_names(tmp_path: Path) -> None:
    store = make(tmp_path, Disk(full()))
    names = {Start(store, software_version="1", model_hashes={}).boot_id for _ in range(8)}
    assert len(names) == 8
