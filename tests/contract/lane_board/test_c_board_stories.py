"""Each rule of the board as a short story, told to the board in C and to the one in Python: they end alike, byte by byte."""

from __future__ import annotations

from dataclasses import replace

import pytest
from c_kit import needs_compiler
from two_boards import GREETING, KINDS, AtOnce, Happening, Pass, Say, Sense, play

from drivers.lane_io import protocol as wire
from simulator.board_io import BoardConfig, DoorInputs

pytestmark = needs_compiler


def say(kind: type[wire.Message], value: int = 0) -> Say:
    return Say(kind=kind, is_session_right=True, is_token_right=True, number=1, value=value)


def wait(scans: int, *, is_beating: bool = True) -> Pass:
    return Pass(dt_ms=10, scans=scans, is_beating=is_beating)


def untaken(scans: int) -> Pass:
    return Pass(dt_ms=10, scans=scans, is_beating=True, is_taking=False)


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
    "one more comes before the exit": [wait(2), Sense("person", 11), wait(3), EXIT, wait(5)],
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
        *([Sense("hazards", 1), untaken(1), CALM, untaken(1)] * 20),
        wait(60),
    ],
    "nobody takes the events": [untaken(60), say(wire.Hello, 4), untaken(60)],
    "a shadow under the exit door": [wait(2), Sense("person", 107), wait(5), Sense("person", 3), wait(5)],
    "a new session counts anew": [
        replace(OPEN, number=0x5000),
        say(wire.Hello, 4),
        replace(SHUT, number=0xC000),
        wait(5),
    ],
    "opened and shut in one piece": [AtOnce((EXIT, say(wire.CloseExit))), wait(3), AtOnce((OPEN, EXIT, SHUT)), wait(3)],
    "a test is interrupted at its end": [say(wire.SelfTest), wait(4), OPEN, wait(60), SHUT, wait(90)],
    "pushed open, and somebody in it": [Sense("entry", 400), IN_THE_ENTRY, wait(40), Sense("nobody", 0), wait(90)],
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
