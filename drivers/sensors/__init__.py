"""Optional witnesses of a lane, on contacts and numbers of an I/O module: radiation portal, occupancy mat, weighing mat."""

from drivers.sensors.interface import FloorMat, MatReading, RadiationAlarm, RadiationPortal, RadiationReading
from drivers.sensors.stop import StopContact, StopState

__all__ = [
    "FloorMat",
    "MatReading",
    "RadiationAlarm",
    "RadiationPortal",
    "RadiationReading",
    "StopContact",
    "StopState",
]
