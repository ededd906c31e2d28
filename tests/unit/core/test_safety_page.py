"""The page on safety names tests and modules that are there."""

import re
from pathlib import Path

import gate

HOUSE = Path(gate.__file__).parents[1]


def test_every_file_that_the_page_names_is_there() -> None:
    text = (HOUSE / "docs" / "SAFETY.md").read_text(encoding="utf-8")
    named = set(re.findall(r"`([a-z_/*]+\.(?:py|md))`", text)) | set(re.findall(r"\]\(([a-z_/-]+\.md)\)", text))
    assert len(named) > 12
    for name in named:
        places = [place for place in (HOUSE, HOUSE / "tests", HOUSE / "docs") if list(place.glob(name))]
        assert places, f"docs/SAFETY.md names {name}, which is not there"
