"""How certificates, security objects and revocation lists are signed: which scheme, which digests.

Source: ICAO Doc 9303 part 12, 4.4 (8th edition); RFC 4055 (RSASSA-PSS), RFC 5754, RFC 5758; BSI TR-03111, 5.2.1 (plain ECDSA).
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from asn1crypto import algos

from gate.checks.emrtd.faults import reading

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


def read_digest(algorithm: Any) -> str | None:
    """Return the digest that an asn1crypto DigestAlgorithm names, None for one that we do not know."""
    return DIGEST_OIDS.get(algorithm["algorithm"].dotted)


def read_scheme(algorithm: Any, *, digest: str | None = None) -> Scheme | UnknownScheme:
    """Return the scheme that an asn1crypto SignedDigestAlgorithm means; ``digest`` is for one that names none.

    Raises ChipFault if its parameters cannot be read.
    """
    with reading("a signature algorithm"):
        oid = algorithm["algorithm"].dotted
        if oid == _PSS:
            return _read_pss(algorithm["parameters"])
        if oid in _BY_OID:
            kind, named = _BY_OID[oid]
            return Scheme(kind=kind, digest=named)
        if oid in _BARE and digest is not None:
            return Scheme(kind=_BARE[oid], digest=digest)
        return UnknownScheme(reason=f"signature algorithm {oid} is none of Doc 9303 part 12")


def _read_pss(parameters: Any) -> Scheme | UnknownScheme:
    # Absent parameters are the defaults of RFC 4055: SHA-1 and 20 octets of salt.
    pss = parameters if isinstance(parameters, algos.RSASSAPSSParams) else algos.RSASSAPSSParams({})
    digest = read_digest(pss["hash_algorithm"])
    mask = pss["mask_gen_algorithm"]
    mask_digest = read_digest(mask["parameters"])
    salt, trailer = int(pss["salt_length"]), int(pss["trailer_field"])
    if digest is None or mask_digest is None or mask["algorithm"].dotted != _MGF1:
        return UnknownScheme(reason="RSASSA-PSS with a digest or mask function that is none of Doc 9303 part 12")
    if trailer != 1 or not 0 <= salt <= 512:
        return UnknownScheme(reason=f"RSASSA-PSS with trailer {trailer} and {salt} octets of salt")
    return Scheme(kind=SchemeKind.RSA_PSS, digest=digest, mask_digest=mask_digest, salt_octets=salt)
