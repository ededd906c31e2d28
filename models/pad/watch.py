"""All signals on one face, frame by frame, for as long as it is surely the same face."""

from collections.abc import Sequence

import cv2
import numpy as np

from models.face.detect import Face
from models.pad.border import BorderSignal
from models.pad.flow import FlowTracker
from models.pad.frame import Image, PadFrame, PadSignal
from models.pad.fusion import PadFusion, PadResult
from models.pad.planarity import PlanaritySignal, SurroundSignal
from models.pad.texture import ColourSignal, DetailSignal, MoireSignal

LONGEST_GAP_NS = 500_000_000
_FARTHEST_FACES = 0.75
_LARGEST_GROWTH = 1.5


def motion_signals() -> tuple[PadSignal, ...]:
    """The signals that need movement and no model."""
    return (PlanaritySignal(), SurroundSignal(), BorderSignal())


def still_signals() -> tuple[PadSignal, ...]:
    """The signals that a single picture can feed."""
    return (MoireSignal(), DetailSignal(), ColourSignal())


class PadWatch:
    """Feeds one track to the signals. Not thread-safe.

    A track is broken when the face was away for half a second, or jumped, or changed its size at once: somebody else, or a picture
    held up, may be there now, and nothing seen before counts for them.
    """

    def __init__(
        self,
        signals: Sequence[PadSignal],
        *,
        slow_signals: Sequence[PadSignal] = (),
        fusion: PadFusion | None = None,
    ) -> None:
        """``slow_signals`` are fed only with frames for which :meth:`feed` is told to be thorough."""
        self._quick = tuple(signals)
        self._signals = (*signals, *slow_signals)
        self._fusion = fusion or PadFusion()
        self._flow = FlowTracker()
        self._last: tuple[Face, int] | None = None
        self.frames = 0

    def feed(self, image_bgr: Image, face: Face, captured_ns: int, *, is_thorough: bool = True) -> bool:
        """Take a frame with the face that is followed; False if the track broke before it and everything began anew."""
        is_same = self._last is not None and is_same_face(*self._last, face, captured_ns)
        is_first = self._last is None
        if not is_same:
            self.reset()
        self._last = (face, captured_ns)
        self.frames += 1
        grey = cv2.cvtColor(image_bgr, cv2.COLOR_BGR2GRAY).astype(np.uint8, copy=False)
        frame = PadFrame(
            image_bgr=image_bgr,
            grey=grey,
            face=face,
            captured_ns=captured_ns,
            flow=self._flow.follow(grey, face, captured_ns),
        )
        for signal in self._signals if is_thorough else self._quick:
            signal.feed(frame)
        return is_same or is_first

    def reset(self) -> None:
        """Begin anew."""
        self._last = None
        self.frames = 0
        self._flow.reset()
        for signal in self._signals:
            signal.reset()

    @property
    def scores(self) -> dict[str, float | None]:
        """Every signal's score by name."""
        return {signal.name: signal.score for signal in self._signals}

    def judge(self) -> PadResult:
        """What the frames of this track say so far."""
        hashes = {signal.name: value for signal in self._signals if (value := getattr(signal, "model_hash", None))}
        return self._fusion.judge(self.scores, model_hashes=hashes)


def is_same_face(before: Face, before_ns: int, now: Face, now_ns: int) -> bool:
    """Whether ``now`` continues ``before``: soon after it, near it, and about as large."""
    size = max(float(before.box_px[2]), 1.0)
    moved = np.linalg.norm(before.landmarks_px.mean(axis=0) - now.landmarks_px.mean(axis=0)) / size
    growth = now.inter_eye_px / max(before.inter_eye_px, 1e-6)
    is_near = bool(moved < _FARTHEST_FACES) and 1 / _LARGEST_GROWTH < growth < _LARGEST_GROWTH
    return 0 <= now_ns - before_ns <= LONGEST_GAP_NS and is_near
