"""The limit of a stay ran out while the board held: an officer who sees to the fault begins no second limit."""

from hazard_kit import IMPOSTOR, Scene, play_hazard

from drivers.lane_io.interface import Door
from gate.core.state import State
from gate.wire.messages import Act
from simulator.board_model import BoardFault
from simulator.chaos.lane import POLICY


def test_an_acknowledgement_opens_the_way_back_at_once() -> None:
    async def script(scene: Scene) -> None:
        walker = await scene.enter(IMPOSTOR)
        scene.board.inject(BoardFault.SILENT)
        await scene.until_state(State.FAULT)
        await scene.pause(1.5)  # the board's watchdog trips: it shuts and holds until somebody acknowledges
        scene.board.heal(BoardFault.SILENT)
        limit_s = POLICY.inside_limit_ms / 1000
        await scene.until_state(State.LEAVING, within_s=limit_s + 1.0)
        await scene.never(lambda: scene.is_open(Door.ENTRY), "a holding board opened", 1.0)
        scene.hub.command(Act.ACKNOWLEDGE)
        await scene.until(lambda: scene.is_open(Door.ENTRY), "the way back opens", 1.5)
        assert scene.openings(Door.EXIT) == []
        await scene.leave_by(Door.ENTRY, walker)
        await scene.serves_again()

    play_hazard(script)


def test_a_forced_door_holds_nobody_for_a_second_limit() -> None:
    async def script(scene: Scene) -> None:
        walker = await scene.enter(IMPOSTOR)
        await scene.until(lambda: scene.is_open(Door.ENTRY), "the way back opens", POLICY.inside_limit_ms / 1000 + 2.0)
        scene.judge.note_cause("forced")
        scene.board.force_door(Door.EXIT)
        await scene.pause(0.5)
        scene.board.let_go(Door.EXIT)
        await scene.pause(1.0)
        scene.judge.cause_is_gone("forced")
        scene.hub.command(Act.ACKNOWLEDGE)
        await scene.until(lambda: scene.is_open(Door.ENTRY), "the way back opens again", 2.0)
        await scene.leave_by(Door.ENTRY, walker)
        await scene.serves_again()

    play_hazard(script)
