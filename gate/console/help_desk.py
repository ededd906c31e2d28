"""Travellers who call an officer at a kiosk, as every officers' screen of the port sees them.

Several consoles may run: what one of them hears is told to the others through the broker, retained, so that a console that starts
later knows it too. Not responsible for: who goes (any officer), what the call is about (nobody asks).
"""

from collections.abc import Callable
from dataclasses import dataclass

from nicegui import Event

from gate.core.clock import Clock
from gate.wire.messages import HelpAsked, utc

Tell = Callable[[str, HelpAsked | None], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class HelpCall:
    """``at_ms`` since 1970."""

    lane: str
    at_ms: int


class HelpDesk:
    """One call a lane. A call stays until an officer has taken it, and the kiosk's word that one comes until the traveller is done.

    Use on one event loop only. ``tell`` says a lane's call (or None) to the other consoles.
    """

    def __init__(self, clock: Clock, tell: Tell = lambda _lane, _call: None) -> None:
        self._clock = clock
        self._tell = tell
        self._calls: dict[str, HelpAsked] = {}
        self.changed: Event[[]] = Event()

    @property
    def calls(self) -> tuple[HelpCall, ...]:
        """The calls that nobody has taken, oldest first."""
        waiting = [HelpCall(lane=lane, at_ms=_ms(call)) for lane, call in self._calls.items() if not call.is_taken]
        return tuple(sorted(waiting, key=lambda call: (call.at_ms, call.lane)))

    def is_taken(self, lane: str) -> bool:
        """Whether an officer is on the way to that lane's kiosk."""
        call = self._calls.get(lane)
        return call is not None and call.is_taken

    def ask(self, lane: str) -> None:
        """Somebody presses the button; pressing it again changes nothing until an officer was there."""
        if lane not in self._calls:
            self._put(lane, HelpAsked(at=utc(self._clock.utc_ms())))

    def take(self, lane: str) -> None:
        """An officer goes."""
        call = self._calls.get(lane)
        if call is not None and not call.is_taken:
            self._put(lane, call.model_copy(update={"is_taken": True}))

    def done(self, lane: str) -> None:
        """The traveller whom an officer came to has gone. A call that nobody took stays."""
        if self.is_taken(lane):
            del self._calls[lane]
            self._tell(lane, None)
            self.changed.emit()

    def hear(self, lane: str, call: HelpAsked | None) -> None:
        """Another console's word (or our own, come back). Of one call the later word counts, of two the later call."""
        held = self._calls.get(lane)
        if call is None:
            # A call that nobody took is never ended by others; it may have been made while theirs was on its way.
            if held is not None and held.is_taken:
                del self._calls[lane]
                self.changed.emit()
            return
        if held is None or call.at > held.at or (call.at == held.at and call.is_taken and not held.is_taken):
            self._calls[lane] = call
            self.changed.emit()

    def repeat(self) -> None:
        """Say all calls again: the broker may have lost what it kept."""
        for lane, call in self._calls.items():
            self._tell(lane, call)

    def _put(self, lane: str, call: HelpAsked) -> None:
        self._calls[lane] = call
        self._tell(lane, call)
        self.changed.emit()


def _ms(call: HelpAsked) -> int:
    return int(call.at.timestamp() * 1000)
