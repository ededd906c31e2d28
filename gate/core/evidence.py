"""What was found out about a traveller, in a form that can be hashed, shown and agreed upon.

Evidence has a public part (findings, digests of pictures) that travels over MQTT, and a private part (names, MRZ, pictures)
that goes to the hub's evidence store only and is bound here by its sha256. :meth:`Evidence.digest` covers both, so two roles
that approve one digest have approved the same facts.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any, Self


class Outcome(StrEnum):
    """What one check says. Only PASS and INFO never stand in the way of a clearance."""

    PASS = "pass"
    INFO = "info"
    REFER = "refer"
    NOT_CHECKED = "not_checked"


class Stage(StrEnum):
    """At which door a finding is weighed."""

    ENTRY = "entry"
    EXIT = "exit"


# Looked up here: calling the class, and asking a member for its value, take several times as long.
_OUTCOMES = {item.value: item for item in Outcome}
_STAGES = {item.value: item for item in Stage}


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """The result of one check.

    ``code`` is dotted and stable (``document.expired``); ``role`` names who must look at a REFER (``border`` when no agency is
    named); ``measured`` and ``threshold`` are in the unit the code's documentation states; ``model_hash`` is the sha256 (hex) of
    the model that measured, if one did.
    """

    code: str
    outcome: Outcome
    stage: Stage
    role: str = "border"
    measured: float | str | None = None
    threshold: float | str | None = None
    model_hash: str | None = None
    detail: str = ""

    @property
    def is_in_the_way(self) -> bool:
        """Whether this finding alone forbids an automatic clearance: anything that is not known to be fine does."""
        return self.outcome not in (Outcome.PASS, Outcome.INFO)

    def to_json(self) -> dict[str, Any]:
        """A JSON object with every field, enums by value."""
        return {
            "code": self.code,
            "outcome": str(self.outcome),
            "stage": str(self.stage),
            "role": self.role,
            "measured": self.measured,
            "threshold": self.threshold,
            "model_hash": self.model_hash,
            "detail": self.detail,
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """The inverse of :meth:`to_json`; raises KeyError or ValueError on anything else."""
        return cls(
            code=data["code"],
            outcome=_OUTCOMES[data["outcome"]],
            stage=_STAGES[data["stage"]],
            role=data["role"],
            measured=data["measured"],
            threshold=data["threshold"],
            model_hash=data["model_hash"],
            detail=data["detail"],
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Attachment:
    """A picture or record in the evidence store, named by the sha256 (hex) of its bytes."""

    kind: str  # "page", "portrait", "chip" (the picture in it), "live", "travel", "private", "xray" and others
    sha256: str
    media_type: str

    def to_json(self) -> dict[str, str]:
        return {"kind": self.kind, "sha256": self.sha256, "media_type": self.media_type}


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """Everything known about one crossing so far; immutable, each addition is a new revision.

    ``occupancy_id`` is the guard's own name for the stay of the person inside (None before somebody is): a release names it, so
    it cannot open the exit for anybody else.
    """

    port: str
    lane: str
    case_id: str
    revision: int = 0
    occupancy_id: str | None = None
    findings: tuple[Finding, ...] = ()
    attachments: tuple[Attachment, ...] = ()

    def extended(
        self,
        *,
        findings: tuple[Finding, ...] = (),
        attachments: tuple[Attachment, ...] = (),
        occupancy_id: str | None = None,
    ) -> "Evidence":
        """A new revision with ``findings`` and ``attachments`` added."""
        return replace(
            self,
            revision=self.revision + 1,
            occupancy_id=occupancy_id or self.occupancy_id,
            findings=(*self.findings, *findings),
            attachments=(*self.attachments, *attachments),
        )

    def to_json(self) -> dict[str, Any]:
        """The public part as a JSON object."""
        return {
            "port": self.port,
            "lane": self.lane,
            "case_id": self.case_id,
            "revision": self.revision,
            "occupancy_id": self.occupancy_id,
            "findings": [finding.to_json() for finding in self.findings],
            "attachments": [attachment.to_json() for attachment in self.attachments],
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """The inverse of :meth:`to_json`; raises KeyError, TypeError or ValueError on anything else."""
        return cls(
            port=data["port"],
            lane=data["lane"],
            case_id=data["case_id"],
            revision=data["revision"],
            occupancy_id=data["occupancy_id"],
            findings=tuple(Finding.from_json(item) for item in data["findings"]),
            attachments=tuple(
                Attachment(kind=item["kind"], sha256=item["sha256"], media_type=item["media_type"])
                for item in data["attachments"]
            ),
        )

    def digest(self) -> str:
        """The sha256 (hex) of the canonical JSON of the public part, which names the private part by its digests."""
        return canonical_sha256(self.to_json())


def canonical_json(value: object) -> bytes:
    """``value`` as JSON with sorted keys, no white space, UTF-8, finite numbers only (in the manner of RFC 8785)."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return text.encode("utf-8")


def canonical_sha256(value: object) -> str:
    """The sha256 (hex) of :func:`canonical_json`."""
    return hashlib.sha256(canonical_json(value)).hexdigest()
