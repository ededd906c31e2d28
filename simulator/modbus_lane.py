"""A lane wired to an I/O module: doors with operators of their own, a safety chain of relays, contacts. No computer in it.

This is the hard wiring that docs/decisions/0015 asks for, as a model: what must hold when host or module fail is held here, by relays.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from drivers.lane_io import protocol as wire
from drivers.lane_io.interface import Door
from simulator.curtain import count_people
from simulator.door_control import DoorControl
from simulator.modbus_line import ModbusSlave
from simulator.world import LaneWorld

OUTPUTS = {
    "entry_open": 0,
    "entry_close": 1,
    "exit_open": 2,
    "exit_close": 3,
    "watchdog": 4,
    "reset": 5,
    "evacuate": 6,
    "red": 7,
    "green": 8,
    "blue": 9,
    "buzzer": 10,
}
INPUTS: dict[str, int | str] = {
    "entry_closed": 0,
    "entry_open": 1,
    "exit_closed": 2,
    "exit_open": 3,
    "chain": 4,
    "estop": "!5",
    "fire": "!6",
    "power_failed": "!7",
    "occupied": 8,
    "several": 9,
    "entry_locked": 10,
    "exit_locked": 11,
}
BEAMS: tuple[int | str, ...] = (12, 13, 14, 15, 16, 17)
FIRST_INSIDE_BEAM, LAST_INSIDE_BEAM = 1, 4
INPUT_COUNT, OUTPUT_COUNT = 18, 11
SETTINGS = {
    "inputs": INPUTS,
    "outputs": OUTPUTS,
    "beams": BEAMS,
    "first_inside_beam": FIRST_INSIDE_BEAM,
    "last_inside_beam": LAST_INSIDE_BEAM,
}
"""The map of this wiring, as a site would write it."""


class WiringFault(StrEnum):
    """What breaks in the lane itself; the module's own faults are `ModbusFault`."""

    JAM_ON_NEXT_MOVE = "jam_on_next_move"
    STUCK_BEAM = "stuck_beam"
    DEAD_CONTACT = "dead_contact"
    """The exit's closed contact never makes: a wire is broken."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WiredOpening:
    door: Door
    reason: str


class WiredLaneTwin:
    """Everything behind the terminals. Attach it to a slave; time passes with the slave's `step`.

    `openings` records every door that left its shut position and why.
    """

    def __init__(self, slave: ModbusSlave, world: LaneWorld | None = None, *, watchdog_ms: float = 700.0) -> None:
        self.world = LaneWorld() if world is None else world
        self.slave = slave
        self.openings: list[WiredOpening] = []
        self.is_estop = self.is_fire = self.is_power_failed = False
        self.is_chain_closed = False
        self.buzzes = 0
        self.entry = DoorControl(self.world.entry)
        self.exit = DoorControl(self.world.exit)
        self._faults: dict[WiringFault, float] = {}
        self._watchdog_ms = watchdog_ms
        self._fed_ms = -watchdog_ms
        self._now_ms = 0.0
        self._watchdog_level = False
        first, count = self.world.outside_beams, len(self.world.beams_mm)
        self._inside = range(first, count - self.world.outside_beams)
        middle = (self._inside.start + self._inside.stop) // 2
        # Two barriers at each door, and two cuts through the middle that see whoever stands between.
        self._barriers = (
            range(first - 1, first),
            range(first, first + 1),
            range(first + 1, middle),
            range(middle, self._inside.stop),
            range(self._inside.stop - 1, self._inside.stop),
            range(self._inside.stop, self._inside.stop + 1),
        )
        slave.on_coil = self._on_coil
        slave.on_step = self._step
        self._show()

    def inject(self, fault: WiringFault, value: float = 0.0) -> None:
        """Breaks something; `value`: which barrier is stuck."""
        self._faults[fault] = value

    def heal(self, fault: WiringFault) -> None:
        self._faults.pop(fault, None)
        if fault is WiringFault.JAM_ON_NEXT_MOVE:
            for leaf in self.world.leaves:
                leaf.is_stuck = False

    def opened(self, door: Door) -> list[str]:
        return [opening.reason for opening in self.openings if opening.door is door]

    # -- relays ----------------------------------------------------------------------------------------------------

    def _on_coil(self, address: int, is_on: bool) -> None:
        if address == OUTPUTS["watchdog"]:
            if is_on is not self._watchdog_level:
                self._fed_ms = self._now_ms
            self._watchdog_level = is_on
        elif address == OUTPUTS["buzzer"] and is_on:
            self.buzzes += 1
        elif is_on:
            self._on_pulse(address)

    def _on_pulse(self, address: int) -> None:
        """The operators act on the edge; the interlock is the other door's contact in series with the open relay."""
        if address == OUTPUTS["reset"] and self._is_chain_sound:
            if not self.is_chain_closed:
                self._shut_all()
            self.is_chain_closed = True
            for door in (self.entry, self.exit):
                door.clear_faults()
            self._show()
        elif address == OUTPUTS["entry_open"] and self.is_chain_closed and self.exit.is_secure:
            self.entry.want_open(wire.OpeningReason.COMMAND)
        elif address == OUTPUTS["exit_open"] and self.is_chain_closed and self.entry.is_secure:
            self.exit.want_open(wire.OpeningReason.TOKEN)
        elif address == OUTPUTS["entry_close"]:
            self.entry.wants_open = False
        elif address == OUTPUTS["exit_close"]:
            self.exit.wants_open = False

    @property
    def _is_fed(self) -> bool:
        return self._now_ms - self._fed_ms < self._watchdog_ms

    @property
    def _is_chain_sound(self) -> bool:
        return self._is_fed and not (self.is_estop or self.is_fire or self.is_power_failed)

    @property
    def _is_freed(self) -> bool:
        """Fire and loss of power take the exit's magnet away until the chain is reset."""
        return self.is_fire or self.is_power_failed

    # -- time ------------------------------------------------------------------------------------------------------

    def _step(self, dt_ms: float) -> None:
        self._now_ms += dt_ms
        self._stick()
        self.world.step(dt_ms)
        if self.is_chain_closed and not self._is_chain_sound:
            self.is_chain_closed = False
            if not (self.is_estop or self._is_freed):
                self._shut_all()
        if self._is_freed:
            self.exit.want_open(wire.OpeningReason.FIRE if self.is_fire else wire.OpeningReason.POWER)
        is_evacuating = self.slave.coils[OUTPUTS["evacuate"]]
        for door in (self.entry, self.exit):
            if is_evacuating:
                door.want_open(wire.OpeningReason.EVACUATION)
            self._drive(door, dt_ms, is_evacuating=is_evacuating)
        self._show()

    def _drive(self, door: DoorControl, dt_ms: float, *, is_evacuating: bool) -> None:
        for code, detail in door.watch(dt_ms, is_doorway_broken=self._is_doorway_broken(door)):
            if code is wire.EventCode.DOOR_OPENED:
                reason = wire.OpeningReason(detail).name.lower()
                self.openings.append(WiredOpening(door=door.leaf.door, reason=reason))
        if door is self.exit and self._is_freed:
            door.open()
        elif self.is_estop or door.is_jammed or (self._is_freed and not is_evacuating):
            door.halt()
        elif door.wants_open:
            door.open()
        else:
            door.shut()

    def _shut_all(self) -> None:
        self.entry.wants_open = self.exit.wants_open = False

    def _is_doorway_broken(self, door: DoorControl) -> bool:
        first = self._inside.start - 1 if door is self.entry else self._inside.stop - 1
        return bool(self.world.beams >> first & 0b11)

    def _stick(self) -> None:
        if WiringFault.JAM_ON_NEXT_MOVE in self._faults:
            for leaf in self.world.leaves:
                leaf.is_stuck = leaf.is_stuck or leaf.motor != 0

    def _show(self) -> None:
        """Sets the contacts at the module's terminals."""
        beams, slave = self.world.beams, self.slave
        people = count_people(
            beams,
            inside=self._inside,
            cuts=tuple(
                cut for door, cut in ((self.entry, self._inside.start), (self.exit, self._inside.stop)) if door.is_shut
            ),
            beam_count=len(self.world.beams_mm),
        )
        contacts = {
            "entry_closed": self.entry.is_shut,
            "entry_open": self.world.entry.position >= 1.0,
            "exit_closed": self.exit.is_shut and WiringFault.DEAD_CONTACT not in self._faults,
            "exit_open": self.world.exit.position >= 1.0,
            "chain": self.is_chain_closed,
            "estop": self.is_estop,
            "fire": self.is_fire,
            "power_failed": self.is_power_failed,
            "occupied": people > 0,
            "several": people > 1,
            "entry_locked": self.entry.is_locked,
            "exit_locked": self.exit.is_locked,
        }
        for name, is_made in contacts.items():
            terminal = str(INPUTS[name])
            slave.inputs[int(terminal.lstrip("!"))] = is_made is not terminal.startswith("!")
        stuck = int(self._faults[WiringFault.STUCK_BEAM]) if WiringFault.STUCK_BEAM in self._faults else -1
        for i, barrier in enumerate(self._barriers):
            slave.inputs[int(BEAMS[i])] = i == stuck or any(beams >> beam & 1 for beam in barrier)


def wired_lane(unit: int = 1, *, seed: int = 1, watchdog_ms: float = 700.0) -> WiredLaneTwin:
    """A lane on a module of its own, ready for a `PtyModbusLine`. Its door relays are monostable: they fall back by themselves."""
    pulses = {OUTPUTS[name]: 150.0 for name in ("entry_open", "entry_close", "exit_open", "exit_close", "reset")}
    slave = ModbusSlave(unit, inputs=INPUT_COUNT, coils=OUTPUT_COUNT, pulse_ms=pulses, seed=seed)
    return WiredLaneTwin(slave, watchdog_ms=watchdog_ms)
