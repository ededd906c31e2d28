"""Our reading of certificates against asn1crypto's, field by field, and octets that are none."""

import os
from datetime import UTC, datetime
from pathlib import Path

import pytest
from asn1crypto import x509
from emrtd_kit import NOW, issuer, signer

from gate.checks.emrtd import der
from gate.checks.emrtd.certificate import Certificate, read_certificate
from gate.checks.emrtd.faults import ChipFault
from gate.checks.emrtd.master_list import read_master_list
from gate.checks.emrtd.pem import from_pem, write_pem
from gate.checks.emrtd.store import TrustStore
from gate.checks.emrtd.tlv import Element
from simulator.chip.keys import Algorithm


def differences(ours: Certificate, octets: bytes) -> list[str]:
    theirs = x509.Certificate.load(octets)
    uses = theirs.key_usage_value
    constraints = theirs.basic_constraints_value
    period = theirs.private_key_usage_period_value
    pairs = {
        "serial_number": (ours.serial_number, theirs.serial_number),
        "not_before": (ours.not_before, theirs.not_valid_before),
        "not_after": (ours.not_after, theirs.not_valid_after),
        "key_id": (ours.key_id, theirs.key_identifier),
        "authority_key_id": (ours.authority_key_id, theirs.authority_key_identifier),
        "uses": (ours.uses, frozenset(uses.native) if uses else None),
        "is_ca": (ours.is_ca, bool(constraints["ca"].native) if constraints else None),
        "signed": (ours.signed, theirs["tbs_certificate"].dump()),
        "signature": (ours.signature, theirs["signature_value"].native),
        "is_self_issued": (ours.is_self_issued, theirs.subject == theirs.issuer),
        "key_period": (
            ours.key_period,
            (period["not_before"].native, period["not_after"].native) if period else (None, None),
        ),
    }
    return [name for name, (mine, their) in pairs.items() if mine != their]


@pytest.mark.parametrize("algorithm", [Algorithm(key="P-256"), Algorithm(key="rsa-2048")], ids=lambda item: item.key)
def test_asn1crypto_reads_the_same(algorithm: Algorithm) -> None:
    state = issuer(algorithm)
    for octets in (state.certificate, state.document_signer().certificate, state.master_list_signer().certificate):
        assert differences(read_certificate(octets), octets) == []
    assert read_certificate(signer(document_types=("P", "ID")).certificate).document_types == ("P", "ID")


def test_asn1crypto_reads_the_same_of_every_real_certificate() -> None:
    """557 of 110 states, where the list is there."""
    folder = Path(os.environ.get("TONGGUAN_DATA", "../shared/data")) / "chip" / "master-lists"
    for path in folder.glob("*.ml"):
        listed = read_master_list(path.read_bytes(), TrustStore(), datetime(2025, 6, 1, tzinfo=UTC), name=path.name)
        assert len(listed.certificates) > 500
        for octets in listed.certificates:
            assert differences(read_certificate(octets), octets) == []


def test_every_cut_and_every_changed_octet_is_read_or_refused() -> None:
    octets = signer().certificate
    for end in range(0, len(octets), 7):
        with pytest.raises(ChipFault):
            read_certificate(octets[:end])
    read = 0
    for place in range(0, len(octets), 3):
        try:
            read_certificate(octets[:place] + bytes([octets[place] ^ 0x41]) + octets[place + 1 :])
            read += 1
        except ChipFault:
            pass
    assert 0 < read < len(octets) / 3


def test_an_extension_that_is_there_twice_is_refused() -> None:
    certificate = x509.Certificate.load(signer().certificate)
    body = certificate["tbs_certificate"]
    body["extensions"] = [item.copy() for item in (*body["extensions"], body["extensions"][0])]
    with pytest.raises(ChipFault, match="twice"):
        read_certificate(certificate.dump(force=True))


def test_a_certificate_longer_than_any_is_not_read() -> None:
    with pytest.raises(ChipFault, match="longer than any"):
        read_certificate(bytes(40_000))


def test_pem_and_der_are_one() -> None:
    octets = issuer().certificate
    assert from_pem(write_pem("CERTIFICATE", octets), "CERTIFICATE") == octets
    assert read_certificate(write_pem("CERTIFICATE", octets)) == read_certificate(octets)
    with pytest.raises(ChipFault, match="holds no X509 CRL"):
        from_pem(write_pem("CERTIFICATE", octets), "X509 CRL")


@pytest.mark.parametrize(
    ("tag", "written", "moment"),
    [
        (0x17, "261123120000Z", NOW),
        (0x17, "2611231200Z", NOW),
        (0x17, "261123140000+0200", NOW),
        (0x17, "990101000000Z", datetime(1999, 1, 1, tzinfo=UTC)),
        (0x18, "20261123120000Z", NOW),
        (0x18, "20261123120000.5Z", NOW),
        (0x18, "20261123070000-0500", NOW),
    ],
)
def test_times_as_states_write_them(tag: int, written: str, moment: datetime) -> None:
    assert der.moment(Element(tag, written.encode(), 0)) == moment


@pytest.mark.parametrize(
    "written", ["", "Z", "26112312000Z", "261323120000Z", "261123120000", "२६1123120000Z", "+", "9" * 400]
)
def test_what_is_no_time(written: str) -> None:
    for tag in (0x17, 0x18):
        with pytest.raises(ChipFault, match="is no time"):
            der.moment(Element(tag, written.encode(), 0))


def test_identifiers() -> None:
    assert der.dotted(bytes.fromhex("2a864886f70d010702")) == "1.2.840.113549.1.7.2"
    assert der.dotted(bytes.fromhex("6781080101")) == "2.23.136.1.1"
    assert der.dotted(bytes.fromhex("883703")) == "2.999.3"
    for bad in (b"", b"\x81", b"\x2a" * 33):
        with pytest.raises(ChipFault):
            der.dotted(bad)


def test_uses_are_bits_from_the_left() -> None:
    assert der.bit_places(b"\x01\x06") == {5, 6}
    assert der.bit_places(b"\x07\x80") == {0}
    with pytest.raises(ChipFault):
        der.bit_places(b"")
