"""The wall clock is set: no release lives longer for it, and the lane goes on."""

import pytest
from hazard_kit import IMPOSTOR, Scene, play_hazard

from drivers.lane_io.interface import Door
from gate.core.state import State


@pytest.mark.parametrize("jump_ms", [-3_600_000, -4_000, 4_000, 3_600_000])
def test_a_stay_survives_a_jump(jump_ms: int) -> None:
    async def script(scene: Scene) -> None:
        walker = await scene.enter(IMPOSTOR)
        await scene.until_state(State.REFERRED)
        scene.shift.clock.set_ahead(jump_ms)
        scene.shift.officers.are_there = True
        scene.shift.officers.will_release = False
        await scene.leave_by(Door.ENTRY, walker)
        await scene.serves_again()

    play_hazard(script)


def test_a_release_is_not_young_again() -> None:
    """Seen once, set back an hour: a minute after its first sight it is void, whatever the wall clock says."""

    async def script(scene: Scene) -> None:
        walker = await scene.enter(IMPOSTOR)
        await scene.until_state(State.REFERRED)
        release = scene.sign_release(is_sent=False)
        verified = scene.lane.uplink._commands.verify(release)
        scene.lane.guard.see_release(verified.release)  # type: ignore[union-attr, arg-type]
        scene.shift.clock.set_ahead(-3_600_000)
        await scene.leave_by(Door.ENTRY, walker)
        await scene.pause(61.0)
        permitted = scene.lane.guard.may_open_exit(verified.release)  # type: ignore[union-attr, arg-type]
        assert type(permitted).__name__ == "Vetoed"
        await scene.serves_again()

    play_hazard(script)
