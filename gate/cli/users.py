"""``gate users add|list|remove``: the accounts of a port's officers."""

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from gate.hub.accounts import Accounts

_Site = Annotated[Path, typer.Option("--site", help="The site file (TOML).")]
_Json = Annotated[bool, typer.Option("--json", help="One JSON object a line on standard output.")]


def register(app: typer.Typer) -> None:
    """Add the group to the tree."""
    group = typer.Typer(no_args_is_help=True, help="Officers' accounts: add, list, remove.")
    group.command("add")(add)
    group.command("list")(list_users)
    group.command("remove")(remove)
    app.add_typer(group, name="users")


def add(
    user: Annotated[str, typer.Argument(help="The name to log in with: lower-case letters, digits, '.', '_', '-'.")],
    site: _Site,
    role: Annotated[
        list[str], typer.Option("--role", help="A role of the site, 'supervisor' or 'intake'; repeatable.")
    ],
    name: Annotated[str, typer.Option("--name", help="The name to show on the screens.")] = "",
    password_stdin: Annotated[
        bool, typer.Option("--password-stdin", help="Read the password from standard input instead of asking.")
    ] = False,
    port: Annotated[
        list[str] | None,
        typer.Option(
            "--port", help="A port where it holds, '*' for all that share the database (default: the site's)."
        ),
    ] = None,
    as_json: _Json = False,
) -> None:
    """Make an account. The password is asked for, or read from standard input; it is never an argument."""
    with _accounts(site) as accounts:
        officer = accounts.add(user=user, name=name, password=_password(password_stdin), roles=role, ports=port or ())
    if as_json:
        typer.echo(json.dumps({"user": officer.user, "name": officer.name, "roles": list(officer.roles)}))
    else:
        print(f"{officer.user} may log in as {', '.join(officer.roles)}", file=sys.stderr)


def list_users(site: _Site, as_json: _Json = False) -> None:
    """List the accounts and their roles."""
    with _accounts(site) as accounts:
        officers = accounts.all()
    for officer in officers:
        if as_json:
            row = {"user": officer.user, "name": officer.name, "roles": list(officer.roles)}
            typer.echo(json.dumps(row, ensure_ascii=False))
        else:
            typer.echo(f"{officer.user:20} {officer.name:30} {', '.join(officer.roles)}")


def remove(user: Annotated[str, typer.Argument(help="The account to end.")], site: _Site) -> None:
    """End an account and its sessions."""
    with _accounts(site) as accounts:
        accounts.remove(user)
    print(f"{user} can no longer log in", file=sys.stderr)


def _password(from_stdin: bool) -> str:
    if from_stdin:
        return sys.stdin.readline().rstrip("\r\n")
    prompted: str = typer.prompt("Password", hide_input=True, confirmation_prompt=True, err=True)
    return prompted


@contextmanager
def _accounts(site_file: Path) -> Iterator["Accounts"]:
    from config.loader import load_site
    from gate.core.clock import SystemClock
    from gate.hub.accounts import Accounts
    from gate.hub.service import database_url
    from gate.hub.store import Store

    site = load_site(site_file)
    store = Store(database_url(site))
    try:
        store.migrate()
        yield Accounts(store, clock=SystemClock(), site=site)
    finally:
        store.close()
