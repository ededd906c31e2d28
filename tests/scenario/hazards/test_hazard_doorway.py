"""Somebody stands in a closing door: the leaf gives way, and shuts when they have gone."""

from hazard_kit import HONEST, Scene, play_hazard

from drivers.lane_io.interface import Door


def test_the_entry_does_not_shut_on_anybody() -> None:
    async def script(scene: Scene) -> None:
        scene.shift.sight.place(HONEST)
        await scene.until(lambda: scene.is_open(Door.ENTRY), "the entry opens")
        scene.shift.sight.take_away()
        walker = scene.world.add_person(-600.0, speed_mm_s=3_000.0)
        walker.walk_to(0.0)
        await scene.never(lambda: scene.is_shut(Door.ENTRY), "the door shut on somebody", 5.0)
        walker.walk_to(-900.0)
        await scene.until(lambda: scene.is_shut(Door.ENTRY), "the entry shuts", 10.0)
        scene.world.remove(walker)
        await scene.serves_again()

    play_hazard(script)
