"""The map of a wired lane: what is refused, and what a contact says."""

from typing import Any

import pytest

from drivers.errors import DeviceError
from drivers.modbus_io.driver import modbus_lane
from drivers.modbus_io.wiring import Contact, LaneWiring
from simulator.modbus_lane import BEAMS, INPUT_COUNT, INPUTS, OUTPUT_COUNT, OUTPUTS, SETTINGS


def test_map_of_the_twin_is_sound() -> None:
    wiring = LaneWiring.from_settings(**SETTINGS)
    assert (wiring.input_count, wiring.output_count, wiring.inside_mask) == (INPUT_COUNT, OUTPUT_COUNT, 0b011110)
    assert wiring.inputs.fire == Contact(number=6, is_inverted=True)


def test_contact_that_opens_says_yes_when_its_wire_breaks() -> None:
    assert Contact(number=1, is_inverted=True).read([True, False])
    assert not Contact(number=0, is_inverted=True).read([True, False])
    assert Contact(number=0).read([True, False])


def without(mapping: dict[str, Any], name: str) -> dict[str, Any]:
    return {key: value for key, value in mapping.items() if key != name}


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"inputs": without(INPUTS, "fire")}, "needs the input 'fire'; say at which terminal"),
        ({"inputs": INPUTS | {"smoke": 20}}, "has no input 'smoke'; choose among"),
        ({"inputs": INPUTS | {"fire": "?6"}}, "The Modbus input fire is '[?]6'; give a terminal number"),
        ({"inputs": INPUTS | {"fire": True}}, "The Modbus input fire is True"),
        ({"inputs": INPUTS | {"fire": 5}}, "wired to input 5; give each its own"),
        ({"outputs": without(OUTPUTS, "watchdog")}, "needs the output 'watchdog'"),
        ({"outputs": OUTPUTS | {"red": 8}}, "wired to output 8"),
        ({"outputs": OUTPUTS | {"red": -1}}, "The Modbus output red is -1"),
        ({"beams": BEAMS[:3]}, "has 3 beams; wire 4 to 32"),
        ({"first_inside_beam": 0}, "needs a beam outside each door"),
        ({"last_inside_beam": 5}, "needs a beam outside each door"),
    ],
)
def test_impossible_map_is_one_clear_sentence(change: dict[str, Any], sentence: str) -> None:
    with pytest.raises(DeviceError, match=sentence):
        LaneWiring.from_settings(**(SETTINGS | change))


def test_unit_that_cannot_be_is_refused() -> None:
    with pytest.raises(DeviceError, match="unit 0 on x cannot be addressed"):
        modbus_lane("x", unit=0, **SETTINGS)
