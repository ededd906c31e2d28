"""What opens a chip: the machine-readable zone, or the card access number printed on the page (Doc 9303-11 sections 4.3.2, 4.4.4.1)."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field

_WEIGHTS = (7, 3, 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class MrzKey:
    """Out of the MRZ. ``document_number`` without its check digit (fillers at the end do not matter), dates YYMMDD as printed."""

    document_number: str = field(repr=False)
    birth_date: str = field(repr=False)
    expiry_date: str = field(repr=False)

    @property
    def reference(self) -> int:
        return 0x01

    @property
    def secret(self) -> bytes:
        """K, 20 bytes: SHA-1 over number, dates and their check digits."""
        number = self.document_number.rstrip("<").ljust(9, "<")
        text = "".join(part + str(_check_digit(part)) for part in (number, self.birth_date, self.expiry_date))
        return hashlib.sha1(text.encode("ascii"), usedforsecurity=False).digest()


@dataclass(frozen=True, slots=True, kw_only=True)
class CanKey:
    """Card access number, six digits. Opens PACE only."""

    number: str = field(repr=False)

    @property
    def reference(self) -> int:
        return 0x02

    @property
    def secret(self) -> bytes:
        return self.number.encode("latin-1")


AccessKey = MrzKey | CanKey


def _check_digit(text: str) -> int:
    """Doc 9303-3 section 4.9."""
    return sum(_value(character) * _WEIGHTS[at % 3] for at, character in enumerate(text)) % 10


def _value(character: str) -> int:
    if character == "<":
        return 0
    value = int(character, 36) if character.isascii() and character.isalnum() and not character.islower() else None
    if value is None:
        raise ValueError("a key of the MRZ has capital letters, digits and fillers only")
    return value
