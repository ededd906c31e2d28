"""Submissions over MQTT: signed by their source, then encrypted to the hub, since nothing personal travels through a broker in clear.

The payload is a compact JWE (RFC 7516; ECDH-ES with X25519, A256GCM) around a compact JWS (RFC 7515, Ed25519) of type
``tongguan-submission+jws`` with the claims ``id``, ``kind``, ``iat`` and ``data`` (zlib, RFC 1950, in base64). The sources' public
keys lie in the folder ``window`` beside the site's keys, one PEM file a source; the hub's own key to seal to is ``window-seal.pub.pem``.
"""

import base64
import binascii
import os
import secrets
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from joserfc import jwe
from joserfc.errors import JoseError
from joserfc.jwk import OKPKey
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from gate.hub.errors import HubError
from gate.hub.window.forms import Kind
from gate.hub.window.intake import Submission
from gate.wire.signing import Refused, SigningKey, Verifier, VerifyKey
from gate.wire.topics import is_segment

SUBMISSION_TYPE = "tongguan-submission+jws"
MAX_AGE_S = 7 * 86_400.0
"""A broker may keep a submission for a weekend; the id keeps it from being taken twice."""
CLOCK_TOLERANCE_S = 300.0
MAX_BYTES = 16 * 1024 * 1024
"""Of what was sent, unpacked."""
_ALGORITHMS = ["ECDH-ES", "A256GCM"]


class _Claims(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    id: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,30}$")
    kind: Kind
    iat: float
    data: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Who may submit over MQTT: a name (a topic's segment) and a public key."""

    name: str
    key: VerifyKey


def load_sources(folder: Path) -> dict[str, Source]:
    """The sources of ``{folder}/window/*.pem`` by the file's name. HubError for a name that no topic can carry, GateError for a bad key."""
    found = {}
    for path in sorted((folder / "window").glob("*.pem")):
        name = path.name.removesuffix(".pem").removesuffix(".pub")
        if not is_segment(name) or len(name) > 32:
            raise HubError(f"{path} names no source: use lower-case letters, digits and hyphens, at most 32")
        found[name] = Source(name=name, key=VerifyKey.load(path))
    return found


def seal_key(folder: Path) -> OKPKey:
    """The hub's private key to which sources encrypt, made when there is none yet. HubError when it cannot be used."""
    path = folder / "window-seal.pem"
    try:
        if not path.exists():
            _make(path)
        key = OKPKey.import_key(path.read_bytes())
    except (OSError, ValueError, JoseError) as error:
        raise HubError(f"the key of sealed submissions {path} cannot be used ({error}): check the file") from None
    return key


def _make(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    key = OKPKey.generate_key("X25519")
    new = path.with_suffix(f".{secrets.token_hex(4)}.pem")
    descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(key.as_pem(private=True))
        os.link(new, path)  # never over one that another process made in the same moment
        path.with_suffix(".pub.pem").write_bytes(key.as_pem(private=False))
    except FileExistsError:
        return
    finally:
        new.unlink(missing_ok=True)


def seal(data: bytes, *, kind: Kind, submission_id: str, key: SigningKey, hub: OKPKey, now_s: float) -> bytes:
    """What a source sends. ``hub`` is the public key ``window-seal.pub.pem``."""
    packed = base64.b64encode(zlib.compress(data)).decode()
    claims = {"id": submission_id, "kind": kind.value, "iat": now_s, "data": packed}
    signed = key.sign(claims, SUBMISSION_TYPE)
    header = {"alg": "ECDH-ES", "enc": "A256GCM", "cty": "JWT"}
    return jwe.encrypt_compact(header, signed.encode(), hub, algorithms=_ALGORITHMS).encode()


def unseal(
    payload: bytes, *, source: str, sources: Mapping[str, Source], key: OKPKey, now_s: float
) -> Submission | Refused:
    """The submission of ``source``, or why it is not believed. Never raises on any input."""
    known = sources.get(source)
    if known is None:
        return Refused(reason="unknown_source")
    try:
        plain = jwe.decrypt_compact(payload, key, algorithms=_ALGORITHMS).plaintext or b""
    except (JoseError, ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return Refused(reason="not_for_this_hub")
    checked = Verifier.trusting(known.key).claims(plain, SUBMISSION_TYPE)
    if isinstance(checked, Refused):
        return checked
    try:
        claims = _Claims.model_validate(checked[1])
        unpacking = zlib.decompressobj()
        data = unpacking.decompress(base64.b64decode(claims.data, validate=True), MAX_BYTES)
    except (ValidationError, binascii.Error, zlib.error):
        return Refused(reason="malformed")
    if not unpacking.eof:
        return Refused(reason="too_long")
    if not now_s - MAX_AGE_S <= claims.iat <= now_s + CLOCK_TOLERANCE_S:
        return Refused(reason="out_of_time")
    return Submission(kind=claims.kind, data=data, source=source, channel="mqtt", submission_id=f"{source}:{claims.id}")
