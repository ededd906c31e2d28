"""Cameras: a folder or video file, a V4L2 device or RTSP address, an MJPEG address."""

from drivers.camera.interface import Camera, CameraStatus, Frame, Image, StampSource, StatusCallback
from drivers.camera.limits import HealthLimits

__all__ = ["Camera", "CameraStatus", "Frame", "HealthLimits", "Image", "StampSource", "StatusCallback", "open_camera"]


def open_camera(kind: str, source: str, fps: float = 15.0, *, limits: HealthLimits | None = None) -> Camera:
    """A camera, not yet started. `kind` is `folder`, `opencv` or `mjpeg`; an MJPEG camera sets its own pace.

    `limits` say when a picture counts as no view; a folder takes none, since stills are what it is for. Raises `DeviceError` if there is
    no such kind or the source cannot be one.
    """
    # OpenCV takes a quarter of a second to load: not before a camera is wanted.
    from drivers.errors import DeviceError

    match kind:
        case "folder":
            from drivers.camera.folder import FolderCamera

            return FolderCamera(source, fps=fps)
        case "opencv":
            from drivers.camera.opencv import OpenCvCamera

            return OpenCvCamera(source, fps=fps, limits=limits)
        case "mjpeg":
            from drivers.camera.mjpeg import MjpegCamera

            return MjpegCamera(source, limits=limits)
        case _:
            raise DeviceError(f"There is no camera kind {kind!r}; set folder, opencv or mjpeg.")
