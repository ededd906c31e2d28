"""What a thermometer is to a lane: the present reading, or that there is none. It does not judge fever."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class TemperatureReading:
    body_celsius: float
    ambient_celsius: float
    read_ns: int
    """Host's monotonic clock."""


class Thermometer(ABC):
    @abstractmethod
    def start(self) -> None:
        """Opens the device. Raises `DeviceError` if it cannot be opened."""

    @abstractmethod
    def stop(self) -> None: ...

    @abstractmethod
    def read(self) -> TemperatureReading | None:
        """The last reading if it is recent; None while nobody is measured or the device is silent."""
