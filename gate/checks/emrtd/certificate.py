"""Certificates of the public key infrastructure of travel documents, read once into plain values.

Source: ICAO Doc 9303 part 12, 7.1 (8th edition); RFC 5280. Real certificates break the profile in many ways: what can be read is read, and
what it says is judged elsewhere.
"""

import hashlib
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from asn1crypto import core, pem, x509

from gate.checks.emrtd.algorithms import Scheme, UnknownScheme, read_scheme
from gate.checks.emrtd.faults import ChipFault, reading
from gate.checks.emrtd.keys import PublicKey, Verdict, Verification, read_public_key, verify
from gate.checks.emrtd.names import Name, read_name

MAX_OCTETS = 32_768
MASTER_LIST_SIGNING = "2.23.136.1.1.3"
DEVIATION_LIST_SIGNING = "2.23.136.1.1.8"
DOCUMENT_TYPES = "2.23.136.1.1.6.2"

# Critical extensions whose meaning is weighed here; RFC 5280, 4.2 refuses a certificate with any other critical one.
_UNDERSTOOD = frozenset(
    {
        "2.5.29.14", "2.5.29.15", "2.5.29.16", "2.5.29.17", "2.5.29.18", "2.5.29.19", "2.5.29.31", "2.5.29.32", "2.5.29.35",
        "2.5.29.37", DOCUMENT_TYPES,
    }
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Certificate:
    """One certificate. Times have a zone. ``uses`` None: no key usage extension; ``is_ca`` None: no basic constraints.

    ``key_period``: between which times the private key signs, each None if not said. Two are equal if their octets are.
    """

    der: bytes = field(repr=False)
    sha256: str
    serial_number: int
    subject: Name
    issuer: Name
    not_before: datetime
    not_after: datetime
    key: PublicKey
    key_id: bytes | None
    authority_key_id: bytes | None
    scheme: Scheme | UnknownScheme
    signature: bytes = field(repr=False)
    signed: bytes = field(repr=False)
    uses: frozenset[str] | None
    is_ca: bool | None
    extended_uses: tuple[str, ...]
    document_types: tuple[str, ...]
    key_period: tuple[datetime | None, datetime | None]
    unknown_critical: tuple[str, ...]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Certificate) and self.sha256 == other.sha256

    def __hash__(self) -> int:
        return hash(self.sha256)

    @property
    def country(self) -> str:
        """Two capitals of the subject's country, else of the issuer's, or empty."""
        return self.subject.country or self.issuer.country

    @property
    def is_self_issued(self) -> bool:
        return self.subject == self.issuer

    @property
    def title(self) -> str:
        """For a person: whose it is, its number, the beginning of its sha256."""
        return f"{self.subject.text} (number {self.serial_number:X}, sha256 {self.sha256[:16]})"

    def is_valid_at(self, moment: datetime) -> bool:
        return self.not_before <= moment <= self.not_after

    def verified_by(self, issuer: "Certificate") -> Verification:
        """Whether the issuer's key made this certificate's signature; what else an issuer must be is not asked here."""
        return verify(issuer.key, self.scheme, self.signature, self.signed)

    def is_signed_by(self, issuer: "Certificate") -> bool:
        return self.verified_by(issuer).verdict is Verdict.VALID


def read_certificate(data: bytes) -> Certificate:
    """Return the certificate in ``data`` (DER, or PEM). Raises ChipFault for what is none."""
    if len(data) > MAX_OCTETS:
        raise ChipFault(f"a certificate of {len(data)} octets is longer than any; give the file of one certificate")
    with reading("a certificate"):
        if pem.detect(data):
            data = pem.unarmor(data)[2]
        certificate = x509.Certificate.load(data, strict=True)
        return _read(certificate, bytes(data))


def _read(certificate: Any, der: bytes) -> Certificate:
    body = certificate["tbs_certificate"]
    found = {item["extn_id"].dotted: item for item in body["extensions"]}
    extensions = {oid: item["extn_value"] for oid, item in found.items()}
    critical = tuple(oid for oid, item in found.items() if item["critical"].native and oid not in _UNDERSTOOD)
    key_id = extensions.get("2.5.29.14")
    authority = extensions.get("2.5.29.35")
    uses = extensions.get("2.5.29.15")
    constraints = extensions.get("2.5.29.19")
    return Certificate(
        der=der,
        sha256=hashlib.sha256(der).hexdigest(),
        serial_number=body["serial_number"].native,
        subject=read_name(body["subject"]),
        issuer=read_name(body["issuer"]),
        not_before=body["validity"]["not_before"].native,
        not_after=body["validity"]["not_after"].native,
        key=read_public_key(body["subject_public_key_info"]),
        key_id=key_id.parsed.native if key_id is not None else None,
        authority_key_id=authority.parsed["key_identifier"].native if authority is not None else None,
        scheme=read_scheme(certificate["signature_algorithm"]),
        signature=certificate["signature_value"].native,
        signed=body.dump(),
        uses=frozenset(uses.parsed.native) if uses is not None else None,
        is_ca=_is_ca(constraints),
        extended_uses=_extended_uses(extensions.get("2.5.29.37")),
        document_types=_document_types(extensions.get(DOCUMENT_TYPES)),
        key_period=_key_period(extensions.get("2.5.29.16")),
        unknown_critical=critical,
    )


def _is_ca(constraints: Any) -> bool | None:
    if constraints is None:
        return None
    # Some states write the default, or TRUE as another octet than FF: any but 00 is true (X.690, 8.2).
    return bool(constraints.parsed["ca"].native)


def _extended_uses(value: Any) -> tuple[str, ...]:
    return tuple(use.dotted for use in value.parsed) if value is not None else ()


def _document_types(value: Any) -> tuple[str, ...]:
    """DocumentTypeList ::= SEQUENCE { version INTEGER, SET OF PrintableString } (part 12, 7.1.1.4)."""
    if value is None:
        return ()
    listed = core.SequenceOf.load(value.contents, spec=core.Any)
    return tuple(str(kind.native) for kind in listed[1].parse(core.SetOf, {"spec": core.PrintableString}))


def _key_period(value: Any) -> tuple[datetime | None, datetime | None]:
    if value is None:
        return None, None
    period = value.parsed
    return period["not_before"].native, period["not_after"].native
