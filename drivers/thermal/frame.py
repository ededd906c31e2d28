"""A thermal picture on a serial line, sans-IO (docs/protocols/thermal.md): COBS frames, ended by 0x00.

    offset  size  field
    0       1     version, 1
    1       2     sequence, counts up, wraps
    3       1     rows, 1..64
    4       1     columns, 1..64
    5       2     temperature of the housing, hundredths of a degree Celsius, signed
    7       2n    n = rows x columns temperatures, hundredths of a kelvin, row by row from the top left as the camera looks
    7+2n    2     CRC-16/IBM-3740 over all before

All numbers big-endian.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

import numpy as np
from cobs import cobs
from fastcrc import crc16
from numpy.typing import NDArray

VERSION = 1
MOST_SIDE = 64
MAX_FRAME_BYTES = 7 + 2 * MOST_SIDE * MOST_SIDE + 2 + 64
_HEAD = struct.Struct(">BHBBh")
_ZERO_CELSIUS_K = 273.15


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ThermalFrame:
    """``celsius`` is float32 (rows, columns)."""

    sequence: int
    ambient_celsius: float
    celsius: NDArray[np.float32]


def encode_frame(frame: ThermalFrame) -> bytes:
    """With its end."""
    rows, columns = frame.celsius.shape
    head = _HEAD.pack(VERSION, frame.sequence & 0xFFFF, rows, columns, round(frame.ambient_celsius * 100))
    kelvin = np.clip(np.round((frame.celsius + _ZERO_CELSIUS_K) * 100), 0, 0xFFFF).astype(">u2")
    body = head + kelvin.tobytes()
    encoded: bytes = cobs.encode(body + struct.pack(">H", crc16.ibm_3740(body)))
    return encoded + b"\x00"


def decode_frame(data: bytes) -> ThermalFrame | None:
    """One frame without its end; None for noise, half a frame, a wrong checksum or another version."""
    try:
        raw = cobs.decode(data)
    except cobs.DecodeError:
        return None
    if len(raw) < _HEAD.size + 2 or crc16.ibm_3740(raw[:-2]) != int.from_bytes(raw[-2:], "big"):
        return None
    version, sequence, rows, columns, ambient = _HEAD.unpack_from(raw)
    is_sized = 1 <= rows <= MOST_SIDE and 1 <= columns <= MOST_SIDE and len(raw) == _HEAD.size + 2 * rows * columns + 2
    if version != VERSION or not is_sized:
        return None
    kelvin = np.frombuffer(raw, ">u2", rows * columns, _HEAD.size).reshape(rows, columns)
    celsius = kelvin.astype(np.float32) / np.float32(100) - np.float32(_ZERO_CELSIUS_K)
    return ThermalFrame(sequence=sequence, ambient_celsius=ambient / 100, celsius=celsius)
