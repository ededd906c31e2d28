"""A wired lane over Modbus RTU does what every `LaneIo` does, through the real driver to a module's twin on a pty.

The same promises as Lane Link's suite, with the same world behind them. What a module cannot promise is at the end.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import TypeVar

import pytest
import pytest_asyncio

from drivers.errors import DeviceError
from drivers.lane_io import (
    BoardEvent,
    BoardEventKind,
    BoardReport,
    BuzzerPattern,
    CommandResult,
    Door,
    DoorPosition,
    LampColour,
    LaneSensors,
    LinkLost,
    LinkUp,
)
from drivers.modbus_io.driver import WiredLaneIo, modbus_lane
from simulator.modbus_lane import FIRST_INSIDE_BEAM, OUTPUTS, SETTINGS, WiringFault, wired_lane
from simulator.modbus_line import ModbusFault, PtyModbusLine

BOUND_S = 8.0
UNIT = 3
FAST_MM_S = 3_000.0
Report = TypeVar("Report", LaneSensors, LinkUp, LinkLost, BoardEvent)


async def until(condition: Callable[[], bool], what: str) -> None:
    deadline_s = time.monotonic() + BOUND_S
    while not condition():
        assert time.monotonic() < deadline_s, f"not within {BOUND_S} s: {what}"
        await asyncio.sleep(0.002)


class Rig:
    def __init__(self, folder: Path) -> None:
        self.twin = wired_lane(UNIT, watchdog_ms=500.0)
        for leaf in self.twin.world.leaves:
            leaf.open_ms, leaf.close_ms = 120.0, 160.0  # four times as quick as real ones
        self.line = PtyModbusLine([self.twin.slave], link_at=folder / "bus")
        self.lane = self.new_lane()
        self.reports: list[BoardReport] = []

    def new_lane(self) -> WiredLaneIo:
        return modbus_lane(
            self.line.port, unit=UNIT, baud_rate=115_200, poll_ms=20, travel_ms=900, answer_timeout_ms=120, **SETTINGS
        )

    def all(self, kind: type[Report]) -> list[Report]:
        return [report for report in self.reports if isinstance(report, kind)]

    @property
    def now(self) -> LaneSensors:
        return self.all(LaneSensors)[-1]

    def events(self, kind: BoardEventKind) -> list[BoardEvent]:
        return [event for event in self.all(BoardEvent) if event.kind is kind]

    async def sees(self, condition: Callable[[LaneSensors], bool], what: str) -> LaneSensors:
        await until(lambda: bool(self.all(LaneSensors)) and condition(self.now), what)
        return self.now

    async def start(self) -> None:
        """Starts and takes over: a lane whose host was silent is held, as Lane Link's is."""
        seen = len(self.all(LaneSensors))
        await self.lane.start(self.reports.append)
        await until(lambda: len(self.all(LaneSensors)) > seen, "sensors after start")
        if self.now.is_holding:
            assert await self.lane.acknowledge_fault() is CommandResult.DONE
        await self.sees(lambda s: not s.is_holding and s.is_entry_locked and s.is_exit_locked, "ready")

    async def token(self) -> int:
        now = await self.sees(lambda s: s.exit_token is not None, "an exit token")
        assert now.exit_token is not None
        return now.exit_token

    async def open_entry(self) -> None:
        assert await self.lane.move_entry(DoorPosition.OPEN) is CommandResult.DONE
        await self.sees(lambda s: s.entry is DoorPosition.OPEN, "entry open")

    async def lets_in_one(self) -> object:
        await self.open_entry()
        with self.line.lock:
            walker = self.twin.world.add_person(-500, speed_mm_s=FAST_MM_S)
            walker.walk_to(1200)
        await until(lambda: walker.is_there, "the walk in")
        assert await self.lane.move_entry(DoorPosition.CLOSED) is CommandResult.DONE
        await self.sees(lambda s: s.is_entry_locked and s.person_count == 1, "one person, entry locked")
        return walker


@pytest_asyncio.fixture
async def rig(tmp_path: Path) -> AsyncIterator[Rig]:
    rig = Rig(tmp_path)
    try:
        await rig.start()
        yield rig
    finally:
        await rig.lane.stop()
        rig.line.close()


async def test_link_up_comes_first_and_a_lane_without_host_was_held(rig: Rig) -> None:
    first = rig.reports[0]
    assert isinstance(first, LinkUp)
    assert (first.board_id, first.beam_count) == (UNIT, 6)
    held = rig.all(LaneSensors)[0]
    assert (held.is_watchdog_tripped, held.is_holding, held.exit_token) == (True, True, None)
    assert (rig.now.is_watchdog_tripped, rig.now.is_holding) == (False, False)


async def test_doing_it_twice_is_doing_it_once(rig: Rig) -> None:
    for _ in range(2):
        assert await rig.lane.move_entry(DoorPosition.OPEN) is CommandResult.DONE
    await rig.sees(lambda s: s.entry is DoorPosition.OPEN, "entry open")
    assert await rig.lane.move_entry(DoorPosition.OPEN) is CommandResult.DONE
    for _ in range(2):
        assert await rig.lane.move_entry(DoorPosition.CLOSED) is CommandResult.DONE
    await rig.sees(lambda s: s.entry is DoorPosition.CLOSED and s.is_entry_locked, "entry locked")
    assert rig.twin.opened(Door.ENTRY) == ["command"]


async def test_lamp_and_buzzer_do_what_they_are_told(rig: Rig) -> None:
    for colour in LampColour:
        assert await rig.lane.set_lamp(colour) is CommandResult.DONE
        await rig.sees(lambda s, c=colour: s.lamp is c, f"lamp {colour}")
    assert await rig.lane.sound_buzzer(BuzzerPattern.ALARM) is CommandResult.DONE
    await until(lambda: rig.twin.slave.coils[OUTPUTS["buzzer"]], "alarm on")
    assert await rig.lane.sound_buzzer(BuzzerPattern.OFF) is CommandResult.DONE
    assert await rig.lane.sound_buzzer(BuzzerPattern.SHORT) is CommandResult.DONE
    await until(lambda: rig.twin.buzzes == 2 and not rig.twin.slave.coils[OUTPUTS["buzzer"]], "a short one, over")
    assert rig.all(LinkLost) == []


async def test_crossing(rig: Rig) -> None:
    walker = await rig.lets_in_one()
    assert not rig.now.is_inside_clear
    assert await rig.lane.open_exit(await rig.token()) is CommandResult.DONE
    await rig.sees(lambda s: s.exit is DoorPosition.OPEN, "exit open")
    with rig.line.lock:
        walker.walk_to(3200)
    await rig.sees(lambda s: s.person_count == 0 and s.beams == 0, "nobody left")
    assert await rig.lane.close_exit() is CommandResult.DONE
    await rig.sees(lambda s: s.is_exit_locked, "exit locked")
    assert (rig.twin.opened(Door.ENTRY), rig.twin.opened(Door.EXIT)) == (["command"], ["token"])
    assert [event.detail for event in rig.events(BoardEventKind.DOOR_OPENED)] == ["command", "token"]


async def test_exit_opens_once_for_a_token_and_never_again(rig: Rig) -> None:
    token = await rig.token()
    assert await rig.lane.open_exit(token ^ 1) is CommandResult.REFUSED_TOKEN
    assert await rig.lane.open_exit(0) is CommandResult.REFUSED_TOKEN
    assert await rig.lane.open_exit(token) is CommandResult.DONE
    await rig.sees(lambda s: s.exit is DoorPosition.OPEN, "exit open")
    assert await rig.lane.open_exit(token) is CommandResult.REFUSED_TOKEN
    assert await rig.lane.close_exit() is CommandResult.DONE
    await rig.sees(lambda s: s.is_exit_locked, "exit locked")
    assert await rig.lane.open_exit(token) is CommandResult.REFUSED_TOKEN
    assert await rig.token() != token
    assert rig.twin.opened(Door.EXIT) == ["token"]


async def test_token_dies_when_the_entry_opens(rig: Rig) -> None:
    token = await rig.token()
    await rig.open_entry()
    assert await rig.lane.open_exit(token) is CommandResult.REFUSED_TOKEN
    assert await rig.lane.move_entry(DoorPosition.CLOSED) is CommandResult.DONE
    await rig.sees(lambda s: s.is_entry_locked, "entry locked")
    assert await rig.token() != token
    assert rig.twin.opened(Door.EXIT) == []


async def test_second_person_since_the_last_poll_keeps_the_exit_shut(rig: Rig) -> None:
    await rig.lets_in_one()
    token = await rig.token()
    with rig.line.lock:
        rig.twin.world.add_person(500)
        rig.twin._show()
    # Either a poll has seen it and the token is dead, or the look before the relay does.
    result = await rig.lane.open_exit(token)
    assert result in (CommandResult.REFUSED_TOKEN, CommandResult.REFUSED_INTERLOCK)
    assert rig.twin.opened(Door.EXIT) == []


async def test_entry_stays_shut_while_the_exit_is_open(rig: Rig) -> None:
    assert await rig.lane.open_exit(await rig.token()) is CommandResult.DONE
    assert await rig.lane.move_entry(DoorPosition.OPEN) is CommandResult.REFUSED_INTERLOCK
    await rig.sees(lambda s: s.exit is DoorPosition.OPEN, "exit open")
    assert await rig.lane.move_entry(DoorPosition.OPEN) is CommandResult.REFUSED_INTERLOCK
    assert rig.twin.opened(Door.ENTRY) == []


async def test_silent_host_means_shut_and_hold(rig: Rig) -> None:
    await rig.open_entry()
    await rig.lane.stop()
    await until(lambda: rig.twin.world.entry.is_locked, "entry shut by the wiring")
    assert not rig.twin.is_chain_closed
    rig.lane = rig.new_lane()
    seen = len(rig.all(LaneSensors))
    await rig.lane.start(rig.reports.append)
    await until(lambda: len(rig.all(LaneSensors)) > seen, "sensors")
    held = await rig.sees(lambda s: s.is_watchdog_tripped, "watchdog told")
    assert (held.exit_token, held.is_holding) == (None, True)
    assert await rig.lane.move_entry(DoorPosition.OPEN) is CommandResult.REFUSED_STATE
    assert await rig.lane.acknowledge_fault() is CommandResult.DONE
    await rig.sees(lambda s: not s.is_holding, "released")
    await rig.open_entry()


async def test_fire_frees_the_exit_and_stays_until_acknowledged(rig: Rig) -> None:
    rig.twin.is_fire = True
    free = await rig.sees(lambda s: s.is_fire and s.exit is DoorPosition.OPEN, "egress")
    assert (free.is_exit_locked, free.exit_token, free.entry) == (False, None, DoorPosition.CLOSED)
    assert await rig.lane.close_exit() is CommandResult.REFUSED_STATE
    assert await rig.lane.acknowledge_fault() is CommandResult.REFUSED_STATE
    rig.twin.is_fire = False
    await rig.sees(lambda s: not s.is_fire, "fire over")
    assert rig.now.is_holding
    assert await rig.lane.acknowledge_fault() is CommandResult.DONE
    await rig.sees(lambda s: s.is_exit_locked and not s.is_holding, "exit locked")
    assert rig.twin.opened(Door.EXIT) == ["fire"]
    assert [event.detail for event in rig.events(BoardEventKind.DOOR_OPENED)] == ["fire"]


async def test_power_loss_frees_the_exit(rig: Rig) -> None:
    rig.twin.is_power_failed = True
    await rig.sees(lambda s: s.is_power_failed and s.exit is DoorPosition.OPEN, "egress")
    assert rig.twin.opened(Door.EXIT) == ["power"]


async def test_emergency_stop_stops_and_its_release_starts_nothing(rig: Rig) -> None:
    assert await rig.lane.move_entry(DoorPosition.OPEN) is CommandResult.DONE
    rig.twin.is_estop = True
    stopped = await rig.sees(lambda s: s.is_estop_pressed, "stop")
    assert stopped.exit_token is None
    position = rig.twin.world.entry.position
    assert await rig.lane.move_entry(DoorPosition.CLOSED) is CommandResult.REFUSED_STATE
    rig.twin.is_estop = False
    await rig.sees(lambda s: not s.is_estop_pressed, "release")
    assert rig.now.is_holding
    assert await rig.lane.acknowledge_fault() is CommandResult.DONE
    await rig.sees(lambda s: s.is_entry_locked and not s.is_holding, "entry locked")
    assert position <= 1.0


async def test_evacuation_opens_both_doors_and_outlives_the_host(rig: Rig) -> None:
    assert await rig.lane.set_evacuation(True) is CommandResult.DONE
    await rig.sees(lambda s: s.entry is s.exit is DoorPosition.OPEN and s.is_evacuating, "both open")
    await rig.lane.stop()
    await until(lambda: not rig.twin.is_chain_closed, "the chain, opened by silence")
    assert rig.twin.world.exit.position == rig.twin.world.entry.position == 1.0
    rig.lane = rig.new_lane()
    await rig.lane.start(rig.reports.append)
    await until(lambda: len(rig.all(LinkUp)) == 2, "the new host")
    await rig.sees(lambda s: s.is_evacuating and s.is_holding, "still on")
    assert await rig.lane.acknowledge_fault() is CommandResult.DONE
    assert await rig.lane.set_evacuation(False) is CommandResult.DONE
    await rig.sees(lambda s: s.is_entry_locked and s.is_exit_locked and not s.is_holding, "both locked")
    assert rig.twin.opened(Door.EXIT) == ["evacuation"]


async def test_forced_door_is_told_and_held(rig: Rig) -> None:
    with rig.line.lock:
        rig.twin.world.exit.is_pushed = True
    await rig.sees(lambda s: s.exit is DoorPosition.FORCED, "forced")
    assert rig.events(BoardEventKind.DOOR_FORCED)
    assert await rig.lane.acknowledge_fault() is CommandResult.REFUSED_STATE
    with rig.line.lock:
        rig.twin.world.exit.is_pushed = False
    await until(lambda: rig.twin.exit.is_locked, "shut again")
    await rig.sees(lambda s: s.is_exit_locked, "seen shut")
    assert rig.now.exit is DoorPosition.FORCED
    assert await rig.lane.acknowledge_fault() is CommandResult.DONE
    await rig.sees(lambda s: s.exit is DoorPosition.CLOSED, "closed")
    assert rig.twin.opened(Door.EXIT) == ["forced"]


async def test_jam_is_told_and_latched(rig: Rig) -> None:
    with rig.line.lock:
        rig.twin.inject(WiringFault.JAM_ON_NEXT_MOVE)
    assert await rig.lane.move_entry(DoorPosition.OPEN) is CommandResult.DONE
    await rig.sees(lambda s: s.entry is DoorPosition.JAMMED, "jam")
    assert await rig.lane.move_entry(DoorPosition.OPEN) is CommandResult.REFUSED_STATE
    with rig.line.lock:
        rig.twin.heal(WiringFault.JAM_ON_NEXT_MOVE)
    assert await rig.lane.acknowledge_fault() is CommandResult.DONE
    # A leaf that comes free moves as it was told last, until the order to shut has reached it: that is not forced.
    await rig.sees(lambda s: s.is_entry_locked and not s.is_holding, "shut")
    images = len(rig.all(LaneSensors)) + 3
    await until(lambda: len(rig.all(LaneSensors)) >= images, "further images")
    assert not rig.now.is_holding
    await rig.open_entry()


async def test_cable_pulled_and_plugged_in_again(rig: Rig) -> None:
    rig.line.unplug()
    await until(lambda: bool(rig.all(LinkLost)), "loss")
    assert await rig.lane.move_entry(DoorPosition.OPEN) is CommandResult.NO_ANSWER
    rig.line.replug()
    await until(lambda: len(rig.all(LinkUp)) == 2, "link up again")
    await until(lambda: isinstance(rig.reports[-1], LaneSensors), "fresh sensors")
    assert len(rig.all(LinkLost)) == 1


@pytest.mark.parametrize("fault", [ModbusFault.SILENT, ModbusFault.FAILURE, ModbusFault.POWER_OFF])
async def test_module_that_does_not_work_is_a_lost_link_and_the_wiring_holds(rig: Rig, fault: ModbusFault) -> None:
    await rig.open_entry()
    rig.line.inject(UNIT, fault)
    await until(lambda: bool(rig.all(LinkLost)), "loss")
    assert await rig.lane.set_lamp(LampColour.GREEN) is CommandResult.NO_ANSWER
    await until(lambda: rig.twin.world.entry.is_locked, "shut by the watchdog relay")
    rig.line.heal(UNIT, fault)
    await until(lambda: len(rig.all(LinkUp)) == 2, "link up again")
    assert (await rig.sees(lambda s: s.is_holding, "held")).is_watchdog_tripped


async def test_restarted_module_is_told_and_its_old_token_is_dead(rig: Rig) -> None:
    token, boot_id = await rig.token(), rig.now.boot_id
    rig.line.inject(UNIT, ModbusFault.REBOOT)
    await until(lambda: len(rig.all(LinkUp)) == 2, "link up again")
    await rig.sees(lambda s: s.boot_id != boot_id, "new boot")
    assert "restarted" in rig.all(LinkLost)[0].reason
    assert await rig.lane.open_exit(token) is CommandResult.REFUSED_TOKEN


async def test_answers_that_come_too_late_are_never_taken_for_the_present(rig: Rig) -> None:
    rig.line.inject(UNIT, ModbusFault.LATE, 130)
    await until(lambda: bool(rig.all(LinkLost)), "loss")
    seen = len(rig.all(LaneSensors))
    rig.twin.is_fire = True
    await until(lambda: rig.twin.slave.asked > 0 and rig.twin.world.exit.position >= 1.0, "egress by wire")
    rig.line.heal(UNIT, ModbusFault.LATE)
    await until(lambda: len(rig.all(LaneSensors)) > seen, "sensors again")
    assert rig.all(LaneSensors)[seen].is_fire


async def test_garbage_on_the_line_costs_time_and_nothing_else(rig: Rig) -> None:
    rig.line.inject(UNIT, ModbusFault.GARBLE, 0.01)
    done = 0
    for i in range(12):
        done += await rig.lane.set_lamp(LampColour.BLUE if i % 2 else LampColour.GREEN) is CommandResult.DONE
    rig.line.heal(UNIT, ModbusFault.GARBLE)
    assert done >= 4
    await until(lambda: isinstance(rig.reports[-1], LaneSensors), "sensors")
    assert rig.twin.openings == []


async def test_stuck_beam_is_an_unclear_lane_without_a_person(rig: Rig) -> None:
    with rig.line.lock:
        rig.twin.inject(WiringFault.STUCK_BEAM, FIRST_INSIDE_BEAM + 1)
    stuck = await rig.sees(lambda s: not s.is_inside_clear, "stuck beam")
    assert (stuck.beams, stuck.person_count) == (1 << FIRST_INSIDE_BEAM + 1, 0)


async def test_broken_contact_of_a_shut_exit_is_no_shut_exit(rig: Rig) -> None:
    with rig.line.lock:
        rig.twin.inject(WiringFault.DEAD_CONTACT)
    broken = await rig.sees(lambda s: s.exit is not DoorPosition.CLOSED, "not known to be shut")
    assert (broken.is_exit_locked, broken.exit_token) == (False, None)
    assert await rig.lane.move_entry(DoorPosition.OPEN) in (
        CommandResult.REFUSED_INTERLOCK,
        CommandResult.REFUSED_STATE,
    )


async def test_stuck_input_that_contradicts_is_an_unknown_count(rig: Rig) -> None:
    rig.line.inject(UNIT, ModbusFault.STUCK_INPUT, int(SETTINGS["inputs"]["several"]))
    await rig.sees(lambda s: s.person_count is None, "several, but nobody there")


async def test_two_hosts_for_one_unit_are_refused(rig: Rig) -> None:
    with pytest.raises(DeviceError, match="unit address 3"):
        await rig.new_lane().start(lambda _report: None)


async def test_missing_port_is_one_clear_sentence() -> None:
    lane = modbus_lane("/dev/nothing-here", unit=1, **SETTINGS)
    with pytest.raises(DeviceError, match=r"/dev/nothing-here does not exist; plug"):
        await lane.start(lambda _report: None)
