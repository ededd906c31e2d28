"""The lane under test: runtime, guard, casework, store, serial driver and uplink of the product, and the power to kill them all."""

import asyncio
import contextlib
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from config.schema import Broker as BrokerSettings
from drivers.lane_io import LaneLinkDriver
from gate import __version__
from gate.core.events import Event
from gate.core.evidence import Finding
from gate.core.guard import Guard
from gate.core.policy import ClearancePolicy, LookupFacts
from gate.core.state import LanePolicy, State
from gate.core.state import LaneState as MachineState
from gate.lane.casework import Casework
from gate.lane.equipment import Equipment, Fittings
from gate.lane.hub_link import HubLink, Stored
from gate.lane.runtime import LaneRuntime
from gate.lane.sightings import PrivateDocument
from gate.lane.start import Start
from gate.lane.store import LaneStore, OutboxRow, Picture
from gate.lane.uplink import Uplink
from gate.lane.vision import Vision
from gate.wire.messages import KioskStep, LaneState
from gate.wire.signing import CommandVerifier, Verifier
from simulator.chaos.broker import Broker
from simulator.chaos.hub import Hub
from simulator.chaos.line import BoardLine
from simulator.chaos.sight import MODEL_HASH, THRESHOLD, Sight
from simulator.chaos.timeloop import LoopClock, TimeLoop

PORT, LANE = "port", "lane-1"
ADDRESS = f"{PORT}/{LANE}"
POLICY = LanePolicy(
    document_timeout_ms=2_000,
    entry_timeout_ms=3_000,
    face_timeout_ms=2_000,
    release_wait_ms=1_000,
    exit_timeout_ms=3_000,
    inside_limit_ms=8_000,
    desk_notice_ms=100,
    settle_ms=50,
    retry_ms=300,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How long things take: nobody waits for simulated doors, and only the order of events is of interest."""

    policy: LanePolicy
    opening_ms: float
    closing_ms: float


WALKING = Pace(policy=POLICY, opening_ms=150.0, closing_ms=200.0)
"""For scenes that somebody reads."""
RUNNING = Pace(
    policy=LanePolicy(
        document_timeout_ms=1_000,
        entry_timeout_ms=1_500,
        face_timeout_ms=1_200,
        release_wait_ms=800,
        exit_timeout_ms=1_500,
        inside_limit_ms=5_000,
        desk_notice_ms=60,
        settle_ms=30,
        retry_ms=300,
    ),
    opening_ms=60.0,
    closing_ms=80.0,
)
"""For campaigns: the times stand to each other as a real lane's do."""
SENSOR_MAX_AGE_NS = 400_000_000


class Disk:
    """A disk in memory, with one database on it: it outlives the processes that use it. Full, it takes nothing and opens nothing."""

    is_full = False

    def __init__(self) -> None:
        self._database = sqlite3.connect(":memory:", isolation_level=None, factory=_Kept)

    def connect(self, _path: Path) -> sqlite3.Connection:
        self.refuse_if_full()
        return self._database

    def refuse_if_full(self) -> None:
        if self.is_full:
            error = sqlite3.OperationalError("database or disk is full")
            error.sqlite_errorcode = sqlite3.SQLITE_FULL
            raise error

    def remove(self) -> None:
        self._database.is_kept = False
        self._database.close()


class _Kept(sqlite3.Connection):
    is_kept = True

    def close(self) -> None:
        """A process that ends closes what it opened; what it wrote stays."""
        if self.in_transaction:
            self.rollback()
        if not self.is_kept:
            super().close()


class DiskStore(LaneStore):
    """The lane's store on a disk that can be full, and that outlives a killed process."""

    is_dead = False

    def __init__(self, disk: Disk, clock: LoopClock) -> None:
        self.disk = disk
        super().__init__(Path("lane.sqlite"), port=PORT, lane=LANE, clock=clock, connect=disk.connect)

    def _refuse(self) -> None:
        if self.is_dead:
            raise sqlite3.OperationalError("the process is dead")
        self.disk.refuse_if_full()

    def _transaction(self) -> "contextlib._GeneratorContextManager[None]":
        self._refuse()
        return super()._transaction()

    def remember_command(self, seq: int) -> None:
        self._refuse()
        super().remember_command(seq)


class _Pictures:
    """The hub's evidence store, as far as the uplink asks for it."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub

    async def store_picture(self, _picture: Picture) -> Stored:
        return Stored.DONE if self._hub.is_up else Stored.LATER


@dataclass(slots=True)
class Thermometer:
    """Says 36.4 of everybody, while it says anything."""

    is_there: bool = True


class LaneProcess:
    """One start of the lane, from boot to its end or its death."""

    def __init__(
        self,
        *,
        disk: Disk,
        loop: TimeLoop,
        clock: LoopClock,
        line: BoardLine,
        sight: Sight,
        broker: Broker,
        hub: Hub,
        thermometer: "Thermometer",
        policy: LanePolicy,
        fittings: Fittings,
        on_spend: Callable[[str, str | None], None],
        on_state: Callable[[State], None],
    ) -> None:
        self.store = DiskStore(disk, clock)
        self._loop = loop
        self._line = line
        self._sight = sight
        self._hub = hub
        self._on_spend = on_spend
        self._on_state = on_state
        self.screen: LaneState | None = None
        self._start = Start(self.store, software_version=__version__, model_hashes={"mrz-recogniser": MODEL_HASH})
        self.casework = Casework(
            port=PORT,
            lane=LANE,
            policy=ClearancePolicy(
                face_threshold=THRESHOLD,
            ),
            store=self.store,
            clock=clock,
            send=self._send,
            pictures_waiting=self._pictures_waiting,
            post=self._post,
            witnesses=self._witnesses,
        )
        self.guard = Guard(
            lane=ADDRESS,
            boot_id=self._start.boot_id,
            clock=clock,
            sensor_max_age_ns=SENSOR_MAX_AGE_NS,
            is_spent=self.store.is_spent,
            spend=self._spend,
            has_entry=policy.has_entry,
        )
        self.runtime = LaneRuntime(
            policy=policy,
            clock=clock,
            store=self.store,
            board=LaneLinkDriver("board", now_ns=clock.monotonic_ns, open_transport=line.open),
            guard=self.guard,
            vision=cast(Vision, sight),
            casework=self.casework,
            look_up=self._look_up,
            celsius=lambda _since_ns: 36.4 if thermometer.is_there else None,
            self_release=lambda _casework: None,
            publish=self._publish,
            on_change=self._changed,
        )
        self.equipment = Equipment(
            fittings, runtime=self.runtime, casework=self.casework, store=self.store, clock=clock, lane=LANE
        )
        self.uplink = self._make_uplink(broker, clock)
        self.task = loop.create_task(self._run())

    def _make_uplink(self, broker: Broker, clock: LoopClock) -> Uplink:
        return Uplink(
            broker=BrokerSettings(),
            port=PORT,
            lane=LANE,
            boot_id=self._start.boot_id,
            software_version=__version__,
            store=self.store,
            hub=cast(HubLink, _Pictures(self._hub)),
            commands=CommandVerifier(
                Verifier.trusting(self._hub.key.public()),
                address=ADDRESS,
                clock=clock,
                last_seq=lambda: self.store.last_command_seq,
                remember=self.store.remember_command,
            ),
            receipts=Verifier.trusting(self._hub.key.public()),
            on_command=self.runtime.consider,
            on_refused=self.runtime.refused,
            on_store_failed=self.runtime.store_failed,
            clock=clock,
            make_client=broker.client,
        )

    async def _run(self) -> None:
        """As :meth:`gate.app.LaneProgram.run` does it."""
        try:
            self.runtime.record_start(lambda: self._start.write(self.casework))
            await self.uplink.start(self.runtime.ended)
            await self.equipment.start()
            await self.runtime.run()
        finally:
            await self.equipment.stop()
            await self.uplink.stop()
            self.store.close()

    def kill(self) -> None:
        """SIGKILL: nothing is said, sent or written any more, and nothing is cleaned up that anybody could notice."""
        self.store.is_dead = True
        self._line.end = None
        self._sight.stop()
        self.uplink._client.disconnect()
        self.task.cancel()

    @property
    def error(self) -> BaseException | None:
        """What the process died of by itself, None while it lives or when it was killed. DeviceError: it could not start."""
        if not self.task.done() or self.task.cancelled() or self.store.is_dead:
            return None
        return self.task.exception()

    @property
    def state(self) -> MachineState:
        return self.runtime.state

    def is_asking_for(self, step: KioskStep) -> bool:
        return self.screen is not None and self.screen.step is step

    def _spend(self, release_id: str) -> None:
        self.casework.spend(release_id)
        self._on_spend(release_id, self.guard.occupancy_id)
        self.equipment.released(release_id)

    def _witnesses(self, since_ns: int, person_count: int | None) -> tuple[Finding, ...]:
        return self.equipment.findings(since_ns, person_count)

    def _changed(self, state: MachineState) -> None:
        self.equipment.entered(state)
        self._on_state(state.name)

    def _post(self, event: Event) -> None:
        self.runtime.put(event)

    def _pictures_waiting(self) -> None:
        self.uplink.pictures_waiting()

    def _send(self, rows: list[OutboxRow]) -> None:
        self.uplink.send(rows)

    def _publish(self, state: LaneState) -> None:
        self.screen = state
        self.uplink.publish_state(state)

    async def _look_up(self, _document: PrivateDocument, _case_id: str) -> tuple[LookupFacts, ...] | None:
        await asyncio.sleep(0.01)
        return () if self._hub.is_up else None
