"""Passive authentication: are the data groups what the issuing state signed? In the full order of ICAO Doc 9303 part 11, 5.1.

Pure: files, a trust store, a policy and the time go in, checks with reasons come out. Nothing a chip can send makes it raise.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from gate.checks.emrtd.certificate import Certificate
from gate.checks.emrtd.content import check_com, check_country, check_groups, check_mrz, zone_of
from gate.checks.emrtd.faults import ChipFault
from gate.checks.emrtd.keys import Verdict
from gate.checks.emrtd.results import (
    NEEDED_CHECKS,
    Check,
    CheckName,
    CheckOutcome,
    PassiveAuthentication,
    overall,
)
from gate.checks.emrtd.security_object import LDS_SECURITY_OBJECT, SecurityObject, read_security_object, read_sod
from gate.checks.emrtd.signed_data import SignedData, SignerInfo
from gate.checks.emrtd.signer import (
    check_chain,
    check_csca,
    check_profile,
    check_revocation,
    check_strength,
    check_validity,
)
from gate.checks.emrtd.store import EXCUSABLE, TrustStore


@dataclass(frozen=True, slots=True, kw_only=True)
class ChipFiles:
    """What was read from a chip, each file whole with its tag. ``printed_mrz``: the lines read off the page, if they were."""

    sod: bytes
    groups: Mapping[int, bytes] = field(default_factory=dict)
    com: bytes | None = None
    printed_mrz: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PassivePolicy:
    """What a site asks beyond the necessary.

    ``needs_revocation``: without a current revocation list nothing passes; ``refuses_weak``: SHA-1, SHA-224 and short keys fail
    instead of being reported.
    """

    needs_revocation: bool = False
    refuses_weak: bool = False


def authenticate(
    files: ChipFiles, store: TrustStore, now: datetime, policy: PassivePolicy | None = None
) -> PassiveAuthentication:
    """Make every check that can be made of these files. ``now`` has a zone. Never raises for what a chip sent."""
    policy = policy or PassivePolicy()
    needed = NEEDED_CHECKS | ({CheckName.DSC_REVOCATION} if policy.needs_revocation else frozenset())
    try:
        message = read_sod(files.sod)
        content = read_security_object(message.content)
    except ChipFault as fault:
        broken = Check(name=CheckName.SOD_STRUCTURE, outcome=CheckOutcome.FAIL, reason=str(fault))
        return _result((broken, *_unmade(CheckName.SOD_STRUCTURE)), needed)
    signer = message.signers[0]
    signing, found = _signature_checks(message, signer, content, store)
    chain: list[Check] = []
    issuer: Certificate | None = None
    if found is not None:
        chain_check, issuer = check_chain(found, store, now)
        chain = [
            chain_check,
            check_validity(found, signer.signing_time, now),
            check_profile(found, issuer),
            *(() if issuer is None else (check_csca(issuer, found, now), check_revocation(found, issuer, store, now))),
        ]
    mrz = zone_of(files.groups)
    groups_check, authentic = check_groups(files.groups, content)
    data = [groups_check, check_com(files.com, content), check_mrz(mrz, files.printed_mrz)]
    if found is not None:
        data.append(check_country(mrz, found))
        data.append(check_strength(found, issuer, signer, content, is_refused=policy.refuses_weak))
    checks = [*signing, *chain, *data]
    if issuer is not None and found is not None:
        checks = [_excused(check, issuer, found, store) for check in checks]
    made = {check.name for check in checks}
    checks += [check for check in _unmade(None) if check.name not in made]
    return PassiveAuthentication(
        outcome=overall(checks, needed=needed),
        checks=tuple(sorted(checks, key=lambda check: _ORDER[check.name])),
        authentic_groups=authentic,
        listed_groups=frozenset(content.digests),
        country=found.country if found is not None else "",
    )


_ORDER = {name: place for place, name in enumerate(CheckName)}
_WHY_UNMADE = {
    CheckName.CSCA_VALIDITY: "no country signing certificate that issued the document signer is known",
    CheckName.DSC_REVOCATION: "no country signing certificate that issued the document signer is known",
}


def _unmade(cause: CheckName | None) -> tuple[Check, ...]:
    """The checks that could not be made: since EF.SOD cannot be read, or since the signer is not known."""
    why = (
        "EF.SOD cannot be read" if cause is CheckName.SOD_STRUCTURE else "the document signer's certificate is missing"
    )
    return tuple(
        Check(name=name, outcome=CheckOutcome.NOT_CHECKED, reason=why if cause else _WHY_UNMADE.get(name, why))
        for name in CheckName
        if name not in (cause, CheckName.ACTIVE_AUTHENTICATION, CheckName.CHIP_AUTHENTICATION)
    )


def _result(checks: tuple[Check, ...], needed: frozenset[CheckName]) -> PassiveAuthentication:
    return PassiveAuthentication(
        outcome=overall(checks, needed=needed),
        checks=checks,
        authentic_groups=frozenset(),
        listed_groups=frozenset(),
        country="",
    )


def _signature_checks(
    message: SignedData, signer: SignerInfo, content: SecurityObject, store: TrustStore
) -> tuple[list[Check], Certificate | None]:
    """Structure, signature and digest, and the signer's certificate: out of EF.SOD, or from the store if it was left out."""
    certificate = message.signer_certificate(signer)
    if certificate is None:
        certificate = next((item for item in store.signers if signer.is_by(item)), None)
    return [
        _check_structure(message, content),
        _check_signature(message, signer, certificate),
        _check_digest(message, signer),
    ], certificate


def _check_structure(message: SignedData, content: SecurityObject) -> Check:
    faults = []
    if message.content_type != LDS_SECURITY_OBJECT:
        faults.append(
            f"its content claims to be {message.content_type} and not a security object ({LDS_SECURITY_OBJECT})"
        )
    if len(message.signers) > 1:
        faults.append(f"it carries {len(message.signers)} signatures where one is allowed")
    if content.version not in (0, 1):
        faults.append(f"its security object has version {content.version}, which does not exist")
    elif content.version == 1 and content.lds_version is None:
        faults.append("its security object has version 1 and names no LDS version")
    return Check(
        name=CheckName.SOD_STRUCTURE,
        outcome=CheckOutcome.FAIL if faults else CheckOutcome.PASS,
        reason=f"EF.SOD breaks the rules: {'; '.join(faults)}"
        if faults
        else f"a security object of version {content.version}",
    )


def _check_signature(message: SignedData, signer: SignerInfo, certificate: Certificate | None) -> Check:
    name = CheckName.SOD_SIGNATURE
    if certificate is None:
        reason = "the document signer's certificate is neither in EF.SOD nor in the trust store"
        return Check(name=name, outcome=CheckOutcome.NOT_CHECKED, reason=reason)
    verification = signer.verified_by(certificate, message.content)
    if verification.verdict is Verdict.NOT_SUPPORTED:
        return Check(name=name, outcome=CheckOutcome.NOT_SUPPORTED, reason=verification.reason)
    if verification.verdict is Verdict.INVALID:
        reason = f"EF.SOD is not signed by the document signer that it names: {verification.reason}"
        return Check(name=name, outcome=CheckOutcome.FAIL, reason=reason)
    return Check(name=name, outcome=CheckOutcome.PASS, reason=f"signed by {certificate.subject.text}")


def _check_digest(message: SignedData, signer: SignerInfo) -> Check:
    name = CheckName.MESSAGE_DIGEST
    if signer.signed_octets is None:
        return Check(name=name, outcome=CheckOutcome.FAIL, reason="EF.SOD has no signed attributes, which it must have")
    digest = signer.content_digest(message.content)
    if digest is None:
        return Check(name=name, outcome=CheckOutcome.NOT_SUPPORTED, reason="the signer's digest algorithm is unknown")
    if signer.attribute_digest is None:
        return Check(name=name, outcome=CheckOutcome.FAIL, reason="the signed attributes name no digest of the content")
    if digest != signer.attribute_digest:
        reason = "the security object is not what was signed: its digest differs from the signed one"
        return Check(name=name, outcome=CheckOutcome.FAIL, reason=reason)
    if signer.attribute_type not in (None, message.content_type):
        reason = f"the signed attributes are of content {signer.attribute_type}, not of what EF.SOD holds"
        return Check(name=name, outcome=CheckOutcome.FAIL, reason=reason)
    return Check(name=name, outcome=CheckOutcome.PASS, reason="the security object is what was signed")


def _excused(check: Check, issuer: Certificate, signer: Certificate, store: TrustStore) -> Check:
    if check.outcome is not CheckOutcome.FAIL or check.name not in EXCUSABLE:
        return check
    deviation = store.excuse(check.name, issuer, signer)
    if deviation is None:
        return check
    reason = f"{check.reason}; excused: {deviation.reason}"
    return Check(name=check.name, outcome=CheckOutcome.PASS, reason=reason)
