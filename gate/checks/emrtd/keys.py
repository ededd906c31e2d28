"""Public keys of certificates, and what a signature says under one.

Curves come by name or written out, and are known by value (:mod:`gate.checks.emrtd.curves`). The arithmetic is that of ``cryptography``;
for the three curves that it has not (brainpool's of 192, 224 and 320 bits, which old documents carry) that of OpenSSL's libcrypto.
"""

from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import assert_never

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature

from drivers.chip import libcrypto
from drivers.errors import DeviceError
from gate.checks.emrtd.algorithms import Scheme, SchemeKind, UnknownScheme
from gate.checks.emrtd.curves import Curve, curve_named, curve_of_values
from gate.checks.emrtd.der import BITS, INTEGER, OCTETS, OID, children, dotted, integer, octets_of_bits, sequence, take
from gate.checks.emrtd.faults import ChipFault
from gate.checks.emrtd.tlv import Element

WEAK_RSA_BITS = 2048
WEAK_EC_BITS = 224
"""Keys shorter than these are weak (Doc 9303 part 12, 4.4.1 and 4.4.2 ask for as many at least)."""


@dataclass(frozen=True, slots=True)
class EcKey:
    """A point (SEC 1, 2.3.3) on a curve that we know."""

    curve: Curve
    point: bytes

    @property
    def name(self) -> str:
        return self.curve.name

    @property
    def is_weak(self) -> bool:
        return self.curve.p.bit_length() < WEAK_EC_BITS


@dataclass(frozen=True, slots=True)
class RsaKey:
    """Modulus and public exponent."""

    n: int
    e: int

    @property
    def name(self) -> str:
        return f"RSA-{self.n.bit_length()}"

    @property
    def is_weak(self) -> bool:
        return self.n.bit_length() < WEAK_RSA_BITS


@dataclass(frozen=True, slots=True)
class UnusableKey:
    """A key of a kind, or on a curve, that we do not verify with; ``reason`` in a clause."""

    reason: str

    @property
    def name(self) -> str:
        return "unknown key"

    @property
    def is_weak(self) -> bool:
        return False


PublicKey = EcKey | RsaKey | UnusableKey


class Verdict(StrEnum):
    """What a signature is under a key."""

    VALID = "valid"
    INVALID = "invalid"
    NOT_SUPPORTED = "not_supported"


@dataclass(frozen=True, slots=True)
class Verification:
    """``reason`` says why it is not valid; empty if it is."""

    verdict: Verdict
    reason: str = ""


_VALID = Verification(Verdict.VALID)

NATIVE_CURVES: dict[str, ec.EllipticCurve] = {
    "P-192": ec.SECP192R1(),
    "P-224": ec.SECP224R1(),
    "P-256": ec.SECP256R1(),
    "P-384": ec.SECP384R1(),
    "P-521": ec.SECP521R1(),
    "brainpoolP256r1": ec.BrainpoolP256R1(),
    "brainpoolP384r1": ec.BrainpoolP384R1(),
    "brainpoolP512r1": ec.BrainpoolP512R1(),
}
"""Those of :mod:`gate.checks.emrtd.curves` that ``cryptography`` has (the 192, 224 and 320 bit brainpool curves it has not)."""
HASHES: dict[str, hashes.HashAlgorithm] = {
    "sha1": hashes.SHA1(),  # noqa: S303 - valid documents of before 2014 carry it; reported as weak
    "sha224": hashes.SHA224(),
    "sha256": hashes.SHA256(),
    "sha384": hashes.SHA384(),
    "sha512": hashes.SHA512(),
}
_ECDSA = frozenset({SchemeKind.ECDSA, SchemeKind.ECDSA_PLAIN})
_EC = "1.2.840.10045.2.1"
_PRIME_FIELD = "1.2.840.10045.1.1"
_RSA = frozenset({"1.2.840.113549.1.1.1", "1.2.840.113549.1.1.10"})


def read_public_key(info: Element) -> PublicKey:
    """Return the key of a SubjectPublicKeyInfo (RFC 5280, 4.1.2.7). Raises ChipFault if it cannot be read."""
    parts = children(info)
    if not parts:
        raise ChipFault("a public key is empty")
    algorithm = children(parts[0])
    oid = dotted(take(algorithm, 0, OID))
    key = octets_of_bits(take(parts, 1, BITS))
    if oid in _RSA:
        numbers = sequence(key)
        return RsaKey(n=integer(take(numbers, 0, INTEGER)), e=integer(take(numbers, 1, INTEGER)))
    if oid != _EC:
        return UnusableKey(f"key algorithm {oid} is none of Doc 9303 part 12")
    if len(algorithm) < 2:
        return UnusableKey("an EC key without a curve")
    parameters = algorithm[1]
    if parameters.tag == OID:
        curve, what = curve_named(dotted(parameters.value)), dotted(parameters.value)
    else:
        curve, what = _read_explicit(children(parameters)), "with explicit parameters"
    if curve is None:
        return UnusableKey(f"a curve ({what}) that is not one of NIST's or brainpool's for travel documents")
    return EcKey(curve=curve, point=key)


def _read_explicit(domain: tuple[Element, ...]) -> Curve | None:
    """SpecifiedECDomain ::= SEQUENCE { version, fieldID, curve, base, order, cofactor OPTIONAL } (SEC 1, C.2)."""
    if len(domain) < 5:
        return None
    field, curve = children(domain[1]), children(domain[2])
    if dotted(take(field, 0, OID)) != _PRIME_FIELD:
        return None
    return curve_of_values(
        p=integer(take(field, 1, INTEGER)),
        a=int.from_bytes(take(curve, 0, OCTETS), "big"),
        b=int.from_bytes(take(curve, 1, OCTETS), "big"),
        base=take(domain, 3, OCTETS),
        n=integer(take(domain, 4, INTEGER)),
        cofactor=integer(take(domain, 5, INTEGER)) if len(domain) > 5 else None,
    )


def verify(key: PublicKey, scheme: Scheme | UnknownScheme, signature: bytes, message: bytes) -> Verification:
    """Say whether ``signature`` over ``message`` is valid. Never raises, whatever the octets."""
    if isinstance(scheme, UnknownScheme):
        return Verification(Verdict.NOT_SUPPORTED, scheme.reason)
    native = _native(key)
    if isinstance(native, Verification):
        return native
    if isinstance(key, EcKey) != (scheme.kind in _ECDSA):
        return Verification(Verdict.INVALID, f"{scheme.kind} cannot come from the key {key.name}")
    if scheme.kind is SchemeKind.ECDSA_PLAIN:
        signature = _from_plain(signature)
    try:
        if isinstance(native, libcrypto.Curve):
            is_valid = _verify_by_libcrypto(native, key, scheme, signature, message)
        else:
            is_valid = _verify_natively(native, scheme, signature, message)
    except (ValueError, UnsupportedAlgorithm) as error:
        return Verification(Verdict.INVALID, f"the {scheme.name} signature cannot be: {error}")
    return _VALID if is_valid else Verification(Verdict.INVALID, f"the {scheme.name} signature does not fit")


def _verify_natively(
    native: ec.EllipticCurvePublicKey | rsa.RSAPublicKey, scheme: Scheme, signature: bytes, message: bytes
) -> bool:
    digest = HASHES[scheme.digest]
    try:
        if isinstance(native, ec.EllipticCurvePublicKey):
            native.verify(signature, message, ec.ECDSA(digest))
        elif scheme.kind is SchemeKind.RSA_PSS:
            mask = padding.MGF1(HASHES[scheme.mask_digest])
            native.verify(signature, message, padding.PSS(mask, scheme.salt_octets), digest)
        else:
            native.verify(signature, message, padding.PKCS1v15(), digest)
    except InvalidSignature:
        return False
    return True


def _verify_by_libcrypto(
    curve: libcrypto.Curve, key: PublicKey, scheme: Scheme, signature: bytes, message: bytes
) -> bool:
    r, s = decode_dss_signature(signature)
    return isinstance(key, EcKey) and r > 0 and s > 0 and curve.verify(key.point, scheme.digest, message, r, s)


@lru_cache(maxsize=4096)
def _native(key: PublicKey) -> ec.EllipticCurvePublicKey | rsa.RSAPublicKey | libcrypto.Curve | Verification:
    """The key as ``cryptography`` has it; kept, since checking a point costs as much as half a signature."""
    try:
        match key:
            case UnusableKey():
                return Verification(Verdict.NOT_SUPPORTED, key.reason)
            case RsaKey():
                return rsa.RSAPublicNumbers(key.e, key.n).public_key()
            case EcKey():
                curve = NATIVE_CURVES.get(key.curve.name)
                if curve is None:
                    return libcrypto.curve(key.curve.name)
                return ec.EllipticCurvePublicKey.from_encoded_point(curve, key.point)
            case _:
                assert_never(key)
    except DeviceError:
        return Verification(Verdict.NOT_SUPPORTED, f"OpenSSL's libcrypto is not installed, or without {key.name}")
    except (ValueError, UnsupportedAlgorithm) as error:
        return Verification(Verdict.INVALID, f"the {key.name} key is none: {error}")


def _from_plain(signature: bytes) -> bytes:
    half = len(signature) // 2
    return encode_dss_signature(int.from_bytes(signature[:half], "big"), int.from_bytes(signature[half:], "big"))
