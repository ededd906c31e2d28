"""Whatever a host says and whatever happens in the lane, the board keeps its own rules.

The rules are checked against the world's leaves, not against what the board reports of itself.
"""

from __future__ import annotations

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from drivers.lane_io import protocol as wire
from drivers.lane_io.codec import Decoder, Frame, encode
from drivers.lane_io.interface import Door
from simulator.board_model import BoardFault, BoardModel

SHUT = 0.02
WATCHDOG_MS = 400


class AnyHost(RuleBasedStateMachine):
    """A host that may be right, wrong, late, repeated, foreign or dead."""

    def __init__(self) -> None:
        super().__init__()
        self.model = BoardModel(watchdog_ms=WATCHDOG_MS)
        self.decoder = Decoder()
        self.sequence = 0
        self.token = 0
        self.seen_tokens: list[int] = []
        self.accepted_tokens: list[int] = []
        self.history: list[bytes] = []
        self.open_exits: dict[int, int] = {}
        self.is_egress_free = False
        self.is_beating = True
        self.session = 0
        self.greet()

    def _say(self, message: wire.Message, sequence: int = 0) -> None:
        data = encode(Frame(sequence=sequence, message=message))
        self.model.receive(data)
        self._listen()

    def _listen(self) -> None:
        for found in self.decoder.feed(self.model.take_output()):
            assert isinstance(found, Frame)
            message = found.message
            if isinstance(message, wire.Sensors) and message.exit_token != self.token:
                self.token = message.exit_token
                self.seen_tokens.append(self.token)
            if isinstance(message, wire.Ack) and message.result is wire.ResultCode.DONE:
                token = self.open_exits.pop(found.sequence, None)
                if token is not None:
                    self.accepted_tokens.append(token)
            if isinstance(message, wire.Event):
                self._say(wire.EventAck(event_sequence=message.event_sequence, boot_id=message.boot_id))

    def _command(self, message: wire.Command) -> None:
        self.sequence += 1
        if isinstance(message, wire.OpenExit):
            self.open_exits[self.sequence] = message.token
        self.history.append(encode(Frame(sequence=self.sequence, message=message)))
        self._say(message, self.sequence)

    @rule(towards=st.sampled_from(wire.EntryTarget))
    def move_entry(self, towards: wire.EntryTarget) -> None:
        self._command(wire.MoveEntry(session=self.session, target=towards))

    @rule()
    def open_exit_with_the_current_token(self) -> None:
        self._command(wire.OpenExit(session=self.session, token=self.token))

    @rule(data=st.data())
    @precondition(lambda self: self.seen_tokens)
    def open_exit_with_some_earlier_token(self, data: st.DataObject) -> None:
        self._command(wire.OpenExit(session=self.session, token=data.draw(st.sampled_from(self.seen_tokens))))

    @rule(token=st.integers(0, 0xFFFF_FFFF))
    def open_exit_with_a_guess(self, token: int) -> None:
        self._command(wire.OpenExit(session=self.session, token=token))

    @rule(data=st.data())
    @precondition(lambda self: self.history)
    def replay(self, data: st.DataObject) -> None:
        self.model.receive(data.draw(st.sampled_from(self.history)))
        self._listen()

    @rule(data=st.binary(max_size=60))
    def noise(self, data: bytes) -> None:
        self.model.receive(data)
        self._listen()

    @rule()
    def close_exit(self) -> None:
        self._command(wire.CloseExit(session=self.session))

    @rule()
    def acknowledge(self) -> None:
        self._command(wire.AckFault(session=self.session))

    @rule()
    def greet(self) -> None:
        """Also what a host does that was restarted: the board ended the last session when it fell silent."""
        self.session += 1
        self._say(wire.Hello(lowest_version=1, highest_version=1, session=self.session))

    @rule(is_beating=st.booleans())
    def host_lives_or_dies(self, is_beating: bool) -> None:
        self.is_beating = is_beating

    @rule(name=st.sampled_from(["press_estop", "release_estop", "raise_fire", "clear_fire", "fail_power"]))
    def hazard(self, name: str) -> None:
        getattr(self.model, name)()

    @rule()
    def repair(self) -> None:
        for name in ("release_estop", "clear_fire", "restore_power"):
            getattr(self.model, name)()
        self.model.heal(BoardFault.JAM_ON_NEXT_MOVE)

    @rule()
    def jam(self) -> None:
        self.model.inject(BoardFault.JAM_ON_NEXT_MOVE)

    @rule(x_mm=st.integers(-600, 2800))
    def somebody_walks(self, x_mm: int) -> None:
        world = self.model.world
        walker = world.walkers[0] if world.walkers else world.add_person(-600)
        walker.walk_to(x_mm)

    @rule()
    def evacuate(self) -> None:
        self._command(wire.BeginEvacuation(session=self.session))

    @rule()
    def end_evacuation(self) -> None:
        self._command(wire.EndEvacuation(session=self.session))

    @rule(ticks=st.integers(1, 80))
    def time_passes(self, ticks: int) -> None:
        for _ in range(ticks):
            if self.is_beating:
                self._say(wire.Heartbeat(session=self.session))
            self.model.step(10)
            self._listen()
            self.rules_of_the_board()

    @invariant()
    def rules_of_the_board(self) -> None:
        firmware, world = self.model.firmware, self.model.world
        is_free = firmware.is_released or firmware.is_evacuating
        self.is_egress_free = is_free or (
            # After an evacuation or a release both doors are on their way to shut.
            self.is_egress_free and (world.entry.position > SHUT or world.exit.position > SHUT)
        )
        if not self.is_egress_free:
            both = world.entry.position > SHUT and world.exit.position > SHUT
            assert not both, "both doors open"

    @invariant()
    def each_token_opened_at_most_once_and_nothing_else_did(self) -> None:
        assert len(self.accepted_tokens) == len(set(self.accepted_tokens))
        by_token = [o for o in self.model.openings if o.door is Door.EXIT and o.reason == "token"]
        assert len(by_token) <= len(self.accepted_tokens)
        reasons = {o.reason for o in self.model.openings if o.door is Door.EXIT}
        assert reasons <= {"token", "fire", "power", "evacuation"}

    @invariant()
    def no_token_while_anything_holds(self) -> None:
        firmware = self.model.firmware
        if firmware.is_holding or firmware.is_evacuating or not firmware.entry.is_secure:
            assert firmware.exit_token == wire.NO_TOKEN

    @invariant()
    def nobody_is_in_a_shut_door(self) -> None:
        for leaf in self.model.world.leaves:
            for body in self.model.world.bodies:
                if body.back_mm < leaf.x_mm - 51 and body.front_mm > leaf.x_mm + 51:
                    assert leaf.position > 0.2, "a leaf went through a body"

    def teardown(self) -> None:
        """However it ended: with the hazards gone and a silent host, the board shuts everything and holds."""
        self.model.world.clear()
        self.repair()
        self.greet()
        self.model.step(10)
        self.end_evacuation()
        self.acknowledge()
        for _ in range(500):
            self.model.step(10)
        assert self.model.world.entry.is_locked
        assert self.model.world.exit.is_locked
        assert self.model.firmware.sensors().lamp is wire.WireLamp.RED


AnyHost.TestCase.settings = settings(
    max_examples=40, stateful_step_count=30, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
TestBoardKeepsItsRules = AnyHost.TestCase
