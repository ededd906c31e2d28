"""The chaos campaign: clean on the product, the same every time, and not clean when something is taken out of it."""

import asyncio
import json
import random
from typing import Any

import pytest
from typer.testing import CliRunner

from drivers.lane_io.interface import Door
from gate.cli import make_app
from gate.core.guard import Guard, Permitted
from gate.lane.timers import Timers
from gate.lane.uplink import Uplink
from simulator.board_model import BoardModel, DoorOpening
from simulator.chaos.broker import Broker
from simulator.chaos.faults import FAULTS, Fault
from simulator.chaos.hub import Hub
from simulator.chaos.judge import Judge
from simulator.chaos.line import BoardLine
from simulator.chaos.people import KINDS, Kind
from simulator.chaos.shift import Shift, play_shift
from simulator.chaos.timeloop import LoopClock, TimeLoop
from simulator.world import LaneWorld

FOREIGN = next(fault for fault in FAULTS if fault.name == "release of another stay")


def test_a_campaign_is_clean() -> None:
    done = CliRunner().invoke(make_app(), ["sim", "chaos", "--crossings", "120", "--seed", "11", "--json"])
    figures = json.loads(done.stdout)
    counts = {"unauthorised_openings", "trapped", "unrecovered_lanes", "events_lost", "events_doubled"}
    assert {name: figures[name] for name in counts} == dict.fromkeys(counts, 0), figures
    assert done.exit_code == 0
    assert figures["crossings"] == 120
    assert figures["faults_injected"] > 20
    assert figures["exits_by_release"] > 60


def test_the_same_seed_plays_the_same_shift() -> None:
    told: list[list[str]] = [[], []]
    for lines in told:
        play_shift("5/0", crossings=8, fault_ratio=1.0, trace=lines.append)
    assert told[0] == told[1]
    assert len(told[0]) > 50


def test_a_replay_that_is_none_is_refused() -> None:
    done = CliRunner().invoke(make_app(), ["sim", "chaos", "--replay", "yesterday"])
    assert done.exit_code != 0


def only(kind: Kind, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("simulator.chaos.shift.KINDS", {kind: 1})
    assert kind in KINDS


def test_a_guard_that_permits_everything_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """A release of another stay is well signed: only the guard knows that it is not for whoever stands there."""

    def permit(self: Guard, release: Any) -> Permitted:
        self._spend(release.release_id)
        return Permitted()

    async def strike(self: Shift, _fault: Fault) -> None:
        for _ in range(8):
            await asyncio.sleep(0.3)
            FOREIGN.strike(self, self.rng)

    monkeypatch.setattr(Shift, "_strike", strike)
    assert play_shift("3/0", crossings=6, fault_ratio=1.0).unauthorised == []
    monkeypatch.setattr(Guard, "may_open_exit", permit)
    assert play_shift("3/0", crossings=6, fault_ratio=1.0).unauthorised


def test_a_lane_without_the_inside_limit_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    only(Kind.IMPOSTOR, monkeypatch)
    monkeypatch.setattr(Timers, "_inside_over", lambda _self, _duration_ms: None)
    monkeypatch.setattr("simulator.chaos.hub.Officers._act", lambda _self, _name: None)
    findings = play_shift("3/1", crossings=1, fault_ratio=0.0)
    assert findings.trapped
    assert findings.unrecovered == []


def test_a_lane_that_never_says_it_again_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Uplink, "_publish_due", lambda _self: None)
    monkeypatch.setattr(Broker, "_hand_on", _every_second(Broker._hand_on))
    findings = play_shift("3/2", crossings=4, fault_ratio=0.0)
    assert findings.lost


def _every_second(hand_on: Any) -> Any:
    calls = iter(range(10**9))

    def dropping(self: Broker, *args: Any) -> None:
        if next(calls) % 2:
            hand_on(self, *args)

    return dropping


# -- the judge by itself -----------------------------------------------------------------------------------------------


class Scene:
    """A board and a judge without a lane."""

    def __init__(self) -> None:
        self.loop = TimeLoop()
        self.clock = LoopClock(self.loop)
        self.board = BoardModel(LaneWorld())
        self.hub = Hub(
            port="port", lane="lane-1", broker=Broker(self.loop, random.Random(1)), loop=self.loop, clock=self.clock
        )
        self.judge = Judge(
            board=self.board,
            line=BoardLine(self.board, self.loop, on_step=lambda: None),
            hub=self.hub,
            clock=self.clock,
            inside_limit_ms=8_000,
            is_lane_alive=lambda: True,
        )

    def opened(self, door: Door, reason: str) -> list[str]:
        self.board.openings.append(DoorOpening(door=door, at_ms=self.board.world.now_ms, at_ns=0, reason=reason))
        self.judge.look()
        return self.judge.unauthorised


@pytest.fixture
def scene() -> Any:
    made = Scene()
    yield made
    made.loop.close()


@pytest.mark.parametrize(
    ("door", "reason"),
    [
        (Door.EXIT, "token"),
        (Door.EXIT, "command"),
        (Door.EXIT, "fire"),
        (Door.ENTRY, "evacuation"),
        (Door.ENTRY, "token"),
    ],
)
def test_an_opening_without_a_cause_is_unauthorised(scene: Scene, door: Door, reason: str) -> None:
    assert scene.opened(door, reason)


def test_a_fire_opens_the_exit_and_that_is_right(scene: Scene) -> None:
    scene.judge.note_cause("fire")
    assert scene.opened(Door.EXIT, "fire") == []


def test_a_release_beside_an_open_entry_is_right_only_in_an_evacuation(scene: Scene) -> None:
    scene.board.world.entry.position = 0.5
    complaint = "the exit opened while the entry was open"
    scene.judge.note_cause("evacuation")
    assert complaint not in scene.opened(Door.EXIT, "token")
    scene.judge.cause_is_gone("evacuation")
    scene.board.world.step(60_000)
    scene.board.world.entry.position = 0.5
    assert complaint in scene.opened(Door.EXIT, "token")


def test_a_release_that_nobody_issued_is_unauthorised(scene: Scene) -> None:
    scene.judge.note_spent("f" * 32, "boot-1-1")
    assert scene.judge.unauthorised


def test_a_number_given_twice_is_counted(scene: Scene) -> None:
    event = {"id": "1", "sequence": 7, "type": "tongguan.lane.started", "data": {}}
    scene.hub._take(event)
    scene.hub._take(event)
    assert scene.hub.doubled == 0
    scene.hub._take(event | {"id": "2"})
    assert scene.hub.doubled == 1
