"""The kiosk's light as a signal: samples a face's regions while a plan is shown, and asks :mod:`models.pad.challenge` for the answer."""

import cv2
import numpy as np
from numpy.typing import NDArray

from models.face.detect import Face
from models.face.embed import similarity_transform
from models.pad.challenge import LightAnswer, LightPlan, RegionSample, answer, linear
from models.pad.frame import Image, PadFrame

LONGEST_LAG_MS = 1_000
_SIDE_PX = 64
_REFERENCE = np.array([[20, 24], [44, 24], [32, 38], [23, 49], [41, 49]], np.float64)
_REGIONS = {
    "forehead": (slice(6, 15), slice(22, 42)),
    "right_cheek": (slice(36, 44), slice(12, 22)),
    "left_cheek": (slice(36, 44), slice(42, 52)),
    "nose": (slice(30, 40), slice(28, 36)),
    "chin": (slice(55, 62), slice(26, 38)),
}
_SHAPE_OF_A_FACE = 0.12
_LEAST_GAIN = 0.01


class LightSignal:
    """``score``: -1 .. 1, the correlation of the face's colours with the plan's, lessened where all regions answer alike.

    None before a whole plan was shown and watched. Sees: still pictures of paper (no shape), films and screens (no answer, or one that
    was not asked for). Does not see: a mask. Needs a hall that is not much brighter than the kiosk's screen.
    """

    name = "light"

    def __init__(self) -> None:
        self._plan: LightPlan | None = None
        self._began_ns = 0
        self._samples: list[RegionSample] = []
        self._answer: LightAnswer | None = None

    @property
    def score(self) -> float | None:
        found = self._answer
        if found is None:
            return None
        if found.gain < _LEAST_GAIN:
            return 0.0
        return float(found.correlation * min(1.0, found.shape / _SHAPE_OF_A_FACE))

    def show(self, plan: LightPlan, now_ns: int) -> None:
        """The kiosk is told now to show ``plan``; what was seen before does not count."""
        self.reset()
        self._plan, self._began_ns = plan, now_ns

    def feed(self, frame: PadFrame) -> None:
        if self._plan is None or self._answer is not None:
            return
        at_ms = (frame.captured_ns - self._began_ns) / 1e6
        if at_ms < 0:
            return
        self._samples.append(RegionSample(at_ms=at_ms, rgb=region_colours(frame.image_bgr, frame.face)))
        if at_ms >= self._plan.duration_ms + LONGEST_LAG_MS:
            self._answer = answer(self._plan, self._samples)

    def reset(self) -> None:
        self._plan = None
        self._samples = []
        self._answer = None


def region_colours(image_bgr: Image, face: Face) -> NDArray[np.float64]:
    """Mean linear-light colours (RGB) of forehead, cheeks, nose and chin: float64 (5, 3)."""
    matrix = similarity_transform(face.landmarks_px.astype(np.float64), _REFERENCE)
    crop = cv2.warpAffine(image_bgr, matrix, (_SIDE_PX, _SIDE_PX), flags=cv2.INTER_LINEAR)
    return np.stack([linear(crop[part][..., ::-1]).mean(axis=(0, 1)) for part in _REGIONS.values()])
