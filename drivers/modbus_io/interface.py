"""What an I/O module is to the drivers above it: switches that are read, relays that are set, perhaps some numbers.

It knows no doors and no lanes. Whoever wires a relay to a door decides what that relay means.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum


class IoResult(StrEnum):
    """What became of a write. NO_ANSWER leaves open whether the module acted: look at the next image's outputs."""

    DONE = "done"
    REFUSED = "refused"
    """The module said no (Modbus exception), or the check before the write did."""
    NO_ANSWER = "no_answer"


@dataclass(frozen=True, slots=True, kw_only=True)
class IoImage:
    """Everything the module showed in one poll, never a difference."""

    asked_ns: int
    """Host's monotonic clock before the first question of the poll: nothing in the image is older than that."""
    sequence: int
    inputs: tuple[bool, ...]
    outputs: tuple[bool, ...]
    """As the module reports them, not as they were written."""
    registers: tuple[int, ...] = ()
    """Input registers, 0 to 65535 each."""


@dataclass(frozen=True, slots=True, kw_only=True)
class IoLost:
    """The module does not answer; nothing is known of it until the next image."""

    at_ns: int
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class IoRestarted:
    """Outputs are not as they were written: the module has restarted, or somebody else writes to it."""

    at_ns: int
    reason: str


IoReport = IoImage | IoLost | IoRestarted


class IoModule(ABC):
    """One module. All methods run in the event loop in which `start` was awaited; none raises for what the line does."""

    @abstractmethod
    async def start(self, on_report: Callable[[IoReport], None]) -> None:
        """Begins to poll. Raises `DeviceError` if the line cannot be opened at all."""

    @abstractmethod
    async def stop(self) -> None:
        """Ends polling. Outputs stay as they are: what must not stay needs a watchdog in its wiring."""

    @property
    @abstractmethod
    def image(self) -> IoImage | None:
        """The last image; None before the first and while the module is lost."""

    @abstractmethod
    async def write(
        self,
        outputs: Mapping[int, bool],
        *,
        check: Callable[[IoImage], bool] | None = None,
        pulse_ms: int | None = None,
    ) -> IoResult:
        """Sets outputs by their number, in the order given.

        With `check`, a fresh image is read first, without anything between on the line, and REFUSED is returned if the check
        says no. With `pulse_ms`, the outputs are set to the opposite after that time (again until the module takes it).
        """
