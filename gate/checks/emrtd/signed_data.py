"""Signed messages (CMS SignedData, RFC 5652): what EF.SOD, EF.CardSecurity, master lists and deviation lists are."""

import hashlib
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from gate.checks.emrtd import der as asn1
from gate.checks.emrtd.algorithms import Scheme, UnknownScheme, read_digest, read_scheme
from gate.checks.emrtd.ber import definite
from gate.checks.emrtd.certificate import Certificate, read_certificate
from gate.checks.emrtd.faults import ChipFault
from gate.checks.emrtd.keys import Verification, verify
from gate.checks.emrtd.names import Name, read_name
from gate.checks.emrtd.tlv import Element, find, read_element, read_elements

_SIGNED_DATA = "1.2.840.113549.1.7.2"
_CONTENT_TYPE = "1.2.840.113549.1.9.3"
_MESSAGE_DIGEST = "1.2.840.113549.1.9.4"
_SIGNING_TIME = "1.2.840.113549.1.9.5"
_TAGGED_0, _KEY_ID = 0xA0, 0x80
MAX_CERTIFICATES = 64
"""That come along with a message: its signer's and those above."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SignerInfo:
    """One signature. ``digest`` None: an algorithm that we do not know. ``key_id`` or issuer's name (DER) and number say who signed.

    ``signed_octets``: the signed attributes as they were signed (a DER SET), None if the content itself was signed.
    ``attribute_digest`` and ``attribute_type`` are what the signed attributes say of the content.
    """

    digest: str | None
    scheme: Scheme | UnknownScheme
    signature: bytes
    key_id: bytes | None
    issuer: Name | None
    serial_number: int | None
    signed_octets: bytes | None
    attribute_digest: bytes | None
    attribute_type: str | None
    signing_time: datetime | None

    def is_by(self, certificate: Certificate) -> bool:
        """Whether it names this certificate as the signer's."""
        if self.key_id is not None:
            return self.key_id == certificate.key_id
        return self.serial_number == certificate.serial_number and self.issuer == certificate.issuer

    def verified_by(self, certificate: Certificate, content: bytes) -> Verification:
        """Whether the certificate's key made this signature over the signed attributes (or, without any, over ``content``)."""
        message = content if self.signed_octets is None else self.signed_octets
        return verify(certificate.key, self.scheme, self.signature, message)

    def content_digest(self, content: bytes) -> bytes | None:
        """The digest of ``content`` by the signer's algorithm, None if that is not known."""
        return hashlib.new(self.digest, content, usedforsecurity=False).digest() if self.digest else None


@dataclass(frozen=True, kw_only=True)
class SignedData:
    """A message with its signatures and the certificates that came along."""

    content_type: str
    content: bytes
    signers: tuple[SignerInfo, ...]
    certificates: tuple[Certificate, ...]
    unread_certificates: int
    """How many certificates came along that cannot be read."""

    def signer_certificate(self, signer: SignerInfo) -> Certificate | None:
        """The signer's certificate among those that came along."""
        return next((item for item in self.certificates if signer.is_by(item)), None)

    @cached_property
    def sha256(self) -> str:
        """Of the content, hexadecimal."""
        return hashlib.sha256(self.content).hexdigest()


def read_signed_data(data: bytes, name: str) -> SignedData:
    """Return the message in ``data``, a ContentInfo in DER or of indefinite length. Raises ChipFault, naming the file by ``name``."""
    try:
        return _read(asn1.sequence(definite(data)))
    except ChipFault as fault:
        raise ChipFault(f"{name} cannot be read: {fault}") from None


def _read(info: tuple[Element, ...]) -> SignedData:
    """ContentInfo ::= SEQUENCE { contentType, content [0] SignedData } (RFC 5652, 3 and 5.1)."""
    kind = asn1.dotted(asn1.take(info, 0, asn1.OID))
    if kind != _SIGNED_DATA:
        raise ChipFault(f"it is no signed message but one of type {kind}")
    fields = asn1.sequence(asn1.take(info, 1, _TAGGED_0))
    if len(fields) < 4:
        raise ChipFault("the signed message is cut short")
    encapsulated = asn1.children(fields[2])
    wrapped = find(encapsulated, _TAGGED_0)
    content = read_element(wrapped) if wrapped is not None else None
    if content is None or content.tag != asn1.OCTETS:
        raise ChipFault("it signs nothing that it contains")
    certificates, unread = _certificates(find(fields[3:], _TAGGED_0))
    signers = tuple(_signer(asn1.children(item)) for item in asn1.children(fields[-1], asn1.SET))
    if not signers:
        raise ChipFault("it carries no signature")
    return SignedData(
        content_type=asn1.dotted(asn1.take(encapsulated, 0, asn1.OID)),
        content=content.value,
        signers=signers,
        certificates=certificates,
        unread_certificates=unread,
    )


def _certificates(octets: bytes | None) -> tuple[tuple[Certificate, ...], int]:
    found, unread, start = [], 0, 0
    for entry in read_elements(octets, limit=MAX_CERTIFICATES) if octets is not None else ():
        try:
            found.append(read_certificate((octets or b"")[start : entry.end]))
        except ChipFault:
            unread += 1
        start = entry.end
    return tuple(found), unread


def _signer(fields: tuple[Element, ...]) -> SignerInfo:
    """SignerInfo ::= SEQUENCE { version, sid, digest, signedAttrs [0] OPTIONAL, algorithm, signature, ... } (RFC 5652, 5.3)."""
    if len(fields) < 5:
        raise ChipFault("a signature is cut short")
    digest = read_digest(fields[2])
    has_attributes = fields[3].tag == _TAGGED_0
    rest = fields[4:] if has_attributes else fields[3:]
    if len(rest) < 2:
        raise ChipFault("a signature is cut short")
    attributes = _attributes(fields[3].value) if has_attributes else {}
    content_type = attributes.get(_CONTENT_TYPE)
    message_digest = attributes.get(_MESSAGE_DIGEST)
    signing_time = attributes.get(_SIGNING_TIME)
    key_id, issuer, number = _signer_name(fields[1])
    return SignerInfo(
        digest=digest,
        scheme=read_scheme(rest[0], digest=digest),
        signature=asn1.take(rest, 1, asn1.OCTETS),
        key_id=key_id,
        issuer=issuer,
        serial_number=number,
        # Signed as a SET, sent with the tag [0] (5.4); the octets in between are those that came.
        signed_octets=_as_set(fields[3].value) if has_attributes else None,
        attribute_digest=message_digest.value if message_digest is not None else None,
        attribute_type=asn1.dotted(content_type.value) if content_type is not None else None,
        signing_time=asn1.moment(signing_time) if signing_time is not None else None,
    )


def _signer_name(sid: Element) -> tuple[bytes | None, Name | None, int | None]:
    if sid.tag == _KEY_ID:
        return sid.value, None, None
    named = asn1.children(sid)
    return None, read_name(named[0]) if named else None, asn1.integer(asn1.take(named, 1, asn1.INTEGER))


def _attributes(octets: bytes) -> dict[str, Element]:
    """The attributes that have one value, each once; two of one kind are none (RFC 5652, 11.1 to 11.3)."""
    found: dict[str, Element] = {}
    for attribute in read_elements(octets):
        parts = asn1.children(attribute)
        oid = asn1.dotted(asn1.take(parts, 0, asn1.OID))
        values = read_elements(asn1.take(parts, 1, asn1.SET))
        if oid in found:
            raise ChipFault(f"the signed attribute {oid} is there twice")
        if len(values) == 1:
            found[oid] = values[0]
    return found


def _as_set(octets: bytes) -> bytes:
    size = len(octets)
    if size < 0x80:
        return bytes((asn1.SET, size)) + octets
    length = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes((asn1.SET, 0x80 | len(length))) + length + octets
