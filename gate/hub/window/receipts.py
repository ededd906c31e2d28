"""Paperless receipts: what was taken of a submission, signed, so that whoever submitted can show it to anybody.

A compact JWS (RFC 7515, Ed25519) of type ``tongguan-window-receipt+jws``. It names the bytes by their sha256 and holds nothing of them.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from gate.wire.messages import Sha256
from gate.wire.signing import Refused, SigningKey, Verifier

WINDOW_RECEIPT_TYPE = "tongguan-window-receipt+jws"


class WindowReceipt(BaseModel):
    """The claims. ``records`` and ``errors`` count; ``iat`` is in seconds since 1970."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    iss: str
    iat: float
    submission_id: str = Field(max_length=64)
    kind: str
    source: str
    sha256: Sha256
    records: int = Field(ge=0)
    errors: int = Field(ge=0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipts:
    """Signs for one hub. ``issuer`` is ``{port}/{hub}``."""

    key: SigningKey
    issuer: str

    def sign(self, claims: Mapping[str, Any], *, at_ms: int) -> str:
        receipt = WindowReceipt.model_validate({"iss": self.issuer, "iat": at_ms / 1000, **claims})
        return self.key.sign(receipt.model_dump(mode="json"), WINDOW_RECEIPT_TYPE)


def verify_window_receipt(verifier: Verifier, token: str) -> WindowReceipt | Refused:
    """The receipt, when a trusted hub signed it. Never raises on any input."""
    checked = verifier.claims(token, WINDOW_RECEIPT_TYPE)
    if isinstance(checked, Refused):
        return checked
    try:
        return WindowReceipt.model_validate(checked[1])
    except ValidationError:
        return Refused(reason="malformed")
