"""A person at a walk-through lane: up to the reader, the document down, a look at the camera, and out by the one door or back."""

import time

from drivers.lane_io.protocol import WireLamp
from simulator.traveller import APART_MM, BEYOND_MM, FOLLOWING_MM, LINE_MM, OUTSIDE_MM, Traveller

_BESIDE_S = 2.0
"""So long a companion stands beside before the screen's word is heeded."""
_GIVES_UP_S = 1.5
"""A lamp that has been green so long, and no door opens: it is over, the lane is there for the next one."""


class WalkThroughTraveller(Traveller):
    """Walks one crossing of an open approach. Nobody is kept in, so that giving up is walking away."""

    def cross(self, *, patience_s: float = 60.0) -> None:
        twin, spec = self._twin, self._spec
        twin.thermometer.set(None)
        self._wait(lambda: self._lamp() is WireLamp.GREEN, patience_s)
        try:
            if not spec.never_enters:
                self._step_up()
            twin.show_document(self._costume.document, self._costume.chip)
            self._wait(self._is_read, patience_s)
            if spec.never_enters:
                return
            self._look_up()
            self._wait(self._is_exit_open, patience_s, unless=self._is_over_without)
            self._go(is_forward=self._is_exit_open(), patience_s=patience_s)
        finally:
            twin.show_document(None)
            twin.show_face(None)
            twin.thermometer.set(None)

    def _step_up(self) -> None:
        board, spec = self._twin.board, self._spec
        with board.lock:
            walker = board.world.add_person(OUTSIDE_MM)
            walker.walk_to(LINE_MM)
            self._walkers = [walker]
            if spec.leaves_bag:
                self.bag = board.world.add_bag(carried_by=walker)
            if spec.followed_by is not None and not spec.is_run_after:
                companion = board.world.add_person(OUTSIDE_MM - FOLLOWING_MM)
                companion.walk_to(LINE_MM - FOLLOWING_MM - APART_MM / 2)
                self._walkers.append(companion)
        self._wait(lambda: all(walker.is_there for walker in self._walkers), 6.0)

    def _look_up(self) -> None:
        """From the document to the camera. Who came along is in the picture, too, and steps aside after a while."""
        self._twin.thermometer.set(self._spec.celsius)
        if len(self._walkers) > 1 and self._costume.standing is not None:
            self._twin.show_face(self._costume.standing.again())
            time.sleep(_BESIDE_S)
            with self._twin.board.lock:
                self._walkers.pop().walk_to(OUTSIDE_MM)
        self._twin.show_face(self._costume.walking.again())

    def _go(self, *, is_forward: bool, patience_s: float) -> None:
        world = self._twin.board.world
        with self._twin.board.lock:
            first = self._walkers[0]
            if is_forward and self.bag is not None:
                first.drop_bag()
            if is_forward and self._spec.is_run_after:
                runner = world.add_person(OUTSIDE_MM, speed_mm_s=2_400.0)
                runner.walk_to(BEYOND_MM - APART_MM)
                self._walkers.append(runner)
            first.walk_to(BEYOND_MM if is_forward else OUTSIDE_MM)
        if len(self._walkers) > 1:
            self._wait(lambda: self._lamp() is WireLamp.RED, patience_s)
        else:
            self._wait(lambda: first.is_there, patience_s)
        with self._twin.board.lock:
            gone = [walker for walker in world.walkers if walker not in self._walkers]
            for walker in (*self._walkers, *gone):
                world.remove(walker)

    def _is_read(self) -> bool:
        """The document was taken in: the lamp is no longer the one that asks for it, nor that which says so while it is read."""
        return self._lamp() is not WireLamp.GREEN

    def _is_over_without(self) -> bool:
        """Sent to the desk, or told to go back and the lane is there for the next one."""
        if self._lamp() is WireLamp.RED:
            return True
        end_s = time.monotonic() + _GIVES_UP_S
        while self._lamp() is WireLamp.GREEN and not self._is_exit_open():
            if time.monotonic() >= end_s:
                return True
            time.sleep(0.02)
        return False
