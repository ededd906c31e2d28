"""The openssl command's word on the same octets: the twin's certificates and messages are good, and so is what we say of them."""

import subprocess
from pathlib import Path

import pytest
from emrtd_kit import GROUPS, NOW, issuer, keys

from gate.checks.emrtd.certificate import read_certificate
from gate.checks.emrtd.keys import Verdict
from gate.checks.emrtd.pem import write_pem
from gate.checks.emrtd.revocation import read_revocation_list
from gate.checks.emrtd.security_object import read_sod
from simulator.chip.keys import Algorithm
from simulator.chip.sod import Signing, make_sod

# What openssl trusts in a chain: it refuses explicit parameters there.
ALGORITHMS = [
    Algorithm(key="P-256", is_explicit=False),
    Algorithm(key="brainpoolP384r1", digest="sha384", is_explicit=False),
    Algorithm(key="rsa-2048"),
    Algorithm(key="rsa-2048", is_pss=False, digest="sha512"),
]


def openssl(*arguments: str, folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["openssl", *arguments], cwd=folder, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("algorithm", ALGORITHMS, ids=lambda item: f"{item.key}-{item.is_pss}")
@pytest.mark.parametrize("is_altered", [False, True])
def test_openssl_agrees_on_security_objects_and_chains(algorithm: Algorithm, is_altered: bool, tmp_path: Path) -> None:
    state = issuer(algorithm)
    document_signer = state.certify_signer(keys(algorithm))
    sod = make_sod(GROUPS, document_signer, signing=Signing(is_altered=is_altered, signing_time=NOW))
    (tmp_path / "csca.pem").write_bytes(write_pem("CERTIFICATE", state.certificate))
    message = read_sod(sod)
    header = len(sod) - int.from_bytes(sod[2:4], "big")
    (tmp_path / "sod.der").write_bytes(sod[header:])
    when = str(int(NOW.timestamp()))
    ran = openssl(
        "cms", "-verify", "-inform", "DER", "-in", "sod.der", "-CAfile", "csca.pem", "-purpose", "any", "-attime", when,
        "-out", "content", folder=tmp_path,
    )  # fmt: skip
    assert (ran.returncode == 0) == (not is_altered), ran.stderr
    certificate = read_certificate(document_signer.certificate)
    verdict = message.signers[0].verified_by(certificate, message.content).verdict
    assert (verdict is Verdict.VALID) == (not is_altered)
    assert certificate.is_signed_by(read_certificate(state.certificate))
    if not is_altered:
        assert (tmp_path / "content").read_bytes() == message.content


def test_openssl_agrees_on_explicit_parameters_and_revocations(tmp_path: Path) -> None:
    """With explicit parameters openssl verifies single signatures, though no chain."""
    state = issuer(Algorithm(key="brainpoolP256r1"))
    (tmp_path / "csca.pem").write_bytes(write_pem("CERTIFICATE", state.certificate))
    crl = state.crl([4711])
    (tmp_path / "crl.der").write_bytes(crl)
    ran = openssl("crl", "-inform", "DER", "-in", "crl.der", "-CAfile", "csca.pem", "-noout", "-text", folder=tmp_path)
    assert "verify OK" in ran.stderr
    assert "1267" in ran.stdout
    assert 4711 in read_revocation_list(crl).revoked
    assert read_revocation_list(crl).verified_by(read_certificate(state.certificate)).verdict is Verdict.VALID


@pytest.mark.parametrize("curve", ["brainpoolP192r1", "brainpoolP224r1", "brainpoolP320r1"])
@pytest.mark.parametrize("form", ["named_curve", "explicit"])
def test_certificates_on_curves_that_cryptography_has_not(curve: str, form: str, tmp_path: Path) -> None:
    made = openssl(
        "req", "-x509", "-newkey", "ec", "-pkeyopt", f"ec_paramgen_curve:{curve}", "-pkeyopt", f"ec_param_enc:{form}",
        "-nodes", "-keyout", "key.pem", "-out", "csca.der", "-outform", "DER", "-subj", "/C=UT/CN=Old CSCA", "-sha256",
        folder=tmp_path,
    )  # fmt: skip
    assert made.returncode == 0, made.stderr
    der = (tmp_path / "csca.der").read_bytes()
    certificate = read_certificate(der)
    assert certificate.key.name == curve
    assert certificate.is_signed_by(certificate)
    altered = read_certificate(der[:-1] + bytes([der[-1] ^ 1]))
    assert altered.verified_by(certificate).verdict is Verdict.INVALID
