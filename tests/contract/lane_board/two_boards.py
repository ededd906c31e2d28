"""The board in C and the board in Python, side by side: what may happen to both, and that they answer alike, byte by byte."""

from __future__ import annotations

from dataclasses import dataclass, replace

from drivers.lane_io import protocol as wire
from drivers.lane_io.codec import Frame, encode
from simulator.board_io import BoardConfig, BoardInputs, BoardOutputs, DoorInputs, DoorOutputs
from simulator.c_board import CFirmware
from simulator.firmware import Firmware

BOOT_ID = 0xDEADBEEF
KINDS = wire.WireDoorKind


class SharedHal:
    """Hands the same inputs and the same lots to both; remembers what one of them drives."""

    def __init__(self, inputs: BoardInputs) -> None:
        self.inputs = inputs
        self.lot = 1
        self.outputs = BoardOutputs(
            entry=DoorOutputs(),
            exit=DoorOutputs(),
            has_light=True,
            lamp=wire.WireLamp.RED,
            buzzer=wire.WireBuzzer.OFF,
        )

    def read(self) -> BoardInputs:
        return self.inputs

    def write(self, outputs: BoardOutputs) -> None:
        self.outputs = outputs

    def draw(self) -> int:
        return self.lot


@dataclass(frozen=True)
class Say:
    """A message of the host's, in which names stand for what the board said last."""

    kind: type[wire.Message]
    is_session_right: bool
    is_token_right: bool
    number: int
    value: int


@dataclass(frozen=True)
class Noise:
    data: bytes


@dataclass(frozen=True)
class Sense:
    """Something that the lane does to the board's inputs."""

    what: str
    value: int


@dataclass(frozen=True)
class Pass:
    dt_ms: int
    scans: int
    is_beating: bool
    is_taking: bool = True
    """The host takes the events that it is told."""


@dataclass(frozen=True)
class AtOnce:
    """Several messages in one piece of line, as a busy one delivers them."""

    says: tuple[Say, ...]


Happening = Say | AtOnce | Noise | Sense | Pass


class Both:
    def __init__(self, config: BoardConfig, boot_inputs: BoardInputs) -> None:
        self.config = config
        self.hal = SharedHal(boot_inputs)
        self.shadow = SharedHal(boot_inputs)
        self.twin = Firmware(self.hal, config, boot_id=BOOT_ID, on_opening=lambda *_: None)
        self.board = CFirmware(self.shadow, config, boot_id=BOOT_ID, on_opening=lambda *_: None)
        self.all_beams = (1 << config.beam_count) - 1
        self.beams = 0
        self.is_stuck = False
        self.number = 0
        self.session = 7

    def play(self, happening: Happening) -> None:
        match happening:
            case Say():
                self.hear(self.frame(happening))
            case AtOnce(says=says):
                self.hear(b"".join(self.frame(say) for say in says))
            case Noise(data=data):
                self.hear(data)
            case Sense():
                self.sense(happening)
            case Pass():
                for _ in range(happening.scans):
                    if happening.is_beating:
                        self.hear(encode(Frame(sequence=0, message=wire.Heartbeat(session=self.twin.link.session))))
                    if happening.is_taking and self.twin.link._events:
                        oldest = self.twin.link._events[0].event_sequence
                        taken = wire.EventAck(event_sequence=oldest, boot_id=BOOT_ID)
                        self.hear(encode(Frame(sequence=0, message=taken)))
                    self.step(happening.dt_ms)

    def frame(self, say: Say) -> bytes:
        session = self.twin.link.session if say.is_session_right else say.value
        token = self.twin.exit_token if say.is_token_right else say.value
        self.number = (self.number + say.number) % 0x1_0000
        kind = say.kind
        if kind is wire.Hello:
            self.session += say.number
            message: wire.Message = wire.Hello(
                lowest_version=say.value % 3, highest_version=say.value // 3 % 3, session=self.session
            )
        elif kind is wire.EventAck:
            events = self.twin.link._events
            oldest = events[0].event_sequence if events and say.is_token_right else say.value
            message = wire.EventAck(event_sequence=oldest, boot_id=BOOT_ID if say.is_session_right else say.value)
        elif kind is wire.MoveEntry:
            message = wire.MoveEntry(session=session, target=list(wire.EntryTarget)[say.value % 2])
        elif kind is wire.OpenExit:
            message = wire.OpenExit(session=session, token=token)
        elif kind is wire.Lamp:
            message = wire.Lamp(session=session, colour=wire.WireLamp(say.value % 5))
        elif kind is wire.Buzzer:
            message = wire.Buzzer(session=session, pattern=wire.WireBuzzer(say.value % 4))
        else:
            message = kind(session=session)  # type: ignore[call-arg]
        return encode(Frame(sequence=self.number, message=message))

    def sense(self, sense: Sense) -> None:
        inputs, value = self.hal.inputs, sense.value
        match sense.what:
            case "hazards":
                inputs = replace(
                    inputs, is_estop_pressed=value == 1, is_fire=value == 2, is_power_failed=value in (3, 4)
                )
            case "beams":
                self.beams ^= 1 << value % self.config.beam_count
            case "person":
                width = value % 5 + 2
                self.beams = ((1 << width) - 1) << value % self.config.beam_count & self.all_beams
            case "nobody":
                self.beams = 0
            case "entry" | "exit":
                door: DoorInputs = getattr(inputs, sense.what)
                changed = replace(door, position_permille=value % 1001, is_touching=value % 7 == 0)
                inputs = replace(inputs, **{sense.what: changed})
            case "stuck":
                self.is_stuck = not self.is_stuck
            case "contact":
                inputs = replace(inputs, exit=replace(inputs.exit, is_locked=value % 2 == 0))
            case "supply":
                inputs = replace(inputs, supply_mv=value % 0x1_0000)
            case "temperature":
                inputs = replace(inputs, temperature_tenths_celsius=value % 0x1_0000 - 0x8000)
            case "memory":
                inputs = replace(inputs, is_memory_well=value % 3 == 0)
            case _:
                inputs = replace(
                    inputs,
                    supply_mv=24_000,
                    temperature_tenths_celsius=300,
                    is_memory_well=True,
                )
        self.hal.inputs = self.shadow.inputs = inputs

    def hear(self, data: bytes) -> None:
        self.settle()
        self.twin.receive(data)
        self.board.receive(data)
        self.agree()

    def step(self, dt_ms: int) -> None:
        """The doors go where they are driven, their contacts follow their locks."""
        out = self.hal.outputs
        inputs = replace(
            self.hal.inputs,
            entry=moved(self.hal.inputs.entry, out.entry, 0 if self.is_stuck else dt_ms),
            exit=moved(self.hal.inputs.exit, out.exit, 0 if self.is_stuck else dt_ms),
        )
        self.hal.inputs = self.shadow.inputs = inputs
        self.settle()
        self.twin.step(dt_ms)
        self.board.step(dt_ms)
        self.agree()

    def settle(self) -> None:
        beams = self.beams if self.hal.outputs.has_light else self.all_beams
        self.hal.inputs = self.shadow.inputs = replace(self.hal.inputs, beams=beams)
        self.hal.lot = self.shadow.lot = self.hal.lot % 0xFFFF_FFFF + 1

    def agree(self) -> None:
        assert self.board.take_output().hex() == self.twin.take_output().hex()
        assert self.shadow.outputs == self.hal.outputs
        assert self.board.uptime_ms == self.twin.uptime_ms % 0x1_0000_0000


def moved(door: DoorInputs, out: DoorOutputs, dt_ms: int) -> DoorInputs:
    position = door.position_permille
    if out.motor > 0 and not out.is_lock_driven:
        position = min(1000, position + 2 * dt_ms)
    elif out.motor < 0:
        position = max(0, position - 2 * dt_ms)
    return DoorInputs(position_permille=position, is_locked=out.is_lock_driven, is_touching=door.is_touching)


GREETING = Say(kind=wire.Hello, is_session_right=True, is_token_right=True, number=1, value=4)


def play(config: BoardConfig, entry: DoorInputs, exit_: DoorInputs, happenings: list[Happening]) -> Both:
    both = Both(config, BoardInputs(entry=entry, exit=exit_, beams=0))
    for happening in (GREETING, Pass(dt_ms=10, scans=8, is_beating=True), *happenings):
        both.play(happening)
    return both
