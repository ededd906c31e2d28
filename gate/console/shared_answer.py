"""One question for many screens: those who may see the same share the answer, and nobody gets one that is older than their question.

Each officer's own token is still shown to the hub at least every :data:`OWN_WORD_S`, so that a session that was ended elsewhere ends
here too. Not for anything that the hub writes down who looked at (a case, a picture): that is each officer's own question.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from gate.console.hub_client import Refusal
from gate.core.clock import Clock

OWN_WORD_S = 5.0
MIN_INTERVAL_S = 0.15

Answer = TypeVar("Answer")


@dataclass(slots=True)
class _Line(Generic[Answer]):
    """The askers of one set of rights who wait for the next answer."""

    waiting: list[tuple[str, asyncio.Future[Answer]]] = field(default_factory=list)
    worker: asyncio.Task[None] | None = None


class SharedAnswer(Generic[Answer]):
    """Asks ``ask(token)`` once for all who wait. Use on one event loop only."""

    def __init__(self, ask: Callable[[str], Awaitable[Answer]], clock: Clock) -> None:
        self._ask = ask
        self._clock = clock
        self._lines: dict[frozenset[str], _Line[Answer]] = {}
        self._own_word_ns: dict[str, int] = {}

    async def get(self, token: str, rights: frozenset[str]) -> Answer:
        """The answer to a question that goes out after this call, asked by somebody with the same ``rights``."""
        line = self._lines.setdefault(rights, _Line())
        future: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        line.waiting.append((token, future))
        if line.worker is None or line.worker.done():
            line.worker = asyncio.get_running_loop().create_task(self._serve(line), name="shared answer")
        return await future

    async def _serve(self, line: _Line[Answer]) -> None:
        while line.waiting:
            asked, line.waiting = line.waiting, []
            await self._serve_these(asked)
            await asyncio.sleep(MIN_INTERVAL_S)

    async def _serve_these(self, asked: list[tuple[str, asyncio.Future[Answer]]]) -> None:
        """Ask with the token that was shown longest ago; whom the hub refuses gets that, and the others ask on."""
        while asked:
            token = min((token for token, _ in asked), key=lambda item: self._own_word_ns.get(item, -1))
            try:
                answer = await self._ask(token)
            except Exception as error:  # noqa: BLE001  handed on to everybody who asked
                for _, future in asked:
                    if not future.done():
                        future.set_exception(error)
                return
            is_refused = isinstance(answer, Refusal)
            if is_refused:
                self._own_word_ns.pop(token, None)
            else:
                self._note(token)
            rest = []
            for other, future in asked:
                if future.done():
                    continue
                if other == token or (not is_refused and self._is_known(other)):
                    future.set_result(answer)
                else:
                    rest.append((other, future))
            asked = rest

    def _note(self, token: str) -> None:
        now_ns = self._clock.monotonic_ns()
        limit_ns = int(OWN_WORD_S * 1e9)
        self._own_word_ns = {key: at for key, at in self._own_word_ns.items() if now_ns - at <= limit_ns}
        self._own_word_ns[token] = now_ns

    def _is_known(self, token: str) -> bool:
        at_ns = self._own_word_ns.get(token)
        return at_ns is not None and self._clock.monotonic_ns() - at_ns <= int(OWN_WORD_S * 1e9)
