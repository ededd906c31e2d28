"""How certificates, security objects and revocation lists are signed: which scheme, which digests.

Source: ICAO Doc 9303 part 12, 4.4 (8th edition); RFC 4055 (RSASSA-PSS), RFC 5754, RFC 5758; BSI TR-03111, 5.2.1 (plain ECDSA).
"""

from dataclasses import dataclass
from enum import StrEnum

from gate.checks.emrtd.der import INTEGER, OID, children, dotted, integer, take
from gate.checks.emrtd.faults import ChipFault
from gate.checks.emrtd.tlv import Element, find, read_element

DIGEST_OIDS = {
    "1.3.14.3.2.26": "sha1",
    "2.16.840.1.101.3.4.2.4": "sha224",
    "2.16.840.1.101.3.4.2.1": "sha256",
    "2.16.840.1.101.3.4.2.2": "sha384",
    "2.16.840.1.101.3.4.2.3": "sha512",
}
"""The digests of Doc 9303 part 12, table 7; any other is not supported."""
WEAK_DIGESTS = frozenset({"sha1", "sha224"})
"""Not to be used for new documents (part 12, 4.4.3), and in circulation for as long as a document is valid."""


class SchemeKind(StrEnum):
    """The signature schemes of travel documents."""

    RSA_PSS = "RSASSA-PSS"
    RSA_PKCS1 = "RSASSA-PKCS1-v1_5"
    ECDSA = "ECDSA"
    ECDSA_PLAIN = "plain ECDSA"


@dataclass(frozen=True, slots=True, kw_only=True)
class Scheme:
    """A signature scheme with all its parameters. ``mask_digest`` and ``salt_octets`` are of PSS only."""

    kind: SchemeKind
    digest: str
    mask_digest: str = ""
    salt_octets: int = 0

    @property
    def name(self) -> str:
        """For a person: ``ECDSA with SHA-256``."""
        return f"{self.kind} with {digest_name(self.digest)}"

    @property
    def is_weak(self) -> bool:
        return self.digest in WEAK_DIGESTS


@dataclass(frozen=True, slots=True, kw_only=True)
class UnknownScheme:
    """A scheme that we do not verify; ``reason`` in a clause."""

    reason: str


_BY_OID = {
    "1.2.840.113549.1.1.5": (SchemeKind.RSA_PKCS1, "sha1"),
    "1.3.14.3.2.29": (SchemeKind.RSA_PKCS1, "sha1"),
    "1.2.840.113549.1.1.14": (SchemeKind.RSA_PKCS1, "sha224"),
    "1.2.840.113549.1.1.11": (SchemeKind.RSA_PKCS1, "sha256"),
    "1.2.840.113549.1.1.12": (SchemeKind.RSA_PKCS1, "sha384"),
    "1.2.840.113549.1.1.13": (SchemeKind.RSA_PKCS1, "sha512"),
    "1.2.840.10045.4.1": (SchemeKind.ECDSA, "sha1"),
    "1.2.840.10045.4.3.1": (SchemeKind.ECDSA, "sha224"),
    "1.2.840.10045.4.3.2": (SchemeKind.ECDSA, "sha256"),
    "1.2.840.10045.4.3.3": (SchemeKind.ECDSA, "sha384"),
    "1.2.840.10045.4.3.4": (SchemeKind.ECDSA, "sha512"),
    "0.4.0.127.0.7.1.1.4.1.1": (SchemeKind.ECDSA_PLAIN, "sha1"),
    "0.4.0.127.0.7.1.1.4.1.2": (SchemeKind.ECDSA_PLAIN, "sha224"),
    "0.4.0.127.0.7.1.1.4.1.3": (SchemeKind.ECDSA_PLAIN, "sha256"),
    "0.4.0.127.0.7.1.1.4.1.4": (SchemeKind.ECDSA_PLAIN, "sha384"),
    "0.4.0.127.0.7.1.1.4.1.5": (SchemeKind.ECDSA_PLAIN, "sha512"),
}
# A signer of a message may name the bare algorithm and leave the digest to the field beside it (RFC 5652, 10.1.2).
_BARE = {
    "1.2.840.113549.1.1.1": SchemeKind.RSA_PKCS1,
    "1.2.840.10045.2.1": SchemeKind.ECDSA,
    "1.2.840.10045.4": SchemeKind.ECDSA,
}
_PSS = "1.2.840.113549.1.1.10"
_MGF1 = "1.2.840.113549.1.1.8"


def digest_name(digest: str) -> str:
    """``sha256`` as a person writes it: SHA-256."""
    return f"SHA-{digest[3:]}"


def read_digest(algorithm: Element) -> str | None:
    """Return the digest that an AlgorithmIdentifier names, None for one that we do not know. Raises ChipFault."""
    return DIGEST_OIDS.get(_oid(algorithm))


def read_scheme(algorithm: Element, *, digest: str | None = None) -> Scheme | UnknownScheme:
    """Return the scheme that an AlgorithmIdentifier means; ``digest`` is for one that names none. Raises ChipFault."""
    oid = _oid(algorithm)
    if oid == _PSS:
        return _read_pss(children(algorithm))
    if oid in _BY_OID:
        kind, named = _BY_OID[oid]
        return Scheme(kind=kind, digest=named)
    if oid in _BARE and digest is not None:
        return Scheme(kind=_BARE[oid], digest=digest)
    return UnknownScheme(reason=f"signature algorithm {oid} is none of Doc 9303 part 12")


def _oid(algorithm: Element) -> str:
    return dotted(take(children(algorithm), 0, OID))


def _read_pss(parts: tuple[Element, ...]) -> Scheme | UnknownScheme:
    """RSASSA-PSS-params, each with its default where it is left out: SHA-1, MGF1 with SHA-1, 20 octets, trailer 1 (RFC 4055, 3.1)."""
    fields = children(parts[1]) if len(parts) > 1 else ()
    digest_field, mask_field = find(fields, 0xA0), find(fields, 0xA1)
    digest = read_digest(read_element(digest_field)) if digest_field is not None else "sha1"
    mask_digest: str | None = "sha1"
    if mask_field is not None:
        mask = read_element(mask_field)
        mask_parts = children(mask)
        if _oid(mask) != _MGF1 or len(mask_parts) < 2:
            return UnknownScheme(reason="RSASSA-PSS with a mask function that is none of Doc 9303 part 12")
        mask_digest = read_digest(mask_parts[1])
    if digest is None or mask_digest is None:
        return UnknownScheme(reason="RSASSA-PSS with a digest that is none of Doc 9303 part 12")
    salt, trailer = _number(find(fields, 0xA2), 20), _number(find(fields, 0xA3), 1)
    if trailer != 1 or not 0 <= salt <= 512:
        return UnknownScheme(reason="RSASSA-PSS with another trailer than 1 or more salt than any key has room for")
    return Scheme(kind=SchemeKind.RSA_PSS, digest=digest, mask_digest=mask_digest, salt_octets=salt)


def _number(value: bytes | None, default: int) -> int:
    if value is None:
        return default
    element = read_element(value)
    if element.tag != INTEGER:
        raise ChipFault(f"tag {element.tag:X} stands where a number was expected")
    return integer(element.value)
