"""Workers at a real broker: each its lanes or its share, a place that is kept while one is away, and one that is given up for good."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import structlog
import typer
from conftest import Mosquitto
from hub_kit import HUB_KEY, LANES, FakeLane, finding, make_site, wait_for
from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion
from sqlalchemy import func, select
from typer.testing import CliRunner

from config.loader import dump_site
from config.schema import Site
from gate.cli import hub as hub_commands
from gate.core.clock import SystemClock
from gate.hub.errors import HubError
from gate.hub.heard import Incoming
from gate.hub.schema import CASES, EVENTS
from gate.hub.schema import LANES as LANE_ROWS
from gate.hub.worker import IngestWorker, retire
from gate.wire.mqtt import end

APP = typer.Typer()
hub_commands.register(APP)


def site_of(tmp_path: Path, broker: Mosquitto, sharing: str) -> Site:
    # Two of them on one SQLite file: what is tried here is who hears what. PostgreSQL, which a port needs for it, has tests of its own.
    site = make_site(tmp_path, broker_port=broker.port, hub={"ingest_sharing": sharing})
    return site.model_copy(update={"hub": site.hub.model_copy(update={"ingest_workers": 2})})


@pytest.fixture
def say(mosquitto: Mosquitto) -> Iterator[Callable[[list[Incoming]], None]]:
    """Publish as lanes do; returns when the broker has it."""
    client = Client(CallbackAPIVersion.VERSION2, client_id="lanes")
    client.connect("127.0.0.1", mosquitto.port)
    client.loop_start()

    def publish(messages: list[Incoming]) -> None:
        for message in messages:
            client.publish(message.topic, message.payload, qos=1).wait_for_publish(20)

    yield publish
    end(client)


@pytest.fixture
def run() -> Iterator[Callable[[Site, int], IngestWorker]]:
    """Start a worker; all that were started are stopped at the end."""
    running: list[IngestWorker] = []

    def start(site: Site, number: int) -> IngestWorker:
        worker = IngestWorker(site, HUB_KEY, SystemClock(), number=number)
        running.append(worker)
        worker.start()
        wait_for(lambda: worker.is_ready, f"worker {number} listens")
        return worker

    yield start
    for worker in running:
        worker.stop()


def a_crossing(name: str) -> list[Incoming]:
    lane = FakeLane(SystemClock(), name)
    return [lane.start(f"{name}-1"), lane.record(finding(is_fine=True)), lane.decide(), lane.end()]


def stored(worker: IngestWorker) -> int:
    with worker.store.read() as connection:
        return connection.scalar(select(func.count()).select_from(EVENTS)) or 0


def taken_by(worker: IngestWorker) -> int:
    """Events that this worker stored, of whatever type."""
    return int(
        sum(sample.value for sample in next(iter(worker.metrics.events.collect())).samples if "_total" in sample.name)
    )


def test_each_worker_takes_its_lanes_and_no_other(
    tmp_path: Path, mosquitto: Mosquitto, say: Callable[..., None], run: Callable[..., IngestWorker]
) -> None:
    site = site_of(tmp_path, mosquitto, "lanes")
    first, second = run(site, 1), run(site, 2)
    say(a_crossing("lane-2"))
    wait_for(lambda: stored(first) == 4, "the second lane's events")
    assert (taken_by(first), taken_by(second)) == (0, 4)
    say(a_crossing("lane-1"))
    wait_for(lambda: stored(first) == 8, "the first lane's events")
    assert (taken_by(first), taken_by(second)) == (4, 4)
    with first.store.read() as connection:
        counts = {row.lane: row.event_count for row in connection.execute(select(LANE_ROWS))}
    assert counts == dict.fromkeys(LANES, 4)


def test_what_comes_while_a_worker_is_away_waits_for_it(
    tmp_path: Path, mosquitto: Mosquitto, say: Callable[..., None], run: Callable[..., IngestWorker]
) -> None:
    site = site_of(tmp_path, mosquitto, "lanes")
    other = run(site, 2)
    run(site, 1).stop()
    say(a_crossing("lane-1") + a_crossing("lane-2"))
    wait_for(lambda: stored(other) == 4, "the events of whoever is there")
    run(site, 1)
    wait_for(lambda: stored(other) == 8, "the events that waited")
    assert taken_by(other) == 4


def retire_by_command(site: Site, number: int) -> None:
    # What the file must say for two workers; retiring one asks only the broker.
    database = {"database_url": "postgresql+psycopg://nobody@127.0.0.1:1/none"}
    site_file = site.state_dir.parent / "site.toml"
    dump_site(site.model_copy(update={"hub": site.hub.model_copy(update=database)}), site_file)
    logs = structlog.get_config()
    result = CliRunner().invoke(APP, ["hub", "worker", "--site", str(site_file), "--number", str(number), "--retire"])
    structlog.configure(**logs)  # the other worker goes on logging, and the command's output is gone
    assert result.exit_code == 0, result.output


def test_a_retired_workers_share_goes_to_the_others(
    tmp_path: Path, mosquitto: Mosquitto, say: Callable[..., None], run: Callable[..., IngestWorker]
) -> None:
    site = site_of(tmp_path / "state", mosquitto, "broker")
    run(site, 1).stop()
    rest = run(site, 2)
    retire_by_command(site, 1)
    said = [message for _ in range(4) for lane in LANES for message in a_crossing(lane)]
    say(said)
    wait_for(lambda: stored(rest) == len(said), "all goes to whoever is left")


def test_nothing_is_kept_for_a_retired_worker(
    tmp_path: Path, mosquitto: Mosquitto, say: Callable[..., None], run: Callable[..., IngestWorker]
) -> None:
    site = site_of(tmp_path / "state", mosquitto, "lanes")
    run(site, 1).stop()
    retire_by_command(site, 1)
    say(a_crossing("lane-1"))
    again = run(site, 1)
    later = FakeLane(SystemClock()).start("later")
    say([later])

    def cases() -> list[str]:
        with again.store.read() as connection:
            return sorted(connection.scalars(select(CASES.c.case_id)))

    wait_for(lambda: "later" in cases(), "what is said from now on")
    assert cases() == ["later"]


def test_a_broker_that_is_not_there_cannot_forget(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gate.hub.link.forget_session.__kwdefaults__", {"within_s": 0.2})
    with pytest.raises(HubError, match="check that it runs"):
        retire(make_site(tmp_path, broker_port=1), 1)


def test_there_is_no_worker_that_the_site_does_not_name(tmp_path: Path, mosquitto: Mosquitto) -> None:
    with pytest.raises(HubError, match="no ingest worker 3"):
        IngestWorker(site_of(tmp_path, mosquitto, "lanes"), HUB_KEY, SystemClock(), number=3)
