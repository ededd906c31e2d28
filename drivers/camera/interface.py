"""What a camera is to a lane: the newest frames, each with the time it was taken, and whether it still sees."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.uint8]
"""uint8, height x width x 3, channels blue, green, red."""


class StampSource(StrEnum):
    """By what a frame's time of capture is known."""

    DEVICE = "device"
    """The camera, or its driver in the kernel, stamped it on this host's clock."""
    STREAM = "stream"
    """The camera's own spacing (RTP presentation times), laid onto this host's clock; the way's least delay is still in it."""
    ARRIVAL = "arrival"
    """When it was complete in this host: later than the capture by exposure, read-out, encoding and the way."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Frame:
    image_bgr: Image
    captured_ns: int
    """Host's monotonic clock: when the frame was complete in this host, or earlier if the camera says so."""
    sequence: int
    """Counts the frames of this camera from 1; a gap is what was dropped."""
    stamped_by: StampSource = StampSource.ARRIVAL


class CameraStatus(StrEnum):
    OPENING = "opening"
    OK = "ok"
    LOST = "lost"
    """No frames come, or none that are a view of the present (frozen, dark); reopening goes on by itself until `stop`."""


StatusCallback = Callable[[CameraStatus, str], None]
"""Gets the new status and its reason, in the camera's own thread: hand it over, do not work in it."""


class Camera(ABC):
    """A source of frames with a reader thread of its own.

    It neither judges frames nor keeps them: a bounded queue drops the oldest, so that a slow consumer sees the
    present. A camera that falls silent or vanishes changes `status`; nothing is raised for it.
    """

    @abstractmethod
    def start(self, on_status: StatusCallback | None = None) -> None:
        """Begins to read. Raises `DeviceError` for what no waiting repairs: no such folder, file or local device."""

    @abstractmethod
    def stop(self) -> None:
        """Ends the thread and frees the device; returns when both are done."""

    @abstractmethod
    def read(self, timeout_s: float) -> Frame | None:
        """Takes the oldest frame still queued, waiting for one up to `timeout_s`; None when none came."""

    @abstractmethod
    def latest(self) -> Frame | None:
        """The newest frame there was since `start`, taken or not; None before the first."""

    @property
    @abstractmethod
    def status(self) -> CameraStatus: ...

    @property
    @abstractmethod
    def status_reason(self) -> str:
        """Why it is opening or lost, in a few words; empty while ok."""

    @property
    @abstractmethod
    def dropped(self) -> int:
        """Frames that nobody took because newer ones came, or that came broken."""
