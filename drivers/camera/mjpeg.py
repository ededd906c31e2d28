"""IP cameras that send MJPEG over HTTP, read with the least delay: always the newest complete picture.

A client of its own rather than OpenCV's, because that one queues frames behind a slow reader, has no silence limit
for this protocol and hides the headers of the parts.
"""

from __future__ import annotations

import base64
import socket
import ssl
import time
from collections.abc import Callable
from urllib.parse import SplitResult, unquote, urlsplit

from drivers.camera.interface import StampSource
from drivers.camera.limits import HealthLimits
from drivers.camera.multipart import MultipartError, MultipartParser, Part, boundary_of, parse_head
from drivers.camera.threaded import FrameSource, StreamLost, ThreadedCamera
from drivers.errors import DeviceError

_CONNECT_TIMEOUT_S = 3.0
_WAIT_S = 0.2
_READ_BYTES = 262_144
_MAX_HEAD_BYTES = 16_384


class MjpegCamera(ThreadedCamera):
    """`url` is http(s)://[user:password@]host[:port]/path; the password goes out as HTTP Basic.

    `timestamp_header` names a part header with the time of capture in nanoseconds of *this host's* monotonic
    clock; trusted only when set, since only a camera on the same machine can know that clock. A stream without a
    picture for `silence_s` is lost and opened again.
    """

    def __init__(
        self,
        url: str,
        *,
        timestamp_header: str | None = None,
        silence_s: float = 2.0,
        queue_size: int = 1,
        limits: HealthLimits | None = None,
    ) -> None:
        parts = urlsplit(url)
        name = f"{parts.scheme}://{parts.hostname or ''}{parts.path}"
        super().__init__(name, queue_size=queue_size, limits=limits)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise DeviceError(f"Camera address {self._name} is not usable; set http://host/path or https://host/path.")
        self._parts = parts
        self._timestamp_header = timestamp_header.lower() if timestamp_header else None
        self._silence_s = silence_s

    def _open(self) -> FrameSource:
        try:
            connection = _connect(self._parts)
        except OSError as error:
            raise DeviceError(
                f"Camera {self._name} cannot be reached ({error}); check its power, cable and address."
            ) from error
        try:
            boundary, rest = _request(connection, self._parts)
        except (OSError, MultipartError) as error:
            connection.close()
            raise DeviceError(f"Camera {self._name} gives no MJPEG stream: {error}; check its address.") from error
        return _MjpegSource(
            connection,
            MultipartParser(boundary),
            rest,
            timestamp_header=self._timestamp_header,
            silence_s=self._silence_s,
            now_ns=self._now_ns,
        )


_JPEG_START = b"\xff\xd8"


class _MjpegSource:
    def __init__(
        self,
        connection: socket.socket,
        parser: MultipartParser,
        rest: bytes,
        *,
        timestamp_header: str | None,
        silence_s: float,
        now_ns: Callable[[], int],
    ) -> None:
        self._connection = connection
        self._parser = parser
        self._timestamp_header = timestamp_header
        self._silence_ns = int(silence_s * 1e9)
        self._now_ns = now_ns
        self._seen_ns = now_ns()
        self._newest: Part | None = None
        self._newest_ns = 0
        self._skipped = 0
        self.stamped_by = StampSource.ARRIVAL
        connection.settimeout(_WAIT_S)
        self._take(rest)

    def next(self, is_stopping: Callable[[], bool]) -> tuple[bytes, int, int] | None:
        if self._newest is None:
            self._receive()
        self._drain()
        part, self._newest = self._newest, None
        if part is None:
            if self._now_ns() - self._seen_ns > self._silence_ns:
                raise StreamLost(f"no picture for {(self._now_ns() - self._seen_ns) / 1e9:.1f} s")
            return None
        if not part.body.startswith(_JPEG_START) or is_stopping():
            self._skipped += 1
            return None
        self._seen_ns = self._now_ns()
        skipped, self._skipped = self._skipped, 0
        return bytes(part.body), self._captured_ns(part), skipped

    def close(self) -> None:
        self._connection.close()

    def _receive(self) -> None:
        try:
            data = self._connection.recv(_READ_BYTES)
        except TimeoutError:
            return
        except OSError as error:
            raise StreamLost(f"reading failed: {error}") from error
        if not data:
            raise StreamLost("the camera ended the stream")
        self._take(data)

    def _drain(self) -> None:
        """Takes what else the kernel holds, so that a reader that fell behind jumps to the present."""
        self._connection.settimeout(0.0)
        try:
            while data := self._connection.recv(_READ_BYTES):
                self._take(data)
        except (BlockingIOError, ssl.SSLWantReadError):
            return
        except OSError as error:
            raise StreamLost(f"reading failed: {error}") from error
        finally:
            self._connection.settimeout(_WAIT_S)

    def _take(self, data: bytes) -> None:
        try:
            parts = self._parser.feed(data)
        except MultipartError as error:
            raise StreamLost(str(error)) from error
        if parts:
            self._skipped += len(parts) - 1 + (self._newest is not None)
            self._newest, self._newest_ns = parts[-1], self._now_ns()

    def _captured_ns(self, part: Part) -> int:
        stated = part.headers.get(self._timestamp_header, "") if self._timestamp_header else ""
        self.stamped_by = StampSource.DEVICE if stated.isdecimal() else StampSource.ARRIVAL
        # A camera cannot have seen the future.
        return min(int(stated), self._newest_ns) if stated.isdecimal() else self._newest_ns


def _connect(parts: SplitResult) -> socket.socket:
    host, is_tls = parts.hostname or "", parts.scheme == "https"
    connection = socket.create_connection((host, parts.port or (443 if is_tls else 80)), timeout=_CONNECT_TIMEOUT_S)
    if not is_tls:
        return connection
    try:
        return ssl.create_default_context().wrap_socket(connection, server_hostname=host)
    except OSError:
        connection.close()
        raise


def _request(connection: socket.socket, parts: SplitResult) -> tuple[bytes, bytes]:
    """Asks for the stream; returns its boundary and what of it came with the answer's head."""
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    host = parts.netloc.rpartition("@")[2]
    # HTTP/1.0, so that no server wraps the stream into chunks.
    lines = [f"GET {path} HTTP/1.0", f"Host: {host}", "Accept: multipart/x-mixed-replace"]
    if parts.username is not None:
        pair = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
        lines.append("Authorization: Basic " + base64.b64encode(pair.encode()).decode())
    connection.sendall(("\r\n".join(lines) + "\r\n\r\n").encode("latin-1"))
    head = bytearray()
    deadline_s = time.monotonic() + _CONNECT_TIMEOUT_S
    while (end := head.find(b"\r\n\r\n")) < 0:
        data = connection.recv(4096)
        if not data or len(head) > _MAX_HEAD_BYTES or time.monotonic() > deadline_s:
            raise MultipartError("its answer is not HTTP")
        head += data
    status = bytes(head[:end]).split(b"\r\n", 1)[0].decode("latin-1").split(" ", 2)
    if len(status) < 2 or status[1] != "200":
        raise MultipartError(f"it answers {' '.join(status[1:]) or 'nothing'}")
    headers = parse_head(bytes(head[:end]))
    return boundary_of(headers.get("content-type", "")), bytes(head[end + 4 :])
