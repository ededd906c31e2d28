"""The board's line is cut, late or noisy: the board shuts and holds, the lane is in Fault and opens nothing."""

import pytest
from hazard_kit import IMPOSTOR, Scene, play_hazard

from drivers.lane_io.interface import Door
from gate.core.state import State
from simulator.board_model import BoardFault


@pytest.mark.parametrize("fault", [BoardFault.SILENT, BoardFault.GARBLE])
def test_nothing_opens_over_a_bad_line(fault: BoardFault) -> None:
    async def script(scene: Scene) -> None:
        walker = await scene.enter(IMPOSTOR)
        await scene.until_state(State.REFERRED)
        scene.board.inject(fault, 1.0 if fault is BoardFault.GARBLE else None)
        await scene.until_state(State.FAULT, within_s=3.0)
        scene.hub.release_by_officers(scene.case_id)
        await scene.never(lambda: not scene.is_shut(Door.EXIT), "the exit opened over a bad line", 4.0)
        scene.board.heal(fault)
        scene.shift.officers.are_there = True
        await scene.leave_by(Door.ENTRY, walker)
        await scene.serves_again()

    play_hazard(script)


def test_an_unplugged_adapter_is_found_again() -> None:
    async def script(scene: Scene) -> None:
        scene.shift.sight.place(IMPOSTOR)
        await scene.until(lambda: scene.is_open(Door.ENTRY), "the entry opens")
        scene.shift.line.unplug()
        await scene.until(lambda: scene.are_both_shut, "the board shuts by itself", 5.0)
        assert scene.state is State.FAULT
        scene.shift.line.plug_in()
        await scene.serves_again()

    play_hazard(script)
