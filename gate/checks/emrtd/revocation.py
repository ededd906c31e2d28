"""Certificate revocation lists of issuing states (ICAO Doc 9303 part 12, 7.2, 8th edition; RFC 5280, 5)."""

import hashlib
from dataclasses import dataclass, field
from datetime import datetime

from gate.checks.emrtd import der as asn1
from gate.checks.emrtd.algorithms import Scheme, UnknownScheme, read_scheme
from gate.checks.emrtd.certificate import Certificate
from gate.checks.emrtd.faults import ChipFault
from gate.checks.emrtd.keys import Verification, verify
from gate.checks.emrtd.names import Name, read_name
from gate.checks.emrtd.pem import from_pem
from gate.checks.emrtd.tlv import Element, find, read_element, read_elements

MAX_OCTETS = 16 * 2**20
MAX_ENTRIES = 200_000
_TIMES = (asn1.UTC_TIME, asn1.GENERALIZED_TIME)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class RevocationList:
    """``revoked``: when each serial number was. ``next_update`` None: the issuer does not say. Times have a zone."""

    der: bytes = field(repr=False)
    sha256: str
    issuer: Name
    authority_key_id: bytes | None
    this_update: datetime
    next_update: datetime | None
    revoked: dict[int, datetime] = field(repr=False)
    scheme: Scheme | UnknownScheme
    signature: bytes = field(repr=False)
    signed: bytes = field(repr=False)

    @property
    def country(self) -> str:
        return self.issuer.country

    @property
    def title(self) -> str:
        return f"revocation list of {self.issuer.text} of {self.this_update:%Y-%m-%d}"

    def verified_by(self, issuer: Certificate) -> Verification:
        """Whether the issuer's key signed this list."""
        return verify(issuer.key, self.scheme, self.signature, self.signed)

    def is_current_at(self, moment: datetime) -> bool:
        return self.this_update <= moment and (self.next_update is None or moment <= self.next_update)


def read_revocation_list(data: bytes) -> RevocationList:
    """Return the list in ``data`` (DER, or PEM). Raises ChipFault for what is none."""
    if len(data) > MAX_OCTETS:
        raise ChipFault(f"a revocation list of {len(data)} octets is longer than any; fetch it again")
    try:
        octets = from_pem(data, "X509 CRL")
        outer = read_element(octets)
        parts = asn1.children(outer)
        if len(parts) < 3:
            raise ChipFault("it is not body, algorithm and signature")
        start = outer.end - len(outer.value)
        return _read(asn1.children(parts[0]), parts, octets, octets[start : start + parts[0].end])
    except ChipFault as fault:
        raise ChipFault(f"a revocation list cannot be read: {fault}") from None


def _read(body: tuple[Element, ...], parts: tuple[Element, ...], octets: bytes, signed: bytes) -> RevocationList:
    """TBSCertList ::= SEQUENCE { version OPTIONAL, signature, issuer, thisUpdate, nextUpdate OPTIONAL, revoked OPTIONAL, [0] ... }."""
    fields = body[1:] if body and body[0].tag == asn1.INTEGER else body
    if len(fields) < 3 or fields[2].tag not in _TIMES:
        raise ChipFault("its body is cut short")
    rest = list(fields[3:])
    next_update = asn1.moment(rest.pop(0)) if rest and rest[0].tag in _TIMES else None
    entries = rest.pop(0).value if rest and rest[0].tag == asn1.SEQUENCE else b""
    extensions = find(rest, 0xA0)
    return RevocationList(
        der=octets,
        sha256=hashlib.sha256(octets).hexdigest(),
        issuer=read_name(fields[1]),
        authority_key_id=_authority_key_id(extensions),
        this_update=asn1.moment(fields[2]),
        next_update=next_update,
        revoked=dict(_entry(entry) for entry in read_elements(entries, limit=MAX_ENTRIES)),
        scheme=read_scheme(parts[1]),
        signature=asn1.octets_of_bits(asn1.take(parts, 2, asn1.BITS)),
        signed=signed,
    )


def _entry(entry: Element) -> tuple[int, datetime]:
    fields = asn1.children(entry)
    number = asn1.integer(asn1.take(fields, 0, asn1.INTEGER))
    if len(fields) < 2:
        raise ChipFault(f"it revokes {number:X} at no time")
    return number, asn1.moment(fields[1])


def _authority_key_id(extensions: bytes | None) -> bytes | None:
    for extension in asn1.sequence(extensions) if extensions is not None else ():
        parts = asn1.children(extension)
        if asn1.dotted(asn1.take(parts, 0, asn1.OID)) == "2.5.29.35":
            return find(asn1.sequence(parts[-1].value), 0x80)
    return None
