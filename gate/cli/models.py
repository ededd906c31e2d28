"""``gate models prepare|list|verify``: the weights on this machine."""

import json
import sys
from typing import Annotated

import typer

_Json = Annotated[bool, typer.Option("--json", help="One JSON object a line on standard output.")]


def register(app: typer.Typer) -> None:
    """Add the group to the tree."""
    group = typer.Typer(no_args_is_help=True, help="The models' weights: prepare, list, verify.")
    group.command("prepare")(prepare)
    group.command("list")(list_models)
    group.command("verify")(verify)
    app.add_typer(group, name="models")


def prepare(
    also: Annotated[
        list[str] | None, typer.Argument(help="Optional models to make ready as well.", metavar="[NAME]...")
    ] = None,
) -> None:
    """Make every needed model ready to run, from the installed packages or from files dropped into the cache."""
    from models.store import ModelStore

    ModelStore().prepare(lambda line: print(line, file=sys.stderr), also=also or ())


def list_models(as_json: _Json = False) -> None:
    """List the models: task, licence, state, sha256."""
    from models.store import ModelStore, default_cache_dir

    for status in ModelStore().status():
        if as_json:
            row = {
                "name": status.name,
                "task": status.task,
                "licence": status.licence,
                "state": str(status.state),
                "path": str(status.path),
                "sha256": status.sha256,
            }
            typer.echo(json.dumps(row, ensure_ascii=False))
        else:
            typer.echo(f"{status.name:16} {status.state:12} {status.licence:11} {status.sha256[:16]}  {status.task}")
    if not as_json:
        print(f"cache: {default_cache_dir()}", file=sys.stderr)


def verify(as_json: _Json = False) -> None:
    """Hash every prepared file; exit code 2 and one sentence if one is missing or corrupt."""
    from models.store import ModelStore

    statuses = ModelStore().verify()
    if as_json:
        typer.echo(json.dumps({"models": len(statuses), "ok": True}))
    else:
        print(f"{len(statuses)} models have the sha256 of the manifest", file=sys.stderr)
