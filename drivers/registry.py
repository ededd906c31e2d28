"""Devices by the name that a site's configuration gives them: ours, and those of installed packages.

A package adds devices through the entry point group `tongguan.devices`, whose value is a mapping of kind to factory.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from importlib import import_module
from importlib.metadata import entry_points
from typing import Any

from drivers.errors import DeviceError

ENTRY_POINT_GROUP = "tongguan.devices"

BUILT_IN = {
    "lane_link": "drivers.lane_io.driver:LaneLinkDriver",
    "modbus_io": "drivers.modbus_io.driver:modbus_lane",
    "relay_turnstile": "drivers.relay.turnstile:relay_turnstile",
    "radiation_contacts": "drivers.sensors.contacts:radiation_contacts",
    "contact_mat": "drivers.sensors.contacts:contact_mat",
    "weighing_mat": "drivers.sensors.contacts:weighing_mat",
    "osdp_reader": "drivers.osdp.reader:OsdpReader",
    "pcsc_chip": "drivers.chip.pcsc:PcscChannel",
    "vpcd_chip": "drivers.chip.vpcd:VpcdChannel",
    "xray_folder": "drivers.xray.folder:WatchedFolder",
    "xray_listener": "drivers.xray.listener:HttpListener",
    "folder_camera": "drivers.camera.folder:FolderCamera",
    "opencv_camera": "drivers.camera.opencv:OpenCvCamera",
    "mjpeg_camera": "drivers.camera.mjpeg:MjpegCamera",
    "onvif_camera": "drivers.camera.opencv:OnvifCamera",
    "v4l2_exposure": "drivers.camera.v4l2_exposure:V4l2Exposure",
    "serial_light": "drivers.camera.serial_light:SerialDocumentLight",
    "serial_thermometer": "drivers.thermal.serial_line:SerialLineThermometer",
    "serial_thermal_array": "drivers.thermal.serial_array:SerialThermalArray",
}
"""Kind to class, imported when it is first wanted."""


def load_device(kind: str, **settings: Any) -> Any:
    """A device of this kind, made with these settings and not yet started.

    Raises `DeviceError` if there is no such kind, its package does not load, or it does not take these settings.
    """
    factory = _factory(kind)
    try:
        inspect.signature(factory).bind(**settings)
    except TypeError as error:
        raise DeviceError(f"Device kind {kind!r} does not take these settings: {error}.") from error
    return factory(**settings)


def device_kinds() -> list[str]:
    """All kinds that can be loaded here, sorted."""
    return sorted({*BUILT_IN, *_added()})


def _factory(kind: str) -> Callable[..., Any]:
    where = BUILT_IN.get(kind)
    if where is not None:
        module, _, name = where.partition(":")
        built_in: Callable[..., Any] = getattr(import_module(module), name)
        return built_in
    added = _added()
    if kind not in added:
        known = ", ".join(sorted({*BUILT_IN, *added}))
        raise DeviceError(f"There is no device kind {kind!r}; set one of {known}, or install the package that has it.")
    return added[kind]


def _added() -> dict[str, Callable[..., Any]]:
    """A built-in kind cannot be replaced by a package: a site must know which driver moves its doors."""
    found: dict[str, Callable[..., Any]] = {}
    for entry in entry_points(group=ENTRY_POINT_GROUP):
        try:
            devices: Mapping[str, Callable[..., Any]] = entry.load()
        except (ImportError, AttributeError) as error:
            raise DeviceError(
                f"The devices {entry.name!r} of an installed package do not load ({error}); repair or remove it."
            ) from error
        found.update((kind, factory) for kind, factory in devices.items() if kind not in BUILT_IN)
    return found
