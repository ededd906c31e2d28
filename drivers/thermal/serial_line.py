"""Thermometers that print a line for each measurement: `T=36.62 A=22.1` and CR LF, `T=--` while they see nobody.

T is the temperature of the forehead, A that of the housing, both in degrees Celsius.
"""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable

import serial

from drivers.errors import DeviceError
from drivers.thermal.interface import TemperatureReading, Thermometer
from drivers.transport import open_serial

_LINE = re.compile(rb"T=(?P<body>-?\d{1,3}(?:\.\d{1,3})?|--) A=(?P<ambient>-?\d{1,3}(?:\.\d{1,3})?)\s*")
_MAX_LINE_BYTES = 64
_WAIT_S = 0.2
_REOPEN_S = 0.5


def parse_line(line: bytes, read_ns: int) -> TemperatureReading | None:
    """None for a line without a measurement: nobody seen, noise, or half a line."""
    found = _LINE.fullmatch(line)
    if found is None or found["body"] == b"--":
        return None
    return TemperatureReading(
        body_celsius=float(found["body"]), ambient_celsius=float(found["ambient"]), read_ns=read_ns
    )


class SerialLineThermometer(Thermometer):
    """Keeps the last line's reading for `max_age_ms`; opens a port that vanished again by itself."""

    def __init__(
        self,
        port: str,
        *,
        baud_rate: int = 9600,
        max_age_ms: int = 1000,
        now_ns: Callable[[], int] = time.monotonic_ns,
    ) -> None:
        self._port = port
        self._baud_rate = baud_rate
        self._max_age_ns = max_age_ms * 1_000_000
        self._now_ns = now_ns
        self._last: TemperatureReading | None = None
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        if self._thread is not None:
            raise RuntimeError("the thermometer is already started")
        line = open_serial(self._port, self._baud_rate, timeout_s=_WAIT_S)
        self._stopping.clear()
        self._thread = threading.Thread(target=self._run, args=(line,), name=f"thermometer {self._port}", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        thread, self._thread = self._thread, None
        if thread is None:
            return
        self._stopping.set()
        thread.join()
        self._last = None

    def read(self) -> TemperatureReading | None:
        last = self._last
        return last if last is not None and self._now_ns() - last.read_ns <= self._max_age_ns else None

    def _run(self, line: serial.Serial | None) -> None:
        while not self._stopping.is_set():
            if line is None:
                try:
                    line = open_serial(self._port, self._baud_rate, timeout_s=_WAIT_S)
                except DeviceError:
                    # Absent for now: `read` says so by giving nothing.
                    self._stopping.wait(_REOPEN_S)
                    continue
            try:
                self._read_lines(line)
            except (serial.SerialException, OSError):
                self._last = None
            finally:
                line.close()
                line = None
        if line is not None:
            line.close()

    def _read_lines(self, line: serial.Serial) -> None:
        buffer = bytearray()
        while not self._stopping.is_set():
            buffer += line.read(max(1, min(line.in_waiting, _MAX_LINE_BYTES)))
            *complete, rest = bytes(buffer).split(b"\n")
            buffer = bytearray(rest[-_MAX_LINE_BYTES:])
            for one in complete:
                self._last = parse_line(one, self._now_ns())
