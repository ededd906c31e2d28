"""What a lane controller board does, as a pure model: the twin of the firmware, with its own interlocks.

The rules it keeps whatever the host says (docs/protocols/lane-link.md, "What the board keeps by itself"):
never both doors open outside fire, power loss and evacuation; the exit opens only on the current one-shot token; a silent host means
shut and hold; fire or power loss release the exit; the emergency stop stops the motors; faults latch until acknowledged; no exit
token before the safety devices have passed their test.
"""

from __future__ import annotations

from collections.abc import Callable

from drivers.lane_io import protocol as wire
from drivers.lane_io.interface import Door
from simulator.board_io import BoardConfig, BoardHal, BoardOutputs
from simulator.board_link import BoardLink
from simulator.board_report import UPTIMES, Reporter
from simulator.board_selftest import BoardSelfTest, wrong_supplies
from simulator.curtain import Passage, PassageSense, count_people
from simulator.door_control import DoorLogic

FIRMWARE_VERSION = (1, 0, 0)


class Firmware:
    """One boot of a board: reads its inputs, drives its doors, answers the host. `src/tg_board.c` is the same in C.

    `receive`, `step` and `take_output` are all the firmware has of the outside, and its `hal`. Times in milliseconds of
    board uptime.
    """

    def __init__(
        self, hal: BoardHal, config: BoardConfig, *, boot_id: int, on_opening: Callable[[Door, str], None]
    ) -> None:
        self.config = config
        self.boot_id = boot_id
        self._hal = hal
        self._on_opening = on_opening
        self.uptime_ms = 0.0
        self.link = BoardLink(hello_ack=self._hello_ack, act=self._act, boot_id=boot_id)
        self.entry = DoorLogic(wire.WireDoor.ENTRY, config.entry_kind)
        self.exit = DoorLogic(wire.WireDoor.EXIT, config.exit_kind)
        self.self_test = BoardSelfTest(config)
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
        self.beams = 0
        self.beams_changed_ms = 0
        self._token_basis: tuple[object, ...] | None = None
        self._reporter = Reporter(self)
        self._inside = range(config.first_inside_beam, config.last_inside_beam + 1)
        self._senses = {
            self.entry: PassageSense(first_beam=self._inside.start - 1),
            self.exit: PassageSense(first_beam=self._inside.stop - 1),
        }
        self._event(wire.EventCode.BOOTED)
        self.inputs = hal.read()
        self.entry.begin(self.inputs.entry)
        self.exit.begin(self.inputs.exit)

    @property
    def _doors(self) -> tuple[DoorLogic, DoorLogic]:
        return self.entry, self.exit

    @property
    def is_holding(self) -> bool:
        """A latched fault keeps motion commands refused until ACK_FAULT."""
        entry, exit_ = self.entry, self.exit
        is_door_faulty = entry.is_forced or entry.is_jammed or exit_.is_forced or exit_.is_jammed
        return is_door_faulty or self.is_watchdog_tripped or self.is_stopped or self.is_released

    # -- the line --------------------------------------------------------------------------------------------------

    def receive(self, data: bytes) -> None:
        """Acts on the host's frames at once, and tells at once what that changed."""
        self._read()
        before = self.link.sessions_begun
        self.link.receive(data, self.uptime_ms)
        if self.link.sessions_begun != before:
            self.exit_token, self._token_basis = wire.NO_TOKEN, None
            self._reporter.forget()
        self._drive(0.0)
        self._report()
        self._write()

    def take_output(self) -> bytes:
        return self.link.take_output()

    def _hello_ack(self, version: int, session: int) -> wire.HelloAck:
        major, minor, patch = FIRMWARE_VERSION
        return wire.HelloAck(
            version=version,
            firmware_major=major,
            firmware_minor=minor,
            firmware_patch=patch,
            board_id=self.config.board_id,
            boot_id=self.boot_id,
            session=session,
            watchdog_ms=self.config.watchdog_ms,
            entry_kind=self.config.entry_kind,
            exit_kind=self.config.exit_kind,
            beam_count=self.config.beam_count,
            first_inside_beam=self.config.first_inside_beam,
            last_inside_beam=self.config.last_inside_beam,
            beam_pitch_mm=self.config.beam_pitch_mm,
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
            case wire.SelfTest():
                if not self._may_test:
                    return wire.ResultCode.REFUSED_STATE
                self.self_test.ask()
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
        if self.is_holding or self.is_evacuating or not self.entry.is_present:
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
        if self.is_holding:
            self._shut_all()
        # Each latch goes when its own cause has gone: a stop that waited for a forced door would keep it from being shut.
        self.is_released = self.is_stopped = self.is_watchdog_tripped = False
        for door in self._doors:
            door.clear_faults()
        if any(door.is_forced for door in self._doors):
            return wire.ResultCode.REFUSED_STATE
        if self.self_test.failed:
            self.self_test.ask()
        return wire.ResultCode.DONE

    def _end_evacuation(self) -> None:
        if self.is_evacuating:
            self.is_evacuating = False
            self.entry.wants_open = False
            self.exit.wants_open = self.is_released

    # -- inputs ----------------------------------------------------------------------------------------------------

    def _read(self) -> None:
        inputs = self.inputs = self._hal.read()
        self.entry.see(inputs.entry)
        self.exit.see(inputs.exit)
        if inputs.is_estop_pressed != self.is_estop_pressed:
            self.is_estop_pressed = inputs.is_estop_pressed
            self.is_stopped = True
            pressed, released = wire.EventCode.ESTOP_PRESSED, wire.EventCode.ESTOP_RELEASED
            self._event(pressed if inputs.is_estop_pressed else released)
        if inputs.is_fire != self.is_fire:
            self.is_fire = inputs.is_fire
            self._release(wire.OpeningReason.FIRE)
            self._event(wire.EventCode.FIRE_RAISED if inputs.is_fire else wire.EventCode.FIRE_CLEARED)
        if inputs.is_power_failed != self.is_power_failed:
            self.is_power_failed = inputs.is_power_failed
            self._release(wire.OpeningReason.POWER)
            failed, restored = wire.EventCode.POWER_FAILED, wire.EventCode.POWER_RESTORED
            self._event(failed if inputs.is_power_failed else restored)
        if not self.self_test.is_blind and inputs.beams != self.beams:
            self.beams = inputs.beams
            self.beams_changed_ms = int(self.uptime_ms) % UPTIMES

    def _write(self) -> None:
        self._hal.write(
            BoardOutputs(
                entry=self.entry.outputs,
                exit=self.exit.outputs,
                has_light=self.self_test.has_light,
                lamp=self.shown_lamp,
                buzzer=self.buzzer,
            )
        )

    @property
    def shown_lamp(self) -> wire.WireLamp:
        return wire.WireLamp.RED if self.is_holding else self.lamp

    def _release(self, reason: wire.OpeningReason) -> None:
        self.is_released = True
        self.exit.wants_open = False  # whatever it was wanted for before, this is the reason now
        self.exit.want_open(reason)

    # -- time ------------------------------------------------------------------------------------------------------

    def step(self, dt_ms: float) -> None:
        """One scan: inputs, watchdog, self-test, doors, people, token, report, outputs."""
        self.uptime_ms += dt_ms
        self._read()
        self._watch_host()
        self._test(dt_ms)
        self._drive(dt_ms)
        self._watch_passages()
        self._report()
        self._write()
        self.link.step(self.uptime_ms)

    @property
    def _may_test(self) -> bool:
        is_secure = self.entry.is_secure and self.exit.is_secure
        return is_secure and not self.is_holding and not self.is_evacuating

    def _test(self, dt_ms: float) -> None:
        wrong = (
            wrong_supplies(self.config, self.inputs)
            | self.entry.is_contact_wrong * int(wire.FailedFlag.ENTRY_LOCK)
            | self.exit.is_contact_wrong * int(wire.FailedFlag.EXIT_LOCK)
        )
        for code in self.self_test.step(dt_ms, beams=self.inputs.beams, wrong=wrong, may_run=self._may_test):
            detail = int(self.self_test.failed) if code is wire.EventCode.SELF_TEST_FAILED else 0
            self._event(code, wire.WireDoor.NONE, detail)

    def _watch_host(self) -> None:
        fed_ms = self.link.fed_ms
        if fed_ms is None or self.is_watchdog_tripped or self.uptime_ms - fed_ms <= self.config.watchdog_ms:
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
        cuts = ((self.entry, self._inside.start), (self.exit, self._inside.stop))
        self.person_count = count_people(
            self.beams,
            inside=self._inside,
            cuts=tuple(cut for door, cut in cuts if door.is_present and door.is_shut),
            beam_count=self.config.beam_count,
            pitch_mm=self.config.beam_pitch_mm,
        )
        self._renew_token()

    def _scan_door(self, door: DoorLogic, other: DoorLogic, dt_ms: float) -> None:
        if not door.is_present:
            return
        seen = door.watch(dt_ms, is_doorway_broken=self._is_doorway_broken(door))
        for code, detail in seen:
            self._event(code, door.name, detail)
            if code is wire.EventCode.DOOR_OPENED:
                self._on_opening(Door(door.name.name.lower()), wire.OpeningReason(detail).name.lower())
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

    def _is_doorway_broken(self, door: DoorLogic) -> bool:
        return bool(self.beams >> self._senses[door].first_beam & 0b11)

    def _renew_token(self) -> None:
        """A new token whenever what it was good for has changed, none while the exit may not be opened."""
        may_open = self._may_test and self.self_test.is_passed
        basis = (self.link.session, self.person_count) if may_open and self.link.session else None
        if basis != self._token_basis:
            self._token_basis = basis
            self.exit_token = wire.NO_TOKEN if basis is None else self._hal.draw()

    def _watch_passages(self) -> None:
        for door, sense in self._senses.items():
            passage = sense.see(self.beams)
            if passage is None:
                continue
            is_forward = passage is Passage.FORWARD
            self._event(wire.EventCode.PASSAGE_FORWARD if is_forward else wire.EventCode.PASSAGE_BACK, door.name)
            is_free = self.is_evacuating or (door is self.exit and self.is_released)
            if door.kind is wire.WireDoorKind.TRIPOD and not is_free:
                door.wants_open = False

    def _report(self) -> None:
        due = self._reporter.due()
        if due is not None:
            self.link.send_sensors(due)

    def sensors(self) -> wire.Sensors:
        """What the next report would say."""
        return self._reporter.sensors()
