"""Who watches the lanes: watches begin, and end with a note for whoever comes next. Watching tires; the port says after how long."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, func, select, update

from gate.hub.audit.log import AuditKind, Entry, note
from gate.hub.schema import WATCHES


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchNotTaken:
    """Why: ``already_watching``, ``not_watching``."""

    reason: str


def begin_watch(connection: Connection, *, author: str, name: str, now_ms: int) -> dict[str, Any] | WatchNotTaken:
    """The officer watches from now on. In a transaction that writes."""
    if _open_of(connection, author) is not None:
        return WatchNotTaken(reason="already_watching")
    number = int(connection.scalar(select(func.max(WATCHES.c.number))) or 0) + 1
    row = {"number": number, "author": author, "name": name, "began_ms": now_ms, "ended_ms": None, "note": ""}
    connection.execute(WATCHES.insert(), [row])
    note(connection, Entry(at_ms=now_ms, kind=AuditKind.WATCH_BEGAN, who=author, data={"number": number}))
    return row


def end_watch(connection: Connection, *, author: str, words: str, now_ms: int) -> dict[str, Any] | WatchNotTaken:
    """The officer's watch is over; ``words`` are for the next one. In a transaction that writes."""
    held = _open_of(connection, author)
    if held is None:
        return WatchNotTaken(reason="not_watching")
    ended = {"ended_ms": now_ms, "note": words}
    connection.execute(update(WATCHES).where(WATCHES.c.number == held.number).values(**ended))
    data = {"number": held.number, "note": words}
    note(connection, Entry(at_ms=now_ms, kind=AuditKind.WATCH_ENDED, who=author, data=data))
    return dict(held._mapping) | ended


def watches(connection: Connection, *, limit: int) -> dict[str, list[dict[str, Any]]]:
    """``open`` ones, the longest first, and the last ``ended`` ones, the newest first."""
    standing = select(WATCHES).where(WATCHES.c.ended_ms.is_(None)).order_by(WATCHES.c.began_ms)
    over = select(WATCHES).where(WATCHES.c.ended_ms.is_not(None)).order_by(WATCHES.c.ended_ms.desc()).limit(limit)
    return {
        "open": [dict(row._mapping) for row in connection.execute(standing)],
        "ended": [dict(row._mapping) for row in connection.execute(over)],
    }


def _open_of(connection: Connection, author: str) -> Row[Any] | None:
    return connection.execute(select(WATCHES).where(WATCHES.c.author == author, WATCHES.c.ended_ms.is_(None))).first()
