"""Thermometers over a pty to their twins: a sensor of one point and a thermal camera do the same, and then each its own."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.errors import DeviceError
from drivers.thermal.correction import Corrected, Correction, Nobody, Untrusted, correct
from drivers.thermal.frame import ThermalFrame, decode_frame, encode_frame
from drivers.thermal.serial_array import SerialThermalArray, black_body_celsius, warmest_celsius
from drivers.thermal.serial_line import LineMeasurement, SerialLineThermometer, parse_line
from drivers.thermal.serial_reader import SILENT, SerialThermometer
from simulator.thermometer import PtyThermalArray, PtyThermometer, ThermalFault

BOUND_S = 8.0
BLACK_BODY = 35.0
BLACK_BODY_BOX = (0.0, 0.0, 0.15, 0.2)
CORRECTION = Correction(black_body_celsius=BLACK_BODY)


def until(condition: Callable[[], bool], what: str) -> None:
    deadline_s = time.monotonic() + BOUND_S
    while not condition():
        assert time.monotonic() < deadline_s, f"not within {BOUND_S} s: {what}"
        time.sleep(0.002)


@dataclass
class Rig:
    twin: PtyThermometer | PtyThermalArray
    thermometer: SerialThermometer

    def body(self) -> float | None:
        reading = self.thermometer.read()
        return None if reading is None else reading.body_celsius


@pytest.fixture(params=["point", "array"])
def rig(request: pytest.FixtureRequest) -> Iterator[Rig]:
    if request.param == "point":
        twin: PtyThermometer | PtyThermalArray = PtyThermometer(interval_s=0.01, black_body_celsius=BLACK_BODY)
        made: SerialThermometer = SerialLineThermometer(twin.port, max_age_ms=700, correction=CORRECTION)
    else:
        twin = PtyThermalArray(interval_s=0.01, black_body_celsius=BLACK_BODY, black_body_box=BLACK_BODY_BOX)
        made = SerialThermalArray(
            twin.port, max_age_ms=700, correction=CORRECTION, black_body_box=(0.02, 0.02, 0.12, 0.16)
        )
    with twin:
        made.start()
        try:
            yield Rig(twin, made)
        finally:
            made.stop()


def test_reads_who_is_there_and_nobody_when_they_have_gone(rig: Rig) -> None:
    assert rig.thermometer.read() is None
    rig.twin.set(38.4)
    until(lambda: (rig.body() or 0) > 38, "a reading")
    reading = rig.thermometer.read()
    assert reading is not None
    assert reading.body_celsius == pytest.approx(38.4, abs=0.3)
    assert reading.ambient_celsius == 22.0
    assert reading.read_ns <= time.monotonic_ns()
    rig.twin.set(None)
    until(lambda: rig.body() is None, "nobody there")
    assert rig.thermometer.why_not == ""


def test_drift_of_the_sensor_is_taken_off_by_the_black_body(rig: Rig) -> None:
    rig.twin.inject(ThermalFault.DRIFT, 1.2)
    rig.twin.set(36.6)
    until(lambda: (reading := rig.thermometer.read()) is not None and reading.correction_celsius < -1, "a correction")
    reading = rig.thermometer.read()
    assert reading is not None
    assert reading.body_celsius == pytest.approx(36.6, abs=0.3)
    assert reading.correction_celsius == pytest.approx(-1.2, abs=0.2)


@pytest.mark.parametrize(
    ("fault", "value", "said"),
    [
        (ThermalFault.BLACK_BODY_OFF, None, "the black body is seen at"),
        (ThermalFault.BLACK_BODY_HIDDEN, None, "the black body is not seen"),
        (ThermalFault.DRIFT, 4.0, "the black body is seen at"),
        (ThermalFault.SILENT, None, SILENT),
        (ThermalFault.GARBLE, 0.5, SILENT),
        (ThermalFault.UNPLUG, None, SILENT),
    ],
)
def test_fault_is_not_measured_and_never_fine(rig: Rig, fault: ThermalFault, value: float | None, said: str) -> None:
    rig.twin.set(36.6)
    until(lambda: rig.body() is not None, "a reading before")
    rig.twin.inject(fault, value)
    until(lambda: rig.body() is None and said in rig.thermometer.why_not, f"{fault} is told")
    rig.twin.heal()
    until(lambda: rig.body() is not None and rig.thermometer.why_not == "", "a reading after")


def test_late_measurements_are_measurements(rig: Rig) -> None:
    rig.twin.inject(ThermalFault.LATE, 60)
    rig.twin.set(37.0)
    until(lambda: rig.body() is not None, "a late reading")


def test_line_that_is_lost_is_nobody(rig: Rig) -> None:
    rig.twin.set(36.6)
    until(lambda: rig.body() is not None, "a reading")
    rig.twin.close()
    until(lambda: rig.body() is None and rig.thermometer.why_not == SILENT, "loss of the line")


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


def test_camera_measures_the_face_it_is_aimed_at_and_not_the_lamp() -> None:
    with PtyThermalArray(interval_s=0.01, black_body_box=BLACK_BODY_BOX) as twin:
        twin.face_box, twin.lamp_box = (0.5, 0.4, 0.7, 0.7), (0.85, 0.1, 1.0, 0.3)
        thermometer = SerialThermalArray(
            twin.port,
            correction=CORRECTION,
            black_body_box=(0.02, 0.02, 0.12, 0.16),
            face_camera_box=(0.2, 0.2, 1.0, 1.0),
        )
        thermometer.start()
        try:
            twin.set(36.4)
            until(lambda: (r := thermometer.read()) is not None and r.body_celsius > 41, "the lamp, without a face")
            thermometer.aim(((0.5 - 0.2) / 0.8, (0.4 - 0.2) / 0.8, (0.7 - 0.2) / 0.8, (0.7 - 0.2) / 0.8))
            until(lambda: (r := thermometer.read()) is not None and r.body_celsius < 40, "the face")
            reading = thermometer.read()
            assert reading is not None
            assert reading.body_celsius == pytest.approx(36.4, abs=0.35)
        finally:
            thermometer.stop()


def test_one_noisy_pixel_is_no_fever() -> None:
    celsius = np.full((24, 32), 35.0, np.float32)
    celsius[10, 10] = 41.0
    assert warmest_celsius(celsius, None, without=None) == pytest.approx(37.0)
    assert warmest_celsius(celsius, (2.0, 2.0, 3.0, 3.0), without=None) is None


def test_black_body_behind_somebodys_shoulder_is_not_seen() -> None:
    celsius = np.full((24, 32), 35.0, np.float32)
    assert black_body_celsius(celsius, (0, 0, 0.25, 0.25)) == pytest.approx(35.0)
    celsius[:, :4] = 31.0
    assert black_body_celsius(celsius, (0, 0, 0.25, 0.25)) is None


@pytest.mark.parametrize("line", [b"", b"T=36.6", b"6.62 A=22.1\r", b"T=3x.6 A=22.1\r", b"\xff\x00", b"T=1 A=2 B=\r"])
def test_line_without_measurement_is_none(line: bytes) -> None:
    assert parse_line(line) is None


def test_line_with_measurement_is_read() -> None:
    assert parse_line(b"T=36.62 A=-2.1\r") == LineMeasurement(
        body_celsius=36.62, ambient_celsius=-2.1, black_body_celsius=None
    )
    assert parse_line(b"T=-- A=22.0 B=34.98\r") == LineMeasurement(
        body_celsius=None, ambient_celsius=22.0, black_body_celsius=34.98
    )


@given(st.binary(max_size=400))
def test_any_bytes_are_a_picture_or_none(data: bytes) -> None:
    frame = decode_frame(data)
    assert frame is None or frame.celsius.ndim == 2


@given(st.integers(0, 65535), st.integers(1, 8), st.integers(1, 8), st.floats(-40, 85))
def test_picture_comes_through_the_line(sequence: int, rows: int, columns: int, ambient: float) -> None:
    celsius = np.linspace(-20, 60, rows * columns, dtype=np.float32).reshape(rows, columns)
    sent = encode_frame(ThermalFrame(sequence=sequence, ambient_celsius=ambient, celsius=celsius))
    assert sent.count(b"\x00") == 1
    found = decode_frame(sent[:-1])
    assert found is not None
    assert found.sequence == sequence
    np.testing.assert_allclose(found.celsius, celsius, atol=0.006)


@pytest.mark.parametrize("ambient", [9.9, 35.1])
def test_ambient_out_of_range_measures_nobody(ambient: float) -> None:
    found = correct(36.6, ambient_celsius=ambient, black_body_celsius=None, by=Correction())
    assert isinstance(found, Untrusted)
    assert "ambient" in found.reason


def test_cool_hall_is_compensated_where_a_site_says_so() -> None:
    found = correct(
        34.6, ambient_celsius=13.0, black_body_celsius=34.5, by=Correction(black_body_celsius=35.0, ambient_gain=0.1)
    )
    assert isinstance(found, Corrected)
    assert found.body_celsius == pytest.approx(34.6 + 0.5 + 1.0)
    assert found.added_celsius == pytest.approx(1.5)


@given(st.floats(allow_nan=True, allow_infinity=True), st.floats(allow_nan=True), st.floats(allow_nan=True))
def test_what_is_no_number_is_never_a_reading(body: float, ambient: float, black: float) -> None:
    found = correct(body, ambient_celsius=ambient, black_body_celsius=black, by=CORRECTION)
    if isinstance(found, Corrected):
        assert 28 <= found.body_celsius <= 45
        assert abs(BLACK_BODY - black) <= 2


def test_cup_of_tea_is_nobody() -> None:
    assert correct(60.0, ambient_celsius=22, black_body_celsius=None, by=Correction()) == Nobody()


@pytest.mark.parametrize("kind", [SerialLineThermometer, SerialThermalArray])
def test_missing_port_is_one_clear_sentence(kind: type[SerialThermometer]) -> None:
    with pytest.raises(DeviceError, match=r"/dev/nothing-here does not exist; plug"):
        kind("/dev/nothing-here").start()
