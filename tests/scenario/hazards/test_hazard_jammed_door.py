"""A door does not move: its motor stops, the lane is in Fault, whoever is inside goes back by the other door."""

from hazard_kit import IMPOSTOR, Scene, play_hazard

from drivers.lane_io.interface import Door
from gate.core.state import State
from simulator.board_model import BoardFault


def test_a_jammed_exit_leads_the_way_back() -> None:
    async def script(scene: Scene) -> None:
        walker = await scene.enter(IMPOSTOR)
        await scene.until_state(State.REFERRED)
        scene.board.inject(BoardFault.JAM_ON_NEXT_MOVE)
        scene.hub.release_by_officers(scene.case_id)
        await scene.until_state(State.FAULT)
        assert scene.is_shut(Door.EXIT)
        scene.board.heal(BoardFault.JAM_ON_NEXT_MOVE)
        scene.shift.officers.are_there = True
        await scene.leave_by(Door.ENTRY, walker)
        await scene.serves_again()

    play_hazard(script)
