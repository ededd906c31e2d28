"""A lane on a Modbus module refuses to open with a failed safety device, as one on Lane Link does, until it is mended and seen to."""

import asyncio
import time
from collections.abc import Callable

from drivers.lane_io.interface import LaneSensors
from drivers.modbus_io.driver import modbus_lane
from gate.core import events as on
from gate.core import machine
from gate.core.events import Event
from gate.core.state import LanePolicy, LaneState, State
from gate.lane import sensing
from simulator.modbus_lane import SETTINGS, wired_lane
from simulator.modbus_line import ModbusFault, PtyModbusLine

POLICY = LanePolicy()
UNIT = 3


class Lane:
    """The lane's sensing and machine on the real driver; no doors are commanded."""

    def __init__(self) -> None:
        self.state, _ = machine.start(POLICY)
        self.sensing = sensing.Sensing()
        self.seen: list[LaneSensors] = []

    def report(self, report: object) -> None:
        if isinstance(report, LaneSensors):
            self.seen.append(report)
            for event in self.sensing.observe(report):
                self.step(event)

    def step(self, event: Event) -> LaneState:
        self.state, _ = machine.step(self.state, event, POLICY)
        return self.state


async def until(condition: Callable[[], bool], what: str) -> None:
    deadline_s = time.monotonic() + 8.0
    while not condition():
        assert time.monotonic() < deadline_s, what
        await asyncio.sleep(0.005)


async def test_a_curtain_that_contradicts_itself_keeps_the_lane_shut_until_it_is_mended_and_seen_to() -> None:
    inputs: dict[str, int | str] = SETTINGS["inputs"]  # type: ignore[assignment]
    twin = wired_lane(UNIT)
    with PtyModbusLine([twin.slave]) as line:
        line.inject(UNIT, ModbusFault.STUCK_INPUT, float(inputs["several"]))
        board = modbus_lane(line.port, unit=UNIT, baud_rate=115_200, poll_ms=20, **SETTINGS)  # type: ignore[arg-type]
        lane = Lane()
        await board.start(lane.report)
        try:
            await until(lambda: "light_curtain" in lane.state.faults, "the curtain is out")
            assert lane.state.name is State.FAULT
            assert lane.seen[-1].exit_token is None
            assert lane.step(on.DocumentPlaced()).name is State.FAULT, "nobody is let in"
            assert lane.step(on.Acknowledged(by="officer")).name is State.FAULT, "seen to, and still broken"
            line.heal(UNIT, ModbusFault.STUCK_INPUT)
            await board.acknowledge_fault()
            await until(lambda: not lane.state.faults, "everything is back")
            assert lane.state.name is State.FAULT, "mended, and not yet seen to"
            assert lane.step(on.Acknowledged(by="officer")).name is State.STARTING
            assert lane.step(on.LaneFoundEmpty()).name is State.READY
        finally:
            await board.stop()
