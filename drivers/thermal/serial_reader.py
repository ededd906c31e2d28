"""The thread, the reopening and the age of readings that thermometers on a serial line share."""

from __future__ import annotations

import threading
import time
from abc import abstractmethod
from collections.abc import Callable

import serial

from drivers.errors import DeviceError
from drivers.thermal.correction import Corrected, Correction, Nobody, Untrusted, correct
from drivers.thermal.interface import Box, TemperatureReading, Thermometer
from drivers.transport import open_serial

_WAIT_S = 0.2
_REOPEN_S = 0.5
_READ_BYTES = 4096
SILENT = "the thermometer is silent"


class SerialThermometer(Thermometer):
    """Keeps the last reading for `max_age_ms`; opens a port that vanished again by itself."""

    def __init__(
        self,
        port: str,
        *,
        baud_rate: int,
        max_age_ms: int,
        correction: Correction | None,
        now_ns: Callable[[], int] = time.monotonic_ns,
    ) -> None:
        self._port = port
        self._baud_rate = baud_rate
        self._max_age_ns = max_age_ms * 1_000_000
        self._correction = correction or Correction()
        self._now_ns = now_ns
        self._last: TemperatureReading | None = None
        self._heard_ns: int | None = None
        self._reason = SILENT
        self._face_box: Box | None = None
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    @abstractmethod
    def _take(self, data: bytes) -> None:
        """Bytes in the order in which they came; ends in :meth:`_seen` for each complete measurement."""

    @abstractmethod
    def _forget(self) -> None:
        """The line was opened anew: half a measurement of before is void."""

    def _seen(self, body_celsius: float | None, ambient_celsius: float, black_body_celsius: float | None) -> None:
        """One measurement as the sensor made it. None: not seen."""
        now_ns = self._now_ns()
        self._heard_ns = now_ns
        found = correct(
            body_celsius,
            ambient_celsius=ambient_celsius,
            black_body_celsius=black_body_celsius,
            by=self._correction,
        )
        match found:
            case Corrected():
                self._reason = ""
                self._last = TemperatureReading(
                    body_celsius=found.body_celsius,
                    ambient_celsius=ambient_celsius,
                    read_ns=now_ns,
                    correction_celsius=found.added_celsius,
                )
            case Nobody():
                self._reason, self._last = "", None
            case Untrusted():
                self._reason, self._last = found.reason, None

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
        self._last, self._heard_ns = None, None

    def read(self) -> TemperatureReading | None:
        last = self._last
        return last if last is not None and self._now_ns() - last.read_ns <= self._max_age_ns else None

    @property
    def why_not(self) -> str:
        heard_ns = self._heard_ns
        if heard_ns is None or self._now_ns() - heard_ns > self._max_age_ns:
            return SILENT
        return self._reason

    def aim(self, face_box: Box | None) -> None:
        self._face_box = face_box

    def _run(self, line: serial.Serial | None) -> None:
        while not self._stopping.is_set():
            if line is None:
                try:
                    line = open_serial(self._port, self._baud_rate, timeout_s=_WAIT_S)
                except DeviceError:
                    # Absent for now: `read` and `why_not` say so.
                    self._stopping.wait(_REOPEN_S)
                    continue
            try:
                self._forget()
                while not self._stopping.is_set():
                    self._take(line.read(max(1, min(line.in_waiting, _READ_BYTES))))
            except (serial.SerialException, OSError):
                self._last, self._heard_ns = None, None
            finally:
                line.close()
                line = None
        if line is not None:
            line.close()
