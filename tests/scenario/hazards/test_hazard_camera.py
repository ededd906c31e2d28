"""A camera falls silent: nobody is cleared by it; the lane is in Fault and whoever is inside gets out the way they came."""

from hazard_kit import HONEST, Scene, play_hazard

from drivers.lane_io.interface import Door
from gate.core.state import State


def test_a_blind_face_camera_clears_nobody() -> None:
    async def script(scene: Scene) -> None:
        scene.shift.sight.place(HONEST)
        await scene.until(lambda: scene.is_open(Door.ENTRY), "the entry opens")
        scene.shift.sight.take_away()
        walker = scene.world.add_person(-600.0, speed_mm_s=3_000.0)
        walker.walk_to(1200.0)
        scene.shift.sight.go_blind("face_camera")
        await scene.until_state(State.FAULT)
        await scene.never(lambda: not scene.is_shut(Door.EXIT), "the exit opened for a face nobody saw", 3.0)
        scene.shift.sight.see_again("face_camera")
        scene.shift.officers.are_there = True
        await scene.leave_by(Door.ENTRY, walker)
        await scene.serves_again()

    play_hazard(script)
