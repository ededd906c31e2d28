"""Mains lost: the exit is released by spring or battery, the entry stays; with the board dead the spring alone frees it."""

from hazard_kit import IMPOSTOR, Scene, play_hazard

from drivers.lane_io.interface import Door
from gate.core.state import State
from simulator.board_model import BoardFault


def test_mains_lost_frees_the_exit_and_latches() -> None:
    async def script(scene: Scene) -> None:
        walker = await scene.enter(IMPOSTOR)
        scene.judge.note_cause("power")
        scene.board.fail_power()
        await scene.until(lambda: scene.is_open(Door.EXIT), "the exit is free", 2.0)
        assert scene.is_shut(Door.ENTRY)
        await scene.leave_by(Door.EXIT, walker)
        scene.board.restore_power()
        await scene.never(lambda: scene.state is State.READY, "the lane served before an officer looked", 5.0)
        await scene.serves_again()

    play_hazard(script)


def test_a_dead_board_lets_its_spring_open_the_exit() -> None:
    async def script(scene: Scene) -> None:
        walker = await scene.enter(IMPOSTOR)
        scene.judge.note_cause("power")
        scene.board.inject(BoardFault.POWER_OFF)
        await scene.leave_by(Door.EXIT, walker)
        await scene.until_state(State.FAULT)
        scene.board.heal(BoardFault.POWER_OFF)
        await scene.serves_again()

    play_hazard(script)
