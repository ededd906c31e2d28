"""The hub's HTTP API as a FastAPI application. Database work is done in worker threads (plain ``def`` endpoints)."""

from typing import Any

from fastapi import FastAPI

from gate import __version__
from gate.hub.claims import ClaimBook
from gate.hub.problems import PROBLEM_SCHEMA, PROBLEMS, BodyLimit, handle_problems
from gate.hub.routers import (
    audit,
    cases,
    claims,
    evidence,
    flow,
    intake,
    lanes,
    last_scan,
    marks,
    oidc,
    scans,
    sessions,
    statistics,
    supervision,
    system,
    together,
    watchlist,
    window,
)
from gate.hub.service import Hub

PREFIX = "/api/v1"
MAX_BODY_BYTES = 8 * 1024 * 1024


def create_api(hub: Hub) -> FastAPI:
    """The application for a hub, which the caller starts and stops. The pages for trying it out are off: they need the internet."""
    app = FastAPI(
        title="Tongguan hub",
        version=__version__,
        docs_url=None,
        redoc_url=None,
        openapi_url=f"{PREFIX}/openapi.json",
        generate_unique_id_function=lambda route: route.name,
        responses=PROBLEMS,
    )
    app.state.hub = hub
    app.state.claims = ClaimBook(hub.clock)
    app.add_middleware(BodyLimit, max_bytes=MAX_BODY_BYTES)
    handle_problems(app)
    for part in (
        sessions,
        oidc,
        cases,
        claims,
        together,
        evidence,
        marks,
        scans,
        last_scan,
        intake,
        window,
        watchlist,
        lanes,
        statistics,
        flow,
        supervision,
        audit,
        system,
    ):
        app.include_router(part.router, prefix=PREFIX)
    app.include_router(system.plain)
    _name_problems(app)
    return app


def _name_problems(app: FastAPI) -> None:
    """Put the one shape of all problems into the document."""
    make = app.openapi

    def openapi() -> dict[str, Any]:
        document = make()
        document.setdefault("components", {}).setdefault("schemas", {})["Problem"] = PROBLEM_SCHEMA
        return document

    app.openapi = openapi  # type: ignore[method-assign]
