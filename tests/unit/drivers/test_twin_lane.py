"""The simulated lane is physics: doors stop people, people stop doors, and the curtain sees shadows, not truths."""

from __future__ import annotations

import pytest

from drivers.lane_io.interface import Door
from simulator.curtain import Passage, PassageSense, clusters, count_people
from simulator.world import LaneWorld, Walker

INSIDE = range(2, 26)


def run(world: LaneWorld, ms: int) -> None:
    for _ in range(ms // 10):
        world.step(10)


def count(world: LaneWorld) -> int:
    cuts = tuple(cut for leaf, cut in ((world.entry, INSIDE.start), (world.exit, INSIDE.stop)) if leaf.position <= 0.02)
    return count_people(world.beams, inside=INSIDE, cuts=cuts, beam_count=len(world.beams_mm))


def open_door(world: LaneWorld, door: Door) -> None:
    leaf = world.leaf(door)
    leaf.is_locked, leaf.motor = False, 1


def test_shut_door_stops_a_walker_however_long_they_push() -> None:
    world = LaneWorld()
    walker = world.add_person()
    walker.walk_to(1500)
    run(world, 5000)
    assert walker.body.front_mm <= 0
    assert count(world) == 0
    open_door(world, Door.ENTRY)
    run(world, 3000)
    assert walker.is_there
    assert count(world) == 1


def test_locked_leaf_does_not_move_until_forced() -> None:
    world = LaneWorld()
    world.exit.motor = 1
    run(world, 1000)
    assert world.exit.position == 0
    world.exit.is_pushed = True
    run(world, 1000)
    assert world.exit.position == 1


def test_leaf_takes_its_time_and_stops_at_a_body() -> None:
    world = LaneWorld()
    open_door(world, Door.ENTRY)
    run(world, 250)
    assert world.entry.position == pytest.approx(0.5, abs=0.03)
    run(world, 300)
    assert world.entry.position == 1
    walker = world.add_person(0)
    world.entry.motor = -1
    run(world, 2000)
    assert world.entry.is_touching
    assert world.entry.position >= 0.3
    walker.walk_to(1000)
    run(world, 2000)
    assert world.entry.position == 0


def test_person_standing_anywhere_inside_is_one() -> None:
    for x_mm in range(200, 2201):
        world = LaneWorld()
        world.add_person(x_mm)
        assert count(world) == 1, x_mm


def test_bag_anywhere_is_unclear_but_nobody() -> None:
    for x_mm in range(100, 2301):
        world = LaneWorld()
        world.add_bag(x_mm)
        assert world.beams != 0, x_mm
        assert count(world) == 0, x_mm


def test_follower_is_a_second_person_at_a_distance_and_pressed_close() -> None:
    for gap_mm in (0.0, 20.0, 120.0, 400.0):
        world = LaneWorld()
        open_door(world, Door.ENTRY)
        first, second = world.add_person(-300), world.add_person(-900)
        second.gap_mm = gap_mm
        first.walk_to(1600)
        second.walk_to(1600)
        run(world, 5000)
        assert first.body.back_mm - second.body.front_mm == pytest.approx(gap_mm, abs=1)
        assert (count(world), world.people_inside()) == (2, 2)


def test_two_abreast_are_two_unless_one_hides_exactly_behind_the_other() -> None:
    world = LaneWorld()
    world.add_person(1000)
    world.add_person(1250)
    assert count(world) == 2
    hidden = LaneWorld()
    hidden.add_person(1000)
    hidden.add_person(1000)
    assert (count(hidden), hidden.people_inside()) == (1, 2)


def test_person_outside_a_shut_door_is_not_one_inside() -> None:
    world = LaneWorld()
    world.add_person(-230)
    world.add_person(230)
    assert count(world) == 1


def test_bag_is_carried_dropped_and_left() -> None:
    world = LaneWorld()
    walker = world.add_person(500)
    bag = world.add_bag(carried_by=walker)
    walker.walk_to(1000)
    run(world, 1000)
    assert bag.x_mm == walker.body.x_mm
    assert walker.drop_bag() is bag
    walker.walk_to(2000)
    run(world, 2000)
    assert (bag.x_mm, walker.body.x_mm) == (1000, pytest.approx(2000))
    world.remove(walker)
    assert world.bodies == [bag]
    world.remove(bag)
    assert world.beams == 0


def test_walker_sent_back_goes_back() -> None:
    world = LaneWorld()
    open_door(world, Door.ENTRY)
    walker: Walker = world.add_person(1000)
    walker.walk_to(-800)
    run(world, 3000)
    assert walker.is_there
    walker.stand()
    assert walker.is_there


def test_lane_too_long_for_a_curtain_is_refused() -> None:
    with pytest.raises(ValueError, match="up to 64 beams"):
        LaneWorld(length_mm=6500)


def test_clusters_are_cut_where_a_shut_door_stands() -> None:
    assert clusters(0b1110111, (), 8) == [range(3), range(4, 7)]
    assert clusters(0b1111, (2,), 4) == [range(2), range(2, 4)]
    assert clusters(0, (), 8) == []


@pytest.mark.parametrize(
    ("beams", "said"),
    [
        ([0b01, 0b11, 0b10, 0], Passage.FORWARD),
        ([0b10, 0b11, 0b01, 0], Passage.BACK),
        ([0b01, 0b11, 0b01, 0], None),
        ([0b01, 0, 0b10, 0], None),
        ([0b01, 0b11, 0b10, 0b11, 0b10, 0], Passage.FORWARD),
    ],
)
def test_passage_is_told_by_the_order_of_two_beams(beams: list[int], said: Passage | None) -> None:
    sense = PassageSense(first_beam=4)
    assert [sense.see(pair << 4) for pair in beams][-1] is said
