"""Adding evidence up: nothing is not enough, one sure sign of an attack is, and no set supports more than it holds."""

from math import log
from pathlib import Path

import numpy as np
import pytest

from models.errors import ModelError
from models.pad.fusion import (
    Calibration,
    FusionLimits,
    PadCalibration,
    PadFusion,
    PadVerdict,
    default_calibration,
    fit,
    read_calibration,
)


def calibration(*, shows_life: bool, least: float = -4.0, most: float = 4.0) -> Calibration:
    return Calibration(
        slope=1.0, offset=0.0, least=least, most=most, shows_life=shows_life, measured_on="made up for a test"
    )


FUSION = PadFusion(
    PadCalibration(
        limits=FusionLimits(live=2.0, attack=-2.0, veto=-3.0),
        signal={"motion": calibration(shows_life=True), "texture": calibration(shows_life=False)},
    )
)


def test_nothing_seen_is_doubt() -> None:
    result = FUSION.judge({"motion": None, "texture": None})
    assert (result.verdict, result.llr) == (PadVerdict.UNSURE, 0.0)
    assert FUSION.judge({}).verdict is PadVerdict.UNSURE


@pytest.mark.parametrize(
    ("motion", "texture", "verdict"),
    [
        (2.5, None, PadVerdict.LIVE),
        (1.5, None, PadVerdict.UNSURE),
        (1.5, 1.0, PadVerdict.LIVE),
        (None, 4.0, PadVerdict.UNSURE),  # texture alone never shows life
        (-0.1, 4.0, PadVerdict.UNSURE),
        (-2.5, None, PadVerdict.ATTACK),
        (4.0, -3.5, PadVerdict.ATTACK),  # one that is sure enough decides alone
        (4.0, -2.5, PadVerdict.UNSURE),
        (float("nan"), None, PadVerdict.UNSURE),
    ],
)
def test_verdicts(motion: float | None, texture: float | None, verdict: PadVerdict) -> None:
    assert FUSION.judge({"motion": motion, "texture": texture}).verdict is verdict


def test_a_signal_without_calibration_is_no_evidence() -> None:
    result = FUSION.judge({"motion": 1.0, "rumour": 100.0})
    assert result.llr == pytest.approx(1.0)
    assert [measure.name for measure in result.measures] == ["motion"]


def test_measures_carry_what_decided() -> None:
    (measure, other) = FUSION.judge({"motion": 9.0, "texture": None}, model_hashes={"motion": "ab"}).measures
    assert (measure.score, measure.llr, measure.threshold, measure.model_hash) == (9.0, 4.0, 0.0, "ab")
    assert (other.score, other.llr) == (None, None)


def test_a_fit_is_cut_off_where_its_set_ends() -> None:
    rng = np.random.default_rng(1)
    fitted = fit(rng.normal(2, 1, 30), rng.normal(-2, 1, 80), shows_life=True, measured_on="drawn")
    assert fitted.slope > 0
    assert fitted.threshold == pytest.approx(0.0, abs=0.5)
    assert fitted.llr(100.0) == pytest.approx(log(81))
    assert fitted.llr(-100.0) == pytest.approx(-log(31))


def test_sets_that_do_not_overlap_have_a_finite_slope() -> None:
    fitted = fit(np.linspace(1, 2, 10), np.linspace(-2, -1, 10), shows_life=True, measured_on="apart")
    assert np.isfinite(fitted.slope)
    assert fitted.llr(1.5) > 1 > -1 > fitted.llr(-1.5)


def test_too_few_presentations_calibrate_nothing() -> None:
    with pytest.raises(ValueError, match="at least five"):
        fit(np.ones(4), np.zeros(100), shows_life=True, measured_on="few")


def test_the_shipped_calibration_says_what_each_was_measured_on() -> None:
    for name, item in default_calibration().signal.items():
        assert len(item.measured_on) > 10, name
        assert np.isfinite([item.slope, item.offset, item.least, item.most]).all(), name


def test_a_wrong_file_is_one_sentence(tmp_path: Path) -> None:
    file = tmp_path / "pad.toml"
    file.write_text("[limits]\nlive = -1\nattack = -2\nveto = -3\n[signal]\n", encoding="utf-8")
    with pytest.raises(ModelError, match=r"pad\.toml is wrong at limits\.live"):
        read_calibration(file)
    with pytest.raises(ModelError, match="cannot be read"):
        read_calibration(tmp_path / "absent.toml")
