"""What a reader for staff cards and PINs is: cards and keys come out of it, light and sound go in.

It does not know whose card it is and opens nothing. A card number is no secret and no proof (a Wiegand number can be copied): whoever
acts on one must want a PIN or an officer's session as well.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum


class CardFormat(StrEnum):
    RAW = "raw"
    WIEGAND = "wiegand"
    ASCII = "ascii"


class ReaderColour(StrEnum):
    OFF = "off"
    RED = "red"
    GREEN = "green"
    AMBER = "amber"
    BLUE = "blue"


class ReaderSound(StrEnum):
    OFF = "off"
    SHORT = "short"
    DOUBLE = "double"


class ReaderResult(StrEnum):
    """What became of a command. NO_ANSWER leaves open whether the reader acted."""

    DONE = "done"
    REFUSED = "refused"
    NO_ANSWER = "no_answer"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReaderUp:
    """The reader answers in the secure channel. Its light and sound are not known."""

    at_ns: int
    address: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ReaderLost:
    at_ns: int
    address: int
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CardRead:
    at_ns: int
    """Host's monotonic clock when the reader told it."""
    address: int
    format: CardFormat
    bit_count: int
    data: bytes
    """The card's bits, the first in the most significant bit of the first byte."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KeysPressed:
    at_ns: int
    address: int
    keys: str = field(repr=False)
    """Digits, `*` and `#`, as pressed since the last report. Never to be logged: it may be a PIN, so `repr` leaves it out."""


ReaderEvent = ReaderUp | ReaderLost | CardRead | KeysPressed


class AccessReader(ABC):
    """One reader. All methods run in the event loop in which `start` was awaited; none raises for what reader or line does."""

    @abstractmethod
    async def start(self, on_event: Callable[[ReaderEvent], None]) -> None:
        """Begins to ask the reader. Raises `DeviceError` if its line or key cannot be used."""

    @abstractmethod
    async def stop(self) -> None: ...

    @property
    @abstractmethod
    def is_up(self) -> bool:
        """The secure channel stands."""

    @abstractmethod
    async def show(self, colour: ReaderColour, *, is_blinking: bool = False) -> ReaderResult:
        """Lights the reader until told otherwise."""

    @abstractmethod
    async def sound(self, sound: ReaderSound) -> ReaderResult: ...
