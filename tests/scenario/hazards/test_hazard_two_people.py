"""More than one person: hold, alarm, and the way back for all of them; no release opens for two."""

from hazard_kit import HONEST, LINE_MM, OUTSIDE_MM, Scene, play_hazard

from drivers.lane_io.interface import Door
from gate.core.state import State


def test_a_tailgater_stops_both() -> None:
    async def script(scene: Scene) -> None:
        scene.shift.sight.place(HONEST)
        await scene.until(lambda: scene.is_open(Door.ENTRY), "the entry opens")
        scene.shift.sight.take_away()
        first = scene.world.add_person(OUTSIDE_MM, speed_mm_s=3_000.0)
        second = scene.world.add_person(OUTSIDE_MM - 450.0, speed_mm_s=3_000.0)
        first.walk_to(LINE_MM)
        second.walk_to(LINE_MM - 600.0)
        await scene.until_state(State.ALARM)
        await scene.never(lambda: not scene.is_shut(Door.EXIT), "the exit opened for two", 3.0)
        assert scene.judge.spent == []
        scene.shift.officers.are_there = True
        await scene.until(lambda: scene.is_open(Door.ENTRY), "the way back opens", 30.0)
        for walker in (second, first):
            walker.walk_to(OUTSIDE_MM - (600.0 if walker is second else 0.0))
        await scene.until(lambda: first.is_there and second.is_there, "both are out")
        scene.world.clear()
        await scene.serves_again()

    play_hazard(script)


def test_one_who_comes_in_by_the_exit_is_an_alarm() -> None:
    """Released for one; while the exit stands open somebody comes in against the stream: it shuts, and both go back."""

    async def script(scene: Scene) -> None:
        walker = await scene.enter(HONEST)
        await scene.until(lambda: scene.is_open(Door.EXIT), "the exit opens")
        other = scene.world.add_person(3_000.0, speed_mm_s=3_000.0)
        other.walk_to(LINE_MM + 500.0)
        await scene.until_state(State.ALARM)
        await scene.until(lambda: scene.are_both_shut, "both doors shut")
        assert len(scene.judge.spent) == 1
        scene.shift.officers.are_there = True
        await scene.until(lambda: scene.is_open(Door.ENTRY), "the way back opens", 30.0)
        walker.walk_to(OUTSIDE_MM - 600.0)
        other.walk_to(OUTSIDE_MM)
        await scene.until(lambda: walker.is_there and other.is_there, "both are out")
        scene.world.clear()
        await scene.serves_again()

    play_hazard(script)
