"""Optional witnesses of a lane, on contacts and numbers of an I/O module: radiation portal, occupancy mat, weighing mat."""

from drivers.sensors.interface import FloorMat, MatReading, RadiationAlarm, RadiationPortal, RadiationReading

__all__ = ["FloorMat", "MatReading", "RadiationAlarm", "RadiationPortal", "RadiationReading"]
