"""Times of capture: what is believed, what is not, and what a busy way does not move. Frozen and dark views by the clock."""

import random

import cv2
import numpy as np
import pytest

from drivers.camera.health import PictureWatch, bright_level
from drivers.camera.interface import StampSource
from drivers.camera.limits import HealthLimits
from drivers.camera.stamps import MAX_AGE_NS, StreamClock, device_stamp

MS = 1_000_000
S = 1_000 * MS


@pytest.mark.parametrize("stated_ns", [0, -5, 101 * S, 100 * S - MAX_AGE_NS - 1])
def test_stamp_from_another_clock_is_not_believed(stated_ns: int) -> None:
    assert device_stamp(stated_ns, 100 * S) == (100 * S, StampSource.ARRIVAL)


def test_stamp_of_this_hosts_clock_is_believed() -> None:
    assert device_stamp(100 * S - 30 * MS, 100 * S) == (100 * S - 30 * MS, StampSource.DEVICE)


def test_jitter_of_the_way_does_not_move_frames() -> None:
    rng, clock = random.Random(1), StreamClock()
    errors = []
    for number in range(1, 200):
        taken_ns = 5 * S + number * 40 * MS
        arrived_ns = taken_ns + 20 * MS + rng.randrange(35 * MS)
        stamp_ns, source = clock.stamp(number * 40 * MS, arrived_ns)
        assert source is StampSource.STREAM
        assert stamp_ns <= arrived_ns
        errors.append((stamp_ns - taken_ns) / MS)
    assert min(errors[20:]) >= 20.0  # the fixed part of the way cannot be known, and is not taken off
    assert max(errors[20:]) - min(errors[20:]) < 3.0


def test_clock_that_runs_fast_is_followed() -> None:
    clock = StreamClock()
    for number in range(1, 25 * 600):
        true_ns = number * 40 * MS
        stamp_ns, _ = clock.stamp(round(true_ns * 1.0002), true_ns + 10 * MS)
        assert abs(stamp_ns - true_ns) < 20 * MS


def test_stream_that_begins_again_is_reckoned_anew() -> None:
    clock = StreamClock()
    clock.stamp(10 * S, 100 * S)
    clock.stamp(10 * S + 40 * MS, 100 * S + 40 * MS)
    assert clock.stamp(40 * MS, 101 * S) == (101 * S, StampSource.STREAM)
    assert clock.stamp(80 * MS, 101 * S + 70 * MS) == (101 * S + 40 * MS, StampSource.STREAM)


def test_stream_without_times_is_stamped_on_arrival() -> None:
    assert StreamClock().stamp(0, 7 * S) == (7 * S, StampSource.ARRIVAL)


def noisy(level: int, seed: int) -> np.ndarray:
    return np.clip(np.random.default_rng(seed).normal(level, 2, (48, 64, 3)), 0, 255).astype(np.uint8)


@pytest.mark.parametrize("is_encoded", [False, True])
def test_picture_is_frozen_once_it_stood_still_so_long(is_encoded: bool) -> None:
    def picture(seed: int) -> np.ndarray | bytes:
        image = noisy(120, seed)
        return cv2.imencode(".jpg", image)[1].tobytes() if is_encoded else image

    watch = PictureWatch(HealthLimits(frozen_after_ms=1000))
    assert [watch.feed(picture(seed), seed * 100 * MS) for seed in range(30)] == [None] * 30
    assert watch.feed(picture(99), 3000 * MS) is None
    assert watch.feed(picture(99), 3999 * MS) is None
    said = watch.feed(picture(99), 4000 * MS)
    assert said is not None
    assert "frozen: the same for 1.0 s" in said
    assert watch.feed(picture(100), 4040 * MS) is None
    assert not watch.is_frozen


def test_covered_lens_is_told_after_its_time_and_taken_back_in_light() -> None:
    watch = PictureWatch(HealthLimits(dark_after_ms=1000))
    assert watch.feed(noisy(120, 0), 0) is None
    told = [watch.feed(noisy(8, seed), seed * 300 * MS) for seed in range(1, 6)]
    assert told[:4] == [None] * 4
    assert told[4] is not None
    assert "covered" in told[4]
    assert watch.feed(noisy(120, 7), 2000 * MS) is None


def test_small_bright_thing_in_a_dark_hall_is_light() -> None:
    image = noisy(8, 1)
    image[10:20, 10:20] = 200
    assert (bright_level(image) or 0) > 100
    assert bright_level(b"no picture") is None


def test_no_limits_no_fault() -> None:
    watch = PictureWatch(HealthLimits())
    assert [watch.feed(noisy(3, 1), i * S) for i in range(20)] == [None] * 20
