"""Document lamps on a serial line (docs/protocols/document-light.md)."""

from __future__ import annotations

import contextlib
import termios
import time
from collections.abc import Callable

import serial

from drivers.camera.light import DocumentLight, LightFault, LightShown, LightStep
from drivers.camera.light_line import MAX_LINE_BYTES, WORDS, LightLine, parse_light_line
from drivers.errors import DeviceError
from drivers.transport import open_serial

_READ_WAIT_S = 0.02
_LAST_NUMBER = 999
_GONE = (serial.SerialException, OSError, termios.error)
"""pyserial hands on what the terminal says of a flush, which is no OSError."""


class SerialDocumentLight(DocumentLight):
    """Each order is sent, and once more if no answer came within `answer_timeout_ms`; then it is a fault.

    The answer states the lamp's current. Less than `least_current_ma` is a lamp that does not burn, whatever the device thinks. A port
    that vanished is opened again with the next order, at most every `reopen_ms`.
    """

    def __init__(
        self,
        port: str,
        *,
        baud_rate: int = 115_200,
        answer_timeout_ms: int = 120,
        least_current_ma: int = 20,
        reopen_ms: int = 500,
        now_ns: Callable[[], int] = time.monotonic_ns,
    ) -> None:
        self._port = port
        self._baud_rate = baud_rate
        self._answer_timeout_ns = answer_timeout_ms * 1_000_000
        self._least_current_ma = least_current_ma
        self._reopen_ns = reopen_ms * 1_000_000
        self._now_ns = now_ns
        self._line: serial.Serial | None = None
        self._tried_ns = 0
        self._number = 0

    def start(self) -> None:
        if self._line is not None:
            raise RuntimeError("the lamps are already started")
        self._line = open_serial(self._port, self._baud_rate, timeout_s=_READ_WAIT_S)

    def stop(self) -> None:
        if self._line is None:
            return
        self.show(LightStep.WHITE)
        self._close()

    def show(self, step: LightStep) -> LightShown | LightFault:
        line = self._opened()
        if line is None:
            return LightFault(reason=f"{self._port} is gone")
        try:
            for _ in range(2):
                answer = self._ask(line, step)
                if answer is not None:
                    return self._judge(answer, step)
        except _GONE as error:
            self._close()
            return LightFault(reason=f"{self._port} is gone: {error}")
        return LightFault(reason="no answer from the lamps")

    def _ask(self, line: serial.Serial, step: LightStep) -> LightLine | None:
        """None when no answer to this very order came in time."""
        self._number = self._number % _LAST_NUMBER + 1
        line.reset_input_buffer()
        line.write(LightLine(number=self._number, verb="SHOW", words=(WORDS[step],)).encode())
        deadline_ns = self._now_ns() + self._answer_timeout_ns
        held = b""
        while self._now_ns() < deadline_ns:
            held += line.read(max(1, min(line.in_waiting, MAX_LINE_BYTES)))
            *complete, held = held.split(b"\n")
            held = held[-MAX_LINE_BYTES:]
            for one in complete:
                answer = parse_light_line(one)
                if answer is not None and answer.number == self._number:
                    return answer
        return None

    def _judge(self, answer: LightLine, step: LightStep) -> LightShown | LightFault:
        words = answer.words
        if answer.verb != "OK":
            return LightFault(
                reason=f"the {step.value} lamp is refused: {' '.join(words).lower() or 'no reason given'}"
            )
        if len(words) != 2 or words[0] != WORDS[step] or not words[1].isdecimal():
            return LightFault(reason="the lamps answer something else")
        current_ma = int(words[1])
        if step is not LightStep.OFF and current_ma < self._least_current_ma:
            return LightFault(reason=f"the {step.value} lamp takes {current_ma} mA: it does not burn")
        return LightShown(step=step, since_ns=self._now_ns(), current_ma=current_ma)

    def _opened(self) -> serial.Serial | None:
        if self._line is None and self._now_ns() - self._tried_ns >= self._reopen_ns:
            self._tried_ns = self._now_ns()
            with contextlib.suppress(DeviceError):  # absent for now: the fault that is returned says so
                self._line = open_serial(self._port, self._baud_rate, timeout_s=_READ_WAIT_S)
        return self._line

    def _close(self) -> None:
        line, self._line = self._line, None
        if line is not None:
            with contextlib.suppress(*_GONE):
                line.close()
