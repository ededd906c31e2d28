"""How a board tests its safety devices: the curtain in the dark, the rest by watching. Same rules as `src/tg_selftest.c`.

The curtain's test switches the emitters off: a receiver that still sees light would miss a person who stands there
(periodic test of IEC 61496-1, type 2). While it runs, the curtain is blind: what was seen last is taken to last, the doors are shut
and locked, and there is no exit token. A door that must move ends the test, which then begins anew.
"""

from __future__ import annotations

from enum import Enum, auto

from drivers.lane_io import protocol as wire
from simulator.board_io import BoardConfig, BoardInputs

FAILED_AFTER_MS = 300
"""A device that is wrong for so long has failed without any test."""
_WATCHED = (
    wire.FailedFlag.ENTRY_LOCK,
    wire.FailedFlag.EXIT_LOCK,
    wire.FailedFlag.MEMORY,
    wire.FailedFlag.SUPPLY,
    wire.FailedFlag.TEMPERATURE,
)


class _Phase(Enum):
    IDLE = auto()
    WAITING = auto()
    DARK = auto()
    LIGHT = auto()


class BoardSelfTest:
    """`step` with every scan; `wrong` are the bits of the watched devices that look wrong in that scan."""

    def __init__(self, config: BoardConfig) -> None:
        self._settle_ms = config.curtain_settle_ms
        self._all_beams = (1 << config.beam_count) - 1
        self._phase = _Phase.WAITING
        self._phase_ms = 0.0
        self._is_judged = False
        self._is_curtain_bad = False
        self._was_wrong = 0
        self._wrong_ms = dict.fromkeys(_WATCHED, 0.0)
        self.failed = wire.FailedFlag(0)

    @property
    def is_blind(self) -> bool:
        """The curtain tells nothing now."""
        return self._phase in (_Phase.DARK, _Phase.LIGHT)

    @property
    def has_light(self) -> bool:
        return self._phase is not _Phase.DARK

    @property
    def is_passed(self) -> bool:
        return self._phase is _Phase.IDLE and not self.failed

    @property
    def state(self) -> wire.SelfTestState:
        if self.is_blind:
            return wire.SelfTestState.RUNNING
        if self._phase is _Phase.WAITING:
            return wire.SelfTestState.PENDING
        return wire.SelfTestState.FAILED if self.failed else wire.SelfTestState.PASSED

    def ask(self) -> None:
        """Wants a test, as soon as it may begin. One that is on its way is enough."""
        if self._phase is _Phase.IDLE:
            self._phase = _Phase.WAITING

    def step(self, dt_ms: float, *, beams: int, wrong: int, may_run: bool) -> list[wire.EventCode]:
        """`beams` as the receivers say, `may_run` while the doors are shut and locked and nothing holds."""
        self._phase_ms += dt_ms
        seen = self._watch(dt_ms, wrong)
        if self._phase is _Phase.WAITING and may_run:
            self._enter(_Phase.DARK)
        elif self._phase is _Phase.DARK and not may_run:
            self._is_judged = False
            self._enter(_Phase.LIGHT)
        elif self._phase is _Phase.DARK and self._phase_ms >= self._settle_ms:
            self._is_judged = True
            self._is_curtain_bad = beams != self._all_beams
            self._enter(_Phase.LIGHT)
        elif self._phase is _Phase.LIGHT and self._phase_ms >= self._settle_ms:
            if self._is_judged and may_run:
                self.failed = wire.FailedFlag(wrong | self._is_curtain_bad * int(wire.FailedFlag.CURTAIN))
                self._enter(_Phase.IDLE)
                seen = [wire.EventCode.SELF_TEST_FAILED if self.failed else wire.EventCode.SELF_TEST_PASSED]
            else:
                self._enter(_Phase.WAITING)
        return seen

    def _enter(self, phase: _Phase) -> None:
        self._phase, self._phase_ms = phase, 0.0

    def _watch(self, dt_ms: float, wrong: int) -> list[wire.EventCode]:
        if not wrong and not self._was_wrong:
            return []
        self._was_wrong = wrong
        before = self.failed
        for device in _WATCHED:
            self._wrong_ms[device] = self._wrong_ms[device] + dt_ms if wrong & device else 0.0
            if self._wrong_ms[device] >= FAILED_AFTER_MS:
                self.failed |= device
        return [wire.EventCode.SELF_TEST_FAILED] if self.failed != before else []


def wrong_supplies(config: BoardConfig, inputs: BoardInputs) -> int:
    """FailedFlag bits of memory, supply and temperature as they are now. Without mains the buffer's voltage says nothing."""
    is_supply_well = config.lowest_supply_mv <= inputs.supply_mv <= config.highest_supply_mv
    celsius = inputs.temperature_tenths_celsius
    is_cool = config.lowest_tenths_celsius <= celsius <= config.highest_tenths_celsius
    bits = 0
    if not inputs.is_memory_well:
        bits |= wire.FailedFlag.MEMORY
    if not is_supply_well and not inputs.is_power_failed:
        bits |= wire.FailedFlag.SUPPLY
    if not is_cool:
        bits |= wire.FailedFlag.TEMPERATURE
    return bits
