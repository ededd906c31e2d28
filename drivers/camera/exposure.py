"""What a camera's exposure is to a lane: automatic, or a time. Which time is right, it does not judge."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class ExposureState:
    """Times in microseconds. ``time_us`` is what is set; while ``is_auto``, what the camera last said of it, if anything."""

    is_auto: bool
    time_us: int | None
    least_us: int
    most_us: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ExposureFault:
    """The camera cannot be asked or told; `reason` in a few words. Its pictures may come all the same."""

    reason: str


class ExposureControl(ABC):
    """Blocks for as long as the camera takes, at most a bounded time: not for a thread that looks at frames."""

    @abstractmethod
    def read(self) -> ExposureState | ExposureFault: ...

    @abstractmethod
    def set_auto(self) -> ExposureFault | None:
        """The camera sees to it alone."""

    @abstractmethod
    def set_time_us(self, time_us: int) -> ExposureFault | None:
        """Manual, of this time, moved into the camera's limits."""

    @abstractmethod
    def close(self) -> None:
        """Frees what was opened; the camera keeps its setting."""
