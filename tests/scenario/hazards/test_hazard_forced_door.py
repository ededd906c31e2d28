"""A door is pushed open against its lock: hold, alarm, and nobody else goes until an officer has seen to it."""

import pytest
from hazard_kit import Scene, play_hazard

from drivers.lane_io.interface import Door
from gate.core.state import State
from gate.wire.messages import EventType


@pytest.mark.parametrize("door", list(Door))
def test_forced_is_an_alarm_that_latches(door: Door) -> None:
    async def script(scene: Scene) -> None:
        scene.judge.note_cause("forced")
        scene.board.force_door(door)
        await scene.until_state(State.ALARM, State.FAULT, within_s=2.0)
        scene.board.let_go(door)
        await scene.until(lambda: scene.are_both_shut, "the board shuts it again")
        await scene.never(lambda: scene.state is State.READY, "the lane served after a forced door", 5.0)
        assert scene.told(EventType.ALARM_RAISED)
        await scene.serves_again()

    play_hazard(script)
