"""Secure messaging (Doc 9303-11 section 9.8): every command and answer enciphered and under a checksum, replayable by nobody."""

from __future__ import annotations

import hmac

from drivers.chip import tlv
from drivers.chip.apdu import EXTENDED_LE, SHORT_LE, Command, Response
from drivers.chip.errors import ChipFailed, Reason
from drivers.chip.symmetric import ENC, MAC, BlockCipher, SessionCipher, derive_key, pad, unpad

_DATA, _PLAIN_ODD, _LE, _STATUS, _CHECKSUM = 0x87, 0x85, 0x97, 0x99, 0x8E
_SECURE_CLASS = 0x0C


class SecureSession:
    """One session's keys and its counter; the terminal's side."""

    def __init__(self, cipher: BlockCipher, k_enc: bytes, k_mac: bytes, counter: int = 0) -> None:
        """``counter``: the send sequence counter before the first command; zero but after BAC."""
        self.cipher = cipher
        self._keyed = SessionCipher(cipher, k_enc, k_mac)
        self._block = cipher.block_bytes
        self._counter = counter

    @classmethod
    def from_secret(cls, cipher: BlockCipher, secret: bytes) -> SecureSession:
        """The session after PACE or chip authentication, out of the agreed secret."""
        return cls(cipher, derive_key(cipher, secret, ENC), derive_key(cipher, secret, MAC))

    @property
    def counter(self) -> int:
        return self._counter

    def protect(self, command: Command) -> Command:
        """The same command in secure messaging."""
        header = bytes((command.cla | _SECURE_CLASS, command.ins, command.p1, command.p2))
        vector = self._next()
        body = b""
        if command.data:
            enciphered = self._keyed.encrypt(vector, pad(command.data, self._block))
            odd = command.ins & 1
            body = tlv.wrap(_PLAIN_ODD, enciphered) if odd else tlv.wrap(_DATA, b"\x01" + enciphered)
        if command.expected is not None:
            wide = command.expected > SHORT_LE or len(command.data) > 255
            body += tlv.wrap(
                _LE, (command.expected % EXTENDED_LE).to_bytes(2) if wide else bytes((command.expected % 256,))
            )
        covered = vector + pad(header, self._block)
        # A header alone is whole blocks already; padding is added to the data objects only.
        covered += pad(body, self._block) if body else b""
        body += tlv.wrap(_CHECKSUM, self._keyed.mac(covered))
        is_long = len(body) > 255 or (command.expected or 0) > SHORT_LE
        expected = EXTENDED_LE if is_long else SHORT_LE
        return Command(cla=header[0], ins=command.ins, p1=command.p1, p2=command.p2, data=body, expected=expected)

    def unprotect(self, answer: Response) -> Response:
        """The plain answer. `ChipFailed` (broken) when it is not protected, or its checksum does not hold."""
        vector = self._next()
        parts: dict[int, bytes] = {}
        data, at, checksum = answer.data, 0, b""
        while at < len(data):
            tag, begin, end = tlv.span(data, at)
            if tag == _CHECKSUM:
                checksum = data[begin:end]
                break  # it is over what stands before it; nothing after it counts
            parts[tag] = data[begin:end]
            at = end
        status = parts.get(_STATUS, b"")
        if not checksum or len(status) != 2:
            raise ChipFailed(Reason.BROKEN, f"the chip left secure messaging with status {answer.sw:04X}")
        expected = self._keyed.mac(pad(vector + data[:at], self._block))
        if not hmac.compare_digest(expected, checksum):
            raise ChipFailed(Reason.BROKEN, "the checksum of the chip's answer does not hold")
        return Response(data=self._decipher(parts, vector), sw=int.from_bytes(status))

    def _decipher(self, parts: dict[int, bytes], vector: bytes) -> bytes:
        content = parts.get(_DATA)
        if content is not None:
            if content[:1] != b"\x01":
                raise ChipFailed(Reason.BROKEN, "the chip names a padding that secure messaging does not have")
            return unpad(self._keyed.decrypt(vector, content[1:]))
        odd = parts.get(_PLAIN_ODD)
        return b"" if odd is None else unpad(self._keyed.decrypt(vector, odd))

    def _next(self) -> bytes:
        self._counter += 1
        return (self._counter % (1 << (8 * self._block))).to_bytes(self._block)
