"""What optional witnesses say. They are asked, they do not push; silence and doubt are None, never "all is well"."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from enum import StrEnum


class RadiationAlarm(StrEnum):
    GAMMA = "gamma"
    NEUTRON = "neutron"


@dataclass(frozen=True, slots=True, kw_only=True)
class RadiationReading:
    """What a radiation portal monitor (IEC 62244) says by its contacts."""

    read_ns: int
    """Host's monotonic clock; nothing in it is older."""
    alarms: frozenset[RadiationAlarm]
    """Seen since the time that was asked for, also if it has ended."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MatReading:
    read_ns: int
    is_occupied: bool
    mass_kg: float | None
    """None for a mat that does not weigh."""


class RadiationPortal(ABC):
    @abstractmethod
    async def start(self) -> None:
        """Raises `DeviceError` if its line cannot be opened."""

    @abstractmethod
    async def stop(self) -> None: ...

    @abstractmethod
    def read(self, since_ns: int) -> RadiationReading | None:
        """Alarms since then. None when it was not watched all that time, or the portal says that it is out of order."""


class FloorMat(ABC):
    @abstractmethod
    async def start(self) -> None:
        """Raises `DeviceError` if its line cannot be opened."""

    @abstractmethod
    async def stop(self) -> None: ...

    @abstractmethod
    def read(self) -> MatReading | None:
        """The present reading; None when it is old, or beyond what the mat can show."""
