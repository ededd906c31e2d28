"""Whatever is changed in the hub's database after the fact, `gate audit verify` finds it."""

import json
import random
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, Table, delete, select, text, update

from gate.core.clock import ManualClock
from gate.hub.audit import log as audit
from gate.hub.audit.check import check_log
from gate.hub.audit.log import AuditKind, Entry
from gate.hub.audit.merkle import leaf_hash
from gate.hub.audit.notes import Checkpoint
from gate.hub.audit.witness import Witness, number_of_event, objection_to_proof
from gate.hub.schema import AUDIT, AUDIT_CHECKPOINTS, AUDIT_HEAD, AUDIT_NODES, COMMANDS, EVENTS, VERDICTS
from gate.hub.store import Store
from gate.wire.signing import SigningKey

ENTRIES = 300
KEY = SigningKey.generate()
EVENT_ROW = {"lane": "l", "sequence": 1, "type": "t", "time_ms": 0, "received_ms": 0, "case_id": "c"}
VERDICT_ROW = {"role": "customs", "kind": "hold", "evidence_digest": "d" * 64, "reason": "r"}


class Undo(Exception):
    """Ends a transaction of a test, so that the next one finds the database as it was."""


class Log:
    """A hub's database with some of everything in it, and a checkpoint of the first half."""

    def __init__(self, folder: Path) -> None:
        self.store = Store(f"sqlite:///{folder / 'hub.db'}")
        self.store.migrate()
        self.witness = Witness(port="p", hub="hub", key=KEY, clock=ManualClock())
        self.halfway = self._fill(0, ENTRIES // 2)
        self.now = self._fill(ENTRIES // 2, ENTRIES)

    def _fill(self, start: int, end: int) -> Checkpoint:
        with self.store.write() as connection:
            for number in range(start, end):
                self._one(connection, number)
        with self.store.write() as connection:
            return self.witness.checkpoint(connection)[0]

    def _one(self, connection: Connection, number: int) -> None:
        if number % 3 == 0:
            event_id, body = f"{number:032x}", json.dumps({"event": number})
            connection.execute(EVENTS.insert(), EVENT_ROW | {"id": event_id, "body": body})
            audit.note(connection, audit.events_stored(0, [(event_id, body)]))
        elif number % 3 == 1:
            row = VERDICT_ROW | {"number": number}
            connection.execute(VERDICTS.insert(), row | {"case_id": "c", "author": "ann", "at_ms": 5})
            entry = Entry(at_ms=5, kind=AuditKind.VERDICT_GIVEN, who="ann", case_id="c", data=row)
            audit.note(connection, entry)
        else:
            audit.note(connection, Entry(at_ms=number, kind=AuditKind.LOGIN, who="ann", data={}))

    def problems(self, tamper: Callable[[Connection], None] | None = None, *kept: Checkpoint) -> list[str]:
        found: list[str] = []
        try:
            with self.store.write() as connection:
                if tamper is not None:
                    tamper(connection)
                found = check_log(connection, keys=self.witness.keys, kept_elsewhere=kept).problems
                raise Undo
        except Undo:
            return found


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Log]:
    made = Log(tmp_path_factory.mktemp("audit"))
    yield made
    made.store.close()


def test_what_nobody_touched_is_intact(log: Log) -> None:
    assert log.problems(None, log.halfway, log.now) == []


def _column(table: Table, name: str, where: Any, value: Any) -> Callable[[Connection], None]:
    return lambda connection: _done(connection.execute(update(table).where(where).values({name: value})))


def _done(result: Any) -> None:
    assert result.rowcount, "the tampering hit nothing"


@given(number=st.integers(0, ENTRIES - 1), position=st.integers(0, 10_000), bit=st.integers(0, 6))
@settings(max_examples=12, deadline=None)
def test_one_flipped_bit_of_an_entry_shows(log: Log, number: int, position: int, bit: int) -> None:
    def flip(connection: Connection) -> None:
        body = str(connection.scalar(select(AUDIT.c.body).where(AUDIT.c.number == number)))
        at = position % len(body)
        changed = body[:at] + chr(ord(body[at]) ^ (1 << bit)) + body[at + 1 :]
        _done(connection.execute(update(AUDIT).where(AUDIT.c.number == number).values(body=changed)))

    assert log.problems(flip)


@given(number=st.integers(0, ENTRIES - 1))
@settings(max_examples=8, deadline=None)
def test_a_dropped_entry_shows(log: Log, number: int) -> None:
    assert log.problems(lambda connection: _done(connection.execute(delete(AUDIT).where(AUDIT.c.number == number))))


@given(pair=st.lists(st.integers(0, ENTRIES - 1), min_size=2, max_size=2, unique=True))
@settings(max_examples=8, deadline=None)
def test_two_entries_that_change_places_show(log: Log, pair: list[int]) -> None:
    def swap(connection: Connection) -> None:
        rows = {row.number: row._mapping for row in connection.execute(select(AUDIT).where(AUDIT.c.number.in_(pair)))}
        for number, other in (pair, pair[::-1]):
            values = {key: value for key, value in rows[other].items() if key != "number"}
            connection.execute(update(AUDIT).where(AUDIT.c.number == number).values(values))

    assert log.problems(swap)


def test_an_entry_that_somebody_forged_with_its_hash_shows(log: Log) -> None:
    def forge(connection: Connection) -> None:
        for kind in AuditKind:
            audit.append(connection, [Entry(at_ms=0, kind=kind, who="eve", data={"events": 7, "number": "x"})])
        connection.execute(EVENTS.insert(), EVENT_ROW | {"id": "e" * 32, "body": "{}"})

    found = log.problems(forge)
    assert any("shape of its kind" in item for item in found)
    assert any("recorded nowhere" in item for item in found)


def rewrite(connection: Connection, keep: int) -> None:
    """What somebody would do who may write everything but cannot sign: cut, and make the tree fit again."""
    bodies = list(connection.scalars(select(AUDIT.c.body).where(AUDIT.c.number < keep).order_by(AUDIT.c.number)))
    for table in (AUDIT, AUDIT_NODES):
        connection.execute(delete(table))
    connection.execute(update(AUDIT_HEAD).values(size=0, peaks="[]"))
    entries = [json.loads(body) for body in bodies]
    audit.append(
        connection,
        [
            Entry(
                at_ms=item["at_ms"],
                kind=AuditKind(item["kind"]),
                who=item["who"],
                case_id=item["case_id"],
                data=item["data"],
            )
            for item in entries
        ],
    )


def _rolled_back(connection: Connection, keep: int) -> None:
    """Everything as it was after ``keep`` entries, checkpoints too: an old backup put in the place of the database."""
    rewrite(connection, keep)
    connection.execute(delete(AUDIT_CHECKPOINTS).where(AUDIT_CHECKPOINTS.c.size > keep))
    numbers = list(range(keep, ENTRIES))
    connection.execute(delete(EVENTS).where(EVENTS.c.id.in_([f"{number:032x}" for number in numbers])))
    connection.execute(delete(VERDICTS).where(VERDICTS.c.number.in_(numbers)))


@pytest.mark.parametrize("keep", [1, 149, 151, 255, 256, 257, 299])
def test_a_log_that_was_cut_and_made_to_fit_shows(log: Log, keep: int) -> None:
    assert any("cut" in item for item in log.problems(lambda connection: rewrite(connection, keep)))


def test_a_rollback_shows_against_a_checkpoint_kept_elsewhere_and_only_so(log: Log) -> None:
    keep = ENTRIES // 2
    assert log.problems(lambda connection: _rolled_back(connection, keep)) == []
    found = log.problems(lambda connection: _rolled_back(connection, keep), log.now)
    assert found == [f"the log was cut: a checkpoint knows {ENTRIES} entries, there are {keep}"]


def test_another_history_of_the_same_length_shows_against_a_checkpoint(log: Log) -> None:
    def other(connection: Connection) -> None:
        body = Entry(at_ms=2, kind=AuditKind.LOGIN, who="eve", data={}).body()
        where = AUDIT.c.number == 2
        connection.execute(update(AUDIT).where(where).values(body=body, who="eve", leaf=leaf_hash(body.encode()).hex()))
        rewrite(connection, ENTRIES)
        connection.execute(delete(AUDIT_CHECKPOINTS))

    assert log.problems(other) == []  # nothing is left that could know better
    assert len(log.problems(other, log.halfway)) == 1


TAMPERINGS: dict[str, Callable[[Connection], None]] = {
    "an event": _column(EVENTS, "body", EVENTS.c.id == f"{3:032x}", "{}"),
    "an event's id": _column(EVENTS, "id", EVENTS.c.id == f"{3:032x}", "f" * 32),
    "an event gone": lambda connection: _done(connection.execute(delete(EVENTS).where(EVENTS.c.id == f"{3:032x}"))),
    "an event too many": lambda connection: _done(
        connection.execute(EVENTS.insert(), EVENT_ROW | {"id": "e" * 32, "body": "{}"})
    ),
    "who gave a verdict": _column(VERDICTS, "author", VERDICTS.c.number == 4, "eve"),
    "what a verdict says": _column(VERDICTS, "kind", VERDICTS.c.number == 4, "released_by_officer"),
    "when a verdict was given": _column(VERDICTS, "at_ms", VERDICTS.c.number == 4, 6),
    "a verdict gone": lambda connection: _done(connection.execute(delete(VERDICTS).where(VERDICTS.c.number == 4))),
    "a verdict too many": lambda connection: _done(
        connection.execute(VERDICTS.insert(), VERDICT_ROW | {"case_id": "x", "number": 1, "author": "eve", "at_ms": 1})
    ),
    "a command from nowhere": lambda connection: _done(
        connection.execute(
            COMMANDS.insert(),
            {column.name: 1 if "_ms" in column.name else "x" for column in COMMANDS.columns} | {"seq": 1},
        )
    ),
    "a column of an entry": _column(AUDIT, "who", AUDIT.c.number == 7, "eve"),
    "a leaf": _column(AUDIT, "leaf", AUDIT.c.number == 7, "0" * 64),
    "a node": _column(AUDIT_NODES, "hash", AUDIT_NODES.c.position == 0, "0" * 64),
    "a node gone": lambda connection: _done(connection.execute(delete(AUDIT_NODES))),
    "the head": _column(AUDIT_HEAD, "peaks", text("1 = 1"), '["' + "0" * 64 + '"]'),
    "the head's size": _column(AUDIT_HEAD, "size", text("1 = 1"), ENTRIES + 1),
    "a signature": _column(AUDIT_CHECKPOINTS, "note", AUDIT_CHECKPOINTS.c.size == ENTRIES, "x\n1\n\n\n"),
}


@pytest.mark.parametrize("name", TAMPERINGS)
def test_it_shows_when_somebody_changes(log: Log, name: str) -> None:
    assert log.problems(TAMPERINGS[name])


def test_every_proof_convinces_whoever_has_the_key_and_a_changed_one_does_not(log: Log) -> None:
    shuffled = random.Random(1)
    with log.store.write() as connection:
        for number in [0, 255, 256, 299, *shuffled.sample(range(ENTRIES), 10)]:
            proof = log.witness.prove(connection, number)
            said = proof.to_json() | {"body": proof.body}
            assert objection_to_proof(said, log.witness.keys) is None
            assert objection_to_proof(said | {"number": (number + 1) % ENTRIES}, log.witness.keys)
            assert objection_to_proof(said | {"body": proof.body + " "}, log.witness.keys)
            assert objection_to_proof(said | {"note": str(said["note"]).replace("300", "301")}, log.witness.keys)
            assert objection_to_proof({"note": said["note"]}, log.witness.keys)
        assert number_of_event(connection, f"{3:032x}") == 3
        assert number_of_event(connection, "f" * 32) is None
        with pytest.raises(LookupError, match="no entry 300"):
            log.witness.prove(connection, ENTRIES)
