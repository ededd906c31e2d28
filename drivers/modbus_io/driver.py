"""A lane on a Modbus RTU I/O module: `WiredLane` on a module of a bus, as the `LaneIo` that a lane uses."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Mapping
from typing import Any, Literal
from weakref import WeakValueDictionary

from drivers.errors import DeviceError
from drivers.lane_io.interface import (
    BoardReport,
    BuzzerPattern,
    CommandResult,
    DoorPosition,
    LampColour,
    LaneIo,
)
from drivers.modbus_io.bus import ModbusBus
from drivers.modbus_io.interface import IoLost, IoModule, IoReport, IoRestarted, IoResult
from drivers.modbus_io.lane import DoorState, WiredLane
from drivers.modbus_io.module import ModbusModule
from drivers.modbus_io.wiring import LaneWiring

_RESULTS = {
    IoResult.DONE: CommandResult.DONE,
    IoResult.REFUSED: CommandResult.REFUSED_INTERLOCK,
    IoResult.NO_ANSWER: CommandResult.NO_ANSWER,
}
_BUZZES_MS = {BuzzerPattern.SHORT: 150, BuzzerPattern.DOUBLE: 400}
_RESETS = 4
_BUSES: WeakValueDictionary[str, ModbusBus] = WeakValueDictionary()


def shared_bus(port: str, **settings: Any) -> ModbusBus:
    """The bus of a port: lanes of one process that name the same port share its line. Settings of the first count."""
    bus = _BUSES.get(port)
    if bus is None:
        bus = _BUSES[port] = ModbusBus(port, **settings)
    return bus


class WiredLaneIo(LaneIo):
    """A lane whose doors, contacts and lamps hang on a module. Read docs/decisions/0015 before wiring one.

    The host is the board here: what it latches (forced, jammed, which token is good) is gone when it dies, and the safety chain, which
    its silence opens, must hold the lane. `watchdog_ms` is that relay's time, for the report; `travel_ms` what a door may take.
    """

    def __init__(
        self,
        module: IoModule,
        wiring: LaneWiring,
        *,
        unit: int,
        watchdog_ms: int = 1000,
        travel_ms: int = 4000,
        pulse_ms: int = 200,
        reset_patience_ms: int = 400,
    ) -> None:
        self._module = module
        self._lane = WiredLane(wiring, unit=unit, watchdog_ms=watchdog_ms, travel_ms=travel_ms)
        self._outputs = wiring.outputs
        self._pulse_ms = pulse_ms
        self._reset_patience_s = reset_patience_ms / 1000
        self._on_report: Callable[[BoardReport], None] | None = None
        self._lamp = LampColour.RED
        self._shown: LampColour | None = None
        self._lighting: asyncio.Task[CommandResult] | None = None
        self._shutting: asyncio.Task[None] | None = None
        self._turn = asyncio.Lock()
        self._seen = asyncio.Event()

    async def start(self, on_report: Callable[[BoardReport], None]) -> None:
        self._on_report = on_report
        try:
            await self._module.start(self._receive)
        except BaseException:
            self._on_report = None
            raise

    async def stop(self) -> None:
        self._on_report = None
        tasks = [task for task in (self._lighting, self._shutting) if task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._lighting = self._shutting = None
        await self._module.stop()

    async def move_entry(self, position: Literal[DoorPosition.OPEN, DoorPosition.CLOSED]) -> CommandResult:
        lane = self._lane
        async with self._turn:
            if refusal := self._refuses_motion():
                return refusal
            if position is DoorPosition.CLOSED:
                return await self._shut(lane.entry, self._outputs.entry_close)
            if not lane.exit.is_shut or lane.exit.wants_open:
                return CommandResult.REFUSED_INTERLOCK
            return await self._open(lane.entry, self._outputs.entry_open, "command", lane.may_open_entry)

    async def open_exit(self, token: int) -> CommandResult:
        lane = self._lane
        async with self._turn:
            if not lane.is_up:
                return CommandResult.NO_ANSWER
            if lane.exit_token is None or token != lane.exit_token:
                return CommandResult.REFUSED_TOKEN
            return await self._open(lane.exit, self._outputs.exit_open, "token", lane.burn_token())

    async def close_exit(self) -> CommandResult:
        async with self._turn:
            return self._refuses_motion() or await self._shut(self._lane.exit, self._outputs.exit_close)

    async def set_lamp(self, colour: LampColour) -> CommandResult:
        self._lamp = colour
        return await self._light()

    async def sound_buzzer(self, pattern: BuzzerPattern) -> CommandResult:
        if self._outputs.buzzer is None:
            return CommandResult.REFUSED_STATE
        is_on = pattern is not BuzzerPattern.OFF
        result = await self._module.write({self._outputs.buzzer: is_on}, pulse_ms=_BUZZES_MS.get(pattern))
        return _RESULTS[result]

    async def acknowledge_fault(self) -> CommandResult:
        lane = self._lane
        async with self._turn:
            if not lane.is_up:
                return CommandResult.NO_ANSWER
            if lane.is_forced_open:
                # Nobody else tells the operator to shut what was pushed open, or to try again; who pushes still wins.
                await self._module.write({self._outputs.reset: True}, pulse_ms=self._pulse_ms)
                await self._shut_both()
            if lane.has_cause:
                return CommandResult.REFUSED_STATE
            if not lane.is_holding:
                return CommandResult.DONE
            refusal = await self._reset_chain()
            if refusal is not None:
                return refusal
            lane.clear_faults()
            return await self._shut_both()

    async def self_test(self) -> CommandResult:
        """A module tests nothing: its wiring's monitored relays do, or the yearly inspection.

        What its contacts contradict shows in `LaneSensors.failed` all the time.
        """
        return CommandResult.REFUSED_STATE

    async def set_evacuation(self, is_on: bool) -> CommandResult:
        async with self._turn:
            was_on = self._lane.is_evacuating
            result = await self._module.write({self._outputs.evacuate: is_on})
            if result is not IoResult.DONE:
                return CommandResult.REFUSED_STATE if result is IoResult.REFUSED else CommandResult.NO_ANSWER
            self._lane.is_evacuating = is_on
            return await self._shut_both() if was_on and not is_on else CommandResult.DONE

    def _refuses_motion(self) -> CommandResult | None:
        if not self._lane.is_up:
            return CommandResult.NO_ANSWER
        is_bound = self._lane.is_holding or self._lane.is_evacuating
        return CommandResult.REFUSED_STATE if is_bound else None

    async def _open(self, door: DoorState, relay: int, reason: str, check: Callable[..., bool]) -> CommandResult:
        was_wanted = door.wants_open
        self._lane.want_open(door, reason)
        result = await self._module.write({relay: True}, check=check, pulse_ms=self._pulse_ms)
        if result is IoResult.REFUSED and not was_wanted:
            self._lane.want_shut(door)
        return _RESULTS[result]

    async def _shut(self, door: DoorState, relay: int) -> CommandResult:
        result = await self._module.write({relay: True}, pulse_ms=self._pulse_ms)
        if result is IoResult.DONE:
            self._lane.want_shut(door)
        return _RESULTS[result]

    async def _shut_forced(self) -> None:
        """As the board of Lane Link does: a forced door and its partner shut as far as they can."""
        async with self._turn:
            await self._shut_both()
        self._shutting = None

    async def _shut_both(self) -> CommandResult:
        results = [
            await self._shut(self._lane.entry, self._outputs.entry_close),
            await self._shut(self._lane.exit, self._outputs.exit_close),
        ]
        return next((result for result in results if result is not CommandResult.DONE), CommandResult.DONE)

    async def _reset_chain(self) -> CommandResult | None:
        """None when the chain is closed. The watchdog relay may first want one more turn of its output: several tries."""
        for _ in range(_RESETS):
            result = await self._module.write({self._outputs.reset: True}, pulse_ms=self._pulse_ms)
            if result is not IoResult.DONE:
                return CommandResult.NO_ANSWER if result is IoResult.NO_ANSWER else CommandResult.REFUSED_STATE
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._reset_patience_s):
                    while not self._lane.is_chain_closed and self._lane.is_up:
                        self._seen.clear()
                        await self._seen.wait()
            if self._lane.is_chain_closed and self._lane.is_up:
                return None
        return CommandResult.REFUSED_STATE

    async def _light(self) -> CommandResult:
        """Red while anything is held, whatever was asked."""
        colour = LampColour.RED if self._lane.is_holding else self._lamp
        wanted = {
            self._outputs.red: colour in (LampColour.RED, LampColour.AMBER),
            self._outputs.green: colour in (LampColour.GREEN, LampColour.AMBER),
        }
        if self._outputs.blue is not None:
            wanted[self._outputs.blue] = colour is LampColour.BLUE
        result = await self._module.write(wanted)
        self._shown = colour if result is IoResult.DONE else None
        return _RESULTS[result]

    def _receive(self, report: IoReport) -> None:
        if isinstance(report, IoLost):
            reports = self._lane.lose(report.at_ns, report.reason)
        elif isinstance(report, IoRestarted):
            self._shown = None
            reports = self._lane.restart(report.at_ns, report.reason)
        else:
            was_forced_open = self._lane.is_forced_open
            reports = self._lane.observe(report)
            if self._lane.is_forced_open and not was_forced_open and self._shutting is None:
                self._shutting = asyncio.create_task(self._shut_forced(), name="shut what was forced")
            wanted = LampColour.RED if self._lane.is_holding else self._lamp
            if self._shown is not wanted and (self._lighting is None or self._lighting.done()):
                self._lighting = asyncio.create_task(self._light(), name="lamp")
        self._seen.set()
        for one in reports:
            if self._on_report is not None:
                self._on_report(one)


def module_at(
    port: str,
    *,
    unit: int,
    input_count: int = 0,
    output_count: int = 0,
    register_count: int = 0,
    watchdog_output: int | None = None,
    poll_ms: int = 50,
    baud_rate: int = 19_200,
    parity: str = "N",
    answer_timeout_ms: int = 80,
) -> ModbusModule:
    """A module on the line at `port`, not started yet. Raises `DeviceError` for an address that cannot be."""
    if not 1 <= unit <= 247:
        raise DeviceError(f"Modbus unit {unit} on {port} cannot be addressed; set one from 1 to 247.")
    bus = shared_bus(port, baud_rate=baud_rate, parity=parity, answer_timeout_ms=answer_timeout_ms)
    return ModbusModule(
        bus,
        unit=unit,
        input_count=input_count,
        output_count=output_count,
        register_count=register_count,
        poll_ms=poll_ms,
        watchdog_output=watchdog_output,
    )


def modbus_lane(
    port: str,
    *,
    unit: int,
    inputs: Mapping[str, int | str],
    outputs: Mapping[str, int],
    beams: tuple[int | str, ...],
    first_inside_beam: int,
    last_inside_beam: int,
    baud_rate: int = 19_200,
    parity: str = "N",
    answer_timeout_ms: int = 80,
    poll_ms: int = 50,
    watchdog_ms: int = 1000,
    travel_ms: int = 4000,
    pulse_ms: int = 200,
) -> WiredLaneIo:
    """The device kind `modbus_io`. Raises `DeviceError` for a map that cannot be."""
    wiring = LaneWiring.from_settings(
        inputs=inputs,
        outputs=outputs,
        beams=beams,
        first_inside_beam=first_inside_beam,
        last_inside_beam=last_inside_beam,
    )
    module = module_at(
        port,
        unit=unit,
        input_count=wiring.input_count,
        output_count=wiring.output_count,
        watchdog_output=wiring.outputs.watchdog,
        poll_ms=poll_ms,
        baud_rate=baud_rate,
        parity=parity,
        answer_timeout_ms=answer_timeout_ms,
    )
    return WiredLaneIo(module, wiring, unit=unit, watchdog_ms=watchdog_ms, travel_ms=travel_ms, pulse_ms=pulse_ms)
