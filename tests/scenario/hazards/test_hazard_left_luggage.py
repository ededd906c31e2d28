"""Something stays inside: the lane does not serve the next traveller with it."""

import pytest
from hazard_kit import Scene, play_hazard

from drivers.lane_io.interface import Door
from gate.core.state import State


@pytest.mark.parametrize("length_mm", [150.0, 400.0])
def test_a_bag_is_an_alarm(length_mm: float) -> None:
    async def script(scene: Scene) -> None:
        walker = await scene.enter()
        bag = scene.world.add_bag(LINE_MM_OF_BAG, length_mm=length_mm)
        await scene.leave_by_any(walker)
        await scene.until_state(State.ALARM, State.REFERRED, State.LEAVING)
        await scene.never(lambda: scene.state is State.READY, "the lane served with a bag in it", 6.0)
        scene.world.remove(bag)
        scene.world.clear()
        await scene.serves_again()
        assert scene.is_shut(Door.ENTRY)

    play_hazard(script)


LINE_MM_OF_BAG = 600.0
