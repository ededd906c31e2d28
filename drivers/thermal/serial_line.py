"""Thermometers that print a line for each measurement: `T=36.62 A=22.1` and CR LF, `T=--` while they see nobody.

T is the temperature of the forehead, A that of the housing, both in degrees Celsius; `B=34.98` is that of a black body where there is one,
as the sensor sees it, `B=--` while it does not see it (docs/protocols/thermal.md).
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from dataclasses import dataclass

from drivers.thermal.correction import Correction
from drivers.thermal.serial_reader import SerialThermometer

_NUMBER = rb"-?\d{1,3}(?:\.\d{1,3})?"
_LINE = re.compile(rb"T=(?P<body>%b|--) A=(?P<ambient>%b)(?: B=(?P<black>%b|--))?\s*" % (_NUMBER, _NUMBER, _NUMBER))
_MAX_LINE_BYTES = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class LineMeasurement:
    """What one line says, in degrees Celsius; None: not seen."""

    body_celsius: float | None
    ambient_celsius: float
    black_body_celsius: float | None


def parse_line(line: bytes) -> LineMeasurement | None:
    """None for what is no measurement: noise, or half a line."""
    found = _LINE.fullmatch(line)
    if found is None:
        return None
    body, black = found["body"], found["black"]
    return LineMeasurement(
        body_celsius=None if body == b"--" else float(body),
        ambient_celsius=float(found["ambient"]),
        black_body_celsius=None if black in (None, b"--") else float(black),
    )


class SerialLineThermometer(SerialThermometer):
    """A sensor of one point that looks where the face will be."""

    def __init__(
        self,
        port: str,
        *,
        baud_rate: int = 9600,
        max_age_ms: int = 1000,
        correction: Correction | None = None,
        now_ns: Callable[[], int] = time.monotonic_ns,
    ) -> None:
        super().__init__(port, baud_rate=baud_rate, max_age_ms=max_age_ms, correction=correction, now_ns=now_ns)
        self._held = b""

    def _forget(self) -> None:
        self._held = b""

    def _take(self, data: bytes) -> None:
        *complete, held = (self._held + data).split(b"\n")
        self._held = held[-_MAX_LINE_BYTES:]
        for one in complete:
            found = parse_line(one)
            if found is not None:
                self._seen(found.body_celsius, found.ambient_celsius, found.black_body_celsius)
