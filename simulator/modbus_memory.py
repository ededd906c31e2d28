"""An I/O module without a line: the same slave and wiring, asked directly, with time in the hands of a test."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from drivers.modbus_io.interface import IoImage, IoLost, IoModule, IoReport, IoRestarted, IoResult
from simulator.modbus_line import ModbusFault, ModbusSlave

_NS_PER_MS = 1_000_000
_STEP_MS = 25.0


class MemoryModule(IoModule):
    """Polls every `poll_ms` of `pass_time`. While `is_silent` it is lost, as after three misses."""

    def __init__(self, slave: ModbusSlave, *, watchdog_output: int, poll_ms: float = 50.0) -> None:
        self._slave = slave
        self._watchdog_output = watchdog_output
        self._poll_ms = poll_ms
        self._on_report: Callable[[IoReport], None] | None = None
        self._image: IoImage | None = None
        self._levels: dict[int, bool] = {}
        self._ends: list[tuple[float, dict[int, bool]]] = []
        self._phase = False
        self._sequence = 0
        self._now_ms = 0.0
        self._next_poll_ms = 0.0
        self.is_silent = False

    @property
    def image(self) -> IoImage | None:
        return self._image

    async def start(self, on_report: Callable[[IoReport], None]) -> None:
        self._on_report = on_report
        self.poll()

    async def stop(self) -> None:
        self._on_report = self._image = None
        self._levels.clear()

    async def write(
        self,
        outputs: Mapping[int, bool],
        *,
        check: Callable[[IoImage], bool] | None = None,
        pulse_ms: int | None = None,
    ) -> IoResult:
        if self.is_silent or self._image is None:
            return IoResult.NO_ANSWER
        if check is not None and not check(self._look()):
            return IoResult.REFUSED
        for output, is_on in outputs.items():
            self._set(output, is_on)
            if pulse_ms is None:
                self._levels[output] = is_on
            else:
                self._levels.pop(output, None)
        if pulse_ms is not None:
            ends = {output: not is_on for output, is_on in outputs.items()}
            self._ends.append((self._now_ms + pulse_ms, ends))
        self.poll()
        return IoResult.DONE

    def restart(self) -> None:
        self._slave.inject(ModbusFault.REBOOT)

    def pass_time(self, ms: float) -> None:
        """Lets wiring, world and polls go on."""
        until_ms = self._now_ms + ms
        while self._now_ms < until_ms:
            self._now_ms += _STEP_MS
            self._slave.step(_STEP_MS)
            due = [outputs for at_ms, outputs in self._ends if at_ms <= self._now_ms]
            self._ends = [entry for entry in self._ends if entry[0] > self._now_ms]
            for outputs in due:
                if not self.is_silent:
                    for output, is_on in outputs.items():
                        self._set(output, is_on)
            if self._now_ms >= self._next_poll_ms:
                self._next_poll_ms = self._now_ms + self._poll_ms
                self.poll()

    def poll(self) -> None:
        if self._on_report is None:
            return
        if self.is_silent:
            if self._image is not None:
                self._image = None
                self._on_report(IoLost(at_ns=self._now_ns, reason="silent"))
            return
        image = self._look()
        if any(image.outputs[output] is not is_on for output, is_on in self._levels.items()):
            self._levels.clear()
            self._on_report(IoRestarted(at_ns=self._now_ns, reason="outputs changed"))
        self._image = image
        self._on_report(image)

    @property
    def _now_ns(self) -> int:
        return int(self._now_ms * _NS_PER_MS)

    def _look(self) -> IoImage:
        self._phase = not self._phase
        self._set(self._watchdog_output, self._phase)
        self._sequence += 1
        return IoImage(
            asked_ns=self._now_ns,
            sequence=self._sequence,
            inputs=tuple(bool(value) for value in self._slave.inputs),
            outputs=tuple(self._slave.coils),
            registers=tuple(self._slave.registers),
        )

    def _set(self, output: int, is_on: bool) -> None:
        value = 0xFF00 if is_on else 0
        self._slave.act(5, output, value)
