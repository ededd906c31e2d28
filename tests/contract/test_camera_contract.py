"""What every camera must do: folder and MJPEG over loopback run the same tests; each then its own."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest

from drivers.camera import Camera, CameraStatus, open_camera
from drivers.camera.folder import FolderCamera
from drivers.camera.mjpeg import MjpegCamera
from drivers.camera.opencv import OpenCvCamera
from drivers.errors import DeviceError
from simulator.cameras import MjpegServer

BOUND_S = 8.0
FPS = 50.0


def until(condition: Callable[[], bool], what: str) -> None:
    deadline_s = time.monotonic() + BOUND_S
    while not condition():
        assert time.monotonic() < deadline_s, f"not within {BOUND_S} s: {what}"
        time.sleep(0.002)


def grey(level: int) -> np.ndarray:
    return np.full((48, 64, 3), level, dtype=np.uint8)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    place = tmp_path / "pictures 图"
    place.mkdir()
    for i, level in enumerate((40, 120, 200)):
        (place / f"{i}.png").write_bytes(cv2.imencode(".png", grey(level))[1].tobytes())
    (place / "notes.txt").write_text("not a picture")
    return place


@pytest.fixture(params=["folder", "mjpeg"])
def camera(request: pytest.FixtureRequest, folder: Path) -> Iterator[Camera]:
    with MjpegServer({"face": lambda now_ns: grey(now_ns // 10_000_000 % 200)}, fps=FPS) as server:
        source = str(folder) if request.param == "folder" else server.url("face")
        opened = open_camera(request.param, source, fps=FPS)
        yield opened
        opened.stop()


def test_frames_are_bgr_numbered_and_stamped_with_this_hosts_clock(camera: Camera) -> None:
    before_ns = time.monotonic_ns()
    camera.start()
    frames = [camera.read(BOUND_S) for _ in range(4)]
    assert all(frame is not None and frame.image_bgr.shape == (48, 64, 3) for frame in frames)
    stamps = [frame.captured_ns for frame in frames if frame]
    numbers = [frame.sequence for frame in frames if frame]
    assert before_ns <= stamps[0]
    assert stamps == sorted(set(stamps))
    assert stamps[-1] <= time.monotonic_ns()
    assert numbers == sorted(set(numbers))
    assert (camera.status, camera.status_reason) == (CameraStatus.OK, "")


def test_slow_reader_sees_the_present_because_the_oldest_are_dropped(camera: Camera) -> None:
    camera.start()
    until(lambda: camera.dropped >= 5, "five dropped")
    newest = camera.latest()
    frame = camera.read(BOUND_S)
    assert newest is not None
    assert frame is not None
    assert frame.sequence > 3
    assert newest.sequence - frame.sequence <= 2


def test_read_gives_up_in_time_and_latest_does_not_take(camera: Camera) -> None:
    assert camera.read(0.0) is None
    assert camera.latest() is None
    camera.start()
    until(lambda: camera.latest() is not None, "a frame")
    assert camera.read(BOUND_S) is not None


def test_stopped_camera_can_be_started_again(camera: Camera) -> None:
    camera.start()
    assert camera.read(BOUND_S) is not None
    camera.stop()
    assert camera.read(0.0) is None
    camera.start()
    assert camera.read(BOUND_S) is not None


def test_status_goes_to_the_callback_once_for_each_change(camera: Camera) -> None:
    changes: list[CameraStatus] = []
    camera.start(lambda status, reason: changes.append(status))
    for _ in range(3):
        assert camera.read(BOUND_S) is not None
    assert changes == [CameraStatus.OK]


def test_server_that_restarts_is_found_again() -> None:
    changes: list[tuple[CameraStatus, str]] = []
    first = MjpegServer({"face": lambda now_ns: grey(50)}, fps=FPS)
    camera = MjpegCamera(first.url("face"), silence_s=1.0)
    try:
        camera.start(lambda status, reason: changes.append((status, reason)))
        until(lambda: camera.status is CameraStatus.OK, "first frames")
        first.close()
        until(lambda: camera.status is CameraStatus.LOST, "loss")
        with MjpegServer({"face": lambda now_ns: grey(50)}, port=first.port, fps=FPS):
            until(lambda: camera.status is CameraStatus.OK, "frames again")
            camera.stop()
    finally:
        camera.stop()
        first.close()
    assert [status for status, _ in changes] == [CameraStatus.OK, CameraStatus.LOST, CameraStatus.OK]
    assert "127.0.0.1" in changes[1][1]


def test_silent_stream_is_a_lost_camera() -> None:
    blocked_until_s = time.monotonic() + BOUND_S
    pictures = 0

    def source(now_ns: int) -> np.ndarray:
        nonlocal pictures
        pictures += 1
        while pictures == 3 and time.monotonic() < blocked_until_s:
            time.sleep(0.01)
        return grey(80)

    with MjpegServer({"face": source}, fps=FPS) as server:
        camera = MjpegCamera(server.url("face"), silence_s=0.3)
        camera.start()
        try:
            until(lambda: camera.status is CameraStatus.LOST, "silence noticed")
            assert "no picture for" in camera.status_reason
        finally:
            blocked_until_s = 0.0
            camera.stop()


def test_broken_jpeg_is_left_out() -> None:
    count = 0

    def source(now_ns: int) -> np.ndarray | bytes:
        nonlocal count
        count += 1
        return b"\xff\xd8 no picture" if count % 2 else grey(90)

    with MjpegServer({"face": source}, fps=FPS) as server:
        camera = MjpegCamera(server.url("face"))
        camera.start()
        frames = [camera.read(BOUND_S) for _ in range(3)]
        camera.stop()
    assert all(frame is not None for frame in frames)
    assert camera.dropped >= 2


def test_time_of_capture_is_believed_only_when_configured() -> None:
    asked_ns: list[int] = []

    def source(now_ns: int) -> np.ndarray:
        asked_ns.append(now_ns)
        return grey(90)

    with MjpegServer({"face": source}, fps=FPS) as server:
        configured = MjpegCamera(server.url("face"), timestamp_header="X-Timestamp-Ns")
        plain = MjpegCamera(server.url("face"))
        configured.start()
        plain.start()
        believed, own = configured.read(BOUND_S), plain.read(BOUND_S)
        configured.stop()
        plain.stop()
    assert believed is not None
    assert own is not None
    assert believed.captured_ns in asked_ns
    assert own.captured_ns not in asked_ns


def test_camera_not_there_yet_is_lost_not_raised_and_found_later() -> None:
    with MjpegServer({}, fps=FPS) as server:
        camera = open_camera("mjpeg", f"http://127.0.0.1:{server.port}/face.mjpg")
        camera.start()
        try:
            until(lambda: camera.status is CameraStatus.LOST, "absence noticed")
            assert "404" in camera.status_reason
            server.set_source("face", lambda now_ns: grey(10))
            until(lambda: camera.status is CameraStatus.OK, "found")
        finally:
            camera.stop()


def test_many_watchers_are_bounded_and_others_go_on() -> None:
    with MjpegServer({"face": lambda now_ns: grey(10)}, fps=FPS) as server:
        cameras = [MjpegCamera(server.url("face")) for _ in range(17)]
        for camera in cameras:
            camera.start()
        try:
            until(lambda: sum(c.status is CameraStatus.OK for c in cameras) == 16, "sixteen see")
            until(lambda: any("503" in c.status_reason for c in cameras), "one is refused")
        finally:
            for camera in cameras:
                camera.stop()


def test_folder_that_does_not_loop_ends_and_stays_ended(folder: Path) -> None:
    camera = FolderCamera(folder, fps=FPS, is_looping=False, queue_size=10)
    camera.start()
    until(lambda: camera.status is CameraStatus.LOST, "the end")
    frames = [camera.read(0.0) for _ in range(4)]
    camera.stop()
    assert [int(frame.image_bgr.mean()) for frame in frames if frame] == [40, 120, 200]


def test_picture_put_into_the_folder_later_is_shown(folder: Path) -> None:
    camera = FolderCamera(folder, fps=FPS)
    camera.start()
    assert camera.read(BOUND_S) is not None
    (folder / "9.png").write_bytes(cv2.imencode(".png", grey(250))[1].tobytes())

    def shows_it() -> bool:
        newest = camera.latest()
        return newest is not None and newest.image_bgr.mean() == 250

    until(shows_it, "the new picture")
    camera.stop()


def test_video_file_is_played(tmp_path: Path) -> None:
    path = tmp_path / "clip.avi"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), 25, (64, 48))
    for level in (30, 130, 230):
        writer.write(grey(level))
    writer.release()
    camera = open_camera("folder", str(path), fps=FPS)
    camera.start()
    levels = [round(frame.image_bgr.mean(), -1) for _ in range(6) if (frame := camera.read(BOUND_S))]
    camera.stop()
    assert {30.0, 130.0, 230.0} == set(levels)


def test_opencv_camera_reads_an_address() -> None:
    with MjpegServer({"face": lambda now_ns: grey(90)}, fps=FPS) as server:
        camera = OpenCvCamera(server.url("face"))
        camera.start()
        frame = camera.read(BOUND_S)
        camera.stop()
    assert frame is not None
    assert frame.image_bgr.shape == (48, 64, 3)


@pytest.mark.parametrize(
    ("kind", "source", "named"),
    [
        ("folder", "/nowhere/pictures", "/nowhere/pictures does not exist"),
        ("opencv", "97", "/dev/video97 does not exist"),
        ("mjpeg", "ftp://camera/face", "ftp://camera/face is not usable"),
        ("periscope", "x", "no camera kind 'periscope'"),
    ],
)
def test_wrong_source_is_one_clear_sentence(kind: str, source: str, named: str) -> None:
    with pytest.raises(DeviceError) as refusal:
        open_camera(kind, source).start()
    assert named in str(refusal.value)
    assert ";" in str(refusal.value)
    assert "\n" not in str(refusal.value)


def test_empty_folder_and_file_that_is_no_video_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DeviceError, match="holds no picture"):
        FolderCamera(tmp_path).start()
    with pytest.raises(DeviceError, match="above 0"):
        FolderCamera(tmp_path, fps=0)


def test_password_is_not_in_what_is_said_of_a_camera() -> None:
    camera = MjpegCamera("http://user:geheim@127.0.0.1:9/face.mjpg")
    camera.start()
    until(lambda: camera.status is CameraStatus.LOST, "nobody answers")
    camera.stop()
    assert "geheim" not in camera.status_reason
