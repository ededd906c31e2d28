"""One module for several drivers: a lane's doors and its radiation portal may hang on the same terminals."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from drivers.modbus_io.interface import IoImage, IoModule, IoReport, IoResult


class SharedModule:
    """Hands every report of a module to everyone who has a port of it. The first to start starts it, the last to stop stops it."""

    def __init__(self, module: IoModule) -> None:
        self._module = module
        self._listeners: dict[object, Callable[[IoReport], None]] = {}

    def port(self) -> IoModule:
        """The module, once more."""
        return _Port(self, self._module)

    async def join(self, port: object, on_report: Callable[[IoReport], None]) -> None:
        is_first = not self._listeners
        self._listeners[port] = on_report
        if is_first:
            try:
                await self._module.start(self._hand_on)
            except BaseException:
                del self._listeners[port]
                raise

    async def leave(self, port: object) -> None:
        if self._listeners.pop(port, None) is not None and not self._listeners:
            await self._module.stop()

    def _hand_on(self, report: IoReport) -> None:
        for listener in list(self._listeners.values()):
            listener(report)


class _Port(IoModule):
    def __init__(self, shared: SharedModule, module: IoModule) -> None:
        self._shared = shared
        self._module = module

    @property
    def image(self) -> IoImage | None:
        return self._module.image

    async def start(self, on_report: Callable[[IoReport], None]) -> None:
        await self._shared.join(self, on_report)

    async def stop(self) -> None:
        await self._shared.leave(self)

    async def write(
        self,
        outputs: Mapping[int, bool],
        *,
        check: Callable[[IoImage], bool] | None = None,
        pulse_ms: int | None = None,
    ) -> IoResult:
        return await self._module.write(outputs, check=check, pulse_ms=pulse_ms)
