"""A Modbus RTU I/O module: discrete inputs (function 2), coils (1 and 5), perhaps input registers (4), from address 0 on."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping

from drivers.modbus_io.bus import Asker, ModbusBus, Unit
from drivers.modbus_io.interface import IoImage, IoLost, IoModule, IoReport, IoRestarted, IoResult
from drivers.modbus_io.line import RefusedByModule, Unanswered

_NS_PER_MS = 1_000_000


class ModbusModule(IoModule):
    """One unit of a bus.

    `watchdog_output` is turned over with every poll: it feeds a retriggerable watchdog relay in the wiring, and since its new value must
    be read back in the same poll, an image can never be an old one. While the module is lost nothing feeds the relay.
    """

    def __init__(
        self,
        bus: ModbusBus,
        *,
        unit: int,
        input_count: int,
        output_count: int,
        register_count: int = 0,
        poll_ms: int = 50,
        watchdog_output: int | None = None,
    ) -> None:
        self._bus = bus
        self._input_count = input_count
        self._output_count = output_count
        self._register_count = register_count
        self._watchdog_output = watchdog_output
        self._phase = False
        self._sequence = 0
        self._image: IoImage | None = None
        self._levels: dict[int, bool] = {}
        """What was written to stay."""
        self._on_report: Callable[[IoReport], None] | None = None
        self._ends: set[asyncio.Task[None]] = set()
        self._unit = Unit(address=unit, poll=self._poll, poll_ns=poll_ms * _NS_PER_MS, on_lost=self._lost)

    @property
    def image(self) -> IoImage | None:
        return self._image

    async def start(self, on_report: Callable[[IoReport], None]) -> None:
        if self._on_report is not None:
            raise RuntimeError("the module is already started")
        self._on_report = on_report
        try:
            await self._bus.attach(self._unit)
        except BaseException:
            self._on_report = None
            raise

    async def stop(self) -> None:
        self._on_report = None
        for task in list(self._ends):
            task.cancel()
        await asyncio.gather(*self._ends, return_exceptions=True)
        await self._bus.detach(self._unit)
        self._image = None
        self._levels.clear()

    async def write(
        self,
        outputs: Mapping[int, bool],
        *,
        check: Callable[[IoImage], bool] | None = None,
        pulse_ms: int | None = None,
    ) -> IoResult:
        if pulse_ms is None:
            return await self._write(outputs, check, is_level=True)
        for output in outputs:
            self._levels.pop(output, None)
        result = await self._write(outputs, check, is_level=False)
        if result is not IoResult.REFUSED:
            # Also after NO_ANSWER: it may have been set.
            self._end_pulse({output: not is_on for output, is_on in outputs.items()}, pulse_ms)
        return result

    async def _write(
        self, outputs: Mapping[int, bool], check: Callable[[IoImage], bool] | None, *, is_level: bool
    ) -> IoResult:
        is_permitted = True

        async def exchange(ask: Asker) -> None:
            nonlocal is_permitted
            if check is not None:
                image = await self._look(ask)
                is_permitted = check(image)
                if not is_permitted:
                    return
            for output, is_on in outputs.items():
                await ask.write(output, is_on)

        try:
            is_answered = await self._bus.command(self._unit, exchange)
        except RefusedByModule:
            return IoResult.REFUSED
        if is_level and is_permitted:
            for output, is_on in outputs.items():
                if is_answered:
                    self._levels[output] = is_on
                else:
                    self._levels.pop(output, None)  # it may be either
        if not is_answered:
            return IoResult.NO_ANSWER
        return IoResult.DONE if is_permitted else IoResult.REFUSED

    def _end_pulse(self, outputs: Mapping[int, bool], pulse_ms: int) -> None:
        task = asyncio.create_task(self._set_later(outputs, pulse_ms), name="end of a pulse")
        self._ends.add(task)
        task.add_done_callback(self._ends.discard)

    async def _set_later(self, outputs: Mapping[int, bool], pulse_ms: int) -> None:
        while True:
            await asyncio.sleep(pulse_ms / 1000)
            if await self._write(outputs, None, is_level=False) is not IoResult.NO_ANSWER:
                return

    async def _look(self, ask: Asker) -> IoImage:
        asked_ns = self._bus.now_ns()
        if self._watchdog_output is not None:
            self._phase = not self._phase
            await ask.write(self._watchdog_output, self._phase)
        outputs = await ask.coils(self._output_count)
        if self._watchdog_output is not None and outputs[self._watchdog_output] is not self._phase:
            raise Unanswered("the outputs shown are older than the question")
        inputs = await ask.inputs(self._input_count)
        registers = await ask.registers(self._register_count)
        self._sequence = (self._sequence + 1) & 0xFFFF
        return IoImage(asked_ns=asked_ns, sequence=self._sequence, inputs=inputs, outputs=outputs, registers=registers)

    async def _poll(self, ask: Asker) -> None:
        image = await self._look(ask)
        changed = sorted(output for output, is_on in self._levels.items() if image.outputs[output] is not is_on)
        if changed:
            self._levels.clear()
            names = ", ".join(str(output) for output in changed)
            self._report(
                IoRestarted(
                    at_ns=image.asked_ns, reason=f"output {names} changed without us: restarted, or another writes"
                )
            )
        self._image = image
        self._report(image)

    def _lost(self, reason: str) -> None:
        self._image = None
        self._report(IoLost(at_ns=self._bus.now_ns(), reason=reason))

    def _report(self, report: IoReport) -> None:
        if self._on_report is not None:
            self._on_report(report)
