"""The lanes' tables: every pair is there, every handler is listed for the event it reads, old timers say nothing."""

import ast
import inspect
import itertools
import textwrap

import pytest
from core_kit import EVENTS, ONE_DOOR, POLICY, at, run, step

from gate.core import effects as do
from gate.core import events as on
from gate.core import machine
from gate.core.emergency import Handler
from gate.core.events import EVENT_KINDS, Event
from gate.core.machine import TABLE
from gate.core.state import LanePolicy, LaneState, State
from gate.core.walk_through import WALK_THROUGH

PAIRS = list(itertools.product(State, EVENT_KINDS))
BOTH = pytest.mark.parametrize("policy", [POLICY, ONE_DOOR], ids=["two doors", "one door"])


def test_every_pair_is_listed_and_nothing_else() -> None:
    assert len(State) == 13
    assert len(EVENT_KINDS) == 30
    assert set(TABLE) == set(PAIRS)
    assert set(WALK_THROUGH) == set(PAIRS)
    assert machine.table(POLICY) is TABLE
    assert machine.table(ONE_DOOR) is WALK_THROUGH


def asserted_kind(handler: Handler) -> str | None:
    """The event's class that the handler asserts (``assert isinstance(event, on.X)``), if it does."""
    tree = ast.parse(textwrap.dedent(inspect.getsource(handler)))
    for node in ast.walk(tree):
        if (
            isinstance(node, ast.Assert)
            and isinstance(node.test, ast.Call)
            and isinstance(node.test.args[1], ast.Attribute)
        ):
            return node.test.args[1].attr
    return None


@BOTH
def test_every_handler_is_listed_only_for_the_event_that_it_reads(policy: LanePolicy) -> None:
    readers = {(kind, handler): asserted_kind(handler) for (_, kind), handler in machine.table(policy).items()}
    assert any(name is not None for name in readers.values())
    for (kind, handler), name in readers.items():
        assert name in (None, kind.__name__), f"{handler.__name__} is listed for {kind.__name__}"


@BOTH
@pytest.mark.parametrize("name", State)
def test_every_pair_can_be_stepped_and_a_change_of_state_has_a_new_generation(name: State, policy: LanePolicy) -> None:
    for kind in EVENT_KINDS:
        look_at_pair(name, kind, policy)


def look_at_pair(name: State, kind: type[Event], policy: LanePolicy) -> None:
    before = at(name)
    after, effects = step(before, EVENTS[kind], policy)
    assert after.generation >= before.generation
    if after.name is not before.name:
        assert after.generation == before.generation + 1
    for effect in effects:
        if isinstance(effect, do.StartStateTimer):
            assert effect.generation == after.generation, "a timer that nobody will hear"
            assert effect.duration_ms > 0


@BOTH
@pytest.mark.parametrize("name", State)
@pytest.mark.parametrize("age", [-1, 1, 6])
def test_the_timer_of_another_generation_is_void(name: State, age: int, policy: LanePolicy) -> None:
    before = at(name)
    assert machine.step(before, on.StateTimedOut(generation=before.generation - age), policy) == (before, ())


def test_an_unknown_event_is_a_bug_and_raises() -> None:
    with pytest.raises(KeyError):
        machine.step(LaneState(), "fire", POLICY)  # type: ignore[arg-type]


def test_the_start_assumes_nothing() -> None:
    state, effects = machine.start(POLICY)
    assert state.name is State.STARTING
    assert do.CloseExit() in effects
    assert do.CloseEntry() in effects
    state, effects2 = step(state, on.StateTimedOut(generation=0))
    assert do.CheckLane() in effects2
    assert state.name is State.STARTING


@BOTH
def test_only_a_verified_release_ever_asks_for_the_exit(policy: LanePolicy) -> None:
    for name, kind in PAIRS:
        for going_back in (False, True):
            _, effects = step(at(name, is_going_back=going_back), EVENTS[kind], policy)
            if any(isinstance(effect, do.OpenExit) for effect in effects):
                assert kind is on.ReleaseVerified
                assert name in (State.OCCUPIED, State.REFERRED)


@BOTH
def test_egress_is_freed_only_by_fire_or_an_order(policy: LanePolicy) -> None:
    for name, kind in PAIRS:
        _, effects = step(at(name), EVENTS[kind], policy)
        if any(isinstance(effect, do.FreeEgress) for effect in effects):
            assert kind in (on.FireRaised, on.EvacuationOrdered)


def test_the_entry_opens_to_admit_only_on_admission() -> None:
    admits = []
    for name, kind in PAIRS:
        _, effects = step(at(name), EVENTS[kind])
        if do.OpenEntry(purpose=do.Purpose.ADMIT) in effects:
            admits.append((name, kind))
    assert admits == [(State.READING_DOCUMENT, on.EntryAdmitted)]


@BOTH
def test_the_same_event_twice_never_opens_anything_twice(policy: LanePolicy) -> None:
    """Late or doubled messages: the second of the same event asks for no further opening, but for a way out."""
    for name, kind in PAIRS:
        after, _ = step(at(name), EVENTS[kind], policy)
        if kind is on.StateTimedOut:
            continue
        _, again = step(after, EVENTS[kind], policy)
        for effect in again:
            assert not isinstance(effect, do.OpenExit)
            assert effect != do.OpenEntry(purpose=do.Purpose.ADMIT)


def test_run_reports_effects_in_order() -> None:
    state, effects = run(at(State.READY), on.DocumentPlaced(), on.EntryAdmitted())
    assert state.name is State.ENTRY_OPEN
    assert isinstance(effects[0], do.BeginCrossing)
    assert effects[-2] == do.OpenEntry(purpose=do.Purpose.ADMIT)
