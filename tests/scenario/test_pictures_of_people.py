"""Whole processes: pictures of the document's owner are sent to an officer, and the owner walks through."""

import json
import subprocess
import sys

import pytest

from simulator.scenario import load_scenario, scenarios_dir

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]
PICTURES = scenarios_dir() / "pictures.toml"


def test_pictures_are_referred_and_their_owner_is_not() -> None:
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "gate",
            "demo",
            "--headless",
            "--json",
            "--travellers",
            "4",
            "--scenario",
            str(PICTURES),
        ],
        capture_output=True,
        text=True,
        timeout=280,
        check=False,
    )
    result = json.loads(done.stdout)
    ended = {item["traveller"]: item["outcome"] for item in result["outcomes"]}
    assert ended == {item.id: item.expected.outcome.value for item in load_scenario(PICTURES).travellers}, done.stderr
    for item in result["outcomes"]:
        assert ("face.presentation" in item["reasons"]) == (item["traveller"] != "owner")
        assert "face.match" not in item["reasons"]
