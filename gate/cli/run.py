"""``gate run``: one lane; and what it has in common with ``gate hub``."""

from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    import socket
    import subprocess
    from collections.abc import Callable, Coroutine, Iterator

    from config.schema import Site
    from gate.app import LaneProgram
    from gate.core.state import LaneState

SiteOption = Annotated[Path, typer.Option("--site", help="The site's settings (TOML).", show_default=False)]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command("run")(run)


def run(
    site: SiteOption,
    lane: Annotated[
        list[str],
        typer.Option(
            "--lane", help="Which lane of the site; several where they share a serial line.", show_default=False
        ),
    ],
    json_log: Annotated[bool, typer.Option("--json", help="Log as one JSON object a line.")] = False,
) -> None:
    """Run a lane until stopped. Where the site embeds its broker and hub, they are started along with it."""
    import asyncio

    from config.loader import load_site
    from gate.app import build_lane
    from gate.cli.run_lanes import run_lanes
    from gate.embedded import embedded_broker
    from gate.wire.keyring import Keyring

    configure_log(json_log)
    settings = load_site(site)
    if settings.hub.is_embedded:
        Keyring(settings.keys_dir).create_missing(item.id for item in settings.lanes)

    def build(name: str) -> "LaneProgram":
        return build_lane(settings, name, on_change=_silent if json_log else _narrator(settings, name))

    lanes = list(dict.fromkeys(lane))
    # What cannot be put together at all is said before a broker and a hub are started for it.
    first = {name: build(name) for name in lanes}
    with embedded_broker(settings), embedded_hub(settings, site):
        asyncio.run(_until_stopped(lambda: run_lanes(lanes, lambda name: first.pop(name, None) or build(name))))


def _silent(_state: "LaneState") -> None:
    """The log says it."""


def _narrator(settings: "Site", lane: str) -> "Callable[[LaneState], None]":
    """Tells the person at the terminal what the lane does; once it does something, first where the screens are."""
    from datetime import datetime

    from gate.cli.narrate import line

    greeting = [f"screens: {settings.hub.url}/  kiosk of this lane: {settings.hub.url}/kiosk/{lane}"]

    def tell(state: "LaneState") -> None:
        while greeting:
            typer.echo(greeting.pop(), err=True)
        typer.echo(line(lane, state, datetime.now().astimezone()), err=True)

    return tell


def listen(host: str, port: int) -> "socket.socket":
    """A bound TCP socket. GateError when the port is taken or not ours to take."""
    import socket

    from gate.errors import GateError

    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        raise GateError(
            f"the hub cannot listen on {host}:{port} ({error.strerror}): stop what uses that port or set another in [hub] url"
        ) from None
    return listener


def configure_log(is_json: bool) -> None:
    """Logs go to standard error: warnings for people, or all of it as one JSON object a line."""
    import logging
    import sys

    import structlog

    last = (
        structlog.processors.JSONRenderer(ensure_ascii=False)
        if is_json
        else structlog.dev.ConsoleRenderer(colors=False)
    )
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            last,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO if is_json else logging.WARNING),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
    logging.basicConfig(level=logging.WARNING)


async def _until_stopped(work: "Callable[[], Coroutine[None, None, None]]") -> None:
    """Run ``work`` until it ends or SIGINT or SIGTERM asks for the end."""
    import asyncio
    import contextlib
    import signal

    loop = asyncio.get_running_loop()
    task = loop.create_task(work())
    for sign in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(sign, task.cancel)
    with contextlib.suppress(asyncio.CancelledError):
        await task


@contextmanager
def embedded_hub(settings: "Site", site_file: Path) -> "Iterator[None]":
    """Runs ``gate hub`` beside a block, where the site asks for it and nothing answers at its address yet."""
    import subprocess
    import sys
    from urllib.parse import urlparse

    from gate.embedded import is_hub, is_listening
    from gate.errors import GateError

    address = urlparse(settings.hub.url)
    if not settings.hub.is_embedded:
        yield
        return
    if is_listening(address.hostname or "", address.port or 80):
        if not is_hub(settings.hub.url):
            raise GateError(
                f"what answers at {settings.hub.url} is no hub: stop that program or set another port in [hub] url"
            )
        yield
        return
    process = subprocess.Popen([sys.executable, "-m", "gate", "hub", "--site", str(site_file)])
    try:
        _wait_for_hub(process, settings)
        yield
    finally:
        process.terminate()
        try:
            process.wait(timeout=8)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait_for_hub(process: "subprocess.Popen[bytes]", settings: "Site") -> None:
    import time
    from urllib.parse import urlparse

    from gate.embedded import is_listening
    from gate.errors import GateError

    address = urlparse(settings.hub.url)
    deadline = time.monotonic() + 30
    while not is_listening(address.hostname or "", address.port or 80):
        if process.poll() is not None:
            raise GateError(
                f"the hub at {settings.hub.url} ended at once (code {process.returncode}): see its message above"
            )
        if time.monotonic() > deadline:
            raise GateError(f"the hub at {settings.hub.url} did not answer within 30 s: see its log above")
        time.sleep(0.1)
