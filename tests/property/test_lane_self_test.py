"""A lane whose board finds a safety device failed lets nobody in, says which, and serves again when it is repaired and seen to."""

from __future__ import annotations

import pytest
from twin_kit import TwinLane

from gate.core import events as on
from gate.core.state import State
from simulator.board_model import BoardFault

FAULTS = {
    BoardFault.BLIND_BEAM: "light_curtain",
    BoardFault.OVERHEATED: "board_temperature",
    BoardFault.LOW_SUPPLY: "board_supply",
    BoardFault.BAD_MEMORY: "board_memory",
}


def lane_with(fault: BoardFault) -> TwinLane:
    """Broken before the board boots."""
    lane = TwinLane()
    lane.board.inject(fault)
    lane.board.inject(BoardFault.REBOOT)
    return lane


@pytest.mark.parametrize("fault", FAULTS)
def test_a_failed_device_at_start_keeps_the_lane_out_of_service(fault: BoardFault) -> None:
    lane = lane_with(fault)
    lane.run(3000)
    assert lane.state.name is State.FAULT
    assert lane.state.faults == {"board", FAULTS[fault]}
    assert f"fault.{FAULTS[fault]}" in lane.state.reasons or "fault.board" in lane.state.reasons
    lane.put(on.DocumentPlaced())
    lane.put(on.EntryAdmitted())
    lane.run(500)
    assert lane.board.openings == []
    assert lane.sensing.last is not None
    assert lane.sensing.last.exit_token is None


@pytest.mark.parametrize("fault", FAULTS)
def test_repaired_and_acknowledged_it_serves_again(fault: BoardFault) -> None:
    lane = lane_with(fault)
    lane.run(3000)
    lane.acknowledge()
    lane.run(1500)
    assert lane.state.name is State.FAULT, "acknowledging repairs nothing"
    lane.board.heal(fault)
    lane.acknowledge()
    lane.until(State.READY)
    lane.let_in()


def test_whoever_is_inside_when_the_curtain_fails_gets_out_by_the_way_they_came() -> None:
    lane = TwinLane()
    walker = lane.let_in()
    lane.run(200)
    lane.board.inject(BoardFault.OVERHEATED)
    lane.run(1000)
    assert lane.state.name is State.FAULT
    walker.walk_to(-700)
    assert lane.run(12_000, lambda: walker.body.front_mm < 0), lane.state
    assert [opening.door for opening in lane.board.openings if opening.reason == "token"] == []
