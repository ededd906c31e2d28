"""Depth and infrared: relief where there is a nose, none on sheets; screens are dark."""

import numpy as np
import pytest
from numpy.typing import NDArray

from models.face import Face
from models.pad.depth import DepthSignal, InfraredSignal, relief_mm

SHAPE = (240, 320)
FACE = Face(
    box_px=np.array([100, 50, 110, 140], np.float32),
    landmarks_px=np.array([[132, 100], [178, 100], [155, 128], [137, 158], [173, 158]], np.float32),
    score=0.95,
)


def scene(*, bend_m: float = 0.0, nose_m: float = 0.0, tilt: float = 0.0) -> NDArray[np.float32]:
    """Half a metre away: a tilted, bent surface with a nose of that height on it, and 1 mm of noise."""
    rows, columns = np.mgrid[: SHAPE[0], : SHAPE[1]]
    u, v = (columns - 155) / 55, (rows - 120) / 70
    nose = nose_m * np.exp(-(((columns - 155) / 9) ** 2) - ((rows - 122) / 16) ** 2)
    depth = 0.5 + bend_m * u**2 + tilt * u - nose + 0.1 * tilt * v
    noise = np.random.default_rng(3).normal(0, 0.001, SHAPE)
    return np.asarray(depth + noise, np.float32)


def test_a_nose_is_a_relief() -> None:
    relief = relief_mm(scene(bend_m=0.03, nose_m=0.02, tilt=0.02), FACE)
    assert relief is not None
    assert 12 < relief < 24


@pytest.mark.parametrize(("bend_m", "tilt"), [(0.0, 0.0), (0.0, 0.05), (0.04, 0.0), (0.03, 0.03)])
def test_a_sheet_has_none_flat_tilted_or_bent(bend_m: float, tilt: float) -> None:
    relief = relief_mm(scene(bend_m=bend_m, tilt=tilt), FACE)
    assert relief is not None
    assert abs(relief) < 3


def test_what_was_not_measured_is_no_evidence() -> None:
    blind = np.zeros(SHAPE, np.float32)
    assert relief_mm(blind, FACE) is None
    signal = DepthSignal()
    signal.measure(blind, FACE)
    signal.measure(scene(nose_m=0.02), FACE)
    assert signal.score is None
    signal.measure(scene(nose_m=0.02), FACE)
    assert signal.score is not None
    signal.reset()
    assert signal.score is None


def test_a_screen_is_dark_in_infrared_and_skin_is_not() -> None:
    hall = np.full(SHAPE, 90, np.uint8)
    skin, screen = hall.copy(), hall.copy()
    skin[50:190, 100:210] = 150
    screen[30:210, 80:230] = 12
    scores = []
    for picture in (skin, screen):
        signal = InfraredSignal()
        for _ in range(2):
            signal.measure(picture, FACE)
        assert signal.score is not None
        scores.append(signal.score)
    assert scores[0] > 1.0
    assert scores[1] < 0.3
