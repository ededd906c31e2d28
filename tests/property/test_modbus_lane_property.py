"""A wired lane in memory, under any order of commands, people, faults and restarts: what must never happen does not.

The driver is the shipped one; wiring and world are the twin's; time is the test's.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drivers.lane_io import BoardReport, CommandResult, Door, DoorPosition, LampColour, LaneSensors, LinkUp
from drivers.modbus_io.driver import WiredLaneIo
from drivers.modbus_io.wiring import LaneWiring
from simulator.modbus_lane import OUTPUTS, SETTINGS, WiringFault, wired_lane
from simulator.modbus_memory import MemoryModule

ACTIONS = (
    "open_entry", "close_entry", "open_exit", "open_exit_with_an_old_token", "open_exit_with_a_guess", "close_exit",
    "acknowledge", "evacuate", "end_evacuation", "person", "leave", "second_person", "fire", "fire_over", "estop",
    "estop_over", "silent", "heard", "restart", "force", "let_go", "host_dies", "wait", "wait_long", "stuck_beam", "jam",
)  # fmt: skip


class Port:
    def __init__(self) -> None:
        self.twin = wired_lane()
        self.world = self.twin.world
        self.module = MemoryModule(self.twin.slave, watchdog_output=OUTPUTS["watchdog"])
        self.reports: list[BoardReport] = []
        self.tokens: list[int] = []
        self.granted = 0
        self.lane = self.new_lane()

    def new_lane(self) -> WiredLaneIo:
        wiring = LaneWiring.from_settings(**SETTINGS)
        return WiredLaneIo(self.module, wiring, unit=1, travel_ms=1300, pulse_ms=150, reset_patience_ms=1)

    @property
    def now(self) -> LaneSensors | None:
        return next((report for report in reversed(self.reports) if isinstance(report, LaneSensors)), None)

    async def start(self) -> None:
        await self.lane.start(self.reports.append)
        self.module.pass_time(200)
        await self.lane.acknowledge_fault()
        self.module.pass_time(200)

    def pass_time(self, ms: float) -> None:
        for _ in range(int(ms / 50)):
            self.module.pass_time(50)
            self.check()

    def check(self) -> None:
        """What holds at every moment."""
        entry, leaf = self.world.entry.position, self.world.exit.position
        is_excused = self.twin.slave.coils[OUTPUTS["evacuate"]] or self.twin.is_fire or self.was_freed
        if not is_excused and not (self.world.entry.is_pushed or self.world.exit.is_pushed or self.was_forced):
            assert min(entry, leaf) < 0.05, "both doors open"
        now = self.now
        if now is not None and now.exit_token is not None and self.module.image is not None:
            assert now.is_entry_locked
            assert now.is_exit_locked
            assert not any((now.is_holding, now.is_evacuating, now.is_fire, now.is_estop_pressed))
        assert self.twin.opened(Door.EXIT).count("token") <= self.granted, "an exit that nobody asked for"

    @property
    def was_freed(self) -> bool:
        return not {"fire", "power", "evacuation"}.isdisjoint(
            self.twin.opened(Door.EXIT) + self.twin.opened(Door.ENTRY)
        )

    @property
    def was_forced(self) -> bool:
        return "forced" in self.twin.opened(Door.EXIT) + self.twin.opened(Door.ENTRY)

    async def open_exit(self, token: int) -> None:
        before = self.now
        result = await self.lane.open_exit(token)
        if result is CommandResult.DONE:
            self.granted += 1
            assert before is not None
            assert token == before.exit_token
            assert token not in self.tokens, "a token that opens twice"
            assert self.world.people_inside() == 0 or before.person_count in (1, 2)
            self.tokens.append(token)

    async def act(self, action: str) -> None:
        lane, now = self.lane, self.now
        token = now.exit_token if now is not None else None
        simple: dict[str, Callable[[], object]] = {
            "person": lambda: self.world.add_person(1200.0) if not self.world.walkers else None,
            "second_person": lambda: self.world.add_person(500.0) if len(self.world.walkers) == 1 else None,
            "leave": self.world.clear,
            "fire": lambda: setattr(self.twin, "is_fire", True),
            "fire_over": lambda: setattr(self.twin, "is_fire", False),
            "estop": lambda: setattr(self.twin, "is_estop", True),
            "estop_over": lambda: setattr(self.twin, "is_estop", False),
            "silent": lambda: setattr(self.module, "is_silent", True),
            "heard": lambda: setattr(self.module, "is_silent", False),
            "restart": self.module.restart,
            "force": lambda: setattr(self.world.exit, "is_pushed", True),
            "let_go": lambda: setattr(self.world.exit, "is_pushed", False),
            "stuck_beam": lambda: self.twin.inject(WiringFault.STUCK_BEAM, 2),
            "jam": lambda: self.twin.inject(WiringFault.JAM_ON_NEXT_MOVE),
            "wait": lambda: self.pass_time(300),
            "wait_long": lambda: self.pass_time(1600),
        }
        if action in simple:
            simple[action]()
        elif action == "open_entry":
            await lane.move_entry(DoorPosition.OPEN)
        elif action == "close_entry":
            await lane.move_entry(DoorPosition.CLOSED)
        elif action == "close_exit":
            await lane.close_exit()
        elif action == "open_exit" and token is not None:
            await self.open_exit(token)
        elif action == "open_exit_with_an_old_token" and self.tokens:
            await self.open_exit(self.tokens[-1])
        elif action == "open_exit_with_a_guess":
            await self.open_exit(12345)
        elif action == "acknowledge":
            await lane.acknowledge_fault()
        elif action in ("evacuate", "end_evacuation"):
            await lane.set_evacuation(action == "evacuate")
        elif action == "host_dies":
            await lane.stop()
            self.pass_time(1000)
            assert not self.twin.is_chain_closed, "silence opens the chain"
            self.lane = self.new_lane()
            await self.lane.start(self.reports.append)
        self.pass_time(50)

    async def end(self) -> None:
        """Everything is repaired and an officer acknowledges: the lane serves again."""
        for action in ("heard", "fire_over", "estop_over", "let_go", "leave"):
            await self.act(action)
        self.twin.heal(WiringFault.STUCK_BEAM)
        self.twin.heal(WiringFault.JAM_ON_NEXT_MOVE)
        await self.lane.set_evacuation(False)
        for _ in range(6):
            self.pass_time(1200)
            if self.now is not None and self.now.exit_token is not None:
                return
            await self.lane.acknowledge_fault()
            await self.lane.move_entry(DoorPosition.CLOSED)
            await self.lane.close_exit()
        raise AssertionError(f"a lane that does not come back: {self.now}")


async def play(actions: list[str]) -> Port:
    port = Port()
    try:
        await port.start()
        for action in actions:
            await port.act(action)
            port.check()
        await port.end()
        assert await port.lane.set_lamp(LampColour.GREEN) is CommandResult.DONE
    finally:
        await port.lane.stop()
    return port


@settings(max_examples=60)
@given(st.lists(st.sampled_from(ACTIONS), max_size=14))
def test_nothing_that_must_not_happen_happens(actions: list[str]) -> None:
    asyncio.run(play(actions))


@pytest.mark.long
@settings(max_examples=2000)
@given(st.lists(st.sampled_from(ACTIONS), max_size=40))
def test_nor_in_a_long_campaign(actions: list[str]) -> None:
    asyncio.run(play(actions))


@pytest.mark.parametrize(
    ("actions", "openings"),
    [
        (["person", "open_exit", "wait_long", "leave", "close_exit", "wait_long"], 1),
        (["open_exit", "open_exit_with_an_old_token", "wait_long"], 1),
        (["open_exit_with_a_guess"], 0),
        (["open_entry", "wait_long", "open_exit"], 0),
        (["silent", "open_exit"], 0),
        (["fire", "fire_over", "open_exit"], 0),
        (["estop", "estop_over", "open_exit"], 0),
    ],
)
def test_the_play_itself_opens_what_it_should(actions: list[str], openings: int) -> None:
    """The campaign would prove nothing if its doors stayed shut."""
    port = asyncio.run(play(actions))
    assert port.twin.opened(Door.EXIT).count("token") == openings


def test_host_that_died_finds_its_lane_held() -> None:
    port = asyncio.run(play(["open_entry", "wait_long", "host_dies"]))
    second = [report for report in port.reports if isinstance(report, LinkUp)]
    assert len(second) == 2
    assert port.twin.opened(Door.ENTRY) == ["command"]


@pytest.mark.parametrize(
    "actions",
    [
        ["jam", "evacuate", "host_dies"],
        ["jam", "force", "wait_long", "evacuate", "silent", "heard", "restart", "wait_long", "force", "evacuate"],
    ],
)
def test_doors_that_stuck_in_an_evacuation_are_no_dead_end(actions: list[str]) -> None:
    asyncio.run(play(actions))
