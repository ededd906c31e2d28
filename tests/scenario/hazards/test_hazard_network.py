"""Broker or hub gone: no record is lost, nobody passes without a release, nobody is held beyond the limit."""

import pytest
from hazard_kit import HONEST, Scene, play_hazard

from drivers.lane_io.interface import Door
from gate.core.state import State


@pytest.mark.parametrize("what", ["broker", "hub"])
def test_without_a_hub_nobody_passes(what: str) -> None:
    async def script(scene: Scene) -> None:
        walker = await scene.enter(HONEST)
        if what == "broker":
            scene.shift.broker.stop()
        else:
            scene.hub.is_up = False
        await scene.until_state(State.REFERRED, State.CLEARED)
        if scene.state is State.REFERRED:
            await scene.never(lambda: not scene.is_shut(Door.EXIT), "the exit opened without a release", 2.0)
            await scene.leave_by(Door.ENTRY, walker)
        else:
            await scene.leave_by(Door.EXIT, walker)
        scene.shift.broker.start()
        scene.hub.is_up = True
        await scene.serves_again()

    play_hazard(script)


def test_what_happened_meanwhile_is_told_afterwards() -> None:
    async def script(scene: Scene) -> None:
        scene.shift.broker.stop()
        walker = await scene.enter(HONEST)
        waiting = scene.lane.store.waiting_count()
        assert waiting > 2
        await scene.leave_by(Door.ENTRY, walker)
        scene.shift.broker.start()
        await scene.until(lambda: scene.lane.store.waiting_count() == 0, "everything is receipted", 30.0)
        await scene.serves_again()

    play_hazard(script)
