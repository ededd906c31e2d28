"""The signed files: EF.SOD over the data groups' digests, EF.CardSecurity, and master lists (CMS, RFC 5652).

Source: ICAO Doc 9303 part 10, 4.6.2 and appendix D (EF.SOD), part 12, 9 (master lists), BSI TR-03110 part 3, A.1.2.5 (EF.CardSecurity).
"""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from asn1crypto import cms, core, x509

from simulator.chip.pki import Signer
from simulator.chip.tlv import integer, oid, tlv

LDS_SECURITY_OBJECT = "2.23.136.1.1.1"
CSCA_MASTER_LIST = "2.23.136.1.1.2"
SECURITY_OBJECT = "0.4.0.127.0.7.3.2.1"
DIGESTS = {
    "sha1": "1.3.14.3.2.26",
    "sha224": "2.16.840.1.101.3.4.2.4",
    "sha256": "2.16.840.1.101.3.4.2.1",
    "sha384": "2.16.840.1.101.3.4.2.2",
    "sha512": "2.16.840.1.101.3.4.2.3",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Signing:
    """How a message is signed, where it is not as usual.

    ``names_key``: the signer is named by key identifier, not by issuer and number; ``message_digest``: this instead of the right
    one; ``has_certificate``: the signer's certificate comes along; ``is_altered``: a bit of the signature is turned over.
    """

    names_key: bool = False
    message_digest: bytes | None = None
    has_certificate: bool = True
    is_altered: bool = False
    has_attributes: bool = True
    """Whether attributes are signed, which bind the content; else the content itself is."""
    signing_time: datetime | None = None
    content_type: str | None = None
    """What the signed attributes say the content is, if not what it is."""
    more_certificates: tuple[bytes, ...] = ()


def make_sod(
    data_groups: Mapping[int, bytes],
    signer: Signer,
    *,
    digest: str = "sha256",
    lds_versions: tuple[str, str] | None = None,
    signing: Signing | None = None,
) -> bytes:
    """EF.SOD over these files (whole, with their tags), by number.

    ``lds_versions``: LDS and Unicode version, such as ("0108", "040000"), which makes the security object one of version 1.
    """
    content = make_security_object(data_groups, digest=digest, lds_versions=lds_versions)
    return tlv(0x77, sign_content(LDS_SECURITY_OBJECT, content, signer, signing))


def make_security_object(
    data_groups: Mapping[int, bytes], *, digest: str = "sha256", lds_versions: tuple[str, str] | None = None
) -> bytes:
    """The LDSSecurityObject (DER)."""
    hashes = (
        tlv(0x30, integer(number), tlv(0x04, hashlib.new(digest, file).digest()))
        for number, file in sorted(data_groups.items())
    )
    version = b""
    if lds_versions is not None:
        version = tlv(0x30, *(tlv(0x13, text.encode("ascii")) for text in lds_versions))
    algorithm = tlv(0x30, oid(DIGESTS[digest]), tlv(0x05))
    return tlv(0x30, integer(0 if lds_versions is None else 1), algorithm, tlv(0x30, *hashes), version)


def make_card_security(security_infos: bytes, signer: Signer, signing: Signing | None = None) -> bytes:
    """EF.CardSecurity over SecurityInfos (DER, a SET)."""
    return sign_content(SECURITY_OBJECT, security_infos, signer, signing)


def make_master_list(certificates: Iterable[bytes], signer: Signer, signing: Signing | None = None) -> bytes:
    """A master list of these certificates (DER); give the signer's CSCA in ``signing.more_certificates``."""
    content = tlv(0x30, integer(0), tlv(0x31, *sorted(certificates)))
    return sign_content(CSCA_MASTER_LIST, content, signer, signing)


def sign_content(content_type: str, content: bytes, signer: Signer, signing: Signing | None = None) -> bytes:
    """A ContentInfo (DER) with SignedData over ``content`` and its signed attributes."""
    how = signing or Signing()
    digest = signer.keys.algorithm.digest
    certificate = x509.Certificate.load(signer.certificate)
    attributes: list[dict[str, Any]] = [
        {"type": "content_type", "values": [how.content_type or content_type]},
        {"type": "message_digest", "values": [how.message_digest or hashlib.new(digest, content).digest()]},
    ]
    if how.signing_time is not None:
        attributes.append(
            {"type": "signing_time", "values": [cms.Time(name="utc_time", value=core.UTCTime(how.signing_time))]}
        )
    signed_attributes = cms.CMSAttributes(attributes)
    signature = bytearray(signer.keys.sign(signed_attributes.dump() if how.has_attributes else content))
    if how.is_altered:
        signature[-1] ^= 1
    if how.names_key:
        sid = cms.SignerIdentifier(name="subject_key_identifier", value=certificate.key_identifier)
    else:
        named = {"issuer": certificate.issuer, "serial_number": certificate.serial_number}
        sid = cms.SignerIdentifier(name="issuer_and_serial_number", value=named)
    ours = (signer.certificate,) if how.has_certificate else ()
    signed = {
        "version": "v3",
        "digest_algorithms": [{"algorithm": digest}],
        "encap_content_info": {"content_type": content_type, "content": core.ParsableOctetString(content)},
        "certificates": [x509.Certificate.load(der) for der in (*ours, *how.more_certificates)] or None,
        "signer_infos": [
            {
                "version": "v3" if how.names_key else "v1",
                "sid": sid,
                "digest_algorithm": {"algorithm": digest},
                "signed_attrs": signed_attributes if how.has_attributes else None,
                "signature_algorithm": signer.keys.signature_algorithm,
                "signature": bytes(signature),
            }
        ],
    }
    der: bytes = cms.ContentInfo({"content_type": "signed_data", "content": cms.SignedData(signed)}).dump()
    return der
