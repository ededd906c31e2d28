"""The face camera's thread: counts the people of a stay in every frame, and compares the best frames with the document's portrait.

Frames are fused as they come: the templates of good frames are averaged, weighted by quality. Two agreeing frames settle a match; a
face that does not match gets :data:`PATIENCE_NS` of good frames before it is referred. Signs of life are looked for from the moment
that somebody may walk in, and a match waits for one as long as the site says (:mod:`gate.lane.liveness`). What was seen of one unbroken
track of a face counts for that face only: if it breaks, comparison and signs of life begin anew together.
"""

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
import structlog
from numpy.typing import NDArray

from drivers.camera.interface import Camera
from gate.lane.eyes import Eyes, Image, encode_jpeg
from gate.lane.face_sources import FaceSources, Observer, Seen
from gate.lane.liveness import Liveness, LiveTrack
from gate.lane.sightings import FaceOutcome, FaceSeen, LightAsked, Sighting, VisionFailed
from models.face import Face, FaceQuality, FaceTracker, align, assess, cosine
from models.pad.challenge import COLOURS

_log = structlog.get_logger(__name__)

FRAME_WAIT_S = 0.25
GOOD_FRAMES = 2
PATIENCE_NS = 2_000_000_000
SHUT_EYES = frozenset({"eye_opening_ratio"})
"""What alone keeps nobody waiting for ever: some eyes are never wide open."""
COUNT_INTERVAL_S = 0.2
MIN_PERSON_EYES_PX = 18.0
"""A face with its eyes nearer than this (pixels of the frame) stands outside the lane."""
SECOND_PERSON_RATIO = 0.35
"""A second face counts as a person inside when its eyes are at least this far apart, relative to the nearest face's."""
AGREEING_FRAMES = 2
"""So many frames after one another must show company before it counts: one frame may be a poster in the detector's eye."""


@dataclass(slots=True, kw_only=True)
class Stay:
    """One stay being looked at. ``reference`` None or ``is_compared``: only people are counted.

    ``is_arriving``: nobody is inside yet, nobody is counted. ``is_followed_on``: who arrived under this ticket is being followed already.
    ``matched_ns``: when the comparison alone would have been settled.
    """

    ticket: int
    started_ns: int
    deadline_ns: int
    reference: NDArray[np.float32] | None
    is_compared: bool
    is_arriving: bool = False
    is_followed_on: bool = False
    matched_ns: int | None = None
    before_ns: int = 0
    first_good_ns: int | None = None
    first_shut_ns: int | None = None
    good_frames: int = 0
    total: NDArray[np.float32] = field(default_factory=lambda: np.zeros(128, np.float32))
    best_quality: float = -1.0
    best_shot: Image | None = None
    hints: tuple[str, ...] = ()
    crowded_frames: int = 0
    most_people: int = 0

    def score(self) -> float | None:
        """The fused cosine so far; None before the first good frame."""
        length = float(np.linalg.norm(self.total))
        if self.good_frames == 0 or self.reference is None or length == 0.0:
            return None
        return cosine((self.total / length).astype(np.float32), self.reference)


class FaceWatch:
    """Works only while there is a stay to watch. ``post`` is called in its thread."""

    def __init__(
        self,
        *,
        cameras: Sequence[Camera],
        eyes: Eyes,
        post: Callable[[Sighting], None],
        timeout_ms: int,
        liveness: Liveness,
        observer: Observer = lambda _camera, _frame, _faces: None,
    ) -> None:
        """``cameras``: one, or two of which the better view is taken. ``timeout_ms``: how long after the start of a stay a
        comparison may take before it is given up.
        """
        self._eyes = eyes
        # Searches as coarsely as counting allows: with the limits of counting, it finds whoever counts.
        self._sources = FaceSources(
            cameras,
            make_tracker=lambda: FaceTracker(
                eyes.detector, smallest_eyes_px=MIN_PERSON_EYES_PX, relative_size=SECOND_PERSON_RATIO
            ),
            count=_people,
            observer=observer,
        )
        self._post = post
        self._timeout_ns = timeout_ms * 1_000_000
        self._life: LiveTrack | None = liveness.begin()
        self._changed = threading.Condition()
        self._stay: Stay | None = None
        self._looked_ticket: int | None = None
        self._is_stopping = False
        self._thread = threading.Thread(target=self._run, name="face-watch", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """End the thread; returns when it has ended."""
        with self._changed:
            self._is_stopping = True
            self._stay = None
            self._changed.notify()
        if self._thread.is_alive():
            self._thread.join(timeout=5.0)

    def arrive(self, ticket: int) -> None:
        """Follow who walks in, and look for signs of life; nobody is counted or compared yet."""
        if self._life is not None:
            self._begin(ticket, None, is_compared=True, is_arriving=True)

    def compare(self, ticket: int, reference: NDArray[np.float32] | None) -> None:
        """Compare whoever is inside with ``reference`` (float32 (128,), copied); without one the outcome has no score."""
        self._begin(ticket, None if reference is None else reference.copy(), is_compared=False)

    def count(self, ticket: int) -> None:
        """Only count people, unless this stay is being looked at already."""
        with self._changed:
            if self._stay is not None and self._stay.ticket == ticket and not self._stay.is_arriving:
                return
        self._begin(ticket, None, is_compared=True)

    def cancel(self) -> None:
        """Stop looking; what is under way is void and its templates are wiped."""
        with self._changed:
            stay, self._stay = self._stay, None
        if stay is not None:
            _wipe(stay)

    def _begin(
        self, ticket: int, reference: NDArray[np.float32] | None, *, is_compared: bool, is_arriving: bool = False
    ) -> None:
        now_ns = time.monotonic_ns()
        stay = Stay(
            ticket=ticket,
            started_ns=now_ns,
            deadline_ns=now_ns + self._timeout_ns,
            reference=reference,
            is_compared=is_compared,
            is_arriving=is_arriving,
        )
        with self._changed:
            before = self._stay
            stay.is_followed_on = before is not None and before.is_arriving and before.ticket == ticket
            self._stay = stay
            self._changed.notify()

    def _run(self) -> None:
        try:
            self._watch()
        except Exception as error:  # noqa: BLE001  carried over to the event loop, which stops the lane
            self._post(VisionFailed(error=error))

    def _watch(self) -> None:
        while True:
            with self._changed:
                while self._stay is None and not self._is_stopping:
                    self._changed.wait()
                if self._is_stopping:
                    return
                stay = self._stay
            if stay is not None:
                self._look(stay)

    def _look(self, stay: Stay) -> None:
        if stay.ticket != self._looked_ticket:
            self._looked_ticket = stay.ticket
            self._sources.begin()
        if self._life is not None and not stay.is_followed_on:
            self._life.forget()
            stay.is_followed_on = True
        before_ns = self._eyes.inference_ns
        seen = self._sources.read(FRAME_WAIT_S)
        if seen is not None and seen.is_changed:
            chosen = self._sources.choice
            _log.info(
                "face_camera_changed",
                camera=chosen.camera + 1,
                why=chosen.why.value,
                score=round(chosen.score, 3),
                other_score=round(chosen.other_score, 3),
            )
            _start_over(stay)
            if self._life is not None:
                self._life.forget()
        if stay.is_arriving:
            self._follow_in(stay, seen)
            return
        if seen is not None and seen.frame.captured_ns >= stay.started_ns:
            self._count(stay, seen.people)
            if not stay.is_compared and stay.crowded_frames == 0:
                self._weigh(stay, seen, before_ns)
        if not stay.is_compared and self._is_decided(stay):
            self._conclude(stay)
        self._tell(stay)
        if stay.is_compared:
            with self._changed:
                if self._stay is stay and not self._is_stopping:
                    self._changed.wait(COUNT_INTERVAL_S)

    def _follow_in(self, stay: Stay, seen: Seen | None) -> None:
        if seen is None or self._life is None or seen.frame.captured_ns < stay.started_ns:
            return
        if seen.faces:
            self._life.feed(seen.frame.image_bgr, seen.faces[0], seen.frame.captured_ns, is_waiting=False)

    def _count(self, stay: Stay, people: int) -> None:
        stay.crowded_frames = stay.crowded_frames + 1 if people > 1 else 0
        seen = people if people <= 1 or stay.crowded_frames >= AGREEING_FRAMES else 1
        stay.most_people = max(stay.most_people, seen)

    def _weigh(self, stay: Stay, seen: Seen, before_ns: int) -> None:
        frame, faces = seen.frame, seen.faces
        if not faces:
            stay.hints = ("look_at_camera",)
            return
        is_waiting = stay.matched_ns is not None
        if self._life is not None and not self._life.feed(
            frame.image_bgr, faces[0], frame.captured_ns, is_waiting=is_waiting
        ):
            _start_over(stay)
        crop = align(frame.image_bgr, faces[0])
        quality = assess(frame.image_bgr, faces[0], faces, crop_rgb=crop)
        if quality.is_ok and not is_waiting:
            quality = self._eyes.closer.assess(frame.image_bgr, faces[0], quality)
        stay.hints = tuple(hint.value for hint in quality.hints)
        if not _is_usable(stay, quality, frame.captured_ns):
            return
        if stay.first_good_ns is None:
            stay.first_good_ns = frame.captured_ns
            stay.before_ns = before_ns
        weight = np.float32(max(quality.score, 0.05))
        stay.total += weight * self._eyes.embedder.embed_aligned(crop)
        stay.good_frames += 1
        if quality.score > stay.best_quality:
            stay.best_quality = quality.score
            stay.best_shot = _around(frame.image_bgr, faces[0])

    def _is_decided(self, stay: Stay) -> bool:
        now_ns = time.monotonic_ns()
        if now_ns >= stay.deadline_ns:
            return True
        score = stay.score()
        if stay.good_frames >= GOOD_FRAMES and score is not None and score >= self._eyes.match_threshold:
            return self._is_alive_settled(stay, now_ns)
        return stay.first_good_ns is not None and now_ns - stay.first_good_ns >= PATIENCE_NS

    def _is_alive_settled(self, stay: Stay, now_ns: int) -> bool:
        """The face matches: whether that is all, or a sign of life is still waited for."""
        if self._life is None:
            return True
        stay.matched_ns = now_ns if stay.matched_ns is None else stay.matched_ns
        waited_ns = now_ns - stay.matched_ns
        hint = self._life.hint(waited_ns)
        if hint is not None:
            stay.hints = (hint,)
        plan = self._life.light(waited_ns, now_ns)
        if plan is not None:
            colours = tuple("#{:02x}{:02x}{:02x}".format(*COLOURS[name]) for name in plan.colours)
            self._post(LightAsked(ticket=stay.ticket, colours=colours, step_ms=plan.step_ms))
        return self._life.is_settled(waited_ns)

    def _conclude(self, stay: Stay) -> None:
        score = stay.score()
        live = None if stay.best_shot is None else encode_jpeg(stay.best_shot)
        outcome = FaceOutcome(
            ticket=stay.ticket,
            score=score,
            threshold=self._eyes.match_threshold,
            hints=stay.hints if score is None else (),
            model_hash=self._eyes.model_hashes["face-embedder"],
            person_count=stay.most_people,
            seen_ns=stay.first_good_ns,
            live_jpeg=live,
            presentation=None if self._life is None else self._life.facts(),
            inference_ns=self._eyes.inference_ns - stay.before_ns if stay.first_good_ns is not None else 0,
        )
        stay.is_compared = True
        _wipe(stay)
        self._tell(stay)  # the guard must know the count before a release can come
        self._post(outcome)

    def _tell(self, stay: Stay) -> None:
        with self._changed:
            if self._stay is not stay:
                return
        hint = None if stay.is_compared or not stay.hints else stay.hints[0]
        self._post(FaceSeen(ticket=stay.ticket, person_count=stay.most_people, hint=hint))


def _is_usable(stay: Stay, quality: FaceQuality, captured_ns: int) -> bool:
    """Whether a frame is compared: a good one, and after :data:`PATIENCE_NS` one in which nothing but the eyes is not open enough."""
    if quality.is_ok:
        return True
    if {part.name for part in quality.failed} != SHUT_EYES:
        return False
    if stay.first_shut_ns is None:
        stay.first_shut_ns = captured_ns
    return captured_ns - stay.first_shut_ns >= PATIENCE_NS


def _start_over(stay: Stay) -> None:
    """Another face may stand there: what was compared so far is not its own."""
    stay.total.fill(0.0)
    stay.good_frames = 0
    stay.first_good_ns = None
    stay.matched_ns = None
    stay.best_quality = -1.0
    stay.best_shot = None


def _people(faces: tuple[Face, ...]) -> int:
    """Faces of people inside the lane: large enough, and not much smaller than the nearest."""
    spans = [face.inter_eye_px for face in faces if face.inter_eye_px >= MIN_PERSON_EYES_PX]
    nearest = max(spans, default=0.0)
    return sum(span >= SECOND_PERSON_RATIO * nearest for span in spans)


def _around(image_bgr: Image, face: Face) -> Image:
    """The face with a margin of half its size, for officers to see."""
    x, y, width, height = (float(value) for value in face.box_px)
    rows, columns = image_bgr.shape[:2]
    left, top = max(0, int(x - width / 2)), max(0, int(y - height / 2))
    right, bottom = min(columns, int(x + 1.5 * width)), min(rows, int(y + 1.5 * height))
    return image_bgr[top:bottom, left:right].copy()


def _wipe(stay: Stay) -> None:
    """Overwrite the templates of a stay."""
    stay.total.fill(0.0)
    if stay.reference is not None:
        stay.reference.fill(0.0)
    stay.best_shot = None
