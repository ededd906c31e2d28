"""The hub on PostgreSQL: the same rows as on SQLite, several workers at once, and the tables of every released version brought up."""

import hashlib
import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from hub_kit import HUB_KEY, FakeLane, finding, make_hub, make_site
from sqlalchemy import Column, Connection, MetaData, delete, func, select

import gate
from gate.core.clock import ManualClock, SystemClock
from gate.core.joint_release import VerdictKind
from gate.hub.heard import Incoming
from gate.hub.live import LiveBoard
from gate.hub.metrics import Metrics
from gate.hub.parts import Parts, make_parts
from gate.hub.schema import CASES, COMMANDS, DUE_CASES, EVENTS, LANES, METADATA, REJECTED
from gate.hub.service import Hub
from gate.hub.store import Store, insert_new, upsert_all
from gate.hub.turns import try_cases
from simulator.rigs import Postgres

DEPLOY = Path(gate.__file__).parents[1] / "deploy"


def deployed_settings() -> list[str]:
    """Those of deploy/port, so that PostgreSQL itself says whether it knows them."""
    lines = (DEPLOY / "port" / "postgresql.conf").read_text(encoding="utf-8").splitlines()
    given = [line.partition("#")[0].strip() for line in lines]
    settings = [line.replace(" = ", "=").replace("'", "") for line in given if line]
    return [line for line in settings if not line.startswith(("listen_addresses", "shared_buffers"))]


@pytest.fixture(scope="module")
def postgres() -> Iterator[Postgres]:
    with Postgres(settings=deployed_settings()) as server:
        yield server


@pytest.fixture
def url(postgres: Postgres, request: pytest.FixtureRequest) -> str:
    return postgres.create(f"t{abs(hash(request.node.name)):x}")


@pytest.fixture
def hub(tmp_path: Path, url: str) -> Iterator[Hub]:
    made = make_hub(make_site(tmp_path, hub={"database_url": url}), ManualClock())
    made.store.migrate()
    yield made
    made.stop()


def worker(hub: Hub) -> tuple[Store, Parts]:
    """A worker's part of another process: its own connections, its own cache."""
    store = Store(str(hub.site.hub.database_url))
    board = LiveBoard([lane.id for lane in hub.site.lanes], hub.clock)
    return store, make_parts(hub.site, HUB_KEY, store=store, board=board, metrics=Metrics(), clock=hub.clock)


def rows(hub: Hub, table: Any) -> list[tuple[Any, ...]]:
    with hub.store.read() as connection:
        return sorted(tuple(row) for row in connection.execute(select(table)))


def count(hub: Hub, table: Any) -> int:
    return len(rows(hub, table))


def a_day(clock: ManualClock) -> list[Incoming]:
    """Crossings with a referral, an odd message and an end, of two lanes."""
    said: list[Incoming] = []
    for name in ("lane-1", "lane-2"):
        lane = FakeLane(clock, name)
        for number in range(6):
            said += [lane.start(f"{name}-{number}"), lane.record(finding(is_fine=number % 2 == 0))]
            said += [lane.decide() if number % 2 == 0 else lane.decide("refer", ("x",), ("customs",)), lane.end()]
        said.append(lane.message("event", "no event"))
    return said


def test_migrations_lead_to_the_declared_tables(hub: Hub) -> None:
    with hub.store.write() as connection:
        assert compare_metadata(MigrationContext.configure(connection), METADATA) == []


def test_both_databases_hold_the_same_rows(hub: Hub, tmp_path: Path) -> None:
    other = make_hub(make_site(tmp_path / "sqlite"), ManualClock())
    other.store.migrate()
    said = a_day(ManualClock())
    for each in (hub, other):
        each.take_in(said)
        each.take_in(said[:9])
    try:
        for table in (EVENTS, CASES, LANES, REJECTED):
            assert rows(hub, table) == rows(other, table)
    finally:
        other.stop()
    before = rows(hub, CASES), rows(hub, LANES)
    hub.rebuild()
    assert (rows(hub, CASES), rows(hub, LANES)) == before


def test_a_case_that_another_works_on_is_left_and_made_up_for(hub: Hub) -> None:
    lane = FakeLane(hub.clock)
    store, _ = worker(hub)
    with store.write() as connection:
        assert try_cases(connection, ["c1"]) == {"c1"}
        hub.take_in([lane.start("c1"), lane.record(finding(is_fine=True)), lane.start("c2")])
        assert [row[0] for row in rows(hub, CASES)] == ["c2"]
        assert count(hub, EVENTS) == 3
        assert count(hub, DUE_CASES) == 1
        hub.tick()
        assert count(hub, DUE_CASES) == 1
    hub.tick()
    assert [row[0] for row in rows(hub, CASES)] == ["c1", "c2"]
    assert count(hub, DUE_CASES) == 0
    store.close()


def test_workers_at_once_lose_nothing_double_nothing_and_release_once(tmp_path: Path, url: str) -> None:
    hub = make_hub(make_site(tmp_path, hub={"database_url": url}), SystemClock())
    hub.store.migrate()
    lanes = [FakeLane(hub.clock, "lane-1"), FakeLane(hub.clock, "lane-2")]
    said = []
    for number in range(30):
        lane = lanes[number % 2]
        said += [lane.start(f"c{number}"), lane.record(finding(is_fine=True)), lane.decide()]
    workers = [worker(hub) for _ in range(3)]
    failures: list[BaseException] = []

    def work(parts: Parts, offset: int) -> None:
        try:
            # Each gets every third message, and some that another has as well.
            own = said[offset::3] + said[offset + 1 :: 9]
            for start in range(0, len(own), 4):
                parts.ingest.take(own[start : start + 4])
                parts.ingest.catch_up()
        except BaseException as error:  # noqa: BLE001  told in the test's own thread
            failures.append(error)

    threads = [threading.Thread(target=work, args=(parts, n)) for n, (_, parts) in enumerate(workers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    hub.tick()
    assert not failures
    assert count(hub, EVENTS) == len(said)
    assert count(hub, DUE_CASES) == 0
    with hub.store.read() as connection:
        assert connection.scalar(select(func.sum(LANES.c.event_count))) == len(said)
        released = connection.execute(select(COMMANDS.c.case_id, COMMANDS.c.seq).order_by(COMMANDS.c.seq)).all()
    assert sorted(row.case_id for row in released) == sorted(f"c{number}" for number in range(30))
    before = rows(hub, CASES), rows(hub, LANES)
    hub.rebuild()
    assert (rows(hub, CASES), rows(hub, LANES)) == before
    for store, _ in workers:
        store.close()
    hub.stop()


def test_a_release_that_two_officers_and_a_worker_want_is_one(tmp_path: Path, url: str) -> None:
    hub = make_hub(make_site(tmp_path, hub={"database_url": url}), SystemClock())
    hub.store.migrate()
    lane = FakeLane(hub.clock)
    hub.take_in([lane.start("c1"), lane.record(finding("x", "customs")), lane.decide("refer", roles=("customs",))])
    digest = lane.evidence.digest()
    _, parts = other = worker(hub)

    def give() -> None:
        hub.give_verdict(
            case_id="c1", role="customs", kind=VerdictKind.RELEASED_BY_OFFICER, digest=digest, author="ann", reason=""
        )

    again = [lane.decide("refer", roles=("customs",)) for _ in range(8)]
    threads = [threading.Thread(target=give) for _ in range(2)]
    threads += [threading.Thread(target=parts.ingest.take, args=([message],)) for message in again]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    hub.tick()
    assert count(hub, COMMANDS) == 1
    other[0].close()
    hub.stop()


def test_values_that_only_one_database_could_hold_are_refused_before(hub: Hub) -> None:
    lane = FakeLane(hub.clock)
    hub.take_in([lane.message("ack", '{"command_id": "x\\u0000", "outcome": "taken"}'), lane.start("c1")])
    assert [row[0] for row in rows(hub, CASES)] == ["c1"]
    assert count(hub, REJECTED) == 1


def test_insert_new_tells_what_went_in(hub: Hub) -> None:
    row = {"digest": "d", "topic": "", "reason": "", "payload": "", "count": 1, "first_ms": 0, "last_ms": 0}
    with hub.store.write() as connection:
        assert insert_new(connection, REJECTED, [row, row | {"digest": "e"}], returning="digest") == {"d", "e"}
        assert insert_new(connection, REJECTED, [row, row | {"digest": "f"}], returning="digest") == {"f"}


WORDS = ("plain", "null", "NULL", "", "a,b", '"', "\\", "{}", "é 安", "a b", "'", "%s", "\n")


def test_values_come_back_as_they_were_however_they_were_sent(hub: Hub) -> None:
    for word in WORDS:
        check_that_it_comes_back(hub, word)
        with hub.store.write() as connection:
            connection.execute(delete(REJECTED))
            connection.execute(delete(LANES))


def check_that_it_comes_back(hub: Hub, word: str) -> None:
    key = hashlib.sha256(word.encode()).hexdigest()
    given = [
        {"digest": "0", "topic": "t", "reason": "r", "payload": "", "count": -1, "first_ms": 0, "last_ms": 2**62},
        {"digest": key, "topic": word, "reason": word, "payload": word, "count": 2, "first_ms": -5, "last_ms": 0},
    ]
    lanes = [
        {"lane": "a", "event_count": 1, "last_sequence": 1, "last_event_ms": 5, "started_sequence": 0}
        | {"boot_id": None, "software_version": None},
        {"lane": word, "event_count": 1, "last_sequence": 1, "last_event_ms": 5, "started_sequence": 1}
        | {"boot_id": word, "software_version": word},
    ]
    with hub.store.write() as connection:
        assert insert_new(connection, REJECTED, given, returning="digest") == {"0", key}
        upsert_all(connection, LANES, lanes)
        upsert_all(connection, LANES, lanes)
    assert rows(hub, REJECTED) == sorted(tuple(row.values()) for row in given)
    assert rows(hub, LANES) == sorted(tuple(row.values()) for row in lanes)


FIRST = Path(__file__).with_name("schema_0001.sql")
"""A hub's database as the first release left it, with two crossings."""
VALUES: dict[type, Any] = {str: "[]", int: 1, float: 1.0, bool: True, bytes: b"x"}


def releases() -> list[str]:
    """Every schema that there ever was, oldest first."""
    scripts = ScriptDirectory(str(Path(gate.__file__).parent / "hub" / "migrations"))
    return [script.revision for script in scripts.walk_revisions()][::-1]


def value_for(connection: Connection, column: Column[Any]) -> Any:
    for key in column.foreign_keys:
        return connection.scalar(select(key.column).limit(1))
    return VALUES[column.type.python_type]


def fill(connection: Connection) -> dict[str, int]:
    """A row in every table that has none; how many rows each has now."""
    tables = MetaData()
    tables.reflect(connection)
    for table in tables.sorted_tables:
        if connection.scalar(select(func.count()).select_from(table)) == 0:
            connection.execute(table.insert(), {column.name: value_for(connection, column) for column in table.c})
    return {
        table.name: connection.scalar(select(func.count()).select_from(table)) or 0 for table in tables.sorted_tables
    }


def first_release(connection: Connection) -> None:
    """Put the rows of the first release into its tables."""
    old = sqlite3.connect(":memory:")
    old.executescript(FIRST.read_text(encoding="utf-8"))
    old.row_factory = sqlite3.Row
    tables = MetaData()
    tables.reflect(connection)
    for table in tables.sorted_tables:
        rows = [dict(row) for row in old.execute(f"SELECT * FROM {table.name}")]
        if rows and table.name != "alembic_version":
            flags = [column.name for column in table.c if column.type.python_type is bool]
            connection.execute(table.insert(), [row | {name: bool(row[name]) for name in flags} for row in rows])
    old.close()


@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
def test_what_each_release_wrote_is_brought_up_and_made_anew(tmp_path: Path, url: str, database: str) -> None:
    settings = {"database_url": url} if database == "postgresql" else {}
    hub = make_hub(make_site(tmp_path, hub=settings), ManualClock())
    hub.store.migrate("0001")
    with hub.store.write() as connection:
        first_release(connection)
    written: dict[str, int] = {}
    for release in releases():
        hub.store.migrate(release)
        with hub.store.write() as connection:
            written |= fill(connection)
    hub.store.migrate()
    with hub.store.write() as connection:
        assert compare_metadata(MigrationContext.configure(connection), METADATA) == []
        kept = fill(connection)
    assert {name for name in written.keys() & kept.keys() if kept[name] < written[name]} == set()
    assert {"users", "verdicts", "commands", "audit", "marks", "scans"} <= kept.keys()
    hub.rebuild()
    assert count(hub, EVENTS) == 20
    assert [row[2] for row in rows(hub, CASES)] == ["closed", "closed"]
    hub.stop()
