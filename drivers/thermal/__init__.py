"""Skin thermometers: the temperature of whoever stands at the face camera."""

from drivers.thermal.interface import TemperatureReading, Thermometer

__all__ = ["TemperatureReading", "Thermometer"]
