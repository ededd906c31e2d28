"""The board in C and the board in Python, played side by side: the same inputs give the same bytes and the same outputs."""

from __future__ import annotations

from dataclasses import dataclass, replace

import pytest
from c_kit import needs_compiler
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from drivers.lane_io import protocol as wire
from drivers.lane_io.codec import Frame, encode
from simulator.board_io import BoardConfig, BoardInputs, BoardOutputs, DoorInputs, DoorOutputs
from simulator.c_board import CFirmware
from simulator.firmware import Firmware

pytestmark = needs_compiler
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


Happening = Say | Noise | Sense | Pass


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
            case Noise(data=data):
                self.hear(data)
            case Sense():
                self.sense(happening)
            case Pass():
                for _ in range(happening.scans):
                    if happening.is_beating:
                        self.hear(encode(Frame(sequence=0, message=wire.Heartbeat(session=self.twin.link.session))))
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


HOST_KINDS = [kind for kind in wire.MESSAGES.values() if kind.TYPE < 0x80]
BOARD_KINDS = [wire.OpenExit, wire.MoveEntry, wire.AckFault, wire.SelfTest, wire.EndEvacuation, wire.EventAck]
SENSES = [
    *(
        "hazards",
        "beams",
        "person",
        "nobody",
        "entry",
        "exit",
        "stuck",
        "contact",
        "supply",
        "temperature",
        "memory",
        "well",
    )
]
MOSTLY = st.sampled_from([True, True, True, False])
HAPPENINGS = st.one_of(
    st.builds(
        Say,
        kind=st.sampled_from(HOST_KINDS + BOARD_KINDS),
        is_session_right=MOSTLY,
        is_token_right=MOSTLY,
        number=st.sampled_from([1, 1, 1, 0, 5, 0xFFFF, 0x8001]),
        value=st.integers(0, 0xFFFF),
    ),
    st.builds(Noise, data=st.binary(max_size=90)),
    st.builds(Sense, what=st.sampled_from(SENSES), value=st.integers(0, 0xFFFF)),
    st.builds(Sense, what=st.just("hazards"), value=st.integers(0, 4)),
    st.builds(
        Sense, what=st.sampled_from(["entry", "exit"]), value=st.sampled_from([0, 20, 22, 50, 51, 55, 999, 1000])
    ),
    st.builds(
        Pass, dt_ms=st.sampled_from([10, 10, 1, 7, 33]), scans=st.sampled_from([1, 3, 12, 60, 190]), is_beating=MOSTLY
    ),
)
CONFIGS = st.builds(
    lambda beams, entry, exit_kind, pitch, settle, watchdog: BoardConfig(
        watchdog_ms=watchdog,
        entry_kind=entry,
        exit_kind=exit_kind,
        beam_count=beams,
        first_inside_beam=1 + beams // 20,
        last_inside_beam=beams - 2 - beams // 20,
        beam_pitch_mm=pitch,
        curtain_settle_ms=settle,
    ),
    st.sampled_from([28, 4, 33, 64]),
    st.sampled_from(list(KINDS)),
    st.sampled_from([KINDS.SLIDING, KINDS.TRIPOD]),
    st.sampled_from([100, 50, 255, 7]),
    st.sampled_from([20, 0, 35]),
    st.sampled_from([400, 1000]),
)
DOORS = st.builds(DoorInputs, position_permille=st.sampled_from([0, 0, 0, 20, 400, 1000]), is_locked=MOSTLY)
GREETING = Say(kind=wire.Hello, is_session_right=True, is_token_right=True, number=1, value=4)
LONG = settings(deadline=None, suppress_health_check=list(HealthCheck))


def play(config: BoardConfig, entry: DoorInputs, exit_: DoorInputs, happenings: list[Happening]) -> Both:
    both = Both(config, BoardInputs(entry=entry, exit=exit_, beams=0))
    for happening in (GREETING, Pass(dt_ms=10, scans=8, is_beating=True), *happenings):
        both.play(happening)
    return both


@settings(LONG, max_examples=120)
@given(CONFIGS, DOORS, DOORS, st.lists(HAPPENINGS, max_size=40))
def test_same_inputs_same_bytes(
    config: BoardConfig, entry: DoorInputs, exit_: DoorInputs, happenings: list[Happening]
) -> None:
    play(config, entry, exit_, happenings)


@pytest.mark.long
@pytest.mark.timeout(3600)
@settings(LONG, max_examples=5000, derandomize=False)
@given(CONFIGS, DOORS, DOORS, st.lists(HAPPENINGS, min_size=10, max_size=120))
def test_same_inputs_same_bytes_for_a_long_time(
    config: BoardConfig, entry: DoorInputs, exit_: DoorInputs, happenings: list[Happening]
) -> None:
    play(config, entry, exit_, happenings)


def say(kind: type[wire.Message], value: int = 0) -> Say:
    return Say(kind=kind, is_session_right=True, is_token_right=True, number=1, value=value)


def wait(scans: int, *, is_beating: bool = True) -> Pass:
    return Pass(dt_ms=10, scans=scans, is_beating=is_beating)


OPEN, SHUT = say(wire.MoveEntry, 1), say(wire.MoveEntry, 0)
EXIT, ACK = say(wire.OpenExit), say(wire.AckFault)
IN_THE_ENTRY, CALM = Sense("person", 0), Sense("hazards", 0)
SCRIPTS: dict[str, list[Happening]] = {
    "a jam at the beginning": [Sense("stuck", 0), OPEN, wait(170), ACK, wait(10), Sense("stuck", 0), wait(80)],
    "a jam on the way": [OPEN, wait(20), Sense("stuck", 0), wait(170), SHUT, ACK, Sense("stuck", 0), wait(100)],
    "pushed a little, and more": [
        Sense("entry", 50),
        wait(3),
        Sense("exit", 51),
        wait(40),
        ACK,
        wait(80),
        ACK,
        wait(40),
    ],
    "somebody in the closing door": [
        OPEN,
        wait(60),
        IN_THE_ENTRY,
        SHUT,
        wait(60),
        Sense("nobody", 0),
        wait(29),
        wait(90),
    ],
    "the safety edge": [OPEN, wait(60), SHUT, wait(20), Sense("entry", 490), wait(5), Sense("entry", 491), wait(90)],
    "the host is silent": [OPEN, wait(60), wait(150, is_beating=False), wait(20), say(wire.Hello, 4), ACK, wait(80)],
    "it greets and never beats": [OPEN, *([say(wire.Hello, 4), wait(9, is_beating=False)] * 15), wait(100)],
    "fire, then a stop, then calm": [
        Sense("hazards", 2),
        wait(60),
        Sense("hazards", 1),
        wait(9),
        CALM,
        wait(9),
        ACK,
        wait(80),
    ],
    "power lost in an evacuation": [
        say(wire.BeginEvacuation),
        Sense("hazards", 3),
        say(wire.EndEvacuation),
        wait(90),
        CALM,
        ACK,
    ],
    "evacuated and then silent": [
        say(wire.BeginEvacuation),
        wait(150, is_beating=False),
        say(wire.Hello, 4),
        ACK,
        wait(80),
    ],
    "one is let out": [EXIT, wait(60), say(wire.CloseExit), wait(80), EXIT, wait(5)],
    "one more comes before the exit": [Sense("person", 10), wait(2), EXIT, wait(5), Sense("person", 11), EXIT, wait(5)],
    "heat for a moment and for longer": [
        *(Sense("temperature", 0xFFFF), wait(29), Sense("well", 0), wait(5), Sense("temperature", 0xFFFF), wait(31)),
        *(Sense("well", 0), say(wire.SelfTest), wait(12), EXIT),
    ],
    "no mains, and the buffer sinks": [
        Sense("hazards", 3),
        Sense("supply", 1),
        wait(60),
        CALM,
        wait(60),
        ACK,
        wait(20),
    ],
    "a test is interrupted": [say(wire.SelfTest), wait(1), OPEN, wait(80), say(wire.SelfTest), SHUT, wait(90)],
    "more events than fit": [
        *([Sense("hazards", 1), wait(1), CALM, wait(1)] * 20),
        *([say(wire.EventAck), wait(1)] * 40),
    ],
    "nobody takes the events": [wait(60), wait(60)],
    "a new session counts anew": [
        replace(OPEN, number=0x5000),
        say(wire.Hello, 4),
        replace(SHUT, number=0xC000),
        wait(5),
    ],
    "sequences far apart": [replace(OPEN, number=n) for n in (0x7FFF, 0x8000, 0x8001, 1, 0xFFFF, 2, 0)],
}


@pytest.mark.parametrize("exit_kind", [KINDS.SLIDING, KINDS.TRIPOD])
@pytest.mark.parametrize("entry_kind", [KINDS.FLAP, KINDS.NONE])
@pytest.mark.parametrize("name", SCRIPTS)
def test_same_story_same_bytes(name: str, entry_kind: KINDS, exit_kind: KINDS) -> None:
    play(BoardConfig(entry_kind=entry_kind, exit_kind=exit_kind), DoorInputs(), DoorInputs(), SCRIPTS[name])


def test_both_agree_when_the_uptime_goes_round() -> None:
    """After 49.7 days: the clock that is sent wraps, and nothing else happens."""
    both = play(BoardConfig(), DoorInputs(), DoorInputs(), [])
    both.step(0xFFFF_FFFF - both.board.uptime_ms - 50)
    both.play(replace(GREETING, number=2))
    both.play(Say(kind=wire.AckFault, is_session_right=True, is_token_right=True, number=1, value=0))
    both.play(Pass(dt_ms=10, scans=300, is_beating=True))
    assert both.board.uptime_ms < 5000
    assert both.twin.exit_token != wire.NO_TOKEN


def test_the_run_comes_as_far_as_an_open_exit() -> None:
    opening = Say(kind=wire.OpenExit, is_session_right=True, is_token_right=True, number=1, value=0)
    both = play(BoardConfig(), DoorInputs(), DoorInputs(), [opening, Pass(dt_ms=10, scans=60, is_beating=True)])
    assert both.hal.inputs.exit.position_permille == 1000


def test_a_door_that_one_of_them_drives_otherwise_is_noticed() -> None:
    both = play(BoardConfig(), DoorInputs(), DoorInputs(), [])
    both.twin.entry.want_open(wire.OpeningReason.COMMAND)
    with pytest.raises(AssertionError):
        both.step(10)
