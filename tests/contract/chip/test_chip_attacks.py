"""Every attack on a chip is refused, and for the right reason: the check that must see it fails, the others do not."""

from __future__ import annotations

import dataclasses
from datetime import timedelta

import pytest
from chip_kit import NOW, document, ec_key, issuer, read, rsa_key

from drivers.chip.domain import standardised
from drivers.chip.errors import Reason
from drivers.chip.results import Access, AuthOutcome, ChipRead, ChipUnread
from gate.checks.emrtd.certificate import read_certificate
from gate.checks.emrtd.results import CheckName, CheckOutcome, ChipState
from gate.checks.emrtd.revocation import read_revocation_list
from gate.checks.emrtd.store import TrustStore
from gate.lane.chip_inspection import ChipInspection, inspect_chip
from simulator.chip import attacks
from simulator.chip.document import SPECIMEN_LINES, ChipDocument, Choices, make_document, make_issuer, static_key
from simulator.chip.pki import Issuer, Signer
from simulator.chip.profile import PaceOption, SigningKey

FAIL, PASS = CheckOutcome.FAIL, CheckOutcome.PASS


def full_document() -> ChipDocument:
    """With everything that a chip can prove itself by."""
    return document(
        pace=(PaceOption(),),
        signing_key=SigningKey(key=ec_key("P-256")),
        chip_keys=(static_key(standardised(12)),),
    )


def store(*, crl: bytes | None = None) -> TrustStore:
    csca = read_certificate(issuer()[0].certificate)
    lists = (read_revocation_list(crl if crl is not None else issuer()[0].crl()),)
    return TrustStore(certificates=(csca,), revocation_lists=lists)


def inspect(paper: ChipDocument, trust: TrustStore | None = None) -> ChipInspection:
    result, _, _ = read(paper)
    return inspect_chip(result, trust or store(), NOW + timedelta(hours=1), printed_mrz=SPECIMEN_LINES)


def failed(inspection: ChipInspection) -> set[CheckName]:
    return {check.name for check in inspection.verdict.checks if check.outcome is FAIL}


@pytest.mark.parametrize("mapping", ["GM", "CAM"])
def test_a_chip_in_order_passes_every_check(mapping: str) -> None:
    option = PaceOption(mapping=mapping, parameter_id=13)
    static = static_key(standardised(13)) if mapping == "CAM" else None
    paper = document(pace=(option,), mapping_key=static, signing_key=SigningKey(key=rsa_key(1280), digest="sha1"))
    inspection = inspect(paper)
    assert failed(inspection) == set()
    assert inspection.is_genuine
    assert inspection.verdict.is_no_copy is PASS
    assert inspection.face is not None
    assert inspection.mrz is not None
    assert inspection.mrz.lines == SPECIMEN_LINES


def test_pace_cam_alone_proves_that_a_chip_is_no_copy_when_its_card_security_is_signed() -> None:
    paper = document(pace=(PaceOption(mapping="CAM"),), mapping_key=static_key(standardised(12)))
    assert inspect(paper).verdict.is_no_copy is PASS
    stranger = document_of(make_issuer(NOW), paper)
    mixed = paper.changed(master_files=stranger.profile.master_files, mapping_key=stranger.profile.mapping_key)
    inspection = inspect(mixed)
    assert inspection.verdict.is_no_copy is CheckOutcome.NOT_CHECKED
    assert any(
        "EF.CardSecurity has a signer that does not count" in check.reason for check in inspection.verdict.checks
    )


def document_of(issued: tuple[Issuer, Signer], like: ChipDocument) -> ChipDocument:
    choices = Choices(pace=like.profile.pace, mapping_key=static_key(standardised(12)))
    return make_document(*issued, choices)


def test_cloned_data_groups_fail_both_proofs_and_nothing_else() -> None:
    inspection = inspect(attacks.clone(full_document()))
    assert failed(inspection) == {CheckName.ACTIVE_AUTHENTICATION, CheckName.CHIP_AUTHENTICATION}
    assert inspection.verdict.passive is not None
    assert inspection.verdict.passive.outcome is PASS
    assert inspection.verdict.is_no_copy is FAIL
    assert not inspection.is_genuine


def test_a_clone_of_a_chip_with_pace_cam_fails_it() -> None:
    paper = document(pace=(PaceOption(mapping="CAM"),), mapping_key=static_key(standardised(12)))
    inspection = inspect(attacks.clone(paper))
    assert inspection.verdict.is_no_copy is FAIL
    assert any("a copy" in check.reason for check in inspection.verdict.checks if check.outcome is FAIL)


@pytest.mark.parametrize("cipher_key", ["rsa", "ec"])
def test_a_wrong_key_of_active_authentication(cipher_key: str) -> None:
    key = SigningKey(key=rsa_key(1280), digest="sha1") if cipher_key == "rsa" else SigningKey(key=ec_key("P-256"))
    inspection = inspect(attacks.wrong_signing_key(document(signing_key=key)))
    assert failed(inspection) == {CheckName.ACTIVE_AUTHENTICATION}
    assert not inspection.is_genuine


def test_a_swapped_face() -> None:
    inspection = inspect(attacks.swapped_face(full_document()))
    assert failed(inspection) == {CheckName.DG_HASHES}
    assert "2" in inspection.verdict.reason
    assert inspection.verdict.passive is not None
    assert 2 not in inspection.verdict.passive.authentic_groups


def test_the_security_object_of_another_document() -> None:
    inspection = inspect(attacks.foreign_security_object(full_document()))
    assert CheckName.DG_HASHES in failed(inspection)
    assert CheckName.SOD_SIGNATURE not in failed(inspection)
    assert not inspection.is_genuine


def test_proofs_count_for_nothing_where_passive_authentication_fails() -> None:
    """A forger who makes a chip of his own has its keys: it proves itself well, with keys that nobody vouches for."""
    inspection = inspect(attacks.foreign_issuer(full_document(), NOW))
    assert CheckName.DSC_CHAIN in failed(inspection)
    assert inspection.verdict.is_no_copy is CheckOutcome.NOT_CHECKED
    assert not inspection.is_genuine


def test_an_expired_signer() -> None:
    assert failed(inspect(attacks.expired_signer(full_document(), NOW))) == {CheckName.DSC_VALIDITY}


def test_a_revoked_signer() -> None:
    paper, crl = attacks.revoked_signer(full_document())
    assert failed(inspect(paper, store(crl=crl))) == {CheckName.DSC_REVOCATION}


def test_tampered_common_data() -> None:
    assert failed(inspect(attacks.tampered_common_data(full_document()))) == {CheckName.COM_CONSISTENCY}


def test_a_copy_that_hides_the_files_that_would_show_it() -> None:
    inspection = inspect(attacks.hidden_keys(full_document()))
    assert CheckName.COM_CONSISTENCY in failed(inspection)
    assert inspection.verdict.is_no_copy is not PASS
    assert not inspection.is_genuine


def test_a_downgrade_from_pace_to_bac() -> None:
    result, _, _ = read(attacks.no_pace(full_document()))
    assert isinstance(result, ChipRead)
    assert result.access is Access.BAC
    assert result.downgrade.outcome is AuthOutcome.FAIL
    inspection = inspect(attacks.no_pace(full_document()))
    assert failed(inspection) == set()
    assert not inspection.is_genuine


def test_garbage_in_card_access_is_a_downgrade_too() -> None:
    paper = full_document()
    spoilt = paper.changed(master_files={**paper.profile.master_files, 0x011C: b"\x31\x84\xff\xff\xff\xff" * 30})
    result, _, _ = read(spoilt)
    assert isinstance(result, ChipRead)
    assert result.downgrade.outcome is AuthOutcome.FAIL


@pytest.mark.parametrize(
    ("attack", "words"),
    [
        (attacks.truncated_file, "ends after 700"),
        (attacks.endless_file, "no passport has so much"),
        (attacks.garbage, "DG2 is none"),
    ],
)
def test_files_that_are_none(attack: object, words: str) -> None:
    result, channel, _ = read(attack(full_document()))  # type: ignore[operator]
    assert isinstance(result, ChipUnread)
    assert result.reason is Reason.BROKEN
    assert words in result.detail
    assert channel.commands < 120, "a bounded number of commands, whatever a file claims"
    assert inspect_chip(result, store(), NOW).verdict.state is ChipState.FAILED


@pytest.mark.parametrize("identifier", [0x010B, 0x010C, 0x010E, 0x010F])
@pytest.mark.parametrize("spoil", [attacks.garbage, attacks.garbage_inside])
def test_garbage_in_files_that_are_not_needed_is_named_and_does_not_stop_the_rest(
    spoil: object, identifier: int
) -> None:
    result, _, _ = read(spoil(full_document(), identifier))  # type: ignore[operator]
    assert isinstance(result, ChipRead)
    inspection = inspect_chip(result, store(), NOW + timedelta(hours=1), printed_mrz=SPECIMEN_LINES)
    assert not inspection.is_genuine or result.unread
    name = f"DG{identifier & 0xFF}"
    is_named = name in result.unread or CheckName.DG_HASHES in failed(inspection)
    assert is_named


def test_an_endless_file_behind_an_honest_header_ends_where_the_header_says() -> None:
    paper = full_document()
    result, _, _ = read(paper.changed(endless=frozenset({0x0102})))
    assert isinstance(result, ChipRead)
    assert result.files["DG2"] == paper.profile.files[0x0102]


def test_attacks_leave_the_document_that_they_are_made_of_alone() -> None:
    paper = full_document()
    before = dataclasses.replace(paper.profile)
    for attack in (attacks.clone, attacks.swapped_face, attacks.no_pace, attacks.hidden_keys, attacks.endless_file):
        attack(paper)
    assert paper.profile == before
