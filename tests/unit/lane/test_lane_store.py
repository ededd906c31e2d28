"""The lane's memory: what it holds survives the process, in order, once."""

import json
import sqlite3
import stat
from pathlib import Path

import pytest

from gate.core.clock import ManualClock
from gate.errors import GateError
from gate.lane.store import EventDraft, LaneStore, Picture
from gate.wire.messages import AlarmCleared, CloudEvent, EventType


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


def open_store(folder: Path, clock: ManualClock) -> LaneStore:
    return LaneStore(folder / "state" / "lane.sqlite", port="p", lane="lane-1", clock=clock)


def draft(by: str = "me") -> EventDraft:
    return EventDraft(type=EventType.ALARM_CLEARED, data=AlarmCleared(reason="acknowledged", by=by))


def picture(name: str = "a", data: bytes = b"secret face") -> Picture:
    return Picture(sha256=name * 64, case_id="c1", media_type="image/jpeg", data=data)


def test_numbers_have_no_gap_over_restarts_and_receipts(tmp_path: Path, clock: ManualClock) -> None:
    numbers: list[int] = []
    for _ in range(3):
        with open_store(tmp_path, clock) as store:
            rows = store.record([draft(), draft()])
            numbers += [row.sequence for row in rows]
            store.receipted([row.id for row in store.waiting_events()])
    assert numbers == [1, 2, 3, 4, 5, 6]


def test_what_has_no_receipt_waits_over_a_restart_in_its_order(tmp_path: Path, clock: ManualClock) -> None:
    with open_store(tmp_path, clock) as store:
        rows = store.record([draft("a"), draft("b"), draft("c")])
        store.receipted([rows[1].id])
    with open_store(tmp_path, clock) as store:
        assert store.waiting_events() == [rows[0], rows[2]]
        assert store.waiting_count() == 2


def test_a_receipt_may_come_twice_and_may_name_what_is_not_here(tmp_path: Path, clock: ManualClock) -> None:
    with open_store(tmp_path, clock) as store:
        first, second = store.record([draft(), draft()])
        for _ in range(2):
            store.receipted([first.id, "f" * 32])
        assert [row.id for row in store.waiting_events()] == [second.id]


def test_a_body_is_a_cloud_event_of_this_lane(tmp_path: Path, clock: ManualClock) -> None:
    with open_store(tmp_path, clock) as store:
        (row,) = store.record([draft("nurse")])
    event = CloudEvent.model_validate_json(row.body)
    assert (event.source, event.id, event.sequence) == ("/p/lane-1", row.id, 1)
    assert event.typed_data() == AlarmCleared(reason="acknowledged", by="nurse")


def test_a_release_is_spent_once_and_for_ever(tmp_path: Path, clock: ManualClock) -> None:
    with open_store(tmp_path, clock) as store:
        assert not store.is_spent("r1")
        assert len(store.spend("r1", [draft()])) == 1
    with open_store(tmp_path, clock) as store:
        assert store.is_spent("r1")
        with pytest.raises(sqlite3.IntegrityError):
            store.spend("r1", [draft()])
        assert store.waiting_count() == 1, "what came with the second try must not be recorded"
        assert [row.sequence for row in store.record([draft()])] == [2], "nor use up a number"


def test_what_cannot_be_written_whole_is_not_written_at_all(tmp_path: Path, clock: ManualClock) -> None:
    with open_store(tmp_path, clock) as store:
        store.record([draft()])
        with pytest.raises(sqlite3.Error):
            store.record([draft(), draft()], pictures=[picture(data=object())])  # type: ignore[arg-type]
        assert [row.sequence for row in store.waiting_events()] == [1]
        assert [row.sequence for row in store.record([draft()])] == [2]


def test_a_stored_picture_leaves_no_trace_on_the_disk(tmp_path: Path, clock: ManualClock) -> None:
    secret = b"template-or-face-" * 64
    with open_store(tmp_path, clock) as store:
        store.record(pictures=[picture("a", secret), picture("b", b"other")])
        assert [item.sha256 for item in store.waiting_pictures()] == ["a" * 64, "b" * 64]
        store.picture_stored("a" * 64)
        assert [item.sha256 for item in store.waiting_pictures()] == ["b" * 64]
    on_disk = b"".join(file.read_bytes() for file in (tmp_path / "state").iterdir())
    assert secret[:17] not in on_disk


def test_a_crossing_under_way_is_known_after_a_restart(tmp_path: Path, clock: ManualClock) -> None:
    with open_store(tmp_path, clock) as store:
        assert store.open_case is None
        store.record([draft()], open_case="7K2-0419-QXM")
    with open_store(tmp_path, clock) as store:
        assert store.open_case == "7K2-0419-QXM"
        store.record([draft()], closes_case=True)
    with open_store(tmp_path, clock) as store:
        assert store.open_case is None


def test_boots_and_command_numbers_are_remembered(tmp_path: Path, clock: ManualClock) -> None:
    with open_store(tmp_path, clock) as store:
        assert (store.next_boot(), store.last_command_seq) == (1, 0)
        store.remember_command(41)
    with open_store(tmp_path, clock) as store:
        assert (store.next_boot(), store.last_command_seq) == (2, 41)


def test_spent_releases_are_forgotten_only_when_none_could_still_be_good(tmp_path: Path, clock: ManualClock) -> None:
    with open_store(tmp_path, clock) as store:
        store.spend("old")
        clock.advance_ms(6 * 24 * 3600 * 1000)
        store.spend("young")
        assert store.is_spent("old")
        clock.advance_ms(2 * 24 * 3600 * 1000)
        store.spend("new")
        assert (store.is_spent("old"), store.is_spent("young")) == (False, True)


def test_the_journal_keeps_its_order(tmp_path: Path, clock: ManualClock) -> None:
    with open_store(tmp_path, clock) as store:
        store.journal([("state", {"to": "ready"})])
        clock.advance_ms(5)
        store.journal([("board", {"kind": "booted"})])
        (first, second) = store.journal_tail()
    assert (first[1], json.loads(first[2])) == ("state", {"to": "ready"})
    assert second[0] - first[0] == 5


def test_the_file_is_nobody_elses_to_read(tmp_path: Path, clock: ManualClock) -> None:
    with open_store(tmp_path, clock) as store:
        store.record([draft()])
        modes = {file.name: stat.S_IMODE(file.stat().st_mode) for file in (tmp_path / "state").iterdir()}
    assert {mode & 0o077 for mode in modes.values()} == {0}, modes


def test_a_store_that_cannot_be_used_says_which_and_what_to_do(tmp_path: Path, clock: ManualClock) -> None:
    (tmp_path / "state").write_text("a file where a folder should be")
    with pytest.raises(GateError, match=r"state/lane\.sqlite cannot be used .*: check the folder"):
        open_store(tmp_path, clock)


def test_a_file_that_is_no_database_says_so(tmp_path: Path, clock: ManualClock) -> None:
    (tmp_path / "state").mkdir()
    (tmp_path / "state" / "lane.sqlite").write_bytes(b"not a database, and long enough to tell" * 40)
    with pytest.raises(GateError, match="file is not a database"):
        open_store(tmp_path, clock)


def test_a_full_disk_is_an_error_of_sqlite_and_leaves_the_numbers_as_they_were(
    tmp_path: Path, clock: ManualClock
) -> None:
    with open_store(tmp_path, clock) as store:
        store.record([draft()])
        pages = store._db.execute("PRAGMA page_count").fetchone()[0]
        store._db.execute(f"PRAGMA max_page_count = {pages}")
        with pytest.raises(sqlite3.OperationalError, match="full"):
            store.record(pictures=[picture(data=b"x" * 100_000)])
        store._db.execute("PRAGMA max_page_count = 100000")
        assert [row.sequence for row in store.record([draft()])] == [2]
