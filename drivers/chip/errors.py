"""Why a chip was not read: told apart, because a policy treats them differently."""

from __future__ import annotations

from enum import StrEnum


class Reason(StrEnum):
    """What stood in the way."""

    NO_CHIP = "no_chip"
    """Nothing answers at the antenna: a document without a chip, a shielded or a dead one."""
    SILENT = "silent"
    """A chip was there and did not answer a command within its time."""
    REMOVED = "removed"
    """The document left the field in the middle of the reading, more often than it was tried again."""
    DENIED = "denied"
    """The chip refuses the key of the MRZ or the card access number."""
    BROKEN = "broken"
    """What it sends is not what the standard allows: bad lengths, checksums that do not hold, endless or truncated files."""
    UNSUPPORTED = "unsupported"
    """It asks for a protocol or a parameter that we do not have."""
    OUT_OF_TIME = "out_of_time"
    """It answers, but slower than the time that the lane gives it."""


class ChipFailed(Exception):
    """Ends a reading; `drivers.chip.reader` turns it into a `ChipUnread`.

    `str()` is one sentence that an officer understands.
    """

    def __init__(self, reason: Reason, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason
        self.detail = detail
