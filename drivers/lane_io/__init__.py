"""The lane controller board: doors, light curtain, lamp, buzzer, emergency stop, fire input."""

from drivers.lane_io.driver import LaneLinkDriver
from drivers.lane_io.interface import (
    BoardEvent,
    BoardEventKind,
    BoardReport,
    BuzzerPattern,
    CommandResult,
    Door,
    DoorKind,
    DoorPosition,
    LampColour,
    LaneIo,
    LaneSensors,
    LinkLost,
    LinkUp,
    SafetyDevice,
    SelfTestState,
)

__all__ = [
    "BoardEvent",
    "BoardEventKind",
    "BoardReport",
    "BuzzerPattern",
    "CommandResult",
    "Door",
    "DoorKind",
    "DoorPosition",
    "LampColour",
    "LaneIo",
    "LaneLinkDriver",
    "LaneSensors",
    "LinkLost",
    "LinkUp",
    "SafetyDevice",
    "SelfTestState",
]
