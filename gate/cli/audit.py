"""``gate audit``: check the hub's record of everything, prove an entry of it, sign what it is."""

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    from gate.hub.audit.notes import Checkpoint
    from gate.hub.audit.witness import Witness
    from gate.hub.store import Store

_Site = Annotated[Path, typer.Option("--site", help="The site file (TOML).", show_default=False)]
_Json = Annotated[bool, typer.Option("--json", help="One JSON object on standard output.")]
_SHOWN = 20


def register(app: typer.Typer) -> None:
    """Add the group to the tree."""
    group = typer.Typer(no_args_is_help=True, help="The hub's record of everything: check it, prove it, sign it.")
    group.command("verify")(verify)
    group.command("prove")(prove)
    group.command("check")(check)
    group.command("checkpoint")(checkpoint)
    app.add_typer(group, name="audit")


def verify(
    site: _Site,
    kept: Annotated[
        list[Path] | None,
        typer.Option("--checkpoint", help="A checkpoint that was kept elsewhere; repeatable. Shows a rollback."),
    ] = None,
    key: Annotated[
        Path | None, typer.Option("--key", help="The log's public key, kept elsewhere too (default: the site's).")
    ] = None,
    as_json: _Json = False,
) -> None:
    """Read the whole log and compare it with everything that it records. Exit code 1 when anything was changed."""
    from gate.hub.audit.check import check_log

    with _log(site) as (store, witness):
        keys = witness.keys if key is None else _key(witness.origin, key)
        elsewhere = [_checkpoint_in(path, keys) for path in kept or []]
        with store.snapshot() as connection:
            report = check_log(connection, keys=keys, kept_elsewhere=elsewhere)
    if as_json:
        said = {
            "is_intact": not report.problems,
            "size": report.size,
            "root": report.root,
            "checkpoints": report.checkpoints + len(elsewhere),
            "recorded": report.recorded,
            "problems": report.problems,
        }
        typer.echo(json.dumps(said, ensure_ascii=False))
    else:
        for problem in report.problems[:_SHOWN]:
            print(problem, file=sys.stderr)
        if len(report.problems) > _SHOWN:
            print(f"and {len(report.problems) - _SHOWN} more", file=sys.stderr)
        word = "NOT as it was written" if report.problems else "intact"
        print(f"{report.size} entries, root {report.root[:16]}...: {word}", file=sys.stderr)
    raise typer.Exit(1 if report.problems else 0)


def prove(
    site: _Site,
    number: Annotated[int | None, typer.Option("--number", min=0, help="The entry's number.")] = None,
    event: Annotated[str | None, typer.Option("--event", help="The id of a lane's event.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="The same; for symmetry.")] = False,
) -> None:
    """Print the proof that an entry is in the log, with a signed checkpoint: 'gate audit check' needs nothing else but the key."""
    from gate.errors import GateError
    from gate.hub.audit.witness import number_of_event

    if (number is None) == (event is None):
        raise typer.BadParameter("name the entry by --number or by --event")
    with _log(site) as (store, witness), store.write() as connection:
        if event is not None:
            number = number_of_event(connection, event)
        if number is None:
            raise GateError(f"no entry of the log records the event {event!r}: see 'gate audit verify'")
        try:
            proof = witness.prove(connection, number)
        except LookupError as error:
            raise GateError(f"{error}: its numbers begin with 0") from None
    typer.echo(json.dumps(proof.to_json() | {"body": proof.body}, ensure_ascii=False, indent=None if as_json else 2))


def check(
    proof: Annotated[Path, typer.Argument(help="A proof as 'gate audit prove' printed it.")],
    key: Annotated[Path, typer.Option("--key", help="The log's public key (audit.pub.pem).")],
    as_json: _Json = False,
) -> None:
    """Check a proof without the hub: anybody who has its public key can. Exit code 1 when it does not convince."""
    from gate.errors import GateError
    from gate.hub.audit.witness import objection_to_proof

    try:
        data = json.loads(proof.read_text(encoding="utf-8"))
        origin = str(data["note"]).partition("\n")[0]
    except (OSError, ValueError, KeyError, TypeError):
        raise GateError(f"{proof} is no proof: make one with 'gate audit prove'") from None
    objection = objection_to_proof(data, _key(origin, key))
    if as_json:
        typer.echo(json.dumps({"is_proven": objection is None, "log": origin, "objection": objection}))
    else:
        print(objection or f"proven: entry {data['number']} of {origin}", file=sys.stderr)
    raise typer.Exit(0 if objection is None else 1)


def checkpoint(
    site: _Site,
    out: Annotated[Path | None, typer.Option("--out", help="Write the note to this file instead.")] = None,
    as_json: _Json = False,
) -> None:
    """Sign what the log is now. Keep the note on another machine: it shows later that nothing before it was taken away."""
    with _log(site) as (store, witness), store.write() as connection:
        made, note = witness.checkpoint(connection)
    if out is not None:
        out.write_text(note, encoding="utf-8")
    if as_json:
        typer.echo(json.dumps({"size": made.size, "root": made.root.hex(), "note": note}, ensure_ascii=False))
    elif out is None:
        typer.echo(note, nl=False)


@contextmanager
def _log(site_file: Path) -> "Iterator[tuple[Store, Witness]]":
    from config.loader import load_site
    from gate.core.clock import SystemClock
    from gate.hub.audit.keys import log_key
    from gate.hub.audit.witness import Witness
    from gate.hub.service import database_url
    from gate.hub.store import Store

    site = load_site(site_file)
    witness = Witness(port=site.port.id, hub=site.hub.name, key=log_key(site.keys_dir), clock=SystemClock())
    store = Store(database_url(site))
    try:
        store.migrate()
        yield store, witness
    finally:
        store.close()


def _key(origin: str, path: Path) -> "dict[str, Ed25519PublicKey]":
    from gate.wire.signing import VerifyKey

    return {origin: VerifyKey.load(path).ed25519()}


def _checkpoint_in(path: Path, keys: "dict[str, Ed25519PublicKey]") -> "Checkpoint":
    from gate.errors import GateError
    from gate.hub.audit.notes import NoteRefused, open_note, read_checkpoint

    try:
        return read_checkpoint(open_note(path.read_text(encoding="utf-8"), keys))
    except (OSError, UnicodeDecodeError) as error:
        raise GateError(f"the checkpoint {path} cannot be read ({error}): check the path") from None
    except NoteRefused as refused:
        raise GateError(f"the checkpoint {path} is not believed ({refused}): check it and --key") from None
