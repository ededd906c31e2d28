"""The last veto on every door command.

The guard believes sensors, releases and orders; it never reads the machine's state, and it has its own name for the stay of the
person inside. Whatever the machine, the pipeline or a message may claim, a door opens only if every rule below says so, and any
doubt is *no*. (The lane board enforces the interlock and the one-shot token a third time; see ``docs/SAFETY.md``.)
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from gate.core.clock import Clock
from gate.core.effects import Purpose
from gate.core.release import VerifiedEvacuation, VerifiedRelease

RELEASE_MAX_LIFE_NS = 60_000_000_000
"""However long a release claims to be good for, it is void a minute after the guard first saw it."""

RELEASES_REMEMBERED = 64


class Rule(StrEnum):
    """Why a command was vetoed."""

    SENSORS_STALE = "sensors_stale"
    BOARD_HOLDS = "board_holds"
    EMERGENCY_STOP = "emergency_stop"
    DOORS_DIFFER = "doors_differ"
    NO_ENTRY = "no_entry"
    ENTRY_NOT_SHUT = "entry_not_shut"
    EXIT_NOT_SHUT = "exit_not_shut"
    LANE_NOT_EMPTY = "lane_not_empty"
    NOT_EXACTLY_ONE = "not_exactly_one"
    CAMERA_DISAGREES = "camera_disagrees"
    RELEASE_FOREIGN = "release_foreign"
    RELEASE_OTHER_STAY = "release_other_stay"
    RELEASE_EXPIRED = "release_expired"
    RELEASE_SPENT = "release_spent"
    NO_EMERGENCY = "no_emergency"


@dataclass(frozen=True, slots=True, kw_only=True)
class SensorFacts:
    """What the lane board reports. ``is_*_shut`` means shut *and* locked; ``person_count`` None means that it cannot tell.

    ``is_entry_absent``: the board says that there is no entry leaf. ``exit_token`` is another as soon as the board counted another number.
    """

    observed_ns: int
    is_entry_shut: bool
    is_exit_shut: bool
    person_count: int | None
    is_fire: bool
    is_estop_pressed: bool
    is_board_holding: bool  # its watchdog tripped, its power fails, or a door is jammed or forced
    is_evacuating: bool = False  # the board has opened both doors on an order that it was given before
    is_entry_absent: bool = False
    exit_token: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Permitted:
    """The command may go to the board, once, now."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Vetoed:
    rule: Rule


class Guard:
    """The veto of one lane. Not thread-safe: it lives on the lane's event loop.

    In a lane without an entry (``has_entry`` False: a walk-through of one door) nothing is told by a door that shut behind somebody. There
    a stay is as long as the exit is shut, the count is the same, and neither the board's token nor the camera says otherwise; settings and
    board must agree that there is no entry leaf.
    """

    def __init__(
        self,
        *,
        lane: str,
        boot_id: str,
        clock: Clock,
        sensor_max_age_ns: int,
        is_spent: Callable[[str], bool],
        spend: Callable[[str], None],
        has_entry: bool = True,
    ) -> None:
        """``lane`` is the address releases name (``port/lane``). ``spend`` must return only when the id is on disk."""
        self._lane = lane
        self._boot_id = boot_id
        self._clock = clock
        self._sensor_max_age_ns = sensor_max_age_ns
        self._is_spent = is_spent
        self._spend = spend
        self._has_entry = has_entry
        self._facts: SensorFacts | None = None
        self._is_entry_wanted_open = False
        self._is_exit_wanted_open = False
        self._entry_close_ns = 0
        self._exit_close_ns = 0
        self._stay = 0
        self._has_stay = False
        self._stay_marks: tuple[int | None, int | None] | None = None
        self._camera_most = 0
        self._first_seen_ns: dict[str, int] = {}
        self._evacuation: VerifiedEvacuation | None = None

    @property
    def occupancy_id(self) -> str | None:
        """The guard's name for the present stay: it begins with every door shut on somebody, and ends when a door is not shut.

        Without an entry it ends with any change of the count, too.
        """
        return f"{self._boot_id}-{self._stay}" if self._has_stay else None

    def observe(self, facts: SensorFacts) -> None:
        """Take the board's newest report."""
        self._facts = facts
        if facts.is_entry_shut and facts.observed_ns >= self._entry_close_ns > 0:
            self._is_entry_wanted_open = False
        if facts.is_exit_shut and facts.observed_ns >= self._exit_close_ns > 0:
            self._is_exit_wanted_open = False
        if not (facts.is_exit_shut and (facts.is_entry_shut or not self._has_entry)):
            self._has_stay = False
        elif not self._has_entry:
            self._observe_approach(facts)
        elif not self._has_stay and facts.person_count != 0:
            self._begin_stay()

    def _observe_approach(self, facts: SensorFacts) -> None:
        """Nothing but the count, and the board's token that goes with it, tells one who stands there from the next."""
        marks = (facts.person_count, facts.exit_token)
        if facts.person_count == 0:
            self._has_stay = False
        elif not self._has_stay or marks != self._stay_marks:
            self._stay_marks = marks
            self._begin_stay()

    def _begin_stay(self) -> None:
        self._stay += 1
        self._has_stay = True
        self._camera_most = 0

    def observe_camera(self, person_count: int) -> None:
        """Take the camera's count of people in one frame; within a stay the largest one holds.

        Without an entry company ends the stay: who goes on in the next one is looked at anew.
        """
        if person_count > 1 and not self._has_entry:
            self._has_stay = False
        self._camera_most = max(self._camera_most, person_count)

    def see_release(self, release: VerifiedRelease) -> None:
        """Note when a release was first seen, so that a wall clock that is set back cannot lengthen its life."""
        self._age_ns(release)

    def order_evacuation(self, order: VerifiedEvacuation) -> None:
        """Take an officer's order; PermissionError when it names another lane."""
        if order.lane != self._lane:
            raise PermissionError(f"the evacuation order names {order.lane}, this is {self._lane}")
        self._evacuation = order

    def end_evacuation(self) -> None:
        self._evacuation = None

    def may_open_entry(self, purpose: Purpose) -> Permitted | Vetoed:
        """To admit: the lane is empty and the exit shut. For the way back: the exit is shut. Without an entry: never."""
        veto = self._common_veto()
        if veto is None and not self._has_entry:
            veto = Rule.NO_ENTRY
        if veto is None and not self._is_exit_surely_shut():
            veto = Rule.EXIT_NOT_SHUT
        if veto is None and purpose is Purpose.ADMIT and self._person_count() != 0:
            veto = Rule.LANE_NOT_EMPTY
        if veto is not None:
            return Vetoed(rule=veto)
        self._is_entry_wanted_open = True
        self._entry_close_ns = 0
        return Permitted()

    def may_open_exit(self, release: VerifiedRelease) -> Permitted | Vetoed:
        """Entry shut, exactly one person by curtain and camera, and an unspent, unexpired release for this stay; spends it.

        A lane without an entry needs none shut, as long as settings and board agree that there is none.
        """
        veto = self._common_veto() or self._exit_veto() or self._release_veto(release)
        if veto is not None:
            return Vetoed(rule=veto)
        self._spend(release.release_id)
        self._is_exit_wanted_open = True
        self._exit_close_ns = 0
        return Permitted()

    def may_free_egress(self) -> Permitted | Vetoed:
        """Both ways out may open when the board reports fire, an officer's order is in force, or they stand open on one already."""
        facts = self._facts
        if self._evacuation is not None or (facts is not None and (facts.is_fire or facts.is_evacuating)):
            self._is_entry_wanted_open = self._is_exit_wanted_open = True
            self._entry_close_ns = self._exit_close_ns = 0
            return Permitted()
        return Vetoed(rule=Rule.NO_EMERGENCY)

    def note_entry_closing(self) -> None:
        """The board acknowledged a command to shut the entry (always permitted): what it reports from now on came after it."""
        self._entry_close_ns = self._clock.monotonic_ns()

    def note_exit_closing(self) -> None:
        """The board acknowledged a command to shut the exit (always permitted): what it reports from now on came after it."""
        self._exit_close_ns = self._clock.monotonic_ns()

    def _common_veto(self) -> Rule | None:
        facts = self._facts
        if facts is None or not 0 <= self._clock.monotonic_ns() - facts.observed_ns <= self._sensor_max_age_ns:
            return Rule.SENSORS_STALE
        if facts.is_board_holding:
            return Rule.BOARD_HOLDS
        if facts.is_estop_pressed:
            return Rule.EMERGENCY_STOP
        return None

    def _exit_veto(self) -> Rule | None:
        if self._is_entry_absent() is self._has_entry:
            return Rule.DOORS_DIFFER
        if not self._is_entry_surely_shut():
            return Rule.ENTRY_NOT_SHUT
        if self._person_count() != 1:
            return Rule.NOT_EXACTLY_ONE
        if self._camera_most != 1:
            return Rule.CAMERA_DISAGREES
        return None

    def _release_veto(self, release: VerifiedRelease) -> Rule | None:
        if release.lane != self._lane:
            return Rule.RELEASE_FOREIGN
        if self.occupancy_id is None or release.occupancy_id != self.occupancy_id:
            return Rule.RELEASE_OTHER_STAY
        if self._age_ns(release) >= RELEASE_MAX_LIFE_NS or self._clock.utc_ms() >= release.expires_utc_ms:
            return Rule.RELEASE_EXPIRED
        if self._is_spent(release.release_id):
            return Rule.RELEASE_SPENT
        return None

    def _age_ns(self, release: VerifiedRelease) -> int:
        now_ns = self._clock.monotonic_ns()
        seen_ns = self._first_seen_ns.setdefault(release.release_id, now_ns)
        while len(self._first_seen_ns) > RELEASES_REMEMBERED:
            self._first_seen_ns.pop(next(iter(self._first_seen_ns)))
        return now_ns - seen_ns

    def _person_count(self) -> int | None:
        return None if self._facts is None else self._facts.person_count

    def _is_entry_absent(self) -> bool:
        return self._facts is not None and self._facts.is_entry_absent

    def _is_entry_surely_shut(self) -> bool:
        if not self._has_entry:
            return True
        return self._facts is not None and self._facts.is_entry_shut and not self._is_entry_wanted_open

    def _is_exit_surely_shut(self) -> bool:
        return self._facts is not None and self._facts.is_exit_shut and not self._is_exit_wanted_open
