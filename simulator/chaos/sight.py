"""What the cameras of a lane would have said: the models' answers, made up from the truth of the simulated traveller."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gate.core.evidence import Finding
from gate.core.policy import DocumentFacts
from gate.lane.sightings import (
    CameraChanged,
    DocumentIdentified,
    DocumentOutcome,
    DocumentPictures,
    DocumentSeen,
    DocumentTaken,
    FaceOutcome,
    FaceSeen,
    PrivateDocument,
)
from simulator.chaos.timeloop import LoopClock, TimeLoop

MODEL_HASH = "ab" * 32
THRESHOLD = 0.469
_READ_S, _LOOK_S, _COUNT_S = 0.06, 0.07, 0.2
_FACTS = DocumentFacts(
    format="TD3",
    failed_check_digits=(),
    expiry_date=date(2040, 1, 1),
    birth_date=date(1980, 1, 1),
    has_portrait=True,
    confidence_ratio=0.99,
    model_hash=MODEL_HASH,
)
_PRIVATE = PrivateDocument(
    surname="ERIKSSON",
    given_names="ANNA MARIA",
    document_code="P",
    document_number="L898902C3",
    issuer="UTO",
    nationality="UTO",
    birth_date="1980-01-01",
    sex="F",
    expiry_date="2040-01-01",
    mrz_lines=("P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<", "L898902C36UTO8001014F4001016<<<<<<<<<<<<<<06"),
)
_TEMPLATE = np.full(128, 1 / np.sqrt(128), np.float32)


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """What the cameras would see of a traveller. ``score``: the face against the document; None for a face never seen well."""

    is_document_readable: bool = True
    score: float | None = 0.8


class Sight:
    """In the place of :class:`gate.lane.vision.Vision`. ``people_inside`` is the truth that the face camera counts."""

    def __init__(
        self,
        loop: TimeLoop,
        clock: LoopClock,
        *,
        people_inside: Callable[[], int],
        read_chip: Callable[[], tuple[tuple[Finding, ...], float]] = lambda: ((), 0.0),
    ) -> None:
        """``read_chip``: what the document's chip comes to, and how many seconds longer the document takes for it."""
        self._loop = loop
        self._clock = clock
        self._people_inside = people_inside
        self._read_chip = read_chip
        self._person: Person | None = None
        self._post: Callable[[Any], None] = lambda _item: None
        self._ticket: int | None = None
        self._is_blind = False
        self._is_stopped = False

    # -- the world ---------------------------------------------------------------------------------------------------

    def place(self, person: Person) -> None:
        """A document is laid on the reader."""
        self._person = person
        if not self._is_blind:
            self._say(DocumentSeen(at_ns=self._clock.monotonic_ns()))

    def take_away(self) -> None:
        self._say(DocumentTaken())

    def go_blind(self, device: str) -> None:
        """A camera falls silent, and the lane is told."""
        self._is_blind = True
        self._say(CameraChanged(device=device, is_ok=False, reason="no frames"))

    def see_again(self, device: str) -> None:
        self._is_blind = False
        self._say(CameraChanged(device=device, is_ok=True))

    # -- gate.lane.vision.Vision ---------------------------------------------------------------------------------------

    def start(self, post: Callable[[Any], None]) -> None:
        self._post = post

    def stop(self) -> None:
        self._is_stopped = True

    def expect_documents(self, is_expected: bool) -> None: ...

    def read_document(self, ticket: int) -> None:
        chip, longer_s = self._read_chip()
        self._loop.call_later(_READ_S + longer_s, self._read, ticket, self._person, chip)

    def watch_arrival(self, ticket: int) -> None: ...

    def capture_face(self, ticket: int, reference: NDArray[np.float32] | None) -> None:
        self._ticket = ticket
        self._loop.call_later(_LOOK_S, self._compare, ticket, reference is not None, self._clock.monotonic_ns())

    def watch_people(self, ticket: int) -> None:
        self._ticket = ticket
        self._loop.call_later(_COUNT_S, self._count, ticket)

    def stop_checks(self) -> None:
        self._ticket = None

    # -- answers -------------------------------------------------------------------------------------------------------

    def _say(self, item: Any) -> None:
        if not self._is_stopped:
            self._post(item)

    def _read(self, ticket: int, person: Person | None, chip: tuple[Finding, ...]) -> None:
        if self._is_blind or person is None:
            return
        placed_ns = self._clock.monotonic_ns() - int(_READ_S * 1e9)
        if not person.is_document_readable:
            refusal = "unreadable: the lines are worn"
            self._say(DocumentOutcome(ticket=ticket, placed_ns=placed_ns, refusal=refusal, model_hash=MODEL_HASH))
            return
        self._say(DocumentIdentified(ticket=ticket, private=_PRIVATE))
        self._say(
            DocumentOutcome(
                ticket=ticket,
                placed_ns=placed_ns,
                facts=_FACTS,
                findings=chip,
                private=_PRIVATE,
                reference=_TEMPLATE.copy(),
                model_hash=MODEL_HASH,
            )
        )
        self._say(DocumentPictures(ticket=ticket, page_jpeg=b"page", portrait_jpeg=b"portrait"))

    def _compare(self, ticket: int, has_reference: bool, since_ns: int) -> None:
        if self._is_blind or ticket != self._ticket:
            return
        count = self._people_inside()
        self._say(FaceSeen(ticket=ticket, person_count=count, hint=None))
        if count == 0:
            self._loop.call_later(_COUNT_S, self._compare, ticket, has_reference, since_ns)
            return
        score = self._person.score if self._person is not None and has_reference else None
        self._say(
            FaceOutcome(
                ticket=ticket,
                score=score,
                threshold=THRESHOLD,
                hints=() if score is not None else ("too_dark",),
                model_hash=MODEL_HASH,
                person_count=count,
                seen_ns=self._clock.monotonic_ns(),
                live_jpeg=b"live" if score is not None else None,
            )
        )
        self._loop.call_later(_COUNT_S, self._count, ticket)

    def _count(self, ticket: int) -> None:
        """As the camera goes on counting while the stay lasts."""
        if ticket == self._ticket and not self._is_stopped:
            if not self._is_blind:
                self._say(FaceSeen(ticket=ticket, person_count=self._people_inside(), hint=None))
            self._loop.call_later(_COUNT_S, self._count, ticket)
