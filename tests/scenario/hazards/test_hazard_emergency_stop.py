"""Emergency stop: the doors stop where they are, its release starts nothing, an officer sets the lane going again."""

from hazard_kit import IMPOSTOR, Scene, play_hazard

from drivers.lane_io.interface import Door
from gate.core.state import State


def test_a_moving_door_stops_and_stays() -> None:
    async def script(scene: Scene) -> None:
        scene.shift.sight.place(IMPOSTOR)
        await scene.until(lambda: scene.world.entry.position > 0.3, "the entry is on its way")
        scene.board.press_estop()
        await scene.pause(0.1)
        stopped_at = scene.world.entry.position
        assert 0.3 < stopped_at < 1.0
        await scene.never(lambda: scene.world.entry.position != stopped_at, "the door moved", 2.0)
        scene.board.release_estop()
        await scene.never(lambda: scene.world.entry.position != stopped_at, "the release started something", 2.0)
        assert scene.state is State.FAULT
        scene.shift.sight.take_away()
        await scene.serves_again()

    play_hazard(script)


def test_no_release_opens_a_stopped_lane() -> None:
    async def script(scene: Scene) -> None:
        walker = await scene.enter(IMPOSTOR)
        await scene.until_state(State.REFERRED)
        scene.board.press_estop()
        await scene.until_state(State.FAULT)
        scene.hub.release_by_officers(scene.case_id)
        await scene.never(lambda: not scene.is_shut(Door.EXIT), "the exit moved under an emergency stop", 3.0)
        scene.board.release_estop()
        scene.shift.officers.are_there = True
        await scene.leave_by(Door.ENTRY, walker)
        await scene.serves_again()

    play_hazard(script)
