"""Filling the trust store: master lists, certificates, revocation lists and whole directories, each checked before it is believed.

Every certificate is kept or named with the reason why not. What is decided here: a self-signed certificate must carry its own
signature; a link certificate must be signed by one that is in the store or comes along; on a master list the state that signed it
vouches for the rest.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from gate.checks.emrtd.ber import definite
from gate.checks.emrtd.certificate import Certificate, read_certificate
from gate.checks.emrtd.deviations import looks_like_deviations, read_deviations
from gate.checks.emrtd.faults import ChipFault
from gate.checks.emrtd.keys import UnusableKey, Verdict
from gate.checks.emrtd.ldif import looks_like_ldif, read_ldif
from gate.checks.emrtd.master_list import MasterList, read_master_list
from gate.checks.emrtd.pem import looks_like_pem, read_pem
from gate.checks.emrtd.revocation import RevocationList, read_revocation_list
from gate.checks.emrtd.store import Deviation, TrustStore, merged
from gate.checks.emrtd.tlv import read_element, read_elements

_MASTER_LISTS = frozenset({"pkdmasterlistcontent", "cscamasterlistdata"})
_SET_OF_LISTS = frozenset({"certificaterevocationlist", "authorityrevocationlist"})
_SEQUENCE, _INTEGER, _OID = 0x30, 0x02, 0x06


class Origin(StrEnum):
    """On whose word a certificate is in the store."""

    ROOT = "self-signed"
    LINK = "link certificate"
    LISTED = "master list"


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """What was not taken, and why. ``source``: the file (and entry) it stood in."""

    source: str
    title: str
    reason: str


@dataclass(kw_only=True)
class ImportReport:
    """What an import did. ``added`` and ``known`` are certificates, by how they are trusted and whether they were there already."""

    store: TrustStore
    keeps_signers: bool = False
    added: dict[str, Origin] = field(default_factory=dict)
    known: set[str] = field(default_factory=set)
    signers: int = 0
    skipped_signers: set[str] = field(default_factory=set)
    lists: list[RevocationList] = field(default_factory=list)
    deviations: list[Deviation] = field(default_factory=list)
    master_lists: list[tuple[str, MasterList]] = field(default_factory=list)
    refused: list[Refusal] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


@dataclass(kw_only=True)
class _Found:
    """What the files hold, sorted by kind, since order matters: lists of roots first, then certificates, then revocations."""

    masters: list[tuple[str, bytes]] = field(default_factory=list)
    certificates: list[tuple[str, bytes]] = field(default_factory=list)
    revocations: list[tuple[str, bytes]] = field(default_factory=list)
    deviations: list[Deviation] = field(default_factory=list)


def import_files(
    files: Iterable[tuple[str, bytes]],
    store: TrustStore,
    now: datetime,
    *,
    needs_anchor: bool = False,
    keeps_signers: bool = False,
) -> ImportReport:
    """Import files, given with their names, into a copy of ``store``; the report has the new store.

    ``needs_anchor``: see :func:`read_master_list`. ``keeps_signers``: document signers as well, of which a directory has tens of thousands
    and which only documents need that leave theirs out. Raises ChipFault for a file that is nothing of all this, or for the one master
    list if it is not to be believed; a bad certificate, and a bad list among several, is refused and named instead.
    """
    found = _Found()
    for name, data in files:
        _sort(name, data, found)
    report = ImportReport(store=store, keeps_signers=keeps_signers)
    # Those given one by one first: among them may be the CSCA on whose word a master list is believed; and once more behind the lists,
    # since a link certificate or a document signer among them may lead to a CSCA that a list brings.
    _take_certificates(report, found.certificates, is_vouched=False)
    if found.masters:
        report.refused.clear()
    for name, data in found.masters:
        try:
            _take_master_list(report, name, data, now, needs_anchor=needs_anchor)
        except ChipFault as fault:
            # Of a directory's many lists a bad one is named; one that was given by itself is what somebody asked for.
            if len(found.masters) == 1:
                raise
            report.refused.append(Refusal(source=name, title="a master list", reason=str(fault)))
    if found.masters:
        _take_certificates(report, found.certificates, is_vouched=False)
    _take_revocations(report, found.revocations)
    if report.skipped_signers:
        report.notes.append(
            f"{len(report.skipped_signers)} certificates are no CSCA's and were left out; --signers keeps them"
        )
    report.deviations = [item for item in found.deviations if item not in report.store.deviations]
    report.store = merged(report.store, deviations=report.deviations)
    return report


def _take_master_list(report: ImportReport, name: str, data: bytes, now: datetime, *, needs_anchor: bool) -> None:
    master = read_master_list(data, report.store, now, name=name, needs_anchor=needs_anchor)
    report.master_lists.append((name, master))
    report.notes.extend(f"{name}: {note}" for note in master.notes)
    if master.is_first_trust:
        report.notes.append(
            f"{name} is believed on the word of {master.anchor.subject.text}, which came with it; compare its sha256 "
            f"{master.anchor.sha256} with what that state publishes"
        )
    _take_certificates(report, [(name, der) for der in (master.anchor.der, *master.certificates)], is_vouched=True)


def _sort(name: str, data: bytes, found: _Found) -> None:
    if looks_like_ldif(data):
        for value in read_ldif(data):
            place = (f"{name}, {value.entry}", value.value)
            if value.attribute in _MASTER_LISTS:
                found.masters.append(place)
            elif value.attribute in _SET_OF_LISTS:
                found.revocations.append(place)
            else:
                found.certificates.append(place)
    elif looks_like_deviations(data):
        found.deviations.extend(read_deviations(data, name))
    elif looks_like_pem(data):
        _sort_pem(name, data, found)
    else:
        _sort_der(name, data, found)


def _sort_pem(name: str, data: bytes, found: _Found) -> None:
    try:
        for _, der in read_pem(data):
            _sort_der(name, der, found)
    except ChipFault as fault:
        raise ChipFault(f"{name}: {fault}") from None


def _sort_der(name: str, data: bytes, found: _Found) -> None:
    """By how it begins: a message with its type, a certificate's body with a version [0], a list's with a version and an algorithm."""
    try:
        outer = read_element(definite(data))
        first = read_element(outer.value)
        if outer.tag != _SEQUENCE or first.tag not in (_OID, _SEQUENCE):
            raise ChipFault("no sequence of anything known")
        fields = read_elements(first.value) if first.tag == _SEQUENCE else ()
    except ChipFault:
        raise ChipFault(
            f"{name} is neither a certificate nor a list of any kind; give DER, PEM or LDIF files"
        ) from None
    if first.tag == _OID:
        found.masters.append((name, data))
    elif len(fields) > 3 and [field.tag for field in fields[:3]] == [_INTEGER, _SEQUENCE, _SEQUENCE] and _is_list(data):
        found.revocations.append((name, data))
    else:
        found.certificates.append((name, data))


def _is_list(data: bytes) -> bool:
    try:
        read_revocation_list(data)
    except ChipFault:
        return False
    return True


def _take_certificates(report: ImportReport, given: Sequence[tuple[str, bytes]], *, is_vouched: bool) -> None:
    authorities, signers = [], []
    for source, certificate in _readable(report, given):
        if certificate in report.store:
            if certificate.sha256 not in report.added:
                report.known.add(certificate.sha256)
        elif _may_issue(certificate, is_vouched=is_vouched):
            authorities.append((source, certificate))
        elif report.keeps_signers:
            signers.append((source, certificate))
        else:
            report.skipped_signers.add(certificate.sha256)
    _take_authorities(report, authorities, is_vouched=is_vouched)
    _take_signers(report, signers)


def _readable(report: ImportReport, given: Sequence[tuple[str, bytes]]) -> list[tuple[str, Certificate]]:
    found: dict[str, tuple[str, Certificate]] = {}
    for source, der in given:
        try:
            certificate = read_certificate(der)
        except ChipFault as fault:
            report.refused.append(Refusal(source=source, title=f"{len(der)} octets", reason=str(fault)))
        else:
            found.setdefault(certificate.sha256, (source, certificate))
    return list(found.values())


def _take_authorities(report: ImportReport, given: Sequence[tuple[str, Certificate]], *, is_vouched: bool) -> None:
    """Take what may be trusted, again and again: one that was taken may be who issued another. A list vouches for all of its own."""
    trusted = merged(report.store, certificates=(item for _, item in given)) if is_vouched else report.store
    waiting = list(given)
    while waiting:
        taken, rest, reasons = [], [], []
        for source, certificate in waiting:
            origin = _origin(certificate, trusted, is_vouched=is_vouched)
            if isinstance(origin, Origin):
                report.added[certificate.sha256] = origin
                taken.append(certificate)
            else:
                rest.append((source, certificate))
                reasons.append(Refusal(source=source, title=certificate.title, reason=origin))
        report.store = merged(report.store, certificates=taken)
        waiting = rest if taken and not is_vouched else []
        trusted = report.store
        if not waiting:
            report.refused.extend(reasons)


def _may_issue(certificate: Certificate, *, is_vouched: bool) -> bool:
    """Whether it is a certification authority's: says so, or is self-issued and does not say otherwise.

    Of link certificates on master lists some say the contrary (9 of 557 on the German list of March 2025): there the list's word counts.
    """
    if is_vouched and certificate.uses is not None and "key_cert_sign" in certificate.uses:
        return True
    return certificate.is_ca is True or (certificate.is_ca is None and certificate.is_self_issued)


def _origin(certificate: Certificate, trusted: TrustStore, *, is_vouched: bool) -> Origin | str:
    """How a certificate is to be trusted, or why it is not."""
    if isinstance(certificate.key, UnusableKey):
        return f"its key cannot be used: {certificate.key.reason}"
    if certificate.uses is not None and "key_cert_sign" not in certificate.uses:
        return "it may not sign certificates"
    if certificate.is_self_issued and certificate.is_signed_by(certificate):
        return Origin.ROOT
    for candidate in trusted.candidates(certificate):
        if (
            candidate != certificate
            and candidate.country == certificate.country
            and certificate.is_signed_by(candidate)
        ):
            return Origin.LINK
    if is_vouched:
        return Origin.LISTED
    return "who issued it is not in the trust store; import that certificate, or a master list with it, first"


def _take_signers(report: ImportReport, given: Sequence[tuple[str, Certificate]]) -> None:
    """Document signers are kept for documents that leave theirs out; one that leads to no CSCA is of no use."""
    taken = []
    known = set(report.store.signers)
    for source, certificate in given:
        if certificate in known:
            continue
        if report.store.issuer_of(certificate) is None:
            reason = "it is no CSCA's, and no CSCA in the trust store issued it"
            report.refused.append(Refusal(source=source, title=certificate.title, reason=reason))
        else:
            taken.append(certificate)
    report.signers += len(taken)
    report.store = merged(report.store, signers=taken)


def _take_revocations(report: ImportReport, given: Sequence[tuple[str, bytes]]) -> None:
    for source, der in given:
        try:
            listed = read_revocation_list(der)
        except ChipFault as fault:
            report.refused.append(Refusal(source=source, title=f"{len(der)} octets", reason=str(fault)))
            continue
        signers = [
            item
            for item in report.store.certificates
            if item.subject == listed.issuer or item.key_id == listed.authority_key_id
        ]
        if any(listed.verified_by(item).verdict is Verdict.VALID for item in signers):
            if all(listed.sha256 != item.sha256 for item in report.store.revocation_lists):
                report.lists.append(listed)
                report.store = merged(report.store, lists=(listed,))
        else:
            reason = "no CSCA in the trust store signed it; import that one first"
            report.refused.append(Refusal(source=source, title=listed.title, reason=reason))
