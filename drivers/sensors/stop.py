"""A further emergency stop button, told by a contact. It tells; what stops the doors is the button's own wiring (ISO 13850, 4.1.1)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from drivers.modbus_io.interface import IoImage, IoModule, IoReport
from drivers.modbus_io.wiring import Contact


@dataclass(frozen=True, slots=True, kw_only=True)
class StopState:
    """What is known of the button. ``is_pressed`` None: nothing, since the module does not answer."""

    is_pressed: bool | None
    reason: str = ""


class StopContact:
    """Tells each change, the first reading included. Use a contact that opens when pressed: a broken wire then reads as pressed."""

    def __init__(self, module: IoModule, *, contact: Contact) -> None:
        self._module = module
        self._contact = contact
        self._on_change: Callable[[StopState], None] | None = None
        self._last: StopState | None = None

    async def start(self, on_change: Callable[[StopState], None]) -> None:
        """Raises `DeviceError` if its line cannot be opened."""
        self._on_change = on_change
        self._last = None
        try:
            await self._module.start(self._receive)
        except BaseException:
            self._on_change = None
            raise

    async def stop(self) -> None:
        self._on_change = None
        await self._module.stop()

    def _receive(self, report: IoReport) -> None:
        if isinstance(report, IoImage):
            state = StopState(is_pressed=self._contact.read(report.inputs))
        else:
            state = StopState(is_pressed=None, reason=report.reason)
        if self._on_change is not None and (self._last is None or state.is_pressed is not self._last.is_pressed):
            self._last = state
            self._on_change(state)
