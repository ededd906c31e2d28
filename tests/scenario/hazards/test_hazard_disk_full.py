"""The disk is full: nothing opens that must be recorded; nobody is shut in for it; nothing that was written is lost."""

from hazard_kit import IMPOSTOR, Scene, play_hazard

from drivers.lane_io.interface import Door
from gate.core.state import State


def test_no_release_is_spent_that_cannot_be_written() -> None:
    async def script(scene: Scene) -> None:
        walker = await scene.enter(IMPOSTOR)
        await scene.until_state(State.REFERRED)
        scene.lane.store.disk.is_full = True
        scene.hub.release_by_officers(scene.case_id)
        await scene.never(lambda: not scene.is_shut(Door.EXIT), "the exit opened without a record", 3.0)
        assert scene.judge.spent == []
        await scene.until(lambda: scene.is_open(Door.ENTRY), "the way back opens all the same", 20.0)
        await scene.leave_by(Door.ENTRY, walker)
        scene.lane.store.disk.is_full = False
        await scene.serves_again()

    play_hazard(script)
