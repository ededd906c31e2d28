"""Both cameras of a lane with the threads that look at them, as one part of the runtime."""

from collections.abc import Callable
from functools import partial

import numpy as np
from numpy.typing import NDArray

from drivers.camera.interface import Camera, CameraStatus
from gate.core.clock import Clock
from gate.lane.document_watch import DocumentWatch
from gate.lane.eyes import Eyes
from gate.lane.face_watch import FaceWatch
from gate.lane.sightings import CameraChanged, Sighting


class Vision:
    """What the runtime asks of the cameras; answers come as sightings through the ``post`` given to :meth:`start`."""

    def __init__(
        self, *, face_camera: Camera, document_camera: Camera, eyes: Eyes, clock: Clock, face_timeout_ms: int
    ) -> None:
        self._cameras = {"face_camera": face_camera, "document_camera": document_camera}
        self._lost: set[str] = set()
        self._post: Callable[[Sighting], None] = lambda _sighting: None
        self._documents = DocumentWatch(camera=document_camera, eyes=eyes, clock=clock, post=self._say)
        self._faces = FaceWatch(camera=face_camera, eyes=eyes, post=self._say, timeout_ms=face_timeout_ms)

    def start(self, post: Callable[[Sighting], None]) -> None:
        """Open the cameras and start looking. DeviceError when a camera can never open (no such folder or device)."""
        self._post = post
        started: list[Camera] = []
        try:
            for name, camera in self._cameras.items():
                camera.start(partial(self._camera_changed, name))
                started.append(camera)
        except BaseException:
            for camera in started:
                camera.stop()
            raise
        self._documents.start()
        self._faces.start()

    def stop(self) -> None:
        """End the threads, then the cameras. Safe to call when :meth:`start` failed."""
        self._documents.stop()
        self._faces.stop()
        for camera in self._cameras.values():
            camera.stop()

    def expect_documents(self, is_expected: bool) -> None:
        """Whether the lane would take a traveller now."""
        self._documents.set_alert(is_expected)

    def read_document(self, ticket: int) -> None:
        self._documents.read(ticket)

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
        if status is CameraStatus.LOST and name not in self._lost:
            self._lost.add(name)
            self._say(CameraChanged(device=name, is_ok=False, reason=reason))
        elif status is CameraStatus.OK and name in self._lost:
            self._lost.discard(name)
            self._say(CameraChanged(device=name, is_ok=True))
