"""An event loop whose time passes only when nothing is left to do: hours of a lane in seconds, and the same every time."""

import asyncio
import selectors
from collections.abc import Callable
from typing import Any

from gate.core.clock import Clock

_START_S = 1_000.0


class _NoWaiting(selectors.BaseSelector):
    """Waits for nothing: what it is asked to wait is added to the loop's time instead."""

    def __init__(self) -> None:
        self.now_s = _START_S
        self._keys: dict[Any, selectors.SelectorKey] = {}

    def register(self, fileobj: Any, events: int, data: Any = None) -> selectors.SelectorKey:
        key = selectors.SelectorKey(fileobj, fileobj if isinstance(fileobj, int) else fileobj.fileno(), events, data)
        self._keys[fileobj] = key
        return key

    def unregister(self, fileobj: Any) -> selectors.SelectorKey:
        return self._keys.pop(fileobj)

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is None:
            raise RuntimeError("nothing is left that could ever happen: a task waits for what nobody will send")
        self.now_s += max(0.0, timeout)
        return []

    def get_map(self) -> dict[Any, selectors.SelectorKey]:
        return self._keys


class TimeLoop(asyncio.SelectorEventLoop):
    """One thread, no files, no threads: what would run in an executor runs at once.

    Raises RuntimeError when every task waits for something that can never come.
    """

    def __init__(self) -> None:
        self._waiting = _NoWaiting()
        super().__init__(self._waiting)

    def time(self) -> float:
        return self._waiting.now_s

    def call_soon_threadsafe(  # type: ignore[override]
        self, callback: Callable[..., Any], *args: Any, context: Any = None
    ) -> asyncio.Handle:
        return self.call_soon(callback, *args, context=context)

    def run_in_executor(  # type: ignore[override]
        self, _executor: Any, func: Callable[..., Any], *args: Any
    ) -> "asyncio.Future[Any]":
        future = self.create_future()
        try:
            future.set_result(func(*args))
        except Exception as error:  # noqa: BLE001  a thread's error belongs to whoever awaits it
            future.set_exception(error)
        return future


class LoopClock(Clock):
    """The lane's clocks on such a loop. The wall clock can be set, as an operator or NTP would; the monotonic one cannot."""

    def __init__(self, loop: TimeLoop, *, utc_ms: int = 1_767_225_600_000) -> None:
        self._loop = loop
        self._ahead_ms = utc_ms - int(loop.time() * 1000)

    def monotonic_ns(self) -> int:
        return round(self._loop.time() * 1e9)

    def utc_ms(self) -> int:
        return round(self._loop.time() * 1000) + self._ahead_ms

    def set_ahead(self, difference_ms: int) -> None:
        """Jump by ``difference_ms``, either way."""
        self._ahead_ms += difference_ms
