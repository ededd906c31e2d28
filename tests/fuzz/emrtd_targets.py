"""What is fuzzed of electronic passports: every parser that sees octets of a chip or of a fetched file, and seeds for each."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime

from drivers.chip.active_auth import verify_active_authentication
from drivers.chip.apdu import Command, Response, parse_response
from drivers.chip.errors import ChipFailed
from drivers.chip.secure_messaging import SecureSession
from drivers.chip.security_infos import card_security_content, parse_public_key, parse_security_infos
from drivers.chip.symmetric import BlockCipher
from gate.checks.emrtd.certificate import read_certificate
from gate.checks.emrtd.deviations import read_deviations
from gate.checks.emrtd.face import read_faces
from gate.checks.emrtd.faults import ChipFault
from gate.checks.emrtd.importing import import_files
from gate.checks.emrtd.ldif import read_ldif
from gate.checks.emrtd.lds import read_com, read_dg1, read_dg11, read_dg12, read_dg14, read_dg15
from gate.checks.emrtd.passive import ChipFiles, authenticate
from gate.checks.emrtd.pem import read_pem, write_pem
from gate.checks.emrtd.revocation import read_revocation_list
from gate.checks.emrtd.security_object import read_security_object, read_sod
from gate.checks.emrtd.store import TrustStore
from gate.checks.emrtd.store_file import read_store
from gate.checks.emrtd.tlv import descend, read_elements
from simulator.chip.files import FaceEncoding, make_com, make_dg1, make_dg2, make_dg11, make_dg12, make_dg14, make_dg15
from simulator.chip.keys import Algorithm, KeyPair
from simulator.chip.messaging import CardSession
from simulator.chip.pki import Issuer
from simulator.chip.profile import PaceOption
from simulator.chip.sod import Signing, make_card_security, make_master_list, make_security_object, make_sod
from simulator.chip.tlv import integer, oid, tlv

NOW = datetime(2026, 11, 23, tzinfo=UTC)
_LINES = ("P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<", "L898902C36UTO7408122F2904157ZE184226B<<<<<18")
_ISSUER = Issuer(now=NOW, algorithm=Algorithm(key="P-256"))
_SIGNER = _ISSUER.document_signer()
_STORE = TrustStore(certificates=(read_certificate(_ISSUER.certificate),))
_GROUPS = {1: make_dg1(_LINES), 2: make_dg2(b"\xff\xd8\xff" + bytes(40))}


def _faces(data: bytes) -> None:
    pictures = read_faces(data)
    assert sum(len(picture.data) for picture in pictures) <= len(data)


def _sod(data: bytes) -> None:
    message = read_sod(data)
    assert len(message.content) <= len(data)
    for signer in message.signers:
        for certificate in message.certificates:
            signer.verified_by(certificate, message.content)


def _authenticate(data: bytes) -> None:
    """Never raises, whatever the chip says: not even a fault."""
    try:
        files = ChipFiles(sod=data, groups={1: data, 2: data}, com=data, printed_mrz=_LINES)
        authenticate(files, _STORE, NOW)
    except ChipFault as fault:
        raise AssertionError("authenticate let a fault out") from fault


def _authenticate_groups(data: bytes) -> None:
    try:
        authenticate(ChipFiles(sod=_SOD, groups={1: data, 2: data}, com=data), _STORE, NOW)
    except ChipFault as fault:
        raise AssertionError("authenticate let a fault out") from fault


def _answer(data: bytes) -> None:
    """An answer to a protected command; octets that a checksum covers are whatever the chip wants."""
    session = SecureSession.from_secret(BlockCipher.AES_128, bytes(32))
    session.protect(_COMMAND)
    session.unprotect(parse_response(data))


def _proof(data: bytes) -> None:
    """Never raises: a bad key or a bad signature is an outcome."""
    try:
        verify_active_authentication(data, bytes(8), data[-128:], None)
    except ChipFailed as problem:
        raise AssertionError("active authentication let a fault out") from problem


_COMMAND = Command(ins=0xB0, expected=16)
_SOD = make_sod(_GROUPS, _SIGNER, signing=Signing(signing_time=NOW))

TARGETS: Mapping[str, Callable[[bytes], object]] = {
    "tlv": lambda data: (read_elements(data), descend(data, 0x30, 0x31, 0x7F61)),
    "com": read_com,
    "dg1": read_dg1,
    "dg2": _faces,
    "dg11": read_dg11,
    "dg12": read_dg12,
    "dg14": read_dg14,
    "dg15": read_dg15,
    "security_object": read_security_object,
    "sod": _sod,
    "certificate": read_certificate,
    "revocation_list": read_revocation_list,
    "import": lambda data: import_files([("file", data)], _STORE, NOW),
    "ldif": lambda data: list(read_ldif(data)),
    "pem": read_pem,
    "deviations": lambda data: read_deviations(data, "file"),
    "store": lambda data: read_store(data, "file"),
    "authenticate": _authenticate,
    "authenticate_groups": _authenticate_groups,
    "chip_infos": parse_security_infos,
    "chip_card_security": card_security_content,
    "chip_key": parse_public_key,
    "chip_proof": _proof,
    "chip_answer": _answer,
}


def seeds() -> dict[str, list[bytes]]:
    """Good octets for each target, from which a fuzzer starts."""
    jp2 = b"\x00\x00\x00\x0cjP  \r\n\x87\n" + bytes(20)
    link = _ISSUER.link(Issuer(now=NOW, algorithm=Algorithm(key="P-384", digest="sha384"), common_name="CSCA 2"))
    listed = make_master_list(
        [_ISSUER.certificate, link],
        _ISSUER.master_list_signer(),
        Signing(more_certificates=(_ISSUER.certificate,), signing_time=NOW),
    )
    crl = _ISSUER.crl([1, 2])
    info = tlv(0x30, oid("0.4.0.127.0.7.2.2.3.2.2"), integer(1))
    key = _ISSUER.keys.public_key_info
    named = KeyPair(Algorithm(key="P-384", is_explicit=False)).public_key_info
    rsa = KeyPair(Algorithm(key="rsa-1024")).public_key_info
    return {
        "tlv": [tlv(0x30, tlv(0x31, tlv(0x7F61, b"x"))), _SOD],
        "com": [make_com([1, 2, 14])],
        "dg1": [_GROUPS[1]],
        "dg2": [
            make_dg2(image, encoding=encoding, width=413, height=531)
            for encoding in FaceEncoding
            for image in (b"\xff\xd8\xff" + bytes(20), jp2)
        ],
        "dg11": [make_dg11(full_name="A<<B", place_of_birth="C<D")],
        "dg12": [make_dg12(authority="X")],
        "dg14": [make_dg14(info)],
        "dg15": [make_dg15(_ISSUER.keys.public_key_info)],
        "security_object": [
            make_security_object(_GROUPS),
            make_security_object(_GROUPS, lds_versions=("0108", "040000")),
        ],
        "sod": [_SOD, make_sod(_GROUPS, _SIGNER, signing=Signing(names_key=True))],
        "certificate": [_ISSUER.certificate, _SIGNER.certificate, link],
        "revocation_list": [crl],
        "import": [_ISSUER.certificate, crl, listed, _SIGNER.certificate],
        "ldif": [b"dn: c=UT\nuserCertificate;binary:: MAAA\n AAAA\n"],
        "pem": [write_pem("CERTIFICATE", b"abc")],
        "deviations": [b'[[deviation]]\ncountry = "UT"\ncheck = "dsc_profile"\nreason = "x"\n'],
        "store": [
            b'{"format": "tongguan-trust-store/1", "certificates": [], "signers": [], "revocation_lists": [], "deviations": []}'
        ],
        "authenticate": [_SOD],
        "authenticate_groups": [_GROUPS[1], _GROUPS[2], make_com([1, 2])],
        "chip_infos": [tlv(0x31, info, PaceOption().info, tlv(0x30, oid("0.4.0.127.0.7.2.2.1.2"), key))],
        "chip_card_security": [make_card_security(tlv(0x31, info), _SIGNER)],
        "chip_key": [key, named],
        "chip_proof": [make_dg15(key), make_dg15(rsa)],
        "chip_answer": [_protected_answer()],
    }


def _protected_answer() -> bytes:
    """What a chip sends in answer to the first command."""
    ours = SecureSession.from_secret(BlockCipher.AES_128, bytes(32))
    card = CardSession.from_secret(BlockCipher.AES_128, bytes(32))
    card.open(ours.protect(_COMMAND))
    return card.close(Response(data=b"octets", sw=0x9000)).encode()


def run(name: str, data: bytes) -> None:
    """One run of one target: it may say what is wrong with the octets, and nothing else may come of them."""
    try:
        TARGETS[name](data)
    except (ChipFault, ChipFailed) as fault:
        if not str(fault):
            raise AssertionError("a fault that says nothing") from fault
