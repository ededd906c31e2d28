"""Master lists: the country signing certificates that one state has seen and vouches for (ICAO Doc 9303 part 12, 9, 8th edition)."""

from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise

from gate.checks.emrtd.certificate import MASTER_LIST_SIGNING, Certificate
from gate.checks.emrtd.faults import ChipFault
from gate.checks.emrtd.keys import Verdict
from gate.checks.emrtd.signed_data import SignedData, SignerInfo, read_signed_data
from gate.checks.emrtd.store import TrustStore
from gate.checks.emrtd.tlv import read_element, read_elements

CSCA_MASTER_LIST = "2.23.136.1.1.2"
MAX_OCTETS = 64 * 2**20
MAX_CERTIFICATES = 20_000


@dataclass(frozen=True, slots=True, kw_only=True)
class MasterList:
    """A list whose signature holds. ``certificates`` are DER, unread. ``anchor``: the CSCA on whose word the list is believed.

    ``is_first_trust``: that CSCA came with the list itself and was not in the store: somebody must compare ``anchor.sha256`` with what the
    state publishes.
    """

    signer: Certificate
    anchor: Certificate
    is_first_trust: bool
    signing_time: datetime | None
    certificates: tuple[bytes, ...]
    notes: tuple[str, ...]


def read_master_list(
    data: bytes, store: TrustStore, now: datetime, *, name: str, needs_anchor: bool = False
) -> MasterList:
    """Return the list in ``data`` (CMS, DER) after its signature and its signer's chain were verified.

    ``needs_anchor``: a list is believed only if its signer's CSCA is in ``store`` already. Raises ChipFault for a list that is none, or
    that is not to be believed.
    """
    if len(data) > MAX_OCTETS:
        raise ChipFault(f"{name} has {len(data)} octets, more than any master list; fetch it again")
    message = read_signed_data(data, name)
    if message.content_type != CSCA_MASTER_LIST:
        raise ChipFault(f"{name} is a signed message of type {message.content_type} and no master list")
    signer = message.signers[0]
    certificate = _verified_signer(message, signer, name)
    moment = signer.signing_time or now
    anchor, is_first = _anchor(certificate, message, store, moment, name)
    if is_first and needs_anchor:
        raise ChipFault(
            f"{name} is signed under {anchor.title}, which is not in the trust store; import that certificate first"
        )
    notes = []
    if not certificate.is_valid_at(moment):
        raise ChipFault(f"{name} was signed on {moment:%Y-%m-%d}, when its signer's certificate was not valid")
    if not certificate.is_valid_at(now):
        notes.append(f"its signer's certificate expired on {certificate.not_after:%Y-%m-%d}; look for a newer list")
    return MasterList(
        signer=certificate,
        anchor=anchor,
        is_first_trust=is_first,
        signing_time=signer.signing_time,
        certificates=_certificates(message.content, name),
        notes=tuple(notes),
    )


def _verified_signer(message: SignedData, signer: SignerInfo, name: str) -> Certificate:
    certificate = message.signer_certificate(signer)
    if certificate is None:
        raise ChipFault(f"{name} comes without its signer's certificate; fetch it again")
    verification = signer.verified_by(certificate, message.content)
    if verification.verdict is not Verdict.VALID:
        raise ChipFault(f"{name} is not signed by {certificate.title}: {verification.reason}; fetch it again")
    if signer.signed_octets is not None and signer.content_digest(message.content) != signer.attribute_digest:
        raise ChipFault(f"{name} is not what was signed: its digest differs; fetch it again")
    if MASTER_LIST_SIGNING not in certificate.extended_uses:
        raise ChipFault(f"{name} is signed by {certificate.title}, who may not sign master lists")
    return certificate


def _anchor(
    certificate: Certificate, message: SignedData, store: TrustStore, moment: datetime, name: str
) -> tuple[Certificate, bool]:
    known = store.issuer_of(certificate, moment=moment)
    if known is not None and known.country == certificate.country:
        return known, False
    for own in message.certificates:
        if own != certificate and own.is_ca and own.country == certificate.country and certificate.is_signed_by(own):
            # A new CSCA may come with a link certificate of one that we know.
            linked = store.issuer_of(own, moment=moment)
            if linked is not None and linked.country == own.country:
                return linked, False
            if own.is_self_issued and own.is_signed_by(own):
                return own, True
    raise ChipFault(
        f"{name} is signed by {certificate.title}, whose CSCA is neither known nor comes along; import that first"
    )


def _certificates(content: bytes, name: str) -> tuple[bytes, ...]:
    """CscaMasterList ::= SEQUENCE { version INTEGER, certList SET OF Certificate }; each certificate as it stands there."""
    try:
        parts = read_elements(read_element(content).value, limit=3)
        if [part.tag for part in parts] != [0x02, 0x31]:
            raise ChipFault("it is no version with a set of certificates")
        octets = parts[1].value
        entries = read_elements(octets, limit=MAX_CERTIFICATES)
    except ChipFault as fault:
        raise ChipFault(f"the certificates in {name} cannot be read: {fault}") from None
    starts = [0, *(entry.end for entry in entries)]
    return tuple(octets[start:end] for start, end in pairwise(starts))
