"""Time, injected: production code is handed a :class:`SystemClock`, tests a :class:`ManualClock` that they advance."""

import time
from typing import Protocol


class Clock(Protocol):
    """Where time comes from."""

    def monotonic_ns(self) -> int:
        """Nanoseconds since an arbitrary start; never goes back. For durations and ages."""
        ...

    def utc_ms(self) -> int:
        """Milliseconds since 1970-01-01 UTC. For what people and other machines read; it may jump."""
        ...


class SystemClock:
    """The machine's own clocks."""

    def monotonic_ns(self) -> int:
        return time.monotonic_ns()

    def utc_ms(self) -> int:
        return time.time_ns() // 1_000_000


class ManualClock:
    """A clock that stands still until it is told to move."""

    def __init__(self, *, utc_ms: int = 1_767_225_600_000) -> None:
        self._monotonic_ns = 1_000_000_000
        self._utc_ms = utc_ms

    def monotonic_ns(self) -> int:
        return self._monotonic_ns

    def utc_ms(self) -> int:
        return self._utc_ms

    def advance_ms(self, duration_ms: int) -> None:
        """Move both clocks on by ``duration_ms`` (>= 0)."""
        if duration_ms < 0:
            raise ValueError("time does not run backwards; use jump_utc_ms for a wall clock that was set back")
        self._monotonic_ns += duration_ms * 1_000_000
        self._utc_ms += duration_ms

    def jump_utc_ms(self, difference_ms: int) -> None:
        """Set the wall clock by ``difference_ms``, as an operator or NTP would; the monotonic clock is untouched."""
        self._utc_ms += difference_ms
