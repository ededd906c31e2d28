"""Machine, guard, executor and the board's twin together, under everything that people, lines, clocks and officers do.

After every ten milliseconds: the exit has opened only on an unspent, valid release for this stay that the guard spent on it; no
two doors are open outside fire, power loss and evacuation; no release is spent twice. At the end of every run, with everything
repaired and the lane empty, officers bring it back into service. And nobody is trapped. All of it is played in a lane of two doors and in
a walk-through lane of one.
"""

from collections import Counter
from collections.abc import Callable
from typing import ClassVar

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)
from twin_kit import ONE_DOOR, POLICY, TICK_MS, Hub, TwinLane

from drivers.lane_io.interface import Door
from gate.core import events as on
from gate.core.release import VerifiedEvacuation, VerifiedRelease
from gate.core.state import LanePolicy, State
from gate.wire.messages import Act
from gate.wire.signing import Refused, SigningKey, VerifiedCommand
from simulator.board_model import BoardFault
from simulator.world import Walker

HAZARDS = ("press_estop", "release_estop", "raise_fire", "clear_fire", "fail_power", "restore_power")
MOST_WALKERS = 3


Happening = Callable[["LifeOfALane"], object]


# -- what may happen at any moment -------------------------------------------------------------------------------------


def event(name: on.Event) -> Happening:
    return lambda life: life.lane.put(name)


def hazard(name: str) -> Happening:
    return lambda life: getattr(life.lane.board, name)()


def forced(door: Door, ms: int) -> Happening:
    def act(life: "LifeOfALane") -> None:
        life.lane.board.force_door(door)
        life.lane.run(ms)
        life.lane.board.let_go(door)

    return act


def somebody(x_mm: int, target_mm: int) -> Happening:
    """One more person, outside unless the lane's doors are open to them."""

    def act(life: "LifeOfALane") -> None:
        if len(life.lane.world.walkers) < MOST_WALKERS:
            life.lane.world.add_person(x_mm).walk_to(target_mm)

    return act


def everybody_walks(target_mm: int) -> Happening:
    def act(life: "LifeOfALane") -> None:
        for walker in life.lane.world.walkers:
            walker.walk_to(target_mm)

    return act


def bag_left(length_mm: float) -> Happening:
    def act(life: "LifeOfALane") -> None:
        world = life.lane.world
        if world.walkers and len(world.bodies) < 2 * MOST_WALKERS:
            world.add_bag(length_mm=length_mm, carried_by=world.walkers[0])
            world.walkers[0].drop_bag()

    return act


def release_for_this_stay(life: "LifeOfALane") -> None:
    life.release(life.lane.issue())


def message_again(life: "LifeOfALane") -> None:
    for token in life.tokens[-2:]:
        assert isinstance(life.lane.receive(token), Refused)


def release_again(which: int) -> Happening:
    """As a bug of ours would: past the verifier, straight to guard and machine."""

    def act(life: "LifeOfALane") -> None:
        for release in life.releases[which:][:1]:
            life.lane.hand_in(release)

    return act


def release_for_stay(name: str) -> Happening:
    return lambda life: life.release(life.lane.issue(occupancy_id=name))


def release_for_another_lane(life: "LifeOfALane") -> None:
    token = life.lane.issue(life.foreign)
    assert isinstance(life.lane.hub.verify(token), Refused)
    life.release(token, life.foreign)


def forged_release(life: "LifeOfALane") -> None:
    assert isinstance(life.lane.receive(life.lane.issue(life.forger)), Refused)


def late_release(lifetime_ms: int, delay_ms: int) -> Happening:
    def act(life: "LifeOfALane") -> None:
        release = life.lane.hub.verify(life.lane.issue(lifetime_s=lifetime_ms / 1000))
        assert isinstance(release, VerifiedCommand)
        assert release.release is not None
        life.lane.note(release.release)
        life.lane.run(delay_ms)
        life.lane.hand_in(release.release)

    return act


def clock_set(minutes: int) -> Happening:
    return lambda life: life.lane.clock.jump_utc_ms(minutes * 60_000)


def acknowledged(life: "LifeOfALane") -> None:
    life.lane.acknowledge()


def evacuation_ordered(life: "LifeOfALane") -> None:
    verified = life.lane.hub.verify(life.lane.hub.sign(Act.EVACUATE, occupancy_id=None))
    if isinstance(verified, VerifiedCommand):
        assert isinstance(verified.evacuation, VerifiedEvacuation)
        life.lane.guard.order_evacuation(verified.evacuation)
        life.lane.put(on.EvacuationOrdered(by="ann"))


def broken(fault: BoardFault) -> Happening:
    return lambda life: life.lane.board.inject(fault)


def line_cut(life: "LifeOfALane") -> None:
    life.lane.is_line_cut = True


def camera_blind(life: "LifeOfALane") -> None:
    life.lane.is_camera_blind = True


def repaired(life: "LifeOfALane") -> None:
    life.lane.heal_all()


def later(ms: int) -> Happening:
    return lambda life: life.lane.run(ms)


HAPPENINGS: dict[str, Happening] = {
    "sent back": event(on.SentBack(by="ann")),
    "evacuation ended": event(on.EvacuationEnded(by="ann")),
    "document removed": event(on.DocumentRemoved()),
    "out of service": event(on.TakenOutOfService(by="ann")),
    "in service": event(on.PutInService(by="ann")),
    "referred": event(on.CrossingReferred(reasons=("face.match",), roles=("border",))),
    "one more from outside": somebody(-1100, 900),
    "one rushes through": somebody(-700, 3000),
    "one comes in by the exit": somebody(3000, 1200),
    "all go back": everybody_walks(-700),
    "all go on": everybody_walks(3000),
    "all stand in the entry": everybody_walks(0),
    "all stand in the exit": everybody_walks(2400),
    "all stand at the line": everybody_walks(1200),
    "a small bag": bag_left(150.0),
    "a large bag": bag_left(350.0),
    "released": release_for_this_stay,
    "message again": message_again,
    "first release again": release_again(0),
    "last release again": release_again(-1),
    "last but one again": release_again(-2),
    "release for stay b-0": release_for_stay("b-0"),
    "release of another boot": release_for_stay("a-1"),
    "release of another lane": release_for_another_lane,
    "forged release": forged_release,
    "expired release": late_release(200, 300),
    "release in its last moment": late_release(200, 50),
    "clock back": clock_set(-5),
    "clock on": clock_set(5),
    "acknowledged": acknowledged,
    "evacuation ordered": evacuation_ordered,
    "line cut": line_cut,
    "camera blind": camera_blind,
    "repaired": repaired,
    "a moment": later(60),
    "a while": later(700),
    "some time": later(2500),
    **{name: hazard(name) for name in HAZARDS},
    **{f"{door.value} forced {ms} ms": forced(door, ms) for door in Door for ms in (50, 700)},
    **{fault.value: broken(fault) for fault in BoardFault},
}
ANYTHING = st.sampled_from(sorted(HAPPENINGS))


class LifeOfALane(RuleBasedStateMachine):
    """Crossings by the book, into which anything may come at any step; and anything between them."""

    seen: ClassVar[Counter[str]] = Counter()
    policy: ClassVar[LanePolicy] = POLICY

    def __init__(self) -> None:
        super().__init__()
        self.lane = TwinLane(policy=self.policy)
        self.foreign = Hub(self.lane.clock, "port/lane-2")
        self.forger = Hub(self.lane.clock, key=SigningKey.generate())
        self.tokens: list[str] = []
        self.releases: list[VerifiedRelease] = []

    @initialize()
    def first(self) -> None:
        self.lane.until(State.READY)

    @rule(where=st.lists(st.tuples(st.integers(0, 5), ANYTHING), min_size=1, max_size=2))
    def a_crossing(self, where: list[tuple[int, str]]) -> None:
        """Document, door 1, inside, release, door 2, out; ``where`` says what happens before which of these."""
        lane = self.lane
        if lane.state.name is not State.READY or lane.world.bodies:
            self.a_lane_made_well()
        walker = lane.world.add_person(-600)
        steps: tuple[Callable[[], object], ...] = (
            lambda: lane.put(on.DocumentPlaced()),
            lambda: (lane.put(on.EntryAdmitted()), walker.walk_to(1200), lane.run(800)),
            lambda: lane.run(1200, lambda: lane.state.name is State.OCCUPIED),
            lambda: (lane.run(100), self.release(lane.issue()), lane.run(150)),
            lambda: (walker.walk_to(3000), lane.run(900)),
            lambda: lane.run(1700, lambda: lane.state.name is State.READY),
        )
        for number, step in enumerate(steps):
            for phase, name in where:
                if phase == number:
                    HAPPENINGS[name](self)
            step()
        lane.world.remove(walker)

    @rule(name=ANYTHING)
    def anything(self, name: str) -> None:
        HAPPENINGS[name](self)

    @rule(ticks=st.sampled_from([1, 5, 20, 60, 120]))
    def time_passes(self, ticks: int) -> None:
        self.lane.run(ticks * TICK_MS)

    @rule()
    def a_long_time_passes(self) -> None:
        self.lane.run(POLICY.inside_limit_ms + 500)

    @invariant()
    def the_notebook_agrees(self) -> None:
        self.lane.judge()

    def release(self, token: str, hub: Hub | None = None) -> VerifiedRelease | Refused:
        release = self.lane.receive(token, hub)
        if isinstance(release, VerifiedRelease):
            self.releases.append(release)
            self.tokens.append(token)
        return release

    def a_lane_made_well(self) -> None:
        """With all repaired, everybody gone and officers who do their part, the lane serves again."""
        lane = self.lane
        lane.heal_all()
        lane.world.clear()
        lane.run(1000)
        for _ in range(12):
            lane.put(on.EvacuationEnded(by="ann"))
            lane.put(on.PutInService(by="ann"))
            if lane.state.name is State.REFERRED:
                lane.put(on.SentBack(by="ann"))
            lane.acknowledge()
            if lane.run(2000, lambda: lane.state.name is State.READY):
                return
        raise AssertionError(f"the lane does not recover: {lane.state}, {lane.states[-8:]}, {lane.vetoes[-4:]}")

    def teardown(self) -> None:
        self.a_lane_made_well()
        self.seen.update(self.lane.states)
        self.seen["exit by token"] += sum(1 for o in self.lane.board.openings if o.reason == "token")
        self.seen.update(f"veto {rule}" for rule in self.lane.vetoes)


QUICK = settings(
    derandomize=True,
    database=None,
    max_examples=12,
    stateful_step_count=8,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)


class LifeOfAWalkThrough(LifeOfALane):
    """The same in a lane of one door: people walk in whenever they like."""

    seen: ClassVar[Counter[str]] = Counter()
    policy: ClassVar[LanePolicy] = ONE_DOOR


KINDS = [LifeOfALane, LifeOfAWalkThrough]


@pytest.mark.parametrize(("life", "examples"), [(LifeOfALane, 25), (LifeOfAWalkThrough, 15)])
def test_nothing_opens_that_should_not_and_every_lane_recovers(life: type[LifeOfALane], examples: int) -> None:
    life.seen.clear()
    run_state_machine_as_test(life, settings=settings(QUICK, max_examples=examples))
    assert life.seen["exit by token"] >= 5, "the runs did not come as far as an exit"
    assert sum(life.seen[name] > 0 for name in State) >= 9, "the runs hardly left the way by the book"


@pytest.mark.long
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("life", KINDS)
def test_the_same_for_a_long_time(life: type[LifeOfALane]) -> None:
    run_state_machine_as_test(
        life, settings=settings(QUICK, derandomize=False, max_examples=2000, stateful_step_count=25)
    )


# -- nobody is trapped -------------------------------------------------------------------------------------------------


def goes_back(lane: TwinLane, walker: Walker, ms: int) -> bool:
    walker.walk_to(-700)
    return lane.run(ms, lambda: walker.body.front_mm < 0)


def referred(lane: TwinLane) -> None:
    lane.until(State.REFERRED)


def with_company(lane: TwinLane) -> None:
    lane.put(on.CompanyDetected(person_count=2))
    lane.until(State.ALARM)


def with_a_dead_camera(lane: TwinLane) -> None:
    lane.put(on.DeviceFailed(device="face_camera", reason="silent"))
    lane.until(State.FAULT)


def with_a_dead_camera_on_the_way_back(lane: TwinLane) -> None:
    lane.put(on.SentBack(by="ann"))
    lane.run(1000)
    lane.put(on.DeviceFailed(device="face_camera", reason="silent"))
    lane.run(100)


def released_before_a_stuck_exit(lane: TwinLane) -> None:
    lane.run(200)
    lane.world.exit.is_stuck = True
    lane.receive(lane.issue())
    lane.until(State.CLEARED)
    lane.run(200)
    lane.world.exit.is_stuck = False


def alone(lane: TwinLane) -> None:
    lane.run(100)


@pytest.mark.parametrize(
    "trouble",
    [
        alone,
        referred,
        with_company,
        with_a_dead_camera,
        with_a_dead_camera_on_the_way_back,
        released_before_a_stuck_exit,
    ],
)
def test_without_any_officer_the_way_back_opens_within_the_limit(trouble: Callable[[TwinLane], None]) -> None:
    lane = TwinLane()
    walker = lane.let_in()
    exits = len([o for o in lane.board.openings if o.door is Door.EXIT])
    trouble(lane)
    assert goes_back(lane, walker, POLICY.inside_limit_ms + POLICY.exit_timeout_ms), lane.state
    if trouble is not released_before_a_stuck_exit:
        assert len([o for o in lane.board.openings if o.door is Door.EXIT]) == exits, "the way back, never the way on"


def test_a_host_that_falls_silent_holds_and_the_way_back_opens_after_an_officer_saw_to_it() -> None:
    lane = TwinLane()
    walker = lane.let_in()
    lane.is_line_cut = True
    lane.run(3000)
    assert lane.state.name is State.FAULT
    assert lane.world.entry.is_locked
    assert lane.world.exit.is_locked
    lane.is_line_cut = False
    lane.run(1000)
    assert not goes_back(lane, walker, 1000), "the board holds until somebody has looked"
    lane.acknowledge()
    assert goes_back(lane, walker, POLICY.inside_limit_ms + 4000), lane.state


@pytest.mark.parametrize("hazard", ["raise_fire", "fail_power"])
def test_fire_and_power_loss_free_the_exit_even_with_the_host_gone(hazard: str) -> None:
    lane = TwinLane()
    walker = lane.let_in()
    lane.is_line_cut = True
    getattr(lane.board, hazard)()
    walker.walk_to(3000)
    assert lane.run(4000, lambda: not lane.world.is_inside(walker.body))
    assert {o.reason for o in lane.board.openings if o.door is Door.EXIT} == {hazard.split("_")[1]}


def test_an_evacuation_order_that_the_line_lost_is_given_again() -> None:
    lane = TwinLane()
    lane.let_in()
    verified = lane.hub.verify(lane.hub.sign(Act.EVACUATE, occupancy_id=None))
    assert isinstance(verified, VerifiedCommand)
    assert verified.evacuation is not None
    lane.board.inject(BoardFault.GARBLE, 0.9)
    lane.guard.order_evacuation(verified.evacuation)
    lane.put(on.EvacuationOrdered(by="ann"))
    lane.run(450)
    assert not lane.firmware.is_evacuating
    lane.board.heal(BoardFault.GARBLE)
    assert lane.run(2000, lambda: lane.world.entry.position > 0.9 and lane.world.exit.position > 0.9)


def test_an_evacuation_whose_end_the_line_lost_is_ended_all_the_same() -> None:
    life = LifeOfALane()
    life.first()
    evacuation_ordered(life)
    lane = life.lane
    assert lane.run(2000, lambda: lane.firmware.is_evacuating)
    lane.put(on.EvacuationEnded(by="ann"))
    lane.is_line_cut = True
    lane.acknowledge()
    lane.until(State.STARTING)
    lane.run(1500)
    assert lane.firmware.is_evacuating
    life.a_lane_made_well()
    assert lane.world.exit.is_locked


def test_a_host_that_restarts_in_an_evacuation_does_not_end_it() -> None:
    lane = TwinLane()
    lane.until(State.READY)
    lane.firmware.is_evacuating = True
    lane.put(on.TakenOutOfService(by="ann"))
    lane.put(on.PutInService(by="ann"))
    lane.run(4000)
    assert lane.state.name is State.STARTING
    assert lane.firmware.is_evacuating
    assert lane.world.exit.position == 1.0


# -- what may come late, twice or from elsewhere -----------------------------------------------------------------------


def test_a_crossing_by_the_book_and_the_same_release_again() -> None:
    lane = TwinLane()
    walker = lane.let_in()
    lane.run(200)
    release = lane.receive(lane.issue())
    assert isinstance(release, VerifiedRelease)
    lane.until(State.CLEARED)
    walker.walk_to(3000)
    lane.until(State.READY)
    lane.world.remove(walker)
    second = lane.let_in()
    lane.run(200)
    lane.hand_in(release)
    lane.run(300)
    assert lane.vetoes == ["release_other_stay"]
    assert lane.state.name is State.REFERRED
    assert len(lane.spent) == 1
    assert lane.world.is_inside(second.body)


def test_the_boards_token_is_not_good_after_somebody_else_was_seen() -> None:
    """The third veto: between the host's last report and its command the lane changes, and the board refuses."""
    lane = TwinLane()
    lane.let_in()
    lane.run(200)
    token = lane.sensing.last.exit_token if lane.sensing.last else None
    lane.world.add_person(600)
    lane.tick()
    assert lane.firmware.exit_token != token


def test_two_who_walk_in_together_are_an_alarm_and_no_release_opens() -> None:
    lane = TwinLane()
    lane.until(State.READY)
    lane.put(on.DocumentPlaced())
    lane.put(on.EntryAdmitted())
    for x_mm in (-600, -1100):
        lane.world.add_person(x_mm).walk_to(1400 + x_mm / 2)
    lane.until(State.ALARM)
    lane.receive(lane.issue())
    lane.run(500)
    assert not lane.spent
