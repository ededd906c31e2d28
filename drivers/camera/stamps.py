"""Times of capture out of what a camera says of them, mapped onto this host's monotonic clock. No I/O.

Three things a camera may say: the moment on this host's own clock (V4L2 buffers carry CLOCK_MONOTONIC), a presentation time on a clock
of its own (RTP, RFC 3550), or nothing. What is not plausible is not believed, and the frame says which of them it was.
"""

from __future__ import annotations

from collections import deque

from drivers.camera.interface import StampSource

MAX_AGE_NS = 1_000_000_000
"""A buffer older than this was not filled for the read that returned it, or its clock is not ours."""
_WINDOW_NS = 20_000_000_000
_MAX_JUMP_NS = 2_000_000_000


def device_stamp(stated_ns: int, arrived_ns: int) -> tuple[int, StampSource]:
    """A stamp that should be on this host's monotonic clock; the time of arrival where it cannot be."""
    if 0 <= arrived_ns - stated_ns <= MAX_AGE_NS and stated_ns > 0:
        return stated_ns, StampSource.DEVICE
    return arrived_ns, StampSource.ARRIVAL


class StreamClock:
    """Maps presentation times of a stream onto this host's clock by the frames that were under way for the shortest time.

    Network, decoder and scheduler only ever delay, so that the least of (arrival - presentation) over the last 20 s is the fixed part of
    the way; it is *not* taken off, because nothing in the stream tells it. What is gained is the camera's own spacing: jitter of the way
    no longer moves a frame. A presentation time that stands still, jumps back or leaps by 2 s against our clock begins a new reckoning.
    """

    def __init__(self) -> None:
        self._offsets: deque[tuple[int, int]] = deque()
        self._last_ns: int | None = None

    def stamp(self, presented_ns: int, arrived_ns: int) -> tuple[int, StampSource]:
        """When the frame was taken, and by what we know it. ``presented_ns``: from any zero; 0 or less means that there is none."""
        if presented_ns <= 0:
            self._forget()
            return arrived_ns, StampSource.ARRIVAL
        offset_ns = arrived_ns - presented_ns
        is_odd = self._last_ns is not None and presented_ns <= self._last_ns
        if is_odd or (self._offsets and abs(offset_ns - self._offsets[0][1]) > _MAX_JUMP_NS):
            self._forget()
        self._last_ns = presented_ns
        # Kept rising: the first is the least of the window (a monotone queue).
        while self._offsets and self._offsets[-1][1] >= offset_ns:
            self._offsets.pop()
        self._offsets.append((arrived_ns, offset_ns))
        while self._offsets[0][0] < arrived_ns - _WINDOW_NS:
            self._offsets.popleft()
        return min(arrived_ns, presented_ns + self._offsets[0][1]), StampSource.STREAM

    def _forget(self) -> None:
        self._offsets.clear()
        self._last_ns = None
