"""Entries in the database. Each change gets the next number; what is no longer listed stays as a row that says so, for lanes to hear."""

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, func, select, update

from gate.checks.watchlist.entry import WatchEntry
from gate.hub.schema import WATCH_ENTRIES
from gate.hub.store import upsert_all
from gate.hub.turns import Turn, take_turns

_PIECE = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """What differs from a base: entries that came or are different, ids that went."""

    added: tuple[WatchEntry, ...] = ()
    removed: tuple[str, ...] = ()


def last_number(connection: Connection) -> int:
    """The number of the last change; 0 before the first."""
    return int(connection.scalar(select(func.max(WATCH_ENTRIES.c.number))) or 0)


def put_entries(connection: Connection, entries: Sequence[WatchEntry]) -> int:
    """Keep these, each in the place of one with the same id; the number of the change."""
    take_turns(connection, Turn.WATCHLIST)
    number = last_number(connection) + 1
    rows = [
        {
            "entry_id": entry.id,
            "list_name": entry.list_name,
            "number": number,
            "is_listed": True,
            "body": json.dumps(entry.to_json(), ensure_ascii=False, separators=(",", ":")),
        }
        for entry in {entry.id: entry for entry in entries}.values()
    ]
    for start in range(0, len(rows), _PIECE):
        upsert_all(connection, WATCH_ENTRIES, rows[start : start + _PIECE])
    return number


def remove_entries(connection: Connection, ids: Iterable[str]) -> list[str]:
    """Take these off the list; the ids that were on it. Of what is gone the body goes too: nobody may keep why somebody was listed."""
    wanted = sorted(set(ids))
    gone: list[str] = []
    take_turns(connection, Turn.WATCHLIST)
    number = last_number(connection) + 1
    for start in range(0, len(wanted), _PIECE):
        piece = wanted[start : start + _PIECE]
        listed = select(WATCH_ENTRIES.c.entry_id).where(WATCH_ENTRIES.c.entry_id.in_(piece), WATCH_ENTRIES.c.is_listed)
        found = list(connection.scalars(listed))
        gone += found
        if found:
            connection.execute(
                update(WATCH_ENTRIES)
                .where(WATCH_ENTRIES.c.entry_id.in_(found))
                .values(is_listed=False, number=number, body="")
            )
    return gone


def replace_list(connection: Connection, name: str, entries: Sequence[WatchEntry]) -> tuple[int, int]:
    """Make a list hold exactly these: how many it holds, how many went."""
    kept = {entry.id for entry in entries}
    held = connection.scalars(
        select(WATCH_ENTRIES.c.entry_id).where(WATCH_ENTRIES.c.list_name == name, WATCH_ENTRIES.c.is_listed)
    )
    gone = remove_entries(connection, [entry_id for entry_id in held if entry_id not in kept])
    if entries:
        put_entries(connection, entries)
    return len(kept), len(gone)


def all_entries(connection: Connection) -> Iterator[WatchEntry]:
    """Everything listed, in the order of the ids."""
    query = select(WATCH_ENTRIES.c.body).where(WATCH_ENTRIES.c.is_listed).order_by(WATCH_ENTRIES.c.entry_id)
    for body in connection.execution_options(yield_per=2_000).execute(query).scalars():
        yield WatchEntry.from_json(json.loads(body))


def changes_since(connection: Connection, number: int) -> Changes:
    """What changed after ``number``."""
    query = select(WATCH_ENTRIES.c.entry_id, WATCH_ENTRIES.c.is_listed, WATCH_ENTRIES.c.body).where(
        WATCH_ENTRIES.c.number > number
    )
    rows = connection.execute(query.order_by(WATCH_ENTRIES.c.entry_id)).all()
    return Changes(
        added=tuple(WatchEntry.from_json(json.loads(row.body)) for row in rows if row.is_listed),
        removed=tuple(row.entry_id for row in rows if not row.is_listed),
    )
