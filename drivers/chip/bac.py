"""Basic access control (Doc 9303-11 section 4.3): the old way in, where a chip does not offer PACE."""

from __future__ import annotations

import hmac

from drivers.chip.access_key import MrzKey
from drivers.chip.apdu import Command, Response
from drivers.chip.domain import Random
from drivers.chip.errors import ChipFailed, Reason
from drivers.chip.link import ChipLink
from drivers.chip.secure_messaging import SecureSession
from drivers.chip.symmetric import ENC, MAC, BlockCipher, decrypt_cbc, derive_key, encrypt_cbc, token_mac

_CIPHER = BlockCipher.TDES
_SEED_BYTES = 16
_CHALLENGE_BYTES = 8
_ANSWER_BYTES = 40


def basic_access(link: ChipLink, key: MrzKey, random: Random) -> SecureSession:
    """Authenticate both sides and agree on keys; the eMRTD application is selected. `ChipFailed` (denied) for a wrong key."""
    challenge = link.send(Command(ins=0x84, expected=_CHALLENGE_BYTES))
    if not challenge.is_ok or len(challenge.data) != _CHALLENGE_BYTES:
        raise ChipFailed(
            Reason.UNSUPPORTED, f"the chip gives no challenge for basic access (status {challenge.sw:04X})"
        )
    with link.crypto():
        seed = key.secret[:_SEED_BYTES]
        k_enc, k_mac = derive_key(_CIPHER, seed, ENC), derive_key(_CIPHER, seed, MAC)
        ours, key_part = random(_CHALLENGE_BYTES), random(_SEED_BYTES)
        cryptogram = encrypt_cbc(_CIPHER, k_enc, ours + challenge.data + key_part)
        data = cryptogram + token_mac(_CIPHER, k_mac, cryptogram)
    answer = link.send(Command(ins=0x82, data=data, expected=_ANSWER_BYTES))
    with link.crypto():
        theirs = _verify(answer, k_enc, k_mac, challenge.data, ours)
        secret = bytes(a ^ b for a, b in zip(key_part, theirs, strict=True))
        counter = int.from_bytes(challenge.data[-4:] + ours[-4:])
        return SecureSession(_CIPHER, derive_key(_CIPHER, secret, ENC), derive_key(_CIPHER, secret, MAC), counter)


def _verify(answer: Response, k_enc: bytes, k_mac: bytes, theirs: bytes, ours: bytes) -> bytes:
    """The chip's part of the key, after its checksum and both challenges."""
    if not answer.is_ok:
        raise ChipFailed(Reason.DENIED, f"the chip refuses the key of the MRZ (status {answer.sw:04X})")
    if len(answer.data) != _ANSWER_BYTES:
        raise ChipFailed(Reason.BROKEN, f"the chip's answer to basic access has {len(answer.data)} bytes")
    cryptogram, checksum = answer.data[:-8], answer.data[-8:]
    if not hmac.compare_digest(token_mac(_CIPHER, k_mac, cryptogram), checksum):
        raise ChipFailed(Reason.BROKEN, "the chip does not prove that it knows its own MRZ")
    plain = decrypt_cbc(_CIPHER, k_enc, cryptogram)
    if not hmac.compare_digest(plain[:16], theirs + ours):
        raise ChipFailed(Reason.BROKEN, "the chip's answer to basic access belongs to another challenge")
    return plain[16:]
