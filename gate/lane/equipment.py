"""What a lane may have beside board and cameras, as one part: witnesses, turnstile, further stop, readers."""

import asyncio
import contextlib
import sqlite3
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass, field

from drivers.osdp import AccessReader
from drivers.relay import Turnstile
from drivers.sensors import FloorMat, RadiationPortal, StopContact
from gate.core.clock import Clock
from gate.core.evidence import Attachment, Finding
from gate.core.state import LaneState
from gate.lane import crossing as crossings
from gate.lane.barrier import Barrier, FurtherStop
from gate.lane.casework import Casework
from gate.lane.crossing import Crossing
from gate.lane.hub_link import ScanOfCase
from gate.lane.readers import Readers
from gate.lane.runtime import LaneRuntime
from gate.lane.scan_watch import ScanWatch
from gate.lane.store import LaneStore
from gate.lane.witnesses import Witnesses, WitnessRoles
from gate.wire import messages as wire
from gate.wire.messages import EventType


@dataclass(frozen=True, slots=True, kw_only=True)
class Fittings:
    """The devices, not started yet, and the settings of the witnesses."""

    portal: RadiationPortal | None = None
    mat: FloorMat | None = None
    emergency_stop: StopContact | None = None
    turnstile: Turnstile | None = None
    readers: Mapping[str, AccessReader] = field(default_factory=dict)
    roles: WitnessRoles = field(default_factory=WitnessRoles)
    has_entry: bool = True
    """False in a walk-through lane, whose lamps never ask anybody to walk in."""


class Equipment:
    """Between the devices and the lane. A device that cannot be opened at the start ends the start; one that fails later is an event."""

    def __init__(
        self,
        fittings: Fittings,
        *,
        runtime: LaneRuntime,
        casework: Casework,
        store: LaneStore,
        clock: Clock,
        lane: str,
        scans: Callable[[str], Coroutine[None, None, tuple[ScanOfCase, ...]]] | None = None,
        is_scan_referring: bool = False,
    ) -> None:
        """``scans`` asks the hub for the scans of a case; None at a port without inspection machines."""
        self._runtime = runtime
        self._casework = casework
        self._store = store
        self._lane = lane
        self._tasks: set[asyncio.Task[None]] = set()
        self._is_running = False
        self._loop: asyncio.AbstractEventLoop | None = None
        self._witnesses = Witnesses(
            portal=fittings.portal,
            mat=fittings.mat,
            roles=fittings.roles,
            clock=clock,
            crossing=self._crossing,
            add=self._add,
            post=runtime.put,
            report=self._report,
        )
        self._has_witness = fittings.portal is not None or fittings.mat is not None
        self._barrier = (
            None
            if fittings.turnstile is None
            else Barrier(fittings.turnstile, post=runtime.put, spawn=self._spawn, journal=self._journal)
        )
        stop = fittings.emergency_stop
        self._stop_contact = None if stop is None else FurtherStop(stop, post=runtime.put)
        self._scans = (
            None
            if scans is None
            else ScanWatch(crossing=self._crossing, ask=scans, add=self._add, is_referring=is_scan_referring)
        )
        self._readers = Readers(
            fittings.readers,
            spawn=self._spawn,
            keep=self._keep_card,
            report=self._report,
            has_entry=fittings.has_entry,
        )
        self._started: list[Witnesses | Barrier | FurtherStop | Readers] = []

    async def start(self) -> None:
        """Begin. DeviceError when a line cannot be opened, after what was started has been stopped."""
        self._is_running = True
        self._loop = asyncio.get_running_loop()
        parts = (self._witnesses, self._barrier, self._stop_contact, self._readers)
        for part in parts:
            if part is not None:
                self._started.append(part)  # before: what a part had opened when it failed is closed with it
                await part.start()
        if self._has_witness:
            self._spawn(self._witnesses.run())
        if self._scans is not None:
            self._spawn(self._scans.run())

    async def stop(self) -> None:
        """End. Safe to call when :meth:`start` failed."""
        self._is_running = False
        for task in tuple(self._tasks):
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
        while self._started:
            await self._started.pop().stop()

    def findings(self, since_ns: int, person_count: int | None) -> tuple[Finding, ...]:
        """What the witnesses say of the crossing that began at ``since_ns``."""
        return self._witnesses.findings(since_ns, person_count)

    def released(self, release_id: str) -> None:
        """The guard has spent a release."""
        if self._barrier is not None:
            self._barrier.released(release_id)

    def entered(self, state: LaneState) -> None:
        """The lane is in another state."""
        self._witnesses.entered(state.name)
        if self._is_running:
            self._readers.entered(state)

    def tell(self, device: str, reason: str | None) -> None:
        """From any thread: a device that is no reason to shut the lane is out of order, or (None) well again."""
        if self._loop is not None:
            with contextlib.suppress(RuntimeError):  # the loop has closed: we are stopping
                self._loop.call_soon_threadsafe(self._report, device, reason)

    def _crossing(self) -> Crossing | None:
        return self._casework.crossing

    def _add(self, findings: tuple[Finding, ...], attachments: tuple[Attachment, ...] = ()) -> None:
        self._written(lambda: self._casework.add_late(findings, attachments))

    def _report(self, device: str, reason: str | None) -> None:
        """A device is out, or back, that does not shut the lane: where it is asked for evidence, its findings refer."""
        if reason is None:
            cleared = wire.FaultCleared(by=device)
            self._written(lambda: self._casework.report(EventType.FAULT_CLEARED, cleared))
        else:
            raised = wire.FaultRaised(device=device, reason=reason)
            self._written(lambda: self._casework.report(EventType.FAULT_RAISED, raised))

    def _keep_card(self, reader: str, record: bytes) -> None:
        picture = crossings.picture(record, media_type="application/json", case_id=f"reader-{self._lane}"[:64])
        shown = wire.CardShown(reader=reader, record=picture.sha256)
        self._written(lambda: self._casework.keep_record(EventType.CARD_SHOWN, shown, picture))

    def _journal(self, kind: str, body: dict[str, str]) -> None:
        self._written(lambda: self._store.journal([(kind, body)]))

    def _written(self, act: Callable[[], None]) -> None:
        """Run something that writes; a store that cannot write puts the lane into its fault state."""
        try:
            act()
        except sqlite3.Error as error:
            self._runtime.store_failed(error)

    def _spawn(self, coroutine: Coroutine[None, None, None]) -> None:
        task = asyncio.get_running_loop().create_task(coroutine)
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        self._runtime.ended(task)
