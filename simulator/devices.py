"""Devices that the simulator adds to ``drivers.registry``."""

from collections.abc import Callable, Mapping
from typing import Any

DEVICES: Mapping[str, Callable[..., Any]] = {}
