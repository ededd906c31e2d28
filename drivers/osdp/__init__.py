"""Readers, key pads, lamps and buzzers on RS-485 that speak OSDP (IEC 60839-11-5), always in the secure channel."""

from drivers.osdp.interface import (
    AccessReader,
    CardFormat,
    CardRead,
    KeysPressed,
    ReaderColour,
    ReaderEvent,
    ReaderLost,
    ReaderResult,
    ReaderSound,
    ReaderUp,
)

__all__ = [
    "AccessReader",
    "CardFormat",
    "CardRead",
    "KeysPressed",
    "ReaderColour",
    "ReaderEvent",
    "ReaderLost",
    "ReaderResult",
    "ReaderSound",
    "ReaderUp",
]
