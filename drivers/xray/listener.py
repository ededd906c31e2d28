"""Scans over HTTP: a small listener for machines that can PUT or POST a file, each with a bearer token of its own.

`PUT /scans/{name}` delivers one file as one scan; `POST /scans` delivers several files of one scan (views, energies) as a multipart form.
What ties a scan to somebody comes as headers (`X-Lane`, `X-Bag-Tag`, `X-Document`, `X-Machine`, `X-Taken-At`) or as the form's fields.
201 means kept, on disk; anything else means that the machine should send it again, or, for 422, that the file is no scan.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import threading
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path

from pydantic import AwareDatetime, TypeAdapter, ValidationError
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import Message

from drivers.errors import DeviceError
from drivers.xray.decode import ScanNote, decode_scan
from drivers.xray.interface import NotTaken, XrayRefused, XrayReport, XraySource

MIN_TOKEN_CHARACTERS = 24
MAX_FILES = 32
_MAX_WORD = 64
_FIELDS = ("lane", "bag_tag", "document", "machine", "taken_at")
_TIME: TypeAdapter[datetime] = TypeAdapter(AwareDatetime)
_STOP_S = 5.0


class _Answer(Exception):
    """Ends a request; never leaves this module."""

    def __init__(self, status: int, sentence: str) -> None:
        super().__init__(sentence)
        self.status = status


class HttpListener(XraySource):
    """The device kind `xray_listener`. The token is read at the start; plain HTTP is for loopback only, which the settings see to."""

    def __init__(
        self,
        *,
        host: str,
        port: int,
        token_file: str | Path,
        lane: str | None = None,
        certificate_file: str | Path | None = None,
        key_file: str | Path | None = None,
        max_bytes: int = 64 * 2**20,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._host = host
        self._port = port
        self._token_file = Path(token_file)
        self._lane = lane
        self._tls = (certificate_file, key_file)
        self._max_bytes = max_bytes
        self._now = now
        self._server: _Server | None = None

    def start(self, on_report: Callable[[XrayReport], None]) -> None:
        if self._server is not None:
            raise RuntimeError("the listener is already started")
        app = scan_app(
            token=load_token(self._token_file),
            on_report=on_report,
            lane=self._lane,
            max_bytes=self._max_bytes,
            now=self._now,
        )
        self._server = _Server(app, host=self._host, port=self._port, tls=self._tls)

    def stop(self) -> None:
        server, self._server = self._server, None
        if server is not None:
            server.close()

    @property
    def address(self) -> tuple[str, int]:
        """Where it listens, once started."""
        if self._server is None:
            raise RuntimeError("the listener is not started")
        return self._server.address


def load_token(path: Path) -> str:
    """A machine's bearer token. Raises `DeviceError` for a file that is missing, open to others, or too short to be one."""
    try:
        text = path.read_text(encoding="ascii").strip()
        mode = path.stat().st_mode
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not text"
        raise DeviceError(
            f"The X-ray token file {path} cannot be read ({reason}); write the machine's token."
        ) from error
    if mode & 0o077:
        raise DeviceError(f"The X-ray token file {path} may be read by others; make it its owner's alone (chmod 600).")
    if len(text) < MIN_TOKEN_CHARACTERS or any(character.isspace() for character in text):
        raise DeviceError(
            f"The X-ray token file {path} holds no token; write one word of {MIN_TOKEN_CHARACTERS} characters or more."
        )
    return text


def scan_app(
    *,
    token: str,
    on_report: Callable[[XrayReport], None],
    lane: str | None = None,
    max_bytes: int = 64 * 2**20,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> Starlette:
    """The listener as an ASGI application. ``on_report`` runs in a worker thread and returns when the scan is on disk."""
    wanted = hashlib.sha256(token.encode()).digest()

    def check(request: Request) -> None:
        scheme, _, given = request.headers.get("authorization", "").partition(" ")
        found = hashlib.sha256(given.strip().encode()).digest()
        if scheme.lower() != "bearer" or not hmac.compare_digest(found, wanted):
            raise _Answer(401, "this needs 'Authorization: Bearer ...' with the machine's token")
        announced = request.headers.get("content-length", "0")
        if not announced.isdecimal() or int(announced) > max_bytes:
            raise _Answer(413, f"a scan may have at most {max_bytes} bytes")

    def take(files: Mapping[str, bytes], fields: Mapping[str, str], name: str) -> Response:
        found = decode_scan(files, received_at=now(), note=_note(fields, lane), name=name)
        try:
            on_report(found)
        except NotTaken as error:
            raise _Answer(503, str(error)) from error
        if isinstance(found, XrayRefused):
            raise _Answer(422, found.sentence)
        return JSONResponse({"image_id": found.image_id, "views": len(found.views)}, status_code=201)

    async def put_one(request: Request) -> Response:
        check(request)
        name = request.path_params["name"]
        if Path(name).name != name or len(name) > _MAX_WORD:
            raise _Answer(422, "name the scan in one word of at most 64 characters, without folders")
        content = await _body(request, max_bytes)
        fields = {field: request.headers[_header(field)] for field in _FIELDS if _header(field) in request.headers}
        return await run_in_threadpool(take, {name: content}, fields, name)

    async def post_several(request: Request) -> Response:
        check(request)
        body = await _body(request, max_bytes)
        try:
            async with _again(request, body).form(max_files=MAX_FILES, max_fields=len(_FIELDS)) as form:
                files: dict[str, bytes] = {}
                fields: dict[str, str] = {}
                for key, value in form.multi_items():
                    if isinstance(value, UploadFile):
                        files[Path(value.filename or key).name] = await value.read()
                    elif key in _FIELDS:
                        fields[key] = value
        except MultiPartException as error:
            raise _Answer(400, f"this is no multipart form ({error.message})") from error
        return await run_in_threadpool(take, files, fields, next(iter(files), "without files"))

    async def on_answer(_request: Request, error: Exception) -> Response:
        status = error.status if isinstance(error, _Answer) else 500
        headers = {"WWW-Authenticate": "Bearer"} if status == 401 else None
        return JSONResponse({"detail": str(error)}, status_code=status, headers=headers)

    return Starlette(
        routes=[
            Route("/scans/{name}", put_one, methods=["PUT"]),
            Route("/scans", post_several, methods=["POST"]),
        ],
        exception_handlers={_Answer: on_answer},
    )


def _header(field: str) -> str:
    return f"x-{field.replace('_', '-')}"


def _note(fields: Mapping[str, str], lane: str | None) -> ScanNote:
    words = {field: value.strip() for field, value in fields.items() if value.strip()}
    if any(len(value) > _MAX_WORD for value in words.values()):
        raise _Answer(422, "lane, tag, document, machine and time have at most 64 characters each")
    taken = words.pop("taken_at", None)
    try:
        taken_at = None if taken is None else _TIME.validate_python(taken)
    except ValidationError:
        raise _Answer(422, "taken_at is an ISO 8601 time with its zone, such as 2026-11-23T12:00:00Z") from None
    return ScanNote(
        lane=words.get("lane") or lane,
        bag_tag=words.get("bag_tag"),
        document=words.get("document"),
        machine=words.get("machine"),
        taken_at=taken_at,
    )


async def _body(request: Request, max_bytes: int) -> bytes:
    """The whole body, refused as soon as it is too long; the announced length may have been a lie."""
    parts: list[bytes] = []
    size = 0
    async for part in request.stream():
        size += len(part)
        if size > max_bytes:
            raise _Answer(413, f"a scan may have at most {max_bytes} bytes")
        parts.append(part)
    return b"".join(parts)


def _again(request: Request, body: bytes) -> Request:
    """The same request with its body still to be read, for the form's parser."""

    async def receive() -> Message:
        return {"type": "http.request", "body": body, "more_body": False}

    return Request(request.scope, receive)


class _Server:
    """uvicorn in a thread of its own, on a socket that was bound here so that a taken port is an error of the start."""

    def __init__(
        self, app: Starlette, *, host: str, port: int, tls: tuple[str | Path | None, str | Path | None]
    ) -> None:
        import socket

        import uvicorn

        certificate, key = tls
        try:
            for file in (certificate, key):
                if file is not None and not os.access(file, os.R_OK):
                    raise DeviceError(f"The X-ray listener cannot read {file}; set its TLS certificate and key.")
            self._socket = socket.create_server((host, port))
        except OSError as error:
            raise DeviceError(
                f"The X-ray listener cannot listen on {host}:{port} ({error.strerror}); stop what uses that port or set another."
            ) from error
        self.address: tuple[str, int] = self._socket.getsockname()[:2]
        config = uvicorn.Config(
            app,
            log_level="warning",
            access_log=False,
            lifespan="off",
            timeout_graceful_shutdown=2,
            ssl_certfile=None if certificate is None else str(certificate),
            ssl_keyfile=None if key is None else str(key),
        )
        try:
            config.load()
        except (OSError, ValueError) as error:  # ssl.SSLError is an OSError
            self._socket.close()
            raise DeviceError(
                f"The X-ray listener cannot use {certificate} and {key} ({error}); set a certificate in PEM and its key."
            ) from error
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._run, name=f"x-ray listener {host}:{port}", daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._server.should_exit = True
        self._thread.join(_STOP_S)
        self._socket.close()

    def _run(self) -> None:
        self._server.run(sockets=[self._socket])
