"""What a thermometer is to a lane: the present reading, or that there is none and why. It does not judge fever."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass

Box = tuple[float, float, float, float]
"""Left, top, right, bottom as shares (0..1) of a picture's width and height."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TemperatureReading:
    body_celsius: float
    """Of the warmest skin that is seen, after correction."""
    ambient_celsius: float
    read_ns: int
    """Host's monotonic clock."""
    correction_celsius: float = 0.0
    """What was added to the sensor's own figure: by the black body, and for the ambient."""


class Thermometer(ABC):
    @abstractmethod
    def start(self) -> None:
        """Opens the device. Raises `DeviceError` if it cannot be opened."""

    @abstractmethod
    def stop(self) -> None: ...

    @abstractmethod
    def read(self) -> TemperatureReading | None:
        """The last reading if it is recent; None while nobody is measured, the device is silent, or it cannot be trusted."""

    @property
    @abstractmethod
    def why_not(self) -> str:
        """Why nobody could be measured, in a few words for the officer and the installer; empty while it is well, whoever is there."""

    @abstractmethod
    def aim(self, face_box: Box | None) -> None:
        """Where the face is in the face camera's picture; None: nowhere. A sensor of one point has nothing to aim. From any thread."""
