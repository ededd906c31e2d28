"""An event loop whose time passes only when nothing is left to do: hours of a lane in seconds, and the same every time.

It is asyncio's interface over a queue and a heap: no files, no signals, no threads, one context for all, so that a turn of it costs
a tenth of what asyncio's own costs. Tasks, futures, queues, locks and time-outs are asyncio's.
"""

import asyncio
from asyncio import events
from collections import deque
from collections.abc import Awaitable, Callable
from heapq import heappop, heappush
from typing import Any, TypeVar

from gate.core.clock import Clock

_START_S = 1_000.0
Result = TypeVar("Result")
Callback = Callable[..., Any]


class _Call(list[Any]):
    """What was asked for and what it is given, empty when it is wanted no longer: a list, since nothing is made faster."""

    __slots__ = ()

    def cancel(self) -> None:
        self.clear()


class TimeLoop(asyncio.BaseEventLoop):
    """One thread, no files, no threads: what would run in an executor runs at once.

    Raises RuntimeError when every task waits for something that can never come.
    """

    _is_running = False
    _is_closed = False

    def __init__(self) -> None:
        super().__init__()
        self._now_s = _START_S
        self._ready: deque[_Call] = deque()
        self._later: list[tuple[float, int, _Call]] = []
        self._number = 0
        self._on_exception: Callable[[asyncio.AbstractEventLoop, dict[str, Any]], object] | None = None

    # -- asyncio.BaseEventLoop, as far as it is used ---------------------------------------------------------------

    def time(self) -> float:
        return self._now_s

    def call_soon(self, callback: Callback, *args: Any, context: Any = None) -> _Call:  # type: ignore[override]  # noqa: ARG002
        call = _Call((callback, args))
        self._ready.append(call)
        return call

    call_soon_threadsafe = call_soon  # type: ignore[assignment]

    def call_at(self, when: float, callback: Callback, *args: Any, context: Any = None) -> _Call:  # type: ignore[override]  # noqa: ARG002
        call = _Call((callback, args))
        self._number += 1
        heappush(self._later, (when, self._number, call))
        return call

    def call_later(self, delay: float, callback: Callback, *args: Any, context: Any = None) -> _Call:  # type: ignore[override]  # noqa: ARG002
        when_s = self._now_s + delay
        call = _Call((callback, args))
        self._number += 1
        heappush(self._later, (when_s, self._number, call))
        return call

    def run_in_executor(  # type: ignore[override]
        self, _executor: Any, func: Callable[..., Any], *args: Any
    ) -> "asyncio.Future[Any]":
        future = self.create_future()
        try:
            future.set_result(func(*args))
        except Exception as error:  # noqa: BLE001  a thread's error belongs to whoever awaits it
            future.set_exception(error)
        return future

    def create_future(self) -> "asyncio.Future[Any]":
        return asyncio.Future(loop=self)

    def create_task(self, coro: Any, *, name: object = None, context: Any = None) -> "asyncio.Task[Any]":  # noqa: ARG002
        return asyncio.Task(coro, loop=self, name=None if name is None else str(name))

    def run_until_complete(self, future: Awaitable[Result]) -> Result:  # type: ignore[override]
        """Run until it is done, and give its result or raise what it raised."""
        if self._is_closed or self._is_running:
            raise RuntimeError("this loop is closed, or runs already")
        task = asyncio.ensure_future(future, loop=self)
        self._is_running = True
        events._set_running_loop(self)
        try:
            self._run(task)
        finally:
            events._set_running_loop(None)
            self._is_running = False
        return task.result()

    def _run(self, task: "asyncio.Future[Any]") -> None:
        ready, later = self._ready, self._later
        while not task.done():
            while ready:
                call = ready.popleft()
                if call:
                    act, given = call
                    act(*given)
            if task.done():
                return
            if not later:
                raise RuntimeError("nothing is left that could ever happen: a task waits for what nobody will send")
            at_s, _, call = heappop(later)
            if call:
                self._now_s = max(self._now_s, at_s)
                act, given = call
                act(*given)

    def is_running(self) -> bool:
        return self._is_running

    def is_closed(self) -> bool:
        return self._is_closed

    def close(self) -> None:
        self._is_closed = True
        self._ready.clear()
        self._later.clear()

    def get_debug(self) -> bool:
        return False

    async def shutdown_asyncgens(self) -> None: ...

    async def shutdown_default_executor(self) -> None: ...

    def call_exception_handler(self, context: dict[str, Any]) -> None:
        """A task's error that nobody took is an error of whoever runs the loop."""
        if self._on_exception is not None:
            self._on_exception(self, context)
            return
        error = context.get("exception")
        if error is not None:
            raise error

    def set_exception_handler(self, handler: Any) -> None:
        self._on_exception = handler


class LoopClock(Clock):
    """The lane's clocks on such a loop. The wall clock can be set, as an operator or NTP would; the monotonic one cannot."""

    def __init__(self, loop: TimeLoop, *, utc_ms: int = 1_767_225_600_000) -> None:
        self._loop = loop
        self._ahead_ms = utc_ms - int(loop.time() * 1000)

    def monotonic_ns(self) -> int:
        return round(self._loop._now_s * 1e9)

    def utc_ms(self) -> int:
        return round(self._loop._now_s * 1000) + self._ahead_ms

    def set_ahead(self, difference_ms: int) -> None:
        """Jump by ``difference_ms``, either way."""
        self._ahead_ms += difference_ms
