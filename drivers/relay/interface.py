"""What a turnstile with a relay and a passage contact can do, and what it cannot.

It is no `LaneIo`, on purpose. Nobody can say whether it is shut, how many stand in it, or whether who passed is who was cleared; it has no
token, no watchdog and no egress of its own. So it may stand where one person at a time passes *by its build* (a tripod, a full-height
rotor), after the decision, on the way out of a controlled area: never as door 1 or 2 of a lane, where the guard wants to know that a
door is shut, and never as the only way out of a room (its free rotation on fire is the door maker's wiring).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum


class TurnstileResult(StrEnum):
    DONE = "done"
    BUSY = "busy"
    """The last opening has neither been used nor expired: a second would let two pass."""
    REFUSED = "refused"
    """A fault stands, or the module said no."""
    NO_ANSWER = "no_answer"
    """It may have opened: the opening counts as given until it has expired."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnstileReady:
    """The module answers and the contact rests."""

    at_ns: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Passed:
    """Somebody passed on an opening."""

    at_ns: int
    opening: str
    """What `open_once` was told."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PassedUnasked:
    """Somebody passed without an opening, or more than one on the same: forced, or tailgating."""

    at_ns: int
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Unused:
    """Nobody passed while it was open."""

    at_ns: int
    opening: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnstileFault:
    """It cannot be trusted until `TurnstileReady`. An opening that was given is neither used nor unused: nobody knows."""

    at_ns: int
    reason: str


TurnstileEvent = TurnstileReady | Passed | PassedUnasked | Unused | TurnstileFault


class Turnstile(ABC):
    """All methods run in the event loop in which `start` was awaited; none raises for what turnstile or line does."""

    @abstractmethod
    async def start(self, on_event: Callable[[TurnstileEvent], None]) -> None:
        """Raises `DeviceError` if its line cannot be opened."""

    @abstractmethod
    async def stop(self) -> None: ...

    @abstractmethod
    async def open_once(self, opening: str) -> TurnstileResult:
        """Lets one person pass. The same `opening` again, while it is given, is DONE and does nothing."""
