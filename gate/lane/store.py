"""What a lane must not forget: its outbox, its spent releases, its journal and the crossing under way. SQLite, one file.

Durability first: write-ahead log, ``synchronous=FULL``; a call returns when its rows are on disk. An event leaves the outbox only on
the hub's signed receipt (a broker's acknowledgement is not one), a picture only when the hub has stored it.
"""

import errno
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from gate.core.clock import Clock
from gate.core.evidence import canonical_json
from gate.errors import GateError
from gate.wire.messages import EventType, Message, cloud_event_json, event_source, new_event_id

_SCHEMA = """
CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS outbox (
    sequence INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, body TEXT NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS refused_events (
    sequence INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, body TEXT NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS pictures (
    sha256 TEXT PRIMARY KEY, case_id TEXT NOT NULL, media_type TEXT NOT NULL, data BLOB NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS refused_pictures (
    sha256 TEXT PRIMARY KEY, case_id TEXT NOT NULL, media_type TEXT NOT NULL, data BLOB NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS spent (release_id TEXT PRIMARY KEY, at_ms INTEGER NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS journal (
    number INTEGER PRIMARY KEY AUTOINCREMENT, at_ms INTEGER NOT NULL, kind TEXT NOT NULL, body TEXT NOT NULL) STRICT;
"""
_JOURNAL_ROWS = 20_000
_JOURNAL_SWEEP = 100
_REFUSED_KEPT = 100
_SPENT_KEPT_MS = 7 * 24 * 3600 * 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class OutboxRow:
    """One event that waits for its receipt. ``body`` is the CloudEvent in JSON."""

    sequence: int
    id: str
    body: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """Bytes that wait to be stored by the hub."""

    sha256: str
    case_id: str
    media_type: str
    data: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class EventDraft:
    """An event before it has an id, a number and a place in the outbox."""

    type: EventType
    data: Message
    case_id: str | None = None
    traceparent: str | None = None


def _open_file(path: Path) -> sqlite3.Connection:
    path.parent.mkdir(parents=True, exist_ok=True)
    # Passports wait here for the hub; SQLite's other files take their mode from this one.
    path.touch(mode=0o600)
    return sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=2.0)


def _is_want_of_room(error: OSError | sqlite3.Error) -> bool:
    """Whether the disk has no room, or fails at the moment: a wrong file, folder or owner does not mend itself."""
    if isinstance(error, OSError):
        return error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EIO)
    primary = getattr(error, "sqlite_errorcode", 0) & 0xFF  # the upper bytes tell more of the same
    return primary in (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR)


class LaneStore:
    """The lane's memory. One instance per lane, used from the lane's event loop only.

    Opening it raises GateError when the file cannot be used; what the disk does not take, or give, raises sqlite3.Error. A disk without
    room is no reason not to open: then everything raises sqlite3.Error until there is some.
    """

    def __init__(
        self,
        path: Path,
        *,
        port: str,
        lane: str,
        clock: Clock,
        connect: Callable[[Path], sqlite3.Connection] | None = None,
    ) -> None:
        """``connect`` opens the database in autocommit mode; None: the file at ``path``."""
        self._path = path
        self._clock = clock
        self._source = event_source(port, lane)
        self._connect = connect or _open_file
        self._opened: sqlite3.Connection | None = None
        self._sequence = 0
        self._journalled = 0
        self._noted: list[tuple[int, str, str]] = []
        try:
            self._open()
        except (OSError, sqlite3.Error) as error:
            if not _is_want_of_room(error):
                raise GateError(
                    f"the lane's store {path} cannot be used ({error}): check the folder, its space and its owner"
                ) from None

    def _open(self) -> sqlite3.Connection:
        database = self._connect(self._path)
        try:
            database.execute("PRAGMA journal_mode=WAL")
            database.execute("PRAGMA synchronous=FULL")
            database.execute("PRAGMA secure_delete=ON")
            database.executescript(_SCHEMA)
            row = database.execute("SELECT value FROM meta WHERE key = 'sequence'").fetchone()
        except BaseException:
            database.close()
            raise
        self._sequence = 0 if row is None else int(row[0])
        self._opened = database
        return database

    @property
    def _db(self) -> sqlite3.Connection:
        if self._opened is not None:
            return self._opened
        try:
            return self._open()
        except OSError as error:
            raise sqlite3.OperationalError(f"the store cannot be opened: {error}") from error

    @property
    def path(self) -> Path:
        return self._path

    def close(self) -> None:
        if self._opened is not None:
            self._opened.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        database = self._db
        before, noted = self._sequence, len(self._noted)
        database.execute("BEGIN IMMEDIATE")
        try:
            yield
            if noted:
                self._append_journal(noted)
            database.execute("COMMIT")
        except BaseException:
            self._sequence = before  # what was not written has no number
            if database.in_transaction:  # on a full disk SQLite has rolled back by itself
                database.execute("ROLLBACK")
            raise
        del self._noted[:noted]

    def next_boot(self) -> int:
        """The number of this start of the lane, from 1; never given twice."""
        with self._transaction():
            number = int(self._meta("boot") or 0) + 1
            self._set_meta("boot", str(number))
            # A hub or a lane of another version may think otherwise of what was refused.
            self._db.execute("INSERT OR IGNORE INTO outbox SELECT * FROM refused_events")
            self._db.execute("DELETE FROM refused_events")
        return number

    @property
    def last_command_seq(self) -> int:
        """The highest command number that was accepted, 0 at first."""
        return int(self._meta("command_seq") or 0)

    def remember_command(self, seq: int) -> None:
        """Put the number of an accepted command on disk."""
        self._set_meta("command_seq", str(seq))

    @property
    def open_case(self) -> str | None:
        """The crossing that was under way when the lane last wrote, None when there was none."""
        return self._meta("open_case") or None

    def is_spent(self, release_id: str) -> bool:
        return self._db.execute("SELECT 1 FROM spent WHERE release_id = ?", (release_id,)).fetchone() is not None

    def spend(self, release_id: str, drafts: Iterable[EventDraft] = ()) -> list[OutboxRow]:
        """Burn a release and report it, in one transaction. sqlite3.IntegrityError when it was burnt before."""
        now_ms = self._clock.utc_ms()
        with self._transaction():
            self._db.execute("INSERT INTO spent VALUES (?, ?)", (release_id, now_ms))
            self._db.execute("DELETE FROM spent WHERE at_ms < ?", (now_ms - _SPENT_KEPT_MS,))
            return self._append(drafts)

    def record(
        self, drafts: Iterable[EventDraft] = (), *, pictures: Iterable[Picture] = (), open_case: str | None = None,
        closes_case: bool = False,
    ) -> list[OutboxRow]:  # fmt: skip
        """Append events (numbered without a gap) and pictures in one transaction; returns the new outbox rows."""
        with self._transaction():
            rows = self._append(drafts)
            for item in pictures:
                self._db.execute(
                    "INSERT OR IGNORE INTO pictures VALUES (?, ?, ?, ?)",
                    (item.sha256, item.case_id, item.media_type, item.data),
                )
            if open_case is not None or closes_case:
                self._set_meta("open_case", open_case or "")
        return rows

    def _append(self, drafts: Iterable[EventDraft]) -> list[OutboxRow]:
        rows: list[OutboxRow] = []
        sequence = self._sequence
        for draft in drafts:
            sequence += 1
            event_id = new_event_id()
            body = cloud_event_json(
                draft.data,
                event_id=event_id,
                source=self._source,
                kind=draft.type,
                at_ms=self._clock.utc_ms(),
                sequence=sequence,
                subject=draft.case_id,
                traceparent=draft.traceparent,
            )
            rows.append(OutboxRow(sequence=sequence, id=event_id, body=body))
        if rows:
            self._db.executemany(
                "INSERT INTO outbox VALUES (?, ?, ?)", [(row.sequence, row.id, row.body) for row in rows]
            )
            self._set_meta("sequence", str(sequence))
            self._sequence = sequence
        return rows

    def waiting_events(self, limit: int = 200) -> list[OutboxRow]:
        """The oldest events without a receipt."""
        cursor = self._db.execute("SELECT sequence, id, body FROM outbox ORDER BY sequence LIMIT ?", (limit,))
        return [OutboxRow(sequence=row[0], id=row[1], body=row[2]) for row in cursor]

    def waiting_count(self) -> int:
        return int(self._db.execute("SELECT count(*) FROM outbox").fetchone()[0])

    def receipted(self, event_ids: Iterable[str]) -> None:
        """The hub has these: drop them. Unknown ids are no error (a receipt may come twice)."""
        with self._transaction():
            self._db.executemany("DELETE FROM outbox WHERE id = ?", [(event_id,) for event_id in event_ids])

    def set_aside(self, event_ids: Iterable[str]) -> None:
        """The hub does not believe these, and will not when it hears them again: kept until the next start, and then offered once more."""
        wanted = [(event_id,) for event_id in event_ids]
        with self._transaction():
            self._db.executemany("INSERT OR IGNORE INTO refused_events SELECT * FROM outbox WHERE id = ?", wanted)
            self._db.executemany("DELETE FROM outbox WHERE id = ?", wanted)

    def refused_events(self) -> list[OutboxRow]:
        """What :meth:`set_aside` holds, oldest first."""
        cursor = self._db.execute("SELECT sequence, id, body FROM refused_events ORDER BY sequence")
        return [OutboxRow(sequence=row[0], id=row[1], body=row[2]) for row in cursor]

    def waiting_pictures(self, limit: int = 4) -> list[Picture]:
        """The oldest pictures that the hub has not stored yet."""
        cursor = self._db.execute(
            "SELECT sha256, case_id, media_type, data FROM pictures ORDER BY rowid LIMIT ?", (limit,)
        )
        return [Picture(sha256=row[0], case_id=row[1], media_type=row[2], data=row[3]) for row in cursor]

    def picture_stored(self, sha256: str) -> None:
        """The hub has it: erase the lane's copy."""
        self._db.execute("DELETE FROM pictures WHERE sha256 = ?", (sha256,))

    def picture_refused(self, sha256: str) -> None:
        """The hub will never take it: out of the queue, kept for somebody to look at (the newest few)."""
        with self._transaction():
            self._db.execute(
                "INSERT OR IGNORE INTO refused_pictures SELECT * FROM pictures WHERE sha256 = ?", (sha256,)
            )
            self._db.execute("DELETE FROM pictures WHERE sha256 = ?", (sha256,))
            self._db.execute(
                "DELETE FROM refused_pictures WHERE rowid <= (SELECT max(rowid) FROM refused_pictures) - ?",
                (_REFUSED_KEPT,),
            )

    def refused_count(self) -> int:
        return int(self._db.execute("SELECT count(*) FROM refused_pictures").fetchone()[0])

    def check(self) -> None:
        """Write and commit something that changes nothing else; sqlite3.Error when the disk does not take it."""
        with self._transaction():
            self._set_meta("checked_ms", str(self._clock.utc_ms()))

    def journal(self, entries: Iterable[tuple[str, Mapping[str, Any]]]) -> None:
        """Note (kind, body) rows for replay and inquiry: they go to disk with the next record, or by :meth:`write_journal`."""
        now_ms = self._clock.utc_ms()
        self._noted += [(now_ms, kind, canonical_json(dict(body)).decode()) for kind, body in entries]
        del self._noted[:-_JOURNAL_ROWS]

    def write_journal(self) -> None:
        """Put on disk what was noted; sqlite3.Error when the disk does not take it, and then it waits."""
        if self._noted:
            with self._transaction():
                pass

    def _append_journal(self, count: int) -> None:
        self._db.executemany("INSERT INTO journal (at_ms, kind, body) VALUES (?, ?, ?)", self._noted[:count])
        self._journalled += 1
        if not self._journalled % _JOURNAL_SWEEP:  # the oldest beyond the limit go
            self._db.execute(
                "DELETE FROM journal WHERE number <= (SELECT max(number) FROM journal) - ?", (_JOURNAL_ROWS,)
            )

    def journal_tail(self, limit: int = 100) -> list[tuple[int, str, str]]:
        """The newest (at_ms, kind, body) on disk, oldest first."""
        self.write_journal()
        cursor = self._db.execute("SELECT at_ms, kind, body FROM journal ORDER BY number DESC LIMIT ?", (limit,))
        return [(row[0], row[1], row[2]) for row in cursor][::-1]

    def _meta(self, key: str) -> str | None:
        row = self._db.execute("SELECT value FROM meta WHERE key = ?", (key,)).fetchone()
        return None if row is None else str(row[0])

    def _set_meta(self, key: str, value: str) -> None:
        self._db.execute(
            "INSERT INTO meta VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value", (key, value)
        )
