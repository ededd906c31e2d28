"""Devices whose failure shuts the lane: the turnstile behind the exit, and a further emergency stop told by a contact."""

import asyncio
from collections.abc import Callable, Coroutine

import structlog

from drivers.relay import Passed, PassedUnasked, Turnstile, TurnstileEvent, TurnstileFault, TurnstileReady, Unused
from drivers.relay import TurnstileResult as Result
from drivers.sensors import StopContact, StopState
from gate.core import events as on
from gate.core.events import Event

_log = structlog.get_logger(__name__)

TURNSTILE = "turnstile"
STOP = "emergency_stop_2"
FIRST_WORD_S = 3.0
"""Who has not been heard of by then is out of order. A module that does not answer is known as such after half a second."""


class Barrier:
    """The turnstile. It is let go once for each release that the guard spent, and never otherwise.

    Somebody who passes unasked, a contact that sticks and a module that is silent shut the lane until an officer has seen to it: who is
    let out of the exit then would stand before a dead turnstile, or somebody walks in the other way.
    """

    def __init__(
        self,
        turnstile: Turnstile,
        *,
        post: Callable[[Event], None],
        spawn: Callable[[Coroutine[None, None, None]], None],
        journal: Callable[[str, dict[str, str]], None],
    ) -> None:
        self._turnstile = turnstile
        self._post = post
        self._spawn = spawn
        self._journal = journal
        self._is_ready = False
        self._waiting: asyncio.TimerHandle | None = None

    async def start(self) -> None:
        """DeviceError when its line cannot be opened."""
        await self._turnstile.start(self._receive)
        self._waiting = asyncio.get_running_loop().call_later(FIRST_WORD_S, self._unheard)

    async def stop(self) -> None:
        if self._waiting is not None:
            self._waiting.cancel()
        await self._turnstile.stop()

    def released(self, release_id: str) -> None:
        """A release was spent: let one person through."""
        self._spawn(self._open(release_id))

    async def _open(self, release_id: str) -> None:
        result = await self._turnstile.open_once(release_id)
        self._journal("turnstile", {"opening": release_id, "result": result.value})
        if result is not Result.DONE:
            _log.error("turnstile_refused", result=result.value)
            self._fail(f"did not open: {result.value}")
            if self._is_ready:
                self._post(
                    on.DeviceRecovered(device=TURNSTILE)
                )  # it stands; that one opening is what an officer sees to

    def _receive(self, event: TurnstileEvent) -> None:
        match event:
            case TurnstileReady():
                self._is_ready = True
                self._post(on.DeviceRecovered(device=TURNSTILE))
            case TurnstileFault():
                self._is_ready = False
                self._fail(event.reason)
            case PassedUnasked():
                self._fail(f"{event.count} passed unasked")
                self._post(on.DeviceRecovered(device=TURNSTILE))  # the fault latches; what failed was no device
            case Passed() | Unused():
                self._journal("turnstile", {"opening": event.opening, "result": type(event).__name__.lower()})

    def _unheard(self) -> None:
        if not self._is_ready:
            self._fail("does not answer")

    def _fail(self, reason: str) -> None:
        self._post(on.DeviceFailed(device=TURNSTILE, reason=reason))


class FurtherStop:
    """The contact of a further emergency stop. Pressed, or not known, is a fault that latches."""

    def __init__(self, contact: StopContact, *, post: Callable[[Event], None]) -> None:
        self._contact = contact
        self._post = post
        self._is_heard = False
        self._waiting: asyncio.TimerHandle | None = None

    async def start(self) -> None:
        """DeviceError when its line cannot be opened."""
        await self._contact.start(self._receive)
        self._waiting = asyncio.get_running_loop().call_later(FIRST_WORD_S, self._unheard)

    async def stop(self) -> None:
        if self._waiting is not None:
            self._waiting.cancel()
        await self._contact.stop()

    def _receive(self, state: StopState) -> None:
        self._is_heard = True
        if state.is_pressed is False:
            self._post(on.DeviceRecovered(device=STOP))
        else:
            reason = "pressed" if state.is_pressed else f"not known: {state.reason}"
            self._post(on.DeviceFailed(device=STOP, reason=reason))

    def _unheard(self) -> None:
        if not self._is_heard:
            self._post(on.DeviceFailed(device=STOP, reason="does not answer"))
