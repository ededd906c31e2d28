"""Risk rules of a port."""

from pathlib import Path

from config.section import Section


class Risk(Section):
    """``rules_file``: TOML, see docs/risk-and-flow.md; without one no rule fires and nobody is drawn by lot."""

    rules_file: Path | None = None
