"""A lane of one door: an open approach. Nobody is shut in and nobody alarmed before the exit opens; it opens for exactly one, once."""

from dataclasses import replace

import pytest
from hazard_kit import HONEST, IMPOSTOR, LINE_MM, ONE_DOOR, OUTSIDE_MM, Scene, play_hazard

from drivers.lane_io.interface import Door
from gate.core.guard import Guard, SensorFacts
from gate.core.state import State
from gate.wire.messages import EventType, KioskStep
from simulator.chaos.lane import POLICY, WALKING
from simulator.world import LaneWorld, Walker

FAST_MM_S = 3_000.0


async def beside(scene: Scene, x_mm: float = 300.0) -> Walker:
    """Somebody else walks into the approach."""
    other = scene.world.add_person(OUTSIDE_MM, speed_mm_s=FAST_MM_S)
    other.walk_to(x_mm)
    await scene.until(lambda: other.is_there, "the other one is there")
    return other


def hint(scene: Scene) -> str | None:
    return scene.lane.screen.hint if scene.lane.screen is not None else None


def test_people_walk_in_and_out_and_nobody_minds() -> None:
    async def script(scene: Scene) -> None:
        first, second = await beside(scene, LINE_MM), await beside(scene, 600.0)
        await scene.until(lambda: hint(scene) == "one_person_only", "the kiosk asks for one at a time")
        second.walk_to(OUTSIDE_MM - 700.0)
        first.walk_to(OUTSIDE_MM)
        await scene.until(lambda: first.is_there and hint(scene) is None, "both are gone")
        assert scene.state is State.READY
        assert scene.told(EventType.ALARM_RAISED) == []
        scene.world.clear()
        await scene.serves_again()

    play_hazard(script, pace=ONE_DOOR)


def test_company_at_the_reader_is_asked_to_wait_and_then_it_goes_on() -> None:
    async def script(scene: Scene) -> None:
        walker, other = await scene.step_up(), await beside(scene)
        await scene.until(lambda: hint(scene) == "one_person_only", "the kiosk asks for one at a time")
        await scene.never(lambda: not scene.is_shut(Door.EXIT), "the exit opened for two", 1.5)
        assert scene.judge.spent == []
        other.walk_to(OUTSIDE_MM)
        await scene.leave_by(Door.EXIT, walker)
        assert scene.told(EventType.ALARM_RAISED) == []
        assert len(scene.judge.spent) == 1

    play_hazard(script, pace=ONE_DOOR)


def test_two_who_do_not_part_are_sent_to_the_desk() -> None:
    async def script(scene: Scene) -> None:
        await scene.step_up()
        await beside(scene)
        await scene.until(lambda: scene.lane.is_asking_for(KioskStep.GO_TO_DESK), "they are sent to the desk")
        assert scene.openings(Door.EXIT) == []
        scene.world.clear()
        await scene.serves_again()
        assert scene.told(EventType.CROSSING_ENDED)[0]["reasons"] == ["not_exactly_one"]

    play_hazard(script, pace=ONE_DOOR)


def test_a_release_is_void_when_another_stands_there() -> None:
    """Officers release the one that they saw; that one steps out, another in: the exit stays shut, the other one is looked at."""

    async def script(scene: Scene) -> None:
        walker = await scene.step_up(IMPOSTOR)
        await scene.until_state(State.REFERRED)
        kept_back = scene.sign_release()
        walker.walk_to(OUTSIDE_MM)
        await scene.until(lambda: walker.is_there, "the first one is out")
        scene.world.remove(walker)
        other = await beside(scene, LINE_MM)
        scene.hub.replay(kept_back)
        await scene.until_state(State.REFERRED)
        scene.hub.replay(kept_back)
        await scene.never(lambda: not scene.is_shut(Door.EXIT), "the exit opened for another", 1.0)
        assert scene.judge.spent == []
        other.walk_to(OUTSIDE_MM)
        await scene.until(lambda: other.is_there, "the other one is out")
        scene.world.clear()
        await scene.serves_again()

    play_hazard(script, pace=ONE_DOOR)


def test_a_guard_whose_stays_outlive_the_count_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same before the other one's face is judged, so that nothing but the guard knows: cut its rule out, and the judge sees it."""

    async def script(scene: Scene) -> None:
        walker = await scene.step_up(IMPOSTOR)
        await scene.until_state(State.REFERRED)
        kept_back = scene.sign_release()
        walker.walk_to(OUTSIDE_MM)
        await scene.until(lambda: walker.is_there, "the first one is out")
        scene.world.remove(walker)
        await scene.pause(0.5)
        scene.world.add_person(OUTSIDE_MM, speed_mm_s=4 * FAST_MM_S).walk_to(LINE_MM)
        await scene.until_state(State.OCCUPIED)
        scene.hub.replay(kept_back)
        await scene.pause(1.0)
        scene.world.clear()
        await scene.serves_again()

    def only_the_exit(self: Guard, facts: SensorFacts) -> None:
        if not self._has_stay:
            self._begin_stay()

    play_hazard(script, pace=ONE_DOOR)
    monkeypatch.setattr(Guard, "_observe_approach", only_the_exit)
    with pytest.raises(AssertionError, match="another one than stood there"):
        play_hazard(script, pace=ONE_DOOR)


def test_somebody_who_runs_in_while_the_exit_is_open_is_an_alarm() -> None:
    async def script(scene: Scene) -> None:
        await scene.step_up()
        await scene.until(lambda: scene.is_open(Door.EXIT), "the exit opens")
        scene.world.add_person(OUTSIDE_MM, speed_mm_s=FAST_MM_S).walk_to(LINE_MM - 600.0)
        await scene.until_state(State.ALARM, within_s=2.0)
        await scene.until(lambda: scene.is_shut(Door.EXIT), "the exit shuts")
        assert scene.told(EventType.ALARM_RAISED)[0]["reason"] == "tailgating"
        assert len(scene.judge.spent) == 1
        scene.world.clear()
        await scene.serves_again()

    play_hazard(script, pace=ONE_DOOR)


def test_somebody_who_slips_through_the_closing_exit_is_an_alarm() -> None:
    """The released one is out and the doorway free; before the leaf is shut somebody holds it, and the board gives way."""

    async def script(scene: Scene) -> None:
        walker = await scene.step_up()
        await scene.until(lambda: scene.is_open(Door.EXIT), "the exit opens")
        walker.walk_to(3_400.0, 4_000.0)
        await scene.until_state(State.LEAVING)
        await scene.until(lambda: walker.body.back_mm > 2_700.0, "the doorway is free")
        follower = scene.world.add_person(2_150.0, speed_mm_s=FAST_MM_S)
        follower.walk_to(2_600.0)
        await scene.until_state(State.ALARM)
        assert scene.told(EventType.ALARM_RAISED)[0]["reason"] == "tailgating"
        scene.world.clear()
        await scene.serves_again()

    play_hazard(script, pace=ONE_DOOR)


def test_nobody_answers_and_the_stay_ends_without_any_door() -> None:
    async def script(scene: Scene) -> None:
        walker = await scene.step_up(IMPOSTOR)
        await scene.until_state(State.REFERRED)
        await scene.until(
            lambda: scene.lane.is_asking_for(KioskStep.WALK_BACK), "they are told to go", POLICY.inside_limit_ms / 1000
        )
        await scene.until_state(State.READY)
        assert scene.openings(Door.EXIT) == []
        ended = scene.told(EventType.CROSSING_ENDED)[0]
        assert (ended["outcome"], ended["reasons"][-1]) == ("sent_back", "inside.limit")
        scene.world.remove(walker)
        await scene.serves_again()

    play_hazard(script, pace=ONE_DOOR)


def test_a_bag_that_was_left_is_an_alarm_after_a_while() -> None:
    async def script(scene: Scene) -> None:
        walker = await scene.step_up()
        scene.world.add_bag(carried_by=walker)
        await scene.until(lambda: scene.is_open(Door.EXIT), "the exit opens")
        walker.drop_bag()
        await scene.leave_by(Door.EXIT, walker)
        await scene.until_state(State.ALARM)
        assert scene.told(EventType.ALARM_RAISED)[0]["reason"] == "left_object"
        scene.world.clear()
        await scene.serves_again()

    play_hazard(script, pace=ONE_DOOR)


def test_fire_frees_the_exit_and_the_lane_serves_again() -> None:
    async def script(scene: Scene) -> None:
        walker = await scene.step_up(IMPOSTOR)
        scene.judge.note_cause("fire")
        scene.judge.note_cause("evacuation")
        scene.board.raise_fire()
        await scene.leave_by(Door.EXIT, walker)
        assert scene.state is State.EVACUATING
        scene.board.clear_fire()
        await scene.serves_again()

    play_hazard(script, pace=ONE_DOOR)


@pytest.mark.parametrize(("has_entry", "reason"), [(True, "needs_two_doors"), (False, "has_no_entry")])
def test_settings_and_board_that_do_not_agree_are_a_fault(has_entry: bool, reason: str) -> None:
    """Neither is taken for the other: no document is read, and a release that is good in all else opens nothing."""

    async def script(scene: Scene) -> None:
        scene.shift.pace = replace(WALKING, policy=replace(POLICY, has_entry=has_entry))
        scene.shift.start_lane()
        await scene.until_state(State.FAULT)
        scene.shift.officers.are_there = True
        walker = scene.world.add_person(LINE_MM)
        scene.shift.sight.place(HONEST)
        await scene.never(lambda: scene.state is State.READING_DOCUMENT, "a document was read", 3.0)
        assert scene.openings(Door.EXIT) == []
        assert {"device": "entry_door", "reason": f"this_lane_{reason}"} in scene.told(EventType.FAULT_RAISED)
        walker.walk_to(OUTSIDE_MM)

    board_of = ONE_DOOR if has_entry else WALKING
    play_hazard(script, pace=board_of, is_ready=False)


def test_the_world_of_one_door_counts_who_stands_in_the_approach() -> None:
    world = LaneWorld(has_entry=False)
    world.add_person(50.0)
    assert world.people_inside() == 0
    world.add_person(150.0)
    world.add_person(2_600.0)
    assert world.people_inside() == 1
