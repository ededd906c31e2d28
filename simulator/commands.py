"""The commands that the simulator adds to ``gate``. Light to import: the work is imported inside."""

from pathlib import Path
from typing import Annotated

import typer


def register(app: typer.Typer) -> None:
    """Add ``gate demo``."""
    app.command("demo")(demo)


def demo(
    travellers: Annotated[
        int | None, typer.Option("--travellers", min=1, help="End after so many.", show_default=False)
    ] = None,
    headless: Annotated[
        bool, typer.Option("--headless", help="End by itself; exit 1 unless all ends as expected.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object on standard output.")] = False,
    scenario: Annotated[
        Path | None, typer.Option("--scenario", help="Another scenario (TOML).", show_default=False)
    ] = None,
    no_officers: Annotated[bool, typer.Option("--no-officers", help="Nobody answers referrals but you.")] = False,
    log: Annotated[Path | None, typer.Option("--log", help="Where the processes' logs go.", show_default=False)] = None,
) -> None:
    """A port to look at: broker, hub, screens and two lanes with simulated boards and travellers, all on loopback."""
    from simulator.demo import run_demo

    code = run_demo(
        travellers=travellers,
        is_headless=headless,
        is_json=as_json,
        scenario_file=scenario,
        has_officers=not no_officers,
        log_file=log,
    )
    raise typer.Exit(code)
