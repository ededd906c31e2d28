"""Sends the travellers of a scenario through a simulated port and compares how each ended with what was expected."""

import queue
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from simulator.costume import Wardrobe
from simulator.port import SimulatedPort
from simulator.scenario import Scenario, TravellerSpec
from simulator.traveller import Traveller, TravellerGone
from simulator.walk_up import WalkThroughTraveller

READY_TIMEOUT_S = 60.0
END_TIMEOUT_S = 75.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """How one crossing ended. ``outcome`` None: it did not, in the time there was."""

    spec: TravellerSpec
    lane: str
    outcome: str | None
    reasons: tuple[str, ...]
    crossing_s: float
    document_to_entry_ms: float | None = None
    face_to_exit_ms: float | None = None
    inference_ms: float | None = None
    release_ms: float | None = None

    @property
    def is_as_expected(self) -> bool:
        expected = self.spec.expected
        named = {reason.removeprefix("lane.") for reason in self.reasons}
        return self.outcome == expected.outcome.value and named.issuperset(expected.reasons)

    def to_json(self) -> dict[str, Any]:
        """The keys of the measuring commands."""
        return {
            "traveller": self.spec.id,
            "expected": self.spec.expected.outcome.value,
            "outcome": self.outcome,
            "reasons": list(self.reasons),
            "crossing_s": round(self.crossing_s, 2),
            "lane": self.lane,
            "document_to_entry_ms": self.document_to_entry_ms,
            "face_to_exit_ms": self.face_to_exit_ms,
            "inference_ms": self.inference_ms,
            "release_ms": self.release_ms,
        }


class Crowd:
    """One queue of travellers, a thread a lane. ``on_start`` and ``on_result`` are called in those threads."""

    def __init__(
        self,
        port: SimulatedPort,
        scenario: Scenario,
        wardrobe: Wardrobe,
        *,
        on_start: Callable[[str, TravellerSpec], None] = lambda _lane, _spec: None,
        on_result: Callable[[Result], None] = lambda _result: None,
        has_officers: bool = True,
    ) -> None:
        self._port = port
        self._scenario = scenario
        self._wardrobe = wardrobe
        self._on_start = on_start
        self._on_result = on_result
        self._has_officers = has_officers
        self._queue: queue.SimpleQueue[tuple[int, TravellerSpec]] = queue.SimpleQueue()
        self._is_over = threading.Event()
        self._lock = threading.Lock()
        self.results: list[Result] = []
        self.errors: list[BaseException] = []

    def run(self, count: int) -> list[Result]:
        """Send ``count`` travellers (the scenario's, again and again) and wait for the last. Results in the order of their turn."""
        for number in range(count):
            self._queue.put((number, self._scenario.travellers[number % len(self._scenario.travellers)]))
        order: dict[int, Result] = {}
        threads = [
            threading.Thread(target=self._work, args=(lane, order), name=f"crowd {lane}", daemon=True)
            for lane in self._port.twins
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            while thread.is_alive():
                thread.join(0.2)  # in slices, so that an interrupt is heard
        if self.errors:
            raise self.errors[0]
        return [order[number] for number in sorted(order)]

    def stop(self) -> None:
        """Let everybody go home."""
        self._is_over.set()

    def _work(self, lane: str, order: dict[int, Result]) -> None:
        try:
            while not self._is_over.is_set():
                try:
                    number, spec = self._queue.get_nowait()
                except queue.Empty:
                    return
                order[number] = self._send(lane, spec)
        except TravellerGone:
            return
        except BaseException as error:  # noqa: BLE001  carried over to the thread that waits in run()
            self.errors.append(error)
            self._is_over.set()

    def _send(self, lane: str, spec: TravellerSpec) -> Result:
        costume = self._wardrobe.costume(spec)
        observer = self._port.observer
        observer.wait_for_state(lane, "ready", READY_TIMEOUT_S)
        twin = self._port.twins[lane]
        make = Traveller if twin.board.world.has_entry else WalkThroughTraveller
        traveller = make(spec, costume, twin, is_over=self._is_over)
        before = observer.ended_count(lane)
        self._port.officers.declare(spec)
        if self._has_officers:
            self._port.officers.expect(lane, spec.officers, traveller.remove_bag)
        self._on_start(lane, spec)
        started_s = time.monotonic()
        traveller.cross()
        ended = observer.wait_for_end(lane, before, END_TIMEOUT_S)
        result = Result(
            spec=spec,
            lane=lane,
            outcome=None if ended is None else ended.outcome.value,
            reasons=() if ended is None else tuple(ended.reasons),
            crossing_s=time.monotonic() - started_s,
            document_to_entry_ms=ended.document_to_entry_ms if ended else None,
            face_to_exit_ms=ended.face_to_exit_ms if ended else None,
            inference_ms=ended.inference_ms if ended else None,
            release_ms=ended.release_ms if ended else None,
        )
        with self._lock:
            self.results.append(result)
        self._on_result(result)
        return result
