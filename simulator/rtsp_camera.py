"""An IP camera on loopback that speaks RTSP (RFC 2326) and sends JPEG over RTP (RFC 3550, RFC 2435) inside the same TCP connection.

As much of the protocols as a player asks for: OPTIONS, DESCRIBE, SETUP (interleaved), PLAY, GET_PARAMETER, TEARDOWN.
"""

from __future__ import annotations

import contextlib
import random
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from types import TracebackType
from typing import Self

import numpy as np
from numpy.typing import NDArray

from simulator.camera_faults import CameraFault, CameraFaults
from simulator.cameras import encode_jpeg

_PAYLOAD_BYTES = 1400
_PAYLOAD_TYPE = 26
_CLOCK_HZ = 90_000
_QUARTER_COLOUR = 1  # RFC 2435, 3.1.3: type 1 is 4:2:0
_TABLES_IN_BAND = 255
_METHODS = "OPTIONS, DESCRIBE, SETUP, PLAY, GET_PARAMETER, TEARDOWN"


class RtspCamera:
    """Serves `url` with pictures of ``source`` (given the monotonic ns; sides a multiple of 16). Stamps are of the moment of capture.

    ``jitter_s``: each picture is on its way for a random time up to this, as over a busy network.
    """

    def __init__(
        self,
        source: Callable[[int], NDArray[np.uint8]],
        *,
        fps: float = 25.0,
        jitter_s: float = 0.0,
        port: int = 0,
        seed: int = 1,
    ) -> None:
        self.faults = CameraFaults(seed=seed)
        self.sent_ns: list[int] = []
        """When each picture was taken."""
        self._source = source
        self._interval_s = 1.0 / fps
        self._jitter_s = jitter_s
        self._rng = random.Random(seed)
        self._closing = threading.Event()
        self._listener = socket.create_server(("127.0.0.1", port), reuse_port=False)
        self._listener.settimeout(0.1)
        self.port = int(self._listener.getsockname()[1])
        self._watchers: list[threading.Thread] = []
        self._thread = threading.Thread(target=self._accept, name="rtsp camera", daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        return f"rtsp://127.0.0.1:{self.port}/face"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        self._closing.set()
        self._thread.join()
        for watcher in self._watchers:
            watcher.join()
        self._listener.close()

    def _accept(self) -> None:
        while not self._closing.is_set():
            with contextlib.suppress(TimeoutError):
                connection, _ = self._listener.accept()
                watcher = threading.Thread(target=self._serve, args=(connection,), name="rtsp watcher", daemon=True)
                self._watchers.append(watcher)
                watcher.start()

    def _serve(self, connection: socket.socket) -> None:
        with connection, contextlib.suppress(OSError):
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            connection.settimeout(0.1)
            held = b""
            while not self._is_over():
                with contextlib.suppress(TimeoutError):
                    data = connection.recv(4096)
                    if not data:
                        return
                    held += data
                while b"\r\n\r\n" in held:
                    head, held = held.split(b"\r\n\r\n", 1)
                    if self._answer(connection, head.decode("latin-1")):
                        self._play(connection)
                        return

    def _is_over(self) -> bool:
        return self._closing.is_set() or self.faults.has(CameraFault.UNPLUG)

    def _answer(self, connection: socket.socket, head: str) -> bool:
        """Answer one request; says whether pictures are to follow."""
        lines = head.split("\r\n")
        method, _, _ = lines[0].partition(" ")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines[1:])}
        extra, body = {
            "OPTIONS": (f"Public: {_METHODS}\r\n", ""),
            "DESCRIBE": (f"Content-Base: {self.url}/\r\nContent-Type: application/sdp\r\n", self._description()),
            "SETUP": ("Transport: RTP/AVP/TCP;unicast;interleaved=0-1\r\nSession: 1\r\n", ""),
            "PLAY": ("Session: 1\r\nRange: npt=0.000-\r\n", ""),
        }.get(method, ("Session: 1\r\n", ""))
        if method == "SETUP" and "TCP" not in headers.get("transport", ""):
            status = "461 Unsupported Transport"
        else:
            status = "200 OK"
        text = (
            f"RTSP/1.0 {status}\r\nCSeq: {headers.get('cseq', '0')}\r\n{extra}Content-Length: {len(body)}\r\n\r\n{body}"
        )
        connection.sendall(text.encode())
        return method == "PLAY"

    @staticmethod
    def _description() -> str:
        lines = ("v=0", "o=- 1 1 IN IP4 127.0.0.1", "s=camera", "c=IN IP4 0.0.0.0", "t=0 0", "a=control:*")
        return "\r\n".join((*lines, f"m=video 0 RTP/AVP {_PAYLOAD_TYPE}", "a=control:track1", ""))

    def _play(self, connection: socket.socket) -> None:
        connection.settimeout(2.0)
        sequence, due_s, arrived_s = 0, time.monotonic(), 0.0
        while not self._is_over():
            due_s = max(due_s + self._interval_s, time.monotonic())
            self._closing.wait(max(0.0, due_s - time.monotonic()))
            if self.faults.has(CameraFault.SILENT):
                continue
            taken_ns = time.monotonic_ns()
            jpeg = encode_jpeg(self._source(taken_ns))
            is_half = self.faults.has(CameraFault.GARBLE)
            if not is_half:
                jpeg = self.faults.spoil(jpeg)
            # Nothing overtakes within one connection.
            arrived_s = max(arrived_s, taken_ns / 1e9 + self._rng.uniform(0, self._jitter_s) + self.faults.late_s)
            self._closing.wait(max(0.0, arrived_s - time.monotonic()))
            self.sent_ns.append(taken_ns)
            packets = list(packets_of(jpeg, round(taken_ns * _CLOCK_HZ / 1e9) & 0xFFFFFFFF))
            for number, packet in enumerate(packets):
                sequence = (sequence + 1) & 0xFFFF
                if is_half and number == len(packets) // 2:
                    continue  # lost on the way: half a frame
                rtp = packet[:2] + struct.pack(">H", sequence) + packet[4:]
                connection.sendall(struct.pack(">cBH", b"$", 0, len(rtp)) + rtp)


def packets_of(jpeg: bytes, timestamp: int) -> Iterator[bytes]:
    """The RTP packets of a baseline JPEG (4:2:0, usual Huffman tables), sequence numbers left 0. ValueError for another JPEG."""
    tables, width, height, scan = _parts(jpeg)
    for offset in range(0, len(scan), _PAYLOAD_BYTES):
        piece = scan[offset : offset + _PAYLOAD_BYTES]
        is_last = offset + _PAYLOAD_BYTES >= len(scan)
        head = struct.pack(">BBHII", 0x80, _PAYLOAD_TYPE | (0x80 if is_last else 0), 0, timestamp, 0x544F4E47)
        fragment = struct.pack(">I4B", offset & 0xFFFFFF, _QUARTER_COLOUR, _TABLES_IN_BAND, width // 8, height // 8)
        in_band = struct.pack(">BBH", 0, 0, len(tables)) + tables if offset == 0 else b""
        yield head + fragment + in_band + piece


def _parts(jpeg: bytes) -> tuple[bytes, int, int, bytes]:
    """Quantisation tables, width, height and the coded scan."""
    tables: dict[int, bytes] = {}
    width = height = 0
    place = 2
    while place + 4 <= len(jpeg):
        marker, length = jpeg[place + 1], struct.unpack_from(">H", jpeg, place + 2)[0]
        body = jpeg[place + 4 : place + 2 + length]
        if marker == 0xDB:
            for start in range(0, len(body), 65):
                tables[body[start]] = body[start + 1 : start + 65]
        elif marker == 0xC0:
            height, width = struct.unpack_from(">HH", body, 1)
            if body[7] != 0x22:
                raise ValueError("only 4:2:0 JPEG is sent")
        elif marker == 0xDA:
            scan = jpeg[place + 2 + length :]
            return tables[0] + tables[1], width, height, scan.removesuffix(b"\xff\xd9")
        place += 2 + length
    raise ValueError("this is no baseline JPEG")
