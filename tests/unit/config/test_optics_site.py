"""Settings of cameras, lamps and thermometers: what fits together, and what is opened for them."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from config.errors import ConfigError
from config.loader import dump_site, load_site, parse_site
from config.schema import Lane, Site
from drivers.camera.interface import Frame
from drivers.camera.onvif import OnvifExposure
from drivers.camera.serial_light import SerialDocumentLight
from drivers.camera.v4l2_exposure import V4l2Exposure
from drivers.thermal.serial_array import SerialThermalArray
from gate.devices import open_document_light, open_exposures, open_lane_camera, open_thermometer
from gate.lane.face_observers import FaceObservers, face_box
from gate.settings import face_observers, thermometry
from models.face import Face


def site(**lane: Any) -> Site:
    data = {
        "port": {"id": "test", "title": "Test"},
        "policy": {"mode": "gate"},
        "lane": [
            {
                "id": "lane-1",
                "board": {"kind": "simulated"},
                "face_camera": {"kind": "v4l2", "source": "0"},
                "document_camera": {"kind": "folder", "source": "."},
                **lane,
            }
        ],
    }
    return parse_site(data, origin="the test")


def lane(**changes: Any) -> Lane:
    return site(**changes).lanes[0]


CAMERA = "http://10.0.0.5/onvif/device_service"


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        (
            {"face_camera": {"kind": "rtsp", "source": "rtsp://x/y", "exposure": "face"}},
            "needs a camera that takes orders",
        ),
        ({"face_camera": {"kind": "onvif", "source": "10.0.0.5"}}, "is its device service"),
        ({"face_camera": {"kind": "v4l2", "source": "0", "profile": "main"}}, "belong to kind = 'onvif'"),
        ({"document_light": {}}, "a serial_light needs its port"),
        ({"document_light": {"port": "/dev/x", "ultraviolet_exposure_us": 90_000}}, "camera that takes orders: v4l2"),
        ({"document_light": {"port": "/dev/x", "ink_least_contrast": 1.5}}, "less than 1"),
        ({"thermometer": {"kind": "serial_array", "port": "/dev/x", "black_body_celsius": 35}}, "together"),
        ({"thermometer": {"port": "/dev/x", "face_camera_box": [0.5, 0, 0.4, 1]}}, "left before right"),
        ({"thermometer": {"port": "/dev/x", "ambient_least_celsius": 36}}, "must be below"),
        ({"face_camera": {"kind": "v4l2", "source": "0", "brightness": 3}}, "no such key"),
    ],
)
def test_what_does_not_fit_is_one_sentence(changes: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigError, match=said) as refused:
        site(**changes)
    assert "\n" not in str(refused.value)


def test_everything_comes_back_from_its_file(tmp_path: Path) -> None:
    whole = site(
        face_camera={"kind": "onvif", "source": CAMERA, "exposure": "face", "profile": "main"},
        document_light={"port": "/dev/lamps", "paper_most_glow": 0.3},
        thermometer={
            "kind": "serial_array",
            "port": "/dev/thermal",
            "black_body_celsius": 35.0,
            "black_body_box": [0, 0, 0.2, 0.2],
        },
    )
    dump_site(whole, tmp_path / "site.toml")
    assert load_site(tmp_path / "site.toml") == whole


def test_devices_are_made_of_what_the_settings_say(tmp_path: Path) -> None:
    (tmp_path / "user").write_text("gate\nsecret\n")
    made = lane(
        face_camera={
            "kind": "onvif",
            "source": CAMERA,
            "exposure": "face",
            "credentials_file": str(tmp_path / "user"),
        },
        face_camera_2={"kind": "v4l2", "source": "0", "exposure": "face"},
        document_light={"port": "/dev/lamps"},
        thermometer={
            "kind": "serial_array",
            "port": "/dev/thermal",
            "baud_rate": 921_600,
            "black_body_celsius": 35.0,
            "black_body_box": [0, 0, 0.2, 0.2],
        },
    )
    exposures = open_exposures(made)
    assert {number: type(control) for number, control in exposures.items()} == {0: OnvifExposure, 1: V4l2Exposure}
    for control in exposures.values():
        control.close()
    assert isinstance(open_document_light(made), SerialDocumentLight)
    assert isinstance(open_thermometer(made), SerialThermalArray)


def test_only_face_cameras_must_see_light_and_a_site_may_switch_the_checks_off() -> None:
    settings = lane(face_camera={"kind": "mjpeg", "source": "http://10.0.0.5/x.mjpg"}).face_camera
    face, document = open_lane_camera(settings, is_always_lit=True), open_lane_camera(settings)
    off = open_lane_camera(settings.model_copy(update={"frozen_after_ms": 0, "dark_after_ms": 0}), is_always_lit=True)
    limits = [camera._watch._limits for camera in (face, document, off)]  # type: ignore[attr-defined]
    assert [limit.dark_after_ms for limit in limits] == [2_000, None, None]
    assert [limit.frozen_after_ms for limit in limits] == [5_000, 5_000, None]


def test_face_is_told_to_the_thermometer_as_shares_of_the_first_cameras_picture() -> None:
    told: list[object] = []
    frame = Frame(image_bgr=np.zeros((100, 200, 3), np.uint8), captured_ns=1, sequence=1)
    face = Face(box_px=np.array([50, 25, 100, 50], np.float32), landmarks_px=np.zeros((5, 2), np.float32), score=1.0)
    observers = FaceObservers(aim=told.append)
    observers(0, frame, (face,))
    observers(1, frame, (face,))
    observers(0, frame, ())
    assert told == [(0.25, 0.25, 0.75, 0.75), None]
    assert face_box(frame, face) == (0.25, 0.25, 0.75, 0.75)


def test_lane_without_a_thermometer_takes_no_temperature() -> None:
    class Devices:
        thermometer = None
        exposures: dict[int, Any] = {}  # noqa: RUF012

    devices: Any = Devices()
    assert thermometry(site(), devices) is None
    face_observers(devices).start()
