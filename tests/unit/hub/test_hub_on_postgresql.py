"""The same hub on PostgreSQL: tables as declared, one audit log by several writers, cases decided together by several processes."""

import os
import pwd
import shutil
import socket
import subprocess
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from hub_kit import FakeLane, make_hub, make_site
from sqlalchemy import func, select

from gate.core.clock import ManualClock
from gate.core.joint_release import VerdictKind
from gate.hub.audit import log as audit
from gate.hub.audit.check import check_log
from gate.hub.audit.log import AuditKind, Entry
from gate.hub.schema import AUDIT, COMMANDS, METADATA, VERDICTS
from gate.hub.service import Hub
from gate.hub.store import Store

BIN = Path("/usr/lib/postgresql/15/bin")
pytestmark = pytest.mark.slow


def as_postgres(*command: str | Path) -> list[str]:
    """PostgreSQL does not run as root."""
    words = [str(word) for word in command]
    return words if os.geteuid() else ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups", *words]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A cluster of its own on loopback; the address of its database without a name."""
    if not (BIN / "initdb").exists():
        message = "PostgreSQL 15 is not installed: apt-get install postgresql-15"
        if os.environ.get("CI"):
            pytest.fail(message)
        pytest.skip(message)
    folder = tmp_path_factory.mktemp("pg")
    if not os.geteuid():
        # pytest's folders are for their owner only.
        shutil.rmtree(folder)
        folder = Path(
            subprocess.run(as_postgres("mktemp", "-d"), check=True, capture_output=True, text=True).stdout.strip()
        )
        assert folder.stat().st_uid == pwd.getpwnam("postgres").pw_uid
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    data = folder / "data"
    initdb = as_postgres(BIN / "initdb", "-D", data, "-U", "hub", "-A", "trust", "--no-sync", "-E", "UTF8")
    subprocess.run(initdb, check=True, capture_output=True, cwd="/")
    options = f"-c port={port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={folder} -c fsync=off"
    start = as_postgres(BIN / "pg_ctl", "-D", data, "-w", "-l", folder / "log", "-o", options, "start")
    subprocess.run(start, check=True, capture_output=True, cwd="/")
    yield f"postgresql+psycopg://hub@127.0.0.1:{port}"
    stop = as_postgres(BIN / "pg_ctl", "-D", data, "-m", "immediate", "stop")
    subprocess.run(stop, check=True, capture_output=True, cwd="/")
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def url(server: str, request: pytest.FixtureRequest) -> str:
    """A fresh database."""
    name = f"t{abs(hash(request.node.name))}"
    psql = [str(BIN / "psql"), server.replace("+psycopg", "") + "/postgres", "-qc", f"CREATE DATABASE {name}"]
    subprocess.run(psql, check=True, capture_output=True, cwd="/")
    return f"{server}/{name}"


def at_once(*works: Callable[[], None]) -> None:
    """Run these in threads; the first error of any is raised here."""
    with ThreadPoolExecutor(len(works)) as pool:
        for done in [pool.submit(work) for work in works]:
            done.result(60)


def test_the_tables_are_as_declared_and_several_writers_make_one_log(url: str) -> None:
    stores = [Store(url) for _ in range(3)]
    stores[0].migrate()
    with stores[0].write() as connection:
        assert compare_metadata(MigrationContext.configure(connection), METADATA) == []

    def writer(store: Store, who: str) -> None:
        for number in range(20):
            with store.write() as connection:
                for part in range(3):
                    data = {"number": number, "part": part}
                    audit.note(connection, Entry(at_ms=number, kind=AuditKind.LOGIN, who=who, data=data))

    at_once(*(lambda store=store, who=f"w{index}": writer(store, who) for index, store in enumerate(stores)))
    with stores[0].snapshot() as connection:
        report = check_log(connection, keys={})
        assert (report.problems, report.size) == ([], 180)
        assert connection.scalar(select(func.count(func.distinct(AUDIT.c.leaf)))) == 180
    for store in stores:
        store.close()


@pytest.fixture
def hubs(url: str, tmp_path: Path, clock: ManualClock) -> Iterator[list[Hub]]:
    site = make_site(tmp_path, hub={"database_url": url})
    made = [make_hub(site, clock) for _ in range(2)]
    made[0].store.migrate()
    yield made
    for hub in made:
        hub.stop()


def test_officers_at_two_processes_release_a_case_once(hubs: list[Hub], clock: ManualClock) -> None:
    lane = FakeLane(clock)
    for number in range(3):
        case_id = f"c{number}"
        hubs[0].take_in([lane.start(case_id), lane.record(), lane.decide("refer")])
        digest = lane.evidence.digest()

        def say(hub: Hub, role: str, author: str, case_id: str = case_id, digest: str = digest) -> None:
            for _ in range(2):
                hub.give_verdict(
                    case_id=case_id,
                    role=role,
                    kind=VerdictKind.RELEASED_BY_OFFICER,
                    digest=digest,
                    author=author,
                    reason="",
                    request_id=f"press-{author}",
                )

        at_once(
            lambda say=say: say(hubs[0], "customs", "ann"),
            lambda say=say: say(hubs[1], "quarantine", "ben"),
            lambda say=say: say(hubs[1], "customs", "cat"),
        )
    with hubs[0].store.snapshot() as connection:
        sent = connection.execute(select(COMMANDS.c.case_id, func.count()).group_by(COMMANDS.c.case_id)).all()
        assert sorted(tuple(row) for row in sent) == [(f"c{number}", 1) for number in range(3)]
        presses = select(func.count()).select_from(VERDICTS).group_by(VERDICTS.c.case_id, VERDICTS.c.request_id)
        assert set(connection.scalars(presses)) == {1}
        assert check_log(connection, keys={}).problems == []
