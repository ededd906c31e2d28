"""What a lane makes of a wired lane's reports: the machine's events of a whole crossing, and the guard's facts."""

from __future__ import annotations

from drivers.lane_io import BoardReport, CommandResult, DoorPosition, LaneSensors
from drivers.modbus_io.driver import WiredLaneIo
from drivers.modbus_io.wiring import LaneWiring
from gate.core import events as on
from gate.core.events import Event
from gate.lane.sensing import Sensing, guard_facts, is_held_by_silence_only, lane_check
from simulator.modbus_lane import OUTPUTS, SETTINGS, wired_lane
from simulator.modbus_memory import MemoryModule


class Rig:
    def __init__(self) -> None:
        self.twin = wired_lane()
        self.module = MemoryModule(self.twin.slave, watchdog_output=OUTPUTS["watchdog"])
        self.lane = WiredLaneIo(self.module, LaneWiring.from_settings(**SETTINGS), unit=1, pulse_ms=150)
        self.sensing = Sensing()
        self.events: list[Event] = []
        self.sensors: list[LaneSensors] = []

    def take(self, report: BoardReport) -> None:
        if isinstance(report, LaneSensors):
            self.sensors.append(report)
            self.events += self.sensing.observe(report)

    async def start(self) -> None:
        await self.lane.start(self.take)
        self.module.pass_time(200)

    def told(self, *kinds: type[Event]) -> list[Event]:
        return [event for event in self.events if isinstance(event, kinds)]


async def test_a_lane_without_host_is_taken_over_as_one_of_ours() -> None:
    rig = Rig()
    await rig.start()
    assert is_held_by_silence_only(rig.sensors[-1])
    assert guard_facts(rig.sensors[-1]).is_board_holding
    assert await rig.lane.acknowledge_fault() is CommandResult.DONE
    rig.module.pass_time(200)
    facts = guard_facts(rig.sensors[-1])
    assert (facts.is_board_holding, facts.is_entry_shut, facts.is_exit_shut, facts.person_count) == (
        False,
        True,
        True,
        0,
    )
    assert isinstance(lane_check(rig.sensors[-1]), on.LaneFoundEmpty)
    await rig.lane.stop()


async def test_a_crossing_makes_the_events_that_the_machine_waits_for() -> None:
    rig = Rig()
    await rig.start()
    await rig.lane.acknowledge_fault()
    rig.module.pass_time(200)
    rig.events.clear()

    await rig.lane.move_entry(DoorPosition.OPEN)
    rig.module.pass_time(800)
    walker = rig.twin.world.add_person(-500)
    walker.walk_to(1200)
    rig.module.pass_time(2500)
    assert [type(event) for event in rig.events] == [on.PersonEntered]
    await rig.lane.move_entry(DoorPosition.CLOSED)
    rig.module.pass_time(1200)
    assert rig.told(on.EntryShut) == [on.EntryShut(person_count=1)]
    facts = guard_facts(rig.sensors[-1])
    assert (facts.is_entry_shut, facts.is_exit_shut, facts.person_count) == (True, True, 1)

    token = rig.sensors[-1].exit_token
    assert token is not None
    assert await rig.lane.open_exit(token) is CommandResult.DONE
    rig.module.pass_time(800)
    walker.walk_to(3300)
    rig.module.pass_time(2500)
    assert len(rig.told(on.PersonLeft)) == 1
    await rig.lane.close_exit()
    rig.module.pass_time(1200)
    assert rig.told(on.ExitShut) == [on.ExitShut(person_count=0)]
    assert isinstance(lane_check(rig.sensors[-1]), on.LaneFoundEmpty)
    assert rig.told(on.DeviceFailed, on.DoorForced, on.CompanyDetected) == []
    await rig.lane.stop()


async def test_company_and_force_are_told() -> None:
    rig = Rig()
    await rig.start()
    await rig.lane.acknowledge_fault()
    rig.module.pass_time(200)
    rig.events.clear()
    rig.twin.world.add_person(700)
    rig.twin.world.add_person(1600)
    rig.module.pass_time(1000)
    assert rig.told(on.CompanyDetected) == [on.CompanyDetected(person_count=2)]
    rig.twin.world.exit.is_pushed = True
    rig.module.pass_time(500)
    assert rig.told(on.DoorForced) == [on.DoorForced(door="exit")]
    assert rig.told(on.DeviceFailed) == [on.DeviceFailed(device="board", reason="reported_by_board")]
    await rig.lane.stop()
