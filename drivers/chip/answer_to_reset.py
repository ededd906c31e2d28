"""What a chip says of itself when it is powered up (ISO/IEC 7816-3 section 8; PC/SC part 3 section 3.1.3.2.3 for contactless chips)."""

from __future__ import annotations

_CAPABILITIES = 0x7
_EXTENDED = 0x40


def historical_bytes(atr: bytes) -> bytes:
    """The historical bytes of an answer to reset; empty when it is cut short."""
    if len(atr) < 2:
        return b""
    count, at, present = atr[1] & 0x0F, 2, atr[1] >> 4
    while present:
        at += present.bit_count()
        # Each TD announces the next group of interface bytes; it is the last byte of its own.
        follows = present & 0x8
        present = atr[at - 1] >> 4 if follows and at <= len(atr) else 0
    return atr[at : at + count]


def has_extended_length(atr: bytes) -> bool:
    """Whether the card capabilities (compact TLV, ISO/IEC 7816-4 section 12.1.1.9) promise extended Lc and Le.

    A chip that says nothing is taken for one that has not: short commands always work.
    """
    found = historical_bytes(atr)
    if found[:1] not in (b"\x80", b"\x00"):
        return False
    at = 1
    while at < len(found):
        tag, size = found[at] >> 4, found[at] & 0x0F
        value = found[at + 1 : at + 1 + size]
        if tag == _CAPABILITIES and len(value) >= 3:
            return bool(value[2] & _EXTENDED)
        at += 1 + size
    return False
