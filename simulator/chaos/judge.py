"""The truth beside the lane: what opened, for whom, on whose word; who is shut in, and since when. It never asks the guard."""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from drivers.lane_io.interface import Door
from simulator.board_model import BoardFault
from simulator.chaos.fittings import Furniture
from simulator.chaos.hub import Hub
from simulator.chaos.line import AnyBoard, BoardLine
from simulator.chaos.timeloop import LoopClock

_SHUT_RATIO = 0.02
_GRACE_MS = 5_000
"""Added to the policy's limit: the way back must be open this long after it, counted from the last thing that broke."""
STOPPED = "emergency stop"
_JUST_NOW = 3
"""So many looks after the board took a command its leaf is seen to move; meanwhile somebody may step into an open approach."""
_SEEN_SOONER_NS = 200_000_000
"""The curtain sees whoever steps up before the middle of them is over the line."""
_EGRESS = ("fire", "power", "evacuation", "forced")
_CAUSE_KEPT_MS = 2_000
"""A cause may be gone again when the door that it opened is seen to be open."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Spent:
    """A release that the guard accepted, and the stay it accepted it for."""

    release_id: str
    occupancy_id: str | None
    at_ms: float
    utc_ms: int


@dataclass(slots=True, kw_only=True)
class Judge:
    """Looks at the world after every step of it."""

    board: AnyBoard
    line: BoardLine
    hub: Hub
    clock: LoopClock
    inside_limit_ms: float
    is_lane_alive: Callable[[], bool]
    furniture: Furniture | None = None
    unauthorised: list[str] = field(default_factory=list)
    trapped: list[str] = field(default_factory=list)
    spent: list[Spent] = field(default_factory=list)
    token_openings: int = 0
    _judged: int = 0
    _passed_unreleased: int = 0
    _free_ms: float = 0.0
    _disturbed_ms: float = 0.0
    _is_egress_free: bool = False
    _is_trap_told: bool = False
    _stood: deque[int] = field(default_factory=lambda: deque(maxlen=_JUST_NOW))
    _alone_since_ns: int | None = None
    _raised_ms: dict[str, float] = field(default_factory=dict)

    def note_spent(self, release_id: str, occupancy_id: str | None) -> None:
        now_ms = self.board.world.now_ms
        seen = Spent(release_id=release_id, occupancy_id=occupancy_id, at_ms=now_ms, utc_ms=self.clock.utc_ms())
        issued = self.hub.issued.get(release_id)
        if issued is None:
            self.unauthorised.append(f"spent a release that nobody issued: {release_id}")
        elif issued.occupancy_id != occupancy_id:
            self.unauthorised.append(f"spent a release of stay {issued.occupancy_id} in stay {occupancy_id}")
        elif any(other.release_id == release_id for other in self.spent):
            self.unauthorised.append(f"spent a release twice: {release_id}")
        elif seen.utc_ms >= issued.expires_ms:
            self.unauthorised.append(f"spent an expired release: {release_id}")
        self.spent.append(seen)

    def note_cause(self, reason: str) -> None:
        """From now on a door may open for ``reason`` (fire, power, evacuation, forced) until a while after it is gone."""
        self._raised_ms[reason] = float("inf")

    def cause_is_gone(self, reason: str) -> None:
        self._raised_ms[reason] = self.board.world.now_ms + _CAUSE_KEPT_MS

    def disturb(self) -> None:
        """Something broke or was mended: who is inside may wait the policy's limit from here."""
        self._disturbed_ms = self.board.world.now_ms

    def look(self) -> None:
        if not self.board.world.has_entry:
            self._look_who_stands_there()
        openings = self.board.openings
        while self._judged < len(openings):
            self._judged += 1
            self._judge(openings[self._judged - 1].door, openings[self._judged - 1].reason)
        if self.furniture is not None:
            self._look_at_turnstile(self.furniture)
        self._look_at_doors()
        self._look_for_trapped()

    def _look_at_turnstile(self, furniture: Furniture) -> None:
        """Each release that was spent lets one through; who climbs over it is none of its openings."""
        if furniture.passed_on_release - self._passed_unreleased > len(self.spent):
            self._passed_unreleased += 1
            self.unauthorised.append("the turnstile let somebody through without a release spent on them")

    def _look_who_stands_there(self) -> None:
        """In an open approach a release is for the one who stood there when it was signed, and nobody else has since."""
        count = self.board.world.people_inside()
        self._stood.append(count)
        if count != 1:
            self._alone_since_ns = None
        elif self._alone_since_ns is None:
            self._alone_since_ns = self.clock.monotonic_ns()

    def _judge_who_stands_there(self) -> None:
        issued = self.hub.issued.get(self.spent[-1].release_id) if self.spent else None
        since_ns = self._alone_since_ns
        if issued is not None and since_ns is not None and issued.at_ns < since_ns - _SEEN_SOONER_NS:
            self.unauthorised.append("the exit opened for another one than stood there when it was released")

    def _judge(self, door: Door, reason: str) -> None:
        world = self.board.world
        if reason == "token":
            self.token_openings += 1
            if door is not Door.EXIT:
                self.unauthorised.append("a token opened the entry")
            if self.token_openings > len(self.spent):
                self.unauthorised.append("the exit opened without a release spent on it")
            if world.people_inside() != 1 and 1 not in self._stood:
                self.unauthorised.append(f"the exit opened for {world.people_inside()} people")
            if not world.has_entry:
                self._judge_who_stands_there()
            # A release and an order to evacuate may move both leaves in one step: then the order would have opened the exit anyway.
            if world.has_entry and world.entry.position > _SHUT_RATIO and not self._is_there_a_cause():
                self.unauthorised.append("the exit opened while the entry was open")
        elif reason == "command":
            if door is Door.EXIT:
                self.unauthorised.append("the exit opened on a command without a token")
        elif not self.has_cause(reason):
            self.unauthorised.append(f"the {door.value} opened for {reason}, and there was none")

    def _look_at_doors(self) -> None:
        world = self.board.world
        is_entry_open = world.has_entry and world.entry.position > _SHUT_RATIO
        is_exit_open = world.exit.position > _SHUT_RATIO
        if not (is_entry_open or is_exit_open):
            self._is_egress_free = False
            return
        self._is_egress_free = self._is_egress_free or self._is_there_a_cause()
        if is_entry_open and is_exit_open and not self._is_egress_free:
            self.unauthorised.append("both doors were open")
            self._is_egress_free = True  # told once

    def _is_there_a_cause(self) -> bool:
        """Whether something may hold the doors open that is no crossing."""
        world = self.board.world
        is_pushed = world.entry.is_pushed or world.exit.is_pushed
        if not self._raised_ms and not is_pushed:
            return not self.board.is_running
        return is_pushed or not self.board.is_running or any(self.has_cause(reason) for reason in _EGRESS)

    def has_cause(self, reason: str) -> bool:
        """Whether there is ``reason`` to open now, or was a moment ago."""
        return self.board.world.now_ms <= self._raised_ms.get(reason, -1.0)

    def _look_for_trapped(self) -> None:
        world = self.board.world
        is_shut_in = (
            world.entry.position <= _SHUT_RATIO
            and world.exit.position <= _SHUT_RATIO
            and any(world.is_inside(walker.body) for walker in world.walkers)
        )
        if not is_shut_in or self._is_broken():
            self._free_ms = world.now_ms
            self._is_trap_told = self._is_trap_told and is_shut_in
            return
        since_ms = max(self._free_ms, self._disturbed_ms)
        if world.now_ms - since_ms > self.inside_limit_ms + _GRACE_MS and not self._is_trap_told:
            self._is_trap_told = True
            self.trapped.append(f"somebody was shut in for {(world.now_ms - since_ms) / 1000:.1f} s")

    def _is_broken(self) -> bool:
        """Whether something keeps every door from opening by command: then it is not the lane that holds them."""
        board = self.board
        is_deaf = any(
            board.has(fault) for fault in (BoardFault.POWER_OFF, BoardFault.SILENT, BoardFault.LATE, BoardFault.GARBLE)
        )
        is_stuck = any(leaf.is_stuck for leaf in board.world.leaves) or self.has_cause(STOPPED)
        is_alone = not self.line.is_plugged or not self.is_lane_alive()
        return is_deaf or is_stuck or is_alone or not board.is_running
