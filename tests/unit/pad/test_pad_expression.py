"""Blinks and lips, from scripted lids: what begins and ends is a sign of life, drift and noise are none, silence tells only after long."""

from collections.abc import Callable

import numpy as np
import pytest

from models.face import Face
from models.face.mesh import INNER_LIPS, OUTER_LIPS, Mesh
from models.pad.expression import ExpressionSignal, mouth_ratio
from models.pad.frame import Image, PadFrame, still

FACE = Face(
    box_px=np.array([50, 30, 40, 50], np.float32),
    landmarks_px=np.array([[60, 45], [80, 45], [70, 55], [63, 68], [77, 68]], np.float32),
    score=0.9,
)
IMAGE = np.zeros((120, 160, 3), np.uint8)
FRAMES_PER_S = 15.0


def mesh(parted_px: float, confidence: float = 0.99) -> Mesh:
    """A mouth 40 px wide whose lips are so far apart."""
    points = np.zeros((468, 2), np.float32)
    turn = np.linspace(0, 2 * np.pi, len(INNER_LIPS), endpoint=False)
    points[list(INNER_LIPS)] = np.stack([50 + 18 * np.cos(turn), 60 + parted_px / 2 * np.sin(turn)], axis=1)
    points[OUTER_LIPS[0]], points[OUTER_LIPS[10]] = (30, 60), (70, 60)
    return Mesh(points_px=points, depth=np.zeros(468, np.float32), confidence=confidence)


class Scripted:
    """Lids and lips by the time of the frame."""

    def __init__(self, lids: Callable[[float], float], lips_px: Callable[[float], float], sure: float = 0.99) -> None:
        self._lids, self._lips_px, self._sure = lids, lips_px, sure
        self.at_s = 0.0

    def look(self, picture_bgr: Image, face: Face) -> Mesh:
        return mesh(self._lips_px(self.at_s), self._sure)

    def openness(self, picture_bgr: Image, mesh: Mesh) -> tuple[float, float]:
        return self._lids(self.at_s), self._lids(self.at_s) * 0.95


def watched(script: Scripted, seconds: float) -> ExpressionSignal:
    signal = ExpressionSignal(script, script)
    frame = still(IMAGE, FACE)
    for i in range(round(seconds * FRAMES_PER_S)):
        script.at_s = i / FRAMES_PER_S
        at_ns = round(script.at_s * 1e9)
        signal.feed(PadFrame(image_bgr=IMAGE, grey=frame.grey, face=FACE, captured_ns=at_ns))
    return signal


def blink(at_s: float, *, middle_s: float = 1.0, deepest: float = 0.8) -> float:
    return 0.3 * (1 - deepest * max(0.0, 1 - abs(at_s - middle_s) / 0.13))


def test_a_blink_is_a_sign_of_life() -> None:
    score = watched(Scripted(blink, lambda _: 2.0), 2.0).score
    assert score is not None
    assert score > 0.5


def test_lips_that_part_and_close_are_one_too() -> None:
    score = watched(Scripted(lambda _: 0.3, lambda at_s: 2.0 + 14 * (0.9 < at_s < 1.2)), 2.0).score
    assert score is not None
    assert score > 0.3


@pytest.mark.parametrize(
    "lids",
    [
        lambda at_s: 0.3 + 0.02 * np.sin(40 * at_s),  # noise
        lambda at_s: 0.3 - 0.06 * at_s,  # a head that sinks
        lambda at_s: 0.3 if at_s < 1 else 0.05,  # closed for good
    ],
)
def test_noise_drift_and_what_does_not_come_back_are_none(lids: Callable[[float], float]) -> None:
    assert watched(Scripted(lids, lambda _: 2.0), 2.5).score is None


def test_six_seconds_of_nothing_speak_against_it() -> None:
    score = watched(Scripted(lambda _: 0.3, lambda _: 2.0), 6.5).score
    assert score is not None
    assert score < 0.1


def test_what_is_no_face_is_no_evidence() -> None:
    assert watched(Scripted(blink, lambda _: 2.0, sure=0.2), 7.0).score is None


def test_the_mouths_measure_does_not_depend_on_size() -> None:
    small, large = mesh(8.0).points_px, 3 * mesh(8.0).points_px
    assert mouth_ratio(small) == pytest.approx(mouth_ratio(large), rel=1e-4)
    assert mouth_ratio(mesh(16.0).points_px) == pytest.approx(2 * mouth_ratio(small), rel=1e-3)
