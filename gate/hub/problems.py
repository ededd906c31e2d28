"""Errors of the HTTP API, as RFC 9457 problem details. ``type`` ends in a stable code that programs may compare."""

from http import HTTPStatus
from typing import Any, cast

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

MEDIA_TYPE = "application/problem+json"
TYPE_PREFIX = "urn:tongguan:problem:"


def _documented(status: int) -> dict[str, Any]:
    schema = {"$ref": "#/components/schemas/Problem"}
    return {"description": HTTPStatus(status).phrase, "content": {MEDIA_TYPE: {"schema": schema}}}


PROBLEMS: dict[int | str, dict[str, Any]] = {
    status: _documented(status) for status in (400, 401, 403, 404, 405, 409, 410, 413, 415, 422, 429, 503)
}
"""What any operation may answer instead, for the OpenAPI document."""

PROBLEM_SCHEMA: dict[str, Any] = {
    "type": "object",
    "description": "RFC 9457 problem details; the type ends in a stable code",
    "required": ["type", "title", "status", "detail"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
    },
}


class Problem(Exception):
    """Ends a request with this answer."""

    def __init__(self, status: int, code: str, detail: str, *, headers: dict[str, str] | None = None) -> None:
        super().__init__(detail)
        self.status = status
        self.code = code
        self.detail = detail
        self.headers = headers

    def response(self) -> JSONResponse:
        return JSONResponse(
            {
                "type": f"{TYPE_PREFIX}{self.code}",
                "title": HTTPStatus(self.status).phrase,
                "status": self.status,
                "detail": self.detail,
            },
            status_code=self.status,
            media_type=MEDIA_TYPE,
            headers=self.headers,
        )


class BodyLimit:
    """Refuses a request body of more than ``max_bytes`` before it fills the memory."""

    def __init__(self, app: ASGIApp, max_bytes: int) -> None:
        self._app = app
        self._max_bytes = max_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        problem = Problem(413, "too_large", f"a request may carry at most {self._max_bytes} bytes")
        announced = dict(scope["headers"]).get(b"content-length", b"0")
        if not announced.isdigit() or int(announced) > self._max_bytes:
            await problem.response()(scope, receive, send)
            return
        received = 0

        async def counted() -> Message:
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            if received > self._max_bytes:
                raise problem
            return message

        await self._app(scope, counted, send)


def handle_problems(app: FastAPI) -> None:
    """Make every error of ``app`` a problem document."""

    async def on_problem(_request: Request, error: Exception) -> JSONResponse:
        return cast(Problem, error).response()

    async def on_http(_request: Request, error: Exception) -> JSONResponse:
        http = cast(HTTPException, error)
        code = HTTPStatus(http.status_code).phrase.lower().replace(" ", "_")
        headers = dict(http.headers) if http.headers else None
        return Problem(http.status_code, code, str(http.detail), headers=headers).response()

    async def on_invalid(_request: Request, error: Exception) -> JSONResponse:
        # The values are left out: they may be a password.
        places = [
            f"{'.'.join(str(part) for part in item['loc'])}: {item['msg']}"
            for item in cast(RequestValidationError, error).errors()
        ]
        return Problem(422, "invalid", "; ".join(places)).response()

    app.add_exception_handler(Problem, on_problem)
    app.add_exception_handler(HTTPException, on_http)
    app.add_exception_handler(RequestValidationError, on_invalid)
