"""A lane's devices out of its settings. A twin is a device kind that another package registers; nothing here knows which is which."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from config.equipment import Contacts as ContactSettings
from config.equipment import Mat as MatSettings
from config.equipment import Xray
from config.schema import Camera as CameraSettings
from config.schema import Lane
from drivers.camera import Camera, open_camera
from drivers.camera.exposure import ExposureControl
from drivers.camera.light import DocumentLight
from drivers.camera.limits import HealthLimits
from drivers.chip.channel import ApduChannel
from drivers.lane_io.interface import LaneIo
from drivers.osdp import AccessReader
from drivers.registry import load_device
from drivers.relay import Turnstile
from drivers.sensors import FloorMat, RadiationPortal, StopContact
from drivers.thermal import Thermometer
from drivers.thermal.correction import Correction
from drivers.xray import XraySource

if TYPE_CHECKING:
    from drivers.camera.onvif import Credentials
    from drivers.modbus_io.interface import IoModule

_THERMOMETERS = {"serial_line": "serial_thermometer", "serial_array": "serial_thermal_array"}
_CAMERAS = {"v4l2": "opencv", "rtsp": "opencv"}


@dataclass(frozen=True, slots=True, kw_only=True)
class LaneContacts:
    """What hangs on a lane's contacts module; None where nothing is wired."""

    portal: RadiationPortal | None = None
    mat: FloorMat | None = None
    emergency_stop: StopContact | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LaneDevices:
    """What one lane drives and looks through."""

    board: LaneIo
    face_camera: Camera
    document_camera: Camera
    thermometer: Thermometer | None
    face_camera_2: Camera | None = None
    exposures: dict[int, ExposureControl] = field(default_factory=dict)
    """Of the face cameras whose exposure follows the face, by their number from 0."""
    document_light: DocumentLight | None = None
    document_exposure: ExposureControl | None = None
    contacts: LaneContacts = field(default_factory=LaneContacts)
    turnstile: Turnstile | None = None
    readers: dict[str, AccessReader] = field(default_factory=dict)
    chip_reader: ApduChannel | None = None


def open_devices(lane: Lane) -> LaneDevices:
    """The devices that the settings name, not started yet. DeviceError with one sentence when one cannot be made."""
    return LaneDevices(
        board=open_board(lane),
        face_camera=open_lane_camera(lane.face_camera, is_always_lit=True),
        document_camera=open_lane_camera(lane.document_camera),
        thermometer=open_thermometer(lane),
        face_camera_2=None if lane.face_camera_2 is None else open_lane_camera(lane.face_camera_2, is_always_lit=True),
        exposures=open_exposures(lane),
        document_light=open_document_light(lane),
        document_exposure=open_document_exposure(lane),
        contacts=open_contacts(lane.contacts),
        turnstile=open_turnstile(lane),
        readers=open_readers(lane),
        chip_reader=open_chip_reader(lane),
    )


def open_board(lane: Lane) -> LaneIo:
    """The lane controller board, not started yet. DeviceError when there is no such kind."""
    board: LaneIo = load_device(lane.board.kind, **lane.board.settings)
    return board


def open_lane_camera(settings: CameraSettings, *, is_always_lit: bool = False) -> Camera:
    """A camera, not started yet; ``is_always_lit``: darkness is a fault, as in a hall and not on a reader's glass. DeviceError when there
    is no such kind."""
    limits = HealthLimits(
        frozen_after_ms=settings.frozen_after_ms or None,
        dark_after_ms=(settings.dark_after_ms or None) if is_always_lit else None,
    )
    if settings.kind == "onvif":
        camera: Camera = load_device(
            "onvif_camera",
            device_service=settings.source,
            profile=settings.profile,
            credentials=_credentials(settings),
            limits=limits,
        )
        return camera
    kind = _CAMERAS.get(settings.kind, settings.kind)
    return open_camera(kind, settings.source, settings.frames_per_s, limits=limits)


def open_exposure(settings: CameraSettings) -> ExposureControl | None:
    """The control of a camera whose exposure follows the face; None where the camera sees to it alone."""
    return None if settings.exposure == "camera" else _open_control(settings)


def open_document_exposure(lane: Lane) -> ExposureControl | None:
    """The control of the document camera where its lamps have exposure times of their own; None where they have none."""
    light = lane.document_light
    if light is None or (light.infrared_exposure_us is None and light.ultraviolet_exposure_us is None):
        return None
    return _open_control(lane.document_camera)


def _open_control(settings: CameraSettings) -> ExposureControl:
    """Of a V4L2 or ONVIF camera, which the settings have made sure of."""
    if settings.kind == "v4l2":
        control: ExposureControl = load_device("v4l2_exposure", source=settings.source)
        return control
    from drivers.camera.onvif import OnvifClient, OnvifExposure

    client = OnvifClient(settings.source, credentials=_credentials(settings), profile=settings.profile)
    return OnvifExposure(client)


def open_exposures(lane: Lane) -> dict[int, ExposureControl]:
    """By the face camera's number, from 0."""
    found = {
        number: open_exposure(settings)
        for number, settings in enumerate((lane.face_camera, lane.face_camera_2))
        if settings is not None
    }
    return {number: control for number, control in found.items() if control is not None}


def _credentials(settings: CameraSettings) -> "Credentials | None":
    if settings.credentials_file is None:
        return None
    from drivers.camera.onvif import read_credentials

    return read_credentials(settings.credentials_file)


def open_document_light(lane: Lane) -> DocumentLight | None:
    """The reader's lamps, not started yet; None where the lane has none. DeviceError when there is no such kind."""
    settings = lane.document_light
    if settings is None:
        return None
    light: DocumentLight = load_device(settings.kind, port=settings.port, baud_rate=settings.baud_rate)
    return light


def open_thermometer(lane: Lane) -> Thermometer | None:
    """The thermometer, not started yet; None where the lane has none. DeviceError when there is no such kind."""
    if lane.thermometer is None:
        return None
    settings = lane.thermometer
    made_with: dict[str, Any] = {"port": settings.port}
    if settings.kind in _THERMOMETERS:
        made_with["correction"] = Correction(
            black_body_celsius=settings.black_body_celsius,
            most_correction_celsius=settings.black_body_most_correction_celsius,
            ambient_least_celsius=settings.ambient_least_celsius,
            ambient_most_celsius=settings.ambient_most_celsius,
            ambient_reference_celsius=settings.ambient_reference_celsius,
            ambient_gain=settings.ambient_gain,
        )
    if settings.kind == "serial_array":
        made_with.update(black_body_box=settings.black_body_box, face_camera_box=settings.face_camera_box)
    if settings.baud_rate is not None:
        made_with["baud_rate"] = settings.baud_rate
    thermometer: Thermometer = load_device(_THERMOMETERS.get(settings.kind, settings.kind), **made_with)
    return thermometer


def open_contacts(settings: ContactSettings | None) -> LaneContacts:
    """The contacts of a lane, not started yet; they share one module."""
    if settings is None:
        return LaneContacts()
    from drivers.modbus_io.driver import module_at
    from drivers.modbus_io.shared import SharedModule
    from drivers.modbus_io.wiring import parse_contact
    from drivers.sensors.contacts import ContactRadiationPortal

    mat = settings.mat
    register = None if mat is None else mat.register_number
    line = settings.model_dump(include={"port", "unit", "baud_rate", "parity", "poll_ms", "answer_timeout_ms"})
    module = SharedModule(
        module_at(
            **line,
            input_count=max(settings.terminals, default=-1) + 1,
            register_count=0 if register is None else register + 1,
        )
    )
    wired = settings.radiation
    portal = None
    if wired is not None:
        portal = ContactRadiationPortal(
            module.port(),
            gamma=parse_contact("gamma", wired.gamma),
            neutron=None if wired.neutron is None else parse_contact("neutron", wired.neutron),
            fault=None if wired.fault is None else parse_contact("fault", wired.fault),
        )
    stop = settings.emergency_stop
    return LaneContacts(
        portal=portal,
        mat=None if mat is None else _open_mat(mat, module.port),
        emergency_stop=None
        if stop is None
        else StopContact(module.port(), contact=parse_contact("emergency_stop", stop)),
    )


def _open_mat(mat: MatSettings, port: Callable[[], "IoModule"]) -> FloorMat:
    from drivers.modbus_io.wiring import parse_contact
    from drivers.sensors.contacts import ContactMat, WeighingMat

    if mat.occupied is not None:
        return ContactMat(port(), occupied=parse_contact("occupied", mat.occupied))
    if mat.register_number is None or mat.kg_per_count is None:
        raise AssertionError("the settings let a mat through that neither switches nor weighs")
    return WeighingMat(
        port(),
        register=mat.register_number,
        zero=mat.zero,
        kg_per_count=mat.kg_per_count,
        low=mat.low,
        high=mat.high,
    )


def open_turnstile(lane: Lane) -> Turnstile | None:
    """The turnstile behind the exit, not started yet; None where there is none."""
    if lane.turnstile is None:
        return None
    turnstile: Turnstile = load_device(
        "relay_turnstile", **lane.turnstile.model_dump(exclude={"kind"}, exclude_none=True)
    )
    return turnstile


def open_readers(lane: Lane) -> dict[str, AccessReader]:
    """The card readers by their id, not started yet. Those on one port share its line."""
    return {
        item.id: load_device(
            "osdp_reader", port=item.port, address=item.address, key_file=item.key_file, baud_rate=item.baud_rate
        )
        for item in lane.readers
    }


def open_chip_reader(lane: Lane) -> ApduChannel | None:
    """The antenna for passports' chips, not connected yet; None where the lane has none."""
    settings = lane.chip_reader
    if settings is None:
        return None
    if settings.kind == "pcsc":
        reader: ApduChannel = load_device("pcsc_chip", reader=settings.reader)
        return reader
    twin: ApduChannel = load_device("vpcd_chip", host=settings.host, port=settings.port)
    return twin


def open_xray(machine: Xray) -> XraySource:
    """Where an inspection machine's scans come in, not started yet."""
    if machine.kind == "folder":
        source: XraySource = load_device("xray_folder", folder=machine.folder, lane=machine.lane)
        return source
    listener: XraySource = load_device(
        "xray_listener",
        lane=machine.lane,
        max_bytes=machine.max_mib * 2**20,
        **machine.model_dump(include={"host", "port", "token_file", "certificate_file", "key_file"}),
    )
    return listener
