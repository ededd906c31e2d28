"""Health declarations that a traveller carries as a QR code: reading, verifying, and issuing one.

The text is `TGH1:` and a compact JWS (RFC 7515) with Ed25519 (RFC 8037). The header holds `alg`, `typ` (`tongguan-health+jws`) and
`kid`, the name of the health authority's key; the payload is a JSON object (docs/protocols/modbus-osdp.md, "Codes"):

    {"v": 1, "id": "...", "iss": "...", "iat": 1767225600, "exp": 1767398400, "doc": "UTO:L898902C3",
     "fever": false, "symptoms": [], "contact": false, "visited": ["UTO"]}

`doc` binds the declaration to one document (issuing state and number as in the MRZ): a good signature on someone else's declaration
is worth nothing, so :func:`verify_health` wants to know whose document lies on the reader.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Any

from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import OKPKey
from pydantic import BaseModel, ConfigDict, Field, ValidationError

PREFIX = "TGH1:"
MESSAGE_TYPE = "tongguan-health+jws"
MAX_CHARACTERS = 2953
"""What the largest QR code holds in byte mode (ISO/IEC 18004, version 40-L)."""
MAX_LIFE_S = 14 * 86_400
"""A declaration that claims to be good for longer is refused: what it says is of these days."""
CLOCK_TOLERANCE_S = 300.0

_ALGORITHM = "Ed25519"
_REGISTRY = jws.JWSRegistry(algorithms=[_ALGORITHM], strict_check_header=False)


class HealthReason(StrEnum):
    """Why a text is no declaration to be believed."""

    NOT_HEALTH = "not_health"
    MALFORMED = "malformed"
    UNKNOWN_KEY = "unknown_key"
    BAD_SIGNATURE = "bad_signature"
    NOT_YET_VALID = "not_yet_valid"
    EXPIRED = "expired"
    OTHER_DOCUMENT = "other_document"


@dataclass(frozen=True, slots=True, kw_only=True)
class HealthRefusal:
    reason: HealthReason
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class HealthDeclaration:
    """What the traveller declared and the authority signed."""

    declaration_id: str
    issuer: str
    issued_s: float
    """Seconds since 1970, UTC."""
    expires_s: float
    document: str
    """Issuing state and number, as in the MRZ without fillers: `UTO:L898902C3`."""
    has_fever: bool
    symptoms: tuple[str, ...]
    had_contact: bool
    visited: tuple[str, ...]
    """States of the last 14 days, three letters as in Doc 9303 part 3."""

    @property
    def is_clear(self) -> bool:
        """Nothing in it asks for a health officer. Where somebody has been is for the rules of the day to judge."""
        return not (self.has_fever or self.symptoms or self.had_contact)


_Text = Annotated[str, Field(min_length=1, max_length=64)]


class _Claims(BaseModel):
    """The payload as it travels. Unknown keys are ignored: a later minor version may add some."""

    model_config = ConfigDict(frozen=True, strict=True, allow_inf_nan=False)

    v: Annotated[int, Field(ge=1, le=1)]
    id: _Text
    iss: _Text
    iat: float
    exp: float
    doc: Annotated[str, Field(pattern=r"^[A-Z]{1,3}:[A-Z0-9]{1,22}$")]
    fever: bool
    symptoms: Annotated[list[_Text], Field(max_length=32)]
    contact: bool
    visited: Annotated[list[Annotated[str, Field(pattern=r"^[A-Z]{1,3}$")]], Field(max_length=64)]


def document_name(issuer: str, document_number: str) -> str:
    """How a declaration names a document; fillers and spaces do not count."""
    return f"{_bare(issuer)}:{_bare(document_number)}"


def verify_health(
    text: str, keys: Mapping[str, OKPKey], *, document: str, now_s: float
) -> HealthDeclaration | HealthRefusal:
    """Believe the text of a code, or say why not. Never raises, whatever the text.

    ``keys``: the health authorities' public keys by ``kid``; ``document``: :func:`document_name` of the document on the reader;
    ``now_s``: seconds since 1970.
    """
    if not text.startswith(PREFIX) or len(text) > MAX_CHARACTERS:
        return _no(HealthReason.NOT_HEALTH, f"does not begin with {PREFIX}, or is too long")
    token = text[len(PREFIX) :].strip()
    try:
        # joserfc wants bytes or text; what is not ASCII can be no base64url.
        header: Mapping[str, Any] = jws.extract_compact(token.encode("ascii")).headers()
    except (JoseError, ValueError, TypeError, AttributeError, RecursionError) as error:
        return _no(HealthReason.MALFORMED, f"is no compact JWS ({type(error).__name__})")
    kid = header.get("kid")
    if header.get("alg") != _ALGORITHM or header.get("typ") != MESSAGE_TYPE or not isinstance(kid, str):
        return _no(HealthReason.MALFORMED, "its header is not that of a health declaration")
    key = keys.get(kid)
    if key is None:
        return _no(HealthReason.UNKNOWN_KEY, f"no authority has the key {kid[:64]!r}")
    try:
        payload = jws.deserialize_compact(token, key, registry=_REGISTRY).payload
    except (JoseError, ValueError) as error:
        return _no(HealthReason.BAD_SIGNATURE, f"the signature does not hold ({type(error).__name__})")
    try:
        claims = _Claims.model_validate_json(payload)
    except ValidationError as error:
        where = ".".join(str(part) for part in error.errors()[0]["loc"]) or "the payload"
        return _no(HealthReason.MALFORMED, f"{where}: {error.errors()[0]['msg']}")
    return _judge(claims, document=document, now_s=now_s)


def _judge(claims: _Claims, *, document: str, now_s: float) -> HealthDeclaration | HealthRefusal:
    if not claims.iat < claims.exp <= claims.iat + MAX_LIFE_S:
        return _no(HealthReason.MALFORMED, "its times are not in order or it claims to be good for over 14 days")
    if now_s < claims.iat - CLOCK_TOLERANCE_S:
        return _no(HealthReason.NOT_YET_VALID, "it was issued in the future")
    if now_s >= claims.exp:
        return _no(HealthReason.EXPIRED, f"it expired {now_s - claims.exp:.0f} s ago")
    if claims.doc != document:
        return _no(HealthReason.OTHER_DOCUMENT, "it was made for another document")
    return HealthDeclaration(
        declaration_id=claims.id,
        issuer=claims.iss,
        issued_s=claims.iat,
        expires_s=claims.exp,
        document=claims.doc,
        has_fever=claims.fever,
        symptoms=tuple(claims.symptoms),
        had_contact=claims.contact,
        visited=tuple(claims.visited),
    )


def issue_health(declaration: HealthDeclaration, key: OKPKey) -> str:
    """The text of a code: what a health authority's server does. ``key`` is its private Ed25519 key; `kid` is its thumbprint."""
    claims = {
        "v": 1,
        "id": declaration.declaration_id,
        "iss": declaration.issuer,
        "iat": declaration.issued_s,
        "exp": declaration.expires_s,
        "doc": declaration.document,
        "fever": declaration.has_fever,
        "symptoms": list(declaration.symptoms),
        "contact": declaration.had_contact,
        "visited": list(declaration.visited),
    }
    header = {"alg": _ALGORITHM, "kid": key.thumbprint(), "typ": MESSAGE_TYPE}
    payload = json.dumps(claims, separators=(",", ":"), ensure_ascii=False).encode()
    return PREFIX + jws.serialize_compact(header, payload, key, registry=_REGISTRY)


def _bare(text: str) -> str:
    return text.replace("<", "").replace(" ", "")


def _no(reason: HealthReason, detail: str) -> HealthRefusal:
    return HealthRefusal(reason=reason, detail=detail)
