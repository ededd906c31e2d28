"""``gate read`` on a picture that holds a boarding pass."""

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
import typer
import zxingcpp
from typer.testing import CliRunner

from gate.cli import models as models_commands
from gate.cli import read as read_commands
from models.store import ModelStore

PASS = "M1DESMARAIS/LUC       EABC123 YULFRAAC 0834 326J001A0025 100"


@pytest.fixture
def app(store: ModelStore) -> typer.Typer:
    assert store.verify()
    tree = typer.Typer()
    read_commands.register(tree)
    models_commands.register(tree)
    return tree


def picture(folder: Path, text: str) -> Path:
    code = np.array(zxingcpp.create_barcode(text, zxingcpp.BarcodeFormat.PDF417).to_image(scale=2))
    seen = np.full((480, 900), 220, np.uint8)
    seen[60 : 60 + code.shape[0], 40 : 40 + code.shape[1]] = code
    path = folder / "pass.png"
    cv2.imwrite(str(path), seen)
    return path


def test_boarding_pass_alone_is_enough(app: typer.Typer, tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["read", "--json", str(picture(tmp_path, PASS))])
    report = json.loads(result.stdout)
    assert (result.exit_code, report["lines"]) == (0, None)
    found = report["boarding_pass"]
    assert (found["surname"], found["symbology"], found["is_signed"], found["refusal"]) == (
        "DESMARAIS",
        "pdf417",
        False,
        None,
    )
    assert (found["legs"][0]["flight_number"], found["legs"][0]["date"][-5:]) in (("0834", "11-22"), ("0834", "11-21"))


def test_it_is_told_in_words_too(app: typer.Typer, tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["read", str(picture(tmp_path, PASS))])
    assert "boarding pass: DESMARAIS, LUC · AC 0834 YUL to FRA on 2" in result.stdout


def test_broken_pass_is_refused_with_the_reason(app: typer.Typer, tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["read", "--json", str(picture(tmp_path, PASS.replace("326J", "999J")))])
    assert result.exit_code == 1
    assert json.loads(result.stdout)["boarding_pass"]["refusal"].startswith("bad_field: the date of flight")


def test_other_codes_are_no_boarding_pass(app: typer.Typer, tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["read", "--json", str(picture(tmp_path, "https://example.org/"))])
    assert (result.exit_code, json.loads(result.stdout)["boarding_pass"]) == (1, None)
