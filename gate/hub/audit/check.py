"""Reads the whole log again and says what is not as it was written.

What is compared: every entry with its leaf, the leaves with the stored tree, the tree with the signed checkpoints, in the database and
from elsewhere; then events, verdicts, words and commands with the entries that recorded them, in both directions. Changing, dropping,
reordering or adding anything shows. Putting everything back to an earlier state, log and all, shows only against a checkpoint that was
kept elsewhere; so keep some.
"""

import hashlib
import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from sqlalchemy import Connection, Row, Table, bindparam, func, select

from gate.hub.audit import log
from gate.hub.audit.merkle import EMPTY_ROOT, Frontier, leaf_hash
from gate.hub.audit.notes import Checkpoint, NoteRefused, open_note, read_checkpoint
from gate.hub.schema import AUDIT, AUDIT_CHECKPOINTS, AUDIT_NODES, CASE_WORDS, COMMANDS, EVENTS, VERDICTS

_CHUNK = 2_000
_EVENTS_LISTED = select(EVENTS.c.id, EVENTS.c.body).where(EVENTS.c.id.in_(bindparam("listed", expanding=True)))
_WORD = {
    table.name: select(table).where(table.c.case_id == bindparam("wanted"), table.c.number == bindparam("which"))
    for table in (VERDICTS, CASE_WORDS)
}
MAX_PROBLEMS = 100


@dataclass(slots=True, kw_only=True)
class Report:
    """What was found. ``problems`` are sentences; after a hundred no more are collected."""

    size: int = 0
    root: str = EMPTY_ROOT.hex()
    checkpoints: int = 0
    recorded: dict[str, int] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)

    def add(self, problem: str) -> None:
        if len(self.problems) < MAX_PROBLEMS:
            self.problems.append(problem)


def check_log(
    connection: Connection, *, keys: Mapping[str, Ed25519PublicKey], kept_elsewhere: Sequence[Checkpoint] = ()
) -> Report:
    """Check everything, with checkpoints that were ``kept_elsewhere`` and are believed. One transaction that reads."""
    report = Report()
    wanted = _checkpoints(connection, keys, report)
    for checkpoint in kept_elsewhere:
        wanted.setdefault(checkpoint.size, set()).add(checkpoint.root)
    records = _Records(connection, report)
    frontier = Frontier()
    nodes = _nodes(connection)
    _compare(wanted, frontier, report)
    for row in _entries(connection):
        if row.number != frontier.size:
            report.add(f"entry {frontier.size} is missing: the next that is there is {row.number}")
            break
        body = _body(row, report)
        frontier, ended = frontier.grown(leaf_hash(row.body.encode()))
        for height, root in enumerate(ended):
            if height and height % log.TILE_BITS == 0:
                place = (height // log.TILE_BITS, row.number >> height)
                if nodes.pop(place, None) != root.hex():
                    report.add(f"the stored tree differs at level {place[0]}, position {place[1]}")
        _compare(wanted, frontier, report)
        if body is not None:
            try:
                records.take(row.number, body)
            except (KeyError, TypeError, ValueError):
                report.add(f"entry {row.number} does not have the shape of its kind")
    for level, position in nodes:
        report.add(f"the stored tree has a node too many at level {level}, position {position}")
    _check_head(connection, frontier, report)
    for size in sorted(wanted):
        report.add(f"the log was cut: a checkpoint knows {size} entries, there are {frontier.size}")
    records.finish()
    report.size, report.root = frontier.size, frontier.root.hex()
    return report


def _checkpoints(connection: Connection, keys: Mapping[str, Ed25519PublicKey], report: Report) -> dict[int, set[bytes]]:
    wanted: dict[int, set[bytes]] = {}
    for row in connection.execute(select(AUDIT_CHECKPOINTS).order_by(AUDIT_CHECKPOINTS.c.size)):
        try:
            checkpoint = read_checkpoint(open_note(row.note, keys))
        except NoteRefused as refused:
            report.add(f"the checkpoint of {row.size} entries is not believed: {refused}")
            continue
        if checkpoint.size != row.size:
            report.add(f"the checkpoint of {row.size} entries says {checkpoint.size}")
        wanted.setdefault(checkpoint.size, set()).add(checkpoint.root)
        report.checkpoints += 1
    return wanted


def _compare(wanted: dict[int, set[bytes]], frontier: Frontier, report: Report) -> None:
    for root in wanted.pop(frontier.size, set()):
        if root != frontier.root:
            report.add(f"the first {frontier.size} entries are not those that a checkpoint was signed for")


def _nodes(connection: Connection) -> dict[tuple[int, int], str]:
    """One for 256 entries: a hundred million entries are some 400,000 nodes."""
    return {(row.level, row.position): row.hash for row in connection.execute(select(AUDIT_NODES))}


def _entries(connection: Connection) -> Iterator[Row[Any]]:
    after = -1
    while True:
        query = select(AUDIT).where(AUDIT.c.number > after).order_by(AUDIT.c.number).limit(_CHUNK)
        rows = connection.execute(query).all()
        if not rows:
            return
        yield from rows
        after = rows[-1].number


def _body(row: Row[Any], report: Report) -> dict[str, Any] | None:
    if leaf_hash(row.body.encode()).hex() != row.leaf:
        report.add(f"entry {row.number} was changed: it does not have its leaf's hash")
        return None
    try:
        body: dict[str, Any] = json.loads(row.body)
        is_same = (body["at_ms"], body["kind"], body["who"], body["case_id"]) == (
            row.at_ms,
            row.kind,
            row.who,
            row.case_id,
        )
    except (ValueError, KeyError, TypeError):
        report.add(f"entry {row.number} cannot be read")
        return None
    if not is_same:
        report.add(f"entry {row.number} was changed: its columns differ from its body")
    return body


def _check_head(connection: Connection, frontier: Frontier, report: Report) -> None:
    try:
        head = log.head(connection)
    except ValueError as error:
        report.add(f"the head of the log cannot be read: {error}")
        return
    if head.size != frontier.size:
        report.add(f"the head of the log says {head.size} entries, there are {frontier.size}")
    elif head != frontier:
        report.add("the head of the log does not fit its entries")


class _Records:
    """Compares rows with the entries that recorded them, and counts that no row is without one."""

    def __init__(self, connection: Connection, report: Report) -> None:
        self._connection = connection
        self._report = report
        self._counts: Counter[str] = Counter()

    def take(self, number: int, body: dict[str, Any]) -> None:
        data = body.get("data", {})
        match body["kind"]:
            case log.AuditKind.EVENTS_STORED:
                self._events(number, dict(data["events"]))
            case log.AuditKind.VERDICT_GIVEN:
                kept = ("role", "kind", "evidence_digest", "reason")
                self._row(number, body, VERDICTS, kept)
            case log.AuditKind.CONSENT_GIVEN | log.AuditKind.INSPECTION_WORD:
                self._row(number, body, CASE_WORDS, ("topic", "role", "evidence_digest"))
            case log.AuditKind.COMMAND_ISSUED:
                self._command(number, body, data)

    def _events(self, number: int, listed: dict[str, str]) -> None:
        rows = self._connection.execute(_EVENTS_LISTED, {"listed": list(listed)})
        found = {row.id: hashlib.sha256(row.body.encode()).hexdigest() for row in rows}
        for event_id, digest in listed.items():
            if event_id not in found:
                self._report.add(f"event {event_id} is gone; entry {number} recorded it")
            elif found[event_id] != digest:
                self._report.add(f"event {event_id} is not what entry {number} recorded")
        self._counts["events"] += len(listed)

    def _row(self, number: int, body: dict[str, Any], table: Table, kept: Sequence[str]) -> None:
        which = {"wanted": body["case_id"], "which": body["data"]["number"]}
        row = self._connection.execute(_WORD[table.name], which).first()
        name, data = table.name, body["data"]
        self._counts[name] += 1
        if row is None:
            self._report.add(f"a row of {name} of case {body['case_id']} is gone; entry {number} recorded it")
            return
        held = row._mapping
        is_same = (held["author"], held["at_ms"]) == (body["who"], body["at_ms"])
        is_same = is_same and all(held[key] == data[key] for key in kept)
        if "body" in held:
            is_same = is_same and all(data[key] == value for key, value in json.loads(held["body"]).items())
        if not is_same:
            self._report.add(f"a row of {name} of case {body['case_id']} is not what entry {number} recorded")

    def _command(self, number: int, body: dict[str, Any], data: dict[str, Any]) -> None:
        row = self._connection.execute(select(COMMANDS).where(COMMANDS.c.jti == data["jti"])).first()
        self._counts["commands"] += 1
        if row is None:
            self._report.add(f"command {data['jti']} is gone; entry {number} recorded it")
            return
        said = (row.seq, row.lane, row.act, row.author, row.also_by, row.case_id, row.evidence_digest, row.note)
        kept = tuple(data[key] for key in ("seq", "lane", "act"))
        kept += (body["who"], data["also_by"], body["case_id"], data["evidence_digest"], data["note"])
        if said != kept or hashlib.sha256(row.token.encode()).hexdigest() != data["token_sha256"]:
            self._report.add(f"command {data['jti']} is not what entry {number} recorded")

    def finish(self) -> None:
        for table in (EVENTS, VERDICTS, CASE_WORDS, COMMANDS):
            there = self._connection.scalar(select(func.count()).select_from(table)) or 0
            recorded = self._counts[table.name]
            if there > recorded:
                self._report.add(f"{there - recorded} rows of {table.name} are recorded nowhere in the log")
        self._report.recorded = dict(sorted(self._counts.items()))
