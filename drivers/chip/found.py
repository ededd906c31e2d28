"""What is known of a chip while it is read, and what that says about proofs that were not made or need no chip any more."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from drivers.chip.chip_auth import offered, verify_chip_mapping
from drivers.chip.errors import ChipFailed
from drivers.chip.files import File, ReadingHabits
from drivers.chip.pace import ChipMapping
from drivers.chip.results import Access, Authentication, AuthOutcome
from drivers.chip.security_infos import SecurityInfos, card_security_content, parse_security_infos

_NO_CAM = "the chip was not opened by PACE-CAM"


@dataclass(slots=True)
class Found:
    """What is known so far; kept when the document moves and is begun with again."""

    atr: bytes = b""
    files: dict[File, bytes] = field(default_factory=dict)
    absent: set[File] = field(default_factory=set)
    unread: dict[File, str] = field(default_factory=dict)
    losses: dict[File, int] = field(default_factory=dict)
    habits: ReadingHabits = field(default_factory=ReadingHabits)
    access: Access = Access.OPEN
    protocol: str = "none"
    card_access: SecurityInfos | None = None
    mapping: ChipMapping | None = None
    current: File | None = None
    active: Authentication | None = None
    chip: Authentication | None = None


def no_active_authentication(found: Found) -> Authentication:
    """Why active authentication has no result of its own."""
    if File.DG15 in found.files or File.DG15 in found.unread:
        reason = found.unread.get(File.DG15, "the reading ended before the chip was asked")
        return Authentication(outcome=AuthOutcome.NOT_CHECKED, protocol="AA", reason=reason)
    return Authentication(outcome=AuthOutcome.NOT_SUPPORTED, protocol="AA", reason="the chip has no DG15")


def no_chip_authentication(found: Found, infos: SecurityInfos | None) -> Authentication:
    """Why chip authentication has no result of its own."""
    if infos is not None and offered(infos) is not None:
        reason = "the reading ended before the chip was asked, or no session protected it"
        return Authentication(outcome=AuthOutcome.NOT_CHECKED, protocol="CA", reason=reason)
    reason = found.unread.get(File.DG14, "the chip offers no chip authentication that we have")
    outcome = AuthOutcome.NOT_CHECKED if File.DG14 in found.unread else AuthOutcome.NOT_SUPPORTED
    return Authentication(outcome=outcome, protocol="CA", reason=reason)


def judge_mapping(found: Found) -> Authentication:
    """PACE-CAM with the key of EF.CardSecurity; the signature over that file is somebody else's to verify."""
    if found.mapping is None:
        return Authentication(outcome=AuthOutcome.NOT_SUPPORTED, protocol="PACE-CAM", reason=_NO_CAM)
    raw = found.files.get(File.CARD_SECURITY)
    if raw is None:
        reason = found.unread.get(File.CARD_SECURITY, "the chip has no EF.CardSecurity")
        return Authentication(outcome=AuthOutcome.FAIL, protocol="PACE-CAM", reason=reason)
    try:
        judged = verify_chip_mapping(found.mapping, parse_security_infos(card_security_content(raw)))
    except ChipFailed as problem:
        judged = Authentication(outcome=AuthOutcome.FAIL, protocol="PACE-CAM", reason=problem.detail)
    return replace(judged, key_file="EF.CardSecurity")


def judge_downgrade(found: Found, infos: SecurityInfos | None) -> Authentication:
    """Every PACE of DG14 must have been offered in EF.CardAccess, which nobody signs (Doc 9303-11 section 9.2.8)."""
    name = "EF.CardAccess against DG14"
    if infos is None or not infos.pace_raw:
        reason = "DG14 says nothing of PACE"
        return Authentication(outcome=AuthOutcome.NOT_SUPPORTED, protocol=name, reason=reason)
    offered_raw = found.card_access.pace_raw if found.card_access is not None else frozenset()
    if infos.pace_raw <= offered_raw:
        reason = "every way in that DG14 names was offered"
        return Authentication(outcome=AuthOutcome.PASS, protocol=name, reason=reason, key_file="DG14")
    return Authentication(
        outcome=AuthOutcome.FAIL,
        protocol=name,
        reason=f"DG14 names a PACE that was not offered, and the chip was opened by {found.protocol}: a forced weaker way in",
        key_file="DG14",
    )
