"""Chips that are not what they say: each attack is made out of a document that is in order, as whoever cannot sign for a state would."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from cryptography.hazmat.primitives.asymmetric import ec, rsa

from simulator.chip.document import (
    CARD_ACCESS,
    COM,
    SOD,
    ChipDocument,
    Choices,
    make_document,
    static_key,
)
from simulator.chip.files import make_com, make_dg2
from simulator.chip.pki import Issuer, Signer
from simulator.chip.profile import SigningKey
from simulator.chip.sod import make_sod

DG2, DG14 = 0x0102, 0x010E
_OTHER_FACE = b"\xff\xd8\xff\xe1" + bytes(1500) + b"\xff\xd9"


def clone(paper: ChipDocument) -> ChipDocument:
    """Every file of a chip on another one. The private keys do not come along: they never leave the first."""
    profile = paper.profile
    mapping = profile.mapping_key
    return paper.changed(
        signing_key=None if profile.signing_key is None else _other_signing_key(profile.signing_key),
        chip_keys=tuple(replace(key, private=static_key(key.domain).private) for key in profile.chip_keys),
        mapping_key=None if mapping is None else replace(mapping, private=static_key(mapping.domain).private),
    )


def wrong_signing_key(paper: ChipDocument) -> ChipDocument:
    """A chip whose key for active authentication is not that of its DG15."""
    signing = paper.profile.signing_key
    if signing is None:
        raise ValueError("this document does not sign")
    return paper.changed(signing_key=_other_signing_key(signing))


def swapped_face(paper: ChipDocument) -> ChipDocument:
    """Another person's picture in DG2."""
    return paper.with_files({DG2: make_dg2(_OTHER_FACE, width=480, height=640)})


def foreign_security_object(paper: ChipDocument) -> ChipDocument:
    """EF.SOD of another document of the same state: its signature holds."""
    other = make_document(paper.issuer, paper.signer, Choices(portrait=_OTHER_FACE))
    return paper.with_files({SOD: other.profile.files[SOD]})


def foreign_issuer(paper: ChipDocument, now: datetime) -> ChipDocument:
    """Signed, in order, under a CSCA of the forger's own, which has the state's name."""
    forger = Issuer(paper.issuer.country, now=now)
    return _signed_by(paper, forger, forger.document_signer())


def expired_signer(paper: ChipDocument, now: datetime) -> ChipDocument:
    """Signed by a document signer whose certificate ended an hour ago."""
    signer = paper.issuer.document_signer(not_before=now - timedelta(hours=20), not_after=now - timedelta(hours=1))
    return _signed_by(paper, paper.issuer, signer)


def revoked_signer(paper: ChipDocument) -> tuple[ChipDocument, bytes]:
    """In order, but for the revocation list (DER) that comes with it."""
    return paper, paper.issuer.crl([paper.signer.serial_number])


def tampered_common_data(paper: ChipDocument) -> ChipDocument:
    """EF.COM that no longer lists DG14 and DG15, so that nobody asks the chip to prove itself."""
    kept = (1, 2)
    return paper.with_files({COM: make_com(kept)})


def hidden_keys(paper: ChipDocument) -> ChipDocument:
    """A copy without the files that would show that it is one."""
    return tampered_common_data(paper).with_files({DG14: None, 0x010F: None})


def no_pace(paper: ChipDocument) -> ChipDocument:
    """EF.CardAccess taken away, so that the reader falls back to BAC, whose keys can be guessed."""
    files = {name: data for name, data in paper.profile.master_files.items() if name != CARD_ACCESS}
    return paper.changed(master_files=files, pace=())


def truncated_file(paper: ChipDocument) -> ChipDocument:
    """DG2 that ends in the middle of what its header claims."""
    return paper.with_files({DG2: paper.profile.files[DG2][:700]})


def endless_file(paper: ChipDocument) -> ChipDocument:
    """DG2 that claims four gigabytes and goes on for as long as one reads."""
    endless = b"\x75\x84\xff\xff\xff\xff" + paper.profile.files[DG2]
    return paper.with_files({DG2: endless}).changed(endless=frozenset({DG2}))


def garbage(paper: ChipDocument, identifier: int = DG2) -> ChipDocument:
    """A file of bytes that are no structure."""
    return paper.with_files({identifier: bytes((0x1F, 0xFF, 0xFF, 0xFF, 0xFF)) * 100})


def garbage_inside(paper: ChipDocument, identifier: int = DG14) -> ChipDocument:
    """A file that is right outside and none inside."""
    first = paper.profile.files[identifier][:1]
    return paper.with_files({identifier: first + b"\x82\x01\x00" + b"\x31\x84\xff\xff\xff\xf0" * 43})


def _signed_by(paper: ChipDocument, issuer: Issuer, signer: Signer) -> ChipDocument:
    groups = {identifier & 0xFF: data for identifier, data in paper.profile.files.items() if identifier & 0xFF <= 16}
    return replace(paper.with_files({SOD: make_sod(groups, signer)}), issuer=issuer, signer=signer)


def _other_signing_key(signing: SigningKey) -> SigningKey:
    key = signing.key
    if isinstance(key, rsa.RSAPrivateKey):
        return replace(signing, key=rsa.generate_private_key(65537, key.key_size))
    return replace(signing, key=ec.generate_private_key(key.curve))
