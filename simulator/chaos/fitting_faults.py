"""What can break, or be done, at a lane that has more than board and cameras; only such lanes are struck by these."""

import random
from collections.abc import Callable
from typing import TYPE_CHECKING

from simulator.chaos.chips import ChipStory
from simulator.chaos.faults import FAULTS, Fault
from simulator.chaos.fittings import Furniture, ReaderFault
from simulator.modbus_line import ModbusFault
from simulator.relay_turnstile import TurnstileTwinFault

if TYPE_CHECKING:
    from simulator.chaos.shift import Shift

Act = Callable[[Furniture], None]


def _done(name: str, act: Act, undo: Act | None = None, *, longest_s: float = 1.6) -> Fault:
    def strike(shift: "Shift", _rng: random.Random) -> None:
        if shift.furniture is not None:
            act(shift.furniture)

    def mend(shift: "Shift") -> None:
        if shift.furniture is not None and undo is not None:
            undo(shift.furniture)

    return Fault(name=name, strike=strike, mend=None if undo is None else mend, longest_s=longest_s)


def _module(fault: ModbusFault, value: Callable[[random.Random], float | None] = lambda _rng: None) -> Fault:
    def strike(shift: "Shift", rng: random.Random) -> None:
        if shift.furniture is not None:
            shift.furniture.slave.inject(fault, value(rng))

    def mend(shift: "Shift") -> None:
        if shift.furniture is not None:
            shift.furniture.slave.heal(fault)

    return Fault(name=f"I/O module {fault.value}", strike=strike, mend=mend)


def _turnstile(fault: TurnstileTwinFault) -> Fault:
    name = f"turnstile {fault.value}"
    return _done(name, lambda all_: all_.turnstile.inject(fault), lambda all_: all_.turnstile.heal(fault))


def _reader(fault: ReaderFault) -> Fault:
    name = f"reader {fault.value}"
    return _done(name, lambda all_: all_.reader.faults.add(fault), lambda all_: all_.reader.faults.discard(fault))


def _mat(name: str, attribute: str) -> Fault:
    return _done(name, lambda all_: setattr(all_, attribute, True), lambda all_: setattr(all_, attribute, False))


def _chip(story: ChipStory) -> Fault:
    def act(furniture: Furniture) -> None:
        furniture.chip = story

    def undo(furniture: Furniture) -> None:
        furniture.chip = ChipStory.GENUINE

    return _done(f"chip {story.value}", act, undo, longest_s=2.5)


def _chip_reader(name: str, longer_s: float) -> Fault:
    def act(furniture: Furniture) -> None:
        furniture.chip_takes_s += longer_s

    def undo(furniture: Furniture) -> None:
        furniture.chip_takes_s -= longer_s

    return _done(name, act, undo, longest_s=2.5)


FITTING_FAULTS: tuple[Fault, ...] = (
    _module(ModbusFault.SILENT),
    _module(ModbusFault.LATE, lambda rng: rng.uniform(10, 300)),
    _module(ModbusFault.GARBLE, lambda rng: rng.uniform(0.01, 0.3)),
    _module(ModbusFault.POWER_OFF),
    _module(ModbusFault.REBOOT),
    _module(ModbusFault.FAILURE),
    _turnstile(TurnstileTwinFault.STUCK_CONTACT),
    _turnstile(TurnstileTwinFault.DEAD_CONTACT),
    _turnstile(TurnstileTwinFault.JAM_ON_NEXT_MOVE),
    _done("turnstile passed unasked", lambda all_: all_.turnstile.force()),
    _mat("mat stuck", "is_mat_stuck"),
    _mat("mat dead", "is_mat_dead"),
    _done("portal alarms", lambda all_: all_.alarm(True), lambda all_: all_.alarm(False)),
    _done("further stop pressed", Furniture.press_stop, Furniture.release_stop, longest_s=2.0),
    _done("reader silent", lambda all_: all_.reader.fall_silent(), lambda all_: all_.reader.come_back()),
    _reader(ReaderFault.LATE),
    _reader(ReaderFault.STUCK),
    *(_chip(story) for story in ChipStory if story is not ChipStory.GENUINE),
    _chip_reader("chip slow", 0.5),
    _chip_reader("chip reader stuck", 30.0),
    _done("card held to the reader", lambda all_: all_.reader.hold_card(0x51C0FFEE)),
)
ALL_FAULTS = FAULTS + FITTING_FAULTS
