"""``gate rules check|replay|draw``: try risk rules before a port goes by them, and work out afterwards who was drawn by lot."""

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from config.schema import Site

_Site = Annotated[Path, typer.Option("--site", help="The site file (TOML).", show_default=False)]
_Json = Annotated[bool, typer.Option("--json", help="One JSON object on standard output.")]
_File = Annotated[
    Path | None, typer.Argument(help="Rules (TOML); without a file, those of the site.", show_default=False)
]
_DAY_MS = 86_400_000
_SHOWN = 20


def register(app: typer.Typer) -> None:
    """Add the group to the tree."""
    group = typer.Typer(no_args_is_help=True, help="Risk rules: their own tests, a dry run on past cases, the lots.")
    group.command("check")(check)
    group.command("replay")(replay)
    group.command("draw")(draw)
    app.add_typer(group, name="rules")


def check(site: _Site, file: _File = None, as_json: _Json = False) -> None:
    """Read rules and run the tests beside them. Exit code 1 if one fails, 2 if the file cannot be used."""
    from config.loader import load_site
    from gate.checks.risk.rules import RulesInvalid, load_rules
    from gate.errors import GateError

    settings = load_site(site)
    path = _path(settings, file)
    try:
        rules, failed = load_rules(path, roles=[role.id for role in settings.roles])
    except RulesInvalid as problem:
        raise GateError(str(problem)) from None
    if as_json:
        said = {
            "file": str(path),
            "rules": [
                {"id": rule.id, "role": rule.role, "ask": rule.ask.value, "facts": rule.facts} for rule in rules.rules
            ],
            "sha256": rules.sha256,
            "failed": [{"name": item.name, "expected": item.expected, "fired": item.fired} for item in failed],
        }
        typer.echo(json.dumps(said, ensure_ascii=False))
    else:
        for item in failed:
            print(f"test '{item.name}' fires {list(item.fired)}, not {list(item.expected)}", file=sys.stderr)
        print(f"{len(rules.rules)} rules, {len(failed)} tests failed", file=sys.stderr)
    raise typer.Exit(1 if failed else 0)


def replay(
    site: _Site,
    file: _File = None,
    days: Annotated[int, typer.Option(help="How far back.", min=1, max=3650)] = 30,
    as_json: _Json = False,
) -> None:
    """What would these rules have said of past cases? Nothing is changed. Exit code 1 when something would differ."""
    from config.loader import load_site
    from gate.core.clock import SystemClock
    from gate.hub import risk
    from gate.hub.service import database_url
    from gate.hub.store import Store

    settings = load_site(site)
    rules = risk.site_rules(settings, _path(settings, file))
    store = Store(database_url(settings))
    before: dict[str, int] = {}
    after: dict[str, int] = {}
    changed, cases = [], 0
    try:
        store.migrate()
        with store.snapshot() as connection:
            for past, other in risk.replay(connection, rules, since_ms=SystemClock().utc_ms() - days * _DAY_MS):
                cases += 1
                for name in past.fired:
                    before[name] = before.get(name, 0) + 1
                for name in past.fired if other is None else other.after:
                    after[name] = after.get(name, 0) + 1
                if other is not None:
                    changed.append(other)
    finally:
        store.close()
    if as_json:
        rows = [
            {"case_id": item.case_id, "before": item.before, "after": item.after, "why": item.explanations}
            for item in changed
        ]
        typer.echo(
            json.dumps(
                {"cases": cases, "fired_before": before, "fired_after": after, "changed": rows}, ensure_ascii=False
            )
        )
    else:
        for name in sorted(before.keys() | after.keys()):
            typer.echo(f"{name:32} {before.get(name, 0):>7} then {after.get(name, 0):>7} now")
        for item in changed[:_SHOWN]:
            typer.echo(f"{item.case_id}: {list(item.before)} -> {list(item.after)}  {'; '.join(item.explanations)}")
        print(f"{cases} cases of {days} days, {len(changed)} would differ", file=sys.stderr)
    raise typer.Exit(1 if changed else 0)


def draw(
    site: _Site,
    case: Annotated[str, typer.Argument(help="The case.", show_default=False)],
    day: Annotated[str, typer.Option("--day", help="YYYY-MM-DD (UTC), the day it was judged.", show_default=False)],
    as_json: _Json = False,
) -> None:
    """Work out the lot of a case anew: a number from 0 to 1; who is below the rate of their trust is looked at."""
    from datetime import date

    from config.loader import load_site
    from gate.checks.risk.sampling import day_key, lot
    from gate.errors import GateError
    from gate.hub.risk import sampling_secret

    try:
        on = date.fromisoformat(day)
    except ValueError:
        raise GateError(f"{day!r} is no day: write it as 2026-11-23") from None
    drawn = lot(day_key(sampling_secret(load_site(site).keys_dir), on), case)
    typer.echo(json.dumps({"case_id": case, "day": day, "lot": drawn}) if as_json else f"{drawn:.6f}")


def _path(settings: "Site", file: Path | None) -> Path:
    from gate.errors import GateError

    path = file or settings.risk.rules_file
    if path is None:
        raise GateError("this site has no rules: name a file, or set risk.rules_file in the site file")
    return path
