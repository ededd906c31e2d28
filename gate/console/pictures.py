"""Pictures of the evidence store, for a browser whose officer may see them. Nothing is kept here."""

import re

from fastapi import Request, Response
from nicegui import app as pages

from gate.console.context import Console
from gate.console.hub_client import Picture, Refusal

_SHA256 = re.compile(r"[0-9a-f]{64}")
_SHOWN = frozenset({"image/jpeg", "image/png", "image/webp"})


def picture_url(sha256: str) -> str:
    """Where a page finds the picture with that digest."""
    return f"/console-pictures/{sha256}"


def register(console: Console) -> None:
    """Serve the pictures."""

    @pages.get("/console-pictures/{sha256}")
    async def picture(sha256: str, request: Request) -> Response:
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
        if answer.media_type not in _SHOWN:
            return Response(status_code=415)
        # A passport must not stay in a workstation's disk cache.
        headers = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
        return Response(answer.content, media_type=answer.media_type, headers=headers)
