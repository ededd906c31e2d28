"""A lane's journal goes to disk with its records, costs no commit of its own, and nothing of it is lost to a full disk."""

import asyncio
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from gate.core.clock import ManualClock
from gate.lane.journal import Journal
from gate.lane.store import EventDraft, LaneStore
from gate.wire.messages import AlarmCleared, EventType
from simulator.chaos.timeloop import TimeLoop


class Database(sqlite3.Connection):
    """One whose disk can be full at the moment of the commit."""

    is_full = False
    commits = 0

    def execute(self, sql: str, *args: object) -> sqlite3.Cursor:
        if sql == "COMMIT":
            if self.is_full:
                raise sqlite3.OperationalError("database or disk is full")
            self.commits += 1
        return super().execute(sql, *args)  # type: ignore[arg-type]


@pytest.fixture
def database(tmp_path: Path) -> Database:
    return sqlite3.connect(tmp_path / "lane.sqlite", isolation_level=None, factory=Database)


@pytest.fixture
def store(database: Database) -> LaneStore:
    return LaneStore(Path("unused"), port="p", lane="l", clock=ManualClock(), connect=lambda _path: database)


def lines(database: Database) -> list[str]:
    return [row[0] for row in database.execute("SELECT kind FROM journal ORDER BY number")]


def draft() -> EventDraft:
    return EventDraft(type=EventType.ALARM_CLEARED, data=AlarmCleared(reason="acknowledged", by="ann"))


def test_what_was_noted_goes_with_the_next_record_in_one_commit(store: LaneStore, database: Database) -> None:
    store.journal([("state", {"to": "ready"}), ("board", {"kind": "booted"})])
    assert lines(database) == []
    before = database.commits
    store.record([draft()])
    assert (lines(database), database.commits - before) == (["state", "board"], 1)


def test_a_commit_that_fails_loses_no_line_and_gives_no_number(store: LaneStore, database: Database) -> None:
    store.journal([("state", {})])
    database.is_full = True
    with pytest.raises(sqlite3.OperationalError):
        store.record([draft()])
    assert (store.waiting_count(), database.in_transaction) == (0, False)
    database.is_full = False
    (row,) = store.record([draft()])
    assert (row.sequence, lines(database)) == (1, ["state"])


def test_a_lane_that_records_nothing_writes_its_journal_a_moment_later(store: LaneStore, database: Database) -> None:
    def at_once(act: Callable[[], None]) -> None:
        act()

    async def story() -> None:
        journal = Journal(store, writes=at_once)
        journal.note("state", {})
        await asyncio.sleep(0.1)
        assert lines(database) == []
        await asyncio.sleep(0.2)
        assert lines(database) == ["state"]
        journal.note("board", {})
        journal.write()
        assert lines(database) == ["state", "board"]

    loop = TimeLoop()
    try:
        loop.run_until_complete(story())
    finally:
        loop.close()
        database.close()
