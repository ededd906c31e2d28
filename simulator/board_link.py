"""The board's half of Lane Link: session, repeated commands, events kept until taken. Same rules as `src/tg_link.c`.

Pure: bytes in, bytes out, time in board milliseconds.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Callable

from drivers.lane_io import protocol as wire
from drivers.lane_io.codec import CodecFault, Decoder, Frame, encode

_REMEMBERED_COMMANDS = 16
_MAX_EVENTS = 32
_EVENT_RESEND_MS = 100.0
_SEQUENCES = 0x1_0000


class BoardLink:
    """`act` carries out a command and says what came of it; it is called once per sequence number of a session."""

    def __init__(
        self,
        *,
        hello_ack: Callable[[int, int], wire.HelloAck],
        act: Callable[[wire.Command], wire.ResultCode],
        boot_id: int,
    ) -> None:
        self._hello_ack = hello_ack
        self._act = act
        self._boot_id = boot_id
        self._decoder = Decoder()
        self._output = bytearray()
        self._done: OrderedDict[int, wire.ResultCode] = OrderedDict()
        self._newest: int | None = None
        self._events: deque[wire.Event] = deque()
        self._event_sequence = 0
        self._lost_events = 0
        self._event_sent_ms = -_EVENT_RESEND_MS
        self._sensors_sequence = 0
        self.session = 0
        self.fed_ms: float | None = None
        """When the last heartbeat of this session came; None before the first session."""
        self.sessions_begun = 0

    def receive(self, data: bytes, uptime_ms: float) -> None:
        for found in self._decoder.feed(data):
            if isinstance(found, CodecFault):
                continue
            message = found.message
            if isinstance(message, wire.Hello):
                self._greet(found.sequence, message, uptime_ms)
            elif isinstance(message, wire.Heartbeat):
                self._beat(found.sequence, message, uptime_ms)
            elif isinstance(message, wire.EventAck):
                self._forget_event(message)
            elif isinstance(message, wire.Command):
                result = self._answer(found.sequence, message)
                self.send(found.sequence, wire.Ack(session=message.session, result=result))

    def send(self, sequence: int, message: wire.Message) -> None:
        self._output += encode(Frame(sequence=sequence, message=message))

    def send_sensors(self, sensors: wire.Sensors) -> None:
        self._sensors_sequence = (self._sensors_sequence + 1) % _SEQUENCES
        self.send(self._sensors_sequence, sensors)

    def take_output(self) -> bytes:
        output = bytes(self._output)
        self._output.clear()
        return output

    def add_event(self, code: wire.EventCode, door: wire.WireDoor, detail: int, uptime_ms: float) -> None:
        """Queues an event. When the queue is full the newest is lost, and a count of the lost follows."""
        if len(self._events) >= _MAX_EVENTS:
            self._lost_events += 1
            return
        self._event_sequence += 1
        self._events.append(
            wire.Event(
                event_sequence=self._event_sequence,
                boot_id=self._boot_id,
                uptime_ms=int(uptime_ms) % 0x1_0000_0000,
                code=code,
                door=door,
                detail=detail,
            )
        )

    def step(self, uptime_ms: float) -> None:
        """Sends the oldest event that was not taken yet, again and again."""
        if self._lost_events and len(self._events) < _MAX_EVENTS:
            lost, self._lost_events = self._lost_events, 0
            self.add_event(wire.EventCode.EVENTS_LOST, wire.WireDoor.NONE, lost, uptime_ms)
        if self.session and self._events and uptime_ms - self._event_sent_ms >= _EVENT_RESEND_MS:
            self._event_sent_ms = uptime_ms
            self.send(0, self._events[0])

    def _greet(self, sequence: int, hello: wire.Hello, uptime_ms: float) -> None:
        version = wire.common_version(hello.lowest_version, hello.highest_version) if hello.session else wire.NO_VERSION
        if version != wire.NO_VERSION and hello.session != self.session:
            if self.session == 0:
                # A host that greets again and again and never beats is not alive: the watchdog goes on.
                self.fed_ms = uptime_ms
            self.session = hello.session
            self.sessions_begun += 1
            self._done.clear()
            self._newest = None
            self._event_sent_ms = uptime_ms - _EVENT_RESEND_MS
        self.send(sequence, self._hello_ack(version, hello.session))

    def _beat(self, sequence: int, heartbeat: wire.Heartbeat, uptime_ms: float) -> None:
        if heartbeat.session == self.session != 0:
            self.fed_ms = uptime_ms
        else:
            self.send(sequence, wire.Ack(session=heartbeat.session, result=wire.ResultCode.NO_SESSION))

    def _answer(self, sequence: int, command: wire.Command) -> wire.ResultCode:
        if command.session != self.session or self.session == 0:
            return wire.ResultCode.NO_SESSION
        if sequence in self._done:
            return self._done[sequence]
        if self._newest is not None and (sequence - self._newest) % _SEQUENCES >= _SEQUENCES // 2:
            return wire.ResultCode.STALE_SEQUENCE
        self._newest = sequence
        result = self._done[sequence] = self._act(command)
        if len(self._done) > _REMEMBERED_COMMANDS:
            self._done.popitem(last=False)
        return result

    def _forget_event(self, ack: wire.EventAck) -> None:
        is_ours = ack.boot_id == self._boot_id
        if is_ours and self._events and self._events[0].event_sequence == ack.event_sequence:
            self._events.popleft()
            self._event_sent_ms = -_EVENT_RESEND_MS
