"""``gate hub``: the port's hub; its workers; its projections made anew."""

import dataclasses
import json
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gate.cli.evidence import erase

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

SiteOption = Annotated[Path, typer.Option("--site", help="The site's settings (TOML).", show_default=False)]
JsonLog = Annotated[bool, typer.Option("--json", help="Log as one JSON object a line.")]


def register(app: typer.Typer) -> None:
    """Add the group, which is a command as well."""
    group = typer.Typer(invoke_without_command=True, help="Run the port's hub with its screens until stopped.")
    group.callback()(hub)
    group.command("worker")(worker)
    group.command("rebuild")(rebuild)
    group.command("erase")(erase)
    app.add_typer(group, name="hub")


def hub(
    context: typer.Context,
    site: Annotated[Path | None, typer.Option("--site", help="The site's settings (TOML).", show_default=False)] = None,
    has_screens: Annotated[
        bool, typer.Option("--screens/--no-screens", help="Serve the screens too, or leave them to `gate console`.")
    ] = True,
    json_log: JsonLog = False,
) -> None:
    """Run the port's hub with its screens until stopped."""
    if context.invoked_subcommand is not None:
        return
    if site is None:
        raise typer.BadParameter("a hub needs its site", param_hint="--site")
    _run_hub(site, json_log, has_screens=has_screens)


def _run_hub(site: Path, json_log: bool, *, has_screens: bool) -> None:
    from urllib.parse import urlparse

    import uvicorn

    from config.loader import load_site
    from gate.app import build_hub
    from gate.cli.run import configure_log, listen
    from gate.embedded import embedded_broker
    from gate.wire.keyring import Keyring

    configure_log(json_log)
    settings = load_site(site)
    if settings.hub.is_embedded:
        Keyring(settings.keys_dir).create_missing(item.id for item in settings.lanes)
    address = urlparse(settings.hub.url)
    listener = listen(address.hostname or "127.0.0.1", address.port or (443 if address.scheme == "https" else 80))
    with embedded_broker(settings), listener:
        application = build_hub(settings, with_screens=has_screens)
        config = uvicorn.Config(application, log_level="warning", access_log=False, timeout_graceful_shutdown=3)
        uvicorn.Server(config).run(sockets=[listener])


def worker(
    site: SiteOption,
    number: Annotated[int, typer.Option("--number", min=1, help="Which of [hub] ingest_workers, from 1.")],
    retire: Annotated[
        bool, typer.Option("--retire", help="Instead have the broker forget a worker that will not run again.")
    ] = False,
    json_log: JsonLog = False,
) -> None:
    """Take lanes' events beside the hub, until stopped. The number is the worker's name: a port keeps the same ones."""
    import signal
    import threading

    from config.loader import load_site
    from gate.cli.run import configure_log
    from gate.core.clock import SystemClock
    from gate.hub import worker as workers
    from gate.wire.keyring import Keyring

    configure_log(json_log)
    settings = load_site(site)
    if retire:
        workers.retire(settings, number)
        return
    made = workers.IngestWorker(settings, Keyring(settings.keys_dir).hub(), SystemClock(), number=number)
    asked = threading.Event()
    for sign in (signal.SIGINT, signal.SIGTERM):
        signal.signal(sign, lambda *_: asked.set())
    made.start()
    asked.wait()
    made.stop()


def rebuild(
    site: SiteOption,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object on standard output.")] = False,
) -> None:
    """Make the projections (cases, lanes) again from what is stored. Exit 1 when they were not what is stored."""
    from config.loader import load_site
    from gate.cli.run import configure_log
    from gate.hub.rebuilding import rebuild_projections

    configure_log(False)
    settings = load_site(site)
    with _progress() as tell:
        rebuilt = rebuild_projections(settings, tell)
    if as_json:
        typer.echo(json.dumps(dataclasses.asdict(rebuilt)))
    else:
        typer.echo(f"{rebuilt.cases} cases and {rebuilt.lanes} lanes made again; {rebuilt.changed} were not as stored")
    raise typer.Exit(1 if rebuilt.changed else 0)


@contextmanager
def _progress() -> "Iterator[Callable[[int, int], None]]":
    """A bar on a terminal, nothing in a pipe."""
    from rich.console import Console
    from rich.progress import Progress

    console = Console(stderr=True)
    with Progress(console=console, disable=not console.is_terminal) as bar:
        task = bar.add_task("cases", total=None)
        yield lambda done, of: bar.update(task, completed=done, total=of)
