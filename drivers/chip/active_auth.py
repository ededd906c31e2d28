"""Active authentication (Doc 9303-11 section 6.1): the chip signs our challenge with the key of DG15.

RSA signatures are ISO/IEC 9796-2 digital signature scheme 1 with partial recovery; ECDSA ones are plain (r and s side by side, TR-03111).
"""

from __future__ import annotations

import hashlib
import hmac

from drivers.chip import tlv
from drivers.chip.apdu import EXTENDED_LE, SHORT_LE, Command
from drivers.chip.domain import EcDomain
from drivers.chip.errors import ChipFailed, Reason
from drivers.chip.link import ChipLink
from drivers.chip.results import Authentication, AuthOutcome
from drivers.chip.security_infos import SecurityInfos, parse_public_key

CHALLENGE_BYTES = 8
_NAME = "AA"
_RSA = bytes.fromhex("2A864886F70D010101")
_TRAILERS = {0x33: "sha1", 0x34: "sha256", 0x35: "sha512", 0x36: "sha384", 0x38: "sha224"}
"""Hash by the first byte of a two-byte trailer that ends with CC (ISO/IEC 10118-3); BC alone is SHA-1."""
_ECDSA_HASHES = {1: "sha1", 2: "sha224", 3: "sha256", 4: "sha384", 5: "sha512"}
"""By the last number of ecdsa-plain-signatures, 0.4.0.127.0.7.1.1.4.1.n (TR-03111 section 5.2.1.1)."""
_PLAIN_ECDSA = bytes.fromhex("04007F000701010401")
_MAX_RSA_BITS = 8192
_SHORT_DG15_BYTES = 255
"""A DG15 with a key of 1536 bits has 231 bytes or so, one of 2048 bits 298."""


def ask_signature(link: ChipLink, challenge: bytes, dg15: bytes) -> bytes:
    """INTERNAL AUTHENTICATE. `ChipFailed` (broken) when the chip does not sign."""
    # A signature as long as the key fits a short answer up to 1536 bits or so; the DER of DG15 is a little longer than its key.
    is_long = link.session is not None and len(dg15) > _SHORT_DG15_BYTES
    answer = link.send(Command(ins=0x88, data=challenge, expected=EXTENDED_LE if is_long else SHORT_LE))
    if not answer.is_ok:
        raise ChipFailed(Reason.BROKEN, f"the chip does not sign the challenge (status {answer.sw:04X})")
    return answer.data


def verify_active_authentication(
    dg15: bytes, challenge: bytes, signature: bytes, infos: SecurityInfos | None
) -> Authentication:
    """``dg15`` whole with its tag; ``infos`` of DG14, which names the hash for ECDSA. Never raises for what a chip sent."""
    try:
        spki = tlv.only(dg15, 0x6F).value
        if _is_rsa(spki):
            return _judge("AA-RSA", _verify_rsa(spki, challenge, signature))
        return _judge("AA-ECDSA", _verify_ecdsa(spki, challenge, signature, infos))
    except ChipFailed as problem:
        outcome = AuthOutcome.NOT_SUPPORTED if problem.reason is Reason.UNSUPPORTED else AuthOutcome.FAIL
        return Authentication(outcome=outcome, protocol=_NAME, reason=problem.detail, key_file="DG15")


def _judge(protocol: str, is_valid: bool) -> Authentication:
    reason = "the chip signed the challenge" if is_valid else "the chip does not have the key of DG15: a copy"
    outcome = AuthOutcome.PASS if is_valid else AuthOutcome.FAIL
    return Authentication(outcome=outcome, protocol=protocol, reason=reason, key_file="DG15")


def _is_rsa(spki: bytes) -> bool:
    algorithm = tlv.only(tlv.only(spki, 0x30).value, 0x30)
    return tlv.find(algorithm.value, 0x06) == _RSA


def _verify_rsa(spki: bytes, challenge: bytes, signature: bytes) -> bool:
    bits = tlv.find(tlv.only(spki, 0x30).value, 0x03)
    numbers = [int.from_bytes(one.value) for one in tlv.only((bits or b"")[1:], 0x30).children() if one.tag == 0x02]
    if len(numbers) < 2:
        raise ChipFailed(Reason.BROKEN, "DG15 holds no RSA key")
    modulus, exponent = numbers[:2]
    if modulus.bit_length() > _MAX_RSA_BITS or exponent.bit_length() > 64 or modulus < 3:
        raise ChipFailed(Reason.UNSUPPORTED, "DG15 holds an RSA key of absurd size")
    size = (modulus.bit_length() + 7) // 8
    number = int.from_bytes(signature)
    if len(signature) != size or number >= modulus:
        return False
    # Everything here is public: no secret exponent, so plain arithmetic gives nothing away.
    return _matches(pow(number, exponent, modulus).to_bytes(size), challenge)


def _matches(recovered: bytes, challenge: bytes) -> bool:
    """Opens F = 6A || M1 || H(M1 || challenge) || trailer (ISO/IEC 9796-2 section 8; Doc 9303-11 appendix F)."""
    if recovered[0] & 0xE0 != 0x60:
        return False
    if recovered[-1] == 0xBC:
        name, trailer = "sha1", 1
    elif recovered[-1] == 0xCC and recovered[-2] in _TRAILERS:
        name, trailer = _TRAILERS[recovered[-2]], 2
    else:
        return False
    start = _after_padding(recovered)
    end = len(recovered) - trailer - hashlib.new(name, usedforsecurity=False).digest_size
    if not 0 < start <= end:
        return False
    digest = hashlib.new(name, recovered[start:end] + challenge, usedforsecurity=False).digest()
    return hmac.compare_digest(digest, recovered[end : len(recovered) - trailer])


def _after_padding(recovered: bytes) -> int:
    """Index after the header: 6A, or 6B BB .. BA where the message is too short to fill the number. 0 when it never ends."""
    if recovered[0] & 0x0F == 0x0A:
        return 1
    at = next((at for at, byte in enumerate(recovered) if byte & 0x0F == 0x0A), -1)
    return at + 1 if all(byte & 0x0F == 0x0B for byte in recovered[:at]) else 0


def _verify_ecdsa(spki: bytes, challenge: bytes, signature: bytes, infos: SecurityInfos | None) -> bool:
    domain, public = parse_public_key(spki)
    if not isinstance(domain, EcDomain):
        raise ChipFailed(Reason.UNSUPPORTED, "DG15 holds a key that signs nothing")
    oid = infos.active_authentication_oid if infos is not None else None
    if oid is None or not oid.startswith(_PLAIN_ECDSA) or oid[-1] not in _ECDSA_HASHES:
        raise ChipFailed(Reason.BROKEN, "DG14 does not say with which hash the chip signs")
    size = (domain.order.bit_length() + 7) // 8
    if len(signature) != 2 * size:
        return False
    r, s = int.from_bytes(signature[:size]), int.from_bytes(signature[size:])
    return domain.curve.verify(public, _ECDSA_HASHES[oid[-1]], challenge, r, s)
