"""One lane, running: an inbox of everything that happens, the machine's step, and the effects it asks for.

The event loop never blocks: inference runs in the vision threads, door commands in the executor's queue, the network in the
uplink. Everything meets in :meth:`LaneRuntime.put`, one item at a time, so that the machine sees one order of events.
"""

import asyncio
import contextlib
import sqlite3
from collections.abc import Callable, Coroutine
from functools import partial
from typing import assert_never

import structlog

from drivers.lane_io.interface import BoardEvent, LaneIo, LaneSensors, LinkLost, LinkUp
from gate.core import effects as do
from gate.core import events as on
from gate.core import machine
from gate.core.clock import Clock
from gate.core.effects import CrossingOutcome, Effect
from gate.core.events import Event
from gate.core.guard import Guard
from gate.core.state import LanePolicy, LaneState, State
from gate.lane import sensing
from gate.lane.casework import Casework
from gate.lane.display import Display
from gate.lane.examination import Examination, FaceLookup, Lookup, Seen
from gate.lane.executor import Executor
from gate.lane.inbox import Inbox
from gate.lane.inputs import Bug, Input, LookAsked
from gate.lane.journal import Journal
from gate.lane.orders import Orders
from gate.lane.presentation import lane_state, look
from gate.lane.sightings import CameraChanged, Sighting, VisionFailed
from gate.lane.store import LaneStore
from gate.lane.store_watch import StoreWatch
from gate.lane.takeover import Takeover
from gate.lane.timers import Timers
from gate.lane.vision import Vision
from gate.wire import messages as wire
from gate.wire.messages import EventType
from gate.wire.signing import Refused, VerifiedCommand

_log = structlog.get_logger(__name__)


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
        faces: FaceLookup | None = None,
        celsius: Callable[[int], float | None] | None,
        self_release: Callable[[Casework], VerifiedCommand | None],
        publish: Callable[[wire.LaneState], None],
        on_change: Callable[[LaneState], None] = lambda _state: None,
    ) -> None:
        """``look_up`` starts the look-ups of a document, ``faces`` looks for its picture; ``celsius(since_ns)`` is the traveller's
        temperature if one was taken since then, None where none is taken; ``self_release`` makes the lane's own release where the site
        lets the lane decide alone (mode ``gate``).
        """
        self._policy = policy
        self._clock = clock
        self._store = store
        self._board = board
        self._guard = guard
        self._vision = vision
        self._casework = casework
        self._self_release = self_release
        self._on_change = on_change
        self._executor = Executor(
            board=board,
            guard=guard,
            clock=clock,
            exit_token=lambda: self._sensing.last.exit_token if self._sensing.last else None,
            post=self.put,
            report_command=casework.report_command,
            report_veto=casework.report_veto,
            on_entry_commanded=casework.note_entry_commanded,
            on_exit_commanded=casework.note_exit_commanded,
        )
        self._sensing = sensing.Sensing(has_entry=policy.has_entry)
        self._inbox: Inbox[Input] = Inbox(self._take)
        self._timers = Timers(post=self.put, is_surely_empty=self._is_surely_empty)
        self._takeover = Takeover(lambda: self._spawn(self._acknowledge_silence()))
        self._examination = self._make_examination(look_up, faces, celsius)
        self._state = LaneState()
        self._since_ms = clock.utc_ms()
        self._orders = self._make_orders()
        self._journal = Journal(store, writes=self._guarded)
        self._store_watch = StoreWatch(store, post=self.put, state=lambda: self._state)
        self._display = Display(
            lamp=lambda: look(self._state, has_entry=policy.has_entry)[0],
            picture=self._picture,
            set_lamp=self._executor.submit,
            publish=publish,
        )
        self._tasks: set[asyncio.Task[None]] = set()
        self._loop: asyncio.AbstractEventLoop | None = None

    def _make_examination(
        self, look_up: Lookup, faces: FaceLookup | None, celsius: Callable[[int], float | None] | None
    ) -> Examination:
        return Examination(
            clock=self._clock,
            vision=self._vision,
            casework=self._casework,
            guard=self._guard,
            look_up=look_up,
            faces=faces,
            celsius=celsius,
            last_sensors=lambda: self._sensing.last,
            step=self._step,
            spawn=self._spawn,
            writes=self._guarded,
            on_hint=lambda: self._display.changed(),  # noqa: PLW0108  bound later
        )

    def _make_orders(self) -> Orders:
        return Orders(
            board=self._board,
            guard=self._guard,
            casework=self._casework,
            store=self._store,
            step=self._step,
            post=self.put,
            spawn=self._spawn,
            writes=self._guarded,
            faults=lambda: self._state.faults,
        )

    @property
    def state(self) -> LaneState:
        return self._state

    # -- life ------------------------------------------------------------------------------------------------------

    async def run(self) -> None:
        """Run until cancelled. Raises DeviceError when the board or a camera cannot be opened at the start."""
        self._loop = asyncio.get_running_loop()
        self._guarded(self._casework.close_interrupted)
        self._state, effects = machine.start(self._policy)
        await self._executor.start(self.ended)
        try:
            await self._board.start(self.put)
            self._vision.start(self.put_threadsafe)
            self._apply(effects)
            self._display.changed()
            await self._inbox.run()
        finally:
            await self._stop()

    async def _stop(self) -> None:
        self._timers.cancel()
        self._store_watch.cancel()
        for task in tuple(self._tasks):
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
        await asyncio.to_thread(self._vision.stop)
        await self._executor.stop()
        await self._board.stop()
        self._journal.write()

    def put(self, item: Input) -> None:
        """Add to the inbox, from the event loop."""
        self._inbox.put(item)

    def put_threadsafe(self, item: Sighting) -> None:
        """Add to the inbox, from any thread."""
        if self._loop is not None:
            with contextlib.suppress(RuntimeError):  # the loop has closed: we are stopping
                self._loop.call_soon_threadsafe(self._inbox.put, item)

    # -- what comes in ---------------------------------------------------------------------------------------------

    def _take(self, item: Input) -> None:
        if isinstance(item, LaneSensors):  # nearly all that comes, ten and more a second
            self._sense(item)
            return
        if isinstance(item, Seen):
            self._examination.sight(item)
            return
        match item:
            case LinkUp() | LinkLost() | BoardEvent():
                self._board_said(item)
            case VerifiedCommand():
                self._orders.obey(item)
            case CameraChanged():
                kind = on.DeviceRecovered(device=item.device) if item.is_ok else None
                self._step(kind or on.DeviceFailed(device=item.device, reason=item.reason))
            case LookAsked():
                self._look()
            case Bug() | VisionFailed():
                raise item.error
            case _:
                self._step(item)

    def _sense(self, sensors: LaneSensors) -> None:
        if self._takeover.is_going_on(sensors):
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
            self._display.changed()

    def _look(self) -> None:
        last = self._sensing.last
        if last is not None:
            self._step(sensing.lane_check(last, has_entry=self._policy.has_entry))

    def _board_said(self, report: LinkUp | LinkLost | BoardEvent) -> None:
        match report:
            case LinkLost():
                self._sensing.forget()
                self._step(on.DeviceFailed(device="board_link", reason=report.reason))
            case LinkUp():
                self._step(on.DeviceRecovered(device="board_link"))
                self._spawn(self._test_safety_devices())
            case BoardEvent():
                self._journal.note("board", {"kind": report.kind.value, "detail": report.detail})
            case _:
                assert_never(report)

    async def _test_safety_devices(self) -> None:
        """What fails shows in the next reports. A board that cannot test now (a door is open) keeps what it last found."""
        await self._board.self_test()

    async def _acknowledge_silence(self) -> None:
        await self._board.acknowledge_fault()

    def _is_surely_empty(self) -> bool:
        """Never in a lane without an entry: there the limit is the crossing's, whoever stands in the approach at the moment."""
        last = self._sensing.last
        is_empty = last is not None and sensing.is_empty(last)
        return self._policy.has_entry and is_empty and self._state.name is not State.OCCUPIED

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

    # -- the machine -----------------------------------------------------------------------------------------------

    def _step(self, event: Event) -> None:
        before = self._state
        after, effects = machine.step(before, event, self._policy)
        self._state = after
        if after.faults != before.faults:
            self._orders.faults_changed()
            self._store_watch.faults_changed(after.faults)
        if after.name is not before.name:
            self._since_ms = self._clock.utc_ms()
        self._apply(effects)
        if after.name is not before.name:
            self._journal_change(before, after, event)
        if isinstance(event, on.LaneFoundEmpty) and before.name in (State.STARTING, State.CHECKING):
            self._end_unheard_of(before)
        if after.name is not before.name:
            self._entered(after)
        if after != before:
            self._display.changed()
        if isinstance(event, on.CrossingCleared) and after.name is State.OCCUPIED:
            # At once, not by way of the inbox: what comes in meanwhile could make it a release of older evidence.
            release = self._self_release(self._casework)
            if release is not None:
                self._orders.obey(release)

    def _end_unheard_of(self, before: LaneState) -> None:
        """A case that was opened for somebody found inside at the start has no crossing in the machine: it ends with the stay."""
        if not before.is_crossing and self._casework.crossing is not None:
            outcome = before.outcome or CrossingOutcome.INTERRUPTED
            self._guarded(lambda: self._casework.end(outcome, before.reasons))

    def _journal_change(self, before: LaneState, after: LaneState, event: Event) -> None:
        row = {
            "from": before.name.value,
            "to": after.name.value,
            "cause": type(event).__name__,
            "reasons": list(after.reasons),
        }
        _log.info("state", **row)
        self._journal.note("state", row)
        self._on_change(after)

    def _entered(self, state: LaneState) -> None:
        if state.name is State.REFERRED:
            self._guarded(lambda: self._casework.add_reasons(state.reasons, self._guard.occupancy_id))
        self._examination.entered(state.name)

    def _guarded(self, act: Callable[[], None]) -> None:
        """Run something that writes; a store that cannot write puts the lane into its fault state instead of losing a record."""
        try:
            act()
        except sqlite3.Error as error:
            self.store_failed(error)

    def record_start(self, write: Callable[[], None]) -> None:
        """Before :meth:`run`: write what a start has to tell. Where the store does not take it, the lane starts in its fault state, and
        ``write`` is called again until it succeeds.
        """
        try:
            write()
        except sqlite3.Error as error:
            self._store_watch.owe(write)
            self.store_failed(error)

    def store_failed(self, error: sqlite3.Error) -> None:
        """Something could not be put on disk, here or in another part of the lane."""
        _log.error("store_failed", error=str(error))
        if "store" not in self._state.faults:
            self.put(on.DeviceFailed(device="store", reason=str(error)))

    def _apply(self, effects: tuple[Effect, ...]) -> None:
        """Each effect on its own: a record that cannot be written must not keep a door command from going out."""
        for effect in effects:
            self._guarded(partial(self._apply_one, effect))

    def _apply_one(self, effect: Effect) -> None:
        match effect:
            case do.OpenEntry() | do.CloseEntry() | do.OpenExit() | do.CloseExit() | do.SoundBuzzer():
                self._executor.submit(effect)
            case do.FreeEgress() | do.EndEgress():
                self._executor.submit(effect)
            case do.StartStateTimer():
                self._timers.start_state(effect)
            case do.StartInsideLimit():
                self._timers.start_inside(effect.duration_ms)
            case do.CancelInsideLimit():
                self._timers.cancel_inside()
            case do.BeginCrossing() | do.CaptureFace() | do.StopChecks():
                self._examination.run(effect)
            case do.CheckLane():
                self.put(LookAsked())
            case do.VoidStay():
                self._casework.void_stay()
            case do.EndCrossing():
                self._casework.end(effect.outcome, effect.reasons)
            case do.RaiseAlarm() | do.ClearAlarm() | do.ReportFault() | do.ReportFaultsCleared():
                self._casework.report_trouble(effect)
            case _:
                assert_never(effect)

    # -- records and screens ---------------------------------------------------------------------------------------

    def _picture(self) -> wire.LaneState:
        return lane_state(
            self._state,
            since_ms=self._since_ms,
            hint=self._examination.hint,
            sensors=self._sensing.last,
            crossing=self._casework.crossing,
            crossings=self._casework.finished,
            light=self._examination.light,
            chip_progress=self._examination.chip_progress,
            has_entry=self._policy.has_entry,
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
