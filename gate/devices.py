"""A lane's devices out of its settings. A twin is a device kind that another package registers; nothing here knows which is which."""

from dataclasses import dataclass

from config.schema import Camera as CameraSettings
from config.schema import Lane
from drivers.camera import Camera, open_camera
from drivers.lane_io.interface import LaneIo
from drivers.registry import load_device
from drivers.thermal import Thermometer

_THERMOMETERS = {"serial_line": "serial_thermometer"}
_CAMERAS = {"v4l2": "opencv", "rtsp": "opencv"}


@dataclass(frozen=True, slots=True, kw_only=True)
class LaneDevices:
    """What one lane drives and looks through."""

    board: LaneIo
    face_camera: Camera
    document_camera: Camera
    thermometer: Thermometer | None
    face_camera_2: Camera | None = None


def open_devices(lane: Lane) -> LaneDevices:
    """The devices that the settings name, not started yet. DeviceError with one sentence when one cannot be made."""
    return LaneDevices(
        board=open_board(lane),
        face_camera=open_lane_camera(lane.face_camera),
        document_camera=open_lane_camera(lane.document_camera),
        thermometer=open_thermometer(lane),
        face_camera_2=None if lane.face_camera_2 is None else open_lane_camera(lane.face_camera_2),
    )


def open_board(lane: Lane) -> LaneIo:
    """The lane controller board, not started yet. DeviceError when there is no such kind."""
    board: LaneIo = load_device(lane.board.kind, **lane.board.settings)
    return board


def open_lane_camera(settings: CameraSettings) -> Camera:
    """A camera, not started yet. DeviceError when there is no such kind."""
    return open_camera(_CAMERAS.get(settings.kind, settings.kind), settings.source, settings.frames_per_s)


def open_thermometer(lane: Lane) -> Thermometer | None:
    """The thermometer, not started yet; None where the lane has none. DeviceError when there is no such kind."""
    if lane.thermometer is None:
        return None
    kind = lane.thermometer.kind
    thermometer: Thermometer = load_device(_THERMOMETERS.get(kind, kind), port=lane.thermometer.port)
    return thermometer
