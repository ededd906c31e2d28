"""The console: the kiosks', officers' and supervisors' screens of one site, in a FastAPI application.

One process serves one console (NiceGUI keeps its pages per process). The screens reach the hub over HTTP and the lanes over MQTT,
also when all run in one process.
"""

import secrets
from pathlib import Path

from fastapi import FastAPI
from nicegui import app as pages
from nicegui import ui

from config.schema import Site
from gate.console.assets import serve
from gate.console.context import Console
from gate.console.help_desk import HelpDesk
from gate.console.hub_client import HubClient
from gate.console.i18n import FALLBACK, words_of
from gate.console.languages import ChosenLanguages
from gate.console.live import Live
from gate.console.sessions import Sessions
from gate.console.shared_answer import SharedAnswer
from gate.console.texts import load_texts
from gate.core.clock import Clock
from gate.errors import GateError

_FAVICON = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><rect width="32" height="32" rx="7" fill="#12202b"/>'
    '<path d="M7 6v20M25 6v20" stroke="#3aa0ff" stroke-width="3" stroke-linecap="round"/>'
    '<path d="M11 16h10M17 11l5 5-5 5" stroke="#37c98b" stroke-width="3" fill="none" stroke-linecap="round"/></svg>'
)
_RECONNECT_TIMEOUT_S = 10.0
_mounted: list[str] = []


def create_console(site: Site, *, hub_url: str, clock: Clock) -> FastAPI:
    """An application with the screens alone. Raises GateError when this process has a console already."""
    app = FastAPI(title=f"Tongguan console, {site.port.title}", docs_url=None, redoc_url=None, openapi_url=None)
    mount_console(app, site, hub_url=hub_url, clock=clock)
    return app


def mount_console(app: FastAPI, site: Site, *, hub_url: str, clock: Clock) -> Console:
    """Put the screens into ``app``, at ``/``; mount everything else before. They live from its start-up to its shutdown.

    ``hub_url`` is where the hub's API is (its paths begin with ``/api/v1``). Raises GateError when this process has a console already.
    """
    if _mounted:
        raise GateError(
            f"this process already serves the screens of {_mounted[0]}: start the console of {site.port.id} in a process of its own"
        )
    words_of(FALLBACK)  # a catalogue that is not complete is found now, not in front of an officer
    live = Live(site, clock)
    help_desk = HelpDesk(clock, live.tell_help)
    live.help_heard.subscribe(help_desk.hear)
    live.link_changed.subscribe(lambda is_linked: help_desk.repeat() if is_linked else None)
    hub = HubClient(hub_url)
    console = Console(
        site=site,
        clock=clock,
        hub=hub,
        open_cases=SharedAnswer(lambda token: hub.cases(token, status="open"), clock),
        live=live,
        help_desk=help_desk,
        sessions=Sessions(clock),
        texts=load_texts(),
        languages=ChosenLanguages(Path(site.state_dir) / "console" / "languages.json"),
        style_url=serve("style.css"),
        script_url=serve("screen.js"),
    )
    _mounted.append(site.port.id)
    _register(console)

    async def stop() -> None:
        await console.live.stop()
        await console.hub.close()

    pages.on_startup(console.live.start)
    pages.on_shutdown(stop)
    ui.run_with(
        app,
        title=f"Tongguan · {site.port.title}",
        favicon=_FAVICON,
        # Who is signed in is kept in memory only, so a key that lives as long as the process is all the cookie needs.
        storage_secret=secrets.token_urlsafe(32),
        session_middleware_kwargs={"same_site": "lax", "session_cookie": "tongguan_console"},
        reconnect_timeout=_RECONNECT_TIMEOUT_S,
        tailwind=False,
        show_welcome_message=False,
    )
    return console


def _register(console: Console) -> None:
    from gate.console import page_index, page_kiosk, page_lanes, page_role, pictures

    for room in (page_index, page_kiosk, page_role, page_lanes, pictures):
        room.register(console)
