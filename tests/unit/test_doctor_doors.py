"""How many doors a lane has is said twice, by the settings and by the board: the doctor compares, and the settings know who can say so."""

from typing import Any

import pytest

from config.errors import ConfigError
from config.loader import parse_site
from config.schema import Site
from drivers.lane_io.interface import DoorPosition, LaneSensors
from gate.cli.checkup import Verdict
from gate.cli.checkup_board import judge_sensors
from gate.settings import lane_policy


def sensors(entry: DoorPosition, exit_: DoorPosition = DoorPosition.CLOSED) -> LaneSensors:
    return LaneSensors(
        received_ns=0,
        sequence=1,
        board_uptime_ms=1,
        boot_id=1,
        entry=entry,
        exit=exit_,
        is_entry_locked=entry is DoorPosition.CLOSED,
        is_exit_locked=exit_ is DoorPosition.CLOSED,
        beams=0,
        beam_count=28,
        person_count=0,
        is_estop_pressed=False,
        is_fire=False,
        is_power_failed=False,
        is_watchdog_tripped=False,
        exit_token=1,
    )


@pytest.mark.parametrize(
    ("doors", "entry", "exit_", "verdict"),
    [
        (2, DoorPosition.CLOSED, DoorPosition.CLOSED, Verdict.OK),
        (1, DoorPosition.ABSENT, DoorPosition.CLOSED, Verdict.OK),
        (1, DoorPosition.ABSENT, DoorPosition.OPEN, Verdict.WARNING),
        (1, DoorPosition.CLOSED, DoorPosition.CLOSED, Verdict.FAILED),
        (2, DoorPosition.ABSENT, DoorPosition.CLOSED, Verdict.FAILED),
        (1, DoorPosition.ABSENT, DoorPosition.FORCED, Verdict.FAILED),
    ],
)
def test_settings_and_board_are_compared(
    doors: int, entry: DoorPosition, exit_: DoorPosition, verdict: Verdict
) -> None:
    found = judge_sensors(sensors(entry, exit_), doors=doors)[0]
    assert (found.what, found.verdict) == ("doors", verdict)
    is_other = (entry is DoorPosition.ABSENT) != (doors == 1)
    assert (f"doors = {doors}" in found.seen) is is_other
    assert bool(found.remedy) is (verdict is not Verdict.OK)


def site(**lane: Any) -> Site:
    data: dict[str, Any] = {
        "port": {"id": "p", "title": "P"},
        "policy": {"mode": "gate"},
        "lane": [
            {
                "id": "lane-1",
                "board": {"port": "/dev/ttyUSB0"},
                "face_camera": {"kind": "folder", "source": "."},
                "document_camera": {"kind": "folder", "source": "."},
                **lane,
            }
        ],
    }
    return parse_site(data, origin="the test")


@pytest.mark.parametrize(("lane", "has_entry"), [({}, True), ({"doors": 2}, True), ({"doors": 1}, False)])
def test_the_lane_goes_by_its_own_table(lane: dict[str, int], has_entry: bool) -> None:
    made = site(**lane)
    assert lane_policy(made, made.lanes[0]).has_entry is has_entry


def test_a_board_that_cannot_say_so_is_refused() -> None:
    wired = {"kind": "modbus_io", "port": "/dev/ttyUSB0", "modbus": MODBUS}
    assert site(board=wired).lanes[0].has_entry
    with pytest.raises(ConfigError, match="lane_link"):
        site(doors=1, board=wired)
    with pytest.raises(ConfigError, match="doors"):
        site(doors=3)


MODBUS = {
    "unit": 1,
    "inputs": {"entry_closed": 0},
    "outputs": {"entry_open": 0},
    "beams": [8, 9, 10, 11],
    "first_inside_beam": 1,
    "last_inside_beam": 2,
}
