"""A lane controller board to pull faults on: firmware, power supply, line and world, still without threads."""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Generic, Protocol, TypeVar

from drivers.lane_io import protocol as wire
from drivers.lane_io.interface import Door
from simulator.board_io import (
    NOMINAL_SUPPLY_MV,
    NOMINAL_TENTHS_CELSIUS,
    BoardConfig,
    BoardHal,
    BoardOutputs,
    Wiring,
    WorldIo,
)
from simulator.firmware import Firmware
from simulator.world import LaneWorld

_BOOT_MS = 300.0
_SHUT_RATIO = 0.02
_MAX_BACKLOG_BYTES = 65_536


class BoardFault(StrEnum):
    """What `BoardModel.inject` can break. `reboot` happens once, the others last until `heal`."""

    JAM_ON_NEXT_MOVE = "jam_on_next_move"
    POWER_OFF = "power_off"
    """The board and its buffer are dead; the exit's spring opens it."""
    GARBLE = "garble"
    LATE = "late"
    SILENT = "silent"
    REBOOT = "reboot"
    STUCK_BEAM = "stuck_beam"
    """A receiver that never sees light: a thing that is not there."""
    BLIND_BEAM = "blind_beam"
    """A receiver that always sees light: it misses whoever stands there."""
    STUCK_LOCK = "stuck_lock"
    """The exit's lock contact says locked whatever the lock does."""
    OVERHEATED = "overheated"
    LOW_SUPPLY = "low_supply"
    BAD_MEMORY = "bad_memory"


_DEFAULTS = {
    BoardFault.GARBLE: 0.05,
    BoardFault.LATE: 200.0,
    BoardFault.STUCK_BEAM: 14.0,
    BoardFault.BLIND_BEAM: 14.0,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class DoorOpening:
    """A door left its shut position."""

    door: Door
    at_ms: float
    """The world's clock."""
    at_ns: int
    """`now_ns` of the model: the host's monotonic clock for a board that runs in real time."""
    reason: str
    """`command`, `token`, `fire`, `power`, `evacuation` or `forced`."""


class BoardFirmware(Protocol):
    """What a board's model needs of a firmware, in whatever language it is written."""

    def receive(self, data: bytes) -> None: ...

    def take_output(self) -> bytes: ...

    def step(self, dt_ms: float) -> None: ...


AnyFirmware = TypeVar("AnyFirmware", bound=BoardFirmware)
OnOpening = Callable[[Door, str], None]


class BoardHardware(Generic[AnyFirmware]):
    """Bytes in, bytes out, time by `step`; the same seed gives the same run.

    `openings` records every door that opened, for what must be true of a whole run.
    """

    def __init__(
        self,
        world: LaneWorld | None = None,
        *,
        boot: Callable[[BoardHal, BoardConfig, int, OnOpening], AnyFirmware],
        config: BoardConfig | None = None,
        seed: int = 1,
        now_ns: Callable[[], int] | None = None,
    ) -> None:
        """`boot(hal, config, boot_id, on_opening)` starts a firmware; the curtain's geometry is the world's."""
        self.world = LaneWorld() if world is None else world
        self.wiring = Wiring()
        self.config = fitted(config or BoardConfig(), self.world)
        self.openings: list[DoorOpening] = []
        self._boot_firmware = boot
        self._rng = random.Random(seed)
        self._now_ns = now_ns if now_ns is not None else lambda: int(self.world.now_ms * 1_000_000)
        self._faults: dict[BoardFault, float] = {}
        self._booting_ms = 0.0
        self._is_sprung = False
        self._was_exit_shut = True
        self._late: deque[tuple[float, bytes]] = deque()
        self._output = bytearray()
        self._hal = WorldIo(self.world, self.wiring, self._rng)
        self.firmware = self._boot()

    # -- faults and inputs -----------------------------------------------------------------------------------------

    def inject(self, fault: BoardFault, value: float | None = None) -> None:
        """Breaks something. `value`: garbled share of bytes (0.05), lateness in ms (200), which beam (14)."""
        if fault is BoardFault.REBOOT:
            self._restart()
            return
        self._faults[fault] = _DEFAULTS.get(fault, 1.0) if value is None else value
        self._wire(fault)
        if fault is BoardFault.POWER_OFF:
            self._late.clear()
            self._output.clear()
            self.firmware.take_output()
            self._was_exit_shut = self.world.exit.position <= _SHUT_RATIO

    def heal(self, fault: BoardFault) -> None:
        """Repairs it; power that returns means a reboot, a jam is freed by hand."""
        was_broken = self._faults.pop(fault, None) is not None
        self._mend(fault)
        if fault is BoardFault.JAM_ON_NEXT_MOVE:
            for leaf in self.world.leaves:
                leaf.is_stuck = False
        elif fault is BoardFault.POWER_OFF and was_broken:
            self._restart()

    @property
    def outputs(self) -> BoardOutputs | None:
        """What the firmware drives: motors, locks, lamp, buzzer. None until it has been through a scan."""
        return self._hal.outputs

    def has(self, fault: BoardFault) -> bool:
        """Whether this is broken now."""
        return fault in self._faults

    def _wire(self, fault: BoardFault) -> None:
        wiring, value = self.wiring, int(self._faults[fault])
        match fault:
            case BoardFault.STUCK_BEAM:
                wiring.stuck_beams |= 1 << value
            case BoardFault.BLIND_BEAM:
                wiring.blind_beams |= 1 << value
            case BoardFault.STUCK_LOCK:
                wiring.stuck_contacts[wire.WireDoor.EXIT] = True
            case BoardFault.OVERHEATED:
                wiring.temperature_tenths_celsius = self.config.highest_tenths_celsius + 50
            case BoardFault.LOW_SUPPLY:
                wiring.supply_mv = self.config.lowest_supply_mv - 500
            case BoardFault.BAD_MEMORY:
                wiring.is_memory_well = False
            case _:
                pass

    def _mend(self, fault: BoardFault) -> None:
        wiring = self.wiring
        match fault:
            case BoardFault.STUCK_BEAM:
                wiring.stuck_beams = 0
            case BoardFault.BLIND_BEAM:
                wiring.blind_beams = 0
            case BoardFault.STUCK_LOCK:
                wiring.stuck_contacts.clear()
            case BoardFault.OVERHEATED:
                wiring.temperature_tenths_celsius = NOMINAL_TENTHS_CELSIUS
            case BoardFault.LOW_SUPPLY:
                wiring.supply_mv = NOMINAL_SUPPLY_MV
            case BoardFault.BAD_MEMORY:
                wiring.is_memory_well = True
            case _:
                pass

    def press_estop(self) -> None:
        self.wiring.is_estop_pressed = True

    def release_estop(self) -> None:
        self.wiring.is_estop_pressed = False

    def raise_fire(self) -> None:
        self.wiring.is_fire = True

    def clear_fire(self) -> None:
        self.wiring.is_fire = False

    def fail_power(self) -> None:
        """The mains fail; the board's buffer lets it go on reporting."""
        self.wiring.is_power_failed = True

    def restore_power(self) -> None:
        self.wiring.is_power_failed = False

    def force_door(self, door: Door) -> None:
        """Somebody pushes the door open by force, until `let_go`."""
        self.world.leaf(door).is_pushed = True

    def let_go(self, door: Door) -> None:
        self.world.leaf(door).is_pushed = False

    # -- the line and time -----------------------------------------------------------------------------------------

    @property
    def is_running(self) -> bool:
        return BoardFault.POWER_OFF not in self._faults and self._booting_ms <= 0.0

    def receive(self, data: bytes) -> None:
        if not self._faults and self._booting_ms <= 0.0:
            self.firmware.receive(data)
            self._collect()
        elif self.is_running:
            self.firmware.receive(self._garbled(data))
            self._collect()

    def take_output(self) -> bytes:
        if not self._output:
            return b""
        output = bytes(self._output)
        self._output.clear()
        return output

    def step(self, dt_ms: float) -> None:
        """Lets `dt_ms` (at most about 20 for smooth doors) pass for world and board."""
        if not self._faults and self._booting_ms <= 0.0:
            self.world.step(dt_ms)
            self.firmware.step(dt_ms)
            self._collect()
            return
        self._stick()
        self.world.step(dt_ms)
        if BoardFault.POWER_OFF in self._faults:
            self._spring()
        elif self._booting_ms > 0.0:
            self._booting_ms -= dt_ms
        else:
            self.firmware.step(dt_ms)
        self._collect()

    def _boot(self) -> AnyFirmware:
        for leaf in self.world.leaves:
            leaf.motor = 0
        self._hal = WorldIo(self.world, self.wiring, self._rng)
        return self._boot_firmware(self._hal, self.config, self._rng.randrange(1, 0x1_0000_0000), self._record)

    def _restart(self) -> None:
        self._late.clear()
        self._output.clear()
        self._booting_ms = _BOOT_MS
        self._is_sprung = False
        self.firmware = self._boot()

    def _record(self, door: Door, reason: str) -> None:
        self.openings.append(DoorOpening(door=door, at_ms=self.world.now_ms, at_ns=self._now_ns(), reason=reason))

    def _spring(self) -> None:
        """Without any power the exit's spring opens it and the entry stays where it is."""
        leaf = self.world.exit
        leaf.is_locked, leaf.motor = False, 1
        self.world.entry.motor = 0
        if not self._is_sprung and leaf.position > _SHUT_RATIO:
            self._is_sprung = True
            if self._was_exit_shut:
                self._record(Door.EXIT, "power")

    def _stick(self) -> None:
        if BoardFault.JAM_ON_NEXT_MOVE in self._faults:
            for leaf in self.world.leaves:
                if leaf.motor != 0:
                    leaf.is_stuck = True
                    del self._faults[BoardFault.JAM_ON_NEXT_MOVE]
                    return

    def _collect(self) -> None:
        if not self._faults and not self._late and self._booting_ms <= 0.0:
            self._output += self.firmware.take_output()
            if len(self._output) > _MAX_BACKLOG_BYTES:
                self._output.clear()
            return
        data = self._garbled(self.firmware.take_output())
        if not self.is_running or BoardFault.SILENT in self._faults:
            return
        delay_ms = self._faults.get(BoardFault.LATE, 0.0)
        if data:
            self._late.append((self.world.now_ms + delay_ms, data))
        while self._late and self._late[0][0] <= self.world.now_ms:
            self._output += self._late.popleft()[1]
        if len(self._output) > _MAX_BACKLOG_BYTES:
            self._output.clear()

    def _garbled(self, data: bytes) -> bytes:
        share = self._faults.get(BoardFault.GARBLE)
        if share is None:
            return data
        return bytes(byte ^ self._rng.randrange(1, 256) if self._rng.random() < share else byte for byte in data)


class BoardModel(BoardHardware[Firmware]):
    """The board with the firmware in Python."""

    def __init__(
        self,
        world: LaneWorld | None = None,
        *,
        board_id: int = 1,
        seed: int = 1,
        watchdog_ms: int = 1000,
        config: BoardConfig | None = None,
        now_ns: Callable[[], int] | None = None,
    ) -> None:
        settings = config or BoardConfig(board_id=board_id, watchdog_ms=watchdog_ms)
        super().__init__(world, boot=_boot_python, config=settings, seed=seed, now_ns=now_ns)


def _boot_python(hal: BoardHal, config: BoardConfig, boot_id: int, on_opening: OnOpening) -> Firmware:
    return Firmware(hal, config, boot_id=boot_id, on_opening=on_opening)


def fitted(config: BoardConfig, world: LaneWorld) -> BoardConfig:
    """The settings with the geometry of this lane."""
    return replace(
        config,
        entry_kind=config.entry_kind if world.has_entry else wire.WireDoorKind.NONE,
        beam_count=len(world.beams_mm),
        first_inside_beam=world.outside_beams,
        last_inside_beam=len(world.beams_mm) - world.outside_beams - 1,
        beam_pitch_mm=round(world.pitch_mm),
    )
