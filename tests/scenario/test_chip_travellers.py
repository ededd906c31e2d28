"""Whole processes: documents with chips that are in order, or were cloned, rewritten, forged or forced, end as they should."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from simulator.scenario import load_scenario, scenarios_dir

pytestmark = [pytest.mark.long, pytest.mark.timeout(300)]
CHIPS = scenarios_dir() / "chips.toml"


def test_chips_end_as_they_should(tmp_path: Path) -> None:
    travellers = load_scenario(CHIPS).travellers
    command = [sys.executable, "-m", "gate", "demo", "--headless", "--json", "--log", str(tmp_path / "log")]
    command += ["--travellers", str(len(travellers)), "--scenario", str(CHIPS)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=280, check=False)
    result = json.loads(done.stdout)
    ended = {item["traveller"]: item["outcome"] for item in result["outcomes"]}
    assert ended == {item.id: item.expected.outcome.value for item in travellers}, done.stderr
    assert result["as_expected"] == len(travellers), result["outcomes"]
    assert "Traceback" not in (tmp_path / "log").read_text(encoding="utf-8", errors="replace")
