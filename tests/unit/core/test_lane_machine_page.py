"""The page about the machine is what its generator makes of the table."""

import importlib.util
from pathlib import Path
from types import ModuleType

import gate

DOCS = Path(gate.__file__).parents[1] / "docs"


def generator() -> ModuleType:
    spec = importlib.util.spec_from_file_location("make_lane_machine", DOCS / "make_lane_machine.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_committed_page_is_what_the_table_makes() -> None:
    made = generator().page()
    committed = (DOCS / "lane-machine.md").read_text(encoding="utf-8")
    assert committed == made, "run: python docs/make_lane_machine.py"


def test_the_page_shows_the_way_back_and_never_an_exit_without_a_release() -> None:
    rows = [line for line in (DOCS / "lane-machine.md").read_text(encoding="utf-8").splitlines() if line[:2] == "| "]
    assert any("| InsideLimitReached | limit reached | Leaving |" in row for row in rows)
    exits = [row for row in rows if "open exit" in row.rsplit("|", 2)[1]]
    assert exits
    assert all(row.startswith("| ReleaseVerified |") for row in exits)
