"""``gate keys init``: the keys with which a hub signs commands and lanes sign requests."""

import json
import sys
from pathlib import Path
from typing import Annotated

import typer


def register(app: typer.Typer) -> None:
    """Add the group to the tree."""
    group = typer.Typer(no_args_is_help=True, help="The signing keys of a site.")
    group.callback()(_keys)
    group.command("init")(init)
    app.add_typer(group, name="keys")


def _keys() -> None:
    """The signing keys of a site."""


def init(
    site: Annotated[Path, typer.Option("--site", help="The site file (TOML).")],
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line on standard output.")] = False,
) -> None:
    """Make the keys that are missing: the hub's, and one per lane. A key that is there is never touched."""
    from config.loader import load_site
    from gate.errors import GateError
    from gate.wire.keyring import Keyring

    loaded = load_site(site)
    try:
        made = Keyring(loaded.keys_dir).create_missing(lane.id for lane in loaded.lanes)
    except OSError as error:
        raise GateError(f"keys cannot be written to {loaded.keys_dir} ({error}): check its permissions") from None
    for file, is_new in made.items():
        if as_json:
            typer.echo(json.dumps({"file": str(file), "is_new": is_new}))
        else:
            print(f"{'made' if is_new else 'kept'} {file}", file=sys.stderr)
