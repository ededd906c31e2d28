"""Exposure by the brightness of the face: a camera's own automatic meters the whole picture, and makes a silhouette before a window.

The watch says how bright the face is; a thread of its own tells the camera, since cameras take their time. Manual while a face is
there and badly lit, automatic again some seconds after it has gone.
"""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from drivers.camera.exposure import ExposureControl, ExposureFault, ExposureState
from models.face import Face

Image = NDArray[np.uint8]

TARGET_LEVEL = 128.0
DARKEST, BRIGHTEST = 90.0, 175.0
"""Mean grey of a face within which nothing is changed: skins differ, and their differences are no fault of the light."""
AGREEING_LOOKS = 3
SETTLE_NS = 400_000_000
"""So long a camera may take until its pictures show an order."""
ALONE_NS = 4_000_000_000
_LARGEST_STEP = 2.0
_LEAST_CHANGE = 0.1
"""Cameras have steps: one that is asked for less than this may rightly stay where it is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SetTime:
    """Multiply the exposure time by ``factor``."""

    factor: float


@dataclass(frozen=True, slots=True, kw_only=True)
class SetAutomatic:
    """Let the camera see to it."""


class FaceMetering:
    """Decides. Pure: levels and times in, orders out."""

    def __init__(self) -> None:
        self._is_manual = False
        self._bad_looks = 0
        self._ordered_ns: int | None = None
        self._seen_ns = 0

    def look(self, level: float | None, now_ns: int) -> SetTime | SetAutomatic | None:
        """``level``: the mean grey of the face, 0..255; None: there is no face."""
        if level is None:
            self._bad_looks = 0
            if self._is_manual and now_ns - self._seen_ns >= ALONE_NS:
                self._is_manual = False
                return SetAutomatic()
            return None
        self._seen_ns = now_ns
        if DARKEST <= level <= BRIGHTEST:
            self._bad_looks = 0
            return None
        self._bad_looks += 1
        is_settling = self._ordered_ns is not None and now_ns - self._ordered_ns < SETTLE_NS
        if self._bad_looks < AGREEING_LOOKS or is_settling:
            return None
        self._bad_looks = 0
        self._ordered_ns = now_ns
        self._is_manual = True
        return SetTime(factor=float(np.clip(TARGET_LEVEL / max(level, 1.0), 1 / _LARGEST_STEP, _LARGEST_STEP)))


class ExposureKeeper:
    """One camera's. :meth:`look` returns at once; the camera is told by a thread of the keeper."""

    def __init__(
        self,
        control: ExposureControl,
        *,
        on_fault: Callable[[str | None], None] = lambda _reason: None,
        now_ns: Callable[[], int] = time.monotonic_ns,
    ) -> None:
        """``on_fault`` is told, by the keeper's thread, why the camera takes no orders any more, and (None) that it takes them again."""
        self._control = control
        self._on_fault = on_fault
        self._now_ns = now_ns
        self._metering = FaceMetering()
        self._changed = threading.Condition()
        self._waiting: SetTime | SetAutomatic | None = None
        self._is_stopping = False
        self._has_ordered = False
        self.fault: str | None = None
        """Why the last order was not taken; None when it was."""
        self._thread = threading.Thread(target=self._run, name="exposure", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Hands the exposure back to the camera if it was ever taken; returns when that is done."""
        with self._changed:
            self._is_stopping = True
            self._changed.notify()
        if self._thread.is_alive():
            self._thread.join()
        if self._has_ordered:
            self._control.set_auto()
        self._control.close()

    def look(self, image_bgr: Image, faces: tuple[Face, ...]) -> None:
        """Take one frame with its faces, largest first."""
        order = self._metering.look(face_level(image_bgr, faces[0]) if faces else None, self._now_ns())
        if order is not None:
            with self._changed:
                self._waiting = order
                self._changed.notify()

    def _run(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._waiting is not None or self._is_stopping)
                if self._is_stopping:
                    return
                order, self._waiting = self._waiting, None
            if order is not None:
                self._has_ordered = True
                found = self._obey(order)
                self._note(None if found is None else found.reason)

    def _note(self, reason: str | None) -> None:
        is_news = (reason is None) != (self.fault is None)
        self.fault = reason
        if is_news:
            self._on_fault(reason)

    def _obey(self, order: SetTime | SetAutomatic) -> ExposureFault | None:
        if isinstance(order, SetAutomatic):
            return self._control.set_auto()
        state = self._control.read()
        if isinstance(state, ExposureFault):
            return state
        # A camera that keeps its automatic time to itself begins in the middle of what it can.
        time_us = state.time_us or round((max(1, state.least_us) * state.most_us) ** 0.5)
        wanted_us = min(max(round(time_us * order.factor), state.least_us), state.most_us)
        refused = self._control.set_time_us(wanted_us)
        return refused or self._stuck(state, wanted_us)

    def _stuck(self, before: ExposureState, wanted_us: int) -> ExposureFault | None:
        """A camera that says yes and stays as it was: what it does is asked, not what it answered."""
        now = self._control.read()
        if isinstance(now, ExposureFault):
            return now
        is_asked_little = (
            before.time_us is not None and abs(wanted_us - before.time_us) <= _LEAST_CHANGE * before.time_us
        )
        if is_asked_little or (now.is_auto, now.time_us) != (before.is_auto, before.time_us):
            return None
        return ExposureFault(reason="stuck: it takes orders and does not change")


def face_level(image_bgr: Image, face: Face) -> float:
    """The mean grey of the middle of a face, 0..255."""
    x, y, width, height = (float(value) for value in face.box_px)
    rows, columns = image_bgr.shape[:2]
    left, right = max(0, int(x + 0.25 * width)), min(columns, int(x + 0.75 * width) + 1)
    top, bottom = max(0, int(y + 0.25 * height)), min(rows, int(y + 0.75 * height) + 1)
    if left >= right or top >= bottom:
        return TARGET_LEVEL
    part = np.ascontiguousarray(image_bgr[top:bottom:2, left:right:2])
    return float(cv2.cvtColor(part, cv2.COLOR_BGR2GRAY).mean())
