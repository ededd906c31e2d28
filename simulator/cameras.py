"""IP cameras on loopback: pictures from a function, sent as MJPEG over HTTP as real cameras do."""

from __future__ import annotations

import contextlib
import socket
import sys
import threading
import time
from collections.abc import Callable, Mapping
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Self

import cv2
import numpy as np
from numpy.typing import NDArray

from simulator.camera_faults import CameraFault, CameraFaults

Source = Callable[[int], NDArray[np.uint8] | bytes]
"""Given the monotonic time in nanoseconds, the picture of that moment: BGR image or JPEG bytes."""

_BOUNDARY = "tongguan-frame"
_JPEG_QUALITY = 90
_MAX_CLIENTS = 16
_SEND_TIMEOUT_S = 2.0


class _Channel:
    """One camera: asks its source once for each moment, however many watch."""

    def __init__(self, source: Source, interval_ns: int, seed: int) -> None:
        self.source = source
        self.faults = CameraFaults(seed=seed)
        self._interval_ns = interval_ns
        self._lock = threading.Lock()
        self._jpeg = b""
        self._at_ns = 0
        self._made_by: Source | None = None

    def jpeg(self) -> tuple[bytes, int]:
        """The present picture and when it was made."""
        with self._lock:
            now_ns = time.monotonic_ns()
            source = self.source
            if source is not self._made_by or now_ns - self._at_ns > self._interval_ns // 2:
                picture = source(now_ns)
                self._jpeg = self.faults.spoil(picture if isinstance(picture, bytes) else encode_jpeg(picture))
                self._at_ns = now_ns
                self._made_by = source
            return self._jpeg, self._at_ns


def encode_jpeg(image: NDArray[np.uint8]) -> bytes:
    """As cameras encode: baseline JPEG with the usual tables and half the colour resolution."""
    is_encoded, data = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY])
    if not is_encoded:
        raise ValueError(f"cannot encode a picture of shape {image.shape} as JPEG")
    return data.tobytes()


class MjpegServer:
    """Serves `/NAME.mjpg` (a stream) and `/NAME.jpg` (one picture) for each named source.

    Sources are called by server threads, one at a time for each name.
    """

    def __init__(self, sources: Mapping[str, Source] | None = None, *, port: int = 0, fps: float = 15.0) -> None:
        """Raises OSError if the port is taken; 0 takes a free one."""
        self._interval_s = 1.0 / fps
        self._channels: dict[str, _Channel] = {}
        self._closing = threading.Event()
        self._places = threading.BoundedSemaphore(_MAX_CLIENTS)
        for name, source in (sources or {}).items():
            self.set_source(name, source)
        self._server = _Server(("127.0.0.1", port), _Handler, owner=self)
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, name="mjpeg server", daemon=True
        )
        self._thread.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def port(self) -> int:
        return int(self._server.server_address[1])

    def set_source(self, name: str, source: Source) -> None:
        """Adds a camera, or gives one another picture; whoever watches it stays."""
        channel = self._channels.get(name)
        if channel is None:
            self._channels[name] = _Channel(source, int(self._interval_s * 1e9), seed=len(self._channels) + 1)
        else:
            channel.source = source

    def faults(self, name: str) -> CameraFaults:
        """What is wrong with this camera. Raises KeyError if there is no such source."""
        return self._channels[name].faults

    def url(self, name: str) -> str:
        """Raises KeyError if there is no such source."""
        if name not in self._channels:
            raise KeyError(name)
        return f"http://127.0.0.1:{self.port}/{name}.mjpg"

    def close(self) -> None:
        """Ends all streams and frees the port; returns when that is done."""
        if self._closing.is_set():
            return
        self._closing.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def serve(self, handler: _Handler) -> None:
        """Answers one request in its own thread."""
        name, dot, suffix = handler.path.partition("?")[0].lstrip("/").rpartition(".")
        channel = self._channels.get(name) if dot else None
        if channel is None or suffix not in ("mjpg", "jpg"):
            handler.send_error(HTTPStatus.NOT_FOUND)
        elif channel.faults.has(CameraFault.UNPLUG):
            handler.close_connection = True
        elif not self._places.acquire(blocking=False):
            handler.send_error(HTTPStatus.SERVICE_UNAVAILABLE)
        else:
            try:
                with contextlib.suppress(ConnectionError, TimeoutError):  # who watched has gone or fell too far behind
                    self._send_stream(handler, channel) if suffix == "mjpg" else self._send_one(handler, channel)
            finally:
                self._places.release()

    def _send_one(self, handler: _Handler, channel: _Channel) -> None:
        jpeg, at_ns = channel.jpeg()
        handler.send_response(HTTPStatus.OK)
        handler.send_header("Content-Type", "image/jpeg")
        handler.send_header("Content-Length", str(len(jpeg)))
        handler.send_header("X-Timestamp-Ns", str(at_ns))
        handler.end_headers()
        handler.wfile.write(jpeg)

    def _send_stream(self, handler: _Handler, channel: _Channel) -> None:
        handler.send_response(HTTPStatus.OK)
        handler.send_header("Content-Type", f"multipart/x-mixed-replace; boundary={_BOUNDARY}")
        handler.send_header("Cache-Control", "no-store")
        handler.end_headers()
        due_s = time.monotonic()
        while not self._closing.wait(max(0.0, due_s - time.monotonic())) and not channel.faults.has(CameraFault.UNPLUG):
            due_s = max(due_s + self._interval_s, time.monotonic())
            if channel.faults.has(CameraFault.SILENT):
                continue
            jpeg, at_ns = channel.jpeg()
            if self._closing.wait(channel.faults.late_s):
                return
            head = (
                f"--{_BOUNDARY}\r\nContent-Type: image/jpeg\r\nContent-Length: {len(jpeg)}\r\n"
                f"X-Timestamp-Ns: {at_ns}\r\n\r\n"
            )
            handler.connection.sendall(head.encode() + jpeg + b"\r\n")


class _Server(ThreadingHTTPServer):
    # Threads are joined on close, so that no stream outlives its server.
    daemon_threads = False
    allow_reuse_address = True

    def __init__(self, address: tuple[str, int], handler: type[BaseHTTPRequestHandler], *, owner: MjpegServer) -> None:
        self.owner = owner
        super().__init__(address, handler)

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that hangs up in the middle is no news; anything else is a defect of ours and is shown."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)  # type: ignore[arg-type]


class _Handler(BaseHTTPRequestHandler):
    timeout = _SEND_TIMEOUT_S
    server: _Server

    def setup(self) -> None:
        super().setup()
        # A small send buffer: a slow reader misses pictures instead of getting old ones.
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 262_144)
        self.connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def do_GET(self) -> None:
        self.server.owner.serve(self)

    def log_message(self, format: str, *args: object) -> None:
        """Cameras do not write to anybody's terminal."""
