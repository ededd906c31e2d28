"""``gate eval face`` and ``gate calibrate face``: the promised keys, and one sentence when it cannot be done."""

import json
import re
import shutil
import tomllib
from itertools import combinations
from pathlib import Path

import cv2
import numpy as np
import pytest
import typer
from typer.testing import CliRunner

from config.loader import load_site, sites_dir
from gate.cli import calibrate, eval_face, walk_up
from gate.cli.site_file import with_face_threshold
from gate.errors import GateError
from models.face import FaceDetector
from models.manifest import FACE_EMBEDDER, default_manifest
from models.store import ModelStore
from simulator.photos import PersonPhotos

KEYS = {"pairs", "images", "failed_to_detect", "accuracy", "listed", "all_pairs", "single_shot", "ms_p50"}


@pytest.fixture
def app(store: ModelStore) -> typer.Typer:
    assert store.verify()
    tree = typer.Typer()
    group = typer.Typer()
    group.callback()(lambda: None)
    eval_face.add_to(group)
    tree.add_typer(group, name="eval")
    calibrate.register(tree)
    return tree


@pytest.fixture
def images(tmp_path: Path, people: list[PersonPhotos]) -> Path:
    folder = tmp_path / "images"
    folder.mkdir()
    for person in people:
        for i, file in enumerate(person.files, start=1):
            shutil.copy(file, folder / f"{person.person_id}_{i:04}{file.suffix}")
    return folder


def person_of(file: Path) -> str:
    return file.stem.rsplit("_", 1)[0]


def write_pairs(folder: Path, *extra: str) -> Path:
    rows = [
        f"{a.name},{b.name},{int(person_of(a) == person_of(b))}" for a, b in combinations(sorted(folder.iterdir()), 2)
    ]
    path = folder.parent / "pairs.csv"
    path.write_text("\n".join(["left,right,is_same", *rows, *extra]) + "\n", encoding="utf-8")
    return path


def arguments(command: str, pairs: Path, images: Path, *more: str) -> list[str]:
    return [command, "face", "--pairs", str(pairs), "--images", str(images), *more]


def test_everybody_is_told_apart_and_every_key_is_there(app: typer.Typer, images: Path, tmp_path: Path) -> None:
    pairs = write_pairs(images)
    picture = tmp_path / "det.png"
    result = CliRunner().invoke(app, arguments("eval", pairs, images, "--json", "--det", str(picture)))
    assert result.exit_code == 0, result.output
    report = json.loads(result.stdout)
    assert report.keys() >= KEYS
    count = len(list(images.iterdir()))
    assert (report["pairs"], report["images"], report["failed_to_detect"]) == (count * (count - 1) // 2, count, 0)
    assert report["accuracy"] == 1.0
    for block in ("listed", "all_pairs", "single_shot"):
        assert report[block]["genuine"] + report[block]["impostor"] == report["pairs"]
        assert report[block]["fnmr_at_fmr"].keys() == {"1e-2", "1e-3", "1e-4", "1e-5"}
        point = report[block]["fnmr_at_fmr"]["1e-2"]
        assert point["low"] <= point["fnmr"] <= point["high"]
        assert not point["is_supported"]
    assert report["all_pairs"]["genuine"] == report["listed"]["genuine"]
    assert report["ms_p50"] > 0
    assert cv2.imread(str(picture)) is not None


def test_a_picture_without_a_face_is_counted_and_named(app: typer.Typer, images: Path) -> None:
    someone = next(iter(sorted(images.iterdir())))
    cv2.imwrite(str(images / "wall_0001.png"), np.full((200, 200, 3), 120, np.uint8))
    pairs = write_pairs(images)
    report = json.loads(CliRunner().invoke(app, arguments("eval", pairs, images, "--json")).stdout)
    assert report["failed_to_detect"] == 1
    assert report["without_face"] == ["wall_0001.png"]
    listed = report["listed"]["genuine"] + report["listed"]["impostor"]
    assert listed == report["pairs"] - (report["images"] - 1)
    assert someone.name not in report["without_face"]


def test_names_that_do_not_tell_who_is_who_leave_the_listed_pairs(app: typer.Typer, images: Path) -> None:
    first, *others = sorted(images.iterdir())
    stranger = next(file for file in others if person_of(file) != person_of(first))
    pairs = write_pairs(images, f"{first.name},{stranger.name},1")
    result = CliRunner().invoke(app, arguments("eval", pairs, images, "--json"))
    report = json.loads(result.stdout)
    assert report["all_pairs"] is None
    assert report["listed"]["fnmr_at_fmr"]["1e-2"]["fnmr"] > 0
    assert "names do not tell" in result.stderr


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("left,right\na.jpg,b.jpg\n", "lacks the column is_same"),
        ("left,right,is_same\n", "lists no pairs"),
        ("left,right,is_same\na.jpg,b.jpg,yes\n", "wrong at line 2"),
        ("left,right,is_same\na.jpg\n", "wrong at line 2"),
        ("left,right,is_same\na.jpg,b.jpg,1\n", "a.jpg cannot be opened"),
    ],
)
def test_a_wrong_list_is_one_sentence(app: typer.Typer, tmp_path: Path, text: str, sentence: str) -> None:
    pairs = tmp_path / "pairs.csv"
    pairs.write_text(text, encoding="utf-8")
    result = CliRunner().invoke(app, arguments("eval", pairs, tmp_path, "--json"))
    assert isinstance(result.exception, GateError)
    assert sentence in str(result.exception)
    assert "\n" not in str(result.exception)
    assert result.stdout == ""


def test_a_missing_list_is_one_sentence(app: typer.Typer, tmp_path: Path) -> None:
    result = CliRunner().invoke(app, arguments("eval", tmp_path / "none.csv", tmp_path))
    assert isinstance(result.exception, GateError)
    assert "none.csv cannot be opened" in str(result.exception)


def test_a_threshold_is_written_with_its_evidence(app: typer.Typer, images: Path, tmp_path: Path) -> None:
    # Mirrored copies make enough pairs for a rate of 0.1.
    for file in sorted(images.iterdir()):
        cv2.imwrite(str(file.with_name(f"{person_of(file)}_1{file.stem[-3:]}.jpg")), cv2.flip(cv2.imread(str(file)), 1))
    pairs, output = write_pairs(images), tmp_path / "face-threshold.toml"
    result = CliRunner().invoke(
        app, arguments("calibrate", pairs, images, "--fmr", "0.1", "--output", str(output), "--json")
    )
    assert result.exit_code == 0, result.output
    evidence = tomllib.loads(output.read_text(encoding="utf-8"))
    assert json.loads(result.stdout) == evidence
    assert evidence["model_sha256"] == default_manifest().entry(FACE_EMBEDDER).sha256
    assert -1 < evidence["face_threshold"] < default_manifest().threshold(FACE_EMBEDDER, "verify")
    assert evidence["false_non_match_rate"] == 0.0
    assert evidence["genuine_pairs"] + evidence["impostor_pairs"] == 2 * (len(pairs.read_text().splitlines()) - 1)


def test_too_few_pairs_calibrate_nothing(app: typer.Typer, images: Path, tmp_path: Path) -> None:
    pairs, output = write_pairs(images), tmp_path / "face-threshold.toml"
    result = CliRunner().invoke(app, arguments("calibrate", pairs, images, "--fmr", "0.0001", "--output", str(output)))
    assert result.exit_code == calibrate.ANSWER_IS_NO
    assert "100000 are needed" in result.stderr
    assert not output.exists()


def mirrored_too(images: Path) -> Path:
    """Mirrored copies make enough pairs for a rate of 0.1."""
    for file in sorted(images.iterdir()):
        cv2.imwrite(str(file.with_name(f"{person_of(file)}_1{file.stem[-3:]}.jpg")), cv2.flip(cv2.imread(str(file)), 1))
    return write_pairs(images)


def test_a_lane_is_calibrated_as_it_compares_each_way_round(app: typer.Typer, images: Path, tmp_path: Path) -> None:
    pairs = mirrored_too(images)
    found = {}
    for pairing in ("lane", "careful", "plain"):
        output = tmp_path / f"{pairing}.toml"
        more = ("--fmr", "0.1", "--output", str(output), "--pairing", pairing, "--json")
        result = CliRunner().invoke(app, arguments("calibrate", pairs, images, *more))
        assert result.exit_code == 0, result.output
        found[pairing] = tomllib.loads(output.read_text(encoding="utf-8"))
        assert found[pairing]["pairing"] == pairing
    for kind in ("genuine_pairs", "impostor_pairs"):
        assert found["lane"][kind] == 2 * found["careful"][kind] == 2 * found["plain"][kind]
    assert len({evidence["face_threshold"] for evidence in found.values()}) == 3


def test_a_sites_file_takes_the_threshold_and_keeps_all_else(app: typer.Typer, images: Path, tmp_path: Path) -> None:
    pairs, output, site = mirrored_too(images), tmp_path / "evidence.toml", tmp_path / "site.toml"
    before = (sites_dir() / "taiyuan.toml").read_text(encoding="utf-8")
    site.write_text(before, encoding="utf-8")
    more = ("--fmr", "0.1", "--output", str(output), "--site", str(site))
    result = CliRunner().invoke(app, arguments("calibrate", pairs, images, *more))
    assert result.exit_code == 0, result.output
    threshold = tomllib.loads(output.read_text(encoding="utf-8"))["face_threshold"]
    assert load_site(site).policy.face_threshold == threshold
    after = site.read_text(encoding="utf-8").splitlines()
    added = [line for line in after if line not in before.splitlines()]
    assert len(added) == 1
    assert "evidence.toml" in added[0]
    assert [line for line in after if line not in added] == before.splitlines()


def test_only_a_lanes_pairing_goes_into_a_sites_file(app: typer.Typer, images: Path, tmp_path: Path) -> None:
    site = tmp_path / "site.toml"
    shutil.copy(sites_dir() / "desk.toml", site)
    more = ("--output", str(tmp_path / "e.toml"), "--site", str(site), "--pairing", "plain")
    result = CliRunner().invoke(app, arguments("calibrate", write_pairs(images), images, *more))
    assert isinstance(result.exception, GateError)
    assert "leave out --pairing plain or --site" in str(result.exception)


@pytest.mark.parametrize("section", ["", "[policy]\n", "[policy]\nface_threshold = 0.3 # old\nmode = 'joint'\n"])
def test_the_threshold_is_set_wherever_it_belongs(tmp_path: Path, section: str) -> None:
    site = tmp_path / "site.toml"
    base = "".join(
        part
        for part in re.split(r"(?m)^(?=\[)", (sites_dir() / "desk.toml").read_text(encoding="utf-8"))
        if not part.startswith("[policy]")
    )
    site.write_text(base + "\n" + section, encoding="utf-8")
    changed = with_face_threshold(site, 0.51239, "why")
    site.write_text(changed, encoding="utf-8")
    assert load_site(site).policy.face_threshold == 0.5124
    assert changed.count("face_threshold") == 1
    assert changed.startswith(base)


def test_an_unusual_site_file_is_left_to_a_person(tmp_path: Path) -> None:
    site = tmp_path / "site.toml"
    text = (sites_dir() / "desk.toml").read_text(encoding="utf-8")
    site.write_text(text.replace("[policy]", '["policy"]'), encoding="utf-8")
    with pytest.raises(GateError, match=r"set policy\.face_threshold = 0\.5 by hand"):
        with_face_threshold(site, 0.5, "why")


def test_walking_up_is_measured_by_reference_and_by_frames(app: typer.Typer, images: Path) -> None:
    pairs = mirrored_too(images)
    result = CliRunner().invoke(app, arguments("eval", pairs, images, "--json", "--walk-up", "3"))
    assert result.exit_code == 0, result.output
    block = json.loads(result.stdout)["walk_up"]
    assert block["people"] == 3
    assert block["pictures"] >= 6
    assert block["without_enough_frames"] == 0
    assert block["reference"].keys() == {"plain", "careful"}
    for by_frames in block["reference"].values():
        assert by_frames.keys() == {"1_fused", "2_fused", "5_fused", "nearest_alone"}
        for part in by_frames.values():
            assert part["genuine"] + part["impostor"] == block["pictures"] * (block["pictures"] - 1)
            assert part["fnmr_at_fmr"]["1e-2"]["fnmr"] < 0.5


def test_walk_ups_are_the_same_every_time_and_differ_between_frames(
    detector: FaceDetector, people: list[PersonPhotos]
) -> None:
    image = people[0].portrait.load()
    face = detector.detect(image)[0]
    first, again = (list(walk_up.frames_of(image, face, seed=4)) for _ in range(2))
    assert len(first) == 5
    assert all(np.array_equal(a, b) for a, b in zip(first, again, strict=True))
    eyes = [detector.detect(frame)[0].inter_eye_px for frame in first]
    assert eyes == sorted(eyes)
    assert eyes[0] > 40
