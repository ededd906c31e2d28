"""A shift: one lane, some dozens of crossings, faults as they fall; then everything is mended and the books are compared."""

import asyncio
import contextlib
import random
from collections import Counter
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from drivers.errors import DeviceError
from gate.core.state import State
from gate.lane.equipment import Fittings
from gate.wire.messages import KioskStep
from simulator.board_model import BoardModel
from simulator.chaos.approach import WalkThroughTraveller
from simulator.chaos.broker import Broker
from simulator.chaos.faults import FAULTS, Fault
from simulator.chaos.fitting_faults import ALL_FAULTS
from simulator.chaos.fittings import Furniture, furnish
from simulator.chaos.forger import Forger
from simulator.chaos.hub import Hub, Officers
from simulator.chaos.judge import Judge
from simulator.chaos.lane import LANE, PORT, RUNNING, WALKING, Disk, LaneProcess, Pace, Thermometer
from simulator.chaos.line import AnyBoard, BoardLine, MakeBoard
from simulator.chaos.people import KINDS, Traveller
from simulator.chaos.seeded import seeded_secrets
from simulator.chaos.sight import Sight
from simulator.chaos.timeloop import LoopClock, TimeLoop
from simulator.world import LaneWorld

FAULTY_RATIO = 0.3
"""So many crossings have a fault or two."""
_EVERY = 3
"""One shift in so many is played in a lane of one door."""
FITTED_RATIO = 0.15
"""So many lanes have more than board and cameras."""
_READY_WITHIN_S = 60.0
_BOOKS_WITHIN_S = 60.0
_START_AGAIN_S = 1.0
_LOOK_S = 0.2


@dataclass(slots=True, kw_only=True)
class Findings:
    """What one shift, or many, came to. All lists are empty when all is well; a line says what happened."""

    crossings: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)
    faults: Counter[str] = field(default_factory=Counter)
    releases: int = 0
    unauthorised: list[str] = field(default_factory=list)
    trapped: list[str] = field(default_factory=list)
    unrecovered: list[str] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)
    doubled: list[str] = field(default_factory=list)
    died: list[str] = field(default_factory=list)
    """The lane's process ended by an error of its own."""
    simulated_s: float = 0.0

    @property
    def is_clean(self) -> bool:
        return not (self.unauthorised or self.trapped or self.unrecovered or self.lost or self.doubled or self.died)

    def add(self, other: "Findings") -> None:
        self.crossings += other.crossings
        self.releases += other.releases
        self.simulated_s += other.simulated_s
        self.outcomes += other.outcomes
        self.faults += other.faults
        for name in ("unauthorised", "trapped", "unrecovered", "lost", "doubled", "died"):
            getattr(self, name).extend(getattr(other, name))


class Shift:
    """Everything of one lane. ``trace`` is told, in simulated time, what happens."""

    def __init__(
        self,
        seed: str,
        *,
        loop: TimeLoop,
        trace: Callable[[str], None] | None,
        fault_ratio: float,
        make_board: MakeBoard,
        pace: Pace,
        fitted_ratio: float,
    ) -> None:
        self.rng = random.Random(seed)
        self.pace = pace
        self.loop: TimeLoop = loop
        self.clock: LoopClock = LoopClock(loop)
        self.board: AnyBoard = make_board(
            _world(pace), seed=self.rng.randrange(1 << 30), now_ns=self.clock.monotonic_ns
        )
        self.broker: Broker = Broker(loop, random.Random(self.rng.random()))
        self.hub: Hub = Hub(port=PORT, lane=LANE, broker=self.broker, loop=loop, clock=self.clock)
        self.officers: Officers = Officers(self.hub, loop=loop, rng=random.Random(self.rng.random()))
        self.forger: Forger = Forger()
        self.line: BoardLine = BoardLine(self.board, loop, on_step=self._look)
        self.furniture: Furniture | None = furnish(seed, fitted_ratio, loop, self.clock, self.board.world)
        self.sight: Sight = self._make_sight()
        self.thermometer: Thermometer = Thermometer()
        self.process: LaneProcess | None = None
        self.findings = Findings()
        self.judge: Judge = Judge(
            board=self.board,
            line=self.line,
            hub=self.hub,
            clock=self.clock,
            inside_limit_ms=pace.policy.inside_limit_ms,
            is_lane_alive=lambda: self.process is not None and not self.process.task.done(),
        )
        self.disk: Disk = Disk()
        self.judge.furniture = self.furniture
        self._trace = trace
        self._fault_ratio = fault_ratio
        self._broken: list[Fault] = []
        self._told = 0

    def _make_sight(self) -> Sight:
        people_inside = self.board.world.people_inside
        if self.furniture is None:
            return Sight(self.loop, self.clock, people_inside=people_inside)
        return Sight(self.loop, self.clock, people_inside=people_inside, read_chip=self.furniture.read_chip)

    # -- the lane's process ------------------------------------------------------------------------------------------

    def start_lane(self) -> None:
        """Boot it, unless it runs."""
        if self.process is not None:
            return
        self.sight = self._make_sight()
        self.process = LaneProcess(
            disk=self.disk,
            loop=self.loop,
            clock=self.clock,
            line=self.line,
            sight=self.sight,
            broker=self.broker,
            hub=self.hub,
            thermometer=self.thermometer,
            policy=self.pace.policy,
            fittings=Fittings() if self.furniture is None else self.furniture.fittings(),
            on_spend=self.judge.note_spent,
            on_state=lambda name: self._tell(f"lane: {name.value}"),
        )
        self.judge.disturb()

    def kill(self) -> None:
        process, self.process = self.process, None
        if process is not None:
            process.kill()

    def _look(self) -> None:
        self.judge.look()
        process = self.process
        if process is not None and process.error is not None:
            self._ended(process.error)
        if self._trace is not None:
            for line in (self.judge.unauthorised + self.judge.trapped)[self._told :]:
                self._tell(f"FOUND: {line}")
                self._told += 1

    def _ended(self, error: BaseException) -> None:
        """As an operator's service manager does: say why, and start it again in a moment."""
        self.process = None
        if not isinstance(error, DeviceError):  # it could not start: no board on its line
            self.findings.died.append(f"the lane ended by {error!r}")
        self._tell(f"the lane ended: {error}")
        self.loop.call_later(_START_AGAIN_S, self.start_lane)

    def _tell(self, text: str) -> None:
        if self._trace is not None:
            world = self.board.world
            people = ",".join(f"{walker.body.x_mm:.0f}" for walker in world.walkers)
            doors = f"{world.entry.position:.1f}/{world.exit.position:.1f}"
            self._trace(f"{self.loop.time():9.2f} s  doors {doors} people [{people}]  {text}")

    # -- crossings -----------------------------------------------------------------------------------------------------

    async def run(self, crossings: int) -> None:
        """Let so many people try to cross, then mend everything, wait for the books, and compare."""
        self.start_lane()
        for _ in range(crossings):
            if not await self.until_ready():
                break
            await self._one()
        await self.close()

    async def close(self) -> None:
        """Mend everything and compare the books of the world, the lane and the hub."""
        for fault in tuple(self._broken):
            self._mend(fault)
        await self._close_books()
        self.findings.releases = self.judge.token_openings
        self.findings.unauthorised += self.judge.unauthorised
        self.findings.unauthorised += [
            f"cleared by the lane with something in the way: {case_id}" for case_id in self.hub.wrongly_cleared
        ]
        self.findings.trapped += self.judge.trapped

    async def _one(self) -> None:
        kind = self.rng.choices(tuple(KINDS), tuple(KINDS.values()))[0]
        self._tell(f"traveller: {kind.value}")
        strikes = self._plan()
        make = Traveller if self.pace.policy.has_entry else WalkThroughTraveller
        who = make(kind, self.board.world, self.sight, lambda: self.process, self.rng)
        self.officers.will_release = kind.value == "honest" or self.rng.random() < 0.2
        outcome = await who.cross()
        if outcome == "through" and self.furniture is not None and not await self.furniture.walk_through():
            outcome = "through to a shut turnstile"
        self._tell(f"traveller: {outcome}")
        self.findings.crossings += 1
        self.findings.outcomes[f"{kind.value}: {outcome}"] += 1
        for strike in strikes:
            await strike

    def _plan(self) -> list["asyncio.Task[None]"]:
        count = 0
        if self.rng.random() < self._fault_ratio:
            count = self.rng.choices((1, 2, 3), (6, 3, 1))[0]
        faults = FAULTS if self.furniture is None else ALL_FAULTS
        return [self.loop.create_task(self._strike(self.rng.choice(faults))) for _ in range(count)]

    async def _strike(self, fault: Fault) -> None:
        rng = random.Random(self.rng.random())
        await asyncio.sleep(rng.uniform(0.0, 3.0))
        self._tell(f"fault: {fault.name}")
        self.findings.faults[fault.name] += 1
        self.judge.disturb()
        fault.strike(self, rng)
        if fault.mend is None:
            return
        self._broken.append(fault)
        await asyncio.sleep(rng.uniform(0.05, fault.longest_s))
        self._mend(fault)

    def _mend(self, fault: Fault) -> None:
        if fault in self._broken and fault.mend is not None:
            self._broken.remove(fault)
            self._tell(f"mended: {fault.name}")
            fault.mend(self)
            self.judge.disturb()

    async def until_ready(self) -> bool:
        """Whether the lane serves again, with people gone, things cleared away and officers doing their part."""
        if self._is_ready():
            return True
        end_s = self.loop.time() + _READY_WITHIN_S
        world = self.board.world
        while self.loop.time() < end_s:
            if not self._broken:
                self.start_lane()
                if not any(world.is_inside(walker.body) for walker in world.walkers):
                    world.clear()  # an officer takes away what was left
            await asyncio.sleep(0.1)
            if self._is_ready():
                return True
        state = self.process.state if self.process is not None else "dead"
        self._tell(f"FOUND: not ready: {state}")
        self.findings.unrecovered.append(f"not ready within {_READY_WITHIN_S:.0f} s: {state}")
        return False

    def _is_ready(self) -> bool:
        lane = self.process
        return lane is not None and lane.state.name is State.READY and lane.is_asking_for(KioskStep.PLACE_DOCUMENT)

    # -- the books -----------------------------------------------------------------------------------------------------

    async def _close_books(self) -> None:
        """Everything that the lane wrote is at the hub, once, without a gap; every opening by token has its record."""
        self.start_lane()
        for _ in range(int(_BOOKS_WITHIN_S / _LOOK_S)):
            if self.process is None or not self.process.store.waiting_count():
                break
            await asyncio.sleep(_LOOK_S)
        process = self.process
        if process is None:
            self.findings.lost.append("the lane is dead at the end of its shift")
            return
        written = int(process.store._meta("sequence") or 0)
        missing = sorted(set(range(1, written + 1)) - self.hub.sequences.keys())
        if missing:
            self.findings.lost.append(f"{len(missing)} of {written} events are not at the hub, the first {missing[0]}")
        unknown = sorted(self.hub.sequences.keys() - set(range(1, written + 1)))
        if self.hub.doubled or unknown:
            self.findings.doubled.append(f"{self.hub.doubled} numbers given twice, {len(unknown)} never written")
        spent = Counter(self.hub.spent)
        for seen in self.judge.spent:
            if spent[seen.release_id] != 1:
                self.findings.lost.append(
                    f"the release {seen.release_id} was spent and told {spent[seen.release_id]} times"
                )

    async def end(self) -> None:
        process, self.process = self.process, None
        if process is not None:
            process.task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await process.task
        self.line.close()
        self.disk.remove()


def _world(pace: Pace) -> LaneWorld:
    world = LaneWorld(has_entry=pace.policy.has_entry)
    for leaf in world.leaves:
        leaf.open_ms, leaf.close_ms = pace.opening_ms, pace.closing_ms
    return world


Script = Callable[["Shift"], Coroutine[Any, Any, None]]


def play(
    seed: str,
    script: Script,
    *,
    fault_ratio: float = 0.0,
    trace: Callable[[str], None] | None = None,
    make_board: MakeBoard = BoardModel,
    pace: Pace = WALKING,
    fitted_ratio: float = 0.0,
) -> Findings:
    """Make a lane and everything around it, let ``script`` play with them in their own time, and say what was found."""
    loop = TimeLoop()
    asyncio.set_event_loop(loop)
    try:
        with seeded_secrets(seed):
            shift = Shift(
                seed,
                loop=loop,
                trace=trace,
                fault_ratio=fault_ratio,
                make_board=make_board,
                pace=pace,
                fitted_ratio=fitted_ratio,
            )
            began_s = loop.time()

            async def whole() -> None:
                try:
                    await script(shift)
                finally:
                    await shift.end()

            loop.run_until_complete(whole())
            shift.findings.simulated_s = loop.time() - began_s
            return shift.findings
    finally:
        for task in asyncio.all_tasks(loop):
            task.cancel()
        loop.run_until_complete(asyncio.sleep(0))
        loop.close()
        asyncio.set_event_loop(None)


def play_shift(
    seed: str,
    *,
    crossings: int,
    fault_ratio: float = FAULTY_RATIO,
    trace: Callable[[str], None] | None = None,
    make_board: MakeBoard = BoardModel,
    doors: Literal[1, 2] | None = None,
    fitted_ratio: float = FITTED_RATIO,
) -> Findings:
    """Play one shift of a campaign from the beginning. The same seed and board give the same shift.

    ``doors``: of the lane; by default every third shift of a campaign is that of a walk-through lane of one door.
    """
    if doors is None:
        doors = 1 if int(seed.rpartition("/")[2]) % _EVERY == _EVERY - 1 else 2
    pace = RUNNING if doors == 2 else replace(RUNNING, policy=replace(RUNNING.policy, has_entry=False))
    return play(
        seed,
        lambda shift: shift.run(crossings),
        fault_ratio=fault_ratio,
        trace=trace,
        make_board=make_board,
        pace=pace,
        fitted_ratio=fitted_ratio,
    )
