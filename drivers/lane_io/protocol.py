"""Lane Link messages: what a gate computer and a lane controller board say to each other.

Byte offsets below are within the payload; the frame around it is in `codec`. All integers are little-endian and
unsigned. `docs/protocols/lane-link.md` is the same table in prose, `vectors.toml` holds test vectors.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, fields
from enum import STRICT, IntEnum, IntFlag
from typing import Any, ClassVar, Self

PROTOCOL_VERSION = 1
MAX_PAYLOAD_BYTES = 64
NO_TOKEN = 0
UNKNOWN_COUNT = 255


class MessageType(IntEnum):
    """Byte 3 of the frame. The top bit is set in what the board sends."""

    HELLO = 0x01
    HEARTBEAT = 0x02
    EVENT_ACK = 0x03
    MOVE_ENTRY = 0x10
    OPEN_EXIT = 0x11
    CLOSE_EXIT = 0x12
    LAMP = 0x13
    BUZZER = 0x14
    ACK_FAULT = 0x15
    BEGIN_EVACUATION = 0x16
    END_EVACUATION = 0x17
    HELLO_ACK = 0x81
    SENSORS = 0x82
    ACK = 0x83
    EVENT = 0x84


class WirePosition(IntEnum):
    UNKNOWN = 0
    CLOSED = 1
    OPENING = 2
    OPEN = 3
    CLOSING = 4


class EntryTarget(IntEnum):
    CLOSED = 1
    OPEN = 3


class WireLamp(IntEnum):
    OFF = 0
    BLUE = 1
    GREEN = 2
    AMBER = 3
    RED = 4


class WireBuzzer(IntEnum):
    OFF = 0
    SHORT = 1
    DOUBLE = 2
    ALARM = 3


class ResultCode(IntEnum):
    DONE = 0
    REFUSED_TOKEN = 1
    REFUSED_INTERLOCK = 2
    REFUSED_STATE = 3
    STALE_SEQUENCE = 4
    NO_SESSION = 5


class EventCode(IntEnum):
    BOOTED = 1
    DOOR_OPENED = 2
    DOOR_FORCED = 3
    DOOR_JAMMED = 4
    DOOR_OBSTRUCTED = 5
    PASSAGE_FORWARD = 6
    PASSAGE_BACK = 7
    WATCHDOG_TRIPPED = 8
    ESTOP_PRESSED = 9
    ESTOP_RELEASED = 10
    FIRE_RAISED = 11
    FIRE_CLEARED = 12
    POWER_FAILED = 13
    POWER_RESTORED = 14
    EVENTS_LOST = 15


class WireDoor(IntEnum):
    NONE = 0
    ENTRY = 1
    EXIT = 2


class OpeningReason(IntEnum):
    """Why a door left its closed position: the `detail` of a DOOR_OPENED event."""

    COMMAND = 1
    TOKEN = 2
    FIRE = 3
    POWER = 4
    EVACUATION = 5
    FORCED = 6


class DoorFlag(IntFlag, boundary=STRICT):
    ENTRY_LOCKED = 0x01
    EXIT_LOCKED = 0x02
    ENTRY_FORCED = 0x04
    EXIT_FORCED = 0x08
    ENTRY_JAMMED = 0x10
    EXIT_JAMMED = 0x20


class HazardFlag(IntFlag, boundary=STRICT):
    ESTOP_PRESSED = 0x01
    FIRE = 0x02
    POWER_FAILED = 0x04
    WATCHDOG_TRIPPED = 0x08
    EVACUATING = 0x10
    HOLDING = 0x20


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """A payload with a fixed layout. Subclasses list their fields in wire order."""

    TYPE: ClassVar[MessageType]
    LAYOUT: ClassVar[struct.Struct] = struct.Struct("<")
    ENUMS: ClassVar[dict[str, type[IntEnum] | type[IntFlag]]] = {}

    def pack(self) -> bytes:
        """The payload's bytes. Raises struct.error if a value does not fit its field (a bug of the caller's)."""
        return self.LAYOUT.pack(*(getattr(self, field.name) for field in fields(self)))

    @classmethod
    def unpack(cls, payload: bytes) -> Self:
        """Raises ValueError when the length is wrong or an enumeration has no such value."""
        if len(payload) != cls.LAYOUT.size:
            raise ValueError(f"{cls.TYPE.name} has {len(payload)} bytes, not {cls.LAYOUT.size}")
        names = (field.name for field in fields(cls))
        values: dict[str, Any] = dict(zip(names, cls.LAYOUT.unpack(payload), strict=True))
        for name, kind in cls.ENUMS.items():
            values[name] = kind(values[name])
        return cls(**values)


@dataclass(frozen=True, slots=True, kw_only=True)
class Command(Message):
    """A numbered request of the host's. The board acts on each sequence number of a session once."""

    session: int
    """0, u32: the session of HELLO; a command of any other session is answered NO_SESSION and not acted on."""

    LAYOUT: ClassVar[struct.Struct] = struct.Struct("<I")


@dataclass(frozen=True, slots=True, kw_only=True)
class Hello(Message):
    """Host -> board: opens a session. Ends any earlier one and burns the exit token."""

    TYPE: ClassVar = MessageType.HELLO
    LAYOUT: ClassVar[struct.Struct] = struct.Struct("<BBI")

    lowest_version: int
    """0, u8."""
    highest_version: int
    """1, u8."""
    session: int
    """2, u32: drawn at random by the host, never 0."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Heartbeat(Message):
    """Host -> board, at least every watchdog_ms / 4. The only frame that feeds the board's watchdog."""

    TYPE: ClassVar = MessageType.HEARTBEAT
    LAYOUT: ClassVar[struct.Struct] = struct.Struct("<I")

    session: int
    """0, u32: of another session, it feeds nothing and is answered NO_SESSION."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EventAck(Message):
    """Host -> board: this event was taken over and need not be sent again."""

    TYPE: ClassVar = MessageType.EVENT_ACK
    LAYOUT: ClassVar[struct.Struct] = struct.Struct("<I")

    event_sequence: int
    """0, u32."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MoveEntry(Command):
    TYPE: ClassVar = MessageType.MOVE_ENTRY
    LAYOUT: ClassVar[struct.Struct] = struct.Struct("<IB")
    ENUMS: ClassVar = {"target": EntryTarget}

    target: EntryTarget
    """4, u8."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenExit(Command):
    TYPE: ClassVar = MessageType.OPEN_EXIT
    LAYOUT: ClassVar[struct.Struct] = struct.Struct("<II")

    token: int
    """4, u32: the board's current one-shot token, as last announced in SENSORS."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CloseExit(Command):
    TYPE: ClassVar = MessageType.CLOSE_EXIT


@dataclass(frozen=True, slots=True, kw_only=True)
class Lamp(Command):
    TYPE: ClassVar = MessageType.LAMP
    LAYOUT: ClassVar[struct.Struct] = struct.Struct("<IB")
    ENUMS: ClassVar = {"colour": WireLamp}

    colour: WireLamp
    """4, u8."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Buzzer(Command):
    TYPE: ClassVar = MessageType.BUZZER
    LAYOUT: ClassVar[struct.Struct] = struct.Struct("<IB")
    ENUMS: ClassVar = {"pattern": WireBuzzer}

    pattern: WireBuzzer
    """4, u8."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AckFault(Command):
    """Clears latched faults whose cause is gone; REFUSED_STATE while one persists."""

    TYPE: ClassVar = MessageType.ACK_FAULT


@dataclass(frozen=True, slots=True, kw_only=True)
class BeginEvacuation(Command):
    TYPE: ClassVar = MessageType.BEGIN_EVACUATION


@dataclass(frozen=True, slots=True, kw_only=True)
class EndEvacuation(Command):
    TYPE: ClassVar = MessageType.END_EVACUATION


@dataclass(frozen=True, slots=True, kw_only=True)
class HelloAck(Message):
    """Board -> host: who I am. Its frame carries the sequence of the HELLO it answers."""

    TYPE: ClassVar = MessageType.HELLO_ACK
    LAYOUT: ClassVar[struct.Struct] = struct.Struct("<BBBBIIIHBBB")

    version: int
    """0, u8: chosen protocol version; 0 when there is none in common, and then no session opens."""
    firmware_major: int
    """1, u8."""
    firmware_minor: int
    """2, u8."""
    firmware_patch: int
    """3, u8."""
    board_id: int
    """4, u32: fixed at the factory."""
    boot_id: int
    """8, u32: new at every boot."""
    session: int
    """12, u32: the HELLO's."""
    watchdog_ms: int
    """16, u16: silence of the host after which the board shuts the doors and holds."""
    beam_count: int
    """18, u8: 0 to 32."""
    first_inside_beam: int
    """19, u8: first beam past the entry door."""
    last_inside_beam: int
    """20, u8: last beam before the exit door, included."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sensors(Message):
    """Board -> host: everything at once; on every change and at least every 100 ms. Also the board's heartbeat.

    The frame's sequence counts SENSORS frames since boot and wraps.
    """

    TYPE: ClassVar = MessageType.SENSORS
    LAYOUT: ClassVar[struct.Struct] = struct.Struct("<IBBBBIBBIIB")
    ENUMS: ClassVar = {
        "entry": WirePosition,
        "exit": WirePosition,
        "doors": DoorFlag,
        "hazards": HazardFlag,
        "lamp": WireLamp,
    }

    uptime_ms: int
    """0, u32: since boot, wraps after 49 days."""
    entry: WirePosition
    """4, u8."""
    exit: WirePosition
    """5, u8."""
    doors: DoorFlag
    """6, u8: bit map; undefined bits must be 0."""
    hazards: HazardFlag
    """7, u8: bit map; undefined bits must be 0."""
    beams: int
    """8, u32: bit i is set while beam i is broken; beam 0 is the outermost before the entry."""
    beam_count: int
    """12, u8."""
    person_count: int
    """13, u8: people between the doors by the light curtain's pattern; 255 unknown."""
    exit_token: int
    """14, u32: what OPEN_EXIT must carry now; 0 when the exit may not be opened."""
    boot_id: int
    """18, u32."""
    lamp: WireLamp
    """22, u8: what the lamp shows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ack(Message):
    """Board -> host: the result of the command whose sequence its frame carries. Repeated for a repeated command."""

    TYPE: ClassVar = MessageType.ACK
    LAYOUT: ClassVar[struct.Struct] = struct.Struct("<IB")
    ENUMS: ClassVar = {"result": ResultCode}

    session: int
    """0, u32: the command's."""
    result: ResultCode
    """4, u8."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Event(Message):
    """Board -> host: something happened. Kept by the board and sent again until EVENT_ACK, oldest first."""

    TYPE: ClassVar = MessageType.EVENT
    LAYOUT: ClassVar[struct.Struct] = struct.Struct("<IIIBBI")
    ENUMS: ClassVar = {"code": EventCode, "door": WireDoor}

    event_sequence: int
    """0, u32: counts events since boot, from 1."""
    boot_id: int
    """4, u32: with event_sequence, the event's identity."""
    uptime_ms: int
    """8, u32: when it happened."""
    code: EventCode
    """12, u8."""
    door: WireDoor
    """13, u8."""
    detail: int
    """14, u32: the OpeningReason of DOOR_OPENED; how many were lost for EVENTS_LOST; else 0."""


MESSAGES: dict[int, type[Message]] = {
    kind.TYPE: kind
    for kind in (
        Hello,
        Heartbeat,
        EventAck,
        MoveEntry,
        OpenExit,
        CloseExit,
        Lamp,
        Buzzer,
        AckFault,
        BeginEvacuation,
        EndEvacuation,
        HelloAck,
        Sensors,
        Ack,
        Event,
    )
}
"""Message class by the type byte."""
