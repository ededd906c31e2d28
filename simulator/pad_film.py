"""A living person as the lane's face camera sees them: walking up for two seconds, then standing, turning their head a little and blinking.

Rendered once; shown by the clock, so that movement is as fast as it should be however often the camera asks.
"""

import threading
from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache

import numpy as np

from simulator.frames import empty_face_frame
from simulator.images import encode
from simulator.pad_head import Expression, Head
from simulator.pad_sequences import Blinks, Motion, Wander, present
from simulator.pad_species import Species
from simulator.photos import Photo

WALK_S = 2.0
STAND_S = 2.4
FRAMES_PER_S = 12.0
_APART_PX = 135.0
_COMPANY_PX = 170.0


class Film:
    """JPEG pictures at fixed intervals, from the first on when it is first asked for; at the end the last ``loop`` run back and forth."""

    def __init__(self, pictures: Sequence[bytes], *, interval_ns: int, loop: int) -> None:
        """Raises ValueError if there are no pictures, or fewer than ``loop``."""
        if not 0 < loop <= len(pictures):
            raise ValueError("a film needs pictures, and a loop no longer than itself")
        self._pictures = tuple(pictures)
        self._interval_ns = interval_ns
        self._loop = loop
        self._lock = threading.Lock()
        self._started_ns: int | None = None

    def __call__(self, now_ns: int) -> bytes:
        """The picture of the monotonic time ``now_ns``."""
        with self._lock:
            if self._started_ns is None:
                self._started_ns = now_ns
            number = max(0, now_ns - self._started_ns) // self._interval_ns
        return self._pictures[self._place(number)]

    def again(self) -> "Film":
        """The same film, not begun."""
        return Film(self._pictures, interval_ns=self._interval_ns, loop=self._loop)

    def _place(self, number: int) -> int:
        last = len(self._pictures) - 1
        if number <= last or self._loop == 1:
            return min(number, last)
        period = 2 * (self._loop - 1)
        back = (number - last) % period
        return last - min(back, period - back)


@lru_cache(maxsize=16)
def film_of(photo: Photo, *, seed: int, species: Species = Species.LIVE) -> Film:
    """One person's way to the line, or a picture of them carried there."""
    rng = np.random.default_rng(seed)
    seconds = WALK_S + STAND_S
    frames = present(species, photo, rng=rng, seconds=seconds, frames_per_s=FRAMES_PER_S, walk_s=WALK_S, glances=True)
    return _film([encode(frame.image_bgr) for frame in frames])


@lru_cache(maxsize=4)
def film_of_two(first: Photo, second: Photo, *, seed: int) -> Film:
    """Two people side by side at the line, both alive."""
    rng = np.random.default_rng(seed)
    heads = [Head(first), Head(second)]
    motions = [Motion(rng, is_held=False) for _ in heads]
    blinks = [Blinks(rng) for _ in heads]
    light = Wander(rng, 0.02)
    pictures = []
    for i in range(round(STAND_S * FRAMES_PER_S)):
        at_s = i / FRAMES_PER_S
        frame = empty_face_frame(rng=rng)
        for side, head, motion, lids in zip((-1, 1), heads, motions, blinks, strict=True):
            pose = motion.pose(at_s)
            pose = replace(pose, x_px=pose.x_px + side * _APART_PX, face_px=_COMPANY_PX * (1 + light(at_s)))
            head.draw(frame, pose, Expression(lids_closed=lids.closed(at_s)))
        pictures.append(encode(frame))
    return _film(pictures)


def _film(pictures: list[bytes]) -> Film:
    return Film(pictures, interval_ns=round(1e9 / FRAMES_PER_S), loop=round(STAND_S * FRAMES_PER_S))
