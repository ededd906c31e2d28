"""Exposure by the face: when a camera is told, and what; automatic again when nobody is there."""

from __future__ import annotations

import threading
import time

import numpy as np
import pytest

from drivers.camera.exposure import ExposureControl, ExposureFault, ExposureState
from gate.lane.exposure import (
    AGREEING_LOOKS,
    ALONE_NS,
    SETTLE_NS,
    ExposureKeeper,
    FaceMetering,
    SetAutomatic,
    SetTime,
    face_level,
)
from models.face import Face

MS = 1_000_000
FACE = Face(box_px=np.array([100, 100, 80, 100], np.float32), landmarks_px=np.zeros((5, 2), np.float32), score=0.9)


def orders(levels: list[float | None], step_ms: int = 100) -> list[SetTime | SetAutomatic]:
    metering = FaceMetering()
    found = (metering.look(level, number * step_ms * MS) for number, level in enumerate(levels))
    return [order for order in found if order is not None]


def test_face_that_is_lit_well_changes_nothing() -> None:
    assert orders([90.0, 120.0, 175.0] * 20) == []


def test_dark_face_must_agree_and_is_brightened_by_at_most_two() -> None:
    assert orders([40.0] * (AGREEING_LOOKS - 1)) == []
    assert orders([40.0] * AGREEING_LOOKS) == [SetTime(factor=2.0)]
    assert orders([80.0] * AGREEING_LOOKS) == [SetTime(factor=1.6)]
    assert orders([250.0] * AGREEING_LOOKS) == [SetTime(factor=pytest.approx(0.512))]


def test_camera_is_given_its_time_before_the_next_order() -> None:
    told = orders([40.0] * 40, step_ms=50)
    assert 1 < len(told) <= 40 * 50 * MS // SETTLE_NS + 1


def test_one_flash_is_no_reason() -> None:
    assert orders([120.0, 250.0, 120.0, 250.0, 250.0, 120.0] * 5) == []


def test_automatic_again_once_nobody_is_there() -> None:
    gone = [None] * (ALONE_NS // (100 * MS) + 2)
    assert orders([40.0] * 3 + gone) == [SetTime(factor=2.0), SetAutomatic()]
    assert orders([120.0] * 3 + gone) == []


def test_level_is_that_of_the_face_and_not_of_the_window_behind() -> None:
    image = np.full((300, 300, 3), 250, np.uint8)
    image[100:200, 100:180] = 60
    assert face_level(image, FACE) == pytest.approx(60, abs=1)
    outside = Face(box_px=np.array([900, 900, 50, 50], np.float32), landmarks_px=FACE.landmarks_px, score=0.9)
    assert orders([face_level(image, outside)] * 9) == []


class Camera(ExposureControl):
    """Brightness follows the exposure time."""

    def __init__(self) -> None:
        self.time_us: int | None = None
        self.is_broken = False
        self.told = threading.Semaphore(0)
        self.closed = False

    def read(self) -> ExposureState | ExposureFault:
        if self.is_broken:
            self.told.release()
            return ExposureFault(reason="gone")
        return ExposureState(is_auto=self.time_us is None, time_us=self.time_us or 4_000, least_us=100, most_us=30_000)

    def set_auto(self) -> ExposureFault | None:
        self.time_us = None
        self.told.release()
        return None

    def set_time_us(self, time_us: int) -> ExposureFault | None:
        self.time_us = time_us
        self.told.release()
        return None

    def close(self) -> None:
        self.closed = True


def test_dark_face_comes_into_the_light_in_a_few_orders() -> None:
    camera = Camera()
    now_ns = 0
    keeper = ExposureKeeper(camera, now_ns=lambda: now_ns)
    keeper.start()
    try:
        for number in range(30):
            now_ns = number * 200 * MS
            level = min(255.0, 30.0 * (camera.time_us or 4_000) / 4_000)
            before = keeper._metering._ordered_ns
            keeper.look(np.full((300, 300, 3), round(level), np.uint8), (FACE,))
            if keeper._metering._ordered_ns != before:
                assert camera.told.acquire(timeout=5)
        assert camera.time_us is not None
        assert 90 <= 30 * camera.time_us / 4_000 <= 175
        assert keeper.fault is None
    finally:
        keeper.stop()
    assert camera.time_us is None
    assert camera.closed


def test_camera_that_takes_no_orders_is_said_and_holds_nobody_up() -> None:
    camera = Camera()
    camera.is_broken = True
    keeper = ExposureKeeper(camera, now_ns=lambda: 10**12)
    keeper.start()
    try:
        for _ in range(AGREEING_LOOKS):
            keeper.look(np.full((300, 300, 3), 20, np.uint8), (FACE,))
        assert camera.told.acquire(timeout=5)
        deadline_s = time.monotonic() + 5
        while keeper.fault is None and time.monotonic() < deadline_s:
            time.sleep(0.001)
        assert keeper.fault == "gone"
    finally:
        keeper.stop()


class StuckCamera(Camera):
    """Says yes to every order and stays as it is, until somebody looks at it."""

    is_stuck = True

    def set_time_us(self, time_us: int) -> ExposureFault | None:
        if not self.is_stuck:
            self.time_us = time_us
        self.told.release()
        return None


def test_camera_that_says_yes_and_does_not_change_is_told_once_and_told_when_it_follows_again() -> None:
    camera = StuckCamera()
    told: list[str | None] = []
    heard = threading.Semaphore(0)

    def hear(reason: str | None) -> None:
        told.append(reason)
        heard.release()

    now_ns = 0
    keeper = ExposureKeeper(camera, on_fault=hear, now_ns=lambda: now_ns)
    keeper.start()

    def order() -> None:
        nonlocal now_ns
        for _ in range(AGREEING_LOOKS):
            now_ns += SETTLE_NS
            keeper.look(np.full((300, 300, 3), 20, np.uint8), (FACE,))
        assert camera.told.acquire(timeout=5)

    try:
        order()
        assert heard.acquire(timeout=5)
        order()
        camera.is_stuck = False
        order()
        assert heard.acquire(timeout=5)
        assert told == ["stuck: it takes orders and does not change", None]
    finally:
        keeper.stop()
