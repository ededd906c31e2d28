"""What a lane controller board does, as a pure model: the twin of the firmware, with its own interlocks.

The rules it keeps whatever the host says (docs/protocols/lane-link.md, "What the board keeps by itself"):
never both doors open outside fire, power loss and evacuation; the exit opens only on the current one-shot token; a silent host means
shut and hold; fire or power loss release the exit; the emergency stop stops the motors; faults latch until acknowledged.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace

from drivers.lane_io import protocol as wire
from drivers.lane_io.interface import Door
from simulator.board_link import BoardLink
from simulator.curtain import Passage, PassageSense, count_people
from simulator.door_control import DoorControl
from simulator.world import LaneWorld

FIRMWARE_VERSION = (1, 0, 0)
_SENSORS_EVERY_MS = 90.0
"""The line promises 100; a scan takes 10."""


class Firmware:
    """One boot of a board: reads the world's sensors, drives its doors, answers the host.

    `receive`, `step` and `take_output` are all the firmware has of the outside. Times in milliseconds of board uptime.
    """

    def __init__(
        self,
        world: LaneWorld,
        *,
        board_id: int,
        boot_id: int,
        rng: random.Random,
        watchdog_ms: int,
        stuck_beams: int,
        on_opening: Callable[[Door, str], None],
    ) -> None:
        self.world = world
        self.watchdog_ms = watchdog_ms
        self.stuck_beams = stuck_beams
        self.board_id = board_id
        self.boot_id = boot_id
        self._rng = rng
        self._on_opening = on_opening
        self.uptime_ms = 0.0
        self.link = BoardLink(hello_ack=self._hello_ack, act=self._act, boot_id=boot_id)
        self.entry = DoorControl(world.entry)
        self.exit = DoorControl(world.exit)
        self.is_estop_pressed = False
        self.is_fire = False
        self.is_power_failed = False
        self.is_watchdog_tripped = False
        self.is_evacuating = False
        self.is_released = False
        """The exit stands released by fire or power loss; stays so after its cause until acknowledged."""
        self.is_stopped = False
        """The emergency stop was pressed; stays so after its release until acknowledged."""
        self.lamp = wire.WireLamp.RED
        self.buzzer = wire.WireBuzzer.OFF
        self.exit_token = wire.NO_TOKEN
        self.person_count = wire.UNKNOWN_COUNT
        self._token_basis: tuple[object, ...] | None = None
        self._sent: wire.Sensors | None = None
        self._sent_ms = -_SENSORS_EVERY_MS
        first_inside = world.outside_beams
        last_inside = len(world.beams_mm) - world.outside_beams - 1
        self._inside = range(first_inside, last_inside + 1)
        self._entry_sense = PassageSense(first_beam=first_inside - 1)
        self._exit_sense = PassageSense(first_beam=last_inside)
        self._event(wire.EventCode.BOOTED)

    @property
    def _doors(self) -> tuple[DoorControl, DoorControl]:
        return self.entry, self.exit

    @property
    def is_holding(self) -> bool:
        """A latched fault keeps motion commands refused until ACK_FAULT."""
        faults = any(door.is_forced or door.is_jammed for door in self._doors)
        return faults or self.is_watchdog_tripped or self.is_stopped or self.is_released

    @property
    def beams(self) -> int:
        return self.world.beams | self.stuck_beams

    # -- the line --------------------------------------------------------------------------------------------------

    def receive(self, data: bytes) -> None:
        """Acts on the host's frames at once, and tells at once what that changed."""
        before = self.link.sessions_begun
        self.link.receive(data, self.uptime_ms)
        if self.link.sessions_begun != before:
            self._token_basis = None
            self._sent = None
        self._drive(0.0)
        self._report()

    def take_output(self) -> bytes:
        return self.link.take_output()

    def _hello_ack(self, version: int, session: int) -> wire.HelloAck:
        major, minor, patch = FIRMWARE_VERSION
        return wire.HelloAck(
            version=version,
            firmware_major=major,
            firmware_minor=minor,
            firmware_patch=patch,
            board_id=self.board_id,
            boot_id=self.boot_id,
            session=session,
            watchdog_ms=self.watchdog_ms,
            beam_count=len(self.world.beams_mm),
            first_inside_beam=self._inside.start,
            last_inside_beam=self._inside.stop - 1,
        )

    def _event(self, code: wire.EventCode, door: wire.WireDoor = wire.WireDoor.NONE, detail: int = 0) -> None:
        self.link.add_event(code, door, detail, self.uptime_ms)

    # -- commands --------------------------------------------------------------------------------------------------

    def _act(self, command: wire.Command) -> wire.ResultCode:
        match command:
            case wire.Lamp(colour=colour):
                self.lamp = colour
            case wire.Buzzer(pattern=pattern):
                self.buzzer = pattern
            case wire.AckFault():
                return self._acknowledge()
            case wire.BeginEvacuation():
                self.is_evacuating = True
            case wire.EndEvacuation():
                self._end_evacuation()
            case wire.MoveEntry(target=target):
                return self._move_entry(target)
            case wire.OpenExit(token=token):
                return self._open_exit(token)
            case wire.CloseExit():
                if self.is_holding or self.is_evacuating:
                    return wire.ResultCode.REFUSED_STATE
                self.exit.wants_open = False
            case _:
                return wire.ResultCode.REFUSED_STATE
        return wire.ResultCode.DONE

    def _move_entry(self, target: wire.EntryTarget) -> wire.ResultCode:
        if self.is_holding or self.is_evacuating:
            return wire.ResultCode.REFUSED_STATE
        if target is wire.EntryTarget.CLOSED:
            self.entry.wants_open = False
            return wire.ResultCode.DONE
        if not self.exit.is_secure:
            return wire.ResultCode.REFUSED_INTERLOCK
        self.entry.want_open(wire.OpeningReason.COMMAND)
        return wire.ResultCode.DONE

    def _open_exit(self, token: int) -> wire.ResultCode:
        if token == wire.NO_TOKEN or token != self.exit_token:
            return wire.ResultCode.REFUSED_TOKEN
        # A token exists only while nothing holds, but the interlock does not rest on that.
        if self.is_holding or self.is_evacuating:
            return wire.ResultCode.REFUSED_STATE
        if not self.entry.is_secure:
            return wire.ResultCode.REFUSED_INTERLOCK
        self.exit_token, self._token_basis = wire.NO_TOKEN, None
        self.exit.want_open(wire.OpeningReason.TOKEN)
        return wire.ResultCode.DONE

    def _acknowledge(self) -> wire.ResultCode:
        if self.is_estop_pressed or self.is_fire or self.is_power_failed:
            return wire.ResultCode.REFUSED_STATE
        if any(door.leaf.is_pushed for door in self._doors):
            return wire.ResultCode.REFUSED_STATE
        if self.is_holding:
            self._shut_all()
        self.is_released = self.is_stopped = self.is_watchdog_tripped = False
        for door in self._doors:
            door.clear_faults()
        return wire.ResultCode.DONE

    def _end_evacuation(self) -> None:
        if self.is_evacuating:
            self.is_evacuating = False
            self._shut_all()

    # -- inputs ----------------------------------------------------------------------------------------------------

    def set_estop(self, is_pressed: bool) -> None:
        if is_pressed != self.is_estop_pressed:
            self.is_estop_pressed = is_pressed
            self.is_stopped = True
            self._event(wire.EventCode.ESTOP_PRESSED if is_pressed else wire.EventCode.ESTOP_RELEASED)

    def set_fire(self, is_fire: bool) -> None:
        if is_fire != self.is_fire:
            self.is_fire = is_fire
            self._release(wire.OpeningReason.FIRE)
            self._event(wire.EventCode.FIRE_RAISED if is_fire else wire.EventCode.FIRE_CLEARED)

    def set_power_failed(self, is_failed: bool) -> None:
        if is_failed != self.is_power_failed:
            self.is_power_failed = is_failed
            self._release(wire.OpeningReason.POWER)
            self._event(wire.EventCode.POWER_FAILED if is_failed else wire.EventCode.POWER_RESTORED)

    def _release(self, reason: wire.OpeningReason) -> None:
        self.is_released = True
        self.exit.want_open(reason)

    # -- time ------------------------------------------------------------------------------------------------------

    def step(self, dt_ms: float) -> None:
        """One scan: watchdog, doors, people, token, report."""
        self.uptime_ms += dt_ms
        self._watch_host()
        self._drive(dt_ms)
        self._watch_passages()
        self._report()
        self.link.step(self.uptime_ms)

    def _watch_host(self) -> None:
        fed_ms = self.link.fed_ms
        if fed_ms is None or self.is_watchdog_tripped or self.uptime_ms - fed_ms <= self.watchdog_ms:
            return
        self.is_watchdog_tripped = True
        self.link.session = 0
        if not self.is_released and not self.is_evacuating:
            self._shut_all()
        self._event(wire.EventCode.WATCHDOG_TRIPPED)

    def _drive(self, dt_ms: float) -> None:
        if self.is_evacuating and not self.is_stopped:
            for door in self._doors:
                door.want_open(wire.OpeningReason.EVACUATION)
        for door, other in ((self.entry, self.exit), (self.exit, self.entry)):
            self._scan_door(door, other, dt_ms)
        self.person_count = count_people(
            self.beams,
            inside=self._inside,
            cuts=tuple(
                cut for door, cut in ((self.entry, self._inside.start), (self.exit, self._inside.stop)) if door.is_shut
            ),
            beam_count=len(self.world.beams_mm),
        )
        self._renew_token()

    def _scan_door(self, door: DoorControl, other: DoorControl, dt_ms: float) -> None:
        seen = door.watch(dt_ms, is_doorway_broken=self._is_doorway_broken(door.leaf.door))
        for code, detail in seen:
            self._event(code, door.name, detail)
            if code is wire.EventCode.DOOR_OPENED:
                self._on_opening(door.leaf.door, wire.OpeningReason(detail).name.lower())
            if code is wire.EventCode.DOOR_FORCED and not self.is_released:
                self._shut_all()
        is_exit = door is self.exit
        # The exit's release is a spring and a battery: neither the emergency stop nor a jam flag takes it back.
        if is_exit and self.is_released:
            door.open()
        elif self.is_stopped or self.is_power_failed or door.is_jammed or self._is_entry_left_alone:
            door.halt()
        elif door.wants_open and (self.is_evacuating or other.is_secure):
            door.open()
        else:
            door.shut()

    @property
    def _is_entry_left_alone(self) -> bool:
        """Fire and power loss free the exit; the entry stays as it is unless an officer orders evacuation."""
        return self.is_released and not self.is_evacuating

    def _shut_all(self) -> None:
        for door in self._doors:
            door.wants_open = False

    def _is_doorway_broken(self, door: Door) -> bool:
        first = self._inside.start - 1 if door is Door.ENTRY else self._inside.stop - 1
        return bool(self.beams >> first & 0b11)

    def _renew_token(self) -> None:
        """A new token whenever what it was good for has changed, none while the exit may not be opened."""
        may_open = self.entry.is_secure and self.exit.is_secure and not self.is_holding and not self.is_evacuating
        basis = (self.link.session, self.person_count) if may_open and self.link.session else None
        if basis != self._token_basis:
            self._token_basis = basis
            self.exit_token = wire.NO_TOKEN if basis is None else self._rng.randrange(1, 0x1_0000_0000)

    def _watch_passages(self) -> None:
        for sense, name in ((self._entry_sense, wire.WireDoor.ENTRY), (self._exit_sense, wire.WireDoor.EXIT)):
            passage = sense.see(self.beams)
            if passage is not None:
                is_forward = passage is Passage.FORWARD
                self._event(wire.EventCode.PASSAGE_FORWARD if is_forward else wire.EventCode.PASSAGE_BACK, name)

    def _report(self) -> None:
        sensors = self.sensors()
        is_changed = self._sent is None or sensors != replace(self._sent, uptime_ms=sensors.uptime_ms)
        if is_changed or self.uptime_ms - self._sent_ms >= _SENSORS_EVERY_MS:
            self._sent, self._sent_ms = sensors, self.uptime_ms
            self.link.send_sensors(sensors)

    def sensors(self) -> wire.Sensors:
        return wire.Sensors(
            uptime_ms=int(self.uptime_ms) % 0x1_0000_0000,
            entry=self.entry.position(),
            exit=self.exit.position(),
            doors=self._door_flags(),
            hazards=self._hazard_flags(),
            beams=self.beams,
            beam_count=len(self.world.beams_mm),
            person_count=self.person_count,
            exit_token=self.exit_token,
            boot_id=self.boot_id,
            lamp=wire.WireLamp.RED if self.is_holding else self.lamp,
        )

    def _door_flags(self) -> wire.DoorFlag:
        flag = wire.DoorFlag
        return (
            (flag.ENTRY_LOCKED if self.entry.is_locked else flag(0))
            | (flag.EXIT_LOCKED if self.exit.is_locked else flag(0))
            | (flag.ENTRY_FORCED if self.entry.is_forced else flag(0))
            | (flag.EXIT_FORCED if self.exit.is_forced else flag(0))
            | (flag.ENTRY_JAMMED if self.entry.is_jammed else flag(0))
            | (flag.EXIT_JAMMED if self.exit.is_jammed else flag(0))
        )

    def _hazard_flags(self) -> wire.HazardFlag:
        flag = wire.HazardFlag
        return (
            (flag.ESTOP_PRESSED if self.is_estop_pressed else flag(0))
            | (flag.FIRE if self.is_fire else flag(0))
            | (flag.POWER_FAILED if self.is_power_failed else flag(0))
            | (flag.WATCHDOG_TRIPPED if self.is_watchdog_tripped else flag(0))
            | (flag.EVACUATING if self.is_evacuating else flag(0))
            | (flag.HOLDING if self.is_holding else flag(0))
        )
