"""``gate read``, ``gate match`` and ``gate models`` as a person or a program calls them."""

import json
from datetime import date
from pathlib import Path

import cv2
import numpy as np
import pytest
import typer
from typer.testing import CliRunner

from gate.checks.mrz import CheckName
from gate.cli import models as models_commands
from gate.cli import read as read_commands
from gate.errors import GateError
from models.errors import ModelError
from models.store import ModelStore
from simulator.frames import MILD, UNREADABLE, document_frame
from simulator.passports import Passport, crop_portrait, render_page
from simulator.photos import PersonPhotos

READ_KEYS = {"file", "format", "lines", "fields", "check_digits_ok", "refusal", "portrait_box_px", "elapsed_ms"}


@pytest.fixture
def app(store: ModelStore) -> typer.Typer:
    assert store.verify()
    tree = typer.Typer()
    read_commands.register(tree)
    models_commands.register(tree)
    return tree


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory, people: list[PersonPhotos]) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("pages")
    portrait = crop_portrait(people[0].portrait.load(), people[0].portrait.face_px)
    rng = np.random.default_rng(1)
    files = {}
    for name, wrong, damage in (
        ("good", None, MILD),
        ("forged", CheckName.BIRTH_DATE, MILD),
        ("bad", None, UNREADABLE),
    ):
        passport = Passport(
            document_number="L898902C3",
            primary_name="Eriksson",
            secondary_name="Anna",
            birth_date=date(1974, 8, 12),
            sex="F",
            expiry_date=date(2031, 4, 15),
            wrong_check=wrong,
        )
        files[name] = folder / f"{name}.png"
        cv2.imwrite(str(files[name]), document_frame(render_page(passport, portrait), rng=rng, damage=damage))
    return files


def test_read_prints_one_object_a_line(app: typer.Typer, pages: dict[str, Path]) -> None:
    result = CliRunner().invoke(app, ["read", "--json", *map(str, pages.values())])
    assert result.exit_code == 1
    good, forged, bad = (json.loads(line) for line in result.stdout.splitlines())
    assert all(report.keys() >= READ_KEYS for report in (good, forged, bad))
    assert good["format"] == "TD3"
    assert good["check_digits_ok"] is True
    assert good["refusal"] is None
    assert good["fields"]["document_number"] == "L898902C3"
    assert good["fields"]["birth_date"] == "1974-08-12"
    assert len(good["portrait_box_px"]) == 4
    assert forged["check_digits_ok"] is False
    assert forged["fields"]["check_digits"]["birth_date"] is False
    assert forged["refusal"] is None
    assert bad["lines"] is None
    assert bad["refusal"]


def test_a_good_document_exits_with_zero(app: typer.Typer, pages: dict[str, Path]) -> None:
    result = CliRunner().invoke(app, ["read", str(pages["good"])])
    assert result.exit_code == 0
    assert "all check digits right" in result.stdout


def test_what_is_no_picture_is_one_sentence(app: typer.Typer, pages: dict[str, Path], tmp_path: Path) -> None:
    text = tmp_path / "notes.txt"
    text.write_text("not a picture")
    for path, words in ((text, "not a picture that can be read"), (tmp_path / "missing.jpg", "cannot be opened")):
        result = CliRunner().invoke(app, ["read", "--json", str(path), str(pages["good"])])
        assert isinstance(result.exception, GateError)
        assert words in str(result.exception)
        assert str(path) in str(result.exception)
        assert "\n" not in str(result.exception)
        # The good picture beside it is still read.
        assert json.loads(result.stdout)["format"] == "TD3"


def test_match_tells_people_apart(
    app: typer.Typer, people: list[PersonPhotos], pages: dict[str, Path], tmp_path: Path
) -> None:
    same = [str(file) for file in people[0].files[:2]]
    other = str(people[1].files[0])
    result = CliRunner().invoke(app, ["match", "--json", *same])
    report = json.loads(result.stdout)
    assert (result.exit_code, report["is_match"], report["refusal"]) == (0, True, None)
    assert report["score"] >= report["threshold"]
    result = CliRunner().invoke(app, ["match", "--json", same[0], other])
    report = json.loads(result.stdout)
    assert (result.exit_code, report["is_match"]) == (1, False)
    blank = tmp_path / "blank.png"
    cv2.imwrite(str(blank), np.full((200, 200, 3), 90, np.uint8))
    result = CliRunner().invoke(app, ["match", "--json", same[0], str(blank)])
    report = json.loads(result.stdout)
    assert (result.exit_code, report["score"], report["is_match"]) == (1, None, False)
    assert str(blank) in report["refusal"]


def test_models_verify_finds_a_corrupt_file(app: typer.Typer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TONGGUAN_CACHE", str(tmp_path))
    runner = CliRunner()
    assert isinstance(runner.invoke(app, ["models", "verify"]).exception, ModelError)
    assert runner.invoke(app, ["models", "prepare"]).exit_code == 0
    result = runner.invoke(app, ["models", "verify", "--json"])
    report = json.loads(result.stdout)
    assert report["ok"] is True
    assert report["models"] >= 5
    path = ModelStore().path("face-detector")
    path.write_bytes(path.read_bytes()[:-1])
    result = runner.invoke(app, ["models", "verify"])
    assert isinstance(result.exception, ModelError)
    assert str(path) in str(result.exception)
    rows = [json.loads(line) for line in runner.invoke(app, ["models", "list", "--json"]).stdout.splitlines()]
    assert {row["name"]: row["state"] for row in rows}["face-detector"] == "corrupt"
