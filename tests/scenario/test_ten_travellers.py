"""The main job, as a person starts it: ten travellers of ten kinds end as they should, and the command says so when they do not."""

import json
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
import tomli_w

from simulator.scenario import load_scenario, scenarios_dir

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]
TEN = scenarios_dir() / "ten.toml"
KEYS = {"traveller", "expected", "outcome", "reasons", "crossing_s"}


def demo(*arguments: object) -> tuple[int, dict[str, Any], str]:
    """(exit code, the one JSON object on standard output, standard error) of ``gate demo``."""
    done = subprocess.run(
        [sys.executable, "-m", "gate", "demo", "--headless", "--json", *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=280,
        check=False,
    )
    assert done.stdout.count("\n") == 1, (done.stdout, done.stderr)
    result: dict[str, Any] = json.loads(done.stdout)
    return done.returncode, result, done.stderr


def test_ten_travellers_end_as_they_should(tmp_path: Path) -> None:
    code, result, errors = demo("--travellers", 10, "--log", tmp_path / "log")
    ended = {item["traveller"]: item["outcome"] for item in result["outcomes"]}
    assert ended == {item.id: item.expected.outcome.value for item in load_scenario(TEN).travellers}, errors
    assert (code, result["travellers"], result["as_expected"]) == (0, 10, 10)
    assert all(item.keys() >= KEYS and item["crossing_s"] > 0 for item in result["outcomes"])
    assert "Traceback" not in (tmp_path / "log").read_text(encoding="utf-8", errors="replace")


def test_an_impostor_who_is_expected_to_be_cleared_makes_it_fail(tmp_path: Path) -> None:
    scenario = tomllib.loads(TEN.read_text(encoding="utf-8"))
    (impostor,) = (item for item in scenario["traveller"] if item["id"] == "impostor")
    impostor["expected"] = {"outcome": "cleared"}
    file = tmp_path / "wrong.toml"
    file.write_text(tomli_w.dumps({**scenario, "traveller": [impostor]}), encoding="utf-8")
    code, result, _ = demo("--travellers", 1, "--scenario", file)
    assert code == 1
    assert (result["travellers"], result["as_expected"]) == (1, 0)
    (outcome,) = result["outcomes"]
    assert (outcome["expected"], outcome["outcome"]) == ("cleared", "sent_back")
    assert "face.match" in outcome["reasons"]


@pytest.mark.long
def test_nine_travellers_at_a_walk_through_end_as_they_should(tmp_path: Path) -> None:
    file = scenarios_dir() / "walk_through.toml"
    code, result, errors = demo("--travellers", 9, "--scenario", file, "--log", tmp_path / "log")
    ended = {item["traveller"]: item["outcome"] for item in result["outcomes"]}
    assert ended == {item.id: item.expected.outcome.value for item in load_scenario(file).travellers}, errors
    assert (code, result["as_expected"]) == (0, 9)
