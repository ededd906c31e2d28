"""One lane, running: an inbox of everything that happens, the machine's step, and the effects it asks for.

The event loop never blocks: inference runs in the vision threads, door commands in the executor's queue, the network in the
uplink. Everything meets in :meth:`LaneRuntime.put`, one item at a time, so that the machine sees one order of events.
"""

import asyncio
import contextlib
import sqlite3
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from dataclasses import dataclass
from typing import Any, assert_never

import structlog

from drivers.lane_io.interface import (
    BoardEvent,
    BoardReport,
    CommandResult,
    LampColour,
    LaneIo,
    LaneSensors,
    LinkLost,
    LinkUp,
)
from gate.core import effects as do
from gate.core import events as on
from gate.core import machine
from gate.core.clock import Clock
from gate.core.effects import CrossingOutcome, Effect
from gate.core.events import Event
from gate.core.guard import Guard
from gate.core.policy import LookupFacts
from gate.core.release import VerifiedRelease
from gate.core.state import LanePolicy, LaneState, State
from gate.lane import sensing
from gate.lane.casework import Casework, Surroundings
from gate.lane.executor import Executor
from gate.lane.presentation import look
from gate.lane.sightings import (
    CameraChanged,
    DocumentOutcome,
    DocumentPictures,
    DocumentSeen,
    DocumentTaken,
    FaceOutcome,
    FaceSeen,
    Sighting,
    VisionFailed,
)
from gate.lane.store import LaneStore
from gate.lane.vision import Vision
from gate.wire import messages as wire
from gate.wire.messages import Act, EventType
from gate.wire.signing import Refused, VerifiedCommand

_log = structlog.get_logger(__name__)

Lookup = Callable[[DocumentOutcome, str], Awaitable[tuple[LookupFacts, ...] | None]]
ACKNOWLEDGE_WAIT_S = 0.5
TAKEOVER_NS = 1_000_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Bug:
    """A task of ours failed: the lane stops, and a silent host makes the board shut and hold."""

    error: BaseException


Input = Event | BoardReport | Sighting | VerifiedCommand | Bug


@dataclass(slots=True)
class _Timers:
    state: asyncio.TimerHandle | None = None
    inside: asyncio.TimerHandle | None = None


class LaneRuntime:
    """Puts the parts of one lane together; :mod:`gate.app` builds it from a site and a set of drivers."""

    def __init__(
        self,
        *,
        policy: LanePolicy,
        clock: Clock,
        store: LaneStore,
        board: LaneIo,
        guard: Guard,
        vision: Vision,
        casework: Casework,
        look_up: Lookup,
        celsius: Callable[[int], float | None],
        self_release: Callable[[Casework], VerifiedCommand | None],
        publish: Callable[[wire.LaneState], None],
        on_change: Callable[[LaneState], None] = lambda _state: None,
    ) -> None:
        """``look_up`` starts the look-ups of a document; ``celsius(since_ns)`` is the traveller's temperature if one was taken since
        then; ``self_release`` makes the lane's own release where the site lets the lane decide alone (mode ``gate``).
        """
        self._policy = policy
        self._clock = clock
        self._store = store
        self._board = board
        self._guard = guard
        self._vision = vision
        self._casework = casework
        self._look_up = look_up
        self._celsius = celsius
        self._self_release = self_release
        self._publish = publish
        self._on_change = on_change
        self._executor = Executor(
            board=board,
            guard=guard,
            clock=clock,
            exit_token=lambda: self._sensing.last.exit_token if self._sensing.last else None,
            post=self.put,
            report_command=casework.report_command,
            report_veto=casework.report_veto,
            on_entry_commanded=self._entry_commanded,
            on_exit_commanded=self._exit_commanded,
        )
        self._sensing = sensing.Sensing()
        self._inbox: asyncio.Queue[Input] = asyncio.Queue()
        self._timers = _Timers()
        self._state = LaneState()
        self._since_ms = clock.utc_ms()
        self._stay_ns = 0
        self._hint: str | None = None
        self._ticket = 0
        self._has_waiting_document = False
        self._placed_ns = 0
        self._faults_changed = asyncio.Event()
        self._lamp: LampColour | None = None
        self._takeover_until_ns = 0
        self._is_takeover = False
        self._tasks: set[asyncio.Task[None]] = set()
        self._loop: asyncio.AbstractEventLoop | None = None

    @property
    def state(self) -> LaneState:
        return self._state

    # -- life ------------------------------------------------------------------------------------------------------

    async def run(self) -> None:
        """Run until cancelled. Raises DeviceError when the board or a camera cannot be opened at the start."""
        self._loop = asyncio.get_running_loop()
        self._casework.close_interrupted()
        self._state, effects = machine.start(self._policy)
        await self._executor.start(self.ended)
        try:
            await self._board.start(self.put)
            self._vision.start(self.put_threadsafe)
            self._apply(effects)
            self._present()
            while True:
                self._take(await self._inbox.get())
        finally:
            await self._stop()

    async def _stop(self) -> None:
        for timer in (self._timers.state, self._timers.inside):
            if timer is not None:
                timer.cancel()
        for task in tuple(self._tasks):
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
        await asyncio.to_thread(self._vision.stop)
        await self._executor.stop()
        await self._board.stop()

    def put(self, item: Input) -> None:
        """Add to the inbox, from the event loop."""
        self._inbox.put_nowait(item)

    def put_threadsafe(self, item: Sighting) -> None:
        """Add to the inbox, from any thread."""
        if self._loop is not None:
            with contextlib.suppress(RuntimeError):  # the loop has closed: we are stopping
                self._loop.call_soon_threadsafe(self._inbox.put_nowait, item)

    # -- what comes in ---------------------------------------------------------------------------------------------

    def _take(self, item: Input) -> None:
        match item:
            case LaneSensors():
                self._sense(item)
            case LinkUp() | LinkLost() | BoardEvent():
                self._board_said(item)
            case VerifiedCommand():
                self._obey(item)
            case DocumentSeen() | DocumentTaken() | DocumentOutcome() | DocumentPictures() | FaceSeen() | FaceOutcome():
                self._sight(item)
            case CameraChanged():
                kind = on.DeviceRecovered(device=item.device) if item.is_ok else None
                self._step(kind or on.DeviceFailed(device=item.device, reason=item.reason))
            case Bug() | VisionFailed():
                raise item.error
            case _:
                self._step(item)

    def _sense(self, sensors: LaneSensors) -> None:
        if self._is_taking_over(sensors):
            return
        before = self._sensing.last
        self._guard.observe(sensing.guard_facts(sensors))
        for event in self._sensing.observe(sensors):
            self._step(event)
        if before is None or (before.entry, before.exit, before.person_count) != (
            sensors.entry,
            sensors.exit,
            sensors.person_count,
        ):
            self._present()

    def _board_said(self, report: LinkUp | LinkLost | BoardEvent) -> None:
        match report:
            case LinkLost():
                self._sensing.forget()
                self._step(on.DeviceFailed(device="board_link", reason=report.reason))
            case LinkUp():
                self._step(on.DeviceRecovered(device="board_link"))
            case BoardEvent():
                self._journal("board", {"kind": report.kind.value, "detail": report.detail})
            case _:
                assert_never(report)

    def _is_taking_over(self, sensors: LaneSensors) -> bool:
        """Whether the board still holds its doors only because nobody spoke to it before this process did.

        That is no fault: it is acknowledged once, at the first report, and until it is gone (bounded) the lane knows nothing. A hold
        with any other visible cause is left for an officer.
        """
        if self._takeover_until_ns == 0:
            self._takeover_until_ns = sensors.received_ns + TAKEOVER_NS
            self._is_takeover = sensing.is_held_by_silence_only(sensors)
            if self._is_takeover:
                self._spawn(self._acknowledge_silence())
        self._is_takeover = (
            self._is_takeover and sensors.is_watchdog_tripped and sensors.received_ns < self._takeover_until_ns
        )
        return self._is_takeover

    async def _acknowledge_silence(self) -> None:
        await self._board.acknowledge_fault()

    def _sight(
        self, item: DocumentSeen | DocumentTaken | DocumentOutcome | DocumentPictures | FaceSeen | FaceOutcome
    ) -> None:
        match item:
            case DocumentSeen():
                self._has_waiting_document = True
                self._offer_document(item.at_ns)
            case DocumentTaken():
                self._has_waiting_document = False
                self._step(on.DocumentRemoved())
            case DocumentOutcome():
                if item.ticket == self._ticket:
                    self._spawn(self._judge_document(item))
            case DocumentPictures():
                if item.ticket == self._ticket:
                    self._casework.add_pictures(item)
            case FaceSeen():
                self._count_people(item)
            case FaceOutcome():
                if item.ticket == self._ticket:
                    self._spawn(self._judge_face(item))
            case _:
                assert_never(item)

    def _offer_document(self, at_ns: int) -> None:
        if self._state.name is State.READY:
            self._has_waiting_document = False
            self._placed_ns = at_ns
            self._step(on.DocumentPlaced())

    def _count_people(self, seen: FaceSeen) -> None:
        if seen.ticket != self._ticket:
            return
        self._guard.observe_camera(seen.person_count)
        if seen.person_count > 1:
            self._step(on.CompanyDetected(person_count=seen.person_count))
        if seen.hint != self._hint:
            self._hint = seen.hint
            self._present()

    async def _judge_document(self, outcome: DocumentOutcome) -> None:
        answers: tuple[LookupFacts, ...] | None = None
        here = self._casework.crossing
        if here is None:
            return
        if outcome.facts is not None:
            answers = await self._look_up(outcome, here.case_id)
        if outcome.ticket == self._ticket:
            self._guarded(lambda: self._casework.judge_document(outcome, answers))

    async def _judge_face(self, outcome: FaceOutcome) -> None:
        celsius = await self._temperature()
        if outcome.ticket != self._ticket:
            return
        last = self._sensing.last
        around = Surroundings(
            occupancy_id=self._guard.occupancy_id,
            curtain_count=last.person_count if last else None,
            celsius=celsius,
        )
        self._guarded(lambda: self._casework.judge_face(outcome, around))

    async def _temperature(self) -> float | None:
        """The traveller's, waiting a moment for the first reading of the stay."""
        for _ in range(20):
            celsius = self._celsius(self._stay_ns)
            if celsius is not None:
                return celsius
            await asyncio.sleep(0.05)
        return None

    # -- commands --------------------------------------------------------------------------------------------------

    def consider(self, command: VerifiedCommand) -> str | None:
        """Take a verified command, or say why not. Runs on the event loop; the answer is acknowledged to the hub."""
        if command.release is not None:
            objection = self._casework.objection_to(command.release)
            if objection is not None:
                return objection
            self._guard.see_release(command.release)
        self.put(command)
        return None

    def refused(self, refused: Refused) -> None:
        """A message that was not believed is a record, too."""
        _log.warning("command_refused", reason=refused.reason)
        data = wire.CommandRefused(command_id=refused.message_id, reason=refused.reason)
        self._guarded(lambda: self._casework.report(EventType.COMMAND_REFUSED, data))

    def _obey(self, verified: VerifiedCommand) -> None:
        command = verified.command
        self._journal("command", {"act": command.act.value, "by": command.by, "jti": command.jti})
        match command.act:
            case Act.RELEASE:
                if verified.release is not None:
                    self._release(verified.release)
            case Act.SEND_BACK:
                self._step(on.SentBack(by=command.by))
            case Act.ACKNOWLEDGE:
                self._spawn(self._acknowledge(command.by))
            case Act.TAKE_OUT_OF_SERVICE:
                self._step(on.TakenOutOfService(by=command.by))
            case Act.PUT_IN_SERVICE:
                self._step(on.PutInService(by=command.by))
            case Act.EVACUATE:
                if verified.evacuation is not None:
                    self._guard.order_evacuation(verified.evacuation)
                    self._step(on.EvacuationOrdered(by=command.by))
            case Act.END_EVACUATION:
                self._step(on.EvacuationEnded(by=command.by))
            case _:
                assert_never(command.act)

    def _release(self, release: VerifiedRelease) -> None:
        """Since it was taken, new evidence may have come: then it releases something else than what is known now."""
        objection = self._casework.objection_to(release)
        if objection is None:
            self._step(on.ReleaseVerified(release=release))
        else:
            _log.warning("release_void", reason=objection)
            self._guarded(lambda: self._casework.report_veto("exit", objection))

    async def _acknowledge(self, by: str) -> None:
        """Clear what the board latched first; its next report tells whether the cause is gone, then the machine may go on."""
        if "store" in self._state.faults and self._is_store_well():
            self.put(on.DeviceRecovered(device="store"))
        if await self._board.acknowledge_fault() is CommandResult.DONE:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(ACKNOWLEDGE_WAIT_S):
                    while "board" in self._state.faults:
                        self._faults_changed.clear()
                        await self._faults_changed.wait()
        self.put(on.Acknowledged(by=by))

    # -- the machine -----------------------------------------------------------------------------------------------

    def _step(self, event: Event) -> None:
        before = self._state
        after, effects = machine.step(before, event, self._policy)
        self._state = after
        if after.faults != before.faults:
            self._faults_changed.set()
        if after.name is not before.name:
            self._journal_change(before, after, event)
        self._guarded(lambda: self._apply(effects))
        if isinstance(event, on.LaneFoundEmpty) and before.name in (State.STARTING, State.CHECKING):
            self._end_unheard_of(before)
        if after.name is not before.name:
            self._entered(after)
        if after != before:
            self._present()
        if isinstance(event, on.CrossingCleared) and after.name is State.OCCUPIED:
            # At once, not by way of the inbox: what comes in meanwhile could make it a release of older evidence.
            release = self._self_release(self._casework)
            if release is not None:
                self._obey(release)

    def _end_unheard_of(self, before: LaneState) -> None:
        """A case that was opened for somebody found inside at the start has no crossing in the machine: it ends with the stay."""
        if not before.is_crossing and self._casework.crossing is not None:
            outcome = before.outcome or CrossingOutcome.INTERRUPTED
            self._guarded(lambda: self._casework.end(outcome, before.reasons))

    def _journal_change(self, before: LaneState, after: LaneState, event: Event) -> None:
        self._since_ms = self._clock.utc_ms()
        self._hint = None
        row = {
            "from": before.name.value,
            "to": after.name.value,
            "cause": type(event).__name__,
            "reasons": list(after.reasons),
        }
        _log.info("state", **row)
        self._journal("state", row)
        self._on_change(after)

    def _entered(self, state: LaneState) -> None:
        self._vision.expect_documents(state.name in (State.READY, State.READING_DOCUMENT))
        if state.name is State.REFERRED:
            self._guarded(lambda: self._casework.add_reasons(state.reasons, self._guard.occupancy_id))
            self._vision.watch_people(self._ticket)
        if state.name is State.READY and self._has_waiting_document:
            self._offer_document(self._clock.monotonic_ns())

    def _guarded(self, act: Callable[[], None]) -> None:
        """Run something that writes; a store that cannot write puts the lane into its fault state instead of losing a record."""
        try:
            act()
        except sqlite3.Error as error:
            self.store_failed(error)

    def store_failed(self, error: sqlite3.Error) -> None:
        """Something could not be put on disk, here or in another part of the lane."""
        _log.error("store_failed", error=str(error))
        if "store" not in self._state.faults:
            self.put(on.DeviceFailed(device="store", reason=str(error)))

    def _is_store_well(self) -> bool:
        try:
            self._store.check()
        except sqlite3.Error as error:
            _log.error("store_still_failed", error=str(error))
            return False
        return True

    def _journal(self, kind: str, body: Mapping[str, Any]) -> None:
        self._guarded(lambda: self._store.journal([(kind, body)]))

    def _apply(self, effects: tuple[Effect, ...]) -> None:
        for effect in effects:
            self._apply_one(effect)

    def _apply_one(self, effect: Effect) -> None:
        match effect:
            case (
                do.OpenEntry()
                | do.CloseEntry()
                | do.OpenExit()
                | do.CloseExit()
                | do.FreeEgress()
                | do.EndEgress()
                | do.SoundBuzzer()
            ):
                self._executor.submit(effect)
            case do.StartStateTimer():
                self._start_state_timer(effect)
            case do.StartInsideLimit():
                self._start_inside_limit(effect.duration_ms)
            case do.CancelInsideLimit():
                if self._timers.inside is not None:
                    self._timers.inside.cancel()
                    self._timers.inside = None
            case do.BeginCrossing() | do.CaptureFace() | do.StopChecks() | do.CheckLane():
                self._run_checks(effect)
            case do.EndCrossing():
                self._casework.end(effect.outcome, effect.reasons)
            case do.RaiseAlarm() | do.ClearAlarm() | do.ReportFault() | do.ReportFaultsCleared():
                self._casework.report_trouble(effect)
            case _:
                assert_never(effect)

    def _run_checks(self, effect: do.BeginCrossing | do.CaptureFace | do.StopChecks | do.CheckLane) -> None:
        match effect:
            case do.BeginCrossing():
                self._ticket += 1
                self._vision.read_document(self._ticket)
                self._casework.begin(self._placed_ns)
            case do.CaptureFace():
                self._stay_ns = self._clock.monotonic_ns()
                here = self._casework.crossing
                self._vision.capture_face(self._ticket, here.reference if here else None)
            case do.StopChecks():
                self._ticket += 1
                self._vision.stop_checks()
            case do.CheckLane():
                last = self._sensing.last
                if last is not None:
                    self.put(sensing.lane_check(last))

    # -- timers ----------------------------------------------------------------------------------------------------

    def _start_state_timer(self, effect: do.StartStateTimer) -> None:
        if self._timers.state is not None:
            self._timers.state.cancel()
        event = on.StateTimedOut(generation=effect.generation)
        self._timers.state = asyncio.get_running_loop().call_later(effect.duration_ms / 1000, self.put, event)

    def _start_inside_limit(self, duration_ms: int) -> None:
        if self._timers.inside is None:
            self._timers.inside = asyncio.get_running_loop().call_later(
                duration_ms / 1000, self._inside_limit, duration_ms
            )

    def _inside_limit(self, duration_ms: int) -> None:
        """The limit of a stay is over; it means something only while somebody may be inside, so an empty lane starts it afresh."""
        self._timers.inside = None
        last = self._sensing.last
        if last is not None and sensing.is_empty(last) and self._state.name is not State.OCCUPIED:
            self._start_inside_limit(duration_ms)
        else:
            self.put(on.InsideLimitReached())

    # -- records and screens ---------------------------------------------------------------------------------------

    def _entry_commanded(self, at_ns: int) -> None:
        here = self._casework.crossing
        if here is not None and here.entry_commanded_ns is None:
            here.entry_commanded_ns = at_ns

    def _exit_commanded(self, at_ns: int) -> None:
        here = self._casework.crossing
        if here is not None:
            here.exit_commanded_ns = at_ns

    def _present(self) -> None:
        lamp, step = look(self._state)
        if lamp is not self._lamp:
            self._lamp = lamp
            self._executor.submit(lamp)
        here = self._casework.crossing
        last = self._sensing.last
        troubled = self._state.name in (State.ALARM, State.FAULT, State.EVACUATING)
        self._publish(
            wire.LaneState(
                state=self._state.name.value,
                step=step,
                hint=self._hint,
                lamp=lamp.value,
                case_id=here.case_id if here else None,
                since=wire.utc(self._since_ms),
                entry=last.entry.value if last else "unknown",
                exit=last.exit.value if last else "unknown",
                person_count=last.person_count if last else None,
                issuer=here.issuer if here else None,
                problem=", ".join(dict.fromkeys(self._state.reasons or sorted(self._state.faults)))
                if troubled
                else None,
                crossings=self._casework.finished,
            )
        )

    def _spawn(self, coroutine: Coroutine[None, None, None]) -> None:
        task = asyncio.get_running_loop().create_task(coroutine)
        self._tasks.add(task)
        task.add_done_callback(self.ended)

    def ended(self, task: asyncio.Task[None]) -> None:
        """A task of the lane ended; by an error it takes the lane with it."""
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            self.put(Bug(error=error))
