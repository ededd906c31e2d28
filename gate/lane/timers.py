"""The two timers of a lane: one for the state it is in, one for the stay of whoever is inside."""

import asyncio
from collections.abc import Callable

from gate.core import effects as do
from gate.core import events as on
from gate.core.events import Event


class Timers:
    """Expiry is an event handed to ``post``. ``is_surely_empty`` says whether nobody at all can be inside at that moment."""

    def __init__(self, *, post: Callable[[Event], None], is_surely_empty: Callable[[], bool]) -> None:
        self._post = post
        self._is_surely_empty = is_surely_empty
        self._state: asyncio.TimerHandle | None = None
        self._inside: asyncio.TimerHandle | None = None

    def start_state(self, effect: do.StartStateTimer) -> None:
        """Replaces the timer of the state before."""
        if self._state is not None:
            self._state.cancel()
        event = on.StateTimedOut(generation=effect.generation)
        self._state = asyncio.get_running_loop().call_later(effect.duration_ms / 1000, self._post, event)

    def start_inside(self, duration_ms: int) -> None:
        """Starts the limit of the stay, unless it runs already."""
        if self._inside is None:
            self._inside = asyncio.get_running_loop().call_later(duration_ms / 1000, self._inside_over, duration_ms)

    def cancel_inside(self) -> None:
        if self._inside is not None:
            self._inside.cancel()
            self._inside = None

    def cancel(self) -> None:
        """Both, at the end of the lane."""
        self.cancel_inside()
        if self._state is not None:
            self._state.cancel()

    def _inside_over(self, duration_ms: int) -> None:
        """The limit means something only while somebody may be inside, so an empty lane starts it afresh."""
        self._inside = None
        if self._is_surely_empty():
            self.start_inside(duration_ms)
        else:
            self._post(on.InsideLimitReached())
