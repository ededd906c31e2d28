"""What `gate doctor` looks at of what sees: cameras and their exposure, the document reader's lamps, the thermometer."""

import asyncio
import threading
from collections.abc import AsyncIterator

from config.schema import Camera as CameraSettings
from config.schema import Lane
from drivers.camera.interface import StampSource
from drivers.camera.light import LightFault, LightStep
from drivers.camera.probe import CameraReport, describe, describe_exposure, probe_camera
from drivers.errors import DeviceError
from drivers.thermal import Thermometer
from gate.cli import checkup
from gate.cli.checkup import Finding, Verdict, failed, ok, warning
from gate.devices import open_document_light, open_exposure, open_lane_camera, open_thermometer

DARK, BRIGHT = 25.0, 235.0
"""Mean grey of a picture in which nobody could be recognised."""


async def check_sight(lane: Lane) -> AsyncIterator[Finding]:
    """Cameras, lamps and thermometer of a lane."""
    yield await asyncio.to_thread(check_camera, "document camera", lane.document_camera)
    if lane.document_light is not None:
        yield await asyncio.to_thread(check_lamps, lane)
    cameras = [("face camera", lane.face_camera)]
    if lane.face_camera_2 is not None:
        cameras.append(("second face camera", lane.face_camera_2))
    for name, settings in cameras:
        yield await asyncio.to_thread(check_camera, name, settings, is_always_lit=True)
    yield await asyncio.to_thread(check_thermometer, lane)


def check_camera(name: str, settings: CameraSettings, *, is_always_lit: bool = False) -> Finding:
    """Frames for a moment: how many, how large, by what they are stamped, and whether there is light in them."""
    try:
        camera = open_lane_camera(settings)
        camera.start()
    except DeviceError as error:
        return failed(name, str(error), "see its plug, its address and who else uses it")
    try:
        report = probe_camera(camera, first_s=checkup.BOUND_S)
        exposure = _exposure(settings)
    finally:
        camera.stop()
    if not report.frames:
        seen = f"no picture from {settings.source}: {report.reason}"
        return failed(name, seen, "see its power, its network and its address")
    seen = describe(report) + (f", {exposure}" if exposure else "")
    return _judge(name, report, seen, settings, is_always_lit=is_always_lit)


def _exposure(settings: CameraSettings) -> str:
    """Of a camera whose exposure follows the face."""
    try:
        control = open_exposure(settings)
    except DeviceError as error:
        return str(error)
    if control is None:
        return ""
    try:
        return describe_exposure(control)
    finally:
        control.close()


def _judge(name: str, report: CameraReport, seen: str, settings: CameraSettings, *, is_always_lit: bool) -> Finding:
    if report.is_lost:
        return failed(name, f"{seen}, then: {report.reason}", "see its cable and its network")
    if is_always_lit and report.is_covered:
        return failed(name, seen, "take the cap off, clean the lens, switch the light on")
    if report.is_frozen and settings.kind != "folder":
        return warning(
            name, seen, "move something before it; if that does not show, start it anew and see its firmware"
        )
    if report.mean_level < DARK or report.mean_level > BRIGHT:
        return warning(name, seen, "too dark or too bright for a face: see light, cap and exposure")
    if report.frames > 1 and report.rate_per_s < settings.frames_per_s / 2:
        return warning(name, seen, f"{settings.frames_per_s:.0f} frames/s are expected: see exposure, cable and load")
    if "exposure unknown" in seen:
        return warning(name, seen, "this camera takes no orders: set exposure = 'camera', or see its user and address")
    if settings.kind == "v4l2" and report.stamped_by is StampSource.ARRIVAL:
        return warning(name, seen, "its driver stamps no frames: the times of capture are those of arrival")
    return ok(name, seen)


def check_lamps(lane: Lane) -> Finding:
    """Each lamp of the document reader for a moment, with what current it takes."""
    try:
        light = open_document_light(lane)
        if light is None:
            return Finding(what="document lamps", verdict=Verdict.NOT_CONFIGURED, seen="white light only")
        light.start()
    except DeviceError as error:
        return failed("document lamps", str(error), "see their cable and their port")
    seen: list[str] = []
    is_well = True
    try:
        for step in (LightStep.INFRARED, LightStep.ULTRAVIOLET, LightStep.WHITE):
            found = light.show(step)
            if isinstance(found, LightFault):
                is_well = False
                seen.append(f"{step.value}: {found.reason}")
            else:
                seen.append(f"{step.value} {found.current_ma} mA")
    finally:
        light.stop()
    text = ", ".join(seen)
    return ok("document lamps", text) if is_well else failed("document lamps", text, "see their power, cable and lamps")


def check_thermometer(lane: Lane) -> Finding:
    """A reading, or why there is none."""
    try:
        thermometer: Thermometer | None = open_thermometer(lane)
        if thermometer is None:
            return Finding(what="thermometer", verdict=Verdict.NOT_CONFIGURED, seen="this lane has none")
        thermometer.start()
    except DeviceError as error:
        return failed("thermometer", str(error), "see its cable and its port")
    waiting = threading.Event()
    why = ""
    try:
        for _ in range(max(1, int(checkup.BOUND_S / 0.1))):
            reading = thermometer.read()
            if reading is not None:
                corrected = f", corrected by {reading.correction_celsius:+.1f}" if reading.correction_celsius else ""
                return ok(
                    "thermometer", f"{reading.body_celsius:.1f} °C{corrected}, ambient {reading.ambient_celsius:.1f} °C"
                )
            waiting.wait(0.1)
        why = thermometer.why_not
    finally:
        thermometer.stop()
    if why:
        return failed("thermometer", why, "see its cable, its black body and what stands before it")
    return warning("thermometer", "nobody before it", "stand before it and try again")
