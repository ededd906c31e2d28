"""What a board's firmware has of the lane: a process image of inputs and outputs, as a controller's scan sees it.

A firmware reads one `BoardInputs` before it acts and writes one `BoardOutputs` after; it knows nothing else, so that the
twin in Python and the board in C can be given the same inputs and be compared. Images are not frozen only because that
costs three times as much to make, a hundred times a second; nobody changes one.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from typing import Protocol

from drivers.lane_io import protocol as wire
from simulator.world import LaneWorld, Leaf

NOMINAL_SUPPLY_MV = 24_000
NOMINAL_TENTHS_CELSIUS = 312


@dataclass(frozen=True, slots=True, kw_only=True)
class BoardConfig:
    """What is fixed when a board is fitted to a lane. The board in C has the same record.

    ValueError when a curtain does not reach over both doorways.
    """

    board_id: int = 1
    watchdog_ms: int = 1000
    entry_kind: wire.WireDoorKind = wire.WireDoorKind.SLIDING
    exit_kind: wire.WireDoorKind = wire.WireDoorKind.SLIDING
    beam_count: int = 28
    first_inside_beam: int = 2
    last_inside_beam: int = 25
    beam_pitch_mm: int = 100
    curtain_settle_ms: int = 20
    """From switching the emitters to receivers that show it."""
    lowest_supply_mv: int = 21_600
    highest_supply_mv: int = 26_400
    lowest_tenths_celsius: int = -200
    highest_tenths_celsius: int = 700

    def __post_init__(self) -> None:
        is_over_doorways = 1 <= self.first_inside_beam <= self.last_inside_beam <= self.beam_count - 2
        if not is_over_doorways or self.beam_count > 64:
            raise ValueError(
                "a curtain of up to 64 beams must have one before the first and one behind the last inside"
            )
        if self.exit_kind is wire.WireDoorKind.NONE:
            raise ValueError("a lane has at least an exit")


@dataclass(slots=True, kw_only=True)
class DoorInputs:
    position_permille: int = 0
    """0 shut to 1000 open, by the leaf's encoder."""
    is_locked: bool = True
    """By the lock's contact."""
    is_touching: bool = False
    """The safety edge is pressed."""


@dataclass(slots=True, kw_only=True)
class BoardInputs:
    entry: DoorInputs
    exit: DoorInputs
    beams: int
    """Bit i is set while receiver i sees no light."""
    is_estop_pressed: bool = False
    is_fire: bool = False
    is_power_failed: bool = False
    is_memory_well: bool = True
    supply_mv: int = NOMINAL_SUPPLY_MV
    temperature_tenths_celsius: int = NOMINAL_TENTHS_CELSIUS


@dataclass(slots=True, kw_only=True)
class DoorOutputs:
    motor: int = 0
    """+1 opening, -1 closing, 0 off."""
    is_lock_driven: bool = True


@dataclass(slots=True, kw_only=True)
class BoardOutputs:
    entry: DoorOutputs
    exit: DoorOutputs
    has_light: bool
    """The curtain's emitters are on."""
    lamp: wire.WireLamp
    buzzer: wire.WireBuzzer


class BoardHal(Protocol):
    """The board's hardware."""

    def read(self) -> BoardInputs: ...

    def write(self, outputs: BoardOutputs) -> None: ...

    def draw(self) -> int:
        """A random number, 1 to 0xFFFFFFFF."""


@dataclass(slots=True, kw_only=True)
class Wiring:
    """Inputs and sensors as they are wired to a lane's world, and what may be wrong with them."""

    is_estop_pressed: bool = False
    is_fire: bool = False
    is_power_failed: bool = False
    is_memory_well: bool = True
    supply_mv: int = NOMINAL_SUPPLY_MV
    temperature_tenths_celsius: int = NOMINAL_TENTHS_CELSIUS
    stuck_beams: int = 0
    """Receivers that never see light."""
    blind_beams: int = 0
    """Receivers that see light always: they miss whoever stands there."""
    stuck_contacts: dict[wire.WireDoor, bool] = field(default_factory=dict)
    """Lock contacts that say the same whatever the lock does."""


class WorldIo:
    """A `BoardHal` whose doors and beams are a simulated lane."""

    def __init__(self, world: LaneWorld, wiring: Wiring, rng: random.Random) -> None:
        self._world = world
        self._wiring = wiring
        self._rng = rng
        self.outputs: BoardOutputs | None = None
        self._everything = (1 << len(world.beams_mm)) - 1
        self._seen: tuple[object, ...] = ()
        self._inputs: BoardInputs | None = None

    def read(self) -> BoardInputs:
        """The same image as before while nothing is other than before."""
        wiring, entry, exit_ = self._wiring, self._world.entry, self._world.exit
        beams = self._beams()
        seen = (
            *(entry.position, entry.is_locked, entry.is_touching, exit_.position, exit_.is_locked, exit_.is_touching),
            *(beams, wiring.is_estop_pressed, wiring.is_fire, wiring.is_power_failed, wiring.is_memory_well),
            *(wiring.supply_mv, wiring.temperature_tenths_celsius, *wiring.stuck_contacts.items()),
        )
        if self._inputs is None or seen != self._seen:
            self._seen, self._inputs = seen, self._image(beams)
        return self._inputs

    def _image(self, beams: int) -> BoardInputs:
        wiring = self._wiring
        return BoardInputs(
            entry=self._door(self._world.entry, wire.WireDoor.ENTRY),
            exit=self._door(self._world.exit, wire.WireDoor.EXIT),
            beams=beams,
            is_estop_pressed=wiring.is_estop_pressed,
            is_fire=wiring.is_fire,
            is_power_failed=wiring.is_power_failed,
            is_memory_well=wiring.is_memory_well,
            supply_mv=wiring.supply_mv,
            temperature_tenths_celsius=wiring.temperature_tenths_celsius,
        )

    def write(self, outputs: BoardOutputs) -> None:
        entry, exit_ = self._world.entry, self._world.exit
        entry.motor, entry.is_locked = outputs.entry.motor, outputs.entry.is_lock_driven
        exit_.motor, exit_.is_locked = outputs.exit.motor, outputs.exit.is_lock_driven
        self.outputs = outputs

    def draw(self) -> int:
        return self._rng.getrandbits(32) or 1

    def _door(self, leaf: Leaf, door: wire.WireDoor) -> DoorInputs:
        return DoorInputs(
            position_permille=leaf.encoder_permille,
            is_locked=self._wiring.stuck_contacts.get(door, leaf.is_locked),
            is_touching=leaf.is_touching,
        )

    def _beams(self) -> int:
        has_light = self.outputs is None or self.outputs.has_light
        dark = self._world.beams if has_light else self._everything
        return (dark | self._wiring.stuck_beams) & ~self._wiring.blind_beams & self._everything
