"""Somebody is inside and no officer answers: after the policy's limit the way back opens, never the way on."""

import pytest
from hazard_kit import IMPOSTOR, Scene, play_hazard

from drivers.lane_io.interface import Door
from gate.core.state import State
from simulator.chaos.lane import POLICY


@pytest.mark.parametrize("is_hub_up", [True, False])
def test_the_way_back_opens(is_hub_up: bool) -> None:
    async def script(scene: Scene) -> None:
        walker = await scene.enter(IMPOSTOR)
        scene.hub.is_up = is_hub_up
        await scene.until_state(State.REFERRED)
        limit_s = POLICY.inside_limit_ms / 1000
        await scene.never(lambda: not scene.are_both_shut, "a door opened early", limit_s - 3.0)
        await scene.until(lambda: scene.is_open(Door.ENTRY), "the way back opens", 6.0)
        assert scene.openings(Door.EXIT) == []
        await scene.leave_by(Door.ENTRY, walker)
        scene.hub.is_up = True
        await scene.serves_again()

    play_hazard(script)


def test_a_released_traveller_who_stays_gets_the_way_back() -> None:
    async def script(scene: Scene) -> None:
        walker = await scene.enter()
        await scene.until(lambda: scene.is_open(Door.EXIT), "the exit opens")
        await scene.until(lambda: scene.is_open(Door.ENTRY), "the way back opens", 30.0)
        assert scene.is_shut(Door.EXIT)
        await scene.leave_by(Door.ENTRY, walker)
        await scene.serves_again()

    play_hazard(script)
