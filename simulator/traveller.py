"""A person at the gate. They know what people know: doors that open, the colour of the lamp, a hand that waves them back.

A thread a traveller; it moves bodies in the lane's world and changes what the cameras see, and never talks to the lane's software.
"""

import threading
import time
from collections.abc import Callable

from drivers.lane_io.protocol import WireLamp
from simulator.costume import Costume
from simulator.lane_twin import LaneTwin
from simulator.scenario import TravellerSpec
from simulator.world import Body, Walker

OUTSIDE_MM = -900.0
LINE_MM = 1500.0
BEHIND_MM = 900.0
BEYOND_MM = 3300.0
APART_MM = 700.0
FOLLOWING_MM = 430.0
"""Between the middles of two people, one close behind the other."""
POLL_S = 0.02
PASSABLE_RATIO = 0.8


class TravellerGone(Exception):
    """The simulation ends while the traveller is on the way."""


class Traveller:
    """Walks one crossing. :meth:`cross` returns when the person is out of the lane, by whichever door, or gave up."""

    def __init__(self, spec: TravellerSpec, costume: Costume, twin: LaneTwin, *, is_over: threading.Event) -> None:
        self._spec = spec
        self._costume = costume
        self._twin = twin
        self._is_over = is_over
        self._walkers: list[Walker] = []
        self.bag: Body | None = None

    def cross(self, *, patience_s: float = 60.0) -> None:
        """Place the document, and see how far it goes. ``patience_s`` bounds each wait."""
        twin = self._twin
        twin.thermometer.set(None)
        self._wait(lambda: self._lamp() is WireLamp.GREEN, patience_s)
        twin.show_document(self._costume.document, self._costume.chip)
        try:
            if not self._wait(self._is_let_in, patience_s, unless=self._is_turned_away) or self._spec.never_enters:
                return
            twin.show_document(None)
            self._walk_in()
            self._leave(patience_s)
        finally:
            twin.show_document(None)
            twin.show_face(None)
            twin.thermometer.set(None)

    def remove_bag(self) -> None:
        """Somebody clears the lane of what was left."""
        with self._twin.board.lock:
            if self.bag is not None:
                self._twin.board.world.remove(self.bag)
                self.bag = None

    def _walk_in(self) -> None:
        board = self._twin.board
        with board.lock:
            walker = board.world.add_person(OUTSIDE_MM)
            walker.walk_to(LINE_MM)
            self._walkers = [walker]
            if self._spec.leaves_bag:
                self.bag = board.world.add_bag(carried_by=walker)
            if self._spec.followed_by is not None:
                follower = board.world.add_person(OUTSIDE_MM - FOLLOWING_MM)
                follower.gap_mm = 60.0
                follower.walk_to(BEHIND_MM)
                self._walkers.append(follower)
        self._twin.show_face(self._costume.walking.again())
        self._twin.thermometer.set(self._spec.celsius)  # a thermal camera sees who comes, not only who stands
        self._wait(lambda: all(walker.is_there for walker in self._walkers), 6.0)
        if self._costume.standing is not None:
            self._twin.show_face(self._costume.standing.again())

    def _leave(self, patience_s: float) -> None:
        """Out by the door that opens. The way back is open when the entry is, once one has stood at the line."""
        self._wait(lambda: self._is_exit_open() or self._is_entry_open(), patience_s)
        is_forward = self._is_exit_open()
        with self._twin.board.lock:
            for number, walker in enumerate(self._walkers):
                if is_forward and self.bag is not None and number == 0:
                    walker.drop_bag()
                walker.walk_to(BEYOND_MM if is_forward else OUTSIDE_MM - APART_MM * number)
        self._wait(lambda: all(walker.is_there for walker in self._walkers), patience_s)
        with self._twin.board.lock:
            for walker in self._walkers:
                self._twin.board.world.remove(walker)

    def _is_let_in(self) -> bool:
        return self._is_entry_open()

    def _is_turned_away(self) -> bool:
        return self._lamp() is WireLamp.RED

    def _lamp(self) -> WireLamp:
        with self._twin.board.lock:
            return self._twin.board.model.firmware.lamp

    def _is_entry_open(self) -> bool:
        with self._twin.board.lock:
            return self._twin.board.world.entry.position >= PASSABLE_RATIO

    def _is_exit_open(self) -> bool:
        with self._twin.board.lock:
            return self._twin.board.world.exit.position >= PASSABLE_RATIO

    def _wait(self, is_so: Callable[[], bool], timeout_s: float, *, unless: Callable[[], bool] = lambda: False) -> bool:
        """Wait for a condition; False when ``unless`` came first or the time is over. TravellerGone when the simulation ends."""
        deadline = time.monotonic() + timeout_s
        while time.monotonic() < deadline:
            if self._is_over.is_set():
                raise TravellerGone
            if is_so():
                return True
            if unless():
                return False
            time.sleep(POLL_S)
        return False
