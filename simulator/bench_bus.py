"""What a dead module costs the others on its bus: `measure_dead_device`."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass

from drivers.modbus_io.bus import ModbusBus
from drivers.modbus_io.interface import IoResult
from drivers.modbus_io.module import ModbusModule
from simulator.modbus_line import ModbusFault, ModbusSlave, PtyModbusLine

UNITS = 8
_POLL_MS = 100
_COMMAND_EVERY_S = 0.05
_TURNAROUND_MS = 1.0
_BAUD_RATE = 115_200
_LAMP = 0
_WATCHDOG = 7


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadDevice:
    """Times from command to the module's answer, of the seven that live. Milliseconds."""

    alive_p50_ms: float
    alive_p99_ms: float
    dead_p50_ms: float
    dead_p99_ms: float
    dead_worst_ms: float
    commands: int

    @property
    def ratio(self) -> float:
        return self.dead_p99_ms / self.alive_p99_ms


def measure_dead_device(seconds: float = 6.0) -> float:
    """p99 of commands to seven modules while the eighth is dead, over p99 while it lives; same line, same run.

    Takes about three times `seconds`. The dead one is known as lost when a round begins: it is asked again after each back-off.
    """
    return asyncio.run(measure(seconds)).ratio


async def measure(seconds: float, *, rounds: int = 6) -> DeadDevice:
    """`seconds` of each, in short rounds by turns: what else runs on this computer meets both alike."""
    slaves = [ModbusSlave(unit, seed=unit) for unit in range(1, UNITS + 1)]
    alive: list[float] = []
    dead: list[float] = []
    with PtyModbusLine(slaves, baud_rate=_BAUD_RATE, turnaround_ms=_TURNAROUND_MS) as line:
        bus = ModbusBus(line.port, baud_rate=_BAUD_RATE)
        modules = [
            ModbusModule(bus, unit=unit, input_count=16, output_count=8, poll_ms=_POLL_MS, watchdog_output=_WATCHDOG)
            for unit in range(1, UNITS + 1)
        ]
        for module in modules:
            await module.start(lambda _report: None)
        victim = modules[-1]
        try:
            await _until_seen(modules)
            for _ in range(rounds):
                alive += await _command_all(modules[:-1], seconds / rounds)
                line.inject(UNITS, ModbusFault.SILENT)
                await _until(lambda: victim.image is None)
                dead += await _command_all(modules[:-1], seconds / rounds)
                line.heal(UNITS, ModbusFault.SILENT)
                await _until_seen(modules)
        finally:
            for module in modules:
                await module.stop()
    return DeadDevice(
        alive_p50_ms=_quantile(alive, 0.5),
        alive_p99_ms=_quantile(alive, 0.99),
        dead_p50_ms=_quantile(dead, 0.5),
        dead_p99_ms=_quantile(dead, 0.99),
        dead_worst_ms=max(dead),
        commands=len(alive) + len(dead),
    )


async def _command_all(modules: list[ModbusModule], seconds: float) -> list[float]:
    """Every module gets a command each 50 ms, evenly spread, as lanes that know nothing of each other would."""
    took_ms: list[float] = []
    began_s = time.perf_counter()

    async def one(module: ModbusModule, offset_s: float) -> None:
        number = 0
        while (at_s := began_s + offset_s + number * _COMMAND_EVERY_S) < began_s + seconds:
            await asyncio.sleep(max(0.0, at_s - time.perf_counter()))
            started_s = time.perf_counter()
            if await module.write({_LAMP: number % 2 == 0}) is IoResult.DONE:
                took_ms.append((time.perf_counter() - started_s) * 1000)
            number += 1

    await asyncio.gather(
        *(one(module, i * _COMMAND_EVERY_S / len(modules)) for i, module in enumerate(modules)),
    )
    return took_ms


async def _until_seen(modules: list[ModbusModule]) -> None:
    await _until(lambda: all(module.image is not None for module in modules))


async def _until(condition: Callable[[], bool], bound_s: float = 30.0) -> None:
    deadline_s = time.monotonic() + bound_s
    while not condition():
        if time.monotonic() > deadline_s:
            raise TimeoutError(f"the bus did not get there within {bound_s} s")
        await asyncio.sleep(0.01)


def _quantile(values: list[float], share: float) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]
