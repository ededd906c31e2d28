"""The chip's part of BAC, PACE, chip authentication and active authentication (Doc 9303-11 sections 4 and 6)."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from drivers.chip.domain import Domain, EcDomain, KeyPair, Random, nonce_bytes, standardised
from drivers.chip.symmetric import (
    ENC,
    MAC,
    PASSWORD,
    BlockCipher,
    decrypt_cbc,
    derive_key,
    encrypt_cbc,
    pad,
    token_mac,
)
from gate.checks.emrtd.keys import HASHES
from simulator.chip.messaging import CardSession
from simulator.chip.profile import BSI, CIPHER_ARCS, ChipProfile, PaceOption, StaticKey
from simulator.chip.tlv import oid, tlv

_TRAILERS = {
    "sha1": b"\xbc",
    "sha256": b"\x34\xcc",
    "sha512": b"\x35\xcc",
    "sha384": b"\x36\xcc",
    "sha224": b"\x38\xcc",
}


class Refused(Exception):
    """The chip answers with this status word and nothing else."""

    def __init__(self, sw: int) -> None:
        super().__init__(f"{sw:04X}")
        self.sw = sw


@dataclass(slots=True)
class _Pace:
    """A PACE under way."""

    option: PaceOption
    secret: bytes
    nonce: bytes = b""
    mapped: Domain | None = None
    mapping_pair: KeyPair | None = None
    pair: KeyPair | None = None
    theirs: bytes = b""
    k_enc: bytes = b""
    k_mac: bytes = b""


class Protocols:
    """State of the protocols between two commands."""

    def __init__(self, profile: ChipProfile, random: Random) -> None:
        self._profile = profile
        self._random = random
        self._challenge = b""
        self._pace: _Pace | None = None
        self._static: StaticKey | None = None

    # Basic access control

    def challenge(self, count: int) -> bytes:
        self._challenge = self._random(count)
        return self._challenge

    def mutual_authenticate(self, data: bytes) -> tuple[bytes, CardSession]:
        cipher = BlockCipher.TDES
        seed = self._profile.mrz.secret[:16]
        k_enc, k_mac = derive_key(cipher, seed, ENC), derive_key(cipher, seed, MAC)
        challenge, self._challenge = self._challenge, b""
        if len(data) != 40 or not challenge:
            raise Refused(0x6A80)
        plain = decrypt_cbc(cipher, k_enc, data[:32])
        if token_mac(cipher, k_mac, data[:32]) != data[32:] or plain[8:16] != challenge:
            raise Refused(0x6300)
        part = self._random(16)
        answer = encrypt_cbc(cipher, k_enc, challenge + plain[:8] + part)
        secret = bytes(a ^ b for a, b in zip(plain[16:], part, strict=True))
        counter = int.from_bytes(challenge[4:] + plain[4:8])
        session = CardSession(cipher, derive_key(cipher, secret, ENC), derive_key(cipher, secret, MAC), counter)
        return answer + token_mac(cipher, k_mac, answer), session

    # PACE and, with the same command, chip authentication

    def choose_pace(self, data: bytes) -> None:
        objects = _objects(data)
        option = next((one for one in self._profile.pace if one.identifier[2:] == objects.get(0x80)), None)
        secrets_by_reference = {b"\x01": self._profile.mrz.secret, b"\x02": (self._profile.can or "").encode()}
        secret = secrets_by_reference.get(objects.get(0x83, b""))
        if option is None or not secret:
            raise Refused(0x6A88)
        self._static = None
        self._pace = _Pace(option=option, secret=secret)

    def general_authenticate(self, data: bytes) -> tuple[bytes, CardSession | None]:
        objects = _objects(_objects(data).get(0x7C, b""))
        if self._static is not None:
            static, self._static = self._static, None
            return tlv(0x7C), self._agree_statically(static, objects.get(0x80, b""))
        if self._pace is None:
            raise Refused(0x6985)
        try:
            return self._step_pace(self._pace, objects)
        except Exception:
            self._pace = None
            raise

    def _step_pace(self, pace: _Pace, objects: dict[int, bytes]) -> tuple[bytes, CardSession | None]:
        option = pace.option
        domain = standardised(option.parameter_id)
        if not objects:
            pace.nonce = self._random(nonce_bytes(option.cipher))
            k_pi = derive_key(option.cipher, pace.secret, PASSWORD)
            return tlv(0x7C, tlv(0x80, encrypt_cbc(option.cipher, k_pi, pace.nonce))), None
        if 0x81 in objects and pace.nonce:
            return tlv(0x7C, tlv(0x82, self._map(pace, domain, objects[0x81]))), None
        if 0x83 in objects and pace.mapped is not None:
            pace.theirs = objects[0x83]
            pace.pair = pace.mapped.generate(self._random)
            secret = pace.mapped.agree(pace.pair.private, pace.theirs)
            pace.k_enc, pace.k_mac = (derive_key(option.cipher, secret, counter) for counter in (ENC, MAC))
            return tlv(0x7C, tlv(0x84, pace.pair.public)), None
        if 0x85 in objects and pace.pair is not None:
            return self._finish_pace(pace, domain, objects[0x85])
        raise Refused(0x6985)

    def _map(self, pace: _Pace, domain: Domain, theirs: bytes) -> bytes:
        if pace.option.mapping == "IM":
            pace.mapped = domain.map_integrated(pace.option.cipher, pace.nonce, theirs)
            return b""
        pace.mapping_pair = domain.generate(self._random)
        pace.mapped = domain.map_generic(pace.nonce, pace.mapping_pair.private, theirs)
        return pace.mapping_pair.public

    def _finish_pace(self, pace: _Pace, domain: Domain, token: bytes) -> tuple[bytes, CardSession]:
        self._pace = None
        option, pair = pace.option, pace.pair
        if pair is None or self._token(pace, domain, pair.public) != token:
            raise Refused(0x6300)
        proof = tlv(0x86, self._token(pace, domain, pace.theirs))
        if option.mapping == "CAM":
            proof += tlv(0x8A, self._mapping_proof(pace, domain))
        return tlv(0x7C, proof), CardSession(option.cipher, pace.k_enc, pace.k_mac)

    def _token(self, pace: _Pace, domain: Domain, public: bytes) -> bytes:
        content = tlv(0x7F49, pace.option.identifier, tlv(domain.public_tag, domain.in_token(public)))
        return token_mac(pace.option.cipher, pace.k_mac, content)

    def _mapping_proof(self, pace: _Pace, domain: Domain) -> bytes:
        """Section 4.4.3.3.3: the mapping key over the static one, enciphered."""
        static = self._profile.mapping_key
        if static is None or pace.mapping_pair is None or not isinstance(domain, EcDomain):
            raise Refused(0x6985)
        cipher = pace.option.cipher
        scalar = pow(static.private, -1, domain.order) * pace.mapping_pair.private % domain.order
        data = pad(scalar.to_bytes((domain.order.bit_length() + 7) // 8), cipher.block_bytes)
        vector = encrypt_cbc(cipher, pace.k_enc, b"\xff" * cipher.block_bytes)
        return encrypt_cbc(cipher, pace.k_enc, data, vector)

    # Chip authentication

    def choose_chip_authentication(self, data: bytes) -> None:
        objects = _objects(data)
        found = (
            one
            for one in self._profile.chip_keys
            if _chip_identifier(one)[2:] == objects.get(0x80) and _key_reference(one) == objects.get(0x84)
        )
        self._static = next(found, None)
        if self._static is None:
            raise Refused(0x6A88)

    def authenticate_by_mse(self, data: bytes) -> CardSession:
        """The first generation's way, with 3DES only."""
        objects = _objects(data)
        if not self._profile.has_key_agreement_template:
            raise Refused(0x6A86)
        found = (
            one
            for one in self._profile.chip_keys
            if one.cipher is BlockCipher.TDES and _key_reference(one) == objects.get(0x84)
        )
        static = next(found, None)
        if static is None:
            raise Refused(0x6A88)
        return self._agree_statically(static, objects.get(0x91, b""))

    def _agree_statically(self, static: StaticKey, theirs: bytes) -> CardSession:
        return CardSession.from_secret(static.cipher, static.domain.agree(static.private, theirs))

    # Active authentication

    def sign(self, challenge: bytes) -> bytes:
        signing = self._profile.signing_key
        if signing is None:
            raise Refused(0x6D00)
        if len(challenge) != 8:
            raise Refused(0x6700)
        if isinstance(signing.key, rsa.RSAPrivateKey):
            return self._sign_rsa(signing.key, signing.digest, challenge)
        return _sign_ecdsa(signing.key, HASHES[signing.digest], challenge)

    def _sign_rsa(self, key: rsa.RSAPrivateKey, digest: str, challenge: bytes) -> bytes:
        """ISO/IEC 9796-2 scheme 1: as much of a message of our own as fits, recovered by whoever verifies."""
        numbers = key.private_numbers()
        modulus = numbers.public_numbers.n
        size = (modulus.bit_length() + 7) // 8
        trailer = _TRAILERS[digest]
        room = size - 1 - hashlib.new(digest).digest_size - len(trailer)
        ours = self._random(room)
        recovered = b"\x6a" + ours + hashlib.new(digest, ours + challenge).digest() + trailer
        return pow(int.from_bytes(recovered), numbers.d, modulus).to_bytes(size)


def _sign_ecdsa(key: ec.EllipticCurvePrivateKey, digest: hashes.HashAlgorithm, challenge: bytes) -> bytes:
    r, s = decode_dss_signature(key.sign(challenge, ec.ECDSA(digest)))
    size = (key.curve.key_size + 7) // 8
    return r.to_bytes(size) + s.to_bytes(size)


def _chip_identifier(static: StaticKey) -> bytes:
    kind = 2 if isinstance(static.domain, EcDomain) else 1
    return oid(f"{BSI}.3.{kind}.{CIPHER_ARCS[static.cipher]}")


def _key_reference(static: StaticKey) -> bytes | None:
    return None if static.key_id is None else static.key_id.to_bytes((static.key_id.bit_length() + 7) // 8 or 1)


def _objects(data: bytes) -> dict[int, bytes]:
    found: dict[int, bytes] = {}
    at = 0
    while at + 1 < len(data):
        tag, first = data[at], data[at + 1]
        extra = first & 0x7F if first & 0x80 else 0
        size = int.from_bytes(data[at + 2 : at + 2 + extra]) if extra else first
        start = at + 2 + extra
        if start + size > len(data):
            raise Refused(0x6A80)
        found[tag] = data[start : start + size]
        at = start + size
    return found
