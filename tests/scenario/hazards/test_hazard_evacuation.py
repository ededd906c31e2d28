"""An officer evacuates the lane: both doors open and stay so until it is ended; it needs no release and spends none."""

from hazard_kit import IMPOSTOR, Scene, play_hazard

from drivers.lane_io.interface import Door
from gate.core.state import State
from gate.wire.messages import Act


def test_both_doors_open_until_it_is_ended() -> None:
    async def script(scene: Scene) -> None:
        walker = await scene.enter(IMPOSTOR)
        scene.judge.note_cause("evacuation")
        scene.hub.command(Act.EVACUATE)
        await scene.until(lambda: scene.is_open(Door.ENTRY) and scene.is_open(Door.EXIT), "both ways are open", 3.0)
        await scene.leave_by(Door.EXIT, walker)
        await scene.never(lambda: scene.are_both_shut, "the lane shut during an evacuation", 5.0)
        scene.hub.command(Act.END_EVACUATION)
        await scene.serves_again()
        assert len(scene.judge.spent) == 1  # the traveller after it

    play_hazard(script)


def test_a_stranger_orders_none() -> None:
    async def script(scene: Scene) -> None:
        scene.hub.replay("eyJhbGciOiJub25lIn0.e30.")
        await scene.never(lambda: scene.state is not State.READY or not scene.are_both_shut, "somebody was obeyed", 3.0)

    play_hazard(script)
