"""The examination of one traveller: what the cameras are asked, and which of their answers still count.

Every reading and every stay has a ticket; a sighting with an older one is void.
"""

import asyncio
import secrets
from collections.abc import Callable, Coroutine
from typing import assert_never

import numpy as np
from numpy.typing import NDArray

from drivers.lane_io.interface import LaneSensors
from gate.core import effects as do
from gate.core import events as on
from gate.core.clock import Clock
from gate.core.events import Event
from gate.core.guard import Guard
from gate.core.policy import LookupFacts, NotTaken
from gate.core.state import State
from gate.lane.casework import Casework, Surroundings
from gate.lane.sightings import (
    ChipProgressed,
    CodesSeen,
    DocumentIdentified,
    DocumentOutcome,
    DocumentPictures,
    DocumentSeen,
    DocumentTaken,
    FaceOutcome,
    FaceSeen,
    LightAsked,
    PrivateDocument,
)
from gate.lane.temperature import Thermometry
from gate.lane.vision import Vision
from gate.wire.messages import KioskLight

Lookup = Callable[[PrivateDocument, str], Coroutine[None, None, tuple[LookupFacts, ...] | None]]
FaceLookup = Callable[
    [tuple[LookupFacts, ...] | None, NDArray[np.float32]], Coroutine[None, None, tuple[LookupFacts, ...] | None]
]
"""Takes the answers about a document and its picture's template; returns the answers, with what the picture adds."""
Seen = (
    DocumentSeen
    | DocumentTaken
    | DocumentIdentified
    | DocumentOutcome
    | DocumentPictures
    | ChipProgressed
    | CodesSeen
    | FaceSeen
    | LightAsked
    | FaceOutcome
)
HOLD_STILL = "hold_still"


class Examination:
    """Stands between the runtime, the cameras and the casework; lives on the lane's event loop."""

    def __init__(
        self,
        *,
        clock: Clock,
        vision: Vision,
        casework: Casework,
        guard: Guard,
        look_up: Lookup,
        faces: FaceLookup | None = None,
        celsius: Callable[[int], float | None] | None,
        last_sensors: Callable[[], LaneSensors | None],
        step: Callable[[Event], None],
        spawn: Callable[[Coroutine[None, None, None]], None],
        writes: Callable[[Callable[[], None]], None],
        on_hint: Callable[[], None],
    ) -> None:
        """``writes`` runs something that records, and turns a failing store into an event; ``on_hint`` says that the hint changed."""
        self._clock = clock
        self._vision = vision
        self._casework = casework
        self._guard = guard
        self._look_up = look_up
        self._faces = faces
        # A plain function is read in passing.
        self._thermometry = (
            celsius if isinstance(celsius, Thermometry) or celsius is None else Thermometry(read=celsius)
        )
        self._last_sensors = last_sensors
        self._step = step
        self._spawn = spawn
        self._writes = writes
        self._on_hint = on_hint
        self._state = State.STARTING
        self._ticket = 0
        self._stay_ns = 0
        self._placed_ns = 0
        self._has_waiting_document = False
        self._answers: asyncio.Future[tuple[LookupFacts, ...] | None] | None = None
        self.hint: str | None = None
        self.light: KioskLight | None = None
        self.chip_progress: float | None = None

    def entered(self, state: State) -> None:
        """The lane is in another state: what is expected of the cameras changes with it."""
        self._state = state
        self.hint = None
        self.light = None
        self.chip_progress = None
        self._vision.expect_documents(state in (State.READY, State.READING_DOCUMENT))
        if state is State.ENTRY_OPEN:
            self._vision.watch_arrival(self._ticket)
        if state is State.REFERRED:
            self._vision.watch_people(self._ticket)
        if state is State.READY and self._has_waiting_document:
            self._offer_document(self._clock.monotonic_ns())

    def run(self, effect: do.BeginCrossing | do.CaptureFace | do.StopChecks) -> None:
        """Start or stop looking."""
        match effect:
            case do.BeginCrossing():
                self._ticket += 1
                self._vision.read_document(self._ticket)
                self._casework.begin(self._placed_ns)
            case do.CaptureFace():
                self._stay_ns = self._clock.monotonic_ns()
                here = self._casework.crossing
                self._vision.capture_face(self._ticket, here.reference if here else None)
            case do.StopChecks():
                self._ticket += 1
                if self._answers is not None:
                    self._answers.cancel()
                    self._answers = None
                self._vision.stop_checks()
            case _:
                assert_never(effect)

    def sight(self, item: Seen) -> None:
        """Take a sighting."""
        match item:
            case DocumentSeen():
                self._has_waiting_document = True
                self._offer_document(item.at_ns)
            case DocumentTaken():
                self._has_waiting_document = False
                self._step(on.DocumentRemoved())
            case DocumentIdentified():
                here = self._casework.crossing
                if item.ticket == self._ticket and here is not None:
                    self._answers = asyncio.ensure_future(self._look_up(item.private, here.case_id))
            case DocumentOutcome():
                if item.ticket == self._ticket:
                    self._spawn(self._judge_document(item))
            case DocumentPictures() | ChipProgressed() | CodesSeen():
                if item.ticket == self._ticket:
                    self._sight_reading(item)
            case FaceSeen() | LightAsked() | FaceOutcome():
                self._sight_face(item)
            case _:
                assert_never(item)

    def _sight_reading(self, item: DocumentPictures | ChipProgressed | CodesSeen) -> None:
        match item:
            case DocumentPictures():
                self._writes(lambda: self._casework.add_pictures(item))
            case ChipProgressed():
                if self._state is State.READING_DOCUMENT:
                    self.chip_progress = item.ratio
                    self._on_hint()
            case CodesSeen():
                self._writes(lambda: self._casework.add_codes(item))
            case _:
                assert_never(item)

    def _sight_face(self, item: FaceSeen | LightAsked | FaceOutcome) -> None:
        if item.ticket != self._ticket:
            return
        match item:
            case FaceSeen():
                self._count_people(item)
            case LightAsked():
                self.light = KioskLight(id=secrets.token_hex(4), colours=item.colours, step_ms=item.step_ms)
                self._on_hint()
            case FaceOutcome():
                self._spawn(self._judge_face(item))
            case _:
                assert_never(item)

    def _offer_document(self, at_ns: int) -> None:
        if self._state is State.READY:
            self._has_waiting_document = False
            self._placed_ns = at_ns
            self._step(on.DocumentPlaced())

    def _count_people(self, seen: FaceSeen) -> None:
        self._guard.observe_camera(seen.person_count)
        if seen.person_count > 1:
            self._step(on.CompanyDetected(person_count=seen.person_count))
        if seen.hint != self.hint:
            self.hint = seen.hint
            self._on_hint()

    async def _judge_document(self, outcome: DocumentOutcome) -> None:
        asked, self._answers = self._answers, None
        answers = await asked if asked is not None and outcome.facts is not None else None
        if self._faces is not None and outcome.reference is not None:
            answers = await self._faces(answers, outcome.reference)
        if outcome.ticket == self._ticket:
            self._writes(lambda: self._casework.judge_document(outcome, answers))

    async def _judge_face(self, outcome: FaceOutcome) -> None:
        celsius = await self._temperature()
        if outcome.ticket != self._ticket:
            return
        last = self._last_sensors()
        around = Surroundings(
            occupancy_id=self._guard.occupancy_id,
            curtain_count=last.person_count if last else None,
            celsius=celsius,
        )
        self._writes(lambda: self._casework.judge_face(outcome, around))

    async def _temperature(self) -> float | NotTaken | None:
        """The traveller's, waiting a moment for the first reading of the stay; None at once where nothing measures it."""
        if self._thermometry is None:
            return None
        return await self._thermometry.take(self._stay_ns, self._ask_to_hold_still)

    def _ask_to_hold_still(self, is_asked: bool) -> None:
        self.hint = HOLD_STILL if is_asked else None
        self._on_hint()
