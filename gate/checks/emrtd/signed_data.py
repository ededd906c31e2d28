"""Signed messages (CMS SignedData, RFC 5652): what EF.SOD, EF.CardSecurity, master lists and deviation lists are."""

import hashlib
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any

from asn1crypto import cms, core

from gate.checks.emrtd.algorithms import Scheme, UnknownScheme, read_digest, read_scheme
from gate.checks.emrtd.certificate import Certificate, read_certificate
from gate.checks.emrtd.faults import ChipFault, reading
from gate.checks.emrtd.keys import Verification, verify
from gate.checks.emrtd.names import Name, read_name

_SIGNED_DATA = "1.2.840.113549.1.7.2"
_CONTENT_TYPE = "1.2.840.113549.1.9.3"
_MESSAGE_DIGEST = "1.2.840.113549.1.9.4"
_SIGNING_TIME = "1.2.840.113549.1.9.5"
_SET = b"\x31"


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
    """Return the message in ``data`` (a ContentInfo); ``name`` is the file's. Raises ChipFault, naming the file."""
    with reading(name):
        info = cms.ContentInfo.load(data)
        if info["content_type"].dotted != _SIGNED_DATA:
            raise ChipFault(f"{name} is no signed message but one of type {info['content_type'].dotted}")
        signed = info["content"]
        encapsulated = signed["encap_content_info"]
        content = _content(encapsulated["content"], name)
        signers = tuple(_signer(item) for item in signed["signer_infos"])
        if not signers:
            raise ChipFault(f"{name} carries no signature")
        certificates, unread = _certificates(signed["certificates"])
        return SignedData(
            content_type=encapsulated["content_type"].dotted,
            content=content,
            signers=signers,
            certificates=certificates,
            unread_certificates=unread,
        )


def _content(value: Any, name: str) -> bytes:
    # Version 1 may be PKCS #7, whose content asn1crypto leaves unread; both hold an octet string.
    if isinstance(value, core.Any):
        value = value.parse(core.OctetString)
    if not isinstance(value, (core.OctetString, core.ParsableOctetString)):
        raise ChipFault(f"{name} signs nothing that it contains")
    return bytes(value)


def _certificates(choices: Any) -> tuple[tuple[Certificate, ...], int]:
    if isinstance(choices, core.Void):
        return (), 0
    found, unread = [], 0
    for choice in choices:
        try:
            found.append(read_certificate(choice.chosen.dump()))
        except ChipFault:
            unread += 1
    return tuple(found), unread


def _signer(info: Any) -> SignerInfo:
    digest = read_digest(info["digest_algorithm"])
    sid = info["sid"]
    has_key_id = sid.name == "subject_key_identifier"
    values: dict[str, Any] = {}
    attributes = info["signed_attrs"]
    signed_octets = None
    if not isinstance(attributes, core.Void):
        # Signed as a SET, sent with the tag [0] (RFC 5652, 5.4); the octets in between as they came.
        octets = attributes.dump()
        signed_octets = _SET + octets[1:]
        for attribute in attributes:
            if len(attribute["values"]) == 1:
                values[attribute["type"].dotted] = attribute["values"][0]
    content_type = values.get(_CONTENT_TYPE)
    message_digest = values.get(_MESSAGE_DIGEST)
    signing_time = values.get(_SIGNING_TIME)
    return SignerInfo(
        digest=digest,
        scheme=read_scheme(info["signature_algorithm"], digest=digest),
        signature=bytes(info["signature"]),
        key_id=bytes(sid.chosen) if has_key_id else None,
        issuer=None if has_key_id else read_name(sid.chosen["issuer"]),
        serial_number=None if has_key_id else sid.chosen["serial_number"].native,
        signed_octets=signed_octets,
        attribute_digest=bytes(message_digest) if message_digest is not None else None,
        attribute_type=content_type.dotted if content_type is not None else None,
        signing_time=signing_time.native if signing_time is not None else None,
    )
