"""What the inspection of a chip says: one check at a time, passive authentication as a whole, and the chip.

Every outcome comes with its reason in words for an officer. Active and chip authentication prove that a chip is no copy only if the
key they use is authentic; so they never count unless passive authentication passed over the data group that holds it (Doc 9303 part 11, 6).
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


class CheckOutcome(StrEnum):
    """What a check says. Only PASS is good; a document that a check is not made for is NOT_SUPPORTED."""

    PASS = "pass"
    FAIL = "fail"
    NOT_SUPPORTED = "not_supported"
    NOT_CHECKED = "not_checked"


class CheckName(StrEnum):
    """The checks, in the order in which they are made."""

    SOD_STRUCTURE = "sod_structure"
    SOD_SIGNATURE = "sod_signature"
    MESSAGE_DIGEST = "message_digest"
    DSC_CHAIN = "dsc_chain"
    DSC_VALIDITY = "dsc_validity"
    DSC_PROFILE = "dsc_profile"
    CSCA_VALIDITY = "csca_validity"
    DSC_REVOCATION = "dsc_revocation"
    DG_HASHES = "dg_hashes"
    COM_CONSISTENCY = "com_consistency"
    MRZ_MATCH = "mrz_match"
    COUNTRY_MATCH = "country_match"
    ALGORITHM_STRENGTH = "algorithm_strength"
    ACTIVE_AUTHENTICATION = "active_authentication"
    CHIP_AUTHENTICATION = "chip_authentication"


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One check; ``reason`` is a clause for an officer, also where it passed."""

    name: CheckName
    outcome: CheckOutcome
    reason: str

    def to_json(self) -> dict[str, str]:
        return {"name": self.name.value, "outcome": self.outcome.value, "reason": self.reason}


# Without these nothing is authentic; the others are asked for where the document and the inspection have something to compare.
_NEEDED = frozenset(
    {
        CheckName.SOD_STRUCTURE,
        CheckName.SOD_SIGNATURE,
        CheckName.MESSAGE_DIGEST,
        CheckName.DSC_CHAIN,
        CheckName.DSC_VALIDITY,
        CheckName.DSC_PROFILE,
        CheckName.CSCA_VALIDITY,
        CheckName.DG_HASHES,
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class PassiveAuthentication:
    """All checks of passive authentication. ``authentic_groups``: the data groups whose digest fits; they count if it passed.

    ``listed_groups``: those that the security object lists; ``country``: two capitals of the state that signed, or empty.
    """

    outcome: CheckOutcome
    checks: tuple[Check, ...]
    authentic_groups: frozenset[int]
    listed_groups: frozenset[int]
    country: str

    def outcome_of(self, name: CheckName) -> CheckOutcome:
        """The outcome of one check; NOT_CHECKED if it is not among them."""
        return next((check.outcome for check in self.checks if check.name is name), CheckOutcome.NOT_CHECKED)

    @property
    def reasons(self) -> tuple[str, ...]:
        """Why it did not pass: the reasons of the checks with the worst outcome that decided."""
        if self.outcome is CheckOutcome.PASS:
            return ()
        return tuple(check.reason for check in self.checks if check.outcome is self.outcome)

    def vouches_for(self, group: int) -> bool:
        """Whether passive authentication passed and covers this data group."""
        return self.outcome is CheckOutcome.PASS and group in self.authentic_groups


def overall(checks: Iterable[Check], *, needed: frozenset[CheckName] = _NEEDED) -> CheckOutcome:
    """One outcome for all: any failure fails; what is needed and was not possible or not done keeps it from passing."""
    weighed = tuple(checks)
    if any(check.outcome is CheckOutcome.FAIL for check in weighed):
        return CheckOutcome.FAIL
    passed = {check.name for check in weighed if check.outcome is CheckOutcome.PASS}
    missing = needed - passed
    if not missing:
        return CheckOutcome.PASS
    if any(check.outcome is CheckOutcome.NOT_SUPPORTED for check in weighed if check.name in missing):
        return CheckOutcome.NOT_SUPPORTED
    return CheckOutcome.NOT_CHECKED


NEEDED_CHECKS = _NEEDED


class ChipState(StrEnum):
    """Three things that are not the same, and a chip that was read."""

    NO_CHIP = "no_chip"
    """The document has none and says so (no chip symbol, no contactless card answers, an issuer without electronic documents)."""
    SILENT = "silent"
    """A chip that should be there does not answer: broken, shielded, or made to look broken."""
    FAILED = "failed"
    """A chip answers and cannot be read: access refused, the connection lost, files that are none."""
    READ = "read"


@dataclass(frozen=True, slots=True, kw_only=True)
class ChipVerdict:
    """The chip as a whole. ``is_no_copy``: whether active or chip authentication proved that the chip holds the private key.

    ``passive`` is None unless the chip was read.
    """

    state: ChipState
    passive: PassiveAuthentication | None
    authentications: tuple[Check, ...]
    is_no_copy: CheckOutcome
    reason: str

    @property
    def checks(self) -> tuple[Check, ...]:
        return (*(self.passive.checks if self.passive else ()), *self.authentications)


_KEY_GROUP = {CheckName.ACTIVE_AUTHENTICATION: 15, CheckName.CHIP_AUTHENTICATION: 14}


def unread_chip(state: ChipState, reason: str) -> ChipVerdict:
    """The verdict on a chip that was not read; raises ValueError for the state READ."""
    if state is ChipState.READ:
        raise ValueError("a chip that was read is judged by judge_chip")
    return ChipVerdict(
        state=state, passive=None, authentications=(), is_no_copy=CheckOutcome.NOT_CHECKED, reason=reason
    )


def judge_chip(
    passive: PassiveAuthentication, authentications: Iterable[Check] = (), *, is_key_vouched_for: bool = False
) -> ChipVerdict:
    """Put passive authentication and what the reader made of active and chip authentication together.

    ``authentications``: at most one check of each of ACTIVE_AUTHENTICATION and CHIP_AUTHENTICATION, with what the chip answered;
    ``is_key_vouched_for``: the key of chip authentication comes from EF.CardSecurity whose own signature was verified (PACE-CAM), so that
    data group 14 need not vouch for it. A PASS that nothing vouches for becomes NOT_CHECKED; a FAIL stays one.
    """
    given = {check.name: check for check in authentications}
    weighed = tuple(
        _weigh(passive, given.get(name), name, is_vouched=is_key_vouched_for and name is CheckName.CHIP_AUTHENTICATION)
        for name in _KEY_GROUP
    )
    outcomes = {check.outcome for check in weighed}
    if CheckOutcome.FAIL in outcomes:
        proof = CheckOutcome.FAIL
    elif CheckOutcome.PASS in outcomes:
        proof = CheckOutcome.PASS
    elif CheckOutcome.NOT_CHECKED in outcomes:
        proof = CheckOutcome.NOT_CHECKED
    else:
        proof = CheckOutcome.NOT_SUPPORTED
    failed = [check.reason for check in (*passive.checks, *weighed) if check.outcome is CheckOutcome.FAIL]
    return ChipVerdict(
        state=ChipState.READ,
        passive=passive,
        authentications=weighed,
        is_no_copy=proof,
        reason="; ".join(failed or passive.reasons),
    )


def _weigh(passive: PassiveAuthentication, check: Check | None, name: CheckName, *, is_vouched: bool) -> Check:
    group = _KEY_GROUP[name]
    if check is None:
        if group not in passive.listed_groups:
            return Check(
                name=name,
                outcome=CheckOutcome.NOT_SUPPORTED,
                reason=f"the document has no data group {group} and so no key for it",
            )
        return Check(
            name=name,
            outcome=CheckOutcome.NOT_CHECKED,
            reason=f"data group {group} is there, and nobody asked the chip",
        )
    if check.outcome is not CheckOutcome.PASS:
        return check
    if passive.outcome is not CheckOutcome.PASS:
        return Check(
            name=name,
            outcome=CheckOutcome.NOT_CHECKED,
            reason="the chip answered well, which counts for nothing since passive authentication did not pass",
        )
    if is_vouched or passive.vouches_for(group):
        return check
    return Check(
        name=name,
        outcome=CheckOutcome.NOT_CHECKED,
        reason=f"the chip answered well with a key that nothing vouches for: data group {group} is not among those verified",
    )
