"""An ONVIF camera on loopback: device, media and imaging services over SOAP, and its stream over RTSP.

Written from the ONVIF specifications. It checks users as cameras do: password digest, a date within five seconds of its own clock, no nonce
twice.
"""

from __future__ import annotations

import base64
import hashlib
import random
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Self
from xml.etree import ElementTree

import cv2
import numpy as np
from numpy.typing import NDArray

from simulator.camera_faults import CameraFault, CameraFaults
from simulator.rtsp_camera import RtspCamera

_SOAP = "http://www.w3.org/2003/05/soap-envelope"
_TT = "http://www.onvif.org/ver10/schema"
_NORMAL_US = 10_000
LEAST_US, MOST_US = 100, 40_000
_WINDOW_S = 5.0
USER, PASSWORD = "gate", "secret"


class OnvifCamera:
    """`device_service` is its address. Pictures of ``source``, as bright as the exposure time makes them while that is manual.

    ``ahead_s``: by how much its clock is wrong. `services` are the names of the requests that it answered.
    """

    def __init__(
        self,
        source: Callable[[int], NDArray[np.uint8]],
        *,
        user: str = USER,
        password: str = PASSWORD,
        ahead_s: float = 0.0,
        fps: float = 25.0,
        seed: int = 1,
    ) -> None:
        self.exposure_us: int | None = None
        """None: automatic."""
        self.services: list[str] = []
        self.faults = CameraFaults(seed=seed)
        self._rng = random.Random(seed)
        self._source = source
        self._user, self._password = user, password
        self._ahead = timedelta(seconds=ahead_s)
        self._nonces: set[str] = set()
        self._released = threading.Event()
        self.stream = RtspCamera(self._picture, fps=fps, seed=seed)
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, name="onvif camera", daemon=True
        )
        self._thread.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        self._released.set()
        self.stream.close()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    @property
    def device_service(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}/onvif/device_service"

    def _picture(self, now_ns: int) -> NDArray[np.uint8]:
        image = self._source(now_ns)
        if self.exposure_us is None:
            return image
        return np.asarray(cv2.convertScaleAbs(image, alpha=self.exposure_us / _NORMAL_US), np.uint8)

    def answer(self, envelope: bytes) -> tuple[int, bytes]:
        """HTTP status and SOAP message."""
        try:
            root = ElementTree.fromstring(envelope)  # noqa: S314  of our own client, on loopback
            body = root.find(f"{{{_SOAP}}}Body")
            request = next(iter(body), None) if body is not None else None
        except ElementTree.ParseError:
            request = None
        if request is None:
            return 400, _fault("Sender", "not a request")
        name = request.tag.rsplit("}", 1)[-1]
        if name != "GetSystemDateAndTime" and not self._is_known(root):
            return 400, _fault("Sender", "Sender not Authorized")
        self.services.append(name)
        found = self._do(name, request)
        return (
            (200, _envelope(found))
            if found is not None
            else (500, _fault("Receiver", "Optional action not implemented"))
        )

    def _is_known(self, root: ElementTree.Element) -> bool:
        texts = {element.tag.rsplit("}", 1)[-1]: (element.text or "") for element in root.iter()}
        nonce, created = texts.get("Nonce", ""), texts.get("Created", "")
        try:
            stated = datetime.fromisoformat(created.replace("Z", "+00:00"))
            raw = base64.b64decode(nonce, validate=True)
        except ValueError:
            return False
        is_fresh = abs((stated - self._now()).total_seconds()) <= _WINDOW_S and nonce not in self._nonces
        self._nonces.add(nonce)
        right = base64.b64encode(hashlib.sha1(raw + created.encode() + self._password.encode()).digest()).decode()  # noqa: S324
        return is_fresh and texts.get("Username") == self._user and texts.get("Password") == right

    def _now(self) -> datetime:
        return datetime.now(UTC) + self._ahead

    def _do(self, name: str, request: ElementTree.Element) -> str | None:
        base = self.device_service.rsplit("/", 1)[0]
        now = self._now()
        time = "Automatic" if self.exposure_us is None else "Manual"
        match name:
            case "GetSystemDateAndTime":
                return (
                    f"<tt:UTCDateTime><tt:Time><tt:Hour>{now.hour}</tt:Hour><tt:Minute>{now.minute}</tt:Minute>"
                    f"<tt:Second>{now.second}</tt:Second></tt:Time><tt:Date><tt:Year>{now.year}</tt:Year>"
                    f"<tt:Month>{now.month}</tt:Month><tt:Day>{now.day}</tt:Day></tt:Date></tt:UTCDateTime>"
                )
            case "GetCapabilities":
                return (
                    f"<tt:Media><tt:XAddr>{base}/media</tt:XAddr></tt:Media>"
                    f"<tt:Imaging><tt:XAddr>{base}/imaging</tt:XAddr></tt:Imaging>"
                )
            case "GetProfiles":
                return "".join(
                    f'<trt:Profiles xmlns:trt="http://www.onvif.org/ver10/media/wsdl" token="{token}">'
                    "<tt:VideoSourceConfiguration><tt:SourceToken>sensor</tt:SourceToken></tt:VideoSourceConfiguration>"
                    "</trt:Profiles>"
                    for token in ("main", "sub")
                )
            case "GetStreamUri":
                return f"<tt:Uri>{self.stream.url}</tt:Uri>"
            case "GetOptions":
                return (
                    f"<tt:Exposure><tt:Mode>AUTO</tt:Mode><tt:Mode>MANUAL</tt:Mode><tt:ExposureTime><tt:Min>{LEAST_US}</tt:Min>"
                    f"<tt:Max>{MOST_US}</tt:Max></tt:ExposureTime></tt:Exposure>"
                )
            case "GetImagingSettings":
                mode = "AUTO" if time == "Automatic" else "MANUAL"
                return (
                    f"<tt:Exposure><tt:Mode>{mode}</tt:Mode>"
                    f"<tt:ExposureTime>{self.exposure_us or _NORMAL_US}</tt:ExposureTime></tt:Exposure>"
                )
            case "SetImagingSettings":
                stated = request.findtext(f".//{{{_TT}}}ExposureTime")
                is_manual = request.findtext(f".//{{{_TT}}}Mode") == "MANUAL"
                if is_manual and (stated is None or not LEAST_US <= float(stated) <= MOST_US):
                    return None
                self.exposure_us = round(float(stated)) if is_manual and stated is not None else None
                return ""
            case _:
                return None

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        camera = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                envelope = self.rfile.read(int(self.headers.get("Content-Length", "0")))
                faults = camera.faults
                if faults.has(CameraFault.UNPLUG):
                    self.close_connection = True
                    return
                if faults.has(CameraFault.SILENT):
                    camera._released.wait(10)
                    return
                camera._released.wait(faults.late_s)
                status, body = camera.answer(envelope)
                if faults.has(CameraFault.GARBLE):
                    spoilt = bytearray(body[: len(body) // 2])
                    spoilt[camera._rng.randrange(len(spoilt))] = 0
                    body = bytes(spoilt)
                self.send_response(status)
                self.send_header("Content-Type", "application/soap+xml")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: object) -> None:
                """Cameras do not write to anybody's terminal."""

        return Handler


def _envelope(body: str) -> bytes:
    return (
        f'<?xml version="1.0"?><env:Envelope xmlns:env="{_SOAP}" xmlns:tt="{_TT}"><env:Body><Response>{body}</Response>'
        "</env:Body></env:Envelope>"
    ).encode()


def _fault(code: str, text: str) -> bytes:
    return (
        f'<env:Envelope xmlns:env="{_SOAP}"><env:Body><env:Fault><env:Code><env:Value>env:{code}</env:Value></env:Code>'
        f'<env:Reason><env:Text xml:lang="en">{text}</env:Text></env:Reason></env:Fault></env:Body></env:Envelope>'
    ).encode()
