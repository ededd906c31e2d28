"""Chip authentication, version 1 (Doc 9303-11 section 6.2), and the last step of PACE-CAM: that the chip has the key of its own files.

A result is worth something only where passive authentication holds for the file that the key came from; that is judged elsewhere.
"""

from __future__ import annotations

from drivers.chip import tlv
from drivers.chip.apdu import EXTENDED_LE, SHORT_LE, Command, Response
from drivers.chip.domain import DhDomain, EcDomain, Random
from drivers.chip.errors import ChipFailed, Reason
from drivers.chip.libcrypto import NotOnCurve
from drivers.chip.link import ChipLink
from drivers.chip.pace import ChipMapping
from drivers.chip.results import Authentication, AuthOutcome
from drivers.chip.secure_messaging import SecureSession
from drivers.chip.security_infos import ChipAuthenticationInfo, ChipPublicKey, SecurityInfos
from drivers.chip.symmetric import BlockCipher

_CIPHERS = (BlockCipher.AES_256, BlockCipher.AES_192, BlockCipher.AES_128, BlockCipher.TDES)
_OID_ECDH_3DES = bytes.fromhex("04007F0007020203") + b"\x02\x01"
_OID_DH_3DES = bytes.fromhex("04007F0007020203") + b"\x01\x01"


def offered(infos: SecurityInfos) -> tuple[ChipAuthenticationInfo, ChipPublicKey] | None:
    """The strongest protocol with a key for it; None when the chip offers none that we have.

    A chip of the first generation lists a key without a protocol, which means 3DES (section 6.2.3).
    """
    pairs = [
        (info, key)
        for info in infos.chip_authentication
        for key in infos.chip_keys
        if isinstance(key.domain, EcDomain) == info.is_ec and info.key_id in (None, key.key_id) and info.version == 1
    ]
    if not pairs and not infos.chip_authentication and infos.chip_keys:
        key = infos.chip_keys[0]
        is_ec = isinstance(key.domain, EcDomain)
        oid = _OID_ECDH_3DES if is_ec else _OID_DH_3DES
        info = ChipAuthenticationInfo(oid=oid, is_ec=is_ec, cipher=BlockCipher.TDES, version=1, key_id=key.key_id)
        return info, key
    return min(pairs, key=lambda pair: _CIPHERS.index(pair[0].cipher), default=None)


def authenticate_chip(link: ChipLink, info: ChipAuthenticationInfo, key: ChipPublicKey, random: Random) -> None:
    """Agree on a new session with the chip's static key. Whether the chip has it shows with the next answer it protects.

    Raises `ChipFailed` (broken) when the chip refuses or its key is none.
    """
    with link.crypto():
        ours = key.domain.generate(random)
        secret = key.domain.agree(ours.private, key.public)
    answer = _send_key(link, info, key, ours.public)
    if not answer.is_ok:
        raise ChipFailed(Reason.BROKEN, f"the chip refuses the chip authentication it offers (status {answer.sw:04X})")
    with link.crypto():
        link.session = SecureSession.from_secret(info.cipher, secret)


def _send_key(link: ChipLink, info: ChipAuthenticationInfo, key: ChipPublicKey, public: bytes) -> Response:
    """With 3DES by MSE:Set KAT, which most chips have, else by MSE:Set AT and GENERAL AUTHENTICATE (section 6.2.4)."""
    if info.cipher is BlockCipher.TDES:
        data = tlv.wrap(0x91, public) + _key_reference(info)
        answer = link.send(Command(ins=0x22, p1=0x41, p2=0xA6, data=data))
        if answer.is_ok:
            return answer
    data = tlv.wrap(0x80, info.oid) + _key_reference(info)
    answer = link.send(Command(ins=0x22, p1=0x41, p2=0xA4, data=data))
    if not answer.is_ok:
        return answer
    content = tlv.wrap(0x7C, tlv.wrap(0x80, public))
    expected = EXTENDED_LE if isinstance(key.domain, DhDomain) else SHORT_LE
    return link.send(Command(ins=0x86, data=content, expected=expected))


def verify_chip_mapping(mapping: ChipMapping, card_security: SecurityInfos) -> Authentication:
    """Whether a static key of EF.CardSecurity, times the chip's scalar, is the mapping key that the chip used (section 4.4.3.5)."""
    keys = [key for key in card_security.chip_keys if key.domain == mapping.domain]
    if not keys:
        return Authentication(
            outcome=AuthOutcome.FAIL, protocol="PACE-CAM", reason="EF.CardSecurity holds no key for the chip's mapping"
        )
    for key in keys:
        try:
            is_same = mapping.domain.curve.multiply(mapping.scalar, key.public) == mapping.mapped
        except NotOnCurve:
            is_same = False
        if is_same:
            return Authentication(
                outcome=AuthOutcome.PASS, protocol="PACE-CAM", reason="the chip has the key of EF.CardSecurity"
            )
    return Authentication(
        outcome=AuthOutcome.FAIL,
        protocol="PACE-CAM",
        reason="the chip does not have the key of EF.CardSecurity: a copy",
    )


def _key_reference(info: ChipAuthenticationInfo) -> bytes:
    if info.key_id is None:
        return b""
    return tlv.wrap(0x84, info.key_id.to_bytes((info.key_id.bit_length() + 7) // 8 or 1))
