"""Secure messaging as a chip does it (Doc 9303-11 section 9.8): commands opened, answers closed. Written apart from the reader's side."""

from __future__ import annotations

from dataclasses import replace

from drivers.chip.apdu import Command, Response
from drivers.chip.symmetric import ENC, MAC, BlockCipher, block_mac, decrypt_cbc, derive_key, encrypt_cbc, pad, unpad
from simulator.chip.tlv import tlv


class MessagingError(Exception):
    """A command that is not protected as it must be; the chip forgets its keys and answers 6987 or 6988."""

    def __init__(self, sw: int) -> None:
        super().__init__(f"{sw:04X}")
        self.sw = sw


class CardSession:
    """The chip's end of a session."""

    def __init__(self, cipher: BlockCipher, k_enc: bytes, k_mac: bytes, counter: int = 0) -> None:
        self.cipher = cipher
        self.k_enc = k_enc
        self.k_mac = k_mac
        self._counter = counter

    @classmethod
    def from_secret(cls, cipher: BlockCipher, secret: bytes) -> CardSession:
        return cls(cipher, derive_key(cipher, secret, ENC), derive_key(cipher, secret, MAC))

    def open(self, command: Command) -> Command:
        """The plain command. Raises MessagingError."""
        self._counter += 1
        objects = _objects(command.data)
        checksum = objects.pop(0x8E, None)
        if checksum is None:
            raise MessagingError(0x6987)
        covered = b"".join(tlv(tag, value) for tag, value in objects.items())
        message = (
            self._counter_bytes + pad(command.header, self._block) + (pad(covered, self._block) if covered else b"")
        )
        if block_mac(self.cipher, self.k_mac, message) != checksum:
            raise MessagingError(0x6988)
        data = b""
        if 0x87 in objects:
            data = self._decipher(objects[0x87][1:])
        elif 0x85 in objects:
            data = self._decipher(objects[0x85])
        expected = None
        if 0x97 in objects:
            length = objects[0x97]
            expected = int.from_bytes(length) or (256 if len(length) == 1 else 65536)
        return replace(command, cla=command.cla & 0xF0, data=data, expected=expected)

    def close(self, answer: Response, *, is_odd: bool = False) -> Response:
        """The protected answer. Its own status word repeats the protected one."""
        self._counter += 1
        body = b""
        if answer.data:
            enciphered = encrypt_cbc(self.cipher, self.k_enc, pad(answer.data, self._block), self._vector)
            body = tlv(0x85, enciphered) if is_odd else tlv(0x87, b"\x01", enciphered)
        body += tlv(0x99, answer.sw.to_bytes(2))
        checksum = block_mac(self.cipher, self.k_mac, pad(self._counter_bytes + body, self._block))
        return Response(data=body + tlv(0x8E, checksum), sw=answer.sw)

    def _decipher(self, data: bytes) -> bytes:
        return unpad(decrypt_cbc(self.cipher, self.k_enc, data, self._vector))

    @property
    def _block(self) -> int:
        return self.cipher.block_bytes

    @property
    def _counter_bytes(self) -> bytes:
        return self._counter.to_bytes(16)[-self._block :]

    @property
    def _vector(self) -> bytes:
        if self.cipher is BlockCipher.TDES:
            return bytes(8)
        return encrypt_cbc(self.cipher, self.k_enc, self._counter_bytes)


def _objects(data: bytes) -> dict[int, bytes]:
    """One-byte tags in order; a command from the reader may be trusted no more than one from anywhere."""
    found: dict[int, bytes] = {}
    at = 0
    while at < len(data):
        if len(data) - at < 2:
            raise MessagingError(0x6987)
        tag, first = data[at], data[at + 1]
        extra = first & 0x7F if first & 0x80 else 0
        size = int.from_bytes(data[at + 2 : at + 2 + extra]) if extra else first
        start = at + 2 + extra
        if start + size > len(data):
            raise MessagingError(0x6987)
        found[tag] = data[start : start + size]
        at = start + size
    return found
