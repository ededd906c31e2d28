"""``gate paxlst FILE``: what a carrier's passenger list says, and what is wrong with it."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from gate.checks.paxlst import PaxlstRead


def register(app: typer.Typer) -> None:
    """Add the command to the tree."""
    app.command("paxlst")(paxlst)


def paxlst(
    file: Annotated[Path, typer.Argument(help="A UN/EDIFACT file with PAXLST messages.", show_default=False)],
    as_json: Annotated[bool, typer.Option("--json", help="JSON on standard output.")] = False,
    with_travellers: Annotated[
        bool, typer.Option("--travellers", help="With --json: the travellers too. They are personal data.")
    ] = False,
) -> None:
    """Read a passenger list (advance passenger information). Exit 1 if anything is wrong with it."""
    from datetime import UTC, datetime

    from gate.checks.paxlst import read_paxlst
    from gate.errors import GateError

    try:
        data = file.read_bytes()
    except OSError as error:
        raise GateError(f"{file} cannot be read ({error.strerror}): name a file with PAXLST messages") from None
    read = read_paxlst(data, today=datetime.now(UTC).date())
    if as_json:
        print(json.dumps(_summary(read, with_travellers=with_travellers), ensure_ascii=False))
    else:
        _show(read)
    raise typer.Exit(1 if read.errors else 0)


def _summary(read: "PaxlstRead", *, with_travellers: bool) -> dict[str, Any]:
    from dataclasses import asdict

    summary: dict[str, Any] = {
        "records": len(read.passengers),
        "errors": [asdict(error) for error in read.errors],
        "messages": len(read.lists),
        "flights": sorted({item.flight for item in read.lists if item.flight}),
    }
    if with_travellers:
        summary["travellers"] = [json.loads(json.dumps(asdict(item), default=str)) for item in read.passengers]
    return summary


def _show(read: "PaxlstRead") -> None:
    import sys

    for item in read.lists:
        calls = " - ".join(call.port for call in item.calls)
        print(
            f"{item.reference}: {item.kind.name.lower()}, flight {item.flight or '?'} {calls}: {len(item.passengers)}"
        )
    for error in read.errors:
        who = "" if error.passenger is None else f", traveller {error.passenger}"
        print(f"line {error.line}, {error.segment}{who}: {error.field} {error.message}", file=sys.stderr)
    print(f"{len(read.passengers)} travellers, {len(read.errors)} errors")
