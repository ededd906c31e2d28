"""What every lane controller board can do for a lane, whichever wire it hangs on.

The interface moves doors and reports sensors. It does not know who stands in the lane, and it does not decide
whether a door may open: the lane's guard does that before, and the board's own interlocks once more after.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal


class Door(StrEnum):
    ENTRY = "entry"
    EXIT = "exit"


class DoorPosition(StrEnum):
    CLOSED = "closed"
    OPENING = "opening"
    OPEN = "open"
    CLOSING = "closing"
    JAMMED = "jammed"
    FORCED = "forced"
    ABSENT = "absent"
    """There is no such door: a lane of one door has only the exit."""
    UNKNOWN = "unknown"


class DoorKind(StrEnum):
    SWING = "swing"
    FLAP = "flap"
    SLIDING = "sliding"
    TRIPOD = "tripod"
    NONE = "none"


class SelfTestState(StrEnum):
    """PENDING and RUNNING: the board has not finished testing its safety devices and offers no exit token."""

    PENDING = "pending"
    RUNNING = "running"
    PASSED = "passed"
    FAILED = "failed"


class SafetyDevice(StrEnum):
    """What the board tests, named as the lane names its devices."""

    CURTAIN = "light_curtain"
    ENTRY_LOCK = "entry_lock"
    EXIT_LOCK = "exit_lock"
    MEMORY = "board_memory"
    SUPPLY = "board_supply"
    TEMPERATURE = "board_temperature"


class LampColour(StrEnum):
    OFF = "off"
    BLUE = "blue"
    GREEN = "green"
    AMBER = "amber"
    RED = "red"


class BuzzerPattern(StrEnum):
    OFF = "off"
    SHORT = "short"
    DOUBLE = "double"
    ALARM = "alarm"


class CommandResult(StrEnum):
    """What became of a command. NO_ANSWER leaves open whether the board acted: look at the next sensors."""

    DONE = "done"
    REFUSED_TOKEN = "refused_token"
    REFUSED_INTERLOCK = "refused_interlock"
    REFUSED_STATE = "refused_state"
    NO_ANSWER = "no_answer"


class BoardEventKind(StrEnum):
    BOOTED = "booted"
    DOOR_OPENED = "door_opened"
    DOOR_FORCED = "door_forced"
    DOOR_JAMMED = "door_jammed"
    DOOR_OBSTRUCTED = "door_obstructed"
    PASSAGE_FORWARD = "passage_forward"
    PASSAGE_BACK = "passage_back"
    WATCHDOG_TRIPPED = "watchdog_tripped"
    ESTOP_PRESSED = "estop_pressed"
    ESTOP_RELEASED = "estop_released"
    FIRE_RAISED = "fire_raised"
    FIRE_CLEARED = "fire_cleared"
    POWER_FAILED = "power_failed"
    POWER_RESTORED = "power_restored"
    EVENTS_LOST = "events_lost"
    SELF_TEST_PASSED = "self_test_passed"
    SELF_TEST_FAILED = "self_test_failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class LaneSensors:
    """One full snapshot of the lane, never a difference."""

    received_ns: int
    """Host's monotonic clock."""
    sequence: int
    """The board's, 0 to 65535, wraps."""
    board_uptime_ms: int
    boot_id: int
    """Changes when the board restarts."""
    entry: DoorPosition
    exit: DoorPosition
    is_entry_locked: bool
    is_exit_locked: bool
    beams: int
    """Bit i is set while beam i is broken; beam 0 is the outermost before the entry."""
    beam_count: int
    person_count: int | None
    """People between the doors by the light curtain's pattern; None when the board cannot tell."""
    is_estop_pressed: bool
    is_fire: bool
    is_power_failed: bool
    is_watchdog_tripped: bool
    exit_token: int | None
    """What `open_exit` must carry now; None while the exit may not be opened."""
    is_evacuating: bool = False
    is_holding: bool = False
    """A latched fault keeps the doors from moving until `acknowledge_fault`."""
    lamp: LampColour = LampColour.OFF
    inside_mask: int = 0xFFFF_FFFF_FFFF_FFFF
    """The beams between the doors. All of them until the board has said which."""
    beams_changed_ms: int | None = None
    """The board's uptime at which `beams` became what it is; None when the board keeps no such time."""
    board_celsius: float | None = None
    self_test: SelfTestState = SelfTestState.PASSED
    """Boards that test nothing are taken as they are; their file in docs/protocols says so."""
    failed: frozenset[SafetyDevice] = frozenset()
    """Safety devices that do not work: nobody may be let in, and the board gives no exit token."""

    @property
    def is_inside_clear(self) -> bool:
        """No beam between the doors is broken: neither a person nor a thing."""
        return self.beams & self.inside_mask == 0


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkUp:
    """The board answers. Full sensors follow at once."""

    at_ns: int
    board_id: int
    boot_id: int
    firmware_version: str
    watchdog_ms: int
    beam_count: int
    entry_kind: DoorKind | None = None
    """NONE in a lane of one door; None when the board does not say."""
    exit_kind: DoorKind | None = None
    beam_pitch_mm: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkLost:
    """The board does not answer or is another one than before; nothing is known of the lane until `LinkUp`."""

    at_ns: int
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class BoardEvent:
    """Something that happened between two snapshots; delivered at least once, told apart by boot and sequence."""

    received_ns: int
    kind: BoardEventKind
    door: Door | None
    detail: str
    """Why a door opened (`command`, `token`, `fire`, ...), how many events were lost, what failed (`light_curtain,exit_lock`);
    else empty."""
    boot_id: int
    event_sequence: int
    board_uptime_ms: int


BoardReport = LaneSensors | LinkUp | LinkLost | BoardEvent


class LaneIo(ABC):
    """A lane controller board. All methods run in the event loop in which `start` was awaited.

    Commands are intents, not toggles: sending one twice is sending it once. They return when the board has accepted
    or refused the intent, not when the door has arrived; arrival shows in the sensors. None of them raises for
    anything the board or the line does.
    """

    @abstractmethod
    async def start(self, on_report: Callable[[BoardReport], None]) -> None:
        """Opens the device and begins reporting. Raises `DeviceError` if it cannot be opened."""

    @abstractmethod
    async def stop(self) -> None:
        """Ends reporting and frees the device. The board then shuts the doors by its own watchdog."""

    @abstractmethod
    async def move_entry(self, position: Literal[DoorPosition.OPEN, DoorPosition.CLOSED]) -> CommandResult: ...

    @abstractmethod
    async def open_exit(self, token: int) -> CommandResult:
        """Opens the exit once, with the token of the sensors on which the decision was taken."""

    @abstractmethod
    async def close_exit(self) -> CommandResult: ...

    @abstractmethod
    async def set_lamp(self, colour: LampColour) -> CommandResult: ...

    @abstractmethod
    async def sound_buzzer(self, pattern: BuzzerPattern) -> CommandResult: ...

    @abstractmethod
    async def acknowledge_fault(self) -> CommandResult:
        """Clears latched faults whose cause is gone; REFUSED_STATE while one persists."""

    @abstractmethod
    async def self_test(self) -> CommandResult:
        """Tests the safety devices anew, which takes some 50 ms; the outcome shows in `LaneSensors.failed`.

        REFUSED_STATE unless the doors are shut and locked, and from boards that cannot.
        """

    @abstractmethod
    async def set_evacuation(self, is_on: bool) -> CommandResult:
        """Opens both doors on an officer's order, or ends that."""
