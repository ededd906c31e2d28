"""Lane Link messages: what a gate computer and a lane controller board say to each other.

Byte offsets below are within the payload; the frame around it is in `codec`. All integers are little-endian and
unsigned. `docs/protocols/lane-link.md` is the same table in prose, `vectors.toml` holds test vectors.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, fields
from enum import IntEnum, IntFlag
from typing import Any, ClassVar, Self

from drivers.lane_io.codes import (
    DoorFlag,
    EntryTarget,
    EventCode,
    FailedFlag,
    HazardFlag,
    MessageType,
    OpeningReason,
    ResultCode,
    SelfTestState,
    WireBuzzer,
    WireDoor,
    WireDoorKind,
    WireLamp,
    WirePosition,
)

__all__ = [
    "MAX_PAYLOAD_BYTES",
    "MESSAGES",
    "NO_TOKEN",
    "NO_VERSION",
    "PROTOCOL_VERSION",
    "SPOKEN_VERSIONS",
    "UNKNOWN_COUNT",
    "UNKNOWN_TEMPERATURE",
    "Ack",
    "AckFault",
    "BeginEvacuation",
    "Buzzer",
    "CloseExit",
    "Command",
    "DoorFlag",
    "EndEvacuation",
    "EntryTarget",
    "Event",
    "EventAck",
    "EventCode",
    "FailedFlag",
    "HazardFlag",
    "Heartbeat",
    "Hello",
    "HelloAck",
    "Lamp",
    "Message",
    "MessageType",
    "MoveEntry",
    "OpenExit",
    "OpeningReason",
    "ResultCode",
    "SelfTest",
    "SelfTestState",
    "Sensors",
    "WireBuzzer",
    "WireDoor",
    "WireDoorKind",
    "WireLamp",
    "WirePosition",
    "common_version",
]

PROTOCOL_VERSION = 1
"""Of the frames in this module."""
SPOKEN_VERSIONS = range(1, 2)
NO_VERSION = 0
MAX_PAYLOAD_BYTES = 64
NO_TOKEN = 0
UNKNOWN_COUNT = 255
UNKNOWN_TEMPERATURE = -32_768


def common_version(lowest: int, highest: int, spoken: range = SPOKEN_VERSIONS) -> int:
    """The newest version that both sides speak, NO_VERSION if there is none."""
    return max((version for version in spoken if lowest <= version <= highest), default=NO_VERSION)


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """A payload with a fixed layout. Subclasses list their fields in wire order."""

    TYPE: ClassVar[MessageType]
    LAYOUT: ClassVar[struct.Struct] = struct.Struct("<")
    ENUMS: ClassVar[dict[str, type[IntEnum] | type[IntFlag]]] = {}

    def pack(self) -> bytes:
        """The payload's bytes. Raises struct.error if a value does not fit its field (a bug of the caller's)."""
        return self.LAYOUT.pack(*[getattr(self, name) for name in _plan(type(self))[0]])

    @classmethod
    def unpack(cls, payload: bytes) -> Self:
        """Raises ValueError when the length is wrong or an enumeration has no such value."""
        if len(payload) != cls.LAYOUT.size:
            raise ValueError(f"{cls.TYPE.name} has {len(payload)} bytes, not {cls.LAYOUT.size}")
        names, tables = _plan(cls)
        values: list[Any] = list(cls.LAYOUT.unpack(payload))
        for index, kind, members in tables:
            value = values[index]
            member = members.get(value)
            if member is None:
                member = members[value] = kind(value)
            values[index] = member
        return cls(**dict(zip(names, values, strict=True)))


_Table = tuple[int, type[IntEnum] | type[IntFlag], dict[int, IntEnum | IntFlag]]
_PLANS: dict[type[Message], tuple[tuple[str, ...], tuple[_Table, ...]]] = {}


def _plan(kind: type[Message]) -> tuple[tuple[str, ...], tuple[_Table, ...]]:
    """Fields in wire order, and where which enumeration stands with the members seen so far: calling one costs ten look-ups."""
    plan = _PLANS.get(kind)
    if plan is None:
        names = tuple(field.name for field in fields(kind))
        tables: tuple[_Table, ...] = tuple((names.index(name), enum, {}) for name, enum in kind.ENUMS.items())
        plan = _PLANS[kind] = (names, tables)
    return plan


@dataclass(frozen=True, slots=True, kw_only=True)
class Command(Message):
    """A numbered request of the host's. The board acts on each sequence number of a session once."""

    session: int
    """0, u32: the session of HELLO; a command of any other session is answered NO_SESSION and not acted on."""

    LAYOUT: ClassVar[struct.Struct] = struct.Struct("<I")


@dataclass(frozen=True, slots=True, kw_only=True)
class Hello(Message):
    """Host -> board: opens a session. Ends any earlier one and burns the exit token.

    HELLO and HELLO_ACK keep this layout, in frames of version 1, in every version to come: whoever meets, can greet.
    """

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
    LAYOUT: ClassVar[struct.Struct] = struct.Struct("<II")

    event_sequence: int
    """0, u32."""
    boot_id: int
    """4, u32: the event's. One of another boot is void, so that a late one forgets nothing."""


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
class SelfTest(Command):
    """Tests the safety devices anew; REFUSED_STATE unless the doors are shut and locked. SENSORS tell the outcome."""

    TYPE: ClassVar = MessageType.SELF_TEST


@dataclass(frozen=True, slots=True, kw_only=True)
class HelloAck(Message):
    """Board -> host: who I am. Its frame carries the sequence of the HELLO it answers."""

    TYPE: ClassVar = MessageType.HELLO_ACK
    ENUMS: ClassVar = {"entry_kind": WireDoorKind, "exit_kind": WireDoorKind}
    LAYOUT: ClassVar[struct.Struct] = struct.Struct("<BBBBIIIHBBBBBB")

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
    entry_kind: WireDoorKind
    """18, u8: NONE in a lane of one door."""
    exit_kind: WireDoorKind
    """19, u8."""
    beam_count: int
    """20, u8: 4 to 64."""
    first_inside_beam: int
    """21, u8: first beam past the entry door; at least 1."""
    last_inside_beam: int
    """22, u8: last beam before the exit door, included; at most beam_count - 2."""
    beam_pitch_mm: int
    """23, u8: from one beam to the next."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sensors(Message):
    """Board -> host: everything at once; on every change and at least every 100 ms. Also the board's heartbeat.

    The frame's sequence counts SENSORS frames since boot and wraps.
    """

    TYPE: ClassVar = MessageType.SENSORS
    LAYOUT: ClassVar[struct.Struct] = struct.Struct("<IBBBBQIBBIIBhBH")
    ENUMS: ClassVar = {
        "entry": WirePosition,
        "exit": WirePosition,
        "doors": DoorFlag,
        "hazards": HazardFlag,
        "lamp": WireLamp,
        "self_test": SelfTestState,
        "failed": FailedFlag,
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
    """8, u64: bit i is set while beam i is broken; beam 0 is the outermost before the entry."""
    beams_changed_ms: int
    """16, u32: the uptime at which `beams` became what it is."""
    beam_count: int
    """20, u8."""
    person_count: int
    """21, u8: people between the doors by the light curtain's pattern; 255 unknown."""
    exit_token: int
    """22, u32: what OPEN_EXIT must carry now; 0 when the exit may not be opened."""
    boot_id: int
    """26, u32."""
    lamp: WireLamp
    """30, u8: what the lamp shows."""
    temperature_tenths_celsius: int
    """31, i16: of the board; -32768 unknown."""
    self_test: SelfTestState
    """33, u8."""
    failed: FailedFlag
    """34, u16: bit map; undefined bits must be 0."""


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
    """14, u32: OpeningReason of DOOR_OPENED, how many of EVENTS_LOST, FailedFlag of SELF_TEST_FAILED; else 0."""


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
        SelfTest,
        HelloAck,
        Sensors,
        Ack,
        Event,
    )
}
"""Message class by the type byte."""
