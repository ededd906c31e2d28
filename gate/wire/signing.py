"""Signatures on what must not be forged: commands, receipts, and a lane's requests to its hub.

JWS compact serialization (RFC 7515) with Ed25519 (RFC 8037), by joserfc. The header's ``kid`` is the key's RFC 7638 thumbprint and
``typ`` names the kind of message, so that a receipt can never pass for a command. This module holds the seal of releases: it is
the only place where a :class:`~gate.core.release.VerifiedRelease` is made.
"""

import base64
import json
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import OKPKey
from pydantic import ValidationError

from gate.core.clock import Clock
from gate.core.release import VerifiedEvacuation, VerifiedRelease, take_seal
from gate.errors import GateError
from gate.wire.messages import Act, Command, Receipt

_SEAL = take_seal(__name__)
_ALGORITHM = "Ed25519"
_REGISTRY = jws.JWSRegistry(algorithms=[_ALGORITHM], strict_check_header=False)

COMMAND_TYPE = "tongguan-command+jws"
RECEIPT_TYPE = "tongguan-receipt+jws"
BEARER_TYPE = "tongguan-lane+jws"

CLOCK_TOLERANCE_S = 5.0
"""How far a lane's clock may lag behind its hub's before commands are refused as issued in the future."""

COMMAND_MAX_LIFE_S = 120.0
"""A command that claims to be good for longer is refused: nothing that opens a door may wait for its hour on a broker's disk."""


class SigningKey:
    """An Ed25519 private key and its name (``kid``)."""

    def __init__(self, key: OKPKey) -> None:
        self._key = key
        self.kid: str = key.thumbprint()
        self._headers: dict[str, bytes] = {}

    @classmethod
    def generate(cls) -> Self:
        return cls(OKPKey.generate_key("Ed25519"))

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read a PEM file. GateError when it is missing or not an Ed25519 private key."""
        key = _load_pem(path)
        if not key.is_private:
            raise GateError(f"{path} holds a public key where a private one is needed: create it with 'gate keys init'")
        return cls(key)

    def save(self, path: Path) -> None:
        """Write the private key (mode 0600) and, beside it, the public one (``.pub.pem``)."""
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(self._key.as_pem(private=True))
        path.with_suffix(".pub.pem").write_bytes(self._key.as_pem(private=False))

    def public(self) -> "VerifyKey":
        return VerifyKey(OKPKey.import_key(self._key.as_dict(private=False)))

    def ed25519(self) -> Ed25519PrivateKey:
        """The key itself, for what is signed in another form than JWS. No form may be mistaken for another: see ``typ``."""
        raw = self._key.private_key
        if not isinstance(raw, Ed25519PrivateKey):
            raise TypeError("a signing key of this hub is always Ed25519")
        return raw

    def sign(self, claims: Mapping[str, Any], message_type: str) -> str:
        """The compact JWS of ``claims``.

        Put together here (RFC 7515, clause 3.1): the header is the same each time, and a library that looks into it anew costs as
        much as the signature. What verifies is joserfc.
        """
        header = self._headers.get(message_type)
        if header is None:
            said = {"alg": _ALGORITHM, "kid": self.kid, "typ": message_type}
            header = self._headers[message_type] = _base64url(json.dumps(said, separators=(",", ":")).encode())
        payload = json.dumps(claims, separators=(",", ":"), ensure_ascii=False).encode()
        signed = header + b"." + _base64url(payload)
        return (signed + b"." + _base64url(self.ed25519().sign(signed))).decode("ascii")


class VerifyKey:
    """An Ed25519 public key and its name (``kid``)."""

    def __init__(self, key: OKPKey) -> None:
        self._key = key
        self.kid: str = key.thumbprint()

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read a PEM file. GateError when it is missing or holds no Ed25519 key."""
        return cls(_load_pem(path))

    @property
    def jose_key(self) -> OKPKey:
        return self._key

    def ed25519(self) -> Ed25519PublicKey:
        """The key itself."""
        raw = self._key.public_key
        if not isinstance(raw, Ed25519PublicKey):
            raise TypeError("a key that verifies here is always Ed25519")
        return raw


def _base64url(data: bytes) -> bytes:
    """Without padding, as JWS has it (RFC 7515, clause 2)."""
    return base64.urlsafe_b64encode(data).rstrip(b"=")


def _load_pem(path: Path) -> OKPKey:
    try:
        return OKPKey.import_key(path.read_bytes())
    except FileNotFoundError:
        raise GateError(
            f"the key file {path} does not exist: create the keys of this site with 'gate keys init'"
        ) from None
    except (OSError, ValueError, JoseError) as error:
        raise GateError(f"{path} is not a readable Ed25519 key in PEM form ({error}): replace it") from None


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """A message that was not believed, and why. ``message_id`` where one could be read."""

    reason: str
    message_id: str | None = None


class Verifier:
    """Checks signatures against the keys it trusts; it keeps no memory of what it has seen."""

    def __init__(self, keys: Mapping[str, VerifyKey]) -> None:
        self._keys = dict(keys)

    @classmethod
    def trusting(cls, *keys: VerifyKey) -> Self:
        return cls({key.kid: key for key in keys})

    def claims(self, token: str | bytes, message_type: str) -> tuple[str, dict[str, Any]] | Refused:
        """(kid, claims) of a well-signed token of this type, or why it is refused. Never raises on any input."""
        if len(token) > 256 * 1024:
            return Refused(reason="too_long")
        try:
            text = token.decode("ascii") if isinstance(token, bytes) else token
            parsed = jws.extract_compact(text.encode("ascii"), registry=_REGISTRY)
            header = parsed.headers()
            kid = header.get("kid")
            if header.get("typ") != message_type or not isinstance(kid, str):
                return Refused(reason="wrong_type")
            key = self._keys.get(kid)
            if key is None:
                return Refused(reason="unknown_key")
            if not jws.validate_compact(parsed, key.jose_key, registry=_REGISTRY):
                return Refused(reason="bad_signature")
            claims = json.loads(parsed.payload)
        except (JoseError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
            return Refused(reason="bad_signature")
        if not isinstance(claims, dict):
            return Refused(reason="malformed")
        return kid, claims


def sign_command(key: SigningKey, command: Command) -> str:
    """The signed form of a command; what does not apply is left out, so that a lane of an older version knows every key."""
    return key.sign(command.model_dump(mode="json", exclude_none=True), COMMAND_TYPE)


def sign_receipt(key: SigningKey, receipt: Receipt) -> str:
    """The signed form of a receipt."""
    return key.sign(receipt.model_dump(mode="json", exclude_defaults=True), RECEIPT_TYPE)


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifiedCommand:
    """A command whose signature, address, number and times were checked.

    ``release`` is set when it is a release or a forced one, ``evacuation`` when it orders one; both are None otherwise.
    """

    command: Command
    release: VerifiedRelease | None = None
    evacuation: VerifiedEvacuation | None = None


class CommandVerifier:
    """A lane's judge of commands: signed by a trusted key, for this lane, in time, and never seen before.

    ``last_seq`` is read at start, or asked before the first command: what it raises then is raised by :meth:`verify`, since nothing is
    believed as long as nobody knows what was seen before. ``remember`` is called with every accepted number *before* the command is
    handed on, so that a restart in between loses a command rather than taking it twice.
    """

    def __init__(
        self,
        verifier: Verifier,
        *,
        address: str,
        clock: Clock,
        last_seq: int | Callable[[], int],
        remember: Callable[[int], None],
    ) -> None:
        self._verifier = verifier
        self._address = address
        self._clock = clock
        self._last_seq = last_seq
        self._remember = remember

    def verify(self, token: str | bytes) -> VerifiedCommand | Refused:
        """The command, once; or why it is refused."""
        checked = self._verifier.claims(token, COMMAND_TYPE)
        if isinstance(checked, Refused):
            return checked
        _, claims = checked
        try:
            command = Command.model_validate(claims)
        except ValidationError:
            return Refused(reason="malformed")
        reason = self._objection(command)
        if reason is not None:
            return Refused(reason=reason, message_id=command.jti)
        release = None
        if command.act in (Act.RELEASE, Act.FORCE_OPEN):
            release = _make_release(command)
            if release is None:
                return Refused(reason="malformed", message_id=command.jti)
        self._remember(command.seq)
        self._last_seq = command.seq
        evacuation = None
        if command.act is Act.EVACUATE:
            evacuation = VerifiedEvacuation(order_id=command.jti, lane=command.aud, seal=_SEAL)
        return VerifiedCommand(command=command, release=release, evacuation=evacuation)

    def _objection(self, command: Command) -> str | None:
        now_s = self._clock.utc_ms() / 1000
        if command.aud != self._address:
            return "not_for_this_lane"
        if not isinstance(self._last_seq, int):
            self._last_seq = self._last_seq()
        if command.seq <= self._last_seq:
            return "replayed"
        if now_s >= command.exp:
            return "expired"
        if command.iat > now_s + CLOCK_TOLERANCE_S:
            return "from_the_future"
        if command.exp - command.iat > COMMAND_MAX_LIFE_S:
            return "lives_too_long"
        return None


def _make_release(command: Command) -> VerifiedRelease | None:
    if not (command.case_id and command.occupancy_id and command.evidence_digest):
        return None
    if command.act is Act.FORCE_OPEN and (not command.also_by or command.also_by == command.by):
        return None
    return VerifiedRelease(
        release_id=command.jti,
        lane=command.aud,
        case_id=command.case_id,
        occupancy_id=command.occupancy_id,
        evidence_digest=command.evidence_digest,
        expires_utc_ms=int(command.exp * 1000),
        seal=_SEAL,
    )


def verify_receipt(verifier: Verifier, token: str | bytes, *, address: str) -> Receipt | Refused:
    """The receipt, when it is signed and for this lane."""
    checked = verifier.claims(token, RECEIPT_TYPE)
    if isinstance(checked, Refused):
        return checked
    try:
        receipt = Receipt.model_validate(checked[1])
    except ValidationError:
        return Refused(reason="malformed")
    return receipt if receipt.aud == address else Refused(reason="not_for_this_lane")


def make_lane_bearer(key: SigningKey, *, address: str, clock: Clock, lifetime_s: float = 60.0) -> str:
    """A short-lived token with which a lane shows the hub's HTTP API who it is."""
    now_s = clock.utc_ms() / 1000
    return key.sign({"sub": address, "iat": now_s, "exp": now_s + lifetime_s}, BEARER_TYPE)


def verify_lane_bearer(verifier: Verifier, token: str, *, clock: Clock, owners: Mapping[str, str]) -> str | Refused:
    """The lane address (``port/lane``) that the token proves. ``owners`` maps each key id to the one address it may speak for."""
    checked = verifier.claims(token, BEARER_TYPE)
    if isinstance(checked, Refused):
        return checked
    kid, claims = checked
    address, issued, expires = claims.get("sub"), claims.get("iat"), claims.get("exp")
    if not isinstance(address, str) or not isinstance(issued, int | float) or not isinstance(expires, int | float):
        return Refused(reason="malformed")
    now_s = clock.utc_ms() / 1000
    if now_s >= expires or issued > now_s + CLOCK_TOLERANCE_S:
        return Refused(reason="expired")
    return address if owners.get(kid) == address else Refused(reason="not_its_key")
