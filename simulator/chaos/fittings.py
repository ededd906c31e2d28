"""What some lanes of a campaign have beside board and cameras: a turnstile behind the exit, a mat, a portal, a further stop, a
reader for cards and one for chips.

Turnstile, mat, portal and stop hang on one I/O module; what asks it are the product's own drivers. The reader stands behind the
driver's interface, since libosdp keeps its own time.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from enum import StrEnum

from drivers.modbus_io.bus import ModbusBus
from drivers.modbus_io.module import ModbusModule
from drivers.modbus_io.shared import SharedModule
from drivers.modbus_io.wiring import Contact
from drivers.osdp import (
    AccessReader,
    CardFormat,
    CardRead,
    ReaderColour,
    ReaderEvent,
    ReaderLost,
    ReaderResult,
    ReaderSound,
    ReaderUp,
)
from drivers.relay.turnstile import RelayTurnstile
from drivers.sensors import StopContact
from drivers.sensors.contacts import ContactMat, ContactRadiationPortal
from gate.core.evidence import Finding
from gate.lane.equipment import Fittings
from simulator.chaos.chips import ChipStory, findings_of
from simulator.chaos.memory_modbus import MemoryModbusLine
from simulator.chaos.timeloop import LoopClock, TimeLoop
from simulator.modbus_line import ModbusSlave
from simulator.relay_turnstile import PASSAGE, RELAY, TurnstileTwin
from simulator.world import LaneWorld

UNIT = 7
MAT, GAMMA, STOP = 4, 5, 6
_POLL_MS = 100
_OPEN_MS = 900.0
_PATIENCE_S = 1.5
_PUSH_S = 0.1
_SLOW_S = 0.5
_CHIP_S = 0.1


class ReaderFault(StrEnum):
    SILENT = "silent"
    LATE = "late"
    STUCK = "stuck"
    """It is there and takes no command."""


class ReaderTwin:
    """One reader on the wall: it outlives the lanes that light it."""

    def __init__(self) -> None:
        self.faults: set[ReaderFault] = set()
        self.lit = ReaderColour.OFF
        self.session: ChaosReader | None = None

    @property
    def is_up(self) -> bool:
        return ReaderFault.SILENT not in self.faults

    def fall_silent(self) -> None:
        self.faults.add(ReaderFault.SILENT)
        if self.session is not None:
            self.session.lost()

    def come_back(self) -> None:
        self.faults.discard(ReaderFault.SILENT)
        if self.session is not None:
            self.session.up()

    def hold_card(self, number: int) -> None:
        if self.session is not None and self.is_up:
            self.session.card(number)


class ChaosReader(AccessReader):
    """A lane's session with that reader."""

    def __init__(self, twin: ReaderTwin, clock: LoopClock) -> None:
        self._twin = twin
        self._clock = clock
        self._tell: Callable[[ReaderEvent], None] | None = None

    async def start(self, on_event: Callable[[ReaderEvent], None]) -> None:
        self._tell = on_event
        self._twin.session = self
        if self._twin.is_up:
            self.up()

    async def stop(self) -> None:
        self._tell = None

    @property
    def is_up(self) -> bool:
        return self._twin.is_up

    async def show(self, colour: ReaderColour, *, is_blinking: bool = False) -> ReaderResult:  # noqa: ARG002  not looked at
        result = await self._obey()
        if result is ReaderResult.DONE:
            self._twin.lit = colour
        return result

    async def sound(self, sound: ReaderSound) -> ReaderResult:  # noqa: ARG002  nobody listens
        return await self._obey()

    async def _obey(self) -> ReaderResult:
        if ReaderFault.LATE in self._twin.faults:
            await asyncio.sleep(_SLOW_S)
        if not self._twin.is_up or ReaderFault.STUCK in self._twin.faults:
            return ReaderResult.NO_ANSWER
        return ReaderResult.DONE

    def up(self) -> None:
        self._say(ReaderUp(at_ns=self._clock.monotonic_ns(), address=1))

    def lost(self) -> None:
        self._say(ReaderLost(at_ns=self._clock.monotonic_ns(), address=1, reason="no answer"))

    def card(self, number: int) -> None:
        data = number.to_bytes(4)
        now_ns = self._clock.monotonic_ns()
        self._say(CardRead(at_ns=now_ns, address=1, format=CardFormat.WIEGAND, bit_count=32, data=data))

    def _say(self, event: ReaderEvent) -> None:
        if self._tell is not None:
            self._tell(event)


class Furniture:
    """The devices of one lane, for a whole shift. ``is_occupied``: whether somebody or something stands on the mat, in truth."""

    def __init__(self, loop: TimeLoop, clock: LoopClock, *, is_occupied: Callable[[], bool], seed: int) -> None:
        self._loop = loop
        self._clock = clock
        self._is_occupied = is_occupied
        self.slave = ModbusSlave(UNIT, inputs=8, coils=2, registers=1, seed=seed)
        self.turnstile = TurnstileTwin(self.slave, open_ms=_OPEN_MS)
        self.reader = ReaderTwin()
        self.passed_on_release = 0
        self._turnstile_step = self.slave.on_step
        self.slave.on_step = self._step
        self.slave.inputs[STOP] = True  # closed: not pressed, and no wire broken
        self.is_mat_dead = self.is_mat_stuck = False
        self.chip = ChipStory.GENUINE
        self.chip_takes_s = _CHIP_S

    def press_stop(self) -> None:
        self.slave.inputs[STOP] = False

    def release_stop(self) -> None:
        self.slave.inputs[STOP] = True

    def alarm(self, is_on: bool) -> None:
        """The portal's gamma contact."""
        self.slave.inputs[GAMMA] = is_on

    def fittings(self) -> Fittings:
        """Drivers of a lane that starts now."""
        line = MemoryModbusLine(self.slave, self._loop)
        now_ns = self._clock.monotonic_ns
        bus = ModbusBus("memory", now_ns=now_ns, line=line)
        module = ModbusModule(bus, unit=UNIT, input_count=8, output_count=2, register_count=1, poll_ms=_POLL_MS)
        shared = SharedModule(module)
        return Fittings(
            portal=ContactRadiationPortal(shared.port(), gamma=Contact(number=GAMMA), now_ns=now_ns),
            mat=ContactMat(shared.port(), occupied=Contact(number=MAT), now_ns=now_ns),
            emergency_stop=StopContact(shared.port(), contact=Contact(number=STOP, is_inverted=True)),
            turnstile=RelayTurnstile(
                shared.port(),
                relay=RELAY,
                passage=Contact(number=PASSAGE),
                counter=0,
                open_ms=round(_OPEN_MS),
                stuck_ms=600,
            ),
            readers={"staff": ChaosReader(self.reader, self._clock)},
        )

    def read_chip(self) -> tuple[tuple[Finding, ...], float]:
        """What the chip on the reader comes to, and how long that takes."""
        return findings_of(self.chip), self.chip_takes_s

    async def walk_through(self) -> bool:
        """Who came out of the exit pushes for a while; whether they got through."""
        end_s = self._loop.time() + _PATIENCE_S
        while self._loop.time() < end_s:
            if self.turnstile.push():
                self.passed_on_release += 1
                return True
            await asyncio.sleep(_PUSH_S)
        return False

    def _step(self, dt_ms: float) -> None:
        self._turnstile_step(dt_ms)
        self.slave.inputs[MAT] = self.is_mat_stuck or (self._is_occupied() and not self.is_mat_dead)


def furnish(seed: str, ratio: float, loop: TimeLoop, clock: LoopClock, world: LaneWorld) -> Furniture | None:
    """The furniture of this shift's lane, if it is one of the ``ratio`` that have any: of the seed, apart from what the shift draws."""
    if not is_fitted(seed, ratio):
        return None
    return Furniture(
        loop,
        clock,
        is_occupied=lambda: any(world.is_inside(body) for body in world.bodies),
        seed=random.Random(f"furniture {seed}").randrange(1 << 30),
    )


def is_fitted(seed: str, ratio: float) -> bool:
    """Whether the lane of this shift has them: of the seed, and apart from all that the shift itself draws."""
    return random.Random(f"fittings {seed}").random() < ratio
