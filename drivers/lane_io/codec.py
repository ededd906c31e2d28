"""Lane Link framing, sans-IO: bytes in, frames and faults out; never raises on what a line may carry.

On the wire a frame is `00 COBS(body) 00`. The body:

| offset | field | |
| --- | --- | --- |
| 0 | version | u8, 1 |
| 1 | sequence | u16 little-endian |
| 3 | type | u8, `MessageType` |
| 4 | payload | 0 to 64 bytes, fixed length for each type |
| n - 2 | CRC | u16 little-endian, CRC-16/IBM-3740 (poly 0x1021, init 0xFFFF) over bytes 0 to n - 3 |

The leading 00 ends whatever noise came before, so that a frame after noise is not lost with it.
COBS: S. Cheshire, M. Baker, "Consistent Overhead Byte Stuffing", IEEE/ACM Trans. Networking 7 (1999) 159.
CRC: catalogue of parametrised CRC algorithms (G. Cook), CRC-16/IBM-3740, check value 0x29B1.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from enum import StrEnum

from cobs import cobs
from fastcrc import crc16

from drivers.lane_io.protocol import MAX_PAYLOAD_BYTES, MESSAGES, PROTOCOL_VERSION, Message

_HEADER = struct.Struct("<BHB")
_CRC = struct.Struct("<H")
_MIN_BODY_BYTES = _HEADER.size + _CRC.size
_MAX_BODY_BYTES = _MIN_BODY_BYTES + MAX_PAYLOAD_BYTES
MAX_ENCODED_BYTES = _MAX_BODY_BYTES + 1
"""COBS adds one byte to a body of up to 254."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """One message with the number it travels under."""

    sequence: int
    """0 to 65535."""
    message: Message


class CodecFaultKind(StrEnum):
    BAD_COBS = "bad_cobs"
    BAD_CRC = "bad_crc"
    BAD_PAYLOAD = "bad_payload"
    TOO_LONG = "too_long"
    TOO_SHORT = "too_short"
    UNKNOWN_TYPE = "unknown_type"
    UNKNOWN_VERSION = "unknown_version"


@dataclass(frozen=True, slots=True, kw_only=True)
class CodecFault:
    """Bytes between two delimiters that are no frame."""

    kind: CodecFaultKind
    detail: str


def encode(frame: Frame) -> bytes:
    """The bytes to put on the line, delimiters included.

    Raises struct.error if the sequence or a field does not fit (a bug of the caller's).
    """
    body = _HEADER.pack(PROTOCOL_VERSION, frame.sequence, frame.message.TYPE) + frame.message.pack()
    encoded: bytes = cobs.encode(body + _CRC.pack(crc16.ibm_3740(body)))
    return b"\0" + encoded + b"\0"


class Decoder:
    """Cuts a stream of bytes into frames. Holds at most `MAX_ENCODED_BYTES` between calls."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._is_overlong = False

    def feed(self, data: bytes) -> list[Frame | CodecFault]:
        """Takes any bytes, in any pieces; returns what they completed, in order."""
        found: list[Frame | CodecFault] = []
        *complete, rest = data.split(b"\0")
        for part in complete:
            is_whole = not self._buffer and not self._is_overlong and len(part) <= MAX_ENCODED_BYTES
            piece = part if is_whole else self._finish(part)
            if piece is None:
                found.append(CodecFault(kind=CodecFaultKind.TOO_LONG, detail=f"over {MAX_ENCODED_BYTES} bytes"))
            elif piece:
                found.append(_decode(piece))
        if rest:
            self._take(rest)
        return found

    def _finish(self, part: bytes) -> bytes | None:
        """What was held and this together; None if it is too long."""
        self._take(part)
        piece = None if self._is_overlong else bytes(self._buffer)
        self._buffer.clear()
        self._is_overlong = False
        return piece

    def _take(self, part: bytes) -> None:
        if len(self._buffer) + len(part) > MAX_ENCODED_BYTES:
            self._is_overlong = True
            self._buffer.clear()
        if not self._is_overlong:
            self._buffer += part


def _decode(encoded: bytes) -> Frame | CodecFault:
    try:
        body: bytes = cobs.decode(encoded)
    except cobs.DecodeError as error:
        return CodecFault(kind=CodecFaultKind.BAD_COBS, detail=str(error))
    if len(body) < _MIN_BODY_BYTES:
        return CodecFault(kind=CodecFaultKind.TOO_SHORT, detail=f"{len(body)} bytes")
    checked, (stated,) = body[: -_CRC.size], _CRC.unpack(body[-_CRC.size :])
    actual = crc16.ibm_3740(checked)
    if actual != stated:
        return CodecFault(kind=CodecFaultKind.BAD_CRC, detail=f"stated {stated:04x}, computed {actual:04x}")
    version, sequence, type_byte = _HEADER.unpack_from(checked)
    if version != PROTOCOL_VERSION:
        return CodecFault(kind=CodecFaultKind.UNKNOWN_VERSION, detail=f"version {version}")
    kind = MESSAGES.get(type_byte)
    if kind is None:
        return CodecFault(kind=CodecFaultKind.UNKNOWN_TYPE, detail=f"type {type_byte:#04x}")
    try:
        message = kind.unpack(checked[_HEADER.size :])
    except ValueError as error:
        return CodecFault(kind=CodecFaultKind.BAD_PAYLOAD, detail=str(error))
    return Frame(sequence=sequence, message=message)
