"""Exposure of a V4L2 camera at its ioctl, and of an ONVIF camera over SOAP: the same orders, the same answers."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from drivers.camera import CameraStatus
from drivers.camera.exposure import ExposureControl, ExposureFault, ExposureState
from drivers.camera.onvif import Credentials, OnvifClient, OnvifError, OnvifExposure, read_credentials
from drivers.camera.opencv import OnvifCamera as OnvifCameraDriver
from drivers.camera.v4l2_exposure import V4l2Exposure
from drivers.errors import DeviceError
from simulator.camera_faults import CameraFault, CameraFaults
from simulator.onvif_camera import LEAST_US, MOST_US, OnvifCamera
from simulator.v4l2_camera import V4l2Twin

RIGHT = Credentials(user="gate", password="secret")


def grey(_now_ns: int) -> np.ndarray:
    return np.full((48, 64, 3), 100, np.uint8)


@dataclass
class Rig:
    control: ExposureControl
    faults: CameraFaults


@pytest.fixture(params=["v4l2", "onvif"])
def rig(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Rig]:
    if request.param == "v4l2":
        twin = V4l2Twin(grey, device=tmp_path / "video0")
        control = V4l2Exposure(str(twin.device), ioctl=twin.ioctl)
        yield Rig(control, twin.faults)
        control.close()
        return
    with OnvifCamera(grey) as camera:
        made = OnvifExposure(OnvifClient(camera.device_service, credentials=RIGHT))
        yield Rig(made, camera.faults)
        made.close()


def state(control: ExposureControl) -> ExposureState:
    found = control.read()
    assert isinstance(found, ExposureState)
    return found


def test_automatic_at_first_then_manual_then_automatic(rig: Rig) -> None:
    before = state(rig.control)
    assert before.is_auto
    assert 0 < before.least_us < before.most_us
    assert rig.control.set_time_us(8_000) is None
    manual = state(rig.control)
    assert (manual.is_auto, manual.time_us) == (False, 8_000)
    assert rig.control.set_auto() is None
    assert state(rig.control).is_auto


def test_time_is_moved_into_the_cameras_limits(rig: Rig) -> None:
    limits = state(rig.control)
    assert rig.control.set_time_us(10**8) is None
    assert state(rig.control).time_us == limits.most_us
    assert rig.control.set_time_us(1) is None
    assert state(rig.control).time_us == limits.least_us


def test_camera_that_goes_is_a_fault_and_then_obeys_again(rig: Rig) -> None:
    assert rig.control.set_time_us(8_000) is None
    rig.faults.inject(CameraFault.UNPLUG)
    assert isinstance(rig.control.read(), ExposureFault)
    assert isinstance(rig.control.set_auto(), ExposureFault)
    assert isinstance(rig.control.set_time_us(9_000), ExposureFault)
    rig.faults.heal()
    assert rig.control.set_time_us(9_000) is None
    assert state(rig.control).time_us == 9_000


def test_v4l2_camera_without_the_control_says_so(tmp_path: Path) -> None:
    twin = V4l2Twin(grey, device=tmp_path / "video0", has_exposure=False)
    control = V4l2Exposure(str(twin.device), ioctl=twin.ioctl)
    found = control.set_time_us(5_000)
    assert isinstance(found, ExposureFault)
    assert "Invalid argument" in found.reason
    missing = V4l2Exposure(str(tmp_path / "video9")).read()
    assert isinstance(missing, ExposureFault)
    assert "No such file" in missing.reason


def test_kernel_itself_refuses_what_is_no_camera(tmp_path: Path) -> None:
    file = tmp_path / "no-camera"
    file.touch()
    found = V4l2Exposure(str(file)).read()
    assert isinstance(found, ExposureFault)
    assert "ioctl" in found.reason


@pytest.mark.parametrize("fault", [CameraFault.GARBLE, CameraFault.UNPLUG])
def test_onvif_camera_that_answers_nonsense_is_an_error(fault: CameraFault) -> None:
    with OnvifCamera(grey) as camera:
        camera.faults.inject(fault)
        client = OnvifClient(camera.device_service, credentials=RIGHT)
        with pytest.raises(OnvifError):
            client.stream_uri()
        client.close()


def test_silent_onvif_camera_costs_a_bounded_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("drivers.camera.onvif._TIMEOUT_S", 0.2)
    with OnvifCamera(grey) as camera:
        camera.faults.inject(CameraFault.SILENT)
        client = OnvifClient(camera.device_service)
        began_s = time.monotonic()
        with pytest.raises(OnvifError, match="no answer"):
            client.exposure()
        assert time.monotonic() - began_s < 2.0
        client.close()


@pytest.mark.parametrize("ahead_s", [0.0, -86_400.0, 3_600.5])
def test_user_is_known_whatever_the_cameras_clock_shows(ahead_s: float) -> None:
    with OnvifCamera(grey, ahead_s=ahead_s) as camera:
        client = OnvifClient(camera.device_service, credentials=RIGHT)
        uri = client.stream_uri()
        assert uri == camera.stream.url.replace("rtsp://", "rtsp://gate:secret@")
        assert client.exposure().most_us == MOST_US
        assert client.exposure().least_us == LEAST_US
        client.close()


@pytest.mark.parametrize("credentials", [None, Credentials(user="gate", password="wrong")])
def test_wrong_user_is_refused_and_no_password_is_said(credentials: Credentials | None) -> None:
    with OnvifCamera(grey) as camera:
        client = OnvifClient(camera.device_service, credentials=credentials)
        with pytest.raises(OnvifError, match="Authorized") as refused:
            client.stream_uri()
        assert "wrong" not in str(refused.value)
        client.close()
    assert "secret" not in repr(RIGHT)


def test_profile_that_is_not_there_is_named() -> None:
    with OnvifCamera(grey) as camera:
        client = OnvifClient(camera.device_service, credentials=RIGHT, profile="third")
        with pytest.raises(OnvifError, match="no profile 'third', but main, sub"):
            client.stream_uri()
        client.close()


def test_camera_that_sends_us_elsewhere_gets_no_password(monkeypatch: pytest.MonkeyPatch) -> None:
    with OnvifCamera(grey) as camera:
        answered = camera._do

        def elsewhere(name: str, request: object) -> str | None:
            found = answered(name, request)  # type: ignore[arg-type]
            return found.replace("127.0.0.1", "192.0.2.7") if found and name == "GetCapabilities" else found

        monkeypatch.setattr(camera, "_do", elsewhere)
        client = OnvifClient(camera.device_service, credentials=RIGHT)
        with pytest.raises(OnvifError, match=r"another host, 192\.0\.2\.7"):
            client.exposure()
        client.close()


def test_entities_are_not_expanded(monkeypatch: pytest.MonkeyPatch) -> None:
    with OnvifCamera(grey) as camera:
        bomb = b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>'
        monkeypatch.setattr(camera, "answer", lambda _envelope: (200, bomb))
        client = OnvifClient(camera.device_service)
        with pytest.raises(OnvifError, match="no SOAP message"):
            client.exposure()
        client.close()


def test_stream_that_onvif_names_is_seen_and_obeys_the_exposure() -> None:
    with OnvifCamera(grey, fps=50) as camera:
        client = OnvifClient(camera.device_service, credentials=RIGHT)
        seen = OnvifCameraDriver(camera.device_service, credentials=RIGHT, silence_s=1.0)
        seen.start()
        try:
            first = seen.read(8.0)
            assert first is not None
            assert first.image_bgr.mean() == pytest.approx(100, abs=4)
            assert OnvifExposure(client).set_time_us(20_000) is None
            deadline_s = time.monotonic() + 8
            level = 100.0
            while level < 190 and time.monotonic() < deadline_s:
                frame = seen.read(1.0)
                level = level if frame is None else float(frame.image_bgr.mean())
            assert level == pytest.approx(200, abs=6)
            camera.faults.inject(CameraFault.UNPLUG)
            camera.stream.faults.inject(CameraFault.UNPLUG)
            while seen.status is CameraStatus.OK and time.monotonic() < deadline_s:
                seen.read(0.05)
            assert seen.status is CameraStatus.LOST
            assert "secret" not in seen.status_reason
        finally:
            seen.stop()
            client.close()


def test_credentials_come_from_a_file(tmp_path: Path) -> None:
    file = tmp_path / "camera"
    file.write_text("gate\nsecret\n")
    assert read_credentials(file) == RIGHT
    file.write_text("gate\n")
    with pytest.raises(DeviceError, match="does not hold user and password; write"):
        read_credentials(file)
    with pytest.raises(DeviceError, match="cannot be read"):
        read_credentials(tmp_path / "none")
