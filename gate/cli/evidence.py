"""``gate hub erase``, ``gate evidence``: take a case's evidence away for good, and look after its keys."""

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from config.schema import Site
    from gate.hub.blobs import BlobStore
    from gate.hub.evidence.keys import EvidenceKeys
    from gate.hub.store import Store

_Site = Annotated[Path, typer.Option("--site", help="The site file (TOML).", show_default=False)]
_Json = Annotated[bool, typer.Option("--json", help="One JSON object on standard output.")]


def register(app: typer.Typer) -> None:
    """Add the group to the tree; ``erase`` is in the group of the hub."""
    group = typer.Typer(no_args_is_help=True, help="The evidence store: its keys and what is due.")
    group.command("rotate")(rotate)
    group.command("sweep")(sweep)
    app.add_typer(group, name="evidence")


def erase(
    site: _Site,
    case: Annotated[str, typer.Option("--case", help="The case whose evidence is to go.", show_default=False)],
    by: Annotated[str, typer.Option("--by", help="Who orders it; kept in the audit log.", show_default=False)],
    reason: Annotated[str, typer.Option("--reason", help="Why; kept in the audit log, so name nobody.")] = "",
    as_json: _Json = False,
) -> None:
    """Erase all evidence of a case, and prove what is gone: its digests are an entry of the audit log, under a signed checkpoint.

    Exit code 1 when a file is still there.
    """
    from gate.core.clock import SystemClock
    from gate.errors import GateError
    from gate.hub.audit.keys import log_key
    from gate.hub.audit.witness import Witness, last_erasure
    from gate.hub.evidence.keeper import EvidenceKeeper

    with _evidence(site) as (settings, store, blobs, _):
        clock = SystemClock()
        keeper = EvidenceKeeper(store, blobs, retention=settings.retention, clock=clock)
        witness = Witness(port=settings.port.id, hub=settings.hub.name, key=log_key(settings.keys_dir), clock=clock)
        try:
            erased = keeper.erase_case(case, who=by, reason=reason)
        except OSError as error:
            raise GateError(
                f"evidence of case {case} could not be removed ({error}): check the permissions of the state folder, then repeat"
            ) from None
        still = [sha256 for sha256 in (*erased.erased, *erased.was_gone) if blobs.is_here(sha256)]
        with store.write() as connection:
            number = last_erasure(connection, case)
            proof = witness.prove(connection, number)
    said = erased.to_json() | {"still_there": still, "is_verified": not still}
    if as_json:
        typer.echo(json.dumps(said | {"proof": proof.to_json() | {"body": proof.body}}, ensure_ascii=False))
    else:
        for sha256 in erased.erased:
            typer.echo(f"erased {sha256}")
        for sha256 in erased.kept:
            typer.echo(f"kept   {sha256} (another case needs it)")
        words = f"{len(erased.erased)} files erased, {len(erased.was_gone)} gone before, {len(still)} still there"
        print(f"{words}; entry {number} of the audit log", file=sys.stderr)
    raise typer.Exit(1 if still else 0)


def rotate(site: _Site, as_json: _Json = False) -> None:
    """Make a new key and encrypt everything with it. Old keys stay until you remove them; restart the hub to let it use the new one."""
    with _evidence(site) as (_, _, blobs, keys):
        made = keys.rotate()
        renewed, unreadable, needed = 0, 0, set()
        for sha256 in blobs.all():
            renewed += blobs.renew(sha256)
            key_id = blobs.key_of(sha256)
            unreadable += key_id != keys.current()[0]
            needed.add(key_id)
        idle = [str(keys.file_of(key_id)) for key_id in sorted(keys.ids - needed) if key_id != keys.current()[0]]
    if as_json:
        said = {"key": str(made), "renewed": renewed, "unreadable": unreadable, "no_longer_needed": idle}
        typer.echo(json.dumps(said))
    else:
        print(f"made {made}; {renewed} files encrypted with it, {unreadable} cannot be read", file=sys.stderr)
        for path in idle:
            print(f"no longer needed once the hub is restarted: {path}", file=sys.stderr)
    raise typer.Exit(1 if unreadable else 0)


def sweep(site: _Site, as_json: _Json = False) -> None:
    """Erase now what is due by the site's [retention]; a running hub does so by itself every few seconds."""
    from gate.core.clock import SystemClock
    from gate.hub.evidence.keeper import EvidenceKeeper

    with _evidence(site) as (settings, store, blobs, _):
        keeper = EvidenceKeeper(store, blobs, retention=settings.retention, clock=SystemClock())
        erased = 0
        while count := keeper.sweep():
            erased += count
    if as_json:
        typer.echo(json.dumps({"erased": erased}))
    else:
        print(f"{erased} files erased", file=sys.stderr)


@contextmanager
def _evidence(site_file: Path) -> "Iterator[tuple[Site, Store, BlobStore, EvidenceKeys]]":
    from config.loader import load_site
    from gate.hub.blobs import BlobStore
    from gate.hub.evidence.keys import EvidenceKeys
    from gate.hub.service import database_url
    from gate.hub.store import Store

    settings = load_site(site_file)
    keys = EvidenceKeys(settings.keys_dir)
    store = Store(database_url(settings))
    try:
        store.migrate()
        yield settings, store, BlobStore(Path(settings.state_dir) / "evidence", keys), keys
    finally:
        store.close()
