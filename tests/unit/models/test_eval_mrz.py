"""``gate eval mrz``: what it counts, and what it says when it cannot count."""

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
import typer
from typer.testing import CliRunner

from gate.checks.names import edit_distance
from gate.cli import evaluate
from gate.errors import GateError
from models.store import ModelStore
from models.training.mrz_pages import render_document

KEYS = {"pages", "exact", "refused", "wrong_accepted", "character_error_rate", "ms_p50", "ms_p95"}
HEADER = "file,format,line1,line2,line3\n"


@pytest.fixture
def app(store: ModelStore) -> typer.Typer:
    assert store.verify()
    tree = typer.Typer()
    evaluate.register(tree)
    return tree


def folder_of(path: Path, changes: dict[str, str]) -> list[str]:
    """Two readable documents and an empty picture; ``changes`` are made in the truth."""
    rows = []
    for index in (3, 4):
        document = render_document(np.random.default_rng([21, index]))
        cv2.imwrite(str(path / f"{index}.png"), document.frame_bgr)
        rows.append(
            ",".join([f"{index}.png", str(document.format), *document.lines, *[""] * (3 - len(document.lines))])
        )
    cv2.imwrite(str(path / "empty.png"), np.full((480, 640, 3), 90, np.uint8))
    rows.append(f"empty.png,TD3,{'P' * 44},{'0' * 44},")
    text = HEADER + "\n".join(rows) + "\n"
    for old, new in changes.items():
        assert old in text
        text = text.replace(old, new)
    (path / "truth.csv").write_text(text)
    return rows


def run(app: typer.Typer, path: Path, *more: str) -> dict[str, float]:
    result = CliRunner().invoke(
        app, ["eval", "mrz", "--truth", str(path / "truth.csv"), "--images", str(path), "--json", *more]
    )
    assert result.exit_code == 0, result.exception
    report: dict[str, float] = json.loads(result.stdout)
    return report


def test_exact_and_refused_pages_are_counted(app: typer.Typer, tmp_path: Path) -> None:
    folder_of(tmp_path, {})
    report = run(app, tmp_path)
    assert report.keys() >= KEYS
    assert (report["pages"], report["exact"], report["refused"], report["wrong_accepted"]) == (3, 2, 1, 0)
    assert report["character_error_rate"] == 0.0
    assert 0 < report["ms_p50"] <= report["ms_p95"]


def test_who_asks_for_certainty_gets_fewer_readings(app: typer.Typer, tmp_path: Path) -> None:
    folder_of(tmp_path, {})
    report = run(app, tmp_path, "--certainty", "1.0")
    assert (report["exact"], report["refused"], report["wrong_accepted"]) == (0, 3, 0)


def test_a_page_read_otherwise_with_right_check_digits_is_wrong_but_accepted(app: typer.Typer, tmp_path: Path) -> None:
    first = folder_of(tmp_path, {})[0].split(",")
    # The truth gets another letter in the name, which no check digit covers.
    name = first[4] if first[4] else first[2]
    other = name[:6] + ("Q" if name[6] != "Q" else "X") + name[7:]
    folder_of(tmp_path, {name: other})
    result = CliRunner().invoke(
        app, ["eval", "mrz", "--truth", str(tmp_path / "truth.csv"), "--images", str(tmp_path), "--json", "--list"]
    )
    report = json.loads(result.stdout)
    assert (report["exact"], report["wrong_accepted"], report["misread_flagged"]) == (1, 1, 0)
    assert 0 < report["character_error_rate"] < 0.02
    assert "3.png: wrong_accepted: read " in result.stderr
    assert "empty.png: refused: " in result.stderr


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("file,format,line1\n", "lacks the column line2"),
        (HEADER, "lists no pages"),
        (HEADER + "missing.png,TD3,A,B,\n", "missing.png cannot be opened"),
    ],
)
def test_a_truth_that_cannot_be_used_is_one_sentence(app: typer.Typer, tmp_path: Path, text: str, words: str) -> None:
    (tmp_path / "truth.csv").write_text(text)
    result = CliRunner().invoke(app, ["eval", "mrz", "--truth", str(tmp_path / "truth.csv"), "--images", str(tmp_path)])
    assert isinstance(result.exception, GateError)
    assert words in str(result.exception)
    assert "\n" not in str(result.exception)


def test_a_truth_that_is_not_there_is_one_sentence(app: typer.Typer, tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["eval", "mrz", "--truth", str(tmp_path / "none.csv"), "--images", str(tmp_path)])
    assert isinstance(result.exception, GateError)
    assert "none.csv cannot be opened" in str(result.exception)


@pytest.mark.parametrize(
    ("a", "b", "errors"),
    [
        ("", "", 0),
        ("ABC", "ABC", 0),
        ("ABC", "ABD", 1),
        ("ABC", "AC", 1),
        ("AC", "ABC", 1),
        ("", "XY", 2),
        ("AB", "BA", 2),
    ],
)
def test_edit_distance(a: str, b: str, errors: int) -> None:
    assert edit_distance(a, b) == errors
