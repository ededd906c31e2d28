"""What a wired lane's contacts mean: positions, hazards, latches and the exit token. Pure: images in, reports out.

A module has no rules of its own. What Lane Link's board keeps by itself is here either read back from hard wiring (chain, fire, stop,
interlock) or kept by this host and lost with it (docs/decisions/0015).
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass

from drivers.lane_io.interface import (
    BoardEvent,
    BoardEventKind,
    BoardReport,
    Door,
    DoorPosition,
    LampColour,
    LaneSensors,
    LinkLost,
    LinkUp,
    SafetyDevice,
)
from drivers.modbus_io.interface import IoImage
from drivers.modbus_io.wiring import LaneWiring

_NS_PER_MS = 1_000_000
_WORD = 0x1_0000_0000
DOUBT_MS = 500
"""So long contacts must contradict each other: on its way a door may close one before it opens the other."""


@dataclass(slots=True, kw_only=True)
class DoorState:
    """One door, as its two or three contacts and our own commands tell it."""

    wants_open: bool = False
    reason: str = "command"
    is_closed: bool = False
    is_open: bool = False
    is_locked: bool = False
    is_forced: bool = False
    is_jammed: bool = False
    has_left: bool = False
    """It has been seen off its closed contact since it was told to open."""
    moving_since_ns: int | None = None
    coming_free_until_ns: int = 0
    """A leaf that stuck on its seat when it was told to open may still go as it was told, until then, after the jam is seen to."""

    @property
    def is_shut(self) -> bool:
        return self.is_closed and self.is_locked and not self.is_open

    @property
    def position(self) -> DoorPosition:
        if self.is_forced:
            return DoorPosition.FORCED
        if self.is_jammed:
            return DoorPosition.JAMMED
        if self.is_closed is self.is_open:
            if self.is_closed:
                return DoorPosition.UNKNOWN
            return DoorPosition.OPENING if self.wants_open else DoorPosition.CLOSING
        return DoorPosition.CLOSED if self.is_closed else DoorPosition.OPEN


class WiredLane:
    """The lane behind one module. `observe` wants every image; commands tell what they are about to do."""

    def __init__(
        self,
        wiring: LaneWiring,
        *,
        unit: int,
        watchdog_ms: int,
        travel_ms: int,
        random_word: Callable[[], int] = lambda: 1 + secrets.randbelow(_WORD - 1),
    ) -> None:
        self.wiring = wiring
        self.entry = DoorState()
        self.exit = DoorState()
        self.exit_token: int | None = None
        self._unit = unit
        self._watchdog_ms = watchdog_ms
        self._travel_ns = travel_ms * _NS_PER_MS
        self._random_word = random_word
        self._boot_id = random_word()
        self._up_ns: int | None = None
        self._before: IoImage | None = None
        self._events = 0
        self._token_basis: tuple[int, int | None] | None = None
        self.is_chain_closed = False
        self.is_estop = self.is_fire = self.is_power_failed = False
        self.is_evacuating = False
        self.is_released = False
        """Fire or loss of power has freed the exit; stays so until acknowledged."""
        self.failed: frozenset[SafetyDevice] = frozenset()
        """Whose contacts contradict each other. It is all that a module shows of a failed safety device."""
        self._doubted_since_ns: dict[SafetyDevice, int] = {}

    @property
    def doors(self) -> tuple[tuple[Door, DoorState], tuple[Door, DoorState]]:
        return (Door.ENTRY, self.entry), (Door.EXIT, self.exit)

    @property
    def is_up(self) -> bool:
        return self._up_ns is not None

    @property
    def is_holding(self) -> bool:
        faults = any(door.is_forced or door.is_jammed for _, door in self.doors)
        return not self.is_chain_closed or faults or self.is_released

    @property
    def has_cause(self) -> bool:
        """Something that no acknowledgement ends."""
        return self.is_estop or self.is_fire or self.is_power_failed or self.is_forced_open

    @property
    def is_forced_open(self) -> bool:
        return any(door.is_forced and not door.is_closed for _, door in self.doors)

    # -- images ----------------------------------------------------------------------------------------------------

    def observe(self, image: IoImage) -> list[BoardReport]:
        reports: list[BoardReport] = []
        if self._up_ns is None:
            self._up_ns = image.asked_ns
            self._before = None
            reports.append(self._link_up(image))
        self._read_hazards(image, reports)
        for name, door in self.doors:
            self._read_door(name, door, image, reports)
        self._doubt_contacts(image)
        self._renew_token(image)
        self._before = image
        reports.append(self._sensors(image))
        return reports

    def lose(self, at_ns: int, reason: str) -> list[BoardReport]:
        """The module does not answer. Nothing is known of the lane until the next image."""
        if self._up_ns is None:
            return []
        self._up_ns = None
        self._set_token(None)
        for _, door in self.doors:
            self.want_shut(door)
        return [LinkLost(at_ns=at_ns, reason=reason)]

    def restart(self, at_ns: int, reason: str) -> list[BoardReport]:
        """The module has restarted: what was told before it is of another life."""
        self._boot_id = self._random_word()
        return self.lose(at_ns, reason)

    def person_count(self, image: IoImage) -> int | None:
        """0, 1 or 2 for "several"; None while the two contacts contradict each other."""
        is_occupied = self.wiring.inputs.occupied.read(image.inputs)
        is_several = self.wiring.inputs.several.read(image.inputs)
        if is_several and not is_occupied:
            return None
        return 2 if is_several else int(is_occupied)

    def _read_hazards(self, image: IoImage, reports: list[BoardReport]) -> None:
        inputs = self.wiring.inputs
        power = inputs.power_failed
        now = {
            "is_estop": inputs.estop.read(image.inputs),
            "is_fire": inputs.fire.read(image.inputs),
            "is_power_failed": power is not None and power.read(image.inputs),
        }
        told = {
            "is_estop": (BoardEventKind.ESTOP_PRESSED, BoardEventKind.ESTOP_RELEASED),
            "is_fire": (BoardEventKind.FIRE_RAISED, BoardEventKind.FIRE_CLEARED),
            "is_power_failed": (BoardEventKind.POWER_FAILED, BoardEventKind.POWER_RESTORED),
        }
        for name, is_now in now.items():
            if is_now is not getattr(self, name) and (is_now or self._before is not None):
                reports.append(self._event(image, told[name][0] if is_now else told[name][1]))
            setattr(self, name, is_now)
        was_closed, self.is_chain_closed = self.is_chain_closed, inputs.chain.read(image.inputs)
        if was_closed and self.is_tripped_by_silence:
            reports.append(self._event(image, BoardEventKind.WATCHDOG_TRIPPED))
        self.is_released = self.is_released or self.is_fire or self.is_power_failed
        self.is_evacuating = image.outputs[self.wiring.outputs.evacuate]

    @property
    def is_tripped_by_silence(self) -> bool:
        """The chain is open and nothing else that opens it is to be seen: its watchdog relay was not fed."""
        return not (self.is_chain_closed or self.is_estop or self.is_released)

    def _read_door(self, name: Door, door: DoorState, image: IoImage, reports: list[BoardReport]) -> None:
        inputs = self.wiring.inputs
        is_entry = name is Door.ENTRY
        was_closed = door.is_closed
        lock = inputs.entry_locked if is_entry else inputs.exit_locked
        door.is_closed = (inputs.entry_closed if is_entry else inputs.exit_closed).read(image.inputs)
        door.is_open = (inputs.entry_open if is_entry else inputs.exit_open).read(image.inputs)
        door.is_locked = door.is_closed if lock is None else lock.read(image.inputs)
        is_freed = self.is_evacuating or (self.is_released and not is_entry)
        if self._before is not None and was_closed and not door.is_closed:
            is_ours = door.wants_open or is_freed or image.asked_ns < door.coming_free_until_ns
            door.is_forced = door.is_forced or not is_ours
            reports.append(self._event(image, BoardEventKind.DOOR_OPENED, name, self._why_open(name, door, image)))
            if not is_ours:
                reports.append(self._event(image, BoardEventKind.DOOR_FORCED, name))
        if not door.is_closed:
            door.has_left = True
        elif door.has_left:
            # Its operator has shut it, told or by its own time: the next opening needs a command.
            door.has_left = door.wants_open = False
        self._time_door(name, door, image, reports, is_freed=is_freed)

    def _why_open(self, name: Door, door: DoorState, image: IoImage) -> str:
        if self.is_released and name is Door.EXIT:
            return "power" if self.is_power_failed and not self.is_fire else "fire"
        if self.is_evacuating:
            return "evacuation"
        is_told = door.wants_open or image.asked_ns < door.coming_free_until_ns
        return door.reason if is_told else "forced"

    def _time_door(
        self, name: Door, door: DoorState, image: IoImage, reports: list[BoardReport], *, is_freed: bool
    ) -> None:
        """Jammed: not where it was told to be after the travel time, with nobody in the doorway and the chain closed."""
        is_there = door.is_open if door.wants_open or is_freed else door.is_closed
        is_free = self.is_chain_closed and not self._is_doorway_broken(name, image)
        if is_there or not is_free or door.is_jammed:
            door.moving_since_ns = None
        elif door.moving_since_ns is None:
            door.moving_since_ns = image.asked_ns
        elif image.asked_ns - door.moving_since_ns > self._travel_ns:
            door.is_jammed = True
            reports.append(self._event(image, BoardEventKind.DOOR_JAMMED, name))

    def _doubt_contacts(self, image: IoImage) -> None:
        """What cannot be so and lasts: a door shut and open at once, a lock that holds an open door, several people and nobody."""
        inputs = self.wiring.inputs
        doubted = set()
        if inputs.several.read(image.inputs) and not inputs.occupied.read(image.inputs):
            doubted.add(SafetyDevice.CURTAIN)
        for door, lock, device in (
            (self.entry, inputs.entry_locked, SafetyDevice.ENTRY_LOCK),
            (self.exit, inputs.exit_locked, SafetyDevice.EXIT_LOCK),
        ):
            is_held_open = door.is_open and lock is not None and lock.read(image.inputs)
            if is_held_open or (door.is_open and door.is_closed):
                doubted.add(device)
        self._doubted_since_ns = {device: self._doubted_since_ns.get(device, image.asked_ns) for device in doubted}
        self.failed = frozenset(
            device
            for device, since_ns in self._doubted_since_ns.items()
            if image.asked_ns - since_ns >= DOUBT_MS * _NS_PER_MS
        )

    def _is_doorway_broken(self, name: Door, image: IoImage) -> bool:
        beam = self.wiring.first_inside_beam - 1 if name is Door.ENTRY else self.wiring.last_inside_beam
        return bool(self.wiring.beam_bits(image.inputs) >> beam & 0b11)

    # -- token and commands ----------------------------------------------------------------------------------------

    def _renew_token(self, image: IoImage) -> None:
        is_sound = not (self.is_holding or self.is_evacuating or self.failed)
        may_open = self.entry.is_shut and self.exit.is_shut and is_sound
        is_idle = not (self.entry.wants_open or self.exit.wants_open)
        basis = (self._boot_id, self.person_count(image)) if may_open and is_idle else None
        if basis != self._token_basis:
            self._set_token(basis)

    def _set_token(self, basis: tuple[int, int | None] | None) -> None:
        self._token_basis = basis
        self.exit_token = None if basis is None else self._random_word()

    def burn_token(self) -> Callable[[IoImage], bool]:
        """Spends the token; returns the question to ask of the very last image before the exit's relay is set."""
        basis = self._token_basis
        self._set_token(None)
        return lambda image: basis is not None and self._is_calm(image) and self.person_count(image) == basis[1]

    def may_open_entry(self, image: IoImage) -> bool:
        """The same for the entry: the exit is shut and nothing holds."""
        inputs = self.wiring.inputs
        is_locked = inputs.exit_locked is None or inputs.exit_locked.read(image.inputs)
        return self._is_safe(image) and inputs.exit_closed.read(image.inputs) and is_locked

    def _is_calm(self, image: IoImage) -> bool:
        inputs = self.wiring.inputs
        shut = (inputs.entry_closed, inputs.exit_closed, inputs.entry_locked, inputs.exit_locked)
        return self._is_safe(image) and all(contact is None or contact.read(image.inputs) for contact in shut)

    def _is_safe(self, image: IoImage) -> bool:
        inputs = self.wiring.inputs
        is_hazard = inputs.estop.read(image.inputs) or inputs.fire.read(image.inputs)
        return inputs.chain.read(image.inputs) and not is_hazard and not image.outputs[self.wiring.outputs.evacuate]

    def want_open(self, door: DoorState, reason: str) -> None:
        if not door.wants_open:
            door.wants_open, door.reason, door.has_left, door.moving_since_ns = True, reason, False, None

    def want_shut(self, door: DoorState) -> None:
        door.wants_open, door.moving_since_ns = False, None

    def clear_faults(self) -> None:
        self.is_released = False
        now_ns = 0 if self._before is None else self._before.asked_ns
        for _, door in self.doors:
            is_stuck_on_seat = door.is_jammed and door.wants_open and door.is_closed
            door.coming_free_until_ns = now_ns + self._travel_ns if is_stuck_on_seat else 0
            door.is_forced = door.is_jammed = False
            self.want_shut(door)

    # -- reports ---------------------------------------------------------------------------------------------------

    def _uptime_ms(self, image: IoImage) -> int:
        return (image.asked_ns - (self._up_ns or image.asked_ns)) // _NS_PER_MS % _WORD

    def _link_up(self, image: IoImage) -> LinkUp:
        return LinkUp(
            at_ns=image.asked_ns,
            board_id=self._unit,
            boot_id=self._boot_id,
            firmware_version="modbus-rtu",
            watchdog_ms=self._watchdog_ms,
            beam_count=len(self.wiring.beams),
        )

    def _event(self, image: IoImage, kind: BoardEventKind, door: Door | None = None, detail: str = "") -> BoardEvent:
        self._events += 1
        return BoardEvent(
            received_ns=image.asked_ns,
            kind=kind,
            door=door,
            detail=detail,
            boot_id=self._boot_id,
            event_sequence=self._events,
            board_uptime_ms=self._uptime_ms(image),
        )

    def _sensors(self, image: IoImage) -> LaneSensors:
        return LaneSensors(
            received_ns=image.asked_ns,
            sequence=image.sequence,
            board_uptime_ms=self._uptime_ms(image),
            boot_id=self._boot_id,
            entry=self.entry.position,
            exit=self.exit.position,
            is_entry_locked=self.entry.is_shut,
            is_exit_locked=self.exit.is_shut,
            beams=self.wiring.beam_bits(image.inputs),
            beam_count=len(self.wiring.beams),
            person_count=self.person_count(image),
            is_estop_pressed=self.is_estop,
            is_fire=self.is_fire,
            is_power_failed=self.is_power_failed,
            is_watchdog_tripped=self.is_tripped_by_silence,
            exit_token=self.exit_token,
            is_evacuating=self.is_evacuating,
            is_holding=self.is_holding,
            lamp=self._lamp(image),
            failed=self.failed,
            inside_mask=self.wiring.inside_mask,
        )

    def _lamp(self, image: IoImage) -> LampColour:
        outputs = self.wiring.outputs
        red, green = image.outputs[outputs.red], image.outputs[outputs.green]
        if red and green:
            return LampColour.AMBER
        if red or green:
            return LampColour.RED if red else LampColour.GREEN
        is_blue = outputs.blue is not None and image.outputs[outputs.blue]
        return LampColour.BLUE if is_blue else LampColour.OFF
