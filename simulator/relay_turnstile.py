"""A turnstile with a relay and a passage contact at a module's terminals: released for a while after a pulse, or until somebody passes."""

from __future__ import annotations

from enum import StrEnum

from simulator.modbus_line import ModbusSlave

RELAY, PASSAGE, COUNTER = 0, 3, 0
_CONTACT_MS = 120.0


class TurnstileTwinFault(StrEnum):
    STUCK_CONTACT = "stuck_contact"
    DEAD_CONTACT = "dead_contact"
    JAM_ON_NEXT_MOVE = "jam_on_next_move"
    """The release does not let go."""


class TurnstileTwin:
    """Hangs on a slave and lives by its `step`. `passed` counts who really went through."""

    def __init__(self, slave: ModbusSlave, *, open_ms: float = 600.0) -> None:
        self.slave = slave
        self.passed = 0
        self.openings = 0
        self._open_ms = open_ms
        self._released_ms = 0.0
        self._contact_ms = 0.0
        self._faults: set[TurnstileTwinFault] = set()
        slave.on_coil = self._on_coil
        slave.on_step = self._step

    def inject(self, fault: TurnstileTwinFault) -> None:
        self._faults.add(fault)

    def heal(self, fault: TurnstileTwinFault) -> None:
        self._faults.discard(fault)

    @property
    def is_released(self) -> bool:
        return self._released_ms > 0.0

    def push(self) -> bool:
        """Somebody pushes; says whether they got through. One release lets one through: that is its build."""
        if not self.is_released:
            return False
        self._released_ms = 0.0
        self.force()
        return True

    def force(self) -> None:
        """Somebody goes through all the same."""
        self.passed += 1
        if TurnstileTwinFault.DEAD_CONTACT not in self._faults:
            self._contact_ms = _CONTACT_MS
            self.slave.inputs[PASSAGE] = True
            if self.slave.registers:
                self.slave.registers[COUNTER] = (self.slave.registers[COUNTER] + 1) & 0xFFFF

    def _on_coil(self, address: int, is_on: bool) -> None:
        if address == RELAY and is_on and TurnstileTwinFault.JAM_ON_NEXT_MOVE not in self._faults:
            self.openings += 1
            self._released_ms = self._open_ms

    def _step(self, dt_ms: float) -> None:
        self._released_ms = max(0.0, self._released_ms - dt_ms)
        self._contact_ms = max(0.0, self._contact_ms - dt_ms)
        self.slave.inputs[PASSAGE] = self._contact_ms > 0.0 or TurnstileTwinFault.STUCK_CONTACT in self._faults
