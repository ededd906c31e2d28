"""Twins of a radiation portal and of floor mats at a module's terminals, with faults."""

from __future__ import annotations

import random
from enum import StrEnum

from simulator.modbus_line import ModbusSlave

GAMMA, NEUTRON, FAULT, MAT = 0, 1, 2, 4
MASS = 1
ZERO, KG_PER_COUNT, LOW, HIGH = 6400, 0.02, 6000, 32_000
"""A 4 to 20 mA cell on a 15-bit input: 6,400 counts are nothing on it."""


class SensorFault(StrEnum):
    BROKEN_WIRE = "broken_wire"
    """Every contact that should be closed is open, and the loop carries no current."""
    OUT_OF_ORDER = "out_of_order"
    DRIFT = "drift"


class SensorTwins:
    """A portal whose contacts are closed while all is well, a mat whose contact closes, and a load cell."""

    def __init__(self, slave: ModbusSlave, *, seed: int = 1) -> None:
        self._slave = slave
        self._rng = random.Random(seed)
        self._faults: set[SensorFault] = set()
        self.is_gamma = self.is_neutron = False
        self.mass_kg = 0.0
        slave.on_step = lambda _dt_ms: self.show()
        self.show()

    def inject(self, fault: SensorFault) -> None:
        self._faults.add(fault)

    def heal(self, fault: SensorFault) -> None:
        self._faults.discard(fault)

    def show(self) -> None:
        is_broken = SensorFault.BROKEN_WIRE in self._faults
        inputs = self._slave.inputs
        inputs[GAMMA] = not self.is_gamma and not is_broken
        inputs[NEUTRON] = not self.is_neutron and not is_broken
        inputs[FAULT] = SensorFault.OUT_OF_ORDER not in self._faults and not is_broken
        inputs[MAT] = self.mass_kg > 5.0 and not is_broken
        drift = 40 if SensorFault.DRIFT in self._faults else 0
        counts = ZERO + drift + round(self.mass_kg / KG_PER_COUNT) + self._rng.randint(-3, 3)
        self._slave.registers[MASS] = 0 if is_broken else min(counts, 0xFFFF)
