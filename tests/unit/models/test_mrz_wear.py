"""Worn lines of the last stages of training: less ink, the same characters at the same places, the same again."""

import numpy as np
import pytest

from models.document.recogniser import OCRB_LINE_HEIGHT_PX
from models.training.mrz_data import FIRST_PATTERNED_SHARD, FIRST_WORN_SHARD
from models.training.mrz_lines import render_lines
from models.training.mrz_wear import security_print, wear_ink, wear_picture


def test_worn_ink_is_less_ink_but_not_none() -> None:
    rng = np.random.default_rng(61)
    ink = np.zeros((120, 600), np.uint8)
    ink[40:80, 20:580:14] = 255
    ink[40:80, 21:580:14] = 255
    shares = [float(wear_ink(rng, ink, 28.0).sum()) / float(ink.sum()) for _ in range(60)]
    assert 0.4 < float(np.mean(shares)) < 0.95
    assert min(shares) > 0.02
    assert max(shares) < 1.6


def test_a_security_print_is_lines_on_paper_that_stays_paper() -> None:
    rng = np.random.default_rng(62)
    for _ in range(20):
        taken = security_print(rng, (80, 700), 14.0)
        assert taken.shape == (80, 700)
        assert taken.dtype == np.float32
        assert 0 <= taken.min() < taken.max() <= 65
        assert 0.005 < float((taken > 3).mean()) <= 1.0


def test_a_worn_picture_keeps_its_size() -> None:
    rng = np.random.default_rng(63)
    frame = rng.integers(60, 220, (70, 640), dtype=np.uint8)
    changed = 0
    for _ in range(40):
        worn = wear_picture(rng, frame, 15.0)
        assert worn.shape == frame.shape
        changed += not np.array_equal(worn, frame)
    assert 10 < changed < 40


@pytest.mark.parametrize("is_patterned", [False, True])
def test_worn_lines_are_the_same_again(is_patterned: bool) -> None:
    first, again = (
        render_lines(np.random.default_rng([64, 1]), 2, is_worn=True, is_patterned=is_patterned) for _ in range(2)
    )
    for one, other in zip(first, again, strict=True):
        assert one.text == other.text
        assert one.grey.shape[0] == OCRB_LINE_HEIGHT_PX
        assert np.array_equal(one.grey, other.grey)
        steps = np.diff(one.centres_px)
        assert steps.min() > 0.6 * np.median(steps)


def test_the_stages_follow_one_another() -> None:
    assert 0 < FIRST_WORN_SHARD < FIRST_PATTERNED_SHARD
