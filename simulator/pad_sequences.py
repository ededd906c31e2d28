"""Presentations to a face camera, rendered: people who are there, and pictures of them that are held up.

Each is a sequence of 640x480 frames with times. The attack species are named as ``gate eval pad`` reports them. All of it is
synthetic: what a signal does here says that it sees the geometry it was made for, not how often it errs on real people, paper and screens.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from simulator.frames import empty_face_frame
from simulator.images import encode
from simulator.pad_head import HEAD_FACE_PX, Expression, Head
from simulator.pad_media import cut_out, on_screen, printed
from simulator.pad_species import Species
from simulator.pad_surface import Pose, Surface, bent, draw, flat
from simulator.photos import Photo

Image = NDArray[np.uint8]

FRAME_SIZE_PX = (640, 480)
JPEG_QUALITY = 88
_NEAR_PX, _FAR_PX = 235.0, 95.0
_BLINK_S = 0.26
_GLANCE_DEG, _GLANCE_S = 11.0, 0.3


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class TimedFrame:
    """``image_bgr`` uint8 (480, 640, 3); ``at_s`` seconds since the first."""

    image_bgr: Image
    at_s: float


class Wander:
    """A smooth wandering number: three slow waves with phases by chance. ``size`` is about the largest value."""

    def __init__(self, rng: np.random.Generator, size: float, *, slow_hz: float = 0.15, fast_hz: float = 0.8) -> None:
        self._hz = rng.uniform(slow_hz, fast_hz, 3)
        self._phase = rng.uniform(0, 2 * np.pi, 3)
        self._size = size * rng.uniform(0.6, 1.2) / 2

    def __call__(self, at_s: float) -> float:
        return float(self._size * np.sin(2 * np.pi * self._hz * at_s + self._phase).sum())


class Motion:
    """How something is carried: by a neck (``is_held`` false) or by a hand."""

    def __init__(self, rng: np.random.Generator, *, is_held: bool, walk_s: float = 0.0, glances: bool = False) -> None:
        """``glances``: on arriving, a look to the side and back, as people do who look for the screen that tells them what to do."""
        turn = (7.0, 5.0, 3.0) if is_held else (6.0, 3.5, 1.5)
        self._turns = [Wander(rng, size) for size in turn]
        self._shifts = [Wander(rng, size) for size in ((16.0, 11.0) if is_held else (13.0, 5.0))]
        self._size = Wander(rng, 0.04 if is_held else 0.02)
        self._walk_s = walk_s
        self._glance_deg = _GLANCE_DEG if glances else 0.0
        self._near_px = _NEAR_PX * rng.uniform(0.9, 1.05)
        self._middle = 320 + rng.uniform(-20, 20), 222 + rng.uniform(-8, 8)

    def pose(self, at_s: float) -> Pose:
        """Where it is then."""
        share = min(1.0, at_s / self._walk_s) if self._walk_s > 0 else 1.0
        # Size goes with the inverse of the distance, and that falls evenly as somebody walks.
        face_px = 1 / ((1 - share) / _FAR_PX + share / self._near_px)
        return Pose(
            x_px=self._middle[0] + self._shifts[0](at_s),
            y_px=self._middle[1] + self._shifts[1](at_s) - (1 - share) * 40,
            face_px=face_px * (1 + self._size(at_s)),
            yaw_deg=self._turns[0](at_s) + self._glance_deg * _bump(at_s - self._walk_s),
            pitch_deg=self._turns[1](at_s),
            roll_deg=self._turns[2](at_s),
        )


def _bump(away_s: float) -> float:
    return float(np.exp(-((away_s / _GLANCE_S) ** 2)))


class Blinks:
    """Lids that close every few seconds (adults: some 15 a minute), for a quarter of a second."""

    def __init__(self, rng: np.random.Generator, *, every_s: float = 2.6) -> None:
        gaps = rng.gamma(4.0, every_s / 4, 40)
        self._at_s = np.cumsum(gaps) - rng.uniform(0, gaps[0])

    def closed(self, at_s: float) -> float:
        """0 open .. 1 closed."""
        nearest = float(np.abs(self._at_s - at_s).min())
        return float(np.clip(1.35 - 2.7 * nearest / _BLINK_S, 0, 1))


def present(
    species: Species,
    photo: Photo,
    *,
    rng: np.random.Generator,
    seconds: float = 2.5,
    frames_per_s: float = 15.0,
    walk_s: float = 0.0,
    wearer: Photo | None = None,
    glances: bool = False,
) -> Iterator[TimedFrame]:
    """Render one presentation of ``photo``. ``wearer``: who wears or holds it, where that is seen (a cut-out's eyes)."""
    scene = scenery(rng)
    artist = _Artist(species, photo, rng=rng, walk_s=walk_s, wearer=wearer or photo, glances=glances)
    light = Wander(rng, 0.02)
    for i in range(round(seconds * frames_per_s)):
        at_s = i / frames_per_s
        frame = scene.copy()
        artist.draw(frame, at_s)
        yield TimedFrame(image_bgr=_photographed(frame, 1 + light(at_s), rng), at_s=at_s)


class _Artist:
    def __init__(
        self,
        species: Species,
        photo: Photo,
        *,
        rng: np.random.Generator,
        walk_s: float,
        wearer: Photo,
        glances: bool,
    ) -> None:
        self._species = species
        self._head = Head(photo)
        self._wearer = Head(wearer)
        is_held = species not in (Species.LIVE, Species.PRINT_CUT_OUT)
        self._motion = Motion(rng, is_held=is_held, walk_s=walk_s, glances=glances and not is_held)
        self._inner = Motion(rng, is_held=False)
        self._blinks = Blinks(rng)
        self._speech = Wander(rng, 0.25, fast_hz=1.5)
        self._medium = printed(rng) if "print" in species else on_screen(rng)
        self._still = self._page() if species in _STILL else None

    def draw(self, frame: Image, at_s: float) -> None:
        pose = self._motion.pose(at_s)
        expression = Expression(lids_closed=self._blinks.closed(at_s), mouth_open=max(0.0, self._speech(at_s)))
        if self._species is Species.LIVE:
            self._head.draw(frame, pose, expression)
            return
        if self._species is Species.PRINT_CUT_OUT:
            self._wearer.draw(frame, pose, expression)
            # Paper lies before the face, so the same turn moves it a little more.
            draw(frame, self._still or self._page(), replace(pose, face_px=pose.face_px * 1.03))
            return
        draw(frame, self._still or self._video(at_s, expression), pose)

    def _page(self) -> Surface:
        match self._species:
            case Species.PRINT_CUT_OUT:
                return cut_out(self._head, self._medium)
            case Species.PRINT_BENT:
                return self._medium.of(self._head.surface, depth=bent(0.9))
            case _:
                return self._medium.of(self._head.surface, depth=flat)

    def _video(self, at_s: float, expression: Expression) -> Surface:
        """What the screen shows now: the person moving, recorded once with the face as large as the picture has it."""
        canvas = np.full((2 * HEAD_FACE_PX, 2 * HEAD_FACE_PX, 3), 150, np.uint8)
        pose = replace(self._inner.pose(at_s), face_px=float(HEAD_FACE_PX) * 0.9)
        middle = float(HEAD_FACE_PX)
        self._head.draw(canvas, replace(pose, x_px=middle, y_px=middle * 0.9), expression)
        recorded = replace(
            self._head.surface,
            image=canvas,
            mask=np.ones(canvas.shape[:2], np.float32),
            centre_px=(middle, middle * 0.9),
        )
        return self._medium.of(recorded, depth=flat)


_STILL = frozenset({Species.PRINT_FLAT, Species.PRINT_BENT, Species.PRINT_CUT_OUT, Species.SCREEN_STILL})


def scenery(rng: np.random.Generator) -> Image:
    """A hall with things on its walls: uint8 (480, 640, 3) BGR."""
    frame = empty_face_frame(rng=rng, size=FRAME_SIZE_PX)
    for _ in range(int(rng.integers(3, 9))):
        x, y = int(rng.integers(0, 600)), int(rng.integers(0, 340))
        wide, high = int(rng.integers(20, 120)), int(rng.integers(20, 140))
        colour = tuple(int(value) for value in rng.integers(40, 220, 3))
        cv2.rectangle(frame, (x, y), (x + wide, y + high), colour, -1)
    return cv2.GaussianBlur(frame, (0, 0), float(rng.uniform(0.8, 2.5))).astype(np.uint8, copy=False)


@lru_cache(maxsize=1)
def _grain() -> NDArray[np.int16]:
    """Sensor noise, larger than a frame: drawing a field for each frame would cost more than all the rest."""
    values = np.random.default_rng(2).normal(0, 2.2, (544, 704))
    return np.repeat(np.round(values).astype(np.int16)[..., None], 3, axis=2)


def _photographed(frame: Image, light: float, rng: np.random.Generator) -> Image:
    """A camera's optics, noise and JPEG."""
    soft = cv2.convertScaleAbs(cv2.GaussianBlur(frame, (3, 3), 0.6), alpha=light)
    grain = _grain()
    top, left = (int(rng.integers(0, size)) for size in (grain.shape[0] - 480, grain.shape[1] - 640))
    noisy = cv2.add(soft, grain[top : top + 480, left : left + 640], dtype=cv2.CV_8U)
    jpeg = encode(noisy.astype(np.uint8, copy=False), quality=JPEG_QUALITY)
    decoded = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)
    if decoded is None:
        raise ValueError("a frame that was just encoded cannot be decoded")
    return decoded.astype(np.uint8, copy=False)
