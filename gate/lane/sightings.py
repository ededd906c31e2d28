"""What the vision threads tell the lane's event loop. ``ticket`` is the stay or the reading they belong to; an old one is void."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from gate.core.evidence import Finding
from gate.core.policy import DocumentFacts
from gate.core.presentation import PresentationFacts
from gate.core.travel_findings import HealthFacts, PassFacts


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentSeen:
    """Something lies still on the reader. ``at_ns``: when the first frame that shows it was taken (monotonic)."""

    at_ns: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentTaken:
    """The reader is empty again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PrivateDocument:
    """The personal data of a page; goes to the evidence store only. ``mrz_lines`` as printed, dates ISO 8601."""

    surname: str
    given_names: str
    document_code: str
    document_number: str
    issuer: str
    nationality: str
    birth_date: str
    sex: str
    expiry_date: str
    mrz_lines: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentIdentified:
    """The page is read; its portrait is not measured yet. Look-ups may begin."""

    ticket: int
    private: PrivateDocument


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class DocumentOutcome:
    """The end of a reading: ``facts`` and ``private`` when it was read, else ``refusal`` says why not.

    ``reference``: template of the chip's picture or the portrait (float32 (128,), length 1), None without a usable one. Pictures are JPEG.
    """

    ticket: int
    placed_ns: int
    refusal: str | None = None
    facts: DocumentFacts | None = None
    private: PrivateDocument | None = None
    reference: NDArray[np.float32] | None = None
    model_hash: str | None = None
    inference_ns: int = 0
    findings: tuple[Finding, ...] = ()
    """Those of the chip."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentPictures:
    """The pictures of a reading, encoded after the decision so that nobody waits for them."""

    ticket: int
    page_jpeg: bytes
    portrait_jpeg: bytes | None
    chip_jpeg: bytes | None = None
    """The picture of the chip's data group 2, if a state's signature holds over it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChipProgressed:
    """How much of the document's chip is read, 0 to 1, for the traveller who must leave it lying."""

    ticket: int
    ratio: float


@dataclass(frozen=True, slots=True, kw_only=True)
class CodesSeen:
    """The codes shown beside the document of a reading, judged against it. ``record`` goes to the evidence store only."""

    ticket: int
    boarding_pass: PassFacts | None
    health: HealthFacts | None
    record: bytes | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class FaceSeen:
    """One frame of the stay: how many people the camera counts, and what would help (a quality hint)."""

    ticket: int
    person_count: int
    hint: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class LightAsked:
    """The kiosk is to show these colours (``#rrggbb``) now, each for ``step_ms``."""

    ticket: int
    colours: tuple[str, ...]
    step_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class FaceOutcome:
    """The comparison of a stay. ``score`` None: no frame was good enough. ``seen_ns``: first frame that counted (monotonic)."""

    ticket: int
    score: float | None
    threshold: float
    hints: tuple[str, ...]
    model_hash: str
    person_count: int
    seen_ns: int | None
    live_jpeg: bytes | None
    inference_ns: int = 0
    presentation: PresentationFacts | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CameraChanged:
    """A camera fell silent or came back."""

    device: str
    is_ok: bool
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class VisionFailed:
    """A vision thread ended by an error of ours: the lane cannot see, and must not go on as if it could."""

    error: Exception


Sighting = (
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
    | CameraChanged
    | VisionFailed
)
