"""Contacts of a wired lane that contradict each other for longer than a door needs are a failed safety device, and end when they end."""

from drivers.lane_io.interface import LaneSensors, SafetyDevice
from drivers.modbus_io.interface import IoImage
from drivers.modbus_io.lane import DOUBT_MS, WiredLane
from drivers.modbus_io.wiring import LaneWiring

WIRING = LaneWiring.from_settings(
    inputs={
        "entry_closed": 0,
        "entry_open": 1,
        "exit_closed": 2,
        "exit_open": 3,
        "chain": 4,
        "estop": "!5",
        "fire": "!6",
        "occupied": 8,
        "several": 9,
        "entry_locked": 10,
        "exit_locked": 11,
    },
    outputs={
        "entry_open": 0,
        "entry_close": 1,
        "exit_open": 2,
        "exit_close": 3,
        "watchdog": 4,
        "reset": 5,
        "evacuate": 6,
        "red": 7,
        "green": 8,
    },
    beams=(12, 13, 14, 15),
    first_inside_beam=1,
    last_inside_beam=2,
)
IDLE = frozenset({0, 2, 4, 5, 6, 10, 11})
"""Inputs that are on in an idle lane: both doors shut and locked, chain closed, no stop and no fire (contacts that open)."""


class Lane:
    def __init__(self) -> None:
        self.lane = WiredLane(WIRING, unit=1, watchdog_ms=1000, travel_ms=4000)
        self.now_ms = 0

    def see(self, inputs: frozenset[int], after_ms: int) -> LaneSensors:
        self.now_ms += after_ms
        image = IoImage(
            asked_ns=self.now_ms * 1_000_000,
            sequence=0,
            inputs=tuple(number in inputs for number in range(WIRING.input_count)),
            outputs=(False,) * WIRING.output_count,
        )
        return next(report for report in self.lane.observe(image) if isinstance(report, LaneSensors))


def check(inputs: frozenset[int], device: SafetyDevice) -> None:
    lane = Lane()
    assert lane.see(IDLE, 0).exit_token is not None
    lane.see(inputs, 50)
    assert lane.see(inputs, DOUBT_MS - 1).failed == frozenset(), "a moment is no failure"
    sensors = lane.see(inputs, 1)
    assert sensors.failed == {device}
    assert sensors.exit_token is None
    assert lane.see(IDLE, 50).failed == frozenset(), "nothing latches here: the lane's fault does"


def test_several_people_and_nobody() -> None:
    check(IDLE | {9}, SafetyDevice.CURTAIN)


def test_a_door_that_is_shut_and_open() -> None:
    check(IDLE | {1}, SafetyDevice.ENTRY_LOCK)
    check(IDLE | {3}, SafetyDevice.EXIT_LOCK)


def test_a_lock_that_says_it_holds_an_open_door() -> None:
    check(IDLE - {0} | {1}, SafetyDevice.ENTRY_LOCK)


def test_an_idle_lane_and_a_moving_door_are_not_doubted() -> None:
    lane = Lane()
    lane.see(IDLE, 0)
    for _ in range(4):
        assert lane.see(IDLE - {0, 10}, DOUBT_MS).failed == frozenset()
