"""What a document reader's lamps are to a lane: one step of lighting at a time, and since when. They take no pictures and judge none."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from enum import StrEnum


class LightStep(StrEnum):
    """What the glass is lit with. `OFF` is the dark that a lane never asks for; a device may show it when it cannot else."""

    WHITE = "white"
    INFRARED = "infrared"
    """Near infrared, about 900 nm: the band B900 of ISO 1831, in which the ink of an MRZ is dark."""
    ULTRAVIOLET = "ultraviolet"
    """Long wave, about 365 nm, behind a filter that keeps it out of the camera: what is bright then, fluoresces."""
    OFF = "off"


@dataclass(frozen=True, slots=True, kw_only=True)
class LightShown:
    """The lamp of ``step`` burns, measured by its current, since ``since_ns`` (host's monotonic clock) at the latest."""

    step: LightStep
    since_ns: int
    current_ma: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LightFault:
    """The step is not shown, or nobody knows; `reason` in a few words."""

    reason: str


class DocumentLight(ABC):
    """Lamps over the glass. Used by one thread at a time; every answer comes within a bounded time.

    Steps are intents and may be repeated. The device itself goes back to white when it hears nothing for a second, so that a host that
    dies leaves no ultraviolet lamp burning and the next document is seen.
    """

    @abstractmethod
    def start(self) -> None:
        """Opens the device. Raises `DeviceError` if it cannot be opened; a device that is silent so far is no error."""

    @abstractmethod
    def stop(self) -> None:
        """Asks for white and frees the device."""

    @abstractmethod
    def show(self, step: LightStep) -> LightShown | LightFault:
        """Lights the glass so; returns when the lamp burns or it is known that it does not."""
