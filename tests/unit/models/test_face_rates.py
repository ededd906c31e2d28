"""Error rates: counted right on sets that can be counted by hand, and bounded honestly."""

import numpy as np
import pytest

from models.face.det_curve import curve, draw_det
from models.face.rates import ScoreCounts, cross_compare, folded_accuracy, operating_point, thresholds, wilson


def counts(*scores: float) -> ScoreCounts:
    result = ScoreCounts()
    result.add(np.array(scores, np.float32))
    return result


def test_the_threshold_is_the_loosest_that_keeps_the_false_match_rate() -> None:
    impostor = counts(*[0.1] * 8, 0.4, 0.6)
    genuine = counts(0.3, 0.5, 0.55, 0.7)
    none = operating_point(genuine, impostor, 0.0)
    assert none.threshold == pytest.approx(0.6, abs=2e-5)
    assert none.threshold > 0.6
    assert none.fnmr == 0.75
    one = operating_point(genuine, impostor, 0.1)
    assert one.threshold == pytest.approx(0.4, abs=2e-5)
    assert one.fnmr == 0.25
    everyone = operating_point(genuine, impostor, 1.0)
    assert everyone.fnmr == 0.0


def test_ties_fall_on_the_strict_side() -> None:
    point = operating_point(counts(0.5, 0.9), counts(0.5, 0.5, 0.5, 0.1), 0.5)
    assert point.threshold > 0.5
    assert point.fnmr == 0.5


def test_a_rate_that_the_pairs_cannot_support_says_so() -> None:
    impostor = ScoreCounts()
    impostor.add(np.linspace(-0.5, 0.3, 1000).astype(np.float32))
    assert operating_point(counts(0.5), impostor, 1e-2).is_supported
    assert not operating_point(counts(0.5), impostor, 1e-3).is_supported


def test_rates_need_both_kinds_of_pairs() -> None:
    for genuine, impostor in ((counts(), counts(0.1)), (counts(0.1), counts())):
        with pytest.raises(ValueError, match="pairs"):
            operating_point(genuine, impostor, 0.1)
        with pytest.raises(ValueError, match="pairs"):
            curve(genuine, impostor)


def test_wilson_bounds_are_those_of_the_textbook() -> None:
    # Newcombe, Statistics in Medicine 17 (1998), table I: 81 of 263 and 0 of 20.
    assert wilson(81, 263) == pytest.approx((0.2553, 0.3662), abs=1e-4)
    assert wilson(0, 20) == pytest.approx((0.0, 0.1611), abs=1e-4)
    with pytest.raises(ValueError):
        wilson(0, 0)


def test_every_cross_pair_is_counted_once() -> None:
    rng = np.random.default_rng(3)
    templates = rng.normal(size=(700, 16)).astype(np.float32)
    templates /= np.linalg.norm(templates, axis=1, keepdims=True)
    people = rng.integers(0, 90, 700)
    genuine, impostor = cross_compare(templates, people)
    rows, columns = np.triu_indices(700, k=1)
    is_same = people[rows] == people[columns]
    assert (genuine.total, impostor.total) == (int(is_same.sum()), int((~is_same).sum()))
    scores = np.einsum("ij,ij->i", templates[rows], templates[columns])
    point = operating_point(genuine, impostor, 1e-3)
    assert float((scores[~is_same] >= point.threshold).mean()) <= 1e-3
    assert point.fnmr == pytest.approx(float((scores[is_same] < point.threshold).mean()), abs=2 / is_same.sum())


def test_scores_at_both_ends_are_counted() -> None:
    ends = counts(-1.0, 1.0)
    assert ends.total == 2
    assert ends.reaching()[0] == 2
    assert ends.reaching()[-1] == 1
    assert thresholds()[[0, -1]].tolist() == [-1.0, 1.0]


def test_folded_accuracy_judges_a_fold_by_the_others() -> None:
    is_same = np.arange(40) % 2 == 0
    apart = np.where(is_same, 0.8, 0.1).astype(np.float32)
    assert folded_accuracy(apart, is_same) == 1.0
    swapped = apart.copy()
    swapped[[0, 1]] = swapped[[1, 0]]
    assert folded_accuracy(swapped, is_same) == pytest.approx(38 / 40)
    assert folded_accuracy(apart[:2], is_same[:2]) is None


def test_the_curve_falls_and_is_drawn() -> None:
    rng = np.random.default_rng(5)
    genuine, impostor = ScoreCounts(), ScoreCounts()
    genuine.add(rng.normal(0.6, 0.1, 2000).clip(-1, 1).astype(np.float32))
    impostor.add(rng.normal(0.1, 0.1, 20000).clip(-1, 1).astype(np.float32))
    fmr, fnmr = curve(genuine, impostor)
    assert (np.diff(fmr) <= 0).all()
    assert (np.diff(fnmr) >= 0).all()
    picture = draw_det({"a": (genuine, impostor)})
    nothing = draw_det({})
    assert picture.shape == nothing.shape == (700, 900, 3)
    drawn = np.flatnonzero((picture != nothing).any(axis=(0, 2)))
    assert drawn.max() - drawn.min() > 200
