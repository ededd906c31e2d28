"""The desk's visitor walks by the doors alone: in by the entry, out by whichever opens next."""

from collections.abc import Callable

import pytest

from drivers.registry import device_kinds, load_device
from simulator.devices import LINE_MM, SimulatedBoard, Visitor
from simulator.world import LaneWorld


class Hall:
    """A lane whose doors the test moves."""

    def __init__(self) -> None:
        self.world = LaneWorld()
        self.visitor = Visitor(self.world)
        self.visitor.look()

    def doors(self, *, entry: float, exit_: float) -> None:
        for leaf, position in ((self.world.entry, entry), (self.world.exit, exit_)):
            leaf.position, leaf.is_stuck = position, True

    def until(self, condition: Callable[[], bool]) -> None:
        for _ in range(2_000):
            if condition():
                return
            self.visitor.look()
            self.world.step(10)
        pytest.fail("it never came to that")

    def for_a_while(self) -> None:
        for _ in range(500):
            self.visitor.look()
            self.world.step(10)

    @property
    def is_at_the_line(self) -> bool:
        return any(abs(body.x_mm - LINE_MM) < 1 for body in self.world.bodies)

    def walk_in(self) -> None:
        self.doors(entry=1.0, exit_=0.0)
        self.until(lambda: self.is_at_the_line)


def test_nobody_comes_to_a_shut_door() -> None:
    hall = Hall()
    hall.doors(entry=0.0, exit_=0.0)
    hall.for_a_while()
    assert hall.world.bodies == []


def test_one_comes_in_and_stays_at_the_line_while_the_entry_is_still_open() -> None:
    hall = Hall()
    hall.walk_in()
    hall.for_a_while()
    assert hall.is_at_the_line
    assert hall.world.people_inside() == 1


def test_out_by_the_exit() -> None:
    hall = Hall()
    hall.walk_in()
    hall.doors(entry=0.0, exit_=1.0)
    hall.until(lambda: not hall.world.bodies)
    hall.doors(entry=0.0, exit_=0.0)
    hall.for_a_while()
    assert hall.world.bodies == []


def test_back_by_the_entry_when_that_opens_again() -> None:
    hall = Hall()
    hall.walk_in()
    hall.doors(entry=0.0, exit_=0.0)
    hall.for_a_while()
    assert hall.world.people_inside() == 1
    hall.doors(entry=1.0, exit_=0.0)
    furthest = LINE_MM
    for _ in range(100):
        hall.visitor.look()
        hall.world.step(10)
        furthest = max(furthest, *(body.x_mm for body in hall.world.bodies), 0.0)
    assert furthest <= LINE_MM + 1
    hall.until(lambda: not hall.world.bodies)
    hall.for_a_while()
    assert hall.world.bodies == [], "the door that was opened for one to leave by is no invitation to the next"
    hall.doors(entry=0.0, exit_=0.0)
    hall.for_a_while()
    hall.walk_in()


def test_in_an_evacuation_by_the_exit_and_nobody_comes_in() -> None:
    hall = Hall()
    hall.walk_in()
    hall.doors(entry=1.0, exit_=1.0)
    hall.until(lambda: not hall.world.bodies)
    hall.for_a_while()
    assert hall.world.bodies == []


def test_a_site_finds_the_board_by_its_kind() -> None:
    assert "simulated" in device_kinds()
    assert isinstance(load_device("simulated"), SimulatedBoard)
