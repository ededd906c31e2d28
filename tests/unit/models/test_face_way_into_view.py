"""Somebody whose face is cut off by the picture's edge is told where to go, as they themselves see left and right."""

import numpy as np
import pytest

from models.face import Face, Hint, assess

SIZE_PX = (480, 640)


def face(x: float, y: float, width: float, height: float) -> Face:
    """A frontal face in that box."""
    shares = np.array([[0.3, 0.4], [0.7, 0.4], [0.5, 0.58], [0.35, 0.75], [0.65, 0.75]], np.float32)
    landmarks = shares * np.array([width, height], np.float32) + np.array([x, y], np.float32)
    return Face(box_px=np.array([x, y, width, height], np.float32), landmarks_px=landmarks, score=0.9)


@pytest.mark.parametrize(
    ("box", "hint"),
    [
        ((-80, 100, 200, 260), Hint.LEFT),
        ((520, 100, 200, 260), Hint.RIGHT),
        ((-80, -60, 800, 600), Hint.STEP_BACK),
        ((100, -60, 440, 600), Hint.STEP_BACK),
        ((200, -90, 200, 260), Hint.MOVE_INTO_VIEW),
        ((200, 330, 200, 260), Hint.MOVE_INTO_VIEW),
    ],
)
def test_the_way_into_the_picture(box: tuple[float, float, float, float], hint: Hint) -> None:
    image = np.full((*SIZE_PX, 3), 128, np.uint8)
    found = face(*box)
    quality = assess(image, found, [found])
    assert [part.hint for part in quality.components if part.name == "cropped_ratio" and not part.is_ok] == [hint]


def test_a_face_within_the_picture_is_not_sent_anywhere() -> None:
    image = np.full((*SIZE_PX, 3), 128, np.uint8)
    found = face(200, 100, 200, 260)
    assert {Hint.LEFT, Hint.RIGHT, Hint.STEP_BACK, Hint.MOVE_INTO_VIEW}.isdisjoint(assess(image, found, [found]).hints)
