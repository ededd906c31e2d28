"""One door as the board's firmware drives it: forced, jammed and obstructed are noticed here, interlocks are not."""

from __future__ import annotations

from drivers.lane_io import protocol as wire
from drivers.lane_io.interface import Door
from simulator.world import Leaf

JAM_MS = 1500.0
"""A motor that runs so long without moving its leaf is switched off."""
_CLEAR_BEFORE_SHUTTING_MS = 300.0
_SHUT_RATIO = 0.02
_FORCED_RATIO = 0.05

Seen = tuple[wire.EventCode, int]


class DoorControl:
    """Reads a leaf's position and its doorway's beams, drives its motor and lock."""

    def __init__(self, leaf: Leaf) -> None:
        self.leaf = leaf
        self.name = wire.WireDoor.ENTRY if leaf.door is Door.ENTRY else wire.WireDoor.EXIT
        self.wants_open = False
        self.is_forced = False
        self.is_jammed = False
        self._reason = wire.OpeningReason.COMMAND
        self._is_yielding = False
        self.was_shut = self.is_shut
        """At the last scan."""
        self._clear_ms = 0.0
        self._stalled_ms = 0.0
        self._last_position = leaf.position

    @property
    def is_shut(self) -> bool:
        return self.leaf.position <= _SHUT_RATIO

    @property
    def is_locked(self) -> bool:
        return self.is_shut and self.leaf.is_locked

    @property
    def is_secure(self) -> bool:
        """Shut, locked, and not about to open."""
        return self.is_locked and not self.wants_open

    def position(self) -> wire.WirePosition:
        leaf = self.leaf
        if self.is_shut and leaf.motor <= 0:
            return wire.WirePosition.CLOSED
        if leaf.position >= 1.0:
            return wire.WirePosition.OPEN
        if leaf.motor == 0:
            return wire.WirePosition.UNKNOWN
        return wire.WirePosition.OPENING if leaf.motor > 0 else wire.WirePosition.CLOSING

    def want_open(self, reason: wire.OpeningReason) -> None:
        if not self.wants_open:
            self.wants_open = True
            self._reason = reason

    def clear_faults(self) -> None:
        self.is_forced = self.is_jammed = False
        self._stalled_ms = 0.0

    def watch(self, dt_ms: float, *, is_doorway_broken: bool) -> list[Seen]:
        """Looks at the leaf after `dt_ms`; returns what is worth an event, with its detail."""
        leaf = self.leaf
        seen: list[Seen] = []
        if leaf.is_locked and leaf.position > _FORCED_RATIO and not self.is_forced:
            self.is_forced = True
            seen.append((wire.EventCode.DOOR_FORCED, 0))
        if self.is_shut is not self.was_shut:
            self.was_shut = self.is_shut
            if not self.is_shut:
                is_ours = self.wants_open and not leaf.is_pushed
                seen.append((wire.EventCode.DOOR_OPENED, self._reason if is_ours else wire.OpeningReason.FORCED))
        is_stalled = leaf.motor != 0 and leaf.position == self._last_position and not leaf.is_touching
        self._stalled_ms = self._stalled_ms + dt_ms if is_stalled else 0.0
        if self._stalled_ms >= JAM_MS and not self.is_jammed:
            self.is_jammed = True
            seen.append((wire.EventCode.DOOR_JAMMED, 0))
        if leaf.motor < 0 and (leaf.is_touching or is_doorway_broken) and not self._is_yielding:
            self._is_yielding = True
            seen.append((wire.EventCode.DOOR_OBSTRUCTED, 0))
        self._clear_ms = 0.0 if is_doorway_broken else self._clear_ms + dt_ms
        self._last_position = leaf.position
        return seen

    def open(self) -> None:
        self.leaf.is_locked = False
        self._is_yielding = False
        self.leaf.motor = 0 if self.leaf.position >= 1.0 else 1

    def halt(self) -> None:
        self.leaf.motor = 0

    def shut(self) -> None:
        """Closes, gives way to whoever is in the doorway, tries again when it has been clear for a moment."""
        leaf = self.leaf
        if self._is_yielding and self._clear_ms >= _CLEAR_BEFORE_SHUTTING_MS:
            self._is_yielding = False
        if leaf.position <= 0.0:
            leaf.motor, leaf.is_locked, self._is_yielding = 0, True, False
        elif self._is_yielding:
            # A leaf forced open is still locked: it waits where it is instead of opening further.
            leaf.motor = 0 if leaf.is_locked or leaf.position >= 1.0 else 1
        else:
            leaf.motor = -1
