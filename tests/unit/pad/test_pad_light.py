"""The light signal in frames: a face that takes on the colours in time answers, a picture without shape or without colour does not."""

import numpy as np
import pytest

from models.face import Face
from models.pad.challenge import COLOURS, LightPlan, linear
from models.pad.frame import PadFrame, still
from models.pad.light import LONGEST_LAG_MS, LightSignal

PLAN = LightPlan(colours=("blue", "amber", "green", "violet", "amber", "cyan"))
FACE = Face(
    box_px=np.array([44, 30, 72, 90], np.float32),
    landmarks_px=np.array([[60, 60], [100, 60], [80, 83], [65, 102], [95, 102]], np.float32),
    score=0.95,
)
START_NS = 5_000_000_000
LAG_MS = 250.0


def frame_at(at_ms: float, gain: np.ndarray, rng: np.random.Generator) -> PadFrame:
    """A face-coloured picture; ``gain`` (160, 160): the share of the kiosk's light that each place takes on."""
    place = int(np.clip((at_ms - LAG_MS) // PLAN.step_ms, 0, len(PLAN.colours) - 1))
    lamp = linear(np.array(COLOURS[PLAN.colours[place]]))
    light = np.array([0.30, 0.19, 0.13]) * (1 + gain[..., None] * lamp)
    srgb = 255 * np.clip(light, 0, 1) ** (1 / 2.2) + rng.normal(0, 2, (160, 160, 3))
    image = np.clip(srgb, 0, 255).astype(np.uint8)[..., ::-1]
    frame = still(np.ascontiguousarray(image), FACE)
    return PadFrame(
        image_bgr=frame.image_bgr, grey=frame.grey, face=FACE, captured_ns=START_NS + round(at_ms * 1_000_000)
    )


def watched(gain: np.ndarray, *, seconds_ms: float = PLAN.duration_ms + LONGEST_LAG_MS + 100) -> LightSignal:
    rng = np.random.default_rng(2)
    signal = LightSignal()
    signal.show(PLAN, START_NS)
    for at_ms in np.arange(0, seconds_ms, 1000 / 12):
        signal.feed(frame_at(float(at_ms), gain, rng))
    return signal


COLUMNS = np.mgrid[:160, :160][1]
CENTRE = np.exp(-(((COLUMNS - 80) / 22) ** 2))


def test_a_face_answers() -> None:
    score = watched(0.35 * CENTRE).score
    assert score is not None
    assert score > 0.7


@pytest.mark.parametrize("gain", [0.0, 0.002])
def test_a_screen_or_a_film_does_not(gain: float) -> None:
    score = watched(np.full((160, 160), gain)).score
    assert score is not None
    assert score < 0.4


def test_a_plane_answers_less_than_a_face() -> None:
    plane, face = watched(np.full((160, 160), 0.2)).score, watched(0.35 * CENTRE).score
    assert plane is not None
    assert face is not None
    assert plane < face - 0.2


def test_half_a_plan_is_no_evidence() -> None:
    signal = watched(0.35 * CENTRE, seconds_ms=PLAN.duration_ms / 2)
    assert signal.score is None
    assert LightSignal().score is None
