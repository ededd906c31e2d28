"""Looks on record: many with one commit, each before it is shown, and a disk that takes none of them tells everybody."""

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Connection, event, func, select

from gate.hub.audit.log import AuditKind, Entry
from gate.hub.errors import HubError
from gate.hub.looks import LookLog
from gate.hub.schema import AUDIT
from gate.hub.store import Store


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    made = Store(f"sqlite:///{tmp_path / 'hub.db'}")
    made.migrate()
    yield made
    made.close()


def look(number: int) -> Entry:
    return Entry(at_ms=number, kind=AuditKind.CASE_SEEN, who=f"officer-{number}", case_id="c1", data={"n": number})


def all_at_once(log: LookLog, store: Store, count: int) -> list[BaseException | None]:
    """``count`` threads bring a look each while the pen is away, so that they have to gather; what each got."""
    outcomes: list[BaseException | None] = [None] * count
    started = threading.Barrier(count + 1)

    def bring(number: int) -> None:
        started.wait(10)
        try:
            log.record(look(number))
        except (HubError, RuntimeError) as problem:
            outcomes[number] = problem

    threads = [threading.Thread(target=bring, args=(number,)) for number in range(count)]
    with store.serialised():
        for thread in threads:
            thread.start()
        started.wait(10)
        deadline = threading.Event()
        for _ in range(500):
            if len(log._gathering.entries) == count:
                break
            deadline.wait(0.01)
    for thread in threads:
        thread.join(10)
    return outcomes


def test_what_gathers_while_the_pen_is_away_goes_down_with_one_commit(store: Store) -> None:
    commits: list[Connection] = []
    event.listen(store._engine, "commit", commits.append)
    assert all_at_once(LookLog(store), store, 20) == [None] * 20
    writes = [item for item in commits if item.get_execution_options().get("is_write")]
    assert len(writes) == 1
    with store.read() as connection:
        assert connection.scalar(select(func.count()).select_from(AUDIT)) == 20
        assert len(set(connection.scalars(select(AUDIT.c.who)))) == 20


def test_one_after_another_is_on_disk_on_return(store: Store) -> None:
    log = LookLog(store)
    for number in range(3):
        log.record(look(number))
        with store.read() as connection:
            assert connection.scalar(select(func.count()).select_from(AUDIT)) == number + 1


def test_a_disk_that_takes_nothing_tells_everybody_and_the_next_go_on(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = LookLog(store)
    whole = store.write

    def refuse() -> None:
        raise RuntimeError("the disk is full")

    monkeypatch.setattr(store, "write", refuse)
    outcomes = all_at_once(log, store, 5)
    assert sorted(type(item).__name__ for item in outcomes) == ["HubError"] * 4 + ["RuntimeError"]
    monkeypatch.setattr(store, "write", whole)
    log.record(look(9))
    with store.read() as connection:
        assert list(connection.scalars(select(AUDIT.c.who))) == ["officer-9"]
