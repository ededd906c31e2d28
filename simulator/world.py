"""The lane as physics: two doors that take time, bodies that walk and lie, beams that they break.

Pure and deterministic: no threads, no clock but `step(dt_ms)`. Positions are millimetres along the lane; the entry
door stands at 0, the exit door at `length_mm`, travellers come from below 0. The board's firmware reads beams and leaf
positions and drives motors; it never sees bodies.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from math import ceil, floor

from drivers.lane_io.interface import Door

_DOOR_HALF_DEPTH_MM = 50.0
_PASSABLE_RATIO = 0.8
_TOUCH_RATIO = 0.3
_DOORWAY_SLACK_MM = 1.0
WALKING_MM_S = 1200.0
_OVER_THE_LINE_MM = 100.0
"""So far in must the middle of somebody be who stands in an open approach, where no door says who is in."""
MOST_BEAMS = 64


class BodyKind(StrEnum):
    PERSON = "person"
    BAG = "bag"


@dataclass(slots=True, kw_only=True, eq=False)
class Body:
    """Something that breaks beams. `x_mm` is its middle."""

    kind: BodyKind
    x_mm: float
    length_mm: float

    @property
    def back_mm(self) -> float:
        return self.x_mm - self.length_mm / 2

    @property
    def front_mm(self) -> float:
        return self.x_mm + self.length_mm / 2


@dataclass(slots=True, kw_only=True, eq=False)
class Leaf:
    """One door: 0 is shut, 1 is open. The motor pulls towards either end, a lock holds it shut."""

    door: Door
    x_mm: float
    open_ms: float = 500.0
    close_ms: float = 700.0
    position: float = 0.0
    motor: int = 0
    """+1 opening, -1 closing, 0 off."""
    is_locked: bool = True
    is_stuck: bool = False
    """Something mechanical keeps the leaf where it is, whatever pulls."""
    is_pushed: bool = False
    """Somebody forces the leaf open by hand, harder than lock and motor."""
    is_touching: bool = False
    """The closing leaf is stopped by a body: what a door's safety edge reports."""

    @property
    def encoder_permille(self) -> int:
        """What the leaf's encoder says: 0 and 1000 only at the very ends, which are switches."""
        if self.position <= 0.0:
            return 0
        return 1000 if self.position >= 1.0 else max(1, min(999, round(self.position * 1000)))

    def step(self, dt_ms: float, is_occupied: bool) -> None:
        self.is_touching = False
        if self.is_stuck:
            return
        if self.is_pushed:
            self.position = min(1.0, self.position + dt_ms / self.open_ms)
            return
        if self.motor > 0 and not self.is_locked:
            self.position = min(1.0, self.position + dt_ms / self.open_ms)
        elif self.motor < 0:
            target = max(0.0, self.position - dt_ms / self.close_ms)
            # A leaf cannot pass through who stands in it; one already nearer than a body's edge stays there.
            if is_occupied and target < _TOUCH_RATIO:
                self.is_touching = True
                target = min(self.position, _TOUCH_RATIO)
            self.position = target


@dataclass(slots=True, kw_only=True, eq=False)
class Walker:
    """A person who goes where told, waits at shut doors and behind others, and may carry a bag."""

    body: Body
    target_mm: float
    speed_mm_s: float = WALKING_MM_S
    bag: Body | None = None
    gap_mm: float = 120.0
    """Kept to whoever is ahead: over one beam's pitch by default; a tailgater presses closer."""

    def walk_to(self, x_mm: float, speed_mm_s: float | None = None) -> None:
        self.target_mm = x_mm
        if speed_mm_s is not None:
            self.speed_mm_s = speed_mm_s

    def stand(self) -> None:
        self.target_mm = self.body.x_mm

    @property
    def is_there(self) -> bool:
        return abs(self.body.x_mm - self.target_mm) < 1.0

    def drop_bag(self) -> Body | None:
        """Leaves the bag where the person is now; returns it."""
        bag, self.bag = self.bag, None
        return bag


@dataclass(slots=True, kw_only=True)
class LaneWorld:
    """Geometry, doors and bodies of one lane. By default 28 beams 100 mm apart: two before, 24 inside, two behind."""

    length_mm: float = 2400.0
    pitch_mm: float = 100.0
    outside_beams: int = 2
    has_entry: bool = True
    """False: a lane of one door, which anybody may walk into."""
    now_ms: float = 0.0
    bodies: list[Body] = field(default_factory=list)
    walkers: list[Walker] = field(default_factory=list)
    entry: Leaf = field(init=False)
    exit: Leaf = field(init=False)
    beams_mm: tuple[float, ...] = field(init=False)

    def __post_init__(self) -> None:
        self.entry = Leaf(door=Door.ENTRY, x_mm=0.0)
        self.exit = Leaf(door=Door.EXIT, x_mm=self.length_mm)
        if not self.has_entry:
            self.entry.position, self.entry.is_locked, self.entry.is_stuck = 1.0, False, True
        count = round(self.length_mm / self.pitch_mm) + 2 * self.outside_beams
        if count > MOST_BEAMS:
            raise ValueError(f"a light curtain has up to {MOST_BEAMS} beams, this lane would need {count}")
        first_mm = self.pitch_mm / 2 - self.outside_beams * self.pitch_mm
        self.beams_mm = tuple(first_mm + i * self.pitch_mm for i in range(count))

    @property
    def leaves(self) -> tuple[Leaf, Leaf]:
        return self.entry, self.exit

    def leaf(self, door: Door) -> Leaf:
        return self.entry if door is Door.ENTRY else self.exit

    @property
    def beams(self) -> int:
        """Bit i is set while a body breaks beam i."""
        mask, first_mm, last = 0, self.beams_mm[0], len(self.beams_mm) - 1
        for body in self.bodies:
            low = max(0, ceil((body.back_mm - first_mm) / self.pitch_mm))
            high = min(last, floor((body.front_mm - first_mm) / self.pitch_mm))
            if low <= high:
                mask |= (2 << high) - (1 << low)
        return mask

    def add_person(self, x_mm: float = -900.0, *, length_mm: float = 350.0, speed_mm_s: float = WALKING_MM_S) -> Walker:
        body = Body(kind=BodyKind.PERSON, x_mm=x_mm, length_mm=length_mm)
        walker = Walker(body=body, target_mm=x_mm, speed_mm_s=speed_mm_s)
        self.bodies.append(body)
        self.walkers.append(walker)
        return walker

    def add_bag(self, x_mm: float = 0.0, *, length_mm: float = 150.0, carried_by: Walker | None = None) -> Body:
        """A bag on the floor, or in the hands of a person and then hidden by them from the light curtain."""
        bag = Body(kind=BodyKind.BAG, x_mm=carried_by.body.x_mm if carried_by else x_mm, length_mm=length_mm)
        self.bodies.append(bag)
        if carried_by is not None:
            carried_by.bag = bag
        return bag

    def remove(self, thing: Walker | Body) -> None:
        """Takes a person (with what they carry) or a bag out of the world; nothing happens if it has gone already."""
        if isinstance(thing, Walker):
            gone = [thing.body, thing.bag]
            self.walkers = [walker for walker in self.walkers if walker is not thing]
        else:
            gone = [thing]
        self.bodies = [body for body in self.bodies if not any(body is one for one in gone)]

    def clear(self) -> None:
        self.bodies.clear()
        self.walkers.clear()

    def is_inside(self, body: Body) -> bool:
        """Whether any part of the body is between the doors."""
        return body.front_mm > self.entry.x_mm and body.back_mm < self.exit.x_mm

    def people_inside(self) -> int:
        """The truth, for tests and scenarios: how many people stand between the doors, or in the approach of a lane of one."""
        if not self.has_entry:
            return sum(1 for walker in self.walkers if self._is_in_approach(walker.body))
        return sum(1 for walker in self.walkers if self.is_inside(walker.body))

    def _is_in_approach(self, body: Body) -> bool:
        return body.x_mm > self.entry.x_mm + _OVER_THE_LINE_MM and body.back_mm < self.exit.x_mm

    def step(self, dt_ms: float) -> None:
        self.now_ms += dt_ms
        for walker in self.walkers:
            self._walk(walker, dt_ms)
        for leaf in (self.entry, self.exit):
            if leaf.motor == 0 and not leaf.is_pushed:
                leaf.is_touching = False
            else:
                leaf.step(dt_ms, leaf.motor < 0 and self._is_occupied(leaf))

    def _is_occupied(self, leaf: Leaf) -> bool:
        """Whether a body stands where the leaf goes."""
        before_mm, behind_mm = leaf.x_mm - _DOOR_HALF_DEPTH_MM, leaf.x_mm + _DOOR_HALF_DEPTH_MM
        return any(body.front_mm > before_mm and body.back_mm < behind_mm for body in self.bodies)

    def _walk(self, walker: Walker, dt_ms: float) -> None:
        body = walker.body
        stride_mm = walker.speed_mm_s * dt_ms / 1000
        wish_mm = max(-stride_mm, min(stride_mm, walker.target_mm - body.x_mm))
        if wish_mm:
            body.x_mm += self._free_way(body, wish_mm, walker.gap_mm)
        if walker.bag is not None:
            walker.bag.x_mm = body.x_mm

    def _free_way(self, body: Body, wish_mm: float, walker_gap_mm: float) -> float:
        """How much of the wish the doors and the others leave."""
        ahead = 1 if wish_mm > 0 else -1
        edge_mm = body.front_mm if ahead > 0 else body.back_mm
        free_mm = abs(wish_mm)
        for leaf in self.leaves:
            if leaf.position >= _PASSABLE_RATIO:
                continue
            gap_mm = (leaf.x_mm - edge_mm) * ahead - _DOOR_HALF_DEPTH_MM
            # Who already stands in the doorway may step out of it: the leaf stops at them, not they at the leaf.
            if gap_mm > -_DOORWAY_SLACK_MM:
                free_mm = min(free_mm, max(0.0, gap_mm))
        for walker in self.walkers:
            other = walker.body
            if other is body or (other.x_mm - body.x_mm) * ahead <= 0:
                continue
            other_edge_mm = other.back_mm if ahead > 0 else other.front_mm
            free_mm = min(free_mm, max(0.0, (other_edge_mm - edge_mm) * ahead - walker_gap_mm))
        return free_mm * ahead
