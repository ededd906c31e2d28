"""`Turnstile` on an I/O module: one relay, one contact, perhaps the module's counter of that contact."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from drivers.modbus_io.driver import module_at
from drivers.modbus_io.interface import IoImage, IoLost, IoModule, IoReport, IoRestarted, IoResult
from drivers.modbus_io.wiring import Contact, parse_contact
from drivers.relay.interface import (
    Passed,
    PassedUnasked,
    Turnstile,
    TurnstileEvent,
    TurnstileFault,
    TurnstileReady,
    TurnstileResult,
    Unused,
)

_NS_PER_MS = 1_000_000
_COUNTER = 0x1_0000


@dataclass(slots=True, kw_only=True)
class _Opening:
    name: str
    ends_ns: int


class RelayTurnstile(Turnstile):
    """The device kind `relay_turnstile`.

    `open_ms` is how long the turnstile itself stays released after the pulse, `stuck_ms` how long a passage may hold the contact. A contact
    that makes and breaks between two polls is not seen: give `counter` (an input register that counts it) where the module has one, or
    poll faster than a passage is short.
    """

    def __init__(
        self,
        module: IoModule,
        *,
        relay: int,
        passage: Contact,
        counter: int | None = None,
        pulse_ms: int = 200,
        open_ms: int = 5_000,
        stuck_ms: int = 3_000,
    ) -> None:
        self._module = module
        self._relay = relay
        self._passage = passage
        self._counter = counter
        self._pulse_ms = pulse_ms
        self._open_ns = (open_ms + pulse_ms) * _NS_PER_MS
        self._stuck_ns = stuck_ms * _NS_PER_MS
        self._on_event: Callable[[TurnstileEvent], None] | None = None
        self._before: IoImage | None = None
        self._opening: _Opening | None = None
        self._made_since_ns: int | None = None
        self._is_ready = False

    async def start(self, on_event: Callable[[TurnstileEvent], None]) -> None:
        self._on_event = on_event
        try:
            await self._module.start(self._receive)
        except BaseException:
            self._on_event = None
            raise

    async def stop(self) -> None:
        self._on_event = None
        await self._module.stop()
        self._before = self._opening = None
        self._is_ready = False

    async def open_once(self, opening: str) -> TurnstileResult:
        given = self._opening
        if given is not None:
            return TurnstileResult.DONE if given.name == opening else TurnstileResult.BUSY
        image = self._module.image
        if image is None:
            return TurnstileResult.NO_ANSWER
        if not self._is_ready:
            return TurnstileResult.REFUSED
        # Before the relay: whoever passes while the answer is on its way passes on this opening.
        self._opening = _Opening(name=opening, ends_ns=image.asked_ns + self._open_ns)
        result = await self._module.write(
            {self._relay: True}, check=lambda now: not self._passage.read(now.inputs), pulse_ms=self._pulse_ms
        )
        if result is IoResult.REFUSED:
            self._opening = None
            return TurnstileResult.REFUSED
        last = self._module.image
        if self._opening is not None and last is not None:
            self._opening.ends_ns = max(self._opening.ends_ns, last.asked_ns + self._open_ns)
        return TurnstileResult.DONE if result is IoResult.DONE else TurnstileResult.NO_ANSWER

    def _receive(self, report: IoReport) -> None:
        if isinstance(report, IoLost | IoRestarted):
            self._fail(report.at_ns, report.reason)
            return
        count = self._passages(report)
        self._watch_contact(report)
        if count:
            self._count(report.asked_ns, count)
        elif self._opening is not None and report.asked_ns > self._opening.ends_ns:
            name, self._opening = self._opening.name, None
            self._tell(Unused(at_ns=report.asked_ns, opening=name))
        self._before = report

    def _passages(self, image: IoImage) -> int:
        """How often the contact has been made since the last image."""
        before = self._before
        if before is None:
            return 0
        if self._counter is not None:
            return (image.registers[self._counter] - before.registers[self._counter]) % _COUNTER
        return int(self._passage.read(image.inputs) and not self._passage.read(before.inputs))

    def _watch_contact(self, image: IoImage) -> None:
        if not self._passage.read(image.inputs):
            self._made_since_ns = None
            if not self._is_ready:
                self._is_ready = True
                self._tell(TurnstileReady(at_ns=image.asked_ns))
            return
        self._made_since_ns = image.asked_ns if self._made_since_ns is None else self._made_since_ns
        if self._is_ready and image.asked_ns - self._made_since_ns > self._stuck_ns:
            self._fail(image.asked_ns, "the passage contact does not come back")
            self._before = image

    def _count(self, at_ns: int, count: int) -> None:
        if self._opening is not None:
            name, self._opening = self._opening.name, None
            self._tell(Passed(at_ns=at_ns, opening=name))
            count -= 1
        if count:
            self._tell(PassedUnasked(at_ns=at_ns, count=count))

    def _fail(self, at_ns: int, reason: str) -> None:
        self._before = self._opening = self._made_since_ns = None
        if self._is_ready:
            self._is_ready = False
            self._tell(TurnstileFault(at_ns=at_ns, reason=reason))

    def _tell(self, event: TurnstileEvent) -> None:
        if self._on_event is not None:
            self._on_event(event)


def relay_turnstile(
    port: str,
    *,
    unit: int,
    relay: int,
    passage: int | str,
    counter: int | None = None,
    pulse_ms: int = 200,
    open_ms: int = 5_000,
    stuck_ms: int = 3_000,
    **line: Any,
) -> RelayTurnstile:
    """A turnstile on a module of its own. `line` as in `module_at`."""
    contact = parse_contact("passage", passage)
    module = module_at(
        port,
        unit=unit,
        input_count=contact.number + 1,
        output_count=relay + 1,
        register_count=0 if counter is None else counter + 1,
        **line,
    )
    return RelayTurnstile(
        module,
        relay=relay,
        passage=contact,
        counter=counter,
        pulse_ms=pulse_ms,
        open_ms=open_ms,
        stuck_ms=stuck_ms,
    )
