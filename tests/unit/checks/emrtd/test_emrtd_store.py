"""The trust store: what is taken and on whose word, what is refused and why, and the file that it is kept in."""

import base64
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from emrtd_kit import GROUPS, NOW, P_256, PASS, check, issuer, keys, signer

from gate.checks.emrtd.certificate import read_certificate
from gate.checks.emrtd.faults import ChipFault
from gate.checks.emrtd.importing import ImportReport, Origin, import_files
from gate.checks.emrtd.master_list import read_master_list
from gate.checks.emrtd.pem import write_pem
from gate.checks.emrtd.results import CheckName
from gate.checks.emrtd.store import Deviation, TrustStore, merged
from gate.checks.emrtd.store_file import load_store, looks_like_store, save_store
from simulator.chip.keys import Algorithm
from simulator.chip.pki import Issuer, Signer, certify, name
from simulator.chip.sod import Signing, make_master_list, make_sod

OTHER = Issuer("XU", now=NOW, algorithm=P_256, common_name="CSCA Ruritania")
SUCCESSOR = Issuer(now=NOW, algorithm=Algorithm(key="P-384", digest="sha384"), common_name="CSCA 2", serial_number=9)


def take(
    *data: bytes, into: TrustStore | None = None, needs_anchor: bool = False, keeps_signers: bool = True
) -> ImportReport:
    files = [(f"file-{place}", octets) for place, octets in enumerate(data)]
    return import_files(files, into or TrustStore(), NOW, needs_anchor=needs_anchor, keeps_signers=keeps_signers)


def master_list(*certificates: bytes, by: Signer | None = None, signing: Signing | None = None) -> bytes:
    how = signing or Signing()
    return make_master_list(
        certificates,
        by or issuer().master_list_signer(),
        replace(how, more_certificates=(issuer().certificate,), signing_time=how.signing_time or NOW),
    )


def sha(der: bytes) -> str:
    return read_certificate(der).sha256


def test_a_self_signed_certificate_is_taken_in_der_and_pem() -> None:
    for data in (OTHER.certificate, write_pem("CERTIFICATE", OTHER.certificate)):
        report = take(data)
        assert report.added == {sha(OTHER.certificate): Origin.ROOT}
        assert report.store.countries == {"XU"}
        assert take(data, into=report.store).known == {sha(OTHER.certificate)}


def test_one_pem_file_may_hold_many() -> None:
    data = write_pem("CERTIFICATE", OTHER.certificate) + write_pem("CERTIFICATE", issuer().certificate)
    assert len(take(data).added) == 2


def test_a_certificate_that_claims_to_be_self_signed_and_is_not_is_refused() -> None:
    forged = certify(OTHER.name, keys(), OTHER.keys.public_key_info, OTHER.profile)
    report = take(forged)
    assert not report.added
    assert "who issued it is not in the trust store" in report.refused[0].reason


def test_a_link_certificate_needs_the_one_that_issued_it() -> None:
    link = issuer().link(SUCCESSOR)
    assert take(link).refused
    assert take(link, issuer().certificate).added == {sha(link): Origin.LINK, sha(issuer().certificate): Origin.ROOT}
    assert take(link, into=take(issuer().certificate).store).added == {sha(link): Origin.LINK}


def test_a_chain_of_link_certificates_is_taken_in_any_order_and_nothing_on_a_refused_ones_word() -> None:
    third = Issuer(now=NOW, algorithm=P_256, common_name="CSCA 3")
    chain = [SUCCESSOR.link(third), issuer().link(SUCCESSOR), issuer().certificate]
    assert list(take(*chain).added.values()).count(Origin.LINK) == 2
    unsigned = certify(SUCCESSOR.name, keys(), SUCCESSOR.keys.public_key_info, SUCCESSOR.profile)
    report = take(unsigned, SUCCESSOR.link(third))
    assert not report.added
    assert len(report.refused) == 2


def test_a_link_certificate_for_another_country_is_refused() -> None:
    assert take(issuer().link(OTHER), issuer().certificate).refused


def test_a_master_list_brings_its_certificates_and_says_on_whose_word() -> None:
    link = issuer().link(SUCCESSOR)
    report = take(master_list(OTHER.certificate, issuer().certificate, link, SUCCESSOR.certificate))
    assert len(report.added) == 4
    assert report.added[sha(link)] is Origin.LINK
    listed = report.master_lists[0][1]
    assert listed.is_first_trust
    assert listed.signing_time == NOW
    assert sha(issuer().certificate) in report.notes[0]


def test_a_master_list_whose_anchor_is_known_needs_no_first_trust() -> None:
    known = take(issuer().certificate).store
    assert not take(master_list(OTHER.certificate), into=known, needs_anchor=True).master_lists[0][1].is_first_trust
    with pytest.raises(ChipFault, match="import that certificate first"):
        take(master_list(OTHER.certificate), needs_anchor=True)


def test_a_master_list_under_a_new_csca_is_believed_by_its_link() -> None:
    known = take(issuer().certificate).store
    by = SUCCESSOR.master_list_signer()
    data = make_master_list(
        [OTHER.certificate], by, Signing(more_certificates=(issuer().link(SUCCESSOR),), signing_time=NOW)
    )
    assert not take(data, into=known, needs_anchor=True).master_lists[0][1].is_first_trust


@pytest.mark.parametrize(
    ("data", "word"),
    [
        (lambda: master_list(OTHER.certificate, signing=Signing(is_altered=True)), "is not signed by"),
        (lambda: master_list(OTHER.certificate, signing=Signing(message_digest=bytes(32))), "not what was signed"),
        (lambda: master_list(OTHER.certificate, signing=Signing(has_certificate=False)), "without its signer"),
        (lambda: master_list(OTHER.certificate, by=signer()), "may not sign master lists"),
        (lambda: master_list(OTHER.certificate, by=OTHER.master_list_signer()), "neither known nor comes along"),
        (
            lambda: master_list(OTHER.certificate, signing=Signing(signing_time=NOW - timedelta(days=99))),
            "was not valid",
        ),
        (lambda: make_sod(GROUPS, signer()), "neither"),
        (lambda: make_sod(GROUPS, signer())[4:], "no master list"),
        (lambda: b"anything else", "neither"),
        (lambda: b"", "neither"),
        (lambda: b"-----BEGIN CERTIFICATE-----\n!!\n-----END CERTIFICATE-----\n", "base64"),
    ],
)
def test_what_is_not_to_be_believed_is_refused_in_one_sentence(data: object, word: str) -> None:
    octets = data()  # type: ignore[operator]
    with pytest.raises(ChipFault, match=word):
        take(octets)


def test_a_bad_list_among_several_is_named_and_the_others_are_taken() -> None:
    bad = master_list(SUCCESSOR.certificate, signing=Signing(is_altered=True))
    report = take(bad, master_list(OTHER.certificate))
    assert sha(OTHER.certificate) in report.added
    assert sha(SUCCESSOR.certificate) not in report.added
    assert [(item.title, "is not signed by" in item.reason) for item in report.refused] == [("a master list", True)]


def test_one_bad_certificate_on_a_list_is_named_and_the_others_are_kept() -> None:
    bad = bytearray(OTHER.certificate)
    bad[8] = 0x31
    report = take(master_list(SUCCESSOR.certificate, bytes(bad)))
    assert sha(SUCCESSOR.certificate) in report.added
    assert len(report.refused) == 1
    assert "cannot be read" in report.refused[0].reason


def test_what_may_not_sign_certificates_is_no_csca() -> None:
    profile = replace(OTHER.profile, uses=frozenset({"crl_sign"}))
    report = take(certify(OTHER.name, OTHER.keys, OTHER.keys.public_key_info, profile))
    assert "may not sign certificates" in report.refused[0].reason


def test_a_document_signer_is_kept_beside_and_never_trusted() -> None:
    der = signer().certificate
    assert "no CSCA in the trust store issued it" in take(der).refused[0].reason
    report = take(der, into=take(issuer().certificate).store)
    assert report.signers == 1
    assert not report.added
    assert read_certificate(der) not in report.store
    assert read_certificate(der) in report.store.signers
    without = take(der, into=take(issuer().certificate).store, keeps_signers=False)
    assert (without.signers, without.store.signers, without.refused) == (0, (), [])
    assert without.notes == ["1 certificates are no CSCA's and were left out; --signers keeps them"]


def test_a_revocation_list_needs_the_certificate_that_signed_it() -> None:
    assert "no CSCA in the trust store signed it" in take(issuer().crl([5])).refused[0].reason
    report = take(issuer().certificate, issuer().crl([5]), write_pem("X509 CRL", issuer().crl([6])))
    assert [sorted(item.revoked) for item in report.lists] == [[5], [6]]
    forged = issuer().crl([7], signer=keys(Algorithm(key="P-384", digest="sha384")))
    assert take(forged, into=report.store).refused


def test_an_ldif_of_a_directory_is_taken_whole() -> None:
    def entry(dn: str, attribute: str, value: bytes) -> str:
        text = f"{attribute}:: {base64.b64encode(value).decode()}"
        folded = "\n ".join(text[at : at + 70] for at in range(0, len(text), 70))
        return f"dn: {dn}\nobjectClass: top\n{folded}\n"

    ldif = "version: 1\n# a comment\n" + "\n".join(
        [
            entry("c=UT,dc=data", "certificateRevocationList;binary", issuer().crl([3])),
            entry("cn=one,c=UT,dc=data", "userCertificate;binary", signer().certificate),
            entry("cn=list,c=UT,dc=data", "pkdMasterListContent", master_list(OTHER.certificate, issuer().certificate)),
        ]
    )
    report = take(ldif.encode())
    assert len(report.added) == 2
    assert len(report.lists) == 1
    assert report.refused == []
    assert report.signers == 1
    assert not report.known
    with pytest.raises(ChipFault, match="no base64"):
        take(b"dn: cn=bad\nuserCertificate;binary:: !!!\n")


def test_deviations_are_data() -> None:
    text = '[[deviation]]\ncountry = "UT"\ncheck = "dsc_profile"\nreason = "known"\nsigned_before = 2027-01-01\n'
    report = take(text.encode())
    assert report.store.deviations[0].check is CheckName.DSC_PROFILE
    assert take(text.encode(), into=report.store).deviations == []
    for bad in ('check = "dg_hashes"', 'check = "none"', "check = 5"):
        with pytest.raises(ChipFault, match=r"deviation\.0\.check"):
            take(text.replace('check = "dsc_profile"', bad).encode())
    with pytest.raises(ChipFault, match="no TOML"):
        take(b"[[deviation]]\n=")


def test_a_store_comes_back_as_it_was_saved(tmp_path: Path) -> None:
    before = take(issuer().certificate, issuer().crl([5])).store
    before = merged(
        before,
        signers=(read_certificate(signer().certificate),),
        deviations=(
            Deviation(country="UT", check=CheckName.DSC_PROFILE, reason="known", key_id=b"\x01", signed_before=NOW),
        ),
    )
    path = tmp_path / "deep" / "store.json"
    save_store(before, path)
    after = load_store(path)
    assert looks_like_store(path.read_bytes())
    assert after.certificates == before.certificates
    assert after.signers == before.signers
    assert [item.sha256 for item in after.revocation_lists] == [item.sha256 for item in before.revocation_lists]
    assert after.deviations == before.deviations
    assert list(path.parent.iterdir()) == [path]


def test_a_damaged_or_missing_store_is_one_sentence(tmp_path: Path) -> None:
    path = tmp_path / "store.json"
    with pytest.raises(ChipFault, match="gate csca import"):
        load_store(path)
    save_store(take(issuer().certificate).store, path)
    good = path.read_bytes()
    for damage in (
        b"",
        b"{}",
        good[:-40],
        good.replace(b"store/1", b"store/9"),
        good.replace(b"MII", b"MIJ"),
        good.replace(b"MII", b"!"),
    ):
        path.write_bytes(damage)
        with pytest.raises(ChipFault, match="import its sources anew"):
            load_store(path)


def test_a_store_that_cannot_be_written_leaves_nothing_behind(tmp_path: Path) -> None:
    folder = tmp_path / "store.json"
    folder.mkdir()
    with pytest.raises(ChipFault, match="cannot be written"):
        save_store(TrustStore(), folder)
    assert list(tmp_path.iterdir()) == [folder]


def test_of_two_certificates_with_one_key_the_valid_one_is_found() -> None:
    expired = replace(issuer().profile, not_after=NOW - timedelta(days=2), serial_number=77)
    old = certify(issuer().name, issuer().keys, issuer().keys.public_key_info, expired)
    trust = TrustStore(certificates=(read_certificate(old), read_certificate(issuer().certificate)))
    assert check(trust=trust).outcome is PASS


def test_a_name_in_another_spelling_is_the_same_name() -> None:
    spelt = certify(
        name("ut", "csca"), keys(), keys().public_key_info, replace(issuer().profile, subject=name("ut", "  CSCA "))
    )
    assert read_certificate(spelt).is_self_issued
    assert read_certificate(spelt).country == "UT"


def test_a_list_of_a_size_that_none_has_is_not_read() -> None:
    with pytest.raises(ChipFault, match="more than any master list"):
        read_master_list(bytes(65 * 2**20), TrustStore(), NOW, name="huge")
