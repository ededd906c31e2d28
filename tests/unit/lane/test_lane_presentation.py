"""Every state has a lamp and a step; what a traveller must not be told wrongly."""

from dataclasses import replace

import pytest

from drivers.lane_io.interface import LampColour
from gate.core.effects import CrossingOutcome
from gate.core.state import LaneState, State
from gate.lane.presentation import look
from gate.wire.messages import KioskStep

EXPECTED = {
    State.STARTING: (LampColour.AMBER, KioskStep.PLEASE_WAIT),
    State.OUT_OF_SERVICE: (LampColour.RED, KioskStep.OUT_OF_SERVICE),
    State.READY: (LampColour.GREEN, KioskStep.PLACE_DOCUMENT),
    State.READING_DOCUMENT: (LampColour.BLUE, KioskStep.READING_DOCUMENT),
    State.ENTRY_OPEN: (LampColour.GREEN, KioskStep.WALK_IN),
    State.OCCUPIED: (LampColour.BLUE, KioskStep.LOOK_AT_CAMERA),
    State.CLEARED: (LampColour.GREEN, KioskStep.WALK_OUT),
    State.LEAVING: (LampColour.GREEN, KioskStep.WALK_OUT),
    State.CHECKING: (LampColour.BLUE, KioskStep.PLEASE_WAIT),
    State.REFERRED: (LampColour.AMBER, KioskStep.WAIT_FOR_OFFICER),
    State.ALARM: (LampColour.RED, KioskStep.WAIT_FOR_OFFICER),
    State.EVACUATING: (LampColour.GREEN, KioskStep.EMERGENCY),
    State.FAULT: (LampColour.RED, KioskStep.OUT_OF_SERVICE),
}


@pytest.mark.parametrize("name", State)
def test_every_state_has_its_look(name: State) -> None:
    assert look(LaneState(name=name)) == EXPECTED[name]


def test_who_is_sent_to_the_desk_sees_red_and_is_told_where_to_go() -> None:
    state = LaneState(name=State.CHECKING, outcome=CrossingOutcome.DENIED_ENTRY)
    assert look(state) == (LampColour.RED, KioskStep.GO_TO_DESK)


def test_who_goes_back_is_not_shown_the_exit() -> None:
    back = LaneState(name=State.LEAVING, is_going_back=True)
    assert look(back) == (LampColour.AMBER, KioskStep.WALK_BACK)
    assert look(replace(back, is_going_back=False))[1] is KioskStep.WALK_OUT


@pytest.mark.parametrize("name", [State.ALARM, State.FAULT, State.OUT_OF_SERVICE, State.REFERRED, State.STARTING])
def test_no_trouble_is_ever_green(name: State) -> None:
    assert look(LaneState(name=name))[0] is not LampColour.GREEN
