"""kill -9 of the hub, of the broker and of a lane in the middle of a crossing: nothing lost, nothing doubled, no door that should not open.

One simulated port for all of them, as a port would live through it: whole processes, real wires, a board with physics. After each
blow the things that must hold are read from the hub's database, the lane's own and the board twin's memory of its doors.
"""

import json
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from config.loader import dump_site, load_site, sites_dir
from drivers.lane_io.interface import Door
from simulator.costume import Costume, dress
from simulator.photos import PhotoLibrary
from simulator.port import SimulatedPort
from simulator.scenario import TravellerSpec, load_scenario, scenarios_dir
from simulator.traveller import Traveller

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

LANE = "lane-1"
LIMIT_S = 60.0
RELEASES = ("cleared", "released_by_officer")


def wait_for(condition: Callable[[], bool], what: str, within_s: float = LIMIT_S) -> None:
    end = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < end, f"not within {within_s} s: {what}"
        time.sleep(0.05)


@pytest.fixture(scope="module")
def port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SimulatedPort]:
    """One lane, no officers at their desks, and a limit that opens the way back soon."""
    folder = tmp_path_factory.mktemp("kill")
    demo = load_site(sites_dir() / "demo.toml")
    dump_site(demo.model_copy(update={"lanes": demo.lanes[:1]}), folder / "site.toml")
    limits: dict[str, object] = {"inside_limit_ms": 15_000}
    with (
        (folder / "log").open("wb") as log,
        SimulatedPort(site_file=folder / "site.toml", overrides=limits, log=log) as running,
    ):
        running.wait_until_ready()
        yield running


@pytest.fixture(scope="module")
def honest() -> tuple[TravellerSpec, Costume]:
    spec = load_scenario(scenarios_dir() / "ten.toml").travellers[0]
    return spec, dress(spec, PhotoLibrary(), seed=3)


class Walk:
    """One traveller on the way, in a thread; :meth:`end` waits for them to be out and for the lane to be ready again."""

    def __init__(self, port: SimulatedPort, honest: tuple[TravellerSpec, Costume]) -> None:
        self._port = port
        wait_for(lambda: state_of(port) == "ready", "the lane is ready")
        self._is_over = threading.Event()
        traveller = Traveller(honest[0], honest[1], port.twins[LANE], is_over=self._is_over)
        self._thread = threading.Thread(target=traveller.cross, name="traveller", daemon=True)
        self._thread.start()

    def reaches(self, *states: str) -> None:
        wait_for(lambda: state_of(self._port) in states, f"the lane is {' or '.join(states)}")

    def end(self) -> None:
        try:
            self._thread.join(LIMIT_S)
            assert not self._thread.is_alive(), f"the traveller is still inside, the lane is {state_of(self._port)}"
        finally:
            self._is_over.set()
        wait_for(lambda: state_of(self._port) == "ready", "the lane is ready again")


def state_of(port: SimulatedPort) -> str | None:
    state = port.observer.state(LANE)
    return None if state is None else state.state


def read(file: Path, query: str) -> list[tuple[object, ...]]:
    db = sqlite3.connect(f"file:{file}?mode=ro", uri=True, timeout=5.0)
    try:
        return db.execute(query).fetchall()
    finally:
        db.close()


def events(port: SimulatedPort) -> list[dict[str, object]]:
    """The lane's events in the hub's store, by their numbers."""
    rows = read(port.site.state_dir / "hub.db", "SELECT body FROM events ORDER BY sequence")
    return [json.loads(str(body)) for (body,) in rows]


def ended(port: SimulatedPort) -> list[tuple[str, str]]:
    return [
        (str(event["data"]["case_id"]), str(event["data"]["outcome"]))  # type: ignore[index]
        for event in events(port)
        if event["type"] == "tongguan.crossing.ended"
    ]


def assert_nothing_is_wrong(port: SimulatedPort) -> None:
    """What must be so whatever was killed, once the lane had time to tell."""
    outbox = port.site.state_dir / f"lane-{LANE}.sqlite"
    wait_for(lambda: read(outbox, "SELECT count(*) FROM outbox") == [(0,)], "the outbox is empty")
    wait_for(lambda: read(outbox, "SELECT count(*) FROM pictures") == [(0,)], "the pictures are at the hub")
    told = events(port)
    numbered = int(str(read(outbox, "SELECT value FROM meta WHERE key = 'sequence'")[0][0]))
    assert [event["sequence"] for event in told] == list(range(1, numbered + 1))
    assert len({event["id"] for event in told}) == numbered

    data: list[tuple[str, dict[str, object]]] = [(str(event["type"]), event["data"]) for event in told]  # type: ignore[misc]
    spent = [body["release_id"] for kind, body in data if kind == "tongguan.release.spent"]
    assert len(set(spent)) == len(spent)
    commanded = {
        jti for (jti,) in read(port.site.state_dir / "hub.db", "SELECT jti FROM commands WHERE act = 'release'")
    }
    assert set(spent) <= commanded
    openings = port.twins[LANE].board.openings
    assert [opening.reason for opening in openings if opening.door is Door.EXIT] == ["token"] * len(spent)
    entries = [opening for opening in openings if opening.door is Door.ENTRY]
    assert {opening.reason for opening in entries} <= {"command"}
    asked = [body for kind, body in data if kind == "tongguan.door.commanded" and body["door"] == "entry"]
    assert len(entries) <= len(asked)

    started = [body["case_id"] for kind, body in data if kind == "tongguan.crossing.started"]
    over = [case_id for case_id, _ in ended(port)]
    assert len(set(over)) == len(over)
    assert set(over) == set(started)
    released = {case_id for case_id, outcome in ended(port) if outcome in RELEASES}
    assert released <= {body["case_id"] for kind, body in data if kind == "tongguan.release.spent"}


def test_a_hub_that_dies_while_somebody_is_inside(port: SimulatedPort, honest: tuple[TravellerSpec, Costume]) -> None:
    walk = Walk(port, honest)
    walk.reaches("occupied")
    port.kill("hub")
    walk.reaches("referred")
    port.start_hub()
    walk.end()
    assert_nothing_is_wrong(port)
    assert ended(port)[-1][1] == "sent_back"


def test_a_broker_that_dies_while_the_entry_is_open(port: SimulatedPort, honest: tuple[TravellerSpec, Costume]) -> None:
    walk = Walk(port, honest)
    walk.reaches("entry_open")
    port.kill_broker()
    time_of_death = time.monotonic()
    wait_for(lambda: time.monotonic() - time_of_death > 1.0, "a second without a broker")
    port.start_broker()
    walk.end()
    assert_nothing_is_wrong(port)
    assert ended(port)[-1][1] in (*RELEASES, "sent_back")


@pytest.mark.parametrize("state", ["reading_document", "entry_open", "occupied", "cleared"])
def test_a_lane_that_dies(port: SimulatedPort, honest: tuple[TravellerSpec, Costume], state: str) -> None:
    before = len(ended(port))
    walk = Walk(port, honest)
    walk.reaches(state)
    port.kill(LANE)
    port.start_lane(LANE)
    walk.end()
    assert_nothing_is_wrong(port)
    assert ended(port)[before][1] == "interrupted"


def test_afterwards_the_port_works_as_before(port: SimulatedPort, honest: tuple[TravellerSpec, Costume]) -> None:
    before = len(ended(port))
    Walk(port, honest).end()
    assert_nothing_is_wrong(port)
    assert [outcome for _, outcome in ended(port)[before:]] == ["cleared"]
