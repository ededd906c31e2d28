"""The kiosk's light: safe to look at, unforeseeable, and answered by a face in time, in colour and in shape."""

from itertools import pairwise

import numpy as np
import pytest

from models.pad.challenge import (
    COLOURS,
    LightPlan,
    RegionSample,
    answer,
    draw_plan,
    is_safe,
    linear,
    relative_luminance,
)

SKIN = np.array([0.30, 0.19, 0.13])
SHADING = np.array([1.0, 0.7, 0.55, 0.8])


def filmed(
    plan: LightPlan, *, gains: np.ndarray, lag_ms: float = 200.0, seed: int = 1, noise: float = 0.0015
) -> list[RegionSample]:
    """Four regions of a face at 15 frames/s that take on ``gains`` of the plan's colour, with drifting daylight and noise."""
    rng = np.random.default_rng(seed)
    samples = []
    for at_ms in np.arange(0, plan.duration_ms + 400, 1000 / 15):
        place = int(np.clip((at_ms - lag_ms) // plan.step_ms, 0, len(plan.colours) - 1))
        lamp = linear(np.array(COLOURS[plan.colours[place]]))
        daylight = np.ones(3) * (1 + 0.0001 * at_ms)
        rgb = SKIN * (daylight + gains[:, None] * lamp) + rng.normal(0, noise, (len(gains), 3))
        samples.append(RegionSample(at_ms=float(at_ms), rgb=rgb))
    return samples


def test_every_colour_and_every_plan_is_safe_to_look_at() -> None:
    for _ in range(50):
        plan = draw_plan()
        assert is_safe([COLOURS[name] for name in plan.colours], plan.step_ms)
        assert all(a != b for a, b in pairwise(plan.colours))


def test_plans_differ() -> None:
    assert len({draw_plan().colours for _ in range(20)}) > 15


@pytest.mark.parametrize(
    ("colours", "step_ms"),
    [
        ([(255, 255, 255), (0, 0, 0)], 450),  # a flash of luminance
        ([(255, 0, 0), (255, 0, 0)], 450),  # saturated red
        ([COLOURS["blue"], COLOURS["amber"]], 150),  # more than three flashes a second
    ],
)
def test_what_may_harm_is_refused(colours: list[tuple[int, int, int]], step_ms: int) -> None:
    assert not is_safe(colours, step_ms)


def test_luminance_is_wcags() -> None:
    assert relative_luminance((255, 255, 255)) == pytest.approx(1.0)
    assert relative_luminance((255, 0, 0)) == pytest.approx(0.2126)
    assert max(map(relative_luminance, COLOURS.values())) - min(map(relative_luminance, COLOURS.values())) < 0.02


def test_a_plan_too_fast_is_not_drawn() -> None:
    with pytest.raises(ValueError, match="too fast"):
        draw_plan(step_ms=100)


def test_a_face_answers_in_time_and_in_shape() -> None:
    plan = LightPlan(colours=("blue", "amber", "green", "violet", "amber", "cyan", "blue"))
    found = answer(plan, filmed(plan, gains=0.15 * SHADING))
    assert found is not None
    assert found.correlation > 0.8
    assert abs(found.lag_ms - 200) <= 50
    assert found.shape > 0.15


def test_a_plane_answers_without_shape() -> None:
    plan = LightPlan(colours=("blue", "amber", "green", "violet", "amber", "cyan", "blue"))
    face, sheet = (answer(plan, filmed(plan, gains=gains)) for gains in (0.15 * SHADING, 0.11 * np.ones(4)))
    assert face is not None
    assert sheet is not None
    assert sheet.correlation > 0.8
    assert sheet.shape < face.shape / 2


@pytest.mark.parametrize("seed", range(8))
def test_a_film_of_another_order_does_not_answer(seed: int) -> None:
    shown = LightPlan(colours=("blue", "amber", "green", "violet", "amber", "cyan", "blue"))
    filmed_before = LightPlan(colours=("amber", "green", "cyan", "amber", "blue", "violet", "green"))
    true, false = (answer(shown, filmed(plan, gains=0.15 * SHADING, seed=seed)) for plan in (shown, filmed_before))
    assert true is not None
    assert false is not None
    assert false.correlation < 0.6 < true.correlation


def test_a_screen_that_shines_by_itself_hardly_answers() -> None:
    plan = LightPlan(colours=("blue", "amber", "green", "violet", "amber", "cyan", "blue"))
    found = answer(plan, filmed(plan, gains=0.002 * np.ones(4)))
    assert found is not None
    assert found.correlation < 0.6


def test_too_little_is_no_evidence() -> None:
    plan = LightPlan(colours=("blue", "amber", "green", "violet", "amber", "cyan", "blue"))
    samples = filmed(plan, gains=0.15 * SHADING)
    assert answer(plan, samples[:10]) is None
    assert answer(plan, samples[:18]) is None
