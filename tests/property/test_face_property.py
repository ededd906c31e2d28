"""Error rates and fusion hold for any scores and templates."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from models.face import fuse
from models.face.rates import ScoreCounts, operating_point, thresholds, wilson

SCORES = st.lists(st.floats(-1, 1, width=32), min_size=1, max_size=60)


def counts(scores: list[float]) -> ScoreCounts:
    result = ScoreCounts()
    result.add(np.array(scores, np.float32))
    return result


@settings(max_examples=40)
@given(SCORES, SCORES, st.floats(0, 1))
def test_the_threshold_keeps_the_rate_and_none_looser_does(
    genuine: list[float], impostor: list[float], fmr: float
) -> None:
    point = operating_point(counts(genuine), counts(impostor), fmr)
    # Scores are counted in steps: the step that a score lies in decides, not its last digit.
    steps = np.floor((np.array(impostor, np.float64) + 1) * 1e5)
    step = int(np.argmin(np.abs(thresholds() - point.threshold)))
    reached = float((steps >= step).mean())
    assert reached <= fmr or point.threshold == 1.0
    if step > 0:
        assert float((steps >= step - 1).mean()) > fmr
    assert point.low <= point.fnmr <= point.high


@given(st.integers(1, 10_000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_wilson_bounds_hold_the_proportion(case: tuple[int, int]) -> None:
    successes, trials = case
    low, high = wilson(successes, trials)
    assert 0 <= low <= successes / trials + 1e-12
    assert successes / trials - 1e-12 <= high <= 1


@given(
    arrays(np.float32, st.tuples(st.integers(1, 6), st.just(8)), elements=st.floats(-1, 1, width=32)),
    st.data(),
)
def test_fused_templates_have_length_one_whatever_the_weights(templates: np.ndarray, data: st.DataObject) -> None:
    weights = data.draw(st.lists(st.floats(0.01, 1), min_size=len(templates), max_size=len(templates)))
    fused = fuse(templates, weights)
    total = np.asarray(weights) @ templates.astype(np.float64)
    if np.linalg.norm(total) > 1e-6:
        assert abs(float(np.linalg.norm(fused)) - 1) < 1e-5
        assert float(fused @ total) > 0
