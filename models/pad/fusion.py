"""From several signals' scores to one word: live, attack or unsure.

Each score becomes a log-likelihood ratio (live over attack) by its own calibration, a straight line in the score that was fitted by
logistic regression on a named set and is cut off where that set ends: so many presentations cannot support more. The ratios are added
as if the signals were independent, which they nearly are in what they look at. A signal without evidence adds nothing, and nothing at
all is not enough: ``live`` needs the sum to reach a limit *and* one signal of movement, light or depth to speak for it. One signal that
is sure enough of an attack decides alone.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from models.errors import ModelError

Floats = NDArray[np.float64]


class PadVerdict(StrEnum):
    """What the evidence so far says."""

    LIVE = "live"
    ATTACK = "attack"
    UNSURE = "unsure"


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Calibration(_Strict):
    """``log(P(score | live) / P(score | attack)) = offset + slope * score``, natural logarithm, cut off at ``least`` and ``most``.

    ``shows_life``: whether the signal can speak for a live person at all. ``measured_on``: the set, in words.
    """

    slope: float
    offset: float
    least: float = Field(le=0)
    most: float = Field(ge=0)
    shows_life: bool
    measured_on: str

    def llr(self, score: float) -> float:
        """The log-likelihood ratio of a score."""
        return float(np.clip(self.offset + self.slope * score, self.least, self.most))

    @property
    def threshold(self) -> float:
        """The score at which either is as likely."""
        return -self.offset / self.slope if self.slope else 0.0


class FusionLimits(_Strict):
    """Sums of log-likelihood ratios: from ``live`` up live, from ``attack`` down an attack; one signal at ``veto`` decides alone."""

    live: float = Field(gt=0)
    attack: float = Field(lt=0)
    veto: float = Field(lt=0)


class PadCalibration(_Strict):
    """The calibrations of all signals, and the limits of their sum."""

    limits: FusionLimits
    signal: dict[str, Calibration]


@dataclass(frozen=True, slots=True, kw_only=True)
class PadMeasure:
    """One signal's part: ``score`` and ``llr`` None while it has no evidence; ``threshold`` in the unit of the score."""

    name: str
    score: float | None
    llr: float | None
    threshold: float
    measured_on: str
    model_hash: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PadResult:
    """``llr``: the sum; ``threshold``: the limit for live that it was held against; ``measures`` of every signal that was asked."""

    verdict: PadVerdict
    llr: float
    threshold: float
    measures: tuple[PadMeasure, ...]


class PadFusion:
    """Adds up what the signals say."""

    def __init__(self, calibration: PadCalibration | None = None) -> None:
        self.calibration = calibration or default_calibration()

    def judge(self, scores: Mapping[str, float | None], *, model_hashes: Mapping[str, str] | None = None) -> PadResult:
        """Weigh the scores by name. A signal without calibration is left out: a number nobody has measured is no evidence."""
        hashes = model_hashes or {}
        measures = tuple(
            self._measure(name, score, hashes.get(name))
            for name, score in scores.items()
            if name in self.calibration.signal
        )
        ratios = [measure.llr for measure in measures if measure.llr is not None]
        total, limits = float(sum(ratios)), self.calibration.limits
        shows_life = any(
            measure.llr is not None and measure.llr > 0 and self.calibration.signal[measure.name].shows_life
            for measure in measures
        )
        if total <= limits.attack or any(ratio <= limits.veto for ratio in ratios):
            verdict = PadVerdict.ATTACK
        elif total >= limits.live and shows_life:
            verdict = PadVerdict.LIVE
        else:
            verdict = PadVerdict.UNSURE
        return PadResult(verdict=verdict, llr=total, threshold=limits.live, measures=measures)

    def _measure(self, name: str, score: float | None, model_hash: str | None) -> PadMeasure:
        calibration = self.calibration.signal[name]
        is_told = score is not None and bool(np.isfinite(score))
        return PadMeasure(
            name=name,
            score=score if is_told else None,
            llr=calibration.llr(score) if is_told and score is not None else None,
            threshold=calibration.threshold,
            measured_on=calibration.measured_on,
            model_hash=model_hash,
        )


def fit(live: Floats, attack: Floats, *, shows_life: bool, measured_on: str) -> Calibration:
    """Fit a calibration to scores of live (n,) and attack (m,) presentations, each kind with the same weight.

    Logistic regression by Newton's method with a little ridge, so that sets that do not overlap have a slope as well. The ratio is cut
    off at what the sets support: the logarithm of one more than the number of presentations of the kind that was not seen there. Raises
    ValueError with fewer than five of a kind.
    """
    if min(len(live), len(attack)) < 5:
        raise ValueError("a calibration needs at least five presentations of each kind")
    scores = np.concatenate([live, attack])
    middle, spread = float(scores.mean()), max(float(scores.std()), 1e-9)
    x = np.stack([np.ones_like(scores), (scores - middle) / spread], axis=1)
    is_live = np.concatenate([np.ones(len(live)), np.zeros(len(attack))])
    weights = np.concatenate([np.full(len(live), 0.5 / len(live)), np.full(len(attack), 0.5 / len(attack))])
    solution = np.zeros(2)
    ridge = np.diag([0.0, 0.01])
    for _ in range(50):
        p = 1 / (1 + np.exp(-x @ solution))
        gradient = x.T @ (weights * (p - is_live)) + ridge @ solution
        hessian = x.T @ (x * (weights * p * (1 - p))[:, None]) + ridge + 1e-9 * np.eye(2)
        solution = solution - np.linalg.solve(hessian, gradient)
    slope = float(solution[1] / spread)
    return Calibration(
        slope=slope,
        offset=float(solution[0] - slope * middle),
        least=-float(np.log(len(live) + 1)),
        most=float(np.log(len(attack) + 1)),
        shows_life=shows_life,
        measured_on=measured_on,
    )


def read_calibration(path: Path) -> PadCalibration:
    """Read a calibration file. Raises ModelError naming the file and the first wrong key."""
    try:
        return PadCalibration.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ModelError(f"the calibration {path} cannot be read ({error}); install again or mend that line") from error
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        key = ".".join(str(part) for part in first["loc"])
        raise ModelError(f"the calibration {path} is wrong at {key}: {first['msg']}") from error


@cache
def default_calibration() -> PadCalibration:
    """The calibration shipped with this package, from rendered presentations."""
    return read_calibration(Path(__file__).with_name("calibration.toml"))
