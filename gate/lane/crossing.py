"""One crossing in the making: its case, its evidence, its times. Dropped whole when it ends, biometrics first."""

import hashlib
import secrets
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from gate.core.evidence import Attachment, Evidence, Finding
from gate.lane.store import Picture
from gate.wire.messages import new_traceparent

_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"  # Crockford's base 32: no I, L, O, U


def new_case_id() -> str:
    """Fifty random bits that a person can read out: ``7K2-0419-QXM``."""
    letters = "".join(secrets.choice(_ALPHABET) for _ in range(10))
    return f"{letters[:3]}-{letters[3:7]}-{letters[7:]}"


@dataclass(slots=True, kw_only=True)
class Crossing:
    """``reference`` is the template of the document's portrait (float32 (128,), length 1). Times are monotonic nanoseconds."""

    evidence: Evidence
    traceparent: str = field(default_factory=new_traceparent)
    started_ns: int
    placed_ns: int | None = None
    entry_commanded_ns: int | None = None
    face_seen_ns: int | None = None
    decided_ns: int | None = None
    released_ns: int | None = None
    exit_commanded_ns: int | None = None
    inference_ns: int = 0
    reference: NDArray[np.float32] | None = None
    issuer: str | None = None
    is_document_judged: bool = False
    is_face_judged: bool = False
    pictures_pending: int = 0
    _digest: tuple[Evidence, str] | None = None

    @property
    def case_id(self) -> str:
        return self.evidence.case_id

    def digest(self) -> str:
        """Of the present revision of the evidence, worked out once."""
        if self._digest is None or self._digest[0] is not self.evidence:
            self._digest = (self.evidence, self.evidence.digest())
        return self._digest[1]

    def wipe(self) -> None:
        """Overwrite and drop the template."""
        if self.reference is not None:
            self.reference.fill(0.0)
        self.reference = None

    def void_stay(self) -> None:
        """Who stands there may be another: the face is judged anew. What was found of the stay before remains in the evidence."""
        self.is_face_judged = False
        self.exit_commanded_ns = None

    def has_finding(self, code: str) -> bool:
        return any(finding.code == code for finding in self.evidence.findings)

    def add(
        self, *findings: Finding, pictures: tuple[tuple[str, Picture], ...] = (), occupancy_id: str | None = None
    ) -> None:
        """Make a new revision of the evidence. ``pictures`` are (kind, picture)."""
        attachments = tuple(
            Attachment(kind=kind, sha256=picture.sha256, media_type=picture.media_type) for kind, picture in pictures
        )
        self.evidence = self.evidence.extended(findings=findings, attachments=attachments, occupancy_id=occupancy_id)

    def attach(self, *findings: Finding, attachments: tuple[Attachment, ...]) -> None:
        """Make a new revision with what others keep already."""
        self.evidence = self.evidence.extended(findings=findings, attachments=attachments)


def begin(*, port: str, lane: str, started_ns: int) -> Crossing:
    """A crossing with an empty case."""
    return Crossing(evidence=Evidence(port=port, lane=lane, case_id=new_case_id()), started_ns=started_ns)


def picture(data: bytes, *, media_type: str, case_id: str) -> Picture:
    """``data`` named by its sha256."""
    return Picture(sha256=hashlib.sha256(data).hexdigest(), case_id=case_id, media_type=media_type, data=data)
