"""Sections of what a lane sees with: cameras, the document reader's lamps, thermometers."""

from pathlib import Path
from typing import Literal, Self

from pydantic import Field, model_validator

from config.section import Section


class Camera(Section):
    """A source of frames.

    ``folder`` (pictures or a video file), ``v4l2`` (device number or path), ``rtsp`` or ``mjpeg`` (URL), or ``onvif`` (URL of the
    camera's device service, which says where its stream is). ``exposure`` = ``face``: manual exposure by the brightness of the face,
    automatic while nobody is there; V4L2 and ONVIF cameras that have the control. User and password are the two lines of
    ``credentials_file``. ``frozen_after_ms`` must be longer than the time between two whole pictures of a coded stream, between which a
    still hall may really look the same.
    """

    kind: Literal["folder", "v4l2", "rtsp", "mjpeg", "onvif"]
    source: str = Field(min_length=1)
    frames_per_s: float = Field(default=15.0, gt=0, le=120)
    frozen_after_ms: int = Field(default=5_000, ge=0, le=60_000)  # the same picture for so long is a fault; 0: never
    dark_after_ms: int = Field(default=2_000, ge=0, le=60_000)  # of face cameras: so long without light; 0: never
    exposure: Literal["camera", "face"] = "camera"
    profile: str = ""  # of an onvif camera; empty: its first
    credentials_file: Path | None = None

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.exposure == "face" and self.kind not in ("v4l2", "onvif"):
            raise ValueError("exposure = 'face' needs a camera that takes orders: kind = 'v4l2' or 'onvif'")
        if self.kind == "onvif" and not self.source.startswith(("http://", "https://")):
            raise ValueError(
                "an onvif camera's source is its device service, such as http://10.0.0.5/onvif/device_service"
            )
        if self.kind != "onvif" and (self.profile or self.credentials_file is not None):
            raise ValueError("profile and credentials_file belong to kind = 'onvif'")
        return self


class DocumentLight(Section):
    """The document reader's lamps: white, infrared, ultraviolet (``docs/protocols/document-light.md``), and what is asked of the pictures.

    The limits depend on the reader's lamps and camera: set them from the figures that the findings show. They mean something only at a
    fixed exposure: give the times under both lamps, or set a camera that takes no orders to a fixed time by hand.
    """

    kind: str = "serial_light"
    port: str = ""
    baud_rate: int = Field(default=115_200, ge=9_600, le=4_000_000)
    infrared_exposure_us: int | None = Field(default=None, ge=10, le=1_000_000)  # of a v4l2 or onvif document camera
    ultraviolet_exposure_us: int | None = Field(default=None, ge=10, le=1_000_000)
    settle_ms: int = Field(default=70, ge=0, le=1_000)  # lamp up, camera's exposure over
    ink_least_contrast: float = Field(default=0.45, gt=0, lt=1)  # of the MRZ under infrared (B900)
    paper_most_glow: float = Field(default=0.22, gt=0, lt=1)  # of the paper under ultraviolet

    @model_validator(mode="after")
    def _has_port(self) -> Self:
        if self.kind == "serial_light" and not self.port:
            raise ValueError("a serial_light needs its port, for example port = '/dev/ttyUSB2'")
        return self


Box = tuple[float, float, float, float]


class Thermometer(Section):
    """A skin thermometer: ``serial_line`` (one point) or ``serial_array`` (a picture; ``docs/protocols/thermal.md``).

    ``black_body_celsius`` is what a black body in the view is kept at: readings are corrected by it, and without a credible view of it
    nobody is measured. Boxes are left, top, right, bottom as shares (0..1) of the thermal picture.
    """

    kind: str = "serial_line"
    port: str = ""
    baud_rate: int | None = Field(default=None, ge=1_200, le=4_000_000)
    black_body_celsius: float | None = Field(default=None, gt=25, lt=45)
    black_body_most_correction_celsius: float = Field(default=2.0, gt=0, le=5)
    black_body_box: Box | None = None
    face_camera_box: Box = (0.0, 0.0, 1.0, 1.0)  # what of the thermal picture the face camera sees
    ambient_least_celsius: float = Field(default=10.0, ge=-20, le=40)
    ambient_most_celsius: float = Field(default=35.0, ge=0, le=50)
    ambient_reference_celsius: float = Field(default=23.0, ge=0, le=40)
    ambient_gain: float = Field(default=0.0, ge=0, le=0.5)  # how much skin cools for each degree below the reference

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.ambient_least_celsius >= self.ambient_most_celsius:
            raise ValueError("ambient_least_celsius must be below ambient_most_celsius")
        boxes = [box for box in (self.black_body_box, self.face_camera_box) if box is not None]
        if any(not (0 <= left < right <= 1 and 0 <= top < bottom <= 1) for left, top, right, bottom in boxes):
            raise ValueError(
                "a box is left, top, right, bottom between 0 and 1, left before right and top above bottom"
            )
        if self.kind == "serial_array" and (self.black_body_celsius is None) != (self.black_body_box is None):
            raise ValueError("a thermal picture needs black_body_celsius and black_body_box together")
        return self
