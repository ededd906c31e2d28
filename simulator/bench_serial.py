"""``gate bench serial``: a command to the board's answer, beside a bare pyserial echo of as many bytes, in one run on the same computer.

At the other end of both is a process in C behind a pseudo-terminal: the reference board, and the same program sending every byte
back. Measured in turn, one and one, so that a busy moment of the machine hits both alike. The command sounds the buzzer: what the board
answers is an acknowledgement and nothing else. A lamp command, measured as well, changes the board's report, which comes along.
"""

from __future__ import annotations

import asyncio
import gc
import json
import statistics
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import serial

from drivers.errors import DeviceError
from drivers.lane_io import BoardReport, BuzzerPattern, CommandResult, LampColour, LaneLinkDriver, LaneSensors
from drivers.lane_io import protocol as wire
from drivers.lane_io.codec import Frame, encode
from simulator.bench_bus import measure_dead_device
from simulator.c_build import PROCESS, built

_WARM_UP = 50
_START_S = 5.0
_COMMAND = encode(Frame(sequence=0x0203, message=wire.Buzzer(session=0x1122_3344, pattern=wire.WireBuzzer.SHORT)))


def run_bench_serial(*, commands: int, has_bus: bool, is_json: bool) -> int:
    """Measure and print; returns the exit code. DeviceError when the board cannot be built or does not answer."""
    figures: dict[str, float | int | None] = dict(asyncio.run(measure(commands)))
    figures["dead_device_p99_ratio"] = round(measure_dead_device(), 3) if has_bus else None
    if is_json:
        print(json.dumps(figures))
    else:
        for name, value in figures.items():
            print(f"{name:28} {value if value is not None else 'not measured'}")
    return 0


async def measure(commands: int) -> dict[str, float | int]:
    """The keys of MEASURES but the bus: milliseconds, and the ratio of the medians."""
    with _process("--echo") as echo_port, _process() as board_port, serial.Serial(echo_port, timeout=_START_S) as echo:
        driver = LaneLinkDriver(board_port)
        seen = asyncio.Event()

        def hear(report: BoardReport) -> None:
            if isinstance(report, LaneSensors) and report.exit_token is not None:
                seen.set()

        await driver.start(hear)
        try:
            async with asyncio.timeout(_START_S):
                await seen.wait()
            return await _in_turn(driver, echo, commands)
        except TimeoutError:
            raise DeviceError(f"The reference board at {board_port} does not answer; run the bench again.") from None
        finally:
            await driver.stop()


async def _in_turn(driver: LaneLinkDriver, echo: serial.Serial, commands: int) -> dict[str, float | int]:
    echoes, bare, reported = [], [], []
    was_collecting = gc.isenabled()
    gc.disable()
    try:
        for i in range(commands + _WARM_UP):
            echo_ms = _echo(echo)
            started_ns = time.perf_counter_ns()
            _require(await driver.sound_buzzer((BuzzerPattern.OFF, BuzzerPattern.SHORT)[i % 2]))
            buzzed_ns = time.perf_counter_ns()
            _require(await driver.set_lamp((LampColour.BLUE, LampColour.GREEN)[i % 2]))
            lit_ns = time.perf_counter_ns()
            if i >= _WARM_UP:
                echoes.append(echo_ms)
                bare.append((buzzed_ns - started_ns) / 1e6)
                reported.append((lit_ns - buzzed_ns) / 1e6)
    finally:
        if was_collecting:
            gc.enable()
    echo_p50 = statistics.median(echoes)
    return {
        "commands": len(bare),
        "command_ms_p50": round(statistics.median(bare), 4),
        "command_ms_p99": round(quantile(bare, 0.99), 4),
        "echo_ms_p50": round(echo_p50, 4),
        "echo_ms_p99": round(quantile(echoes, 0.99), 4),
        "ratio": round(statistics.median(bare) / echo_p50, 2),
        "reported_command_ms_p50": round(statistics.median(reported), 4),
    }


def _echo(port: serial.Serial) -> float:
    """Milliseconds for a command's bytes there and back, as plainly as pyserial can."""
    started_ns = time.perf_counter_ns()
    port.write(_COMMAND)
    back = port.read(len(_COMMAND))
    elapsed_ms = (time.perf_counter_ns() - started_ns) / 1e6
    if back != _COMMAND:
        raise DeviceError(f"The echo at {port.port} gave other bytes back; run the bench again.")
    return elapsed_ms


def _require(result: CommandResult) -> None:
    if result is not CommandResult.DONE:
        raise DeviceError(f"The reference board answered {result.value} instead of doing it; run the bench again.")


def quantile(values: Sequence[float], share: float) -> float:
    """The value below which ``share`` of them lie."""
    return sorted(values)[min(len(values) - 1, int(len(values) * share))]


@contextmanager
def _process(*arguments: str) -> Iterator[str]:
    """A board process and the path of its terminal. It ends when its input does, also if we are killed."""
    command = [str(built(PROCESS)), *arguments]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            port = process.stdout.readline().strip() if process.stdout else ""
            if not port:
                raise DeviceError(
                    "The reference board could not open a pseudo-terminal; check that /dev/pts is mounted."
                )
            yield port
        finally:
            if process.stdin:
                process.stdin.close()
            process.wait(timeout=_START_S)
