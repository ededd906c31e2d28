"""Tongguan (通关): what makes a gate a gate."""

__version__ = "0.1.0"
