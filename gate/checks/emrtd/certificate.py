"""Certificates of the public key infrastructure of travel documents, read once into plain values.

Source: ICAO Doc 9303 part 12, 7.1 (8th edition); RFC 5280. Real certificates break the profile in many ways: what can be read is read, and
what it says is judged elsewhere.
"""

import hashlib
from dataclasses import dataclass, field
from datetime import datetime

from gate.checks.emrtd import der as asn1
from gate.checks.emrtd.algorithms import Scheme, UnknownScheme, read_scheme
from gate.checks.emrtd.faults import ChipFault
from gate.checks.emrtd.keys import PublicKey, Verdict, Verification, read_public_key, verify
from gate.checks.emrtd.names import Name, read_name
from gate.checks.emrtd.pem import from_pem
from gate.checks.emrtd.tlv import Element, find, read_element, read_elements

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

_VERSION, _EXTENSIONS = 0xA0, 0xA3
_USES = (
    "digital_signature", "non_repudiation", "key_encipherment", "data_encipherment", "key_agreement", "key_cert_sign", "crl_sign",
    "encipher_only", "decipher_only",
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
    try:
        octets = from_pem(data, "CERTIFICATE")
        outer = read_element(octets)
        if outer.end != len(octets):
            raise ChipFault(f"{len(octets) - outer.end} octets follow it")
        return _read(asn1.children(outer), octets, outer)
    except ChipFault as fault:
        raise ChipFault(f"a certificate cannot be read: {fault}") from None


def _read(parts: tuple[Element, ...], octets: bytes, outer: Element) -> Certificate:
    if len(parts) < 3:
        raise ChipFault("it is not body, algorithm and signature")
    body = asn1.children(parts[0])
    # The version [0] may be left out by one of version 1.
    fields = body[1:] if body and body[0].tag == _VERSION else body
    if len(fields) < 6:
        raise ChipFault("its body is cut short")
    validity = asn1.children(fields[3])
    if len(validity) != 2:
        raise ChipFault("its validity is not from one time to another")
    extensions, critical = _extensions(find(fields[6:], _EXTENSIONS))
    signed_start = len(octets) - len(outer.value)
    key_id = extensions.get("2.5.29.14")
    uses = extensions.get("2.5.29.15")
    return Certificate(
        der=octets,
        sha256=hashlib.sha256(octets).hexdigest(),
        serial_number=asn1.integer(asn1.take(fields, 0, asn1.INTEGER)),
        subject=read_name(fields[4]),
        issuer=read_name(fields[2]),
        not_before=asn1.moment(validity[0]),
        not_after=asn1.moment(validity[1]),
        key=read_public_key(fields[5]),
        key_id=read_element(key_id).value if key_id is not None else None,
        authority_key_id=_authority_key_id(extensions.get("2.5.29.35")),
        scheme=read_scheme(parts[1]),
        signature=asn1.octets_of_bits(asn1.take(parts, 2, asn1.BITS)),
        signed=octets[signed_start : signed_start + parts[0].end],
        uses=_uses(uses) if uses is not None else None,
        is_ca=_is_ca(extensions.get("2.5.29.19")),
        extended_uses=_extended_uses(extensions.get("2.5.29.37")),
        document_types=_document_types(extensions.get(DOCUMENT_TYPES)),
        key_period=_key_period(extensions.get("2.5.29.16")),
        unknown_critical=tuple(sorted(critical - _UNDERSTOOD)),
    )


def _extensions(value: bytes | None) -> tuple[dict[str, bytes], set[str]]:
    """Extension ::= SEQUENCE { extnID OBJECT IDENTIFIER, critical BOOLEAN DEFAULT FALSE, extnValue OCTET STRING }."""
    found: dict[str, bytes] = {}
    critical: set[str] = set()
    for item in asn1.sequence(value) if value is not None else ():
        parts = asn1.children(item)
        oid = asn1.dotted(asn1.take(parts, 0, asn1.OID))
        if oid in found:
            raise ChipFault(f"it has the extension {oid} twice")
        found[oid] = asn1.take(parts, len(parts) - 1, asn1.OCTETS)
        if len(parts) > 2 and parts[1].value not in (b"", b"\0"):
            critical.add(oid)
    return found, critical


def _authority_key_id(value: bytes | None) -> bytes | None:
    return find(asn1.sequence(value), 0x80) if value is not None else None


def _uses(value: bytes) -> frozenset[str]:
    places = asn1.bit_places(read_element(value).value)
    return frozenset(use for place, use in enumerate(_USES) if place in places)


def _is_ca(value: bytes | None) -> bool | None:
    if value is None:
        return None
    # Some states write the default, or TRUE as another octet than FF: any but 00 is true (X.690, 8.2).
    said = find(asn1.sequence(value), asn1.BOOLEAN)
    return said is not None and said not in (b"", b"\0")


def _extended_uses(value: bytes | None) -> tuple[str, ...]:
    return tuple(asn1.dotted(use.value) for use in asn1.sequence(value)) if value is not None else ()


def _document_types(value: bytes | None) -> tuple[str, ...]:
    """DocumentTypeList ::= SEQUENCE { version INTEGER, SET OF PrintableString } (part 12, 7.1.1.4)."""
    listed = find(asn1.sequence(value), asn1.SET) if value is not None else None
    return tuple(asn1.text(kind) for kind in read_elements(listed)) if listed is not None else ()


def _key_period(value: bytes | None) -> tuple[datetime | None, datetime | None]:
    """PrivateKeyUsagePeriod ::= SEQUENCE { notBefore [0], notAfter [1] GeneralizedTime OPTIONAL }."""
    fields = asn1.sequence(value) if value is not None else ()
    first, last = find(fields, 0x80), find(fields, 0x81)
    return (
        asn1.read_time(first, is_utc_time=False) if first is not None else None,
        asn1.read_time(last, is_utc_time=False) if last is not None else None,
    )
