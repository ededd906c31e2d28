"""``gate``: the command line. Each module beside this one registers a group of commands; heavy imports happen inside them.

Exit codes: 0 done; 1 done and the answer is no; 2 could not be done (one clear sentence on standard error).
"""

import sys
from importlib.metadata import entry_points

import typer

from config.errors import ConfigError
from drivers.errors import DeviceError
from gate.cli import (
    audit,
    calibrate,
    chip,
    console,
    csca,
    doctor,
    evaluate,
    evidence,
    flow,
    hub,
    keys,
    models,
    paxlst,
    read,
    rules,
    run,
    users,
    watchlist,
)
from gate.errors import GateError
from models.errors import ModelError

COULD_NOT = 2
_PROBLEMS = (GateError, ConfigError, DeviceError, ModelError)


def make_app() -> typer.Typer:
    """The command tree: ours, then what installed packages add through the entry point group ``tongguan.commands``."""
    app = typer.Typer(
        name="gate",
        help="Tongguan (通关): a smart passenger-clearance gate controller.",
        no_args_is_help=True,
        pretty_exceptions_enable=False,
        rich_markup_mode=None,  # its help pages cost as much time to import as all the rest together
        add_completion=False,
    )
    groups = (
        run,
        hub,
        console,
        doctor,
        read,
        evaluate,
        calibrate,
        models,
        keys,
        users,
        audit,
        evidence,
        chip,
        csca,
        paxlst,
        watchlist,
        rules,
        flow,
    )
    for module in groups:
        module.register(app)
    for entry in sorted(entry_points(group="tongguan.commands"), key=lambda item: item.name):
        entry.load()(app)
    return app


def main() -> None:
    """Run a command and exit with its code. What a person can mend is one sentence; a bug keeps its traceback."""
    try:
        make_app()()
    except _PROBLEMS as problem:
        print(f"gate: {problem}", file=sys.stderr)
        sys.exit(COULD_NOT)
