"""PACE, version 2 (Doc 9303-11 section 4.4): a strong session out of a weak password, with a proof that the chip knows it too."""

from __future__ import annotations

import hmac
from dataclasses import dataclass

from drivers.chip import tlv
from drivers.chip.access_key import AccessKey
from drivers.chip.apdu import EXTENDED_LE, SHORT_LE, Command
from drivers.chip.domain import Domain, EcDomain, KeyPair, Random, nonce_bytes, standardised
from drivers.chip.errors import ChipFailed, Reason
from drivers.chip.link import ChipLink
from drivers.chip.secure_messaging import SecureSession
from drivers.chip.security_infos import Mapping, PaceInfo, SecurityInfos
from drivers.chip.symmetric import (
    ENC,
    MAC,
    PASSWORD,
    BlockCipher,
    decrypt_cbc,
    derive_key,
    encrypt_cbc,
    token_mac,
    unpad,
)

_CHAINED, _LAST = 0x10, 0x00
_DYNAMIC, _TOKEN_INPUT, _OID = 0x7C, 0x7F49, 0x06
_MAPPINGS = (Mapping.CHIP_AUTHENTICATION, Mapping.GENERIC, Mapping.INTEGRATED)
_CIPHERS = (BlockCipher.AES_256, BlockCipher.AES_192, BlockCipher.AES_128, BlockCipher.TDES)
_VERSION = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class ChipMapping:
    """What PACE-CAM left to be verified with the chip's static key: ``scalar`` times that key must be ``mapped``."""

    scalar: int
    mapped: bytes
    domain: EcDomain


@dataclass(frozen=True, slots=True, kw_only=True)
class PaceDone:
    session: SecureSession
    chip_mapping: ChipMapping | None


def choose(infos: SecurityInfos) -> PaceInfo | None:
    """The best way in that we have: one that also authenticates the chip, then the longest key; None without any."""
    usable = [info for info in infos.pace if info.version == _VERSION and _is_usable(info)]
    return min(usable, key=lambda one: (_MAPPINGS.index(one.mapping), _CIPHERS.index(one.cipher)), default=None)


def _is_usable(info: PaceInfo) -> bool:
    if info.parameter_id is None:
        return False
    try:
        domain = standardised(info.parameter_id)
    except ChipFailed:
        return False
    # The integrated mapping needs a prime that is 3 modulo 4, which P-224 has not.
    fits = not isinstance(domain, EcDomain) or info.mapping is not Mapping.INTEGRATED or domain.curve.p % 4 == 3
    return isinstance(domain, EcDomain) == info.is_ec and fits


def pace(link: ChipLink, info: PaceInfo, key: AccessKey, random: Random) -> PaceDone:
    """Agree on a session. `ChipFailed`: denied for a wrong password, broken when the chip does not prove its own part."""
    if info.parameter_id is None:
        raise ChipFailed(Reason.UNSUPPORTED, "the chip wants PACE with domain parameters of its own")
    domain = standardised(info.parameter_id)
    selected = link.send(
        Command(ins=0x22, p1=0xC1, p2=0xA4, data=tlv.wrap(0x80, info.oid) + tlv.wrap(0x83, bytes((key.reference,))))
    )
    if selected.sw >> 8 != 0x90 and selected.sw >> 4 != 0x63C:
        raise ChipFailed(Reason.UNSUPPORTED, f"the chip refuses the PACE that it offers (status {selected.sw:04X})")
    enciphered = _step(link, b"", 0x80)
    with link.crypto():
        nonce = decrypt_cbc(info.cipher, derive_key(info.cipher, key.secret, PASSWORD), enciphered)
        if info.mapping is Mapping.INTEGRATED and len(nonce) != nonce_bytes(info.cipher):
            raise ChipFailed(Reason.BROKEN, f"the chip's nonce has {len(nonce)} bytes")
    mapped, their_mapping_key = _map(link, info, domain, nonce, random)
    with link.crypto():
        ours = mapped.generate(random)
    theirs = _step(link, tlv.wrap(0x83, ours.public), 0x84)
    with link.crypto():
        session, k_enc, k_mac = _agree(info, mapped, ours, theirs)
        token = _token(info, mapped, k_mac, theirs)
        expected = _token(info, mapped, k_mac, ours.public)
    proof = _general_authenticate(link, tlv.wrap(0x85, token), _LAST)
    if not hmac.compare_digest(tlv.find(proof, 0x86) or b"", expected):
        raise ChipFailed(Reason.BROKEN, "the chip does not prove that it knows its own MRZ or access number")
    if info.mapping is not Mapping.CHIP_AUTHENTICATION:
        return PaceDone(session=session, chip_mapping=None)
    with link.crypto():
        chip_mapping = _chip_mapping(info.cipher, k_enc, tlv.find(proof, 0x8A), their_mapping_key, domain)
    return PaceDone(session=session, chip_mapping=chip_mapping)


def _map(link: ChipLink, info: PaceInfo, domain: Domain, nonce: bytes, random: Random) -> tuple[Domain, bytes]:
    """The domain with its new generator, and the chip's mapping key (empty with the integrated mapping)."""
    if info.mapping is Mapping.INTEGRATED:
        ours = random(info.cipher.key_bytes)
        _general_authenticate(link, tlv.wrap(0x81, ours), _CHAINED)
        with link.crypto():
            return domain.map_integrated(info.cipher, nonce, ours), b""
    with link.crypto():
        pair = domain.generate(random)
    theirs = _step(link, tlv.wrap(0x81, pair.public), 0x82)
    with link.crypto():
        return domain.map_generic(nonce, pair.private, theirs), theirs


def _agree(info: PaceInfo, mapped: Domain, ours: KeyPair, theirs: bytes) -> tuple[SecureSession, bytes, bytes]:
    if theirs == ours.public:
        raise ChipFailed(Reason.BROKEN, "the chip sent our own key back")
    secret = mapped.agree(ours.private, theirs)
    k_enc, k_mac = derive_key(info.cipher, secret, ENC), derive_key(info.cipher, secret, MAC)
    return SecureSession(info.cipher, k_enc, k_mac), k_enc, k_mac


def _token(info: PaceInfo, domain: Domain, k_mac: bytes, public: bytes) -> bytes:
    content = tlv.wrap(_TOKEN_INPUT, tlv.wrap(_OID, info.oid) + tlv.wrap(domain.public_tag, domain.in_token(public)))
    return token_mac(info.cipher, k_mac, content)


def _chip_mapping(
    cipher: BlockCipher, k_enc: bytes, enciphered: bytes | None, their_mapping_key: bytes, domain: Domain
) -> ChipMapping:
    """Deciphers the chip authentication data (section 4.4.3.3.3): padded, its initial vector the enciphered -1."""
    if enciphered is None or not isinstance(domain, EcDomain):
        raise ChipFailed(Reason.BROKEN, "the chip offers PACE-CAM and does not send its authentication data")
    vector = encrypt_cbc(cipher, k_enc, b"\xff" * cipher.block_bytes)
    scalar = int.from_bytes(unpad(decrypt_cbc(cipher, k_enc, enciphered, vector)))
    return ChipMapping(scalar=scalar, mapped=their_mapping_key, domain=domain)


def _step(link: ChipLink, data: bytes, wanted: int) -> bytes:
    found = tlv.find(_general_authenticate(link, data, _CHAINED), wanted)
    if found is None:
        raise ChipFailed(Reason.BROKEN, f"the chip's answer in PACE lacks element {wanted:X}")
    return found


def _general_authenticate(link: ChipLink, data: bytes, cla: int) -> bytes:
    """The content of the answer's dynamic authentication data; empty when there is none."""
    content = tlv.wrap(_DYNAMIC, data)
    # The answer is about as long as the question: with 2048-bit groups neither fits a short APDU.
    expected = SHORT_LE if len(content) <= 255 else EXTENDED_LE
    answer = link.send(Command(cla=cla, ins=0x86, data=content, expected=expected))
    # 6300 and 63Cx say that the password was wrong; 6982 and 6983 say so on some chips, which delay the next try.
    if answer.sw >> 8 == 0x63 or answer.sw in (0x6982, 0x6983, 0x6985):
        raise ChipFailed(
            Reason.DENIED, f"the chip refuses the key of the MRZ or the access number (status {answer.sw:04X})"
        )
    if not answer.is_ok:
        raise ChipFailed(Reason.BROKEN, f"the chip broke PACE off (status {answer.sw:04X})")
    return tlv.only(answer.data, _DYNAMIC).value if answer.data else b""
