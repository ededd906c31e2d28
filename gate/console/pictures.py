"""Pictures of the evidence store, for a browser whose officer may see them. Nothing is kept here."""

import asyncio
import re

from fastapi import Request, Response
from nicegui import app as pages

from gate.console.context import Console
from gate.console.hub_client import Picture, Refusal
from gate.console.viewer.plain import PNG, plain_png

_SHA256 = re.compile(r"[0-9a-f]{64}")
_SHOWN = frozenset({"image/jpeg", "image/png", "image/webp"})


def picture_url(sha256: str) -> str:
    """Where a page finds the picture with that digest."""
    return f"/console-pictures/{sha256}"


def scan_url(sha256: str) -> str:
    """Where the viewer finds the picture with that digest, in a form that it reads."""
    return f"/console-scans/{sha256}"


def register(console: Console) -> None:
    """Serve the pictures."""

    @pages.get("/console-pictures/{sha256}")
    async def picture(sha256: str, request: Request) -> Response:
        answer = await _fetch(console, request, sha256)
        return answer if isinstance(answer, Response) else _response(answer)

    @pages.get("/console-scans/{sha256}")
    async def scan(sha256: str, request: Request) -> Response:
        answer = await _fetch(console, request, sha256)
        if isinstance(answer, Response):
            return answer
        if answer.media_type != PNG:
            return _response(answer)
        content = await asyncio.to_thread(plain_png, answer.content)
        return Response(status_code=415) if content is None else _response(Picture(content=content, media_type=PNG))


async def _fetch(console: Console, request: Request, sha256: str) -> Picture | Response:
    """The picture from the hub with the asking officer's token, or the answer that says why not."""
    officer = console.sessions.officer(str(request.session.get("id", "")))
    if officer is None:
        return Response(status_code=401)
    if _SHA256.fullmatch(sha256) is None:
        return Response(status_code=404)
    answer = await console.hub.picture(officer.token, sha256)
    if isinstance(answer, Refusal):
        return Response(status_code=answer.status)
    if not isinstance(answer, Picture):
        return Response(status_code=502)
    return answer if answer.media_type in _SHOWN else Response(status_code=415)


def _response(picture: Picture) -> Response:
    # A passport must not stay in a workstation's disk cache.
    headers = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
    return Response(picture.content, media_type=picture.media_type, headers=headers)
