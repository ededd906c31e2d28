"""Whatever happens in whatever order, the machine keeps its promises: limits run, latches hold, exits need releases.

Of the lane of two doors, and of the walk-through lane of one.
"""

from dataclasses import replace
from typing import ClassVar

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule
from twin_kit import Hub

from gate.core import effects as do
from gate.core import events as on
from gate.core import machine
from gate.core.clock import ManualClock
from gate.core.effects import Effect
from gate.core.events import Event
from gate.core.state import LanePolicy, State

POLICY = LanePolicy()
ONE_DOOR = LanePolicy(has_entry=False)
COUNTS = st.sampled_from([None, 0, 1, 2])
RELEASE = Hub(ManualClock()).release(occupancy_id="b-1")

ANYTHING: st.SearchStrategy[Event] = st.one_of(
    st.sampled_from(
        [
            on.LaneFoundEmpty(),
            on.TakenOutOfService(by="ann"),
            on.PutInService(by="ann"),
            on.DocumentPlaced(),
            on.DocumentRemoved(),
            on.EntryAdmitted(),
            on.EntryDenied(reasons=("document.expiry",)),
            on.PersonEntered(person_count=1),
            on.PersonLeft(),
            on.CompanyDetected(person_count=2),
            on.CrossingCleared(),
            on.CrossingReferred(reasons=("face.match",), roles=("border",)),
            on.ReleaseVerified(release=RELEASE),
            on.DoorRefused(rule="sensors_stale"),
            on.SentBack(by="ann"),
            on.Acknowledged(by="ann"),
            on.FireRaised(),
            on.FireCleared(),
            on.EvacuationOrdered(by="ann"),
            on.EvacuationEnded(by="ann"),
        ]
    ),
    st.builds(lambda count: on.LaneFoundOccupied(person_count=count, reason="person_inside"), COUNTS),
    st.builds(lambda count: on.EntryShut(person_count=count), COUNTS),
    st.builds(lambda count: on.ExitShut(person_count=count), COUNTS),
    st.builds(
        lambda count, is_shut, is_by_exit: on.CountChanged(
            person_count=count, is_exit_shut=is_shut, is_by_exit=is_by_exit
        ),
        COUNTS,
        st.booleans(),
        st.booleans(),
    ),
    st.just(on.Tailgated()),
    st.builds(lambda door: on.DoorForced(door=door), st.sampled_from(["entry", "exit"])),
    st.builds(lambda name: on.DeviceFailed(device=name, reason="silent"), st.sampled_from(["camera", "board"])),
    st.builds(lambda name: on.DeviceRecovered(device=name), st.sampled_from(["camera", "board"])),
)

ALONG = (
    on.StateTimedOut(generation=0),
    on.LaneFoundEmpty(),
    on.DocumentPlaced(),
    on.EntryAdmitted(),
    on.PersonEntered(person_count=1),
    on.EntryShut(person_count=1),
    on.CountChanged(person_count=1, is_exit_shut=True),
    on.CrossingCleared(),
    on.ReleaseVerified(release=RELEASE),
    on.PersonLeft(),
    on.CountChanged(person_count=0, is_exit_shut=False, is_by_exit=True),
    on.ExitShut(person_count=0),
)


class AnyEvents(RuleBasedStateMachine):
    """Keeps the two timers that a runtime keeps, and a notebook of what was latched and seen to."""

    policy: ClassVar[LanePolicy] = POLICY

    def __init__(self) -> None:
        super().__init__()
        self.state, effects = machine.start(self.policy)
        self.timer: int | None = None
        self.has_limit = False
        self.was_found_empty = False
        self.unseen_faults = False
        self.unseen_alarm = False
        self.ends = 0
        self.begins = 0
        self._note(effects)

    def _note(self, effects: tuple[Effect, ...]) -> None:
        for effect in effects:
            self._note_kind(effect)
            match effect:
                case do.StartStateTimer(generation=generation):
                    self.timer = generation
                case do.StartInsideLimit():
                    self.has_limit = True
                case do.CancelInsideLimit():
                    self.has_limit = False
                case do.BeginCrossing():
                    self.begins += 1
                case do.EndCrossing():
                    self.ends += 1
                case do.OpenExit():
                    assert self.last == on.ReleaseVerified(release=RELEASE)
                case _:
                    pass

    def _note_kind(self, effect: Effect) -> None:
        """What this kind of lane may ask for."""

    def _step(self, event: Event) -> None:
        before = self.state
        self.last = event
        self.state, effects = machine.step(before, event, self.policy)
        if isinstance(event, on.LaneFoundEmpty):
            self.was_found_empty = True
        if isinstance(event, on.PersonEntered | on.CompanyDetected | on.LaneFoundOccupied | on.DoorForced):
            self.was_found_empty = False
        if isinstance(event, on.EntryShut) and event.person_count != 0:
            self.was_found_empty = False
        if isinstance(event, on.DeviceFailed):
            self.unseen_faults = True
        if isinstance(event, on.Acknowledged) and before.name is State.FAULT and not before.faults:
            self.unseen_faults = False
        if self.state.name is State.ALARM and before.name is not State.ALARM:
            self.unseen_alarm = True
        if isinstance(event, on.Acknowledged) and before.name in (State.ALARM, State.LEAVING):
            self.unseen_alarm = False
        self._note(effects)

    @rule(event=ANYTHING)
    def anything(self, event: Event) -> None:
        self._step(event)

    @rule(start=st.integers(0, 7), length=st.integers(1, 12))
    def a_piece_of_a_crossing(self, start: int, length: int) -> None:
        for event in ALONG[start : start + length]:
            is_timer = isinstance(event, on.StateTimedOut)
            self._step(replace(event, generation=self.state.generation) if is_timer else event)

    @rule()
    def the_timer_runs_out(self) -> None:
        if self.timer is not None:
            generation, self.timer = self.timer, None
            self._step(on.StateTimedOut(generation=generation))

    @rule(age=st.integers(1, 50))
    def an_old_timer_runs_out(self, age: int) -> None:
        before = self.state
        self._step(on.StateTimedOut(generation=before.generation - age))
        assert self.state == before

    @rule()
    def the_limit_is_reached(self) -> None:
        if self.has_limit:
            self.has_limit = False
            before = self.state
            self._step(on.InsideLimitReached())
            self._judge_limit(before.name)

    def _judge_limit(self, before: State) -> None:
        if before in (State.OCCUPIED, State.REFERRED, State.CLEARED, State.ALARM, State.FAULT):
            assert (self.state.name, self.state.is_going_back) == (State.LEAVING, True)

    @invariant()
    def whoever_may_be_inside_has_a_limit_or_an_open_way(self) -> None:
        name = self.state.name
        if name in (State.OCCUPIED, State.REFERRED, State.CLEARED):
            assert self.has_limit, name
        if name is State.LEAVING:
            assert self.has_limit or self.state.is_going_back
        if name in (State.ALARM, State.FAULT) and not self.was_found_empty:
            assert self.has_limit, name

    @invariant()
    def nobody_is_held_again_after_the_limit_of_a_stay(self) -> None:
        if self.state.is_limit_spent:
            assert (self.state.name, self.state.is_going_back, self.has_limit) == (State.LEAVING, True, False)

    @invariant()
    def every_state_that_waits_for_the_world_has_a_timer(self) -> None:
        """So that nothing waits for an event that may never come."""
        waits = (
            State.STARTING,
            State.READING_DOCUMENT,
            State.ENTRY_OPEN,
            State.CHECKING,
            State.LEAVING,
            State.CLEARED,
            State.OCCUPIED,
        )
        if self.state.name in waits or (self.state.name is State.EVACUATING and self.state.is_fire):
            assert self.timer == self.state.generation, self.state.name

    @invariant()
    def what_latched_is_never_ready(self) -> None:
        if self.state.name in (State.READY, State.READING_DOCUMENT, State.OUT_OF_SERVICE):
            assert not self.unseen_faults
            assert not self.unseen_alarm
            assert not self.state.faults

    @invariant()
    def every_crossing_ends_once(self) -> None:
        assert self.begins - self.ends == int(self.state.is_crossing)

    @invariant()
    def only_the_way_back_is_the_way_back(self) -> None:
        if self.state.name in (State.OCCUPIED, State.REFERRED, State.CLEARED, State.READY, State.ENTRY_OPEN):
            assert not self.state.is_going_back


class AnyEventsOfAWalkThrough(AnyEvents):
    """Nobody can be shut in, so that no limit opens anything; what is void is the face, as soon as the count is another."""

    policy: ClassVar[LanePolicy] = ONE_DOOR

    def _note_kind(self, effect: Effect) -> None:
        assert not isinstance(effect, do.OpenEntry | do.CloseEntry), "there is no entry"
        match effect:
            case do.CaptureFace():
                self.is_face_asked = True
            case do.VoidStay() | do.BeginCrossing():
                self.is_face_asked = False
            case do.OpenExit():
                assert self.is_face_asked, "the exit was asked for on a face of before"

    is_face_asked = False

    def _judge_limit(self, before: State) -> None:
        if before in (State.ENTRY_OPEN, State.OCCUPIED, State.REFERRED, State.CLEARED):
            assert self.state.name is State.LEAVING
        else:
            assert self.state.name is before, "a limit that nobody waits for does nothing"

    @rule(event=ANYTHING)
    def the_count_is_another(self, event: Event) -> None:
        """Whatever came before: no face is compared, and no release obeyed, for several people."""
        self._step(event)
        self._step(on.CountChanged(person_count=2, is_exit_shut=True))
        assert self.state.name not in (State.OCCUPIED, State.REFERRED, State.CLEARED)

    @invariant()
    def whoever_may_be_inside_has_a_limit_or_an_open_way(self) -> None:
        """Every crossing that waits for people has an end; whoever is not served is free to go."""
        if self.state.name in (State.ENTRY_OPEN, State.OCCUPIED, State.REFERRED, State.CLEARED):
            assert self.has_limit, self.state.name

    @invariant()
    def people_come_and_go_without_an_alarm(self) -> None:
        if self.state.name in (State.READY, State.READING_DOCUMENT):
            for count in (None, 0, 1, 2):
                after, effects = machine.step(
                    self.state, on.CountChanged(person_count=count, is_exit_shut=True), self.policy
                )
                assert (after, effects) == (self.state, ())


TestMachineKeepsItsPromises = AnyEvents.TestCase
TestMachineKeepsItsPromises.settings = settings(
    derandomize=True, max_examples=200, stateful_step_count=40, deadline=None
)
TestWalkThroughKeepsItsPromises = AnyEventsOfAWalkThrough.TestCase
TestWalkThroughKeepsItsPromises.settings = settings(TestMachineKeepsItsPromises.settings, max_examples=60)
