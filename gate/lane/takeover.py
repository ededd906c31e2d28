"""Taking over a board that held its doors only because nobody spoke to it before this process did."""

from collections.abc import Callable

from drivers.lane_io.interface import LaneSensors
from gate.lane.sensing import is_held_by_silence_only

TAKEOVER_NS = 1_000_000_000


class Takeover:
    """Such a hold is no fault: it is acknowledged once, at the first report, and until it is gone (bounded) nothing is believed.

    A hold with any other visible cause is left for an officer.
    """

    def __init__(self, acknowledge: Callable[[], None]) -> None:
        self._acknowledge = acknowledge
        self._until_ns: int | None = None
        self._is_going_on = False

    def is_going_on(self, sensors: LaneSensors) -> bool:
        """Whether this report still belongs to the taking over. To be asked with every report, in order."""
        if self._until_ns is None:
            self._until_ns = sensors.received_ns + TAKEOVER_NS
            self._is_going_on = is_held_by_silence_only(sensors)
            if self._is_going_on:
                self._acknowledge()
        if not sensors.is_watchdog_tripped or sensors.received_ns >= self._until_ns:
            self._is_going_on = False
        return self._is_going_on
