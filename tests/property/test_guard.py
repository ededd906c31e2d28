"""Every rule of the guard matters: it vetoes, and a guard from which it was cut out lets through what must not pass.

The cutting is done on the guard's own source: the one branch that names the rule is removed, the rest stays. A scenario puts the
guard where that rule alone stands between a command and harm; then a notebook that knows only facts plays anything against it. All of
it is done for the guard of two doors and for that of a walk-through lane, which has no entry.
"""

import ast
import copy
import inspect
from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule, run_state_machine_as_test
from twin_kit import LANE, Hub

from gate.core import guard as guard_module
from gate.core.clock import ManualClock
from gate.core.effects import Purpose
from gate.core.guard import RELEASE_MAX_LIFE_NS, Guard, Permitted, Rule, SensorFacts, Vetoed
from gate.core.release import VerifiedEvacuation, VerifiedRelease
from gate.wire.messages import Act
from gate.wire.signing import VerifiedCommand

MAX_AGE_MS = 400
EMPTY = SensorFacts(
    observed_ns=0,
    is_entry_shut=True,
    is_exit_shut=True,
    person_count=0,
    is_fire=False,
    is_estop_pressed=False,
    is_board_holding=False,
)
ONE_INSIDE = replace(EMPTY, person_count=1)
TWO_DOORS, ONE_DOOR = True, False


class _Cut(ast.NodeTransformer):
    """Removes every branch that vetoes by one rule; a bare veto becomes a permission."""

    def __init__(self, rule_: Rule) -> None:
        self.rule = rule_
        self.cuts = 0

    def _names_rule(self, node: ast.AST | None) -> bool:
        return isinstance(node, ast.Attribute) and node.attr == self.rule.name

    def visit_If(self, node: ast.If) -> ast.AST | None:
        only = node.body[0]
        if len(node.body) == 1 and isinstance(only, ast.Return | ast.Assign) and self._names_rule(only.value):
            self.cuts += 1
            return None
        self.generic_visit(node)
        return node

    def visit_Return(self, node: ast.Return) -> ast.AST:
        call = node.value
        if isinstance(call, ast.Call) and any(self._names_rule(keyword.value) for keyword in call.keywords):
            self.cuts += 1
            return ast.copy_location(ast.parse("return Permitted()").body[0], node)
        return node


def guard_without(rule_: Rule) -> type[Guard]:
    """The guard's class, its source as it stands but for this rule."""
    tree = ast.parse(inspect.getsource(guard_module))
    cut = _Cut(rule_)
    classes = [node for node in tree.body if isinstance(node, ast.ClassDef) and node.name == "Guard"]
    body = ast.fix_missing_locations(cut.visit(copy.deepcopy(classes[0])))
    assert cut.cuts == 1, f"{rule_} stands in {cut.cuts} places"
    namespace = dict(vars(guard_module))
    exec(compile(ast.Module(body=[body], type_ignores=[]), "guard", "exec"), namespace)
    made = namespace["Guard"]
    assert isinstance(made, type)
    return made


class Bench:
    """A guard, its clock, and a hub that signs for it. Facts are told of its kind of lane unless they say otherwise."""

    def __init__(self, guard_class: type[Guard] = Guard, *, has_entry: bool = TWO_DOORS) -> None:
        self.has_entry = has_entry
        self.clock = ManualClock()
        self.spent: list[str] = []
        self.guard = guard_class(
            lane=LANE,
            boot_id="b",
            clock=self.clock,
            sensor_max_age_ns=MAX_AGE_MS * 1_000_000,
            is_spent=lambda release_id: release_id in self.spent,
            spend=self.spent.append,
            has_entry=has_entry,
        )
        self.hub = Hub(self.clock)

    def facts(self, facts: SensorFacts) -> SensorFacts:
        """As the board of this lane reports them now; its token goes with the count."""
        leaf = {} if self.has_entry else {"is_entry_absent": True, "is_entry_shut": False}
        token = facts.exit_token or 100 + (facts.person_count or 0)
        return replace(facts, observed_ns=self.clock.monotonic_ns(), exit_token=token, **leaf)

    def see(self, facts: SensorFacts, camera: int | None = None) -> None:
        self.guard.observe(self.facts(facts))
        if camera is not None:
            self.guard.observe_camera(camera)

    def one_inside(self) -> VerifiedRelease:
        """One person, counted by both, both doors shut; a release for exactly this stay."""
        self.see(ONE_INSIDE, camera=1)
        assert self.guard.occupancy_id is not None
        return self.hub.release(occupancy_id=self.guard.occupancy_id)

    def evacuation(self) -> VerifiedEvacuation:
        verified = self.hub.verify(self.hub.sign(Act.EVACUATE, occupancy_id=None))
        assert isinstance(verified, VerifiedCommand)
        assert verified.evacuation is not None
        return verified.evacuation


Answer = Permitted | Vetoed


def stale(bench: Bench) -> Answer:
    release = bench.one_inside()
    bench.clock.advance_ms(MAX_AGE_MS + 1)
    return bench.guard.may_open_exit(release)


def holding(bench: Bench) -> Answer:
    release = bench.one_inside()
    bench.see(replace(ONE_INSIDE, is_board_holding=True))
    return bench.guard.may_open_exit(release)


def stopped(bench: Bench) -> Answer:
    release = bench.one_inside()
    bench.see(replace(ONE_INSIDE, is_estop_pressed=True))
    return bench.guard.may_open_exit(release)


def entry_was_just_told_to_open(bench: Bench) -> Answer:
    """The board has not moved yet: it still reports shut."""
    release = bench.one_inside()
    assert bench.guard.may_open_entry(Purpose.WAY_BACK) == Permitted()
    return bench.guard.may_open_exit(release)


def exit_was_just_told_to_open(bench: Bench) -> Answer:
    assert bench.guard.may_open_exit(bench.one_inside()) == Permitted()
    return bench.guard.may_open_entry(Purpose.WAY_BACK)


def somebody_inside_already(bench: Bench) -> Answer:
    bench.see(ONE_INSIDE)
    return bench.guard.may_open_entry(Purpose.ADMIT)


def curtain_counts_two(bench: Bench) -> Answer:
    release = bench.one_inside()
    bench.see(replace(ONE_INSIDE, person_count=2))
    return bench.guard.may_open_exit(release)


def camera_counts_nobody(bench: Bench) -> Answer:
    bench.see(ONE_INSIDE)
    assert bench.guard.occupancy_id is not None
    return bench.guard.may_open_exit(bench.hub.release(occupancy_id=bench.guard.occupancy_id))


def two_with_a_release_for_both(bench: Bench) -> Answer:
    bench.see(replace(ONE_INSIDE, person_count=2), camera=1)
    assert bench.guard.occupancy_id is not None
    return bench.guard.may_open_exit(bench.hub.release(occupancy_id=bench.guard.occupancy_id))


def board_says_that_there_is_no_entry(bench: Bench) -> Answer:
    """A lane of two doors is never taken for one of one, even if the leaf that is not there is said to be shut."""
    release = bench.one_inside()
    bench.see(replace(ONE_INSIDE, is_entry_absent=True))
    return bench.guard.may_open_exit(release)


def board_says_that_there_is_an_entry(bench: Bench) -> Answer:
    release = bench.one_inside()
    bench.guard.observe(replace(bench.facts(ONE_INSIDE), is_entry_absent=False, is_entry_shut=True))
    return bench.guard.may_open_exit(release)


def way_back_is_asked_for(bench: Bench) -> Answer:
    bench.see(ONE_INSIDE)
    return bench.guard.may_open_entry(Purpose.WAY_BACK)


def another_after_the_first(bench: Bench) -> Answer:
    """Between two reports somebody left and somebody came: only the board's token tells."""
    release = bench.one_inside()
    bench.see(replace(ONE_INSIDE, exit_token=7), camera=1)
    return bench.guard.may_open_exit(release)


def camera_counts_two(bench: Bench) -> Answer:
    release = bench.one_inside()
    bench.see(ONE_INSIDE, camera=2)
    bench.see(ONE_INSIDE, camera=1)
    return bench.guard.may_open_exit(release)


def for_another_lane(bench: Bench) -> Answer:
    bench.one_inside()
    assert bench.guard.occupancy_id is not None
    return bench.guard.may_open_exit(Hub(bench.clock, "port/lane-2").release(occupancy_id=bench.guard.occupancy_id))


def for_who_was_here_before(bench: Bench) -> Answer:
    release = bench.one_inside()
    bench.see(replace(EMPTY, is_entry_shut=False))
    bench.see(ONE_INSIDE, camera=1)
    return bench.guard.may_open_exit(release)


def too_late(bench: Bench) -> Answer:
    release = bench.one_inside()
    bench.clock.jump_utc_ms(10_000)
    return bench.guard.may_open_exit(release)


def twice(bench: Bench) -> Answer:
    """The exit shut again behind nobody: by the curtain it is a new stay, by name it is made the old one."""
    release = bench.one_inside()
    bench.spent.append(release.release_id)
    return bench.guard.may_open_exit(release)


def no_emergency(bench: Bench) -> Answer:
    bench.see(ONE_INSIDE)
    return bench.guard.may_free_egress()


SCENARIOS: dict[Rule, Callable[[Bench], Answer]] = {
    Rule.SENSORS_STALE: stale,
    Rule.BOARD_HOLDS: holding,
    Rule.EMERGENCY_STOP: stopped,
    Rule.DOORS_DIFFER: board_says_that_there_is_no_entry,
    Rule.ENTRY_NOT_SHUT: entry_was_just_told_to_open,
    Rule.EXIT_NOT_SHUT: exit_was_just_told_to_open,
    Rule.LANE_NOT_EMPTY: somebody_inside_already,
    Rule.NOT_EXACTLY_ONE: curtain_counts_two,
    Rule.CAMERA_DISAGREES: camera_counts_two,
    Rule.RELEASE_FOREIGN: for_another_lane,
    Rule.RELEASE_OTHER_STAY: for_who_was_here_before,
    Rule.RELEASE_EXPIRED: too_late,
    Rule.RELEASE_SPENT: twice,
    Rule.NO_EMERGENCY: no_emergency,
}
WITHOUT_ENTRY: dict[Rule, Callable[[Bench], Answer]] = {
    Rule.SENSORS_STALE: stale,
    Rule.BOARD_HOLDS: holding,
    Rule.EMERGENCY_STOP: stopped,
    Rule.DOORS_DIFFER: board_says_that_there_is_an_entry,
    Rule.NO_ENTRY: way_back_is_asked_for,
    Rule.NOT_EXACTLY_ONE: two_with_a_release_for_both,
    Rule.CAMERA_DISAGREES: camera_counts_nobody,
    Rule.RELEASE_FOREIGN: for_another_lane,
    Rule.RELEASE_OTHER_STAY: another_after_the_first,
    Rule.RELEASE_EXPIRED: too_late,
    Rule.RELEASE_SPENT: twice,
    Rule.NO_EMERGENCY: no_emergency,
}
PLAYED = [
    *((TWO_DOORS, rule_, scene) for rule_, scene in SCENARIOS.items()),
    *((ONE_DOOR, rule_, scene) for rule_, scene in WITHOUT_ENTRY.items()),
]
NAMES = [f"{'two' if has_entry else 'one'}-{rule_}" for has_entry, rule_, _ in PLAYED]


def test_every_rule_has_its_scenario() -> None:
    assert SCENARIOS.keys() | WITHOUT_ENTRY.keys() == set(Rule)
    assert set(Rule) - SCENARIOS.keys() == {Rule.NO_ENTRY}
    assert set(Rule) - WITHOUT_ENTRY.keys() == {Rule.ENTRY_NOT_SHUT, Rule.EXIT_NOT_SHUT, Rule.LANE_NOT_EMPTY}


@pytest.mark.parametrize(("has_entry", "rule_", "scene"), PLAYED, ids=NAMES)
def test_each_rule_vetoes(has_entry: bool, rule_: Rule, scene: Callable[[Bench], Answer]) -> None:
    assert scene(Bench(has_entry=has_entry)) == Vetoed(rule=rule_)


@pytest.mark.parametrize(("has_entry", "rule_", "scene"), PLAYED, ids=NAMES)
def test_without_the_rule_nothing_else_would_have_vetoed(
    has_entry: bool, rule_: Rule, scene: Callable[[Bench], Answer]
) -> None:
    answer = scene(Bench(guard_without(rule_), has_entry=has_entry))
    assert answer == Permitted(), "another rule hides behind this scenario"


BETWEEN: dict[str, Callable[["Notebook"], object]] = {
    "nothing": lambda _book: None,
    "late": lambda book: book.time_passes(500),
    "very late": lambda book: (book.time_passes(9_000), book.time_passes(9_000), book._report(ONE_INSIDE, "")),
    "clock back and very late": lambda book: (
        book.the_wall_clock_is_set(-120_000),
        book.time_passes(61_000),
        book._report(ONE_INSIDE, ""),
    ),
    "two": lambda book: book._report(replace(ONE_INSIDE, person_count=2), ""),
    "unknown": lambda book: book._report(replace(ONE_INSIDE, person_count=None), ""),
    "camera two": lambda book: book.the_camera_counts(2),
    "two and one again": lambda book: (
        book._report(replace(ONE_INSIDE, person_count=2), ""),
        book._report(ONE_INSIDE, ""),
        book.the_camera_counts(1),
    ),
    "another": lambda book: (book._report(ONE_INSIDE, "another_token"), book.the_camera_counts(1)),
    "a release for two": lambda book: (
        book._report(replace(ONE_INSIDE, person_count=2), ""),
        book.the_camera_counts(1),
        book.a_release_is_signed(False, True),
    ),
    "a release for one unseen": lambda book: (
        book._report(ONE_INSIDE, "another_token"),
        book.a_release_is_signed(False, True),
    ),
    "doors differ": lambda book: book._report(ONE_INSIDE, "doors_differ"),
    "holding": lambda book: book._report(ONE_INSIDE, "is_board_holding"),
    "stopped": lambda book: book._report(ONE_INSIDE, "is_estop_pressed"),
    "entry asked for": lambda book: book.the_entry_is_asked_for(Purpose.WAY_BACK),
    "entry open": lambda book: book._report(replace(ONE_INSIDE, is_entry_shut=False), ""),
    "somebody else": lambda book: (
        book._report(replace(EMPTY, is_entry_shut=False), ""),
        book.one_person_is_inside(),
    ),
    "twice": lambda book: (
        (book.the_exit_is_asked_for(-1), book.a_door_is_told_to_shut("exit")) and book._report(ONE_INSIDE, "")
    ),
}


class Notebook(RuleBasedStateMachine):
    """Any facts, any releases, any commands; judged by a notebook that was written without reading the guard."""

    guard_class: type[Guard] = Guard
    has_entry = TWO_DOORS

    def __init__(self) -> None:
        super().__init__()
        self.bench = Bench(self.guard_class, has_entry=self.has_entry)
        self.token = 100
        self.facts: SensorFacts | None = None
        self.stay = 0  # how often a door was open so far
        self.cameras: list[int] = []
        self.may_move = {"entry": False, "exit": False}
        self.shutting = {"entry": False, "exit": False}
        self.releases: list[tuple[VerifiedRelease, int, int]] = []  # with its stay and when it was first shown
        self.used: set[str] = set()
        self.is_evacuating = False
        self._report(EMPTY, "")

    @rule(
        entry=st.sampled_from([True, True, True, False]),
        exit_=st.sampled_from([True, True, True, False]),
        count=st.sampled_from([None, 0, 0, 1, 1, 1, 2]),
        hazard=st.sampled_from(["", "", "", "", "is_fire", "is_estop_pressed", "is_board_holding"]),
    )
    def the_board_reports(self, entry: bool, exit_: bool, count: int | None, hazard: str) -> None:
        self._report(replace(EMPTY, is_entry_shut=entry, is_exit_shut=exit_, person_count=count), hazard)

    @rule()
    def one_person_is_inside(self) -> None:
        """Both doors shut on one person, seen by both: what releases are made for."""
        for door in ("entry", "exit"):
            self.a_door_is_told_to_shut(door)
        self._report(ONE_INSIDE, "")
        self.the_camera_counts(1)

    def _report(self, facts: SensorFacts, hazard: str) -> None:
        """``hazard`` names a fact, or one of the two: another count went unseen, or settings and board do not agree on the entry."""
        is_other = self.facts is None or facts.person_count != self.facts.person_count
        self.token += hazard == "another_token" or is_other
        facts = self.bench.facts(replace(facts, exit_token=self.token))
        if hazard == "doors_differ":
            facts = replace(facts, is_entry_absent=self.has_entry, is_entry_shut=True)
        elif hazard and hazard != "another_token":
            facts = replace(facts, **{hazard: True})
        is_another_here = not self.has_entry and (is_other or hazard == "another_token")
        self.facts = facts
        before = self.bench.guard.occupancy_id
        self.bench.guard.observe(self.facts)
        for door, is_shut in (("entry", facts.is_entry_shut), ("exit", facts.is_exit_shut)):
            if is_shut and self.shutting[door]:
                self.may_move[door] = False
        if is_another_here or not (facts.is_exit_shut and (facts.is_entry_shut or not self.has_entry)):
            self.stay += 1
        if self.bench.guard.occupancy_id != before:
            self.cameras = []

    @rule(count=st.sampled_from([0, 1, 1, 1, 2]))
    def the_camera_counts(self, count: int) -> None:
        self.cameras.append(count)
        self.stay += count > 1 and not self.has_entry
        self.bench.guard.observe_camera(count)

    @rule(door=st.sampled_from(["entry", "exit"]))
    def a_door_is_told_to_shut(self, door: str) -> None:
        self.shutting[door] = True
        getattr(self.bench.guard, f"note_{door}_closing")()

    @rule(ms=st.sampled_from([1, 100, 500, 9_000, 61_000]))
    def time_passes(self, ms: int) -> None:
        self.bench.clock.advance_ms(ms)

    @rule(ms=st.sampled_from([-120_000, 120_000]))
    def the_wall_clock_is_set(self, ms: int) -> None:
        self.bench.clock.jump_utc_ms(ms)

    @rule(is_foreign=st.sampled_from([False, False, True]), is_shown=st.booleans())
    def a_release_is_signed(self, is_foreign: bool, is_shown: bool) -> None:
        name = self.bench.guard.occupancy_id
        if name is not None:
            hub = Hub(self.bench.clock, "port/lane-2") if is_foreign else self.bench.hub
            release = hub.release(occupancy_id=name)
            self.releases.append((release, self.stay, self.bench.clock.monotonic_ns()))
            self.bench.guard.see_release(release)

    @rule(is_on=st.booleans())
    def evacuation(self, is_on: bool) -> None:
        self.is_evacuating = is_on
        if is_on:
            self.bench.guard.order_evacuation(self.bench.evacuation())
        else:
            self.bench.guard.end_evacuation()

    def _is_well_known(self) -> bool:
        facts = self.facts
        age_ms = 0 if facts is None else (self.bench.clock.monotonic_ns() - facts.observed_ns) / 1e6
        return facts is not None and age_ms <= MAX_AGE_MS and not facts.is_estop_pressed and not facts.is_board_holding

    @rule(purpose=st.sampled_from(Purpose))
    def the_entry_is_asked_for(self, purpose: Purpose) -> None:
        if isinstance(self.bench.guard.may_open_entry(purpose), Vetoed):
            return
        assert self.has_entry, "there is no entry"
        assert self.facts is not None
        assert self._is_well_known()
        assert self.facts.is_exit_shut
        assert not self.may_move["exit"], "the exit may be opening"
        assert purpose is Purpose.WAY_BACK or self.facts.person_count == 0
        self.may_move["entry"], self.shutting["entry"] = True, False

    @rule(which=st.integers(-3, -1))
    def the_exit_is_asked_for(self, which: int) -> None:
        for release, stay, shown_ns in self.releases[which:][:1]:
            utc_ms = self.bench.clock.utc_ms()
            if isinstance(self.bench.guard.may_open_exit(release), Vetoed):
                continue
            assert self.facts is not None
            assert self._is_well_known()
            assert self.facts.is_entry_absent is not self.has_entry, "settings and board do not agree"
            assert self.facts.is_entry_shut or not self.has_entry
            assert not (self.has_entry and self.may_move["entry"]), "the entry may be opening"
            assert self.facts.person_count == 1
            assert set(self.cameras) - {0} == {1}
            assert release.lane == LANE
            assert stay == self.stay, "a door was open since it was signed"
            assert utc_ms < release.expires_utc_ms
            assert self.bench.clock.monotonic_ns() - shown_ns < RELEASE_MAX_LIFE_NS
            assert release.release_id not in self.used
            self.used.add(release.release_id)
            self.may_move["exit"], self.shutting["exit"] = True, False
        assert self.used == set(self.bench.spent)

    @rule(between=st.lists(st.sampled_from(sorted(BETWEEN)), min_size=1, max_size=2), is_foreign=st.booleans())
    def a_longer_stay(self, between: list[str], is_foreign: bool) -> None:
        self.a_stay(between, is_foreign)

    def a_stay(self, between: list[str], is_foreign: bool) -> None:
        """By the book up to the release; then one or two things happen; then both doors are asked for."""
        self.one_person_is_inside()
        self.a_release_is_signed(is_foreign and "twice" not in between, True)
        for name in between:
            BETWEEN[name](self)
        self.the_exit_is_asked_for(-1)
        self.the_entry_is_asked_for(Purpose.WAY_BACK)

    @rule(between=st.sampled_from(sorted(BETWEEN)))
    def a_stay_with_one_surprise(self, between: str) -> None:
        self.a_stay([between], False)

    @rule()
    def egress_is_asked_for(self) -> None:
        if isinstance(self.bench.guard.may_free_egress(), Permitted):
            assert self.is_evacuating or (self.facts is not None and self.facts.is_fire)
            for door in ("entry", "exit"):
                self.may_move[door], self.shutting[door] = True, False


PLAY = settings(
    derandomize=True,
    database=None,
    deadline=None,
    max_examples=100,
    stateful_step_count=15,
    suppress_health_check=list(HealthCheck),
)


def notebook(has_entry: bool, guard_class: type[Guard] = Guard) -> type[Notebook]:
    return type("AnyNotebook", (Notebook,), {"guard_class": guard_class, "has_entry": has_entry})


@pytest.mark.parametrize(("has_entry", "examples"), [(TWO_DOORS, 100), (ONE_DOOR, 60)])
def test_the_guard_keeps_every_rule_of_the_notebook(has_entry: bool, examples: int) -> None:
    run_state_machine_as_test(notebook(has_entry), settings=settings(PLAY, max_examples=examples))


OWN = {Rule.DOORS_DIFFER, Rule.NO_ENTRY, Rule.NOT_EXACTLY_ONE, Rule.CAMERA_DISAGREES, Rule.RELEASE_OTHER_STAY}
"""Rules that mean something else without an entry; the others are the same code on the same facts, and are played with the long tests."""
CUT_OUT = [
    pytest.param(has_entry, rule_, id=name, marks=[] if has_entry or rule_ in OWN else [pytest.mark.long])
    for (has_entry, rule_, _), name in zip(PLAYED, NAMES, strict=True)
]


@pytest.mark.parametrize(("has_entry", "rule_"), CUT_OUT)
def test_the_notebook_notices_that_a_rule_was_cut_out(has_entry: bool, rule_: Rule) -> None:
    """So the notebook is no rubber stamp: it finds the harm by itself, without being told where to look."""
    broken = notebook(has_entry, guard_without(rule_))
    quick = settings(PLAY, phases=(Phase.generate,), max_examples=1000, report_multiple_bugs=False)
    with pytest.raises(AssertionError):
        run_state_machine_as_test(broken, settings=quick)
