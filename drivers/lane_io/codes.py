"""The numbers of Lane Link: what each code on the wire means. `protocol` says where they stand."""

from __future__ import annotations

from enum import STRICT, IntEnum, IntFlag


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
    SELF_TEST = 0x18
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
    ABSENT = 5
    """There is no such door: a lane of one door has only the exit."""


class WireDoorKind(IntEnum):
    NONE = 0
    SWING = 1
    FLAP = 2
    SLIDING = 3
    TRIPOD = 4
    """Lets one person through for each opening and then locks by itself."""


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
    SELF_TEST_PASSED = 16
    SELF_TEST_FAILED = 17


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


class SelfTestState(IntEnum):
    PENDING = 0
    """Begins as soon as the doors are shut and locked; no exit token until it has passed."""
    RUNNING = 1
    PASSED = 2
    FAILED = 3


class FailedFlag(IntFlag, boundary=STRICT):
    """Safety devices that the self-test, or the watch that the board keeps between tests, found wrong."""

    CURTAIN = 0x01
    """A receiver saw light while the emitters were off: it would not see a person."""
    ENTRY_LOCK = 0x02
    EXIT_LOCK = 0x04
    """The lock's contact says something else than its drive."""
    MEMORY = 0x08
    SUPPLY = 0x10
    TEMPERATURE = 0x20
