"""Checks of who signed: the document signer's certificate up to a country signing certificate of the issuing state.

Source: ICAO Doc 9303 part 11, 5.1, and part 12, 4 to 7 (8th edition).
"""

from datetime import datetime, timedelta

from gate.checks.emrtd.algorithms import WEAK_DIGESTS, Scheme, digest_name
from gate.checks.emrtd.certificate import DEVIATION_LIST_SIGNING, MASTER_LIST_SIGNING, Certificate
from gate.checks.emrtd.results import Check, CheckName, CheckOutcome
from gate.checks.emrtd.security_object import SecurityObject
from gate.checks.emrtd.signed_data import SignerInfo
from gate.checks.emrtd.store import TrustStore

_CLOCK_TOLERANCE = timedelta(days=1)
"""Certificates and security objects are made on the same day in different time zones."""


def check_chain(signer: Certificate, store: TrustStore, now: datetime) -> tuple[Check, Certificate | None]:
    """Find the country signing certificate that issued the document signer; returns the check and the certificate."""
    name = CheckName.DSC_CHAIN
    issuer = store.issuer_of(signer, moment=now)
    country = signer.issuer.country or signer.country
    if issuer is not None and issuer.country != country:
        reason = f"the document signer of {country} was issued by a CSCA of {issuer.country}"
        return Check(name=name, outcome=CheckOutcome.FAIL, reason=reason), None
    if issuer is not None:
        reason = f"issued by {issuer.title}"
        if issuer.subject != signer.issuer:
            reason += ", under another spelling of its name"
        return Check(name=name, outcome=CheckOutcome.PASS, reason=reason), issuer
    if unsupported := store.unsupported_issuer(signer):
        return Check(name=name, outcome=CheckOutcome.NOT_SUPPORTED, reason=unsupported), None
    wanted = f"{signer.issuer.text}, key {signer.authority_key_id.hex() if signer.authority_key_id else 'not named'}"
    if any(store.candidates(signer)):
        reason = (
            f"the CSCA that the document signer names ({wanted}) is in the trust store and did not sign its certificate"
        )
        return Check(name=name, outcome=CheckOutcome.FAIL, reason=reason), None
    if country in store.countries:
        reason = f"none of the CSCAs of {country} in the trust store issued the document signer ({wanted})"
        return Check(name=name, outcome=CheckOutcome.FAIL, reason=reason), None
    reason = f"no CSCA of {country or 'any country'} is in the trust store; missing: {wanted}"
    return Check(name=name, outcome=CheckOutcome.NOT_CHECKED, reason=reason), None


def check_validity(signer: Certificate, signing_time: datetime | None, now: datetime) -> Check:
    """The document signer's certificate must be valid now, and must have been when it signed where EF.SOD says when."""
    faults = []
    if now < signer.not_before:
        faults.append(f"is not valid before {signer.not_before:%Y-%m-%d}")
    if now > signer.not_after:
        faults.append(f"expired on {signer.not_after:%Y-%m-%d}")
    if signing_time is not None:
        start, end = signer.not_before - _CLOCK_TOLERANCE, signer.not_after + _CLOCK_TOLERANCE
        if not start <= signing_time <= end:
            faults.append(f"was not valid on {signing_time:%Y-%m-%d}, when EF.SOD was signed")
        last = signer.key_period[1]
        if last is not None and signing_time > last + _CLOCK_TOLERANCE:
            faults.append(f"was to sign until {last:%Y-%m-%d} only, and signed on {signing_time:%Y-%m-%d}")
    if faults:
        reason = f"the document signer's certificate {' and '.join(faults)}"
        return Check(name=CheckName.DSC_VALIDITY, outcome=CheckOutcome.FAIL, reason=reason)
    when = f", signed on {signing_time:%Y-%m-%d}" if signing_time else ""
    reason = f"valid from {signer.not_before:%Y-%m-%d} to {signer.not_after:%Y-%m-%d}{when}"
    return Check(name=CheckName.DSC_VALIDITY, outcome=CheckOutcome.PASS, reason=reason)


def check_profile(signer: Certificate, issuer: Certificate | None) -> Check:
    """The certificates must be what they are used for: key usage, basic constraints, extensions (part 12, 7.1.1)."""
    faults = []
    if signer.uses is None or "digital_signature" not in signer.uses:
        faults.append("the document signer's certificate is not for digital signatures")
    if signer.uses and signer.uses & {"key_cert_sign", "crl_sign"}:
        faults.append("the document signer's certificate may sign certificates")
    if signer.is_ca:
        faults.append("the document signer's certificate is that of a certification authority")
    if {MASTER_LIST_SIGNING, DEVIATION_LIST_SIGNING} & set(signer.extended_uses):
        faults.append("the certificate is one for signing lists, not documents")
    if signer.unknown_critical:
        faults.append(
            f"the document signer's certificate has unknown critical extensions ({', '.join(signer.unknown_critical)})"
        )
    if issuer is not None:
        if issuer.is_ca is False:
            faults.append("the issuing certificate is not that of a certification authority")
        if issuer.uses is not None and "key_cert_sign" not in issuer.uses:
            faults.append("the issuing certificate may not sign certificates")
        if issuer.unknown_critical:
            faults.append(
                f"the issuing certificate has unknown critical extensions ({', '.join(issuer.unknown_critical)})"
            )
    if faults:
        return Check(name=CheckName.DSC_PROFILE, outcome=CheckOutcome.FAIL, reason="; ".join(faults))
    kinds = f", for documents {', '.join(signer.document_types)}" if signer.document_types else ""
    return Check(
        name=CheckName.DSC_PROFILE, outcome=CheckOutcome.PASS, reason=f"a certificate for signing documents{kinds}"
    )


def check_csca(issuer: Certificate, signer: Certificate, now: datetime) -> Check:
    """The country signing certificate must be valid now, and must have been when it issued the document signer's."""
    faults = []
    if not issuer.is_valid_at(now):
        is_early = now < issuer.not_before
        faults.append(
            f"is not valid before {issuer.not_before:%Y-%m-%d}"
            if is_early
            else f"expired on {issuer.not_after:%Y-%m-%d}"
        )
    if not issuer.not_before - _CLOCK_TOLERANCE <= signer.not_before <= issuer.not_after + _CLOCK_TOLERANCE:
        faults.append(f"was not valid on {signer.not_before:%Y-%m-%d}, when it issued the document signer's")
    if faults:
        reason = f"the country signing certificate {' and '.join(faults)}"
        return Check(name=CheckName.CSCA_VALIDITY, outcome=CheckOutcome.FAIL, reason=reason)
    reason = f"valid from {issuer.not_before:%Y-%m-%d} to {issuer.not_after:%Y-%m-%d}"
    return Check(name=CheckName.CSCA_VALIDITY, outcome=CheckOutcome.PASS, reason=reason)


def check_revocation(signer: Certificate, issuer: Certificate, store: TrustStore, now: datetime) -> Check:
    """Look the signer up in its issuer's revocation lists. A list that is out of date still revokes; it clears nobody."""
    name = CheckName.DSC_REVOCATION
    lists = store.revocation_lists_of(issuer)
    if not lists:
        reason = f"no revocation list of {issuer.subject.text} is in the trust store"
        return Check(name=name, outcome=CheckOutcome.NOT_CHECKED, reason=reason)
    for listed in lists:
        since = listed.revoked.get(signer.serial_number)
        if since is not None:
            reason = f"the document signer's certificate was revoked on {since:%Y-%m-%d}"
            return Check(name=name, outcome=CheckOutcome.FAIL, reason=reason)
    listed = lists[0]
    if not listed.is_current_at(now):
        until = f"{listed.next_update:%Y-%m-%d}" if listed.next_update else "then"
        reason = (
            f"not revoked in the list of {listed.this_update:%Y-%m-%d}, which was good until {until}; import a new one"
        )
        return Check(name=name, outcome=CheckOutcome.NOT_CHECKED, reason=reason)
    reason = f"not revoked in the list of {listed.this_update:%Y-%m-%d}"
    return Check(name=name, outcome=CheckOutcome.PASS, reason=reason)


def check_strength(
    signer: Certificate,
    issuer: Certificate | None,
    signature: SignerInfo,
    content: SecurityObject,
    *,
    is_refused: bool,
) -> Check:
    """Name digests and keys that should not be used any more; ``is_refused`` makes them a failure."""
    weak = []
    scheme = signature.scheme
    for what, used in (("EF.SOD's signature", scheme), ("the document signer's certificate", signer.scheme)):
        if isinstance(used, Scheme) and used.is_weak:
            weak.append(f"{what} uses {digest_name(used.digest)}")
    listed = (("the security object is signed", signature.digest), ("data groups are listed", content.digest))
    for what, digest in listed:
        if digest in WEAK_DIGESTS:
            weak.append(f"{what} by {digest_name(digest)}")
    for what, certificate in (("the document signer", signer), ("the CSCA", issuer)):
        if certificate is not None and certificate.key.is_weak:
            weak.append(f"{what} has a short key ({certificate.key.name})")
    name = CheckName.ALGORITHM_STRENGTH
    if not weak:
        reason = f"{scheme.name} with {signer.key.name}" if isinstance(scheme, Scheme) else "nothing weak that is known"
        return Check(name=name, outcome=CheckOutcome.PASS, reason=reason)
    reason = f"weak: {'; '.join(weak)}"
    return Check(name=name, outcome=CheckOutcome.FAIL if is_refused else CheckOutcome.PASS, reason=reason)
