"""multipart/x-mixed-replace, sans-IO: the bytes of an MJPEG stream in, complete pictures out.

Follows what IP cameras send rather than RFC 2046 to the letter: the boundary parameter may or may not carry its own
dashes, and Content-Length may be missing.
"""

from __future__ import annotations

from dataclasses import dataclass, field

_MAX_HEAD_BYTES = 16_384


class MultipartError(Exception):
    """The bytes are not such a stream; `str()` is why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    headers: dict[str, str] = field(default_factory=dict)
    """Names in lower case."""
    body: bytes


def parse_head(head: bytes) -> dict[str, str]:
    """Header lines after the first; names in lower case, malformed lines left out."""
    headers: dict[str, str] = {}
    for line in head.decode("latin-1").split("\r\n"):
        name, colon, value = line.partition(":")
        if colon:
            headers[name.strip().lower()] = value.strip()
    return headers


def boundary_of(content_type: str) -> bytes:
    """The delimiter line, with its two dashes. Raises `MultipartError` if the type is another one."""
    kind, *parameters = (piece.strip() for piece in content_type.split(";"))
    if kind.lower() != "multipart/x-mixed-replace":
        raise MultipartError(f"it sends {kind or 'an unnamed type'}, not multipart/x-mixed-replace")
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name.strip().lower() == "boundary":
            return b"--" + value.strip().strip('"').removeprefix("--").encode("latin-1")
    raise MultipartError("its stream names no boundary")


class MultipartParser:
    """Holds at most one part; `feed` raises `MultipartError` when a part grows beyond `max_body_bytes`."""

    def __init__(self, boundary: bytes, *, max_body_bytes: int = 16 * 1024 * 1024) -> None:
        self._boundary = boundary
        self._max_body_bytes = max_body_bytes
        self._buffer = bytearray()
        self._headers: dict[str, str] | None = None
        self._searched = 0

    def feed(self, data: bytes) -> list[Part]:
        self._buffer += data
        parts: list[Part] = []
        while True:
            if self._headers is None and not self._take_head():
                return parts
            part = self._take_body()
            if part is None:
                return parts
            parts.append(part)

    def _take_head(self) -> bool:
        start = self._buffer.find(self._boundary)
        end = -1 if start < 0 else self._buffer.find(b"\r\n\r\n", start)
        if end < 0:
            if len(self._buffer) > _MAX_HEAD_BYTES:
                raise MultipartError("its stream has no boundary where one is due")
            return False
        self._headers = parse_head(bytes(self._buffer[start:end]))
        del self._buffer[: end + 4]
        self._searched = 0
        return True

    def _take_body(self) -> Part | None:
        headers = self._headers or {}
        stated = headers.get("content-length", "")
        if stated.isdecimal():
            length = int(stated)
            is_complete = len(self._buffer) >= length
        else:
            # Looked through once: the next search begins where a boundary could still be half there.
            length = self._buffer.find(b"\r\n" + self._boundary, self._searched)
            is_complete = length >= 0
            self._searched = max(0, len(self._buffer) - len(self._boundary) - 2)
        if max(length, len(self._buffer) if not is_complete else 0) > self._max_body_bytes:
            raise MultipartError(f"a picture has more than {self._max_body_bytes} bytes")
        if not is_complete:
            return None
        body = bytes(self._buffer[:length])
        del self._buffer[:length]
        self._headers = None
        return Part(headers=headers, body=body)
