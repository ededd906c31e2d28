"""What the lanes do at this moment, from their retained messages. In memory only: the broker gives it back after a restart."""

import threading
from collections.abc import Iterable
from dataclasses import dataclass, replace

from gate.core.clock import Clock
from gate.wire.messages import LaneState, LaneStatus


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveLane:
    """One lane's last words. ``seen_ms`` is the hub's clock; None: not heard since the hub started."""

    lane: str
    is_online: bool = False
    state: LaneState | None = None
    software_version: str | None = None
    seen_ms: int | None = None


class LiveBoard:
    """The last words of all lanes of a site; thread-safe."""

    def __init__(self, lanes: Iterable[str], clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._lanes = {lane: LiveLane(lane=lane) for lane in lanes}

    def lanes(self) -> list[LiveLane]:
        """In the order of the site file."""
        with self._lock:
            return list(self._lanes.values())

    def take_status(self, lane: str, status: LaneStatus) -> bool:
        """Note it; True when the lane has come online just now."""
        with self._lock:
            before = self._lanes[lane]
            self._lanes[lane] = replace(
                before,
                is_online=status.is_online,
                software_version=status.software_version,
                seen_ms=self._clock.utc_ms() if status.is_online else before.seen_ms,
            )
            return status.is_online and not before.is_online

    def take_state(self, lane: str, state: LaneState) -> None:
        with self._lock:
            self._lanes[lane] = replace(self._lanes[lane], state=state, seen_ms=self._clock.utc_ms())

    def heard(self, lane: str) -> None:
        with self._lock:
            self._lanes[lane] = replace(self._lanes[lane], seen_ms=self._clock.utc_ms())

    def forget(self) -> None:
        """The broker is gone: nobody is known to be online."""
        with self._lock:
            self._lanes = {lane: replace(item, is_online=False) for lane, item in self._lanes.items()}
