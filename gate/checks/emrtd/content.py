"""Checks of what the chip holds against what was signed: digests, EF.COM, the MRZ, the country."""

import hashlib
import hmac
from collections.abc import Mapping

from gate.checks.emrtd.certificate import Certificate
from gate.checks.emrtd.countries import signing_countries
from gate.checks.emrtd.faults import ChipFault
from gate.checks.emrtd.lds import GROUP_TAGS, read_com, read_dg1
from gate.checks.emrtd.results import Check, CheckName, CheckOutcome
from gate.checks.emrtd.security_object import SecurityObject
from gate.checks.emrtd.tlv import read_file, trim_file
from gate.checks.mrz import Mrz

_NEEDED_GROUPS = (1, 2)


def check_groups(groups: Mapping[int, bytes], content: SecurityObject) -> tuple[Check, frozenset[int]]:
    """Compare the digest of every group that was read; returns the check and the groups whose digest fits."""
    name = CheckName.DG_HASHES
    if content.digest is None:
        reason = f"digest algorithm {content.digest_oid} is none of Doc 9303 part 12"
        return Check(name=name, outcome=CheckOutcome.NOT_SUPPORTED, reason=reason), frozenset()
    fitting, wrong, unlisted = [], [], []
    for number, file in sorted(groups.items()):
        listed = content.digests.get(number)
        if listed is None:
            unlisted.append(number)
        elif _fits(number, file, listed, content.digest):
            fitting.append(number)
        else:
            wrong.append(number)
    authentic = frozenset(fitting)
    if wrong or unlisted:
        parts = []
        if wrong:
            parts.append(f"{_groups(wrong)} not what was signed")
        if unlisted:
            parts.append(f"{_groups(unlisted)} not listed in EF.SOD and signed by nobody")
        return Check(name=name, outcome=CheckOutcome.FAIL, reason="; ".join(parts)), authentic
    missing = [number for number in _NEEDED_GROUPS if number not in authentic]
    if not fitting:
        reason = "no data group was read"
        return Check(name=name, outcome=CheckOutcome.NOT_CHECKED, reason=reason), authentic
    reason = f"{_groups(fitting)} as signed"
    if missing:
        reason += f"; {_groups(missing)} not read"
    return Check(name=name, outcome=CheckOutcome.PASS, reason=reason), authentic


def check_com(com: bytes | None, content: SecurityObject) -> Check:
    """EF.COM is signed by nobody: it must list what EF.SOD lists (Doc 9303 part 11, 5.1)."""
    name = CheckName.COM_CONSISTENCY
    if com is None:
        return Check(name=name, outcome=CheckOutcome.NOT_CHECKED, reason="EF.COM was not read")
    try:
        common = read_com(com)
    except ChipFault as fault:
        return Check(name=name, outcome=CheckOutcome.FAIL, reason=str(fault))
    listed = frozenset(content.digests)
    faults = []
    if common.unknown_tags:
        faults.append(
            f"EF.COM lists tags that no data group has: {', '.join(f'{tag:02X}' for tag in common.unknown_tags)}"
        )
    if more := common.groups - listed:
        faults.append(f"EF.COM lists {_groups(more)} that EF.SOD does not")
    if fewer := listed - common.groups:
        faults.append(f"EF.COM leaves out {_groups(fewer)} of EF.SOD")
    if content.lds_version is not None and content.lds_version != common.lds_version:
        faults.append(f"EF.COM says LDS {common.lds_version}, EF.SOD {content.lds_version}")
    if faults:
        return Check(name=name, outcome=CheckOutcome.FAIL, reason="; ".join(faults))
    return Check(name=name, outcome=CheckOutcome.PASS, reason="EF.COM and EF.SOD list the same data groups")


def zone_of(groups: Mapping[int, bytes]) -> Mrz | ChipFault | None:
    """The zone in data group 1, what is wrong with it, or None if the group was not read."""
    if 1 not in groups:
        return None
    try:
        return read_dg1(groups[1])
    except ChipFault as fault:
        return fault


def check_mrz(mrz: Mrz | ChipFault | None, printed: tuple[str, ...] | None) -> Check:
    """Data group 1 (see :func:`zone_of`) must be a zone and, where the page was read, the printed one."""
    name = CheckName.MRZ_MATCH
    if mrz is None:
        return Check(name=name, outcome=CheckOutcome.NOT_CHECKED, reason="data group 1 was not read")
    if isinstance(mrz, ChipFault):
        return Check(name=name, outcome=CheckOutcome.FAIL, reason=str(mrz))
    if printed is None:
        return Check(name=name, outcome=CheckOutcome.NOT_CHECKED, reason="no printed zone was given to compare with")
    if mrz.lines != printed:
        places = sum(ours != theirs for ours, theirs in zip("".join(mrz.lines), "".join(printed), strict=False))
        places += abs(len("".join(mrz.lines)) - len("".join(printed)))
        reason = f"the zone in the chip differs from the printed one in {places} characters"
        return Check(name=name, outcome=CheckOutcome.FAIL, reason=reason)
    return Check(name=name, outcome=CheckOutcome.PASS, reason="the zone in the chip is the printed one")


def check_country(mrz: Mrz | ChipFault | None, signer: Certificate) -> Check:
    """The state that issued the document (data group 1) must be the one whose certificate signed."""
    name = CheckName.COUNTRY_MATCH
    if mrz is None:
        return Check(name=name, outcome=CheckOutcome.NOT_CHECKED, reason="data group 1 was not read")
    if isinstance(mrz, ChipFault):
        return Check(name=name, outcome=CheckOutcome.NOT_CHECKED, reason="data group 1 is no machine-readable zone")
    issuer = mrz.issuer
    allowed = signing_countries(issuer)
    signed_by = signer.issuer.country
    if not allowed:
        return Check(
            name=name, outcome=CheckOutcome.FAIL, reason=f"no state issues documents under {issuer or 'no code'}"
        )
    if signed_by not in allowed or signer.country not in allowed:
        signed = f"{signer.country or 'no country'} under a CSCA of {signed_by or 'no country'}"
        reason = f"a document of {issuer} is signed by {signed}"
        return Check(name=name, outcome=CheckOutcome.FAIL, reason=reason)
    return Check(name=name, outcome=CheckOutcome.PASS, reason=f"a document of {issuer}, signed by {signed_by}")


def _fits(number: int, file: bytes, listed: bytes, algorithm: str) -> bool:
    name = f"data group {number}"
    try:
        # A file under another group's tag is none, whatever its digest.
        read_file(file, GROUP_TAGS[number], name)
        trimmed = trim_file(file, name)
    except (ChipFault, KeyError):
        return False
    return hmac.compare_digest(hashlib.new(algorithm, trimmed, usedforsecurity=False).digest(), listed)


def _groups(numbers: list[int] | frozenset[int]) -> str:
    listed = sorted(numbers)
    if len(listed) == 1:
        return f"data group {listed[0]}"
    return f"data groups {', '.join(str(number) for number in listed[:-1])} and {listed[-1]}"
