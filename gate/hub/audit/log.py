"""Appends to the log in the transaction of what is recorded.

Code that changes something calls :func:`note`; the store calls :func:`append_noted` as the last act before each commit. So there is one
append a commit, however much it holds, no change without its record and no record without its change. Writers of several processes
take turns at the row ``audit_head``; because it is taken last and held only over the commit, nobody can wait for anybody in a circle.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, bindparam, select, update

from gate.core.evidence import canonical_json
from gate.hub.audit.merkle import Frontier, fold, leaf_hash, node_hash, split
from gate.hub.schema import AUDIT, AUDIT_HEAD, AUDIT_NODES

TILE_BITS = 8
NOTED = "tongguan_audit"
"""The execution option in which the store hands each transaction its empty list."""
# Built once: building costs more than running. SQLite knows no FOR UPDATE: there a writer has the database to itself.
_LOCK_HEAD = select(AUDIT_HEAD.c.size, AUDIT_HEAD.c.peaks).where(AUDIT_HEAD.c.id == 1).with_for_update()
_HEAD = select(AUDIT_HEAD.c.size, AUDIT_HEAD.c.peaks).where(AUDIT_HEAD.c.id == 1)
_SET_HEAD = update(AUDIT_HEAD).where(AUDIT_HEAD.c.id == 1)
_ADD = AUDIT.insert()
_ADD_NODES = AUDIT_NODES.insert()
_LEAVES = (
    select(AUDIT.c.leaf)
    .where(AUDIT.c.number >= bindparam("start"), AUDIT.c.number < bindparam("end"))
    .order_by(AUDIT.c.number)
)
_NODES = (
    select(AUDIT_NODES.c.hash)
    .where(
        AUDIT_NODES.c.level == bindparam("wanted"),
        AUDIT_NODES.c.position >= bindparam("start"),
        AUDIT_NODES.c.position < bindparam("end"),
    )
    .order_by(AUDIT_NODES.c.position)
)


class AuditKind(StrEnum):
    """What an entry records."""

    EVENTS_STORED = "events.stored"
    VERDICT_GIVEN = "verdict.given"
    COMMAND_ISSUED = "command.issued"
    COMMAND_SETTLED = "command.settled"
    CONSENT_GIVEN = "consent.given"
    INSPECTION_WORD = "inspection.word"
    CASE_SEEN = "case.seen"
    EVIDENCE_SEEN = "evidence.seen"
    EVIDENCE_STORED = "evidence.stored"
    EVIDENCE_ERASED = "evidence.erased"
    MARK_DRAWN = "mark.drawn"
    MARK_ERASED = "mark.erased"
    MARKS_SEEN = "marks.seen"
    SCANS_SEEN = "scans.seen"
    SCAN_ATTACHED = "scan.attached"
    AUDIT_SEEN = "audit.seen"
    LOGIN = "login"
    LOGIN_REFUSED = "login.refused"
    LOGOUT = "logout"
    ACCOUNT_ADDED = "account.added"
    ACCOUNT_REMOVED = "account.removed"
    DECLARATION_TAKEN = "declaration.taken"
    SUBMISSION_TAKEN = "submission.taken"
    WATCHLIST_REPLACED = "watchlist.replaced"
    WATCHLIST_CHANGED = "watchlist.changed"
    WATCHLIST_ASKED = "watchlist.asked"
    WATCH_BEGAN = "watch.began"
    WATCH_ENDED = "watch.ended"


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One record. ``who`` is an officer, a lane, ``rule`` or ``hub``; ``data`` is JSON and holds no name, document number or password."""

    at_ms: int
    kind: AuditKind
    who: str
    case_id: str | None = None
    data: Mapping[str, Any] = field(default_factory=dict)

    def body(self) -> str:
        """The canonical JSON whose hash is the leaf."""
        record = {
            "at_ms": self.at_ms,
            "kind": self.kind.value,
            "who": self.who,
            "case_id": self.case_id,
            "data": dict(self.data),
        }
        return canonical_json(record).decode()


def note(connection: Connection, entry: Entry) -> None:
    """Record ``entry`` with the transaction that ``connection`` is in. RuntimeError outside :meth:`gate.hub.store.Store.write`."""
    noted: list[Entry] | None = connection.get_execution_options().get(NOTED)
    if noted is None:
        raise RuntimeError("an audit entry needs a transaction that writes: use Store.write()")
    noted.append(entry)


def append_noted(connection: Connection) -> None:
    """For the store, as the last act before the commit: put what was noted into the log."""
    noted: list[Entry] = connection.get_execution_options()[NOTED]
    if noted:
        append(connection, noted)


def append(connection: Connection, entries: Sequence[Entry]) -> range:
    """Put these entries at the end of the log; their numbers. To be the last act of a transaction."""
    frontier = _frontier(connection.execute(_LOCK_HEAD).one())
    first = frontier.size
    rows, nodes = [], []
    for entry in entries:
        body = entry.body()
        leaf = leaf_hash(body.encode())
        number = frontier.size
        frontier, ended = frontier.grown(leaf)
        rows.append(
            {
                "number": number,
                "at_ms": entry.at_ms,
                "kind": entry.kind.value,
                "who": entry.who,
                "case_id": entry.case_id,
                "leaf": leaf.hex(),
                "body": body,
            }
        )
        nodes += [
            {"level": height // TILE_BITS, "position": number >> height, "hash": root.hex()}
            for height, root in enumerate(ended)
            if height and height % TILE_BITS == 0
        ]
    connection.execute(_ADD, rows)
    if nodes:
        connection.execute(_ADD_NODES, nodes)
    connection.execute(_SET_HEAD.values(size=frontier.size, peaks=json.dumps([peak.hex() for peak in frontier.peaks])))
    return range(first, frontier.size)


def head(connection: Connection) -> Frontier:
    """The log as it is now. ValueError when what is stored cannot be one."""
    return _frontier(connection.execute(_HEAD).one())


class StoredSpan:
    """``span`` of :mod:`gate.hub.audit.merkle` over the stored log: few rows, however long the log is. It believes what is stored."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def __call__(self, start: int, end: int) -> bytes:
        """LookupError when entries of that range are missing."""
        size = end - start
        if size <= 1 << TILE_BITS:
            return self._fold(_LEAVES, {"start": start, "end": end}, size)
        if size & (size - 1) == 0 and start % size == 0:
            level = (size.bit_length() - 1) // TILE_BITS
            first, last = start >> level * TILE_BITS, end >> level * TILE_BITS
            return self._fold(_NODES, {"wanted": level, "start": first, "end": last}, last - first)
        cut = start + split(size)
        return node_hash(self(start, cut), self(cut, end))

    def _fold(self, query: Any, values: dict[str, int], wanted: int) -> bytes:
        hashes = [bytes.fromhex(item) for item in self._connection.scalars(query, values)]
        if len(hashes) != wanted:
            raise LookupError(f"the log holds {len(hashes)} of {wanted} hashes: run 'gate audit verify'")
        return fold(hashes)


def events_stored(at_ms: int, bodies: Iterable[tuple[str, str]]) -> Entry:
    """The record of one commit's events: pairs of id and body, of which the sha256 is kept."""
    listed = [[event_id, hashlib.sha256(body.encode()).hexdigest()] for event_id, body in bodies]
    return Entry(at_ms=at_ms, kind=AuditKind.EVENTS_STORED, who="hub", data={"events": listed})


def _frontier(row: Any) -> Frontier:
    return Frontier(size=row.size, peaks=tuple(bytes.fromhex(item) for item in json.loads(row.peaks)))
