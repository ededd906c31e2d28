"""The kiosk's light: its screen shows colours in an order drawn by lot, and a face before it must answer in time, in colour and in shape.

Chroma only (linear light, each channel by their sum), so that the hall's brightness and the camera's exposure matter little. A face in
front of a screen takes on its colour, more where it is turned to the screen; a print takes it on evenly; a screen that is held up
shines by itself and hardly takes it on at all; a film made before does not know the order.

**Photosensitivity.** WCAG 2.2, success criterion 2.3.1: no more than three flashes in any second, a flash being a pair of opposing
changes of relative luminance of 10 % or more where the darker is below 0.80, or such a pair to and from a saturated red (R / (R + G +
B) >= 0.8 in linear light). The colours here differ in luminance by less than 10 %, none is a saturated red, and they change at most 2.5
times a second: :func:`is_safe` checks any plan against all three before it is shown.
"""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

STEP_MS = 450
STEPS = 7
_LEAST_STEP_MS = 400
_LARGEST_CHANGE = 0.10
_SATURATED_RED = 0.8
_LAGS_MS = range(0, 1001, 50)
_LEAST_SAMPLES = 12

COLOURS: dict[str, tuple[int, int, int]] = {
    "blue": (138, 186, 255),
    "green": (105, 207, 120),
    "amber": (235, 173, 60),
    "violet": (219, 163, 255),
    "cyan": (60, 204, 220),
}
"""sRGB, relative luminances of 0.477 to 0.493."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LightPlan:
    """``colours`` are names in :data:`COLOURS`, one after the other, each for ``step_ms``."""

    colours: tuple[str, ...]
    step_ms: int = STEP_MS

    @property
    def duration_ms(self) -> int:
        return len(self.colours) * self.step_ms


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class RegionSample:
    """Mean linear-light colours of regions of a face in one frame: ``rgb`` float64 (regions, 3); ``at_ms`` on the plan's clock."""

    at_ms: float
    rgb: Floats


@dataclass(frozen=True, slots=True, kw_only=True)
class LightAnswer:
    """``correlation`` (-1..1) of the face's chroma with the plan's at ``lag_ms``, the lag that fits best; ``gain`` share of the screen's
    chroma that the face took on; ``shape`` spread of the regions' gains by their mean (0: all alike, as of a plane).
    """

    correlation: float
    lag_ms: int
    gain: float
    shape: float


def draw_plan(steps: int = STEPS, *, step_ms: int = STEP_MS) -> LightPlan:
    """A plan drawn by lot (:mod:`secrets`), no colour after itself. Raises ValueError if it were not safe to look at."""
    names = list(COLOURS)
    colours = [secrets.choice(names)]
    while len(colours) < steps:
        colours.append(secrets.choice([name for name in names if name != colours[-1]]))
    plan = LightPlan(colours=tuple(colours), step_ms=step_ms)
    if not is_safe([COLOURS[name] for name in plan.colours], plan.step_ms):
        raise ValueError(f"colours for {step_ms} ms each change too fast to be looked at safely")
    return plan


def is_safe(colours: Sequence[tuple[int, int, int]], step_ms: int) -> bool:
    """Whether WCAG 2.2 SC 2.3.1 is kept with room to spare: slow changes, and neither luminance nor saturated red flash at all."""
    luminances = [relative_luminance(colour) for colour in colours]
    is_even = all(abs(a - b) < _LARGEST_CHANGE or min(a, b) >= 0.80 for a in luminances for b in luminances)
    return step_ms >= _LEAST_STEP_MS and is_even and not any(_is_saturated_red(colour) for colour in colours)


def relative_luminance(rgb: tuple[int, int, int]) -> float:
    """WCAG 2.2's relative luminance of an sRGB colour (0..255 each): 0 black .. 1 white."""
    return float(linear(np.array(rgb)) @ np.array([0.2126, 0.7152, 0.0722]))


def linear(srgb: NDArray[np.generic]) -> Floats:
    """sRGB 0..255 as linear light 0..1 (IEC 61966-2-1)."""
    values = np.asarray(srgb, np.float64) / 255
    return np.asarray(np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4))


def _is_saturated_red(rgb: tuple[int, int, int]) -> bool:
    light = linear(np.array(rgb))
    return bool(light.sum() > 0 and light[0] / light.sum() >= _SATURATED_RED)


def answer(plan: LightPlan, samples: Sequence[RegionSample]) -> LightAnswer | None:
    """How the face answered; None with less than a dozen samples or none for half of the plan.

    Samples must be in order of time, each with the same regions.
    """
    if len(samples) < _LEAST_SAMPLES:
        return None
    times = np.array([sample.at_ms for sample in samples])
    if times[-1] - times[0] < 0.5 * plan.duration_ms:
        return None
    rgb = np.stack([sample.rgb for sample in samples])
    chroma = rgb / np.maximum(rgb.sum(axis=2, keepdims=True), 1e-9)
    # What drifts slowly is daylight or a turning head: a straight line is taken off each series.
    chroma = _detrended(chroma[:, :, [0, 2]], times)
    shown = np.stack([linear(np.array(COLOURS[name])) for name in plan.colours])
    shown = (shown / shown.sum(axis=1, keepdims=True))[:, [0, 2]]
    whole = chroma.mean(axis=1)
    fits = [(_correlation(_shown_at(shown, plan, times - lag), whole, times), lag) for lag in _LAGS_MS]
    correlation, lag_ms = max(fits)
    expected = _detrended(_shown_at(shown, plan, times - lag_ms)[:, None, :], times)[:, 0, :]
    energy = max(float((expected**2).sum()), 1e-12)
    gains = np.einsum("tc,trc->r", expected, chroma) / energy
    gain = float(gains.mean())
    shape = float(gains.std() / max(abs(gain), 1e-6))
    return LightAnswer(correlation=correlation, lag_ms=lag_ms, gain=gain, shape=shape)


def _shown_at(shown: Floats, plan: LightPlan, times: Floats) -> Floats:
    """The plan's chroma at these times (before and after it: its first and last)."""
    return shown[np.clip(times // plan.step_ms, 0, len(shown) - 1).astype(np.intp)]


def _detrended(series: Floats, times: Floats) -> Floats:
    """``series`` float64 (times, regions, channels) without its straight line."""
    terms = np.stack([np.ones_like(times), (times - times.mean()) / max(float(np.ptp(times)), 1e-9)], axis=1)
    flat = series.reshape(len(times), -1)
    solution, *_ = np.linalg.lstsq(terms, flat, rcond=None)
    return np.asarray((flat - terms @ solution).reshape(series.shape))


def _correlation(shown: Floats, seen: Floats, times: Floats) -> float:
    a = _detrended(shown[:, None, :], times).ravel()
    b = seen.ravel()
    scale = float(np.linalg.norm(a) * np.linalg.norm(b))
    return float(a @ b) / scale if scale > 1e-12 else 0.0
