"""Fire: the exit is free at once, with or without a host; both ways by the host's order; nobody is released by it."""

from hazard_kit import IMPOSTOR, Scene, play_hazard

from drivers.lane_io.interface import Door
from gate.core.state import State


def test_whoever_is_inside_walks_out() -> None:
    async def script(scene: Scene) -> None:
        walker = await scene.enter(IMPOSTOR)
        await scene.until_state(State.REFERRED)
        scene.judge.note_cause("fire")
        scene.judge.note_cause("evacuation")
        scene.board.raise_fire()
        await scene.until(lambda: scene.is_open(Door.EXIT), "the exit is free", 1.0)
        await scene.until(lambda: scene.is_open(Door.ENTRY), "the entry is free", 2.0)
        assert scene.state is State.EVACUATING
        await scene.leave_by(Door.EXIT, walker)
        scene.board.clear_fire()
        await scene.serves_again()
        assert "token" in scene.openings(Door.EXIT)[-1:]

    play_hazard(script)


def test_without_a_host_the_exit_is_free_all_the_same() -> None:
    async def script(scene: Scene) -> None:
        walker = await scene.enter(IMPOSTOR)
        scene.shift.kill()
        scene.judge.note_cause("fire")
        scene.board.raise_fire()
        await scene.until_open_without_lane(Door.EXIT)
        walker.walk_to(3000.0)
        await scene.pause(2.0)
        scene.world.remove(walker)
        scene.board.clear_fire()
        scene.judge.note_cause("evacuation")
        scene.shift.start_lane()
        await scene.serves_again()

    play_hazard(script)


def test_a_release_does_nothing_in_a_fire() -> None:
    """The exit that a fire opened was not opened for anybody: nothing is spent."""

    async def script(scene: Scene) -> None:
        scene.judge.note_cause("fire")
        scene.judge.note_cause("evacuation")
        scene.board.raise_fire()
        await scene.until_state(State.EVACUATING)
        assert scene.judge.spent == []
        scene.board.clear_fire()
        await scene.serves_again()
        assert len(scene.judge.spent) == 1

    play_hazard(script)
