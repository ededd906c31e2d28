"""The page on safety names tests and modules that are there, and no hazard without a test."""

import re
from pathlib import Path

import gate

HOUSE = Path(gate.__file__).parents[1]
TEXT = (HOUSE / "docs" / "SAFETY.md").read_text(encoding="utf-8")
SUITES = {"lane", "guard", "machine", "board", "signing", "joint"}
"""What the page explains before its table."""


def hazards() -> dict[str, str]:
    """What shows that each hazard is met, by the hazard."""
    section = TEXT.split("## Hazards")[1].split("\n## ")[0]
    rows = [line.strip().strip("|").split("|") for line in section.splitlines() if line.startswith("| ")]
    cells = {row[0].strip(): row[-1].strip() for row in rows}
    return {hazard: by for hazard, by in cells.items() if not hazard.startswith(("hazard", "---"))}


def test_every_file_that_the_page_names_is_there() -> None:
    named = set(re.findall(r"`([a-z_/*]+\.(?:py|md))`", TEXT)) | set(re.findall(r"\]\(([a-z_/-]+\.md)\)", TEXT))
    assert len(named) > 12
    for name in named:
        places = [place for place in (HOUSE, HOUSE / "tests", HOUSE / "docs") if list(place.glob(name))]
        assert places, f"docs/SAFETY.md names {name}, which is not there"


def test_every_hazard_has_a_test_that_is_there() -> None:
    shown = hazards()
    assert len(shown) > 40
    for hazard, by in shown.items():
        found = bool(SUITES & set(re.findall(r"[a-z]+", re.sub(r"`[^`]*`", "", by))))
        for name in re.findall(r"`([^`]+)`", by):
            if "/" in name:
                assert (HOUSE / "tests" / name).exists(), f"{hazard}: {name} is not there"
            else:
                one = HOUSE / "tests" / "scenario" / "hazards" / f"test_hazard_{name}.py"
                assert one.exists(), f"{hazard}: {one.name} is not there"
            found = True
        assert found, f"{hazard}: nothing shows it"
