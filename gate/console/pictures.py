"""Pictures of the evidence store, for a browser whose officer may see them. Nothing is kept here."""

import asyncio
import re
from collections.abc import AsyncIterator

from fastapi import Request, Response
from fastapi.responses import StreamingResponse
from nicegui import app as pages

from gate.console.context import Console
from gate.console.hub_client import Picture, PictureStream, Refusal
from gate.console.viewer.plain import PNG, is_plain_png, plain_png

_SHA256 = re.compile(r"[0-9a-f]{64}")
_SHOWN = frozenset({"image/jpeg", "image/png", "image/webp"})


# A passport must not stay in a workstation's disk cache.
_HEADERS = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}


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
        token = _token_for(console, request, sha256)
        if isinstance(token, Response):
            return token
        answer = await console.hub.stream_picture(token, sha256)
        if not isinstance(answer, PictureStream):
            return Response(status_code=answer.status if isinstance(answer, Refusal) else 502)
        if answer.media_type not in _SHOWN:
            await answer.close()
            return Response(status_code=415)
        return await _pass_on(answer)


def _token_for(console: Console, request: Request, sha256: str) -> str | Response:
    """The token of the officer who asks, or the answer that says why not."""
    officer = console.sessions.officer(str(request.session.get("id", "")))
    if officer is None:
        return Response(status_code=401)
    return officer.token if _SHA256.fullmatch(sha256) is not None else Response(status_code=404)


async def _fetch(console: Console, request: Request, sha256: str) -> Picture | Response:
    """The picture from the hub with the asking officer's token, or the answer that says why not."""
    token = _token_for(console, request, sha256)
    if isinstance(token, Response):
        return token
    answer = await console.hub.picture(token, sha256)
    if isinstance(answer, Refusal):
        return Response(status_code=answer.status)
    if not isinstance(answer, Picture):
        return Response(status_code=502)
    return answer if answer.media_type in _SHOWN else Response(status_code=415)


async def _pass_on(stream: PictureStream) -> Response:
    """What the viewer reads as it is, while it arrives; any other PNG in a form that it reads."""
    chunks = stream.chunks()
    first = await anext(chunks, b"")
    if stream.media_type != PNG or is_plain_png(first):
        return StreamingResponse(_after(first, chunks), media_type=stream.media_type, headers=_HEADERS)
    content = await asyncio.to_thread(plain_png, first + b"".join([chunk async for chunk in chunks]))
    return Response(status_code=415) if content is None else _response(Picture(content=content, media_type=PNG))


async def _after(first: bytes, rest: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    yield first
    async for chunk in rest:
        yield chunk


def _response(picture: Picture) -> Response:
    return Response(picture.content, media_type=picture.media_type, headers=_HEADERS)
