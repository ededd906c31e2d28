"""The serial line thermometer over a pty to its twin."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from drivers.errors import DeviceError
from drivers.thermal.serial_line import SerialLineThermometer, parse_line
from simulator.thermometer import PtyThermometer

BOUND_S = 8.0


def until(condition: Callable[[], bool], what: str) -> None:
    deadline_s = time.monotonic() + BOUND_S
    while not condition():
        assert time.monotonic() < deadline_s, f"not within {BOUND_S} s: {what}"
        time.sleep(0.002)


def test_reads_who_is_there_and_nobody_when_they_have_gone() -> None:
    with PtyThermometer(interval_s=0.01) as twin:
        thermometer = SerialLineThermometer(twin.port)
        thermometer.start()
        try:
            assert thermometer.read() is None
            twin.set(38.4)
            until(lambda: thermometer.read() is not None, "a reading")
            reading = thermometer.read()
            assert reading is not None
            assert reading.body_celsius == pytest.approx(38.4, abs=0.3)
            assert reading.ambient_celsius == 22.0
            assert reading.read_ns <= time.monotonic_ns()
            twin.set(None)
            until(lambda: thermometer.read() is None, "nobody there")
        finally:
            thermometer.stop()


def test_reading_that_grew_old_is_none() -> None:
    now_ns = 0

    def read_much_later() -> object:
        nonlocal now_ns
        now_ns += 501_000_000
        return thermometer.read()

    with PtyThermometer(interval_s=0.01) as twin:
        thermometer = SerialLineThermometer(twin.port, max_age_ms=500, now_ns=lambda: now_ns)
        thermometer.start()
        try:
            twin.set(36.6)
            until(lambda: thermometer.read() is not None, "a reading")
            until(lambda: read_much_later() is None, "age")
        finally:
            thermometer.stop()


def test_line_that_is_lost_is_nobody() -> None:
    with PtyThermometer(interval_s=0.01) as twin:
        thermometer = SerialLineThermometer(twin.port, max_age_ms=60_000)
        thermometer.start()
        try:
            twin.set(36.6)
            until(lambda: thermometer.read() is not None, "a reading")
            twin.close()
            until(lambda: thermometer.read() is None, "loss of the line")
        finally:
            thermometer.stop()


@pytest.mark.parametrize("line", [b"", b"T=-- A=22.0\r", b"T=36.6", b"6.62 A=22.1\r", b"T=3x.6 A=22.1\r", b"\xff\x00"])
def test_line_without_measurement_is_none(line: bytes) -> None:
    assert parse_line(line, 0) is None


def test_line_with_measurement_is_read() -> None:
    reading = parse_line(b"T=36.62 A=-2.1\r", 7)
    assert reading is not None
    assert (reading.body_celsius, reading.ambient_celsius, reading.read_ns) == (36.62, -2.1, 7)


def test_missing_port_is_one_clear_sentence() -> None:
    with pytest.raises(DeviceError, match=r"/dev/nothing-here does not exist; plug"):
        SerialLineThermometer("/dev/nothing-here").start()
