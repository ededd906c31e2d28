"""The face cameras of a lane as one source: the frames of whichever sees the traveller better.

A lane may have a second face camera, at another height for children and for people in wheelchairs. The watch goes on with one of
them, because signs of life need an unbroken view; at times it glances through the other one, which counts people too, and changes over when
that one sees a clearly better face, or when the one it looks through falls silent.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from drivers.camera.interface import Camera, Frame
from models.face import Face, FaceTracker, assess

GLANCE_NS = 250_000_000
"""So often the other camera is looked through."""
CHANGE_RATIO = 1.25
"""So much better the other camera's face must be: two views that are nearly as good must not take turns."""
REFUSED_SHARE = 0.3
"""What a face that quality refuses is worth beside one that it accepts."""
STALE_NS = 500_000_000
AGREEING_GLANCES = 2
"""So many glances after one another must show company: one may show a poster."""
DWELL_NS = 1_000_000_000
"""So long a camera that sees a face is kept: each change begins comparison and signs of life anew."""


class Why(StrEnum):
    """Why a camera is watched."""

    FIRST = "first"
    """Nobody has been seen yet: the one that was watched before."""
    BETTER_FACE = "better_face"
    NO_FACE = "no_face"
    """The one before saw nobody, and this one does."""
    SILENT = "silent"
    """The one before gave no picture."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """Which camera is watched (0 is the first), since when (monotonic ns), why, and the scores of both faces at that moment, 0..1."""

    camera: int
    since_ns: int
    why: Why
    score: float = 0.0
    other_score: float = 0.0


Observer = Callable[[int, Frame, tuple[Face, ...]], None]
"""Told of each frame that was looked at: the camera's number, the frame and its faces, largest first. Must return at once."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Seen:
    """One frame with its faces, largest first. ``people``: inside the lane, through any camera. ``is_changed``: the first frame of another
    camera than the one before."""

    frame: Frame
    faces: tuple[Face, ...]
    people: int
    is_changed: bool


class FaceSources:
    """One or two cameras, each with a tracker of its own. Used by one thread; the cameras are started and stopped by others."""

    def __init__(
        self,
        cameras: Sequence[Camera],
        *,
        make_tracker: Callable[[], FaceTracker],
        count: Callable[[tuple[Face, ...]], int],
        now_ns: Callable[[], int] = time.monotonic_ns,
        observer: Observer = lambda _camera, _frame, _faces: None,
    ) -> None:
        """``count``: how many of the faces of one frame are people inside the lane. Raises ValueError without a camera."""
        if not cameras:
            raise ValueError("a lane needs a face camera")
        self._views = [_View(camera, make_tracker()) for camera in cameras]
        self._count = count
        self._now_ns = now_ns
        self._observer = observer
        self._glanced_ns = 0
        self.choice = Choice(camera=0, since_ns=now_ns() - DWELL_NS, why=Why.FIRST)

    @property
    def _current(self) -> int:
        return self.choice.camera

    def begin(self) -> None:
        """Somebody else comes: who they are and how tall decides anew which camera is better."""
        self._glanced_ns = 0
        self.choice = Choice(camera=self.choice.camera, since_ns=self._now_ns() - DWELL_NS, why=Why.FIRST)
        for view in self._views:
            view.forget()

    def read(self, timeout_s: float) -> Seen | None:
        """Return the next frame, waiting up to ``timeout_s`` for it; None when no camera gave one."""
        current = self._views[self._current]
        wait_s = timeout_s / len(self._views)
        frame = current.camera.read(wait_s)
        if frame is not None:
            current.look(frame, is_scored=len(self._views) > 1)
            self._observer(self._current, frame, current.faces)
        if len(self._views) > 1 and self._is_glance_due(current, has_frame=frame is not None):
            other = self._glance(0.0 if frame is not None else wait_s)
            why = None if other is None else self._why_change(current, other, has_frame=frame is not None)
            if other is not None and why is not None:
                self.choice = Choice(
                    camera=self._views.index(other),
                    since_ns=self._now_ns(),
                    why=why,
                    score=other.score,
                    other_score=current.score,
                )
                return self._seen(other, is_changed=True)
        return None if frame is None else self._seen(current, is_changed=False)

    def _why_change(self, current: "_View", other: "_View", *, has_frame: bool) -> Why | None:
        """None: the camera that is watched stays so."""
        if not has_frame:
            return Why.SILENT
        if current.score == 0.0:
            return Why.NO_FACE if other.score > 0.0 else None
        if self._now_ns() - self.choice.since_ns < DWELL_NS or other.score <= CHANGE_RATIO * current.score:
            return None
        return Why.BETTER_FACE

    def _seen(self, view: "_View", *, is_changed: bool) -> Seen | None:
        if view.frame is None:
            return None
        company = [other.people for other in self._views if other is not view and other.company >= AGREEING_GLANCES]
        people = max([self._count(view.faces), *company])
        return Seen(frame=view.frame, faces=view.faces, people=people, is_changed=is_changed)

    def _is_glance_due(self, current: "_View", *, has_frame: bool) -> bool:
        is_blind = not has_frame or current.score == 0.0
        return is_blind or self._now_ns() - self._glanced_ns >= GLANCE_NS

    def _glance(self, wait_s: float) -> "_View | None":
        """Look through the cameras that are not watched; return the one with the best face among those that gave a new frame."""
        self._glanced_ns = self._now_ns()
        fresh = []
        for index, view in enumerate(self._views):
            if index == self._current:
                continue
            frame = view.camera.read(wait_s)
            if frame is None or self._now_ns() - frame.captured_ns > STALE_NS:
                continue
            view.look(frame, is_scored=True)
            self._observer(index, frame, view.faces)
            view.people = self._count(view.faces)
            view.company = view.company + 1 if view.people > 1 else 0
            fresh.append(view)
        return max(fresh, key=lambda view: view.score, default=None)


class _View:
    """One camera and what it showed last."""

    def __init__(self, camera: Camera, tracker: FaceTracker) -> None:
        self.camera = camera
        self._tracker = tracker
        self.forget()

    def forget(self) -> None:
        self.frame: Frame | None = None
        self.faces: tuple[Face, ...] = ()
        self.score = 0.0
        self.people = 0
        self.company = 0
        self._tracker.forget()

    def look(self, frame: Frame, *, is_scored: bool) -> None:
        self.frame = frame
        self.faces = self._tracker.look(frame.image_bgr)
        self.score = 0.0
        if self.faces and is_scored:
            quality = assess(frame.image_bgr, self.faces[0], self.faces)
            self.score = quality.score * (1.0 if quality.is_ok else REFUSED_SHARE)
