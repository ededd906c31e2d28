"""What can break, go away, come twice, come forged or jump, and how each is mended."""

import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from drivers.lane_io.interface import Door
from gate.wire.messages import Act
from simulator.board_model import BoardFault
from simulator.chaos.judge import STOPPED

if TYPE_CHECKING:
    from simulator.chaos.shift import Shift

Break = Callable[["Shift", random.Random], None]
Mend = Callable[["Shift"], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """``mend`` None: it is over as soon as it has happened. ``longest_s``: how long it may last."""

    name: str
    strike: Break
    mend: Mend | None = None
    longest_s: float = 1.6


def _board(fault: BoardFault, value: Callable[[random.Random], float | None] = lambda _rng: None) -> Fault:
    def strike(shift: "Shift", rng: random.Random) -> None:
        if fault is BoardFault.POWER_OFF:
            shift.judge.note_cause("power")
        shift.board.inject(fault, value(rng))

    def mend(shift: "Shift") -> None:
        shift.board.heal(fault)
        if fault is BoardFault.POWER_OFF:
            shift.judge.cause_is_gone("power")

    return Fault(name=f"board {fault.value}", strike=strike, mend=mend)


_EVACUATION_KEPT_S = 20.0
"""An evacuation goes on after its cause until officers end it."""


def _input(name: str, reason: str, begin: str, end: str) -> Fault:
    def strike(shift: "Shift", _rng: random.Random) -> None:
        shift.judge.note_cause(reason)
        if reason == "fire":
            shift.judge.note_cause("evacuation")
        getattr(shift.board, begin)()

    def mend(shift: "Shift") -> None:
        getattr(shift.board, end)()
        shift.judge.cause_is_gone(reason)
        if reason == "fire":
            shift.loop.call_later(_EVACUATION_KEPT_S, shift.judge.cause_is_gone, "evacuation")

    return Fault(name=name, strike=strike, mend=mend, longest_s=2.0)


def _forced(door: Door) -> Fault:
    def strike(shift: "Shift", _rng: random.Random) -> None:
        shift.judge.note_cause("forced")
        shift.board.force_door(door)

    def mend(shift: "Shift") -> None:
        shift.board.let_go(door)
        shift.judge.cause_is_gone("forced")

    return Fault(name=f"{door.value} forced", strike=strike, mend=mend, longest_s=1.5)


def _evacuate(shift: "Shift", _rng: random.Random) -> None:
    shift.judge.note_cause("evacuation")
    shift.hub.command(Act.EVACUATE)


def _evacuation_over(shift: "Shift") -> None:
    shift.hub.command(Act.END_EVACUATION)
    shift.loop.call_later(_EVACUATION_KEPT_S, shift.judge.cause_is_gone, "evacuation")


def _take_out_of_service(shift: "Shift", _rng: random.Random) -> None:
    shift.hub.command(Act.TAKE_OUT_OF_SERVICE)


def _replay(shift: "Shift", rng: random.Random) -> None:
    if shift.hub.sent:
        shift.hub.replay(rng.choice(shift.hub.sent))


def _forge(shift: "Shift", _rng: random.Random) -> None:
    lane = shift.process
    here = lane.casework.crossing if lane is not None else None
    if here is not None:
        shift.hub.replay(
            shift.forger.release(
                case_id=here.case_id,
                occupancy_id=here.evidence.occupancy_id or "boot-1-1",
                digest=here.evidence.digest(),
                now_ms=shift.clock.utc_ms(),
            )
        )


def _release_other_stay(shift: "Shift", _rng: random.Random) -> None:
    """Well signed, for this case and its evidence, but for the stay of somebody else."""
    lane = shift.process
    here = lane.casework.crossing if lane is not None else None
    if here is not None:
        shift.hub.command(Act.RELEASE, case_id=here.case_id, occupancy_id="boot-1-999", digest=here.evidence.digest())


def _jump(shift: "Shift", rng: random.Random) -> None:
    shift.clock.set_ahead(rng.choice((-3_600_000, -20_000, -1_500, 1_500, 20_000, 3_600_000)))


def _set_disk(is_full: bool) -> Mend:
    def act(shift: "Shift") -> None:
        shift.disk.is_full = is_full

    return act


def _blind(device: str) -> Fault:
    return Fault(
        name=f"{device} silent",
        strike=lambda shift, _rng: shift.sight.go_blind(device),
        mend=lambda shift: shift.sight.see_again(device),
    )


def _set_hub(is_up: bool) -> Mend:
    def act(shift: "Shift") -> None:
        shift.hub.is_up = is_up

    return act


def _set_officers(are_there: bool) -> Mend:
    def act(shift: "Shift") -> None:
        shift.officers.are_there = are_there

    return act


def _once(act: Mend) -> Break:
    return lambda shift, _rng: act(shift)


FAULTS: tuple[Fault, ...] = (
    _board(BoardFault.JAM_ON_NEXT_MOVE),
    _board(BoardFault.POWER_OFF),
    _board(BoardFault.GARBLE, lambda rng: rng.uniform(0.005, 0.3)),
    _board(BoardFault.LATE, lambda rng: rng.uniform(20, 900)),
    _board(BoardFault.SILENT),
    _board(BoardFault.REBOOT),
    _board(BoardFault.STUCK_BEAM, lambda rng: float(rng.randrange(28))),
    _input("emergency stop", STOPPED, "press_estop", "release_estop"),
    _input("fire", "fire", "raise_fire", "clear_fire"),
    _input("mains lost", "power", "fail_power", "restore_power"),
    _forced(Door.ENTRY),
    _forced(Door.EXIT),
    Fault(name="serial line unplugged", strike=_once(lambda s: s.line.unplug()), mend=lambda s: s.line.plug_in()),
    Fault(name="broker gone", strike=_once(lambda s: s.broker.stop()), mend=lambda s: s.broker.start(), longest_s=4.0),
    Fault(name="connections broken", strike=_once(lambda s: s.broker.disconnect())),
    Fault(name="hub gone", strike=_once(_set_hub(False)), mend=_set_hub(True), longest_s=4.0),
    Fault(
        name="network slow",
        strike=lambda s, rng: setattr(s.broker, "latency_s", rng.uniform(0.1, 2.0)),
        mend=lambda s: setattr(s.broker, "latency_s", 0.002),
    ),
    _blind("face_camera"),
    _blind("document_camera"),
    Fault(
        name="thermometer silent",
        strike=lambda s, _rng: setattr(s.thermometer, "is_there", False),
        mend=lambda s: setattr(s.thermometer, "is_there", True),
    ),
    Fault(name="lane killed", strike=_once(lambda s: s.kill()), mend=lambda s: s.start_lane()),
    Fault(name="clock jumps", strike=_jump),
    Fault(name="disk full", strike=_once(_set_disk(True)), mend=_set_disk(False)),
    Fault(name="command replayed", strike=_replay),
    Fault(name="release forged", strike=_forge),
    Fault(name="release of another stay", strike=_release_other_stay),
    Fault(name="evacuation", strike=_evacuate, mend=_evacuation_over, longest_s=2.0),
    Fault(name="out of service", strike=_take_out_of_service),
    Fault(name="officers away", strike=_once(_set_officers(False)), mend=_set_officers(True), longest_s=8.0),
)
