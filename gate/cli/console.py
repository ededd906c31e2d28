"""``gate console``: the screens in a process of their own, beside the hub; as many as a port's officers need."""

from pathlib import Path
from typing import Annotated

import typer

from gate.errors import GateError

SiteOption = Annotated[Path, typer.Option("--site", help="The site's settings (TOML).", show_default=False)]


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("console")(console)


def console(
    site: SiteOption,
    listen: Annotated[str, typer.Option("--listen", help="Where to serve: HOST:PORT.")] = "127.0.0.1:8081",
    json_log: Annotated[bool, typer.Option("--json", help="Log as one JSON object a line.")] = False,
) -> None:
    """Serve the screens beside a hub that runs with --no-screens, until stopped."""
    import uvicorn

    from config.loader import load_site
    from gate.app import build_console
    from gate.cli.run import configure_log
    from gate.cli.run import listen as open_port

    host, _, port = listen.rpartition(":")
    if not host or not port.isdigit() or not 0 < int(port) < 65_536:
        raise GateError(f"{listen!r} is no address: give --listen HOST:PORT, for example 127.0.0.1:8081")
    configure_log(json_log)
    settings = load_site(site)
    with open_port(host.strip("[]"), int(port)) as listener:
        application = build_console(settings)
        config = uvicorn.Config(application, log_level="warning", access_log=False, timeout_graceful_shutdown=3)
        uvicorn.Server(config).run(sockets=[listener])
