"""What a camera really gives, for installers: size, rate, light, and by what its frames are stamped."""

from __future__ import annotations

import time
from dataclasses import dataclass
from statistics import median

import numpy as np

from drivers.camera.exposure import ExposureControl, ExposureFault
from drivers.camera.health import bright_level
from drivers.camera.interface import Camera, CameraStatus, Frame, StampSource

COVERED_LEVEL = 30.0
_FIRST_S = 4.0
_LOOK_S = 1.5
_LOST_WAIT_S = 0.3


@dataclass(frozen=True, slots=True, kw_only=True)
class CameraReport:
    """``frames`` 0: none came, and nothing else is known but ``reason``. Levels are grey, 0..255."""

    frames: int
    reason: str
    is_lost: bool
    width_px: int = 0
    height_px: int = 0
    rate_per_s: float = 0.0
    mean_level: float = 0.0
    bright_level: float = 0.0
    """99th percentile: below :data:`COVERED_LEVEL` the lens is covered, or there is no light."""
    age_ms: float = 0.0
    """Median of how old a frame is by its own stamp when it is taken: what the way costs, as far as the stamp tells."""
    stamped_by: StampSource = StampSource.ARRIVAL
    is_frozen: bool = False
    """All frames are the same: a camera that repeats itself, an encoder that smooths all noise away, or a folder of one picture."""

    @property
    def is_covered(self) -> bool:
        return self.frames > 0 and self.bright_level < COVERED_LEVEL


def probe_camera(camera: Camera, *, first_s: float = _FIRST_S, look_s: float = _LOOK_S) -> CameraReport:
    """Look through a started camera for ``look_s`` after its first frame, for which there is patience of ``first_s``."""
    frames: list[Frame] = []
    ages_ms: list[float] = []
    end_s = time.monotonic() + first_s
    while time.monotonic() < end_s:
        frame = camera.read(_LOST_WAIT_S)
        if frame is None:
            continue
        if not frames:
            end_s = time.monotonic() + look_s
        ages_ms.append((time.monotonic_ns() - frame.captured_ns) / 1e6)
        frames.append(frame)
    is_lost = camera.status is CameraStatus.LOST
    if not frames:
        return CameraReport(frames=0, reason=camera.status_reason or camera.status.value, is_lost=is_lost)
    return _judge(frames, ages_ms, reason=camera.status_reason, is_lost=is_lost)


def _judge(frames: list[Frame], ages_ms: list[float], *, reason: str, is_lost: bool) -> CameraReport:
    height, width = frames[-1].image_bgr.shape[:2]
    span_s = (frames[-1].captured_ns - frames[0].captured_ns) / 1e9
    last = [frame.image_bgr for frame in frames[-5:]]
    return CameraReport(
        frames=len(frames),
        reason=reason,
        is_lost=is_lost,
        width_px=width,
        height_px=height,
        rate_per_s=(len(frames) - 1) / span_s if span_s > 0 else 0.0,
        mean_level=median(float(image[::8, ::8].mean()) for image in last),
        bright_level=median(bright_level(image) or 0.0 for image in last),
        age_ms=median(ages_ms),
        stamped_by=frames[-1].stamped_by,
        is_frozen=len(frames) > 1
        and all(np.array_equal(frames[0].image_bgr[::4, ::4], frame.image_bgr[::4, ::4]) for frame in frames[1:]),
    )


def describe(report: CameraReport) -> str:
    """One line for an installer."""
    if not report.frames:
        return f"no picture: {report.reason}"
    parts = [
        f"{report.width_px}x{report.height_px}",
        f"{report.rate_per_s:.1f} frames/s",
        f"mean grey {report.mean_level:.0f}",
        f"stamped by {report.stamped_by.value}, {report.age_ms:.0f} ms old",
    ]
    if report.is_covered:
        parts.append("lens covered or no light")
    if report.is_frozen:
        parts.append("always the same picture")
    return ", ".join(parts)


def describe_exposure(control: ExposureControl) -> str:
    """How the camera exposes, or why that cannot be said."""
    state = control.read()
    if isinstance(state, ExposureFault):
        return f"exposure unknown ({state.reason})"
    limits = f"{state.least_us / 1000:g} to {state.most_us / 1000:g} ms"
    if state.is_auto:
        return f"exposure automatic, {limits} by order"
    return f"exposure {(state.time_us or 0) / 1000:g} ms by order of {limits}"
