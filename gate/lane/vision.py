"""The cameras of a lane with the threads that look at them, as one part of the runtime."""

import threading
from collections.abc import Callable
from functools import partial

import numpy as np
import structlog
from numpy.typing import NDArray

from drivers.camera.interface import Camera, CameraStatus
from gate.core.clock import Clock
from gate.lane.chip_watch import ChipWatch
from gate.lane.document_watch import DocumentWatch
from gate.lane.eyes import Eyes
from gate.lane.face_observers import FaceObservers
from gate.lane.face_watch import FaceWatch
from gate.lane.lamps import Lamps
from gate.lane.liveness import Liveness
from gate.lane.sightings import CameraChanged, Sighting
from gate.lane.travel_codes import TravelCodes

_log = structlog.get_logger(__name__)

FACE_CAMERAS = ("face_camera", "face_camera_2")
"""As the settings call them. They are one device to the lane, called by the first name: one that sees is enough."""


class Vision:
    """What the runtime asks of the cameras; answers come as sightings through the ``post`` given to :meth:`start`."""

    def __init__(
        self,
        *,
        face_camera: Camera,
        face_camera_2: Camera | None = None,
        document_camera: Camera,
        eyes: Eyes,
        clock: Clock,
        face_timeout_ms: int,
        liveness: Liveness,
        lamps: Lamps | None = None,
        codes: TravelCodes | None = None,
        chip: ChipWatch | None = None,
        observers: FaceObservers | None = None,
    ) -> None:
        self._lamps = lamps
        self._observers = observers or FaceObservers()
        self._cameras = {FACE_CAMERAS[0]: face_camera, "document_camera": document_camera}
        if face_camera_2 is not None:
            self._cameras[FACE_CAMERAS[1]] = face_camera_2
        self._lost: set[str] = set()
        self._changing = threading.Lock()
        self._post: Callable[[Sighting], None] = lambda _sighting: None
        self._documents = DocumentWatch(
            camera=document_camera, eyes=eyes, clock=clock, post=self._say, lamps=lamps, codes=codes, chip=chip
        )
        faces = [self._cameras[name] for name in FACE_CAMERAS if name in self._cameras]
        self._faces = FaceWatch(
            cameras=faces,
            eyes=eyes,
            post=self._say,
            timeout_ms=face_timeout_ms,
            liveness=liveness,
            observer=self._observers,
        )

    def start(self, post: Callable[[Sighting], None]) -> None:
        """Open the cameras and start looking. DeviceError when a camera can never open (no such folder or device)."""
        self._post = post
        started: list[Camera] = []
        try:
            for name, camera in self._cameras.items():
                camera.start(partial(self._camera_changed, name))
                started.append(camera)
            if self._lamps is not None:
                self._lamps.light.start()
        except BaseException:
            for camera in started:
                camera.stop()
            raise
        self._observers.start()
        self._documents.start()
        self._faces.start()

    def stop(self) -> None:
        """End the threads, then the cameras. Safe to call when :meth:`start` failed."""
        self._documents.stop()
        self._faces.stop()
        self._observers.stop()
        if self._lamps is not None:
            self._lamps.light.stop()
        for camera in self._cameras.values():
            camera.stop()

    def expect_documents(self, is_expected: bool) -> None:
        """Whether the lane would take a traveller now."""
        self._documents.set_alert(is_expected)

    def read_document(self, ticket: int) -> None:
        self._documents.read(ticket)

    def watch_arrival(self, ticket: int) -> None:
        """Somebody may walk in: who comes is looked at for signs of life, and not yet counted."""
        self._faces.arrive(ticket)

    def capture_face(self, ticket: int, reference: NDArray[np.float32] | None) -> None:
        self._faces.compare(ticket, reference)

    def watch_people(self, ticket: int) -> None:
        self._faces.count(ticket)

    def stop_checks(self) -> None:
        self._documents.cancel()
        self._faces.cancel()

    def _say(self, sighting: Sighting) -> None:
        self._post(sighting)

    def _camera_changed(self, name: str, status: CameraStatus, reason: str) -> None:
        """Runs in a camera's thread. Only a loss, and the return after one, are news."""
        device = FACE_CAMERAS[0] if name in FACE_CAMERAS else name
        group = {
            other for other in self._cameras if other == name or (device == FACE_CAMERAS[0] and other in FACE_CAMERAS)
        }
        with self._changing:
            was_blind = group <= self._lost
            if status is CameraStatus.LOST:
                self._lost.add(name)
            elif status is CameraStatus.OK:
                self._lost.discard(name)
            is_blind = group <= self._lost
            if is_blind != was_blind:
                self._say(CameraChanged(device=device, is_ok=not is_blind, reason=reason if is_blind else ""))
        if status is CameraStatus.LOST and not is_blind:
            _log.warning("camera_lost_another_sees", camera=name, reason=reason)
