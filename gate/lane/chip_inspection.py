"""A chip that was read, judged: passive authentication and the chip's own proofs put together, the door it was opened by, its picture."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from drivers.chip.access_key import MrzKey
from drivers.chip.errors import Reason
from drivers.chip.results import Authentication, AuthOutcome, ChipRead, ChipTimes, ChipUnread
from gate.checks.emrtd.face import FacePicture, read_faces
from gate.checks.emrtd.faults import ChipFault
from gate.checks.emrtd.lds import read_dg1
from gate.checks.emrtd.passive import ChipFiles, PassivePolicy, authenticate
from gate.checks.emrtd.results import Check, CheckName, CheckOutcome, ChipState, ChipVerdict, judge_chip, unread_chip
from gate.checks.emrtd.signed_data import read_signed_data
from gate.checks.emrtd.signer import check_chain, check_revocation, check_validity
from gate.checks.emrtd.store import TrustStore
from gate.checks.mrz import Mrz

_SECURITY_OBJECT = "0.4.0.127.0.7.3.2.1"
_STATES = {Reason.NO_CHIP: ChipState.NO_CHIP, Reason.SILENT: ChipState.SILENT}


@dataclass(frozen=True, slots=True, kw_only=True)
class ChipInspection:
    """``mrz`` and ``face`` are what the chip says, None where it was not read or cannot be parsed; ``verdict`` tells what they are worth.

    ``downgrade`` fails when the chip was opened by a weaker way than its signed files name.
    """

    verdict: ChipVerdict
    times: ChipTimes
    attempts: int
    protocol: str = ""
    downgrade: Authentication | None = None
    mrz: Mrz | None = None
    face: FacePicture | None = None
    unread: tuple[tuple[str, str], ...] = ()

    @property
    def is_face_signed(self) -> bool:
        """Whether a state's signature holds over the picture, whoever may have copied it."""
        passive = self.verdict.passive
        return passive is not None and passive.vouches_for(2)

    @property
    def is_genuine(self) -> bool:
        """Whether passive authentication passed, nothing failed, and no weaker way in was forced."""
        passive = self.verdict.passive
        is_forced = self.downgrade is not None and self.downgrade.outcome is AuthOutcome.FAIL
        is_authentic = passive is not None and passive.outcome is CheckOutcome.PASS
        return is_authentic and self.verdict.is_no_copy is not CheckOutcome.FAIL and not is_forced


def access_key(mrz: Mrz) -> MrzKey | None:
    """What opens the chip of this page; None when its zone cannot, since a date or the number has characters no key is made of."""
    key = MrzKey(document_number=mrz.document_number, birth_date=mrz.birth_date, expiry_date=mrz.expiry_date)
    try:
        _ = key.secret
    except ValueError:
        return None
    return key


def inspect_chip(
    result: ChipRead | ChipUnread,
    store: TrustStore,
    now: datetime,
    *,
    printed_mrz: tuple[str, ...] | None = None,
    policy: PassivePolicy | None = None,
) -> ChipInspection:
    """Judge a reading. ``now`` has a zone. Never raises for what a chip sent."""
    if isinstance(result, ChipUnread):
        state = _STATES.get(result.reason, ChipState.FAILED)
        return ChipInspection(verdict=unread_chip(state, result.detail), times=result.times, attempts=result.attempts)
    groups = {int(name[2:]): data for name, data in result.files.items() if name.startswith("DG")}
    files = ChipFiles(
        sod=result.files["EF.SOD"], groups=groups, com=result.files.get("EF.COM"), printed_mrz=printed_mrz
    )
    passive = authenticate(files, store, now, policy)
    chip, is_vouched = _chip_check(result, store, now)
    active = _check(CheckName.ACTIVE_AUTHENTICATION, result.active_authentication, is_file_read=15 in groups)
    given = [check for check in (active, chip) if check is not None]
    return ChipInspection(
        verdict=judge_chip(passive, given, is_key_vouched_for=is_vouched),
        times=result.times,
        attempts=result.attempts,
        protocol=result.protocol,
        downgrade=result.downgrade,
        mrz=_mrz(groups),
        face=_face(groups),
        unread=tuple(result.unread.items()),
    )


def _check(name: CheckName, proof: Authentication, *, is_file_read: bool) -> Check | None:
    """None for a proof without its file: whether there should be one is for the signed list of files to say."""
    if proof.outcome is AuthOutcome.NOT_SUPPORTED and not is_file_read:
        return None
    return Check(name=name, outcome=CheckOutcome(proof.outcome.value), reason=f"{proof.protocol}: {proof.reason}")


def _chip_check(result: ChipRead, store: TrustStore, now: datetime) -> tuple[Check | None, bool]:
    """Chip authentication and PACE-CAM are one proof by two protocols: one failure fails, one success with a key vouched for is enough."""
    name = CheckName.CHIP_AUTHENTICATION
    chip = _check(name, result.chip_authentication, is_file_read="DG14" in result.files)
    mapping = _check(name, result.pace_cam, is_file_read=False)
    if mapping is None or (chip is not None and chip.outcome in (CheckOutcome.PASS, CheckOutcome.FAIL)):
        is_mapping_false = mapping is not None and mapping.outcome is CheckOutcome.FAIL
        return (mapping, False) if is_mapping_false else (chip, False)
    if mapping.outcome is not CheckOutcome.PASS:
        return mapping, False
    problem = _card_security_problem(result.files.get("EF.CardSecurity", b""), store, now)
    if problem is None:
        return mapping, True
    return Check(name=name, outcome=CheckOutcome.NOT_CHECKED, reason=f"EF.CardSecurity {problem}"), False


def _card_security_problem(data: bytes, store: TrustStore, now: datetime) -> str | None:
    """Why the signature over EF.CardSecurity vouches for nothing; None when it does (Doc 9303-11 section 4.4.3.5)."""
    try:
        message = read_signed_data(data, "EF.CardSecurity")
    except ChipFault as fault:
        return f"is none: {fault}"
    signer = message.signers[0]
    certificate = message.signer_certificate(signer)
    if certificate is None:
        return "does not bring its signer's certificate"
    is_signed = signer.verified_by(certificate, message.content).verdict.value == "valid"
    if not is_signed or signer.attribute_digest != signer.content_digest(message.content):
        return "is not signed by the signer that it names"
    if message.content_type != _SECURITY_OBJECT:
        return "holds something else than security information"
    chain, issuer = check_chain(certificate, store, now)
    checks = [chain, check_validity(certificate, signer.signing_time, now)]
    if issuer is not None:
        checks.append(check_revocation(certificate, issuer, store, now))
    bad = [check for check in checks if check.outcome is CheckOutcome.FAIL]
    if bad or issuer is None:
        return f"has a signer that does not count: {(bad or checks)[0].reason}"
    return None


def _mrz(groups: dict[int, bytes]) -> Mrz | None:
    try:
        return read_dg1(groups[1])
    except (ChipFault, KeyError):
        return None


def _face(groups: dict[int, bytes]) -> FacePicture | None:
    try:
        return read_faces(groups[2])[0]
    except (ChipFault, KeyError):
        return None
