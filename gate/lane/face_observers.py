"""Who else wants the face cameras' frames: the exposure of each, a thermal camera that looks as the first does, the kiosk's mirror."""

from collections.abc import Callable, Mapping

from drivers.camera.interface import Frame
from drivers.thermal import Box
from gate.lane.exposure import ExposureKeeper
from gate.lane.mirror import Mirror
from models.face import Face

EXPOSURES = {0: "face_camera_exposure", 1: "face_camera_2_exposure"}
"""What a camera's exposure control is called as a device, by the face camera's number."""


class FaceObservers:
    """Called by the face watch's thread with each frame that was looked at; returns at once."""

    def __init__(
        self,
        *,
        keepers: Mapping[int, ExposureKeeper] | None = None,
        aim: Callable[[Box | None], None] | None = None,
        mirror: Mirror | None = None,
    ) -> None:
        """``keepers`` by the face camera's number, from 0; ``aim`` of the thermometer takes the first camera's face."""
        self._keepers = keepers or {}
        self._aim = aim
        self._mirror = mirror

    def start(self) -> None:
        if self._mirror is not None:
            self._mirror.start()
        for keeper in self._keepers.values():
            keeper.start()

    def stop(self) -> None:
        """The cameras get their exposure back."""
        if self._mirror is not None:
            self._mirror.stop()
        for keeper in self._keepers.values():
            keeper.stop()

    def __call__(self, camera: int, frame: Frame, faces: tuple[Face, ...]) -> None:
        keeper = self._keepers.get(camera)
        if keeper is not None:
            keeper.look(frame.image_bgr, faces)
        if self._aim is not None and camera == 0:
            self._aim(face_box(frame, faces[0]) if faces else None)
        if self._mirror is not None:
            self._mirror.look(camera, frame)


def face_box(frame: Frame, face: Face) -> Box:
    """The face as shares of the picture: left, top, right, bottom."""
    rows, columns = frame.image_bgr.shape[:2]
    x, y, width, height = (float(value) for value in face.box_px)
    return (x / columns, y / rows, (x + width) / columns, (y + height) / rows)
