"""Lanes on Modbus modules in a site file."""

import tomllib
from typing import Any

import pytest
from pydantic import ValidationError

from config.schema import Site
from drivers.modbus_io.driver import WiredLaneIo
from drivers.registry import load_device

LANE = """
[port]
id = "p"
title = "P"
[policy]
mode = "gate"
[[lane]]
id = "a"
face_camera = { kind = "folder", source = "x" }
document_camera = { kind = "folder", source = "x" }
[lane.board]
kind = "modbus_io"
port = "/dev/ttyRS485"
baud_rate = 19200
[lane.board.modbus]
unit = 1
beams = [12, 13, 14, 15]
first_inside_beam = 1
last_inside_beam = 2
[lane.board.modbus.inputs]
entry_closed = 0
entry_open = 1
exit_closed = 2
exit_open = 3
chain = 4
estop = "!5"
fire = "!6"
occupied = 8
several = 9
[lane.board.modbus.outputs]
entry_open = 0
entry_close = 1
exit_open = 2
exit_close = 3
watchdog = 4
reset = 5
evacuate = 6
red = 7
green = 8
"""


def site(change: Any = None) -> Site:
    settings = tomllib.loads(LANE)
    if change is not None:
        change(settings)
    return Site.model_validate(settings)


def test_settings_make_the_driver() -> None:
    board = site().lanes[0].board
    assert board.settings["baud_rate"] == 19_200
    assert isinstance(load_device(board.kind, **board.settings), WiredLaneIo)


def second(settings: dict[str, Any], unit: int) -> None:
    lane = tomllib.loads(LANE)["lane"][0]
    lane["id"] = "b"
    lane["board"]["modbus"]["unit"] = unit
    settings["lane"].append(lane)


def test_lanes_may_share_a_line_with_units_of_their_own() -> None:
    assert len(site(lambda settings: second(settings, 2)).lanes) == 2
    with pytest.raises(ValidationError, match="have the address 1 on /dev/ttyRS485"):
        site(lambda settings: second(settings, 1))


def test_board_and_wiring_belong_together() -> None:
    with pytest.raises(ValidationError, match="needs its wiring"):
        site(lambda settings: settings["lane"][0]["board"].pop("modbus"))
    with pytest.raises(ValidationError, match="no other board has one"):
        site(lambda settings: settings["lane"][0]["board"].update(kind="lane_link"))
