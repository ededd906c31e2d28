"""Block ciphers of the chip's protocols: keys, CBC, checksums (Doc 9303-11 section 9.7 and 9.8). Primitives are OpenSSL's."""

from __future__ import annotations

import hashlib
from enum import StrEnum

from cryptography.hazmat.decrepit.ciphers.algorithms import TripleDES
from cryptography.hazmat.primitives.ciphers import Cipher, CipherContext, modes
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.cmac import CMAC

from drivers.chip.errors import ChipFailed, Reason

ENC, MAC, PASSWORD = 1, 2, 3
"""Counters of the key derivation function: for enciphering, for checksums, out of a password."""

MAC_BYTES = 8


class BlockCipher(StrEnum):
    """``TDES`` is 3DES with two keys."""

    TDES = "3DES"
    AES_128 = "AES-128"
    AES_192 = "AES-192"
    AES_256 = "AES-256"

    @property
    def key_bytes(self) -> int:
        return _KEY_BYTES[self]

    @property
    def block_bytes(self) -> int:
        return 8 if self is BlockCipher.TDES else 16


_KEY_BYTES = {BlockCipher.TDES: 16, BlockCipher.AES_128: 16, BlockCipher.AES_192: 24, BlockCipher.AES_256: 32}


def derive_key(cipher: BlockCipher, secret: bytes, counter: int) -> bytes:
    """KDF of section 9.7.1: SHA-1 for 3DES and AES-128, SHA-256 for longer keys. 3DES keys get odd parity, as the examples have it."""
    long_key = cipher in (BlockCipher.AES_192, BlockCipher.AES_256)
    hashed = hashlib.sha256 if long_key else hashlib.sha1
    key = hashed(secret + counter.to_bytes(4), usedforsecurity=False).digest()[: cipher.key_bytes]
    return bytes(map(_odd_parity, key)) if cipher is BlockCipher.TDES else key


def encrypt_cbc(cipher: BlockCipher, key: bytes, data: bytes, iv: bytes | None = None) -> bytes:
    """Whole blocks; the initial vector is zero unless given."""
    context = Cipher(_algorithm(cipher, key), modes.CBC(iv or bytes(cipher.block_bytes))).encryptor()
    return context.update(data) + context.finalize()


def decrypt_cbc(cipher: BlockCipher, key: bytes, data: bytes, iv: bytes | None = None) -> bytes:
    """The inverse. `ChipFailed` (broken) when these are not whole blocks."""
    if not data or len(data) % cipher.block_bytes:
        raise ChipFailed(Reason.BROKEN, f"the chip sent {len(data)} bytes where whole cipher blocks belong")
    context = Cipher(_algorithm(cipher, key), modes.CBC(iv or bytes(cipher.block_bytes))).decryptor()
    return context.update(data) + context.finalize()


def block_mac(cipher: BlockCipher, key: bytes, data: bytes) -> bytes:
    """Eight bytes over whole blocks: retail MAC (ISO/IEC 9797-1 algorithm 3) with 3DES, CMAC with AES."""
    if cipher is not BlockCipher.TDES:
        return token_mac(cipher, key, data)
    # All but the last block under the first key alone, the last under both: that is algorithm 3.
    first = key[:8]
    chained = bytes(8)
    if len(data) > 8:
        single = Cipher(TripleDES(first * 3), modes.CBC(bytes(8))).encryptor()
        chained = single.update(data[:-8])[-8:]
    return encrypt_cbc(cipher, key, data[-8:], chained)


def token_mac(cipher: BlockCipher, key: bytes, data: bytes) -> bytes:
    """Eight bytes over any length: CMAC as it is with AES; padded by method 2 first with 3DES (sections 9.8.6, 4.4.3.4)."""
    if cipher is BlockCipher.TDES:
        return block_mac(cipher, key, pad(data, 8))
    context = CMAC(AES(key))
    context.update(data)
    return context.finalize()[:MAC_BYTES]


class SessionCipher:
    """Two keys of a session with what can be prepared once: a command costs no key schedule, an answer no context either."""

    def __init__(self, cipher: BlockCipher, k_enc: bytes, k_mac: bytes) -> None:
        self.cipher = cipher
        self._block_bytes = cipher.block_bytes
        self._k_mac = k_mac
        self._algorithm = _algorithm(cipher, k_enc)
        self._chain = Cipher(self._algorithm, modes.CBC(bytes(self._block_bytes))).decryptor()
        self._vectors: CipherContext | None = None
        self._checksum: CMAC | None = None
        if cipher is not BlockCipher.TDES:
            self._vectors = Cipher(self._algorithm, modes.ECB()).encryptor()  # noqa: S305 - one block of a counter each
            self._checksum = CMAC(AES(k_mac))

    def encrypt(self, counter: bytes, data: bytes) -> bytes:
        """Whole blocks, under the initial vector that belongs to this counter."""
        context = Cipher(self._algorithm, modes.CBC(self._vector(counter))).encryptor()
        return context.update(data) + context.finalize()

    def decrypt(self, counter: bytes, data: bytes) -> bytes:
        """The inverse. `ChipFailed` (broken) when these are not whole blocks."""
        if not data or len(data) % self._block_bytes:
            raise ChipFailed(Reason.BROKEN, f"the chip sent {len(data)} bytes where whole cipher blocks belong")
        # CBC adds to each block the enciphered one before it: put there, an initial vector needs no new context.
        return self._chain.update(self._vector(counter) + data)[self._block_bytes :]

    def mac(self, data: bytes) -> bytes:
        """:func:`block_mac` with the session's key."""
        if self._checksum is None:
            return block_mac(self.cipher, self._k_mac, data)
        context = self._checksum.copy()
        context.update(data)
        return context.finalize()[:MAC_BYTES]

    def _vector(self, counter: bytes) -> bytes:
        """AES enciphers with an initial vector of its own for each message, the enciphered counter; 3DES with zero."""
        return bytes(self._block_bytes) if self._vectors is None else self._vectors.update(counter)


def pad(data: bytes, block_bytes: int) -> bytes:
    """ISO/IEC 9797-1 padding method 2: one set bit, then zeros up to a whole block."""
    return data + b"\x80" + bytes(-(len(data) + 1) % block_bytes)


def unpad(data: bytes) -> bytes:
    """The inverse. `ChipFailed` (broken) when there is no padding."""
    bare = data.rstrip(b"\x00")
    if not bare.endswith(b"\x80"):
        raise ChipFailed(Reason.BROKEN, "what the chip enciphered has no padding")
    return bare[:-1]


def _algorithm(cipher: BlockCipher, key: bytes) -> AES | TripleDES:
    return TripleDES(key + key[:8]) if cipher is BlockCipher.TDES else AES(key)


def _odd_parity(byte: int) -> int:
    upper = byte & 0xFE
    return upper | (upper.bit_count() + 1) % 2
