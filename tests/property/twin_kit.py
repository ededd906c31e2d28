"""A whole lane without threads or a loop: machine, guard, executor and sensing against the board's twin, over Lane Link's bytes.

One tick is ten milliseconds for everybody. A notebook beside the lane knows the world's truth (leaves, bodies, clocks, what was
signed) and judges every opening by it, without asking the guard.
"""

from __future__ import annotations

import secrets
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine, Generator
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Literal

from drivers.lane_io import protocol as wire
from drivers.lane_io.interface import (
    BoardReport,
    BuzzerPattern,
    CommandResult,
    Door,
    DoorPosition,
    LampColour,
    LaneIo,
    LaneSensors,
    LinkLost,
    LinkUp,
)
from drivers.lane_io.link import Answer, HostLink
from gate.core import effects as do
from gate.core import events as on
from gate.core import machine
from gate.core.clock import ManualClock
from gate.core.effects import Effect
from gate.core.events import Event
from gate.core.guard import RELEASE_MAX_LIFE_NS, Guard
from gate.core.release import VerifiedRelease
from gate.core.state import LanePolicy, LaneState, State
from gate.lane import sensing
from gate.lane.executor import DoorEffect, Executor
from gate.wire.messages import Act, Command
from gate.wire.signing import CommandVerifier, Refused, SigningKey, VerifiedCommand, Verifier, sign_command
from simulator.board_model import BoardFault, BoardModel
from simulator.firmware import Firmware
from simulator.world import LaneWorld, Walker

LANE = "port/lane-1"
TICK_MS = 10
SHUT = 0.02
SENSOR_MAX_AGE_MS = 400
POLICY = LanePolicy(
    document_timeout_ms=2_000,
    entry_timeout_ms=3_000,
    face_timeout_ms=2_000,
    release_wait_ms=1_000,
    exit_timeout_ms=3_000,
    inside_limit_ms=8_000,
    desk_notice_ms=200,
    settle_ms=50,
    retry_ms=300,
)
ONE_DOOR = replace(POLICY, has_entry=False)
KEY = SigningKey.generate()


class Hub:
    """Signs releases for one lane address, and verifies them as that lane does."""

    def __init__(self, clock: ManualClock, address: str = LANE, key: SigningKey = KEY) -> None:
        self.clock = clock
        self.address = address
        self.key = key
        self.seq = 0
        self.verifier = CommandVerifier(
            Verifier.trusting(KEY.public()), address=address, clock=clock, last_seq=0, remember=lambda _seq: None
        )

    def sign(self, act: Act = Act.RELEASE, *, occupancy_id: str | None, lifetime_s: float = 10.0) -> str:
        self.seq += 1
        now_s = self.clock.utc_ms() / 1000
        command = Command(
            iss="hub",
            aud=self.address,
            jti=secrets.token_hex(16),
            seq=self.seq,
            iat=now_s,
            exp=now_s + lifetime_s,
            act=act,
            by="ann",
            case_id="case-1",
            occupancy_id=occupancy_id,
            evidence_digest="d" * 64,
        )
        return sign_command(self.key, command)

    def verify(self, token: str) -> VerifiedCommand | Refused:
        return self.verifier.verify(token)

    def release(self, *, occupancy_id: str, lifetime_s: float = 10.0) -> VerifiedRelease:
        verified = self.verify(self.sign(occupancy_id=occupancy_id, lifetime_s=lifetime_s))
        assert isinstance(verified, VerifiedCommand)
        assert verified.release is not None
        return verified.release


class QuickWorld(LaneWorld):
    """The same world, which remembers its shadows as long as no body has moved: a scan asks for them many times."""

    _shadows: tuple[object, int] = ((), 0)

    @property
    def beams(self) -> int:
        bodies = tuple((body.x_mm, body.length_mm) for body in self.bodies)
        if bodies != self._shadows[0]:
            self._shadows = (bodies, LaneWorld.beams.fget(self))  # type: ignore[attr-defined]
        return self._shadows[1]


class CountingLink(HostLink):
    """Sessions and sequences by counting instead of by lot, so that a garbled line garbles the same bytes in every run."""

    sessions = 0

    def _new_session(self) -> int:
        self.sessions += 1
        return self.sessions


@dataclass(slots=True)
class _Turn(Awaitable[CommandResult]):
    """A command that waits for the board's answer."""

    build: Callable[[int], wire.Command]
    sequence: int = 0
    frame: bytes = b""
    sent_ms: int = 0
    begun_ms: int = 0
    result: CommandResult | None = None

    def __await__(self) -> Generator[_Turn, None, CommandResult]:
        while self.result is None:
            yield self
        return self.result


class TwinLine(LaneIo):
    """The host's board driver without a port: each command is a turn that the lane's ticks carry to the board."""

    async def start(self, on_report: Callable[[BoardReport], None]) -> None:
        raise AssertionError("the kit reports by itself")

    async def stop(self) -> None:
        raise AssertionError("there is nothing to stop")

    async def move_entry(self, position: Literal[DoorPosition.OPEN, DoorPosition.CLOSED]) -> CommandResult:
        target = wire.EntryTarget.OPEN if position is DoorPosition.OPEN else wire.EntryTarget.CLOSED
        return await _Turn(lambda session: wire.MoveEntry(session=session, target=target))

    async def open_exit(self, token: int) -> CommandResult:
        return await _Turn(lambda session: wire.OpenExit(session=session, token=token))

    async def close_exit(self) -> CommandResult:
        return await _Turn(lambda session: wire.CloseExit(session=session))

    async def set_lamp(self, colour: LampColour) -> CommandResult:
        return await _Turn(lambda session: wire.Lamp(session=session, colour=wire.WireLamp[colour.name]))

    async def sound_buzzer(self, pattern: BuzzerPattern) -> CommandResult:
        return await _Turn(lambda session: wire.Buzzer(session=session, pattern=wire.WireBuzzer[pattern.name]))

    async def acknowledge_fault(self) -> CommandResult:
        return await _Turn(lambda session: wire.AckFault(session=session))

    async def self_test(self) -> CommandResult:
        return await _Turn(lambda session: wire.SelfTest(session=session))

    async def set_evacuation(self, is_on: bool) -> CommandResult:
        kind = wire.BeginEvacuation if is_on else wire.EndEvacuation
        return await _Turn(lambda session: kind(session=session))


@dataclass(frozen=True, slots=True, kw_only=True)
class Issued:
    """What the notebook knows of a release: whom it was signed for, in which door cycle, and when it came in."""

    address: str
    cycle: int
    expires_utc_ms: int
    handed_ns: int


class TwinLane:
    """One lane and its notebook. ``guard_class`` may be a guard with a rule removed; the policy says how many doors there are."""

    def __init__(self, guard_class: type[Guard] = Guard, *, policy: LanePolicy = POLICY) -> None:
        self.policy = policy
        self.has_entry = policy.has_entry
        self.clock = ManualClock()
        self.board = BoardModel(QuickWorld(has_entry=policy.has_entry), now_ns=self.clock.monotonic_ns)
        self.world = self.board.world
        self.link = CountingLink(send=self._send, link_timeout_ns=600_000_000)
        self.link._sequence = 0
        self.guard = guard_class(
            lane=LANE,
            boot_id="b",
            clock=self.clock,
            sensor_max_age_ns=SENSOR_MAX_AGE_MS * 1_000_000,
            is_spent=lambda release_id: release_id in self.spent,
            spend=self._spend,
            has_entry=policy.has_entry,
        )
        self.hub = Hub(self.clock)
        self.sensing = sensing.Sensing(has_entry=policy.has_entry)
        self.executor = Executor(
            board=TwinLine(),
            guard=self.guard,
            clock=self.clock,
            exit_token=lambda: self.sensing.last.exit_token if self.sensing.last else None,
            post=self.put,
            report_command=lambda *_: None,
            report_veto=lambda _door, rule: self.vetoes.append(rule),
            on_entry_commanded=lambda _ns: None,
            on_exit_commanded=lambda _ns: None,
        )
        self.is_line_cut = False
        self.is_camera_blind = False
        self.inbox: deque[Event | None] = deque()
        self.queue: deque[Callable[[], Coroutine[Any, Any, None]]] = deque()
        self.coroutine: Coroutine[Any, Any, None] | None = None
        self.turn: _Turn | None = None
        self.timer: tuple[int, int] | None = None
        self.limit_ms: int | None = None
        self.acknowledge_at_ms: int | None = None
        self.now_ms = 0
        # the notebook
        self.issued: dict[str, Issued] = {}
        self.spent: list[str] = []
        self.vetoes: list[str] = []
        self.states: list[State] = []
        self.cycle = 0
        self.openings_judged = 0
        self.is_egress_free = False
        self.was_open = (False, False)
        self.standing = 0
        self.stood_since_ms = 0
        self.state = LaneState()
        self.state, effects = machine.start(policy)
        self._apply(effects)

    # -- the lane's runtime ----------------------------------------------------------------------------------------

    def put(self, event: Event) -> None:
        self.inbox.append(event)

    def _step(self, event: Event) -> None:
        before = self.state
        self.state, effects = machine.step(before, event, self.policy)
        if self.state.name is not before.name:
            self.states.append(self.state.name)
        self._apply(effects)

    def _drain(self) -> None:
        while self.inbox:
            event = self.inbox.popleft()
            if event is not None:
                self._step(event)
            elif self.sensing.last is not None:
                self._step(sensing.lane_check(self.sensing.last, has_entry=self.has_entry))

    def _apply(self, effects: tuple[Effect, ...]) -> None:
        for effect in effects:
            match effect:
                case do.StartStateTimer():
                    self.timer = (self.now_ms + effect.duration_ms, effect.generation)
                case do.StartInsideLimit():
                    self.limit_ms = self.limit_ms or self.now_ms + effect.duration_ms
                case do.CancelInsideLimit():
                    self.limit_ms = None
                case do.CheckLane():
                    self.inbox.append(None)
                case effect if isinstance(effect, DoorEffect):
                    self.queue.append(partial(self.executor._carry_out, effect))
                case _:
                    pass

    def _run_timers(self) -> None:
        if self.timer is not None and self.now_ms >= self.timer[0]:
            generation, self.timer = self.timer[1], None
            self.put(on.StateTimedOut(generation=generation))
        if self.limit_ms is not None and self.now_ms >= self.limit_ms:
            self.limit_ms = None
            last = self.sensing.last
            is_empty = last is not None and sensing.is_empty(last) and self.state.name is not State.OCCUPIED
            if self.has_entry and is_empty:
                self.limit_ms = self.now_ms + self.policy.inside_limit_ms
            else:
                self.put(on.InsideLimitReached())
        if self.acknowledge_at_ms is not None:
            is_board_well = "board" not in self.state.faults
            if is_board_well or self.now_ms >= self.acknowledge_at_ms:
                self.acknowledge_at_ms = None
                self.put(on.Acknowledged(by="ann"))

    async def _acknowledge(self) -> None:
        result = await self.executor._board.acknowledge_fault()
        self.acknowledge_at_ms = self.now_ms + (500 if result is CommandResult.DONE else 0)

    # -- the line --------------------------------------------------------------------------------------------------

    def _send(self, data: bytes) -> None:
        if not self.is_line_cut:
            self.board.receive(data)

    def _hear(self) -> None:
        outputs = self.link.receive(self.board.take_output(), self.clock.monotonic_ns())
        if self.now_ms % 100 == 0:
            outputs += self.link.tick(self.clock.monotonic_ns())
        for output in outputs:
            match output:
                case Answer():
                    if self.turn is not None and output.sequence == self.turn.sequence:
                        self.turn.result = output.result
                case LaneSensors():
                    self.guard.observe(sensing.guard_facts(output))
                    for event in self.sensing.observe(output):
                        self.put(event)
                        self._drain()
                case LinkLost():
                    self._fail_turn()
                    self.sensing.forget()
                    self.put(on.DeviceFailed(device="board_link", reason=output.reason))
                case LinkUp():
                    self.put(on.DeviceRecovered(device="board_link"))
                case _:
                    pass
            self._drain()

    def _fail_turn(self) -> None:
        if self.turn is not None and self.turn.result is None:
            self.turn.result = CommandResult.NO_ANSWER

    def _pump(self) -> None:
        """One command at a time, repeated until it is answered, as the serial driver does it."""
        while True:
            if self.turn is not None and self.turn.result is None:
                if self.now_ms - self.turn.begun_ms >= 400:
                    self._fail_turn()
                elif self.now_ms - self.turn.sent_ms >= 40:
                    self.turn.sent_ms = self.now_ms
                    self._send(self.turn.frame)
                if self.turn.result is None:
                    return
            if self.coroutine is None:
                if not self.queue:
                    return
                self.coroutine = self.queue.popleft()()
            self._go_on()

    def _go_on(self) -> None:
        assert self.coroutine is not None
        try:
            self.turn = self.coroutine.send(None)
        except StopIteration:
            self.coroutine = self.turn = None
            return
        assert isinstance(self.turn, _Turn)
        if not self.link.is_up:
            self.turn.result = CommandResult.NO_ANSWER
            return
        self.turn.sequence = self.link.next_sequence()
        self.turn.frame = self.link.command(self.turn.sequence, self.turn.build)
        self.turn.begun_ms = self.turn.sent_ms = self.now_ms
        self._send(self.turn.frame)

    # -- time ------------------------------------------------------------------------------------------------------

    def tick(self) -> None:
        self.board.step(TICK_MS)
        self.clock.advance_ms(TICK_MS)
        self.now_ms += TICK_MS
        self.judge()
        self._hear()
        self._look()
        self._run_timers()
        self._drain()
        self._pump()
        self._drain()

    def run(self, ms: int, until: Callable[[], bool] = lambda: False) -> bool:
        """Ticks for ``ms`` or until it is true; says whether it is."""
        for _ in range(ms // TICK_MS):
            if until():
                return True
            self.tick()
        return until()

    def until(self, *names: State, ms: int = 5_000) -> None:
        assert self.run(ms, lambda: self.state.name in names), f"{self.state} after {self.states[-8:]}"

    def _look(self) -> None:
        """The face camera, while somebody is inside: it counts everybody whom it can see."""
        if self.now_ms % 50 == 0 and self.state.name in (State.OCCUPIED, State.REFERRED) and not self.is_camera_blind:
            count = self.world.people_inside()
            self.guard.observe_camera(count)
            if count > 1:
                self.put(on.CompanyDetected(person_count=count))

    # -- people, officers and hubs ---------------------------------------------------------------------------------

    def acknowledge(self) -> None:
        self.queue.append(self._acknowledge)

    def let_in(self) -> Walker:
        """One traveller with a good document walks in; where nothing keeps them out, before the document is read."""
        self.until(State.READY)
        walker = self.world.add_person(-600)
        if not self.has_entry:
            walker.walk_to(1200)
            self.run(400)
        self.put(on.DocumentPlaced())
        self.put(on.EntryAdmitted())
        walker.walk_to(1200)
        self.until(State.OCCUPIED)
        return walker

    def issue(self, hub: Hub | None = None, *, occupancy_id: str | None = None, lifetime_s: float = 10.0) -> str:
        """A signed release for the present stay (or another), as it travels."""
        return (hub or self.hub).sign(
            occupancy_id=occupancy_id or self.guard.occupancy_id or "b-0", lifetime_s=lifetime_s
        )

    def receive(self, token: str, hub: Hub | None = None) -> VerifiedRelease | Refused:
        """A token comes in and, if it is believed, goes to guard and machine."""
        verified = (hub or self.hub).verify(token)
        if isinstance(verified, Refused):
            return verified
        release = verified.release
        assert release is not None
        self.note(release)
        self.hand_in(release)
        return release

    def note(self, release: VerifiedRelease) -> None:
        """Write into the notebook what a release is good for, when it comes in."""
        self.issued[release.release_id] = Issued(
            address=release.lane,
            cycle=self.cycle if release.occupancy_id == self.guard.occupancy_id else -1,
            expires_utc_ms=release.expires_utc_ms,
            handed_ns=self.clock.monotonic_ns(),
        )
        self.guard.see_release(release)

    def hand_in(self, release: VerifiedRelease) -> None:
        """A release reaches the machine; nobody promises that it is the first time."""
        self.put(on.ReleaseVerified(release=release))

    # -- the notebook ----------------------------------------------------------------------------------------------

    def _spend(self, release_id: str) -> None:
        """The guard has permitted the exit: judge the release by what the notebook knows of it."""
        issued = self.issued[release_id]
        assert release_id not in self.spent, "a release was spent twice"
        assert issued.address == LANE, "a release of another lane was spent"
        # Into an open approach somebody may step between two reports: then the board's token is another, and nothing opens.
        assert issued.cycle == self.cycle or not self.has_entry, "a release of another stay was spent"
        assert self.clock.utc_ms() < issued.expires_utc_ms, "an expired release was spent"
        assert self.clock.monotonic_ns() - issued.handed_ns < RELEASE_MAX_LIFE_NS, "a hoarded release was spent"
        self.spent.append(release_id)

    @property
    def firmware(self) -> Firmware:
        return self.board.firmware

    def judge(self) -> None:
        """What must be true of the world at every moment."""
        entry, exit_ = self.world.entry, self.world.exit
        openings = self.board.openings[self.openings_judged :]
        self.openings_judged = len(self.board.openings)
        for opening in openings:
            if opening.door is Door.EXIT and opening.reason == "token":
                by_token = sum(1 for o in self.board.openings if o.door is Door.EXIT and o.reason == "token")
                assert by_token <= len(self.spent), "the exit opened without a release spent on it"
                assert self._is_of_this_stay(self.spent[-1]), "the exit opened in another stay"
                assert self.world.people_inside() == 1, "the exit opened for not exactly one person"
                assert entry.position <= SHUT or not self.has_entry, "the exit opened while the entry was open"
            assert opening.door is Door.EXIT or self.has_entry, "an entry opened that is not there"
        is_open = (entry.position > SHUT and self.has_entry, exit_.position > SHUT)
        if any(now and not before for now, before in zip(is_open, self.was_open, strict=True)):
            self.cycle += 1
        self.was_open = is_open
        self._judge_who_stands_there()
        is_forced = entry.is_pushed or exit_.is_pushed or self.firmware.entry.is_forced or self.firmware.exit.is_forced
        is_free = self.firmware.is_released or self.firmware.is_evacuating or not self.board.is_running or is_forced
        self.is_egress_free = is_free or (self.is_egress_free and any(is_open))
        assert self.is_egress_free or not all(is_open), "both doors are open"

    def _judge_who_stands_there(self) -> None:
        """Without an entry a release is for those who stand in the approach: another number of them is another stay."""
        if self.has_entry:
            return
        if self.firmware.person_count != self.standing:
            self.standing = self.firmware.person_count
            self.stood_since_ms = self.now_ms
            self.cycle += 1

    def _is_of_this_stay(self, release_id: str) -> bool:
        """A leaf is seen to move some 20 ms after the board took its command: meanwhile somebody may step into an open approach."""
        cycle = self.issued[release_id].cycle
        is_just_over = not self.has_entry and cycle == self.cycle - 1 and self.now_ms - self.stood_since_ms <= 30
        return cycle == self.cycle or is_just_over

    def heal_all(self) -> None:
        """Repairs everything that a rule may have broken."""
        self.is_line_cut = self.is_camera_blind = False
        for name in ("release_estop", "clear_fire", "restore_power"):
            getattr(self.board, name)()
        for fault in BoardFault:
            self.board.heal(fault)
        for door in Door:
            self.board.let_go(door)
