"""Travellers who asked for help at a kiosk, as the officers' screens of the same console see them."""

from dataclasses import dataclass

from nicegui import Event

from gate.core.clock import Clock


@dataclass(frozen=True, slots=True, kw_only=True)
class HelpCall:
    lane: str
    at_ms: int


class HelpDesk:
    """One open call a lane. A call stays until an officer has taken it. Use on one event loop only."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._calls: dict[str, HelpCall] = {}
        self.changed: Event[[]] = Event()

    @property
    def calls(self) -> tuple[HelpCall, ...]:
        """The open calls, oldest first."""
        return tuple(sorted(self._calls.values(), key=lambda call: (call.at_ms, call.lane)))

    def ask(self, lane: str) -> None:
        if lane not in self._calls:
            self._calls[lane] = HelpCall(lane=lane, at_ms=self._clock.utc_ms())
            self.changed.emit()

    def take(self, lane: str) -> None:
        """An officer goes."""
        if self._calls.pop(lane, None) is not None:
            self.changed.emit()
