"""One door as the board's firmware drives it: forced, jammed and obstructed are noticed here, interlocks are not.

`drivers/lane_io/firmware/src/tg_door.c` is the same in C, line by line.
"""

from __future__ import annotations

from drivers.lane_io import protocol as wire
from drivers.lane_io.interface import Door
from simulator.board_io import DoorInputs, DoorOutputs
from simulator.world import Leaf

JAM_MS = 1500
"""A motor that runs so long without moving its leaf is switched off."""
_CLEAR_BEFORE_SHUTTING_MS = 300
_SHUT_PERMILLE = 20
_FORCED_PERMILLE = 50
_OPEN_PERMILLE = 1000

Seen = tuple[wire.EventCode, int]


class DoorLogic:
    """Reads a leaf's position and its doorway's beams, drives its motor and lock. `begin` first, with the first inputs."""

    def __init__(self, name: wire.WireDoor, kind: wire.WireDoorKind) -> None:
        self.name = name
        self.kind = kind
        self.is_present = kind is not wire.WireDoorKind.NONE
        self.wants_open = False
        self.is_forced = False
        self.is_jammed = False
        self.is_lock_driven = self.is_present
        self.motor = 0
        self.inputs = DoorInputs()
        self._reason = wire.OpeningReason.COMMAND
        self._is_yielding = False
        self._was_shut = True
        self._clear_ms = 0.0
        self._stalled_ms = 0.0
        self._last_permille = 0

    def begin(self, inputs: DoorInputs) -> None:
        """Takes the door as it is found at boot, with its motor off."""
        self.inputs = inputs
        self.is_lock_driven = self.is_present and inputs.is_locked
        self._was_shut = self.is_shut
        self._last_permille = inputs.position_permille

    def see(self, inputs: DoorInputs) -> None:
        self.inputs = inputs

    @property
    def outputs(self) -> DoorOutputs:
        return DoorOutputs(motor=self.motor, is_lock_driven=self.is_lock_driven)

    @property
    def is_shut(self) -> bool:
        return self.inputs.position_permille <= _SHUT_PERMILLE

    @property
    def is_locked(self) -> bool:
        """Shut and locked: by the drive, which acts, and by the contact, which sees."""
        return self.is_present and self.is_shut and self.is_lock_driven and self.inputs.is_locked

    @property
    def is_secure(self) -> bool:
        """Shut, locked, and not about to open. What is not there does not open."""
        return not self.is_present or (self.is_locked and not self.wants_open)

    @property
    def is_held_open(self) -> bool:
        """Away from shut although it is locked: somebody pushes it, or it was left so."""
        return self.is_present and self.is_lock_driven and self.inputs.position_permille > _FORCED_PERMILLE

    @property
    def is_contact_wrong(self) -> bool:
        """The lock's contact contradicts its drive. A locked leaf that was pushed away proves nothing."""
        if not self.is_present:
            return False
        if self.is_lock_driven:
            return self.is_shut and not self.inputs.is_locked
        return self.inputs.is_locked

    def position(self) -> wire.WirePosition:
        if not self.is_present:
            return wire.WirePosition.ABSENT
        if self.is_shut and self.motor <= 0:
            return wire.WirePosition.CLOSED
        if self.inputs.position_permille >= _OPEN_PERMILLE:
            return wire.WirePosition.OPEN
        if self.motor == 0:
            return wire.WirePosition.UNKNOWN
        return wire.WirePosition.OPENING if self.motor > 0 else wire.WirePosition.CLOSING

    def want_open(self, reason: wire.OpeningReason) -> None:
        if not self.wants_open:
            self.wants_open = True
            self._reason = reason

    def clear_faults(self) -> None:
        """A jam is tried again; a leaf that is still held open stays forced."""
        self.is_forced = self.is_forced and self.is_held_open
        self.is_jammed = False
        self._stalled_ms = 0.0

    def watch(self, dt_ms: float, *, is_doorway_broken: bool) -> list[Seen]:
        """Looks at the leaf after `dt_ms`; returns what is worth an event, with its detail."""
        inputs = self.inputs
        seen: list[Seen] = []
        if self.is_held_open and not self.is_forced:
            self.is_forced = True
            seen.append((wire.EventCode.DOOR_FORCED, 0))
        if self.is_shut and self.is_lock_driven:
            self._was_shut = True
        elif self._was_shut and not self.is_shut:
            # A leaf that gives way before it was locked is still in its last opening.
            self._was_shut = False
            is_ours = self.wants_open and self.motor > 0 and not self.is_lock_driven
            seen.append((wire.EventCode.DOOR_OPENED, self._reason if is_ours else wire.OpeningReason.FORCED))
        is_still = self.motor != 0 and inputs.position_permille == self._last_permille and not inputs.is_touching
        self._stalled_ms = self._stalled_ms + dt_ms if is_still else 0.0
        if self._stalled_ms >= JAM_MS and not self.is_jammed:
            self.is_jammed = True
            seen.append((wire.EventCode.DOOR_JAMMED, 0))
        if self.motor < 0 and (inputs.is_touching or is_doorway_broken) and not self._is_yielding:
            self._is_yielding = True
            seen.append((wire.EventCode.DOOR_OBSTRUCTED, 0))
        self._clear_ms = 0.0 if is_doorway_broken else self._clear_ms + dt_ms
        self._last_permille = inputs.position_permille
        return seen

    def open(self) -> None:
        self.is_lock_driven = False
        self._is_yielding = False
        self.motor = 0 if self.inputs.position_permille >= _OPEN_PERMILLE else 1

    def halt(self) -> None:
        self.motor = 0

    def shut(self) -> None:
        """Closes, gives way to whoever is in the doorway, tries again when it has been clear for a moment."""
        position_permille = self.inputs.position_permille
        if self._is_yielding and self._clear_ms >= _CLEAR_BEFORE_SHUTTING_MS:
            self._is_yielding = False
        if position_permille == 0:
            self.motor, self.is_lock_driven, self._is_yielding = 0, True, False
        elif self._is_yielding:
            # A leaf forced open is still locked: it waits where it is instead of opening further.
            is_waiting = self.is_lock_driven or position_permille >= _OPEN_PERMILLE
            self.motor = 0 if is_waiting else 1
        else:
            self.motor = -1


class DoorControl(DoorLogic):
    """The same door wired straight to a leaf, for controllers that keep no process image."""

    def __init__(self, leaf: Leaf) -> None:
        name = wire.WireDoor.ENTRY if leaf.door is Door.ENTRY else wire.WireDoor.EXIT
        super().__init__(name, wire.WireDoorKind.SLIDING)
        self.leaf = leaf
        self.see(self._look())
        self.begin(self.inputs)

    def _look(self) -> DoorInputs:
        leaf = self.leaf
        return DoorInputs(
            position_permille=leaf.encoder_permille, is_locked=leaf.is_locked, is_touching=leaf.is_touching
        )

    def watch(self, dt_ms: float, *, is_doorway_broken: bool) -> list[Seen]:
        self.see(self._look())
        return super().watch(dt_ms, is_doorway_broken=is_doorway_broken)

    def open(self) -> None:
        super().open()
        self._pull()

    def halt(self) -> None:
        super().halt()
        self._pull()

    def shut(self) -> None:
        super().shut()
        self._pull()

    def _pull(self) -> None:
        self.leaf.motor, self.leaf.is_locked = self.motor, self.is_lock_driven
        self.see(self._look())
