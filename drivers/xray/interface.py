"""What an inspection machine gives: pictures with the time, the lane and the tag that tie them to somebody. It judges no content."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

Raster = NDArray[np.uint8] | NDArray[np.uint16]
"""uint8 or uint16; (height, width) of a projection, (slices, height, width) of a CT volume. Large is bright: little was absorbed."""


class TimeSource(StrEnum):
    """How far a picture's time can be believed."""

    MACHINE = "machine"
    """The machine wrote it into file or side-car."""
    FILE = "file"
    """Nobody said: when the file was last written."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class XrayView:
    """One direction of sight. With one energy there is `high` alone; `colour` is the machine's own rendering, if it gives one."""

    high: Raster
    low: Raster | None = None
    """Same shape and type as `high`."""
    colour_bgr: NDArray[np.uint8] | None = None
    """(height, width, 3)."""
    bits: int = 8
    """Bits that carry something, 8 to 16; values are below 2 to that power."""

    @property
    def is_dual_energy(self) -> bool:
        return self.low is not None

    @property
    def is_volume(self) -> bool:
        return self.high.ndim == 3


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class XrayImage:
    """One scan of one thing."""

    image_id: str
    """SHA-256 of the bytes it came in, hexadecimal: the same scan delivered twice has the same."""
    views: tuple[XrayView, ...]
    taken_at: datetime
    """Aware, UTC."""
    time_source: TimeSource
    machine: str
    """Whatever the machine calls itself; may be empty."""
    lane: str | None = None
    bag_tag: str | None = None
    """Ten digits of an IATA licence plate, or whatever was scanned with the thing."""
    document: str | None = None
    """Number of the document scanned with the thing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class XrayRefused:
    """What came is no picture to be shown. `sentence` names it and the remedy; nothing of it is kept in memory."""

    name: str
    sentence: str


XrayReport = XrayImage | XrayRefused


class NotTaken(Exception):
    """Raised by who is told of a scan and cannot keep it now; the source offers it again. `str()` says why."""


class XraySource(ABC):
    """A source of scans with a reader thread of its own. Reports come in that thread, and a scan counts as delivered when it returns.

    A scan is reported at least once, also over a crash of this process or a taker that raises `NotTaken`; `image_id` tells repetitions.
    """

    @abstractmethod
    def start(self, on_report: Callable[[XrayReport], None]) -> None:
        """Raises `DeviceError` for what no waiting repairs."""

    @abstractmethod
    def stop(self) -> None: ...
