"""Who is looked at by lot. Random to everybody outside, and afterwards anybody with the day's key can work out that it was no choice.

The lot is HMAC-SHA-256 (RFC 2104) of the case under a key of the day, as a number from 0 to 1. The day's key is derived from the
port's secret (RFC 5869, the expand step), so that handing one day's key to an auditor tells nothing of another day.
"""

import hmac
from datetime import date
from hashlib import sha256

_LABEL = b"tongguan risk sampling "


def day_key(secret: bytes, day: date) -> bytes:
    """32 bytes for one day. ``secret``: at least 32 random bytes of the port. Raises ValueError for a shorter one."""
    if len(secret) < 32:
        raise ValueError("the secret of sampling has at least 32 bytes")
    return hmac.new(secret, _LABEL + day.isoformat().encode("ascii") + b"\x01", sha256).digest()


def lot(key: bytes, case_id: str) -> float:
    """From 0 (included) to 1 (excluded), the same for the same case and key."""
    digest = hmac.new(key, case_id.encode(), sha256).digest()
    return (int.from_bytes(digest[:8], "big") >> 11) / (1 << 53)


def is_drawn(key: bytes, case_id: str, rate: float) -> bool:
    """Whether the case is drawn at this rate (0: nobody, 1: everybody)."""
    return lot(key, case_id) < rate
