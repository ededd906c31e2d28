"""The traveller's own picture for the kiosk beside the lane: MJPEG over HTTP on loopback, of the frames that the lane looks at anyway.

It goes to a browser on the same machine and nowhere else: not to the hub, not to a disk. Nothing is encoded while nobody watches.
A mirror is a convenience: where its port is taken the lane says so and runs without, and the kiosk shows its drawing.
Not responsible for: turning the picture about (the browser does), guiding (the face watch's hints), when it is shown (the kiosk).
"""

import threading
import time
from collections.abc import Callable
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Final

import cv2
import numpy as np
import structlog
from numpy.typing import NDArray

from drivers.camera.interface import Frame

_log = structlog.get_logger(__name__)

PATH: Final = "/face.mjpg"
HEIGHT_PX: Final = 480
MAX_WATCHERS: Final = 3
"""A kiosk has one; a browser that reloads may hold its former stream for a while."""
_INTERVAL_NS: Final = 80_000_000
_QUALITY: Final = 75
_WAIT_S: Final = 0.5
_SEND_TIMEOUT_S: Final = 5.0
_BOUNDARY: Final = "frame"
_FADE: Final = 0.8


class Mirror:
    """Shows the frames it is given, at most 12 a second. Give it frames from one thread; it has threads of its own."""

    def __init__(self, port: int, *, now_ns: Callable[[], int] = time.monotonic_ns) -> None:
        """``port`` 0 takes a free one, which :attr:`port` tells once started."""
        self._wanted_port = port
        self._now_ns = now_ns
        self._news = threading.Condition()
        self._image: NDArray[np.uint8] | None = None
        self._number = 0
        self._due_ns = 0
        self._watchers = 0
        self._is_open = False
        self._weights: dict[int, float] = {}
        self._server: _Server | None = None
        self._thread: threading.Thread | None = None

    @property
    def port(self) -> int | None:
        """Where it listens; None while it does not."""
        return None if self._server is None else int(self._server.server_address[1])

    def start(self) -> None:
        """Listen on loopback. A port that is taken is told and leaves the lane without a mirror."""
        try:
            self._server = _Server(("127.0.0.1", self._wanted_port), self)
        except OSError as error:
            _log.warning("mirror_unavailable", port=self._wanted_port, reason=str(error))
            return
        self._is_open = True
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.1}, name="mirror", daemon=True
        )
        self._thread.start()

    def stop(self) -> None:
        """End the streams and free the port; what was shown last is forgotten."""
        with self._news:
            self._is_open = False
            self._image = None
            self._news.notify_all()
        server, self._server = self._server, None
        if server is not None and self._thread is not None:
            server.shutdown()
            self._thread.join()
            server.server_close()

    def look(self, camera: int, frame: Frame) -> None:
        """A frame of the camera of that number, whose picture nobody may change afterwards. Returns at once."""
        weights = self._weights
        for other in weights:
            weights[other] *= _FADE
        weights[camera] = weights.get(camera, 0.0) + 1.0
        if self._watchers == 0 or max(weights, key=weights.__getitem__) != camera:
            return  # a glance through the other camera is not shown
        now_ns = self._now_ns()
        if now_ns < self._due_ns:
            return
        self._due_ns = now_ns + _INTERVAL_NS
        with self._news:
            self._image = frame.image_bgr
            self._number += 1
            self._news.notify_all()

    def _enter(self) -> bool:
        with self._news:
            if not self._is_open or self._watchers >= MAX_WATCHERS:
                return False
            self._watchers += 1
            return True

    def _leave(self) -> None:
        with self._news:
            self._watchers -= 1
            if self._watchers == 0:
                self._image = None  # the next traveller must not see the last one

    def _next(self, after: int) -> tuple[int, NDArray[np.uint8]] | None:
        """A picture later than number ``after``; None when it is over."""
        with self._news:
            while self._is_open and (self._image is None or self._number == after):
                self._news.wait(_WAIT_S)
            return None if not self._is_open or self._image is None else (self._number, self._image)

    def serve(self, handler: "_Handler") -> None:
        """Answer one request, in its own thread."""
        if handler.path.partition("?")[0] != PATH:
            handler.send_error(HTTPStatus.NOT_FOUND)
        elif not _is_from_here(handler):
            handler.send_error(HTTPStatus.FORBIDDEN)
        elif not self._enter():
            handler.send_error(HTTPStatus.SERVICE_UNAVAILABLE)
        else:
            try:
                self._stream(handler)
            except OSError:
                handler.close_connection = True  # who watched has gone
            finally:
                self._leave()

    def _stream(self, handler: "_Handler") -> None:
        handler.close_connection = True
        handler.send_response(HTTPStatus.OK)
        handler.send_header("Content-Type", f"multipart/x-mixed-replace; boundary={_BOUNDARY}")
        handler.send_header("Cache-Control", "no-store")
        handler.send_header("X-Content-Type-Options", "nosniff")
        handler.end_headers()
        number = self._number
        while (shown := self._next(number)) is not None:
            number, image_bgr = shown
            jpeg = _encode(image_bgr)
            head = f"--{_BOUNDARY}\r\nContent-Type: image/jpeg\r\nContent-Length: {len(jpeg)}\r\n\r\n"
            handler.wfile.write(head.encode() + jpeg + b"\r\n")


def _is_from_here(handler: "_Handler") -> bool:
    """Whether a page may show it: by this machine's own name, and as a picture, whose points no foreign page can read."""
    host = (handler.headers.get("Host") or "").rpartition(":")[0]
    use = handler.headers.get("Sec-Fetch-Dest")
    return host in {"127.0.0.1", "localhost"} and use in {None, "image"} and handler.headers.get("Origin") is None


def _encode(image_bgr: NDArray[np.uint8]) -> bytes:
    """The picture as JPEG, at most HEIGHT_PX high."""
    rows, columns = image_bgr.shape[:2]
    if rows > HEIGHT_PX:
        width_px = max(1, round(columns * HEIGHT_PX / rows))
        image_bgr = cv2.resize(image_bgr, (width_px, HEIGHT_PX), interpolation=cv2.INTER_AREA).astype(
            np.uint8, copy=False
        )
    is_done, data = cv2.imencode(".jpg", image_bgr, [cv2.IMWRITE_JPEG_QUALITY, _QUALITY])
    if not is_done:
        raise ValueError(f"cannot encode a picture of shape {image_bgr.shape} as JPEG")
    return data.tobytes()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = True
    allow_reuse_address = True
    request_queue_size = 8

    def __init__(self, address: tuple[str, int], mirror: Mirror) -> None:
        self.mirror = mirror
        super().__init__(address, _Handler)


class _Handler(BaseHTTPRequestHandler):
    timeout = _SEND_TIMEOUT_S
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        if isinstance(self.server, _Server):
            self.server.mirror.serve(self)

    def log_message(self, format: str, *args: object) -> None:
        """Requests of the kiosk are no news."""
