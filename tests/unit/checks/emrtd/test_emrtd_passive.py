"""Passive authentication: a document in order passes with every algorithm; whatever is wrong fails by its own check, with a reason."""

from dataclasses import replace
from datetime import timedelta

import pytest
from emrtd_kit import (
    COM,
    FAIL,
    GROUPS,
    JPEG,
    LINES,
    NOT_CHECKED,
    NOT_SUPPORTED,
    NOW,
    PASS,
    check,
    failed,
    issuer,
    keys,
    signer,
    store,
    the,
)  # fmt: skip

from gate.checks.emrtd.certificate import MASTER_LIST_SIGNING, read_certificate
from gate.checks.emrtd.passive import PassivePolicy
from gate.checks.emrtd.results import CheckName, CheckOutcome
from gate.checks.emrtd.security_object import read_sod
from gate.checks.emrtd.store import Deviation, TrustStore
from simulator.chip.files import make_com, make_dg1, make_dg2
from simulator.chip.keys import Algorithm
from simulator.chip.pki import Issuer, certify, name
from simulator.chip.sod import LDS_SECURITY_OBJECT, Signing, make_sod, sign_content
from simulator.chip.tlv import tlv

NAMES = list(CheckName)[:-2]


def test_a_document_in_order_passes_every_check() -> None:
    result = check()
    assert [item.name for item in result.checks] == NAMES
    assert {item.outcome for item in result.checks} == {PASS}
    assert result.outcome is PASS
    assert result.reasons == ()
    assert result.authentic_groups == result.listed_groups == {1, 2}
    assert result.country == "UT"
    assert result.vouches_for(2)
    assert not result.vouches_for(14)


@pytest.mark.parametrize(
    "algorithm",
    [
        Algorithm(key="P-224", digest="sha224"),
        Algorithm(key="P-256", is_explicit=False),
        Algorithm(key="P-384", digest="sha384"),
        Algorithm(key="P-521", digest="sha512", is_explicit=False),
        Algorithm(key="brainpoolP256r1"),
        Algorithm(key="brainpoolP384r1", digest="sha384"),
        Algorithm(key="brainpoolP512r1", digest="sha512"),
        Algorithm(key="rsa-2048", digest="sha1"),
        Algorithm(key="rsa-2048", is_pss=False),
        Algorithm(key="rsa-2048", digest="sha512", salt_octets=20),
        Algorithm(key="rsa-2048", salt_octets=0),
    ],
    ids=lambda item: f"{item.key}-{item.digest}-{item.is_pss}-{item.salt_octets}-{item.is_explicit}",
)
@pytest.mark.parametrize("is_by_key", [True, False])
def test_every_algorithm_passes(algorithm: Algorithm, is_by_key: bool) -> None:
    state = issuer(algorithm)
    document_signer = state.certify_signer(keys(algorithm))
    signing = Signing(names_key=is_by_key, signing_time=NOW)
    sod = make_sod(GROUPS, document_signer, digest=algorithm.digest, lds_versions=("0107", "040000"), signing=signing)
    result = check(sod, trust=store(state, crl=state.crl()))
    assert result.outcome is PASS, result.reasons
    is_weak = algorithm.digest in ("sha1", "sha224")
    assert the(result, CheckName.ALGORITHM_STRENGTH).reason.startswith("weak: ") == is_weak


def test_weak_algorithms_are_reported_and_fail_where_a_site_refuses_them() -> None:
    state = issuer(Algorithm(key="P-192", digest="sha1"))
    sod = make_sod(GROUPS, state.document_signer(), digest="sha1")
    trust = store(state, crl=state.crl())
    reported = the(check(sod, trust=trust), CheckName.ALGORITHM_STRENGTH)
    assert reported.outcome is PASS
    assert "SHA-1" in reported.reason
    assert "short key (P-192)" in reported.reason
    refused = check(sod, trust=trust, policy=PassivePolicy(refuses_weak=True))
    assert failed(refused) == {CheckName.ALGORITHM_STRENGTH}
    assert refused.outcome is FAIL


# --- what was signed ----------------------------------------------------------------------------------------------------


def test_another_picture_fails_the_digests() -> None:
    result = check(groups=GROUPS | {2: make_dg2(JPEG[:-1] + b"x")})
    assert failed(result) == {CheckName.DG_HASHES}
    assert "data group 2 not what was signed" in the(result, CheckName.DG_HASHES).reason
    assert result.authentic_groups == {1}


def test_the_sod_of_another_document_fails_the_digests() -> None:
    other = GROUPS | {1: make_dg1((LINES[0], LINES[1].replace("L898902C3", "L898902C4"))), 2: make_dg2(JPEG[::-1])}
    assert failed(check(make_sod(other, signer()))) == {CheckName.DG_HASHES}


def test_a_group_that_nobody_signed_fails() -> None:
    result = check(groups=GROUPS | {11: tlv(0x6B, b"")})
    assert failed(result) == {CheckName.DG_HASHES}
    assert "data group 11 not listed" in the(result, CheckName.DG_HASHES).reason


def test_a_group_under_another_number_is_not_that_group() -> None:
    swapped = {1: GROUPS[1], 2: GROUPS[1]}
    sod = make_sod({1: GROUPS[1], 2: GROUPS[1]}, signer())
    assert CheckName.DG_HASHES in failed(check(sod, groups=swapped))


def test_padding_behind_a_file_is_not_part_of_it() -> None:
    assert check(groups={number: file + bytes(9) for number, file in GROUPS.items()}).outcome is PASS


def test_without_any_group_nothing_is_shown() -> None:
    result = check(groups={})
    assert the(result, CheckName.DG_HASHES).outcome is NOT_CHECKED
    assert result.outcome is NOT_CHECKED


def test_a_security_object_that_was_changed_after_signing_fails_the_digest() -> None:
    result = check(make_sod(GROUPS, signer(), signing=Signing(message_digest=bytes(32))))
    assert failed(result) == {CheckName.MESSAGE_DIGEST}


def test_a_sod_without_signed_attributes_fails_though_its_signature_fits() -> None:
    """RFC 5652, 5.3: attributes must be signed where the content is not plain data; without them nothing says what was signed."""
    sod = make_sod(GROUPS, signer(), signing=Signing(has_attributes=False))
    assert read_sod(sod).signers[0].signed_octets is None
    result = check(sod)
    assert failed(result) == {CheckName.MESSAGE_DIGEST}
    assert "no signed attributes" in the(result, CheckName.MESSAGE_DIGEST).reason
    assert the(result, CheckName.SOD_SIGNATURE).outcome is PASS
    assert not result.vouches_for(1)


def test_signed_attributes_given_out_as_the_content_are_none() -> None:
    """The other way round: attributes that somebody signed, sent as a security object without attributes."""
    honest = read_sod(make_sod(GROUPS, signer())).signers[0].signed_octets
    assert honest is not None
    sod = tlv(0x77, sign_content(LDS_SECURITY_OBJECT, honest, signer(), Signing(has_attributes=False)))
    result = check(sod)
    assert result.outcome is FAIL
    assert failed(result) == {CheckName.SOD_STRUCTURE}
    assert not result.authentic_groups


def test_a_turned_bit_fails_the_signature() -> None:
    result = check(make_sod(GROUPS, signer(), signing=Signing(is_altered=True)))
    assert failed(result) == {CheckName.SOD_SIGNATURE}


def test_signed_attributes_of_another_content_fail() -> None:
    result = check(make_sod(GROUPS, signer(), signing=Signing(content_type="2.23.136.1.1.2")))
    assert failed(result) == {CheckName.MESSAGE_DIGEST}
    assert "2.23.136.1.1.2" in the(result, CheckName.MESSAGE_DIGEST).reason


@pytest.mark.parametrize("sod", [b"", b"\x77", b"\x77\x03abc", bytes(100), b"\x77\x82\xff\xff" + bytes(50), GROUPS[1]])
def test_what_is_no_sod_fails_by_its_structure_and_nothing_else_is_claimed(sod: bytes) -> None:
    result = check(sod)
    assert result.outcome is FAIL
    assert failed(result) == {CheckName.SOD_STRUCTURE}
    assert "EF.SOD" in the(result, CheckName.SOD_STRUCTURE).reason
    assert {item.name for item in result.checks} == set(NAMES)
    assert not result.authentic_groups


def test_a_sod_without_its_signer_is_believed_only_with_a_known_signer() -> None:
    hidden = signer()
    sod = make_sod(GROUPS, hidden, signing=Signing(has_certificate=False))
    missing = check(sod)
    assert missing.outcome is NOT_CHECKED
    assert the(missing, CheckName.SOD_SIGNATURE).outcome is NOT_CHECKED
    trust = store()
    known = TrustStore(
        certificates=trust.certificates,
        signers=(read_certificate(hidden.certificate),),
        revocation_lists=trust.revocation_lists,
    )
    assert check(sod, trust=known).outcome is PASS


# --- who signed ---------------------------------------------------------------------------------------------------------


def test_a_foreign_csca_of_the_same_name_fails_the_chain() -> None:
    forger = Issuer(now=NOW, algorithm=Algorithm(key="P-256"))
    result = check(make_sod(GROUPS, forger.document_signer()))
    assert failed(result) == {CheckName.DSC_CHAIN}
    assert "did not sign its certificate" in the(result, CheckName.DSC_CHAIN).reason
    assert the(result, CheckName.CSCA_VALIDITY).outcome is NOT_CHECKED


def test_a_csca_of_another_name_in_a_known_country_fails_the_chain() -> None:
    forger = Issuer(now=NOW, algorithm=Algorithm(key="P-256"), common_name="CSCA of Utopia")
    result = check(make_sod(GROUPS, forger.document_signer()))
    assert failed(result) == {CheckName.DSC_CHAIN}
    assert "none of the CSCAs of UT" in the(result, CheckName.DSC_CHAIN).reason


def test_a_country_without_any_csca_in_the_store_is_not_checked_and_what_is_missing_is_named() -> None:
    result = check(trust=TrustStore())
    assert result.outcome is NOT_CHECKED
    chain = the(result, CheckName.DSC_CHAIN)
    assert chain.outcome is NOT_CHECKED
    assert "C=UT, CN=CSCA" in chain.reason


def test_the_signer_of_another_country_fails() -> None:
    foreign = Issuer("XU", now=NOW, algorithm=Algorithm(key="P-256"))
    sod = make_sod(GROUPS, foreign.document_signer())
    result = check(sod, trust=store(issuer(), foreign))
    assert failed(result) == {CheckName.COUNTRY_MATCH}
    assert result.country == "XU"


def test_a_csca_may_not_issue_signers_for_another_country() -> None:
    result = check(make_sod(GROUPS, signer(country="XU")))
    assert failed(result) == {CheckName.COUNTRY_MATCH}


def test_a_document_signer_in_the_store_is_no_csca() -> None:
    """Somebody with a document signer's key makes a signer of their own with it."""
    middle = signer()
    certificate = read_certificate(middle.certificate)
    forged = Issuer(now=NOW, algorithm=Algorithm(key="P-256"))
    forged.keys = middle.keys
    sod = make_sod(GROUPS, forged.certify_signer(keys(Algorithm(key="P-384", digest="sha384"))))
    trust = replace(store(), signers=(certificate,))
    assert CheckName.DSC_CHAIN in failed(check(sod, trust=trust))


def test_an_expired_signer_fails_and_says_when() -> None:
    result = check(make_sod(GROUPS, signer(not_after=NOW - timedelta(days=1))))
    assert failed(result) == {CheckName.DSC_VALIDITY}
    assert "expired on 2026-11-22" in the(result, CheckName.DSC_VALIDITY).reason


def test_a_signer_that_is_not_valid_yet_fails() -> None:
    assert failed(check(make_sod(GROUPS, signer(not_before=NOW + timedelta(days=1))))) == {CheckName.DSC_VALIDITY}


def test_a_signature_outside_the_signers_time_fails() -> None:
    sod = make_sod(GROUPS, signer(), signing=Signing(signing_time=NOW - timedelta(days=30)))
    result = check(sod)
    assert failed(result) == {CheckName.DSC_VALIDITY}
    assert "when EF.SOD was signed" in the(result, CheckName.DSC_VALIDITY).reason


def test_an_expired_csca_fails() -> None:
    late = NOW + timedelta(days=16 * 365)
    state = issuer()
    result = check(
        make_sod(GROUPS, signer(not_after=late + timedelta(days=1))), now=late, trust=store(crl=state.crl(now=late))
    )
    assert failed(result) == {CheckName.CSCA_VALIDITY}


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"uses": frozenset({"key_encipherment"})}, "not for digital signatures"),
        ({"uses": frozenset({"digital_signature", "key_cert_sign"})}, "may sign certificates"),
        ({"is_ca": True}, "certification authority"),
        ({"critical_extension": "1.2.3.4"}, "1.2.3.4"),
        ({"extended_use": MASTER_LIST_SIGNING}, "signing lists"),
    ],
)
def test_a_signer_that_may_not_sign_documents_fails(changes: dict[str, object], word: str) -> None:
    result = check(make_sod(GROUPS, signer(**changes)))
    assert failed(result) == {CheckName.DSC_PROFILE}
    assert word in the(result, CheckName.DSC_PROFILE).reason


def test_a_revoked_signer_fails_and_an_old_list_clears_nobody() -> None:
    bad = signer()
    sod = make_sod(GROUPS, bad)
    revoked = check(sod, trust=store(crl=issuer().crl([bad.serial_number])))
    assert failed(revoked) == {CheckName.DSC_REVOCATION}
    old = issuer().crl([bad.serial_number], now=NOW - timedelta(days=200))
    assert failed(check(sod, trust=store(crl=old))) == {CheckName.DSC_REVOCATION}
    stale = check(sod, trust=store(crl=issuer().crl(now=NOW - timedelta(days=200))))
    assert the(stale, CheckName.DSC_REVOCATION).outcome is NOT_CHECKED
    assert stale.outcome is PASS
    strict = check(
        sod, trust=store(crl=issuer().crl(now=NOW - timedelta(days=200))), policy=PassivePolicy(needs_revocation=True)
    )
    assert strict.outcome is NOT_CHECKED


def test_a_forged_revocation_list_is_no_list() -> None:
    forged = issuer().crl([1, 2, 3], signer=keys(Algorithm(key="P-384", digest="sha384")))
    assert the(check(trust=store(crl=forged)), CheckName.DSC_REVOCATION).outcome is NOT_CHECKED


def test_a_list_by_a_newer_key_of_the_same_name_revokes_signers_of_the_old_one() -> None:
    newer = Issuer(now=NOW, algorithm=Algorithm(key="P-256"), serial_number=50)
    bad = signer()
    sod = make_sod(GROUPS, bad)
    by_new_key = newer.crl([bad.serial_number])
    assert failed(check(sod, trust=store(issuer(), newer, crl=by_new_key))) == {CheckName.DSC_REVOCATION}
    assert the(check(sod, trust=store(issuer(), newer, crl=newer.crl())), CheckName.DSC_REVOCATION).outcome is PASS
    # A list whose key is in the store under no name, or under another one, says nothing.
    assert the(check(sod, trust=store(issuer(), crl=by_new_key)), CheckName.DSC_REVOCATION).outcome is NOT_CHECKED
    other = Issuer(now=NOW, algorithm=Algorithm(key="P-256"), common_name="CSCA of cards")
    elsewhere = check(sod, trust=store(issuer(), other, crl=other.crl([bad.serial_number])))
    assert the(elsewhere, CheckName.DSC_REVOCATION).outcome is NOT_CHECKED


def test_the_key_of_another_countrys_csca_is_not_believed() -> None:
    """One key under two countries: a certificate of XU with Utopia's key vouches for no signer of Utopia."""
    profile = replace(issuer().profile, subject=name("XU", "CSCA"))
    foreign = certify(name("XU", "CSCA"), issuer().keys, issuer().keys.public_key_info, profile)
    result = check(trust=TrustStore(certificates=(read_certificate(foreign),)))
    assert CheckName.DSC_CHAIN in failed(result)
    assert "CSCA of XU" in the(result, CheckName.DSC_CHAIN).reason


def test_a_csca_that_may_not_sign_lists_revokes_and_clears_nobody() -> None:
    profile = replace(issuer().profile, uses=frozenset({"key_cert_sign"}))
    narrow = read_certificate(certify(issuer().name, issuer().keys, issuer().keys.public_key_info, profile))
    trust = replace(store(), certificates=(narrow,))
    assert the(check(trust=trust), CheckName.DSC_REVOCATION).outcome is NOT_CHECKED


def test_a_link_certificate_leads_to_the_new_key() -> None:
    old, new = issuer(), Issuer(now=NOW, algorithm=Algorithm(key="P-384", digest="sha384"), common_name="CSCA 2")
    trust = TrustStore(certificates=(read_certificate(old.certificate), read_certificate(old.link(new))))
    result = check(make_sod(GROUPS, new.document_signer()), trust=trust)
    assert result.outcome is PASS
    assert "CN=CSCA 2" in the(result, CheckName.DSC_CHAIN).reason


# --- what the chip says beside it ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("com", "word"),
    [
        (make_com([1]), "leaves out data group 2"),
        (make_com([1, 2, 14]), "data group 14 that EF.SOD does not"),
        (COM[:-3] + b"\x02\x61\x33", "33"),
        (b"\x60\x00", "EF.COM"),
        (b"", "EF.COM"),
    ],
)
def test_an_ef_com_that_disagrees_fails(com: bytes, word: str) -> None:
    result = check(com=com)
    assert failed(result) == {CheckName.COM_CONSISTENCY}
    assert word in the(result, CheckName.COM_CONSISTENCY).reason


def test_versions_that_disagree_fail() -> None:
    sod = make_sod(GROUPS, signer(), lds_versions=("0108", "040000"))
    assert failed(check(sod)) == {CheckName.COM_CONSISTENCY}


def test_a_printed_zone_that_differs_fails_without_telling_what_it_says() -> None:
    result = check(printed=(LINES[0], LINES[1].replace("7408122", "7508129")))
    assert failed(result) == {CheckName.MRZ_MATCH}
    reason = the(result, CheckName.MRZ_MATCH).reason
    assert "2 characters" in reason
    assert "740812" not in reason


def test_a_first_group_that_is_no_zone_fails() -> None:
    groups = GROUPS | {1: tlv(0x61, tlv(0x5F1F, b"nothing"))}
    result = check(make_sod(groups, signer()), groups=groups)
    assert failed(result) == {CheckName.MRZ_MATCH}


def test_an_issuer_that_no_state_has_fails() -> None:
    lines = (LINES[0].replace("P<UTO", "P<QQQ"), LINES[1])
    groups = GROUPS | {1: make_dg1(lines)}
    result = check(make_sod(groups, signer()), groups=groups, printed=lines)
    assert failed(result) == {CheckName.COUNTRY_MATCH}


def test_a_deviation_excuses_what_it_names_for_whom_it_names_and_no_signature() -> None:
    sod = make_sod(GROUPS, signer(uses=frozenset({"key_encipherment"})))
    trust = store()
    key_id = trust.certificates[0].key_id
    known = Deviation(country="UT", check=CheckName.DSC_PROFILE, reason="no use for signing in 2026", key_id=key_id)
    excused = check(sod, trust=replace(trust, deviations=(known,)))
    assert excused.outcome is PASS
    assert "excused: no use for signing in 2026" in the(excused, CheckName.DSC_PROFILE).reason
    for other in (
        replace(known, country="XU"),
        replace(known, key_id=b"other"),
        replace(known, check=CheckName.DSC_VALIDITY),
        replace(known, signed_before=NOW - timedelta(days=30)),
    ):
        assert failed(check(sod, trust=replace(trust, deviations=(other,)))) == {CheckName.DSC_PROFILE}
    for never in (CheckName.SOD_SIGNATURE, CheckName.DG_HASHES, CheckName.DSC_CHAIN, CheckName.DSC_REVOCATION):
        with pytest.raises(ValueError, match="cannot be excused"):
            replace(known, check=never)


def test_an_unknown_curve_is_not_supported_and_does_not_pass() -> None:
    """P-256 with another generator: whoever may choose it can sign for any key (CVE-2020-0601)."""
    document_signer = signer()
    curve_g = bytes.fromhex("6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296")
    assert document_signer.certificate.count(curve_g) == 1
    altered = document_signer.certificate.replace(curve_g, curve_g[:-1] + b"\x97")
    sod = make_sod(GROUPS, replace(document_signer, certificate=altered))
    result = check(sod)
    assert the(result, CheckName.SOD_SIGNATURE).outcome is NOT_SUPPORTED
    assert result.outcome in (FAIL, CheckOutcome.NOT_SUPPORTED)
