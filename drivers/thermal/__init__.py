"""Skin thermometers: the temperature of whoever stands at the face camera."""

from drivers.thermal.interface import Box, TemperatureReading, Thermometer

__all__ = ["Box", "TemperatureReading", "Thermometer"]
