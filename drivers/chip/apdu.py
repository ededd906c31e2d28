"""Command and response APDUs (ISO/IEC 7816-3 section 12, 7816-4 section 5) as values; no transmission here."""

from __future__ import annotations

from dataclasses import dataclass

from drivers.chip.errors import ChipFailed, Reason

SHORT_LE = 256
EXTENDED_LE = 65536

OK = 0x9000
END_OF_FILE = 0x6282
"""Fewer bytes were there than asked for (READ BINARY)."""
NOT_FOUND = 0x6A82
SECURITY_NOT_SATISFIED = 0x6982
WRONG_LENGTH = 0x6700
OFFSET_OUTSIDE = 0x6B00


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """``expected`` is Ne: the most bytes that may come back, 1..65536; None when no data is expected."""

    cla: int = 0x00
    ins: int
    p1: int = 0x00
    p2: int = 0x00
    data: bytes = b""
    expected: int | None = None

    @property
    def header(self) -> bytes:
        return bytes((self.cla, self.ins, self.p1, self.p2))

    @property
    def is_extended(self) -> bool:
        """Whether it does not fit a short APDU."""
        return len(self.data) > 255 or (self.expected or 0) > SHORT_LE

    def encode(self) -> bytes:
        """The bytes to transmit, in short form where that is possible. ValueError outside 65535 bytes of data or Ne 65536."""
        expected = self.expected
        if len(self.data) > 65535 or (expected is not None and not 1 <= expected <= EXTENDED_LE):
            raise ValueError(f"no APDU carries {len(self.data)} bytes and expects {expected}")
        if not self.is_extended:
            body = bytes((len(self.data),)) + self.data if self.data else b""
            return self.header + body + (b"" if expected is None else bytes((expected % 256,)))
        lc = b"\x00" + len(self.data).to_bytes(2) + self.data if self.data else b""
        if expected is None:
            return self.header + lc
        le = (expected % EXTENDED_LE).to_bytes(2)
        return self.header + (lc + le if lc else b"\x00" + le)


@dataclass(frozen=True, slots=True, kw_only=True)
class Response:
    """``sw`` is the status word, 0x0000..0xFFFF."""

    data: bytes = b""
    sw: int

    @property
    def is_ok(self) -> bool:
        return self.sw == OK

    def encode(self) -> bytes:
        return self.data + self.sw.to_bytes(2)


def parse_response(raw: bytes) -> Response:
    """What came back. `ChipFailed` (broken) when it does not end with a status word, which is 6xxx or 9xxx."""
    if len(raw) < 2:
        raise ChipFailed(Reason.BROKEN, f"the chip's answer has {len(raw)} bytes, too few for a status word")
    if raw[-2] >> 4 not in (0x6, 0x9):
        raise ChipFailed(
            Reason.BROKEN, f"the chip's answer ends with {raw[-2:].hex().upper()}, which is no status word"
        )
    return Response(data=raw[:-2], sw=int.from_bytes(raw[-2:]))


def parse_command(raw: bytes) -> Command:
    """The card's side of :meth:`Command.encode`: all seven cases. ValueError when the lengths do not agree."""
    if len(raw) < 4:
        raise ValueError("an APDU has at least four bytes")
    cla, ins, p1, p2 = raw[:4]
    body = raw[4:]
    data, expected = b"", None
    if len(body) == 1:
        expected = body[0] or SHORT_LE
    elif body and body[0]:
        data, rest = body[1 : 1 + body[0]], body[1 + body[0] :]
        if len(data) != body[0] or len(rest) > 1:
            raise ValueError("Lc does not agree with the bytes that follow")
        expected = (rest[0] or SHORT_LE) if rest else None
    elif len(body) == 3:
        expected = int.from_bytes(body[1:]) or EXTENDED_LE
    elif body:
        count = int.from_bytes(body[1:3])
        data, rest = body[3 : 3 + count], body[3 + count :]
        if len(body) < 3 or not count or len(data) != count or len(rest) not in (0, 2):
            raise ValueError("extended Lc does not agree with the bytes that follow")
        expected = (int.from_bytes(rest) or EXTENDED_LE) if rest else None
    return Command(cla=cla, ins=ins, p1=p1, p2=p2, data=data, expected=expected)
