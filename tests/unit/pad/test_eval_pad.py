"""What ``gate eval pad`` counts: species apart and the worst first, no evidence as no evidence, one sentence for what cannot be read."""

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
from typer.testing import CliRunner

from gate.cli import make_app
from gate.cli.eval_pad import find_attacks, find_live, frames_of
from gate.cli.pad_rates import Judged, Presentation, by_signal, cross_fitted, equal_error_rate, summary
from gate.errors import GateError
from models.pad.fusion import PadFusion
from models.store import ModelStore
from simulator.pad_sequences import present
from simulator.pad_species import Species
from simulator.photos import PhotoLibrary


def judged(species: str, number: int, planarity: float | None, *, is_still: bool = False) -> Judged:
    path = Path(species) / f"{number}{'.jpg' if is_still else ''}"
    scores = {"planarity": planarity, "surround": None}
    return Judged(
        presentation=Presentation(path=path, species=species), scores=scores, result=PadFusion().judge(scores)
    )


def test_the_worst_species_comes_first_and_rates_have_bounds() -> None:
    told = [judged("live", i, 0.9) for i in range(9)] + [judged("live", 9, None)]
    told += [judged("print", i, 0.05) for i in range(10)]
    told += [judged("film", i, 0.9 if i < 6 else 0.05) for i in range(10)]
    report = summary(told)
    assert (report["live"], report["attacks"], report["rule"]) == (10, 20, "lane")
    assert [(row["species"], row["apcer"]) for row in report["by_species"]] == [("film", 0.6), ("print", 0.0)]
    assert report["apcer"] == 0.6
    assert report["bpcer"] == pytest.approx(0.1)
    assert report["by_species"][0]["low"] < 0.6 < report["by_species"][0]["high"]
    assert report["unsure"] == {"live": 1, "attacks": 0}
    signal = report["by_signal"]["planarity"]
    assert (signal["apcer"], signal["bpcer"], signal["evidence"]) == (0.6, 0.0, {"live": 9, "attacks": 20})
    assert report["by_signal"]["surround"]["eer"] is None


def test_a_signal_that_was_never_calibrated_is_judged_where_its_errors_are_equal() -> None:
    told = [
        Judged(
            presentation=Presentation(path=Path(f"{species}/{i}.jpg"), species=species),
            scores={"detail": float(i + (5 if species == "live" else 0))},
            result=None,
        )
        for species in ("live", "print")
        for i in range(10)
    ]
    row = by_signal("detail", told)
    assert (row["apcer"], row["bpcer"], row["eer"]) == pytest.approx((0.3, 0.2, 0.25), abs=0.11)
    assert 5.0 <= row["threshold"] <= 9.0
    assert "this set" in row["measured_on"]


def test_stills_are_judged_by_what_the_other_half_taught() -> None:
    rng = np.random.default_rng(5)
    told = [judged("live", i, float(rng.normal(1, 0.3)), is_still=True) for i in range(40)]
    told += [judged("print", i, float(rng.normal(-1, 0.3)), is_still=True) for i in range(40)]
    report = summary(told)
    assert report["rule"] == "still_pictures_cross_fitted"
    assert report["apcer"] + report["bpcer"] < 0.05
    assert set(cross_fitted(told[:4] + told[-4:]).values()) == {0.0}  # too few to learn from


def test_equal_errors() -> None:
    assert equal_error_rate(np.arange(10.0) + 100, np.arange(10.0)) == 0.0
    assert equal_error_rate(np.array([1.0, 2, 3, 4]), np.array([1.0, 2, 3, 4])) == pytest.approx(0.5, abs=0.13)
    assert equal_error_rate(np.array([]), np.array([1.0])) is None


def test_folders_are_species_and_what_is_empty_is_one_sentence(tmp_path: Path) -> None:
    picture = np.full((40, 40, 3), 90, np.uint8)
    for name in ("attack/print/a.png", "attack/film/7/000.png", "attack/film/7/001.png", "live/1.png"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(tmp_path / name), picture)
    found = find_attacks(tmp_path / "attack")
    assert [(item.species, item.path.name, item.is_still) for item in found] == [
        ("film", "7", False),
        ("print", "a.png", True),
    ]
    assert [at_ns for _, at_ns in frames_of(found[0].path, 10.0)] == [0, 100_000_000]
    assert [item.species for item in find_attacks(tmp_path / "attack/print")] == ["print"]
    assert [item.path.name for item in find_live(tmp_path / "live")] == ["1.png"]
    (tmp_path / "empty").mkdir()
    with pytest.raises(GateError, match="holds no"):
        find_live(tmp_path / "empty")
    with pytest.raises(GateError, match="cannot be opened"):
        find_attacks(tmp_path / "absent")
    (tmp_path / "bad.mp4").write_bytes(b"no video")
    with pytest.raises(GateError, match="not a video"):
        list(frames_of(tmp_path / "bad.mp4", 10.0))


def test_the_command_tells_a_head_from_a_sheet(tmp_path: Path) -> None:
    ModelStore().prepare()
    library = PhotoLibrary()
    library.fetch()
    photo = library.person("ardern").live
    for folder, species in (("live/1", Species.LIVE), ("attack/print/1", Species.PRINT_FLAT)):
        (tmp_path / folder).mkdir(parents=True)
        rng = np.random.default_rng(4)
        for i, frame in enumerate(present(species, photo, rng=rng, seconds=2.0, frames_per_s=10, glances=True)):
            cv2.imwrite(str(tmp_path / folder / f"{i:03}.png"), frame.image_bgr)
    arguments = ["eval", "pad", "--live", str(tmp_path / "live"), "--attack", str(tmp_path / "attack")]
    det = tmp_path / "det.png"
    done = CliRunner().invoke(make_app(), [*arguments, "--frames-per-s", "10", "--det", str(det), "--json"])
    report = json.loads(done.stdout)
    assert done.exit_code == 0
    assert {"live", "attacks", "apcer", "bpcer", "threshold", "by_signal"} <= report.keys()
    assert (report["live"], report["attacks"], report["apcer"]) == (1, 1, 0.0)
    planarity = report["by_signal"]["planarity"]
    assert (planarity["eer"], planarity["evidence"]) == (0.0, {"live": 1, "attacks": 1})
    assert cv2.imread(str(det)) is not None
