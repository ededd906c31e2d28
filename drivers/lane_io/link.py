"""The host's half of Lane Link without I/O or timers: sessions, sequence numbers, answers, silence.

Fed with bytes and the time, it says what to send and what to report. `driver` puts it on a serial port.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass

from drivers.lane_io import protocol as wire
from drivers.lane_io.codec import CodecFault, Decoder, Frame, encode
from drivers.lane_io.interface import (
    BoardEvent,
    BoardEventKind,
    BoardReport,
    CommandResult,
    Door,
    DoorKind,
    DoorPosition,
    LampColour,
    LaneSensors,
    LinkLost,
    LinkUp,
    SafetyDevice,
    SelfTestState,
)

_LAST_SEQUENCE = 0xFFFF
_MAX_BEAMS = 64
_ALL_FAILED = sum(wire.FailedFlag)

# Looked up and masked by plain numbers: reports come a hundred times a second, and members of flags are slow to ask.
_ENTRY_LOCKED, _EXIT_LOCKED = int(wire.DoorFlag.ENTRY_LOCKED), int(wire.DoorFlag.EXIT_LOCKED)
_ENTRY_FORCED, _EXIT_FORCED = int(wire.DoorFlag.ENTRY_FORCED), int(wire.DoorFlag.EXIT_FORCED)
_ENTRY_JAMMED, _EXIT_JAMMED = int(wire.DoorFlag.ENTRY_JAMMED), int(wire.DoorFlag.EXIT_JAMMED)
_ESTOP_PRESSED, _FIRE = int(wire.HazardFlag.ESTOP_PRESSED), int(wire.HazardFlag.FIRE)
_POWER_FAILED, _WATCHDOG_TRIPPED = int(wire.HazardFlag.POWER_FAILED), int(wire.HazardFlag.WATCHDOG_TRIPPED)
_EVACUATING, _HOLDING = int(wire.HazardFlag.EVACUATING), int(wire.HazardFlag.HOLDING)
_POSITIONS = {position: DoorPosition(position.name.lower()) for position in wire.WirePosition}
_LAMPS = {lamp: LampColour(lamp.name.lower()) for lamp in wire.WireLamp}
_SELF_TESTS = {state: SelfTestState(state.name.lower()) for state in wire.SelfTestState}

_RESULTS = {
    wire.ResultCode.DONE: CommandResult.DONE,
    wire.ResultCode.REFUSED_TOKEN: CommandResult.REFUSED_TOKEN,
    wire.ResultCode.REFUSED_INTERLOCK: CommandResult.REFUSED_INTERLOCK,
    wire.ResultCode.REFUSED_STATE: CommandResult.REFUSED_STATE,
    wire.ResultCode.STALE_SEQUENCE: CommandResult.REFUSED_STATE,
    wire.ResultCode.NO_SESSION: CommandResult.REFUSED_STATE,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """The board's answer to the command with this sequence."""

    sequence: int
    result: CommandResult


Output = BoardReport | Answer


class HostLink:
    """One side of one line. `send` is called with bytes for the line, outputs are returned in order."""

    def __init__(self, *, send: Callable[[bytes], None], link_timeout_ns: int) -> None:
        self._send = send
        self._link_timeout_ns = link_timeout_ns
        self._decoder = Decoder()
        self._session = 0
        self._peer: wire.HelloAck | None = None
        self._inside_mask = 0
        self._sequence = secrets.randbelow(_LAST_SEQUENCE)
        self._beat = b""
        self._heard_ns = 0
        self._last_event = (0, 0)
        self._waiting_since_ns: int | None = None
        self._is_loss_told = False
        self.codec_faults = 0
        """Pieces of the line's bytes that were no frame, since construction."""

    @property
    def is_up(self) -> bool:
        return self._peer is not None

    def begin_session(self) -> None:
        """Forgets the board and greets it anew with a fresh session; called again, it repeats the greeting."""
        if self._session == 0 or self._peer is not None:
            self._session = self._new_session()
            self._beat = encode(Frame(sequence=0, message=wire.Heartbeat(session=self._session)))
            self._peer = None
        spoken = wire.SPOKEN_VERSIONS
        self._transmit(
            0, wire.Hello(lowest_version=spoken.start, highest_version=spoken.stop - 1, session=self._session)
        )

    def end(self) -> None:
        """Forgets the board and what was half received."""
        self._session = 0
        self._peer = None
        self._decoder = Decoder()
        self._waiting_since_ns = None
        self._is_loss_told = False

    def tick(self, now_ns: int) -> list[Output]:
        """To be called every heartbeat interval: greets, beats, and notices silence."""
        if self._peer is None:
            self.begin_session()
            if self._waiting_since_ns is None:
                self._waiting_since_ns = now_ns
            is_overdue = now_ns - self._waiting_since_ns > self._link_timeout_ns
            return self._tell_loss(now_ns, "no lane board answers on this port") if is_overdue else []
        if now_ns - self._heard_ns > self._link_timeout_ns:
            return self._lose(now_ns, f"nothing heard for {(now_ns - self._heard_ns) // 1_000_000} ms")
        self._send(self._beat)
        return []

    def _new_session(self) -> int:
        return secrets.randbelow(0xFFFF_FFFF) + 1

    def next_sequence(self) -> int:
        """1 to 65535 and round again; 0 numbers what is not a command."""
        self._sequence = self._sequence % _LAST_SEQUENCE + 1
        return self._sequence

    def command(self, sequence: int, build: Callable[[int], wire.Command]) -> bytes:
        """The frame of a command in the present session, to be sent as often as it takes."""
        return encode(Frame(sequence=sequence, message=build(self._session)))

    def receive(self, data: bytes, now_ns: int) -> list[Output]:
        outputs: list[Output] = []
        for found in self._decoder.feed(data):
            if isinstance(found, CodecFault):
                self.codec_faults += 1
            else:
                outputs += self._receive_frame(found, now_ns)
        return outputs

    def _receive_frame(self, frame: Frame, now_ns: int) -> list[Output]:
        message = frame.message
        if isinstance(message, wire.HelloAck):
            return self._on_hello_ack(message, now_ns)
        if self._peer is None:
            return []
        if isinstance(message, wire.Sensors):
            return self._on_sensors(frame.sequence, message, now_ns)
        if isinstance(message, wire.Ack):
            return self._on_ack(frame.sequence, message, now_ns)
        if isinstance(message, wire.Event):
            return self._on_event(message, now_ns)
        return []

    def _on_hello_ack(self, message: wire.HelloAck, now_ns: int) -> list[Output]:
        if message.session != self._session or self._peer is not None:
            return []
        if message.version not in wire.SPOKEN_VERSIONS:
            known = f"version {wire.PROTOCOL_VERSION}"
            return self._tell_loss(now_ns, f"the board's firmware does not speak Lane Link {known}; update one of them")
        self._peer = message
        self._inside_mask = _inside_mask(message)
        self._is_loss_told = False
        self._heard_ns = now_ns
        self._send(self._beat)
        return [
            LinkUp(
                at_ns=now_ns,
                board_id=message.board_id,
                boot_id=message.boot_id,
                firmware_version=f"{message.firmware_major}.{message.firmware_minor}.{message.firmware_patch}",
                watchdog_ms=message.watchdog_ms,
                beam_count=message.beam_count,
                entry_kind=DoorKind(message.entry_kind.name.lower()),
                exit_kind=DoorKind(message.exit_kind.name.lower()),
                beam_pitch_mm=message.beam_pitch_mm,
            )
        ]

    def _on_sensors(self, sequence: int, message: wire.Sensors, now_ns: int) -> list[Output]:
        peer = self._peer
        if peer is None:
            return []
        if message.boot_id != peer.boot_id:
            return self._lose(now_ns, "the board has restarted")
        self._heard_ns = now_ns
        return [_lane_sensors(sequence, message, self._inside_mask, now_ns)]

    def _on_ack(self, sequence: int, message: wire.Ack, now_ns: int) -> list[Output]:
        if message.session != self._session:
            return []
        outputs: list[Output] = [Answer(sequence=sequence, result=_RESULTS[message.result])]
        if message.result is wire.ResultCode.STALE_SEQUENCE:
            outputs += self._lose(now_ns, "the board counts commands differently")
        if message.result is wire.ResultCode.NO_SESSION:
            outputs += self._lose(now_ns, "the board does not know this session")
        return outputs

    def _on_event(self, message: wire.Event, now_ns: int) -> list[Output]:
        self._transmit(0, wire.EventAck(event_sequence=message.event_sequence, boot_id=message.boot_id))
        boot_id, last = self._last_event
        if message.boot_id == boot_id and message.event_sequence <= last:
            return []
        self._last_event = (message.boot_id, message.event_sequence)
        return [_board_event(message, now_ns)]

    def _lose(self, now_ns: int, reason: str) -> list[Output]:
        self.begin_session()
        return self._tell_loss(now_ns, reason)

    def _tell_loss(self, now_ns: int, reason: str) -> list[Output]:
        """Once for each time that the link is down."""
        if self._is_loss_told:
            return []
        self._is_loss_told = True
        return [LinkLost(at_ns=now_ns, reason=reason)]

    def _transmit(self, sequence: int, message: wire.Message) -> None:
        self._send(encode(Frame(sequence=sequence, message=message)))


def _lane_sensors(sequence: int, message: wire.Sensors, inside_mask: int, now_ns: int) -> LaneSensors:
    doors, hazards = int(message.doors), int(message.hazards)
    tenths = message.temperature_tenths_celsius
    return LaneSensors(
        received_ns=now_ns,
        sequence=sequence,
        board_uptime_ms=message.uptime_ms,
        boot_id=message.boot_id,
        entry=_position(message.entry, doors & _ENTRY_FORCED, doors & _ENTRY_JAMMED),
        exit=_position(message.exit, doors & _EXIT_FORCED, doors & _EXIT_JAMMED),
        is_entry_locked=bool(doors & _ENTRY_LOCKED),
        is_exit_locked=bool(doors & _EXIT_LOCKED),
        beams=message.beams,
        beam_count=message.beam_count,
        person_count=None if message.person_count == wire.UNKNOWN_COUNT else message.person_count,
        is_estop_pressed=bool(hazards & _ESTOP_PRESSED),
        is_fire=bool(hazards & _FIRE),
        is_power_failed=bool(hazards & _POWER_FAILED),
        is_watchdog_tripped=bool(hazards & _WATCHDOG_TRIPPED),
        exit_token=None if message.exit_token == wire.NO_TOKEN else message.exit_token,
        is_evacuating=bool(hazards & _EVACUATING),
        is_holding=bool(hazards & _HOLDING),
        lamp=_LAMPS[message.lamp],
        inside_mask=inside_mask,
        beams_changed_ms=message.beams_changed_ms,
        board_celsius=None if tenths == wire.UNKNOWN_TEMPERATURE else tenths / 10,
        self_test=_SELF_TESTS[message.self_test],
        failed=_failed(message.failed) if message.failed else frozenset(),
    )


def _inside_mask(peer: wire.HelloAck) -> int:
    beams = min(peer.last_inside_beam, _MAX_BEAMS - 1) + 1 - peer.first_inside_beam
    return (1 << max(0, beams)) - 1 << peer.first_inside_beam


def _failed(flags: wire.FailedFlag) -> frozenset[SafetyDevice]:
    return frozenset(SafetyDevice[flag.name] for flag in flags if flag.name)


def _position(position: wire.WirePosition, forced: int, jammed: int) -> DoorPosition:
    if forced:
        return DoorPosition.FORCED
    if jammed:
        return DoorPosition.JAMMED
    return _POSITIONS[position]


def _board_event(message: wire.Event, now_ns: int) -> BoardEvent:
    door = None if message.door is wire.WireDoor.NONE else Door(message.door.name.lower())
    detail = ""
    if message.code is wire.EventCode.EVENTS_LOST:
        detail = str(message.detail)
    elif message.code is wire.EventCode.DOOR_OPENED:
        known = {int(reason): reason.name.lower() for reason in wire.OpeningReason}
        detail = known.get(message.detail, str(message.detail))
    elif message.code is wire.EventCode.SELF_TEST_FAILED:
        detail = ",".join(sorted(_failed(wire.FailedFlag(message.detail & _ALL_FAILED))))
    return BoardEvent(
        received_ns=now_ns,
        kind=BoardEventKind(message.code.name.lower()),
        door=door,
        detail=detail,
        boot_id=message.boot_id,
        event_sequence=message.event_sequence,
        board_uptime_ms=message.uptime_ms,
    )
