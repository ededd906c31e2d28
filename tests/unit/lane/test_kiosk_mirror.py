"""The traveller's own picture goes to a browser on this machine, and to nobody and nothing else."""

import http.client
import socket
import threading
import time
from collections.abc import Iterator

import cv2
import numpy as np
import pytest
from structlog.testing import capture_logs

from drivers.camera.interface import Frame
from drivers.camera.multipart import MultipartParser, boundary_of
from gate.lane.mirror import HEIGHT_PX, MAX_WATCHERS, PATH, Mirror


class Clock:
    def __init__(self) -> None:
        self.ns = 0

    def __call__(self) -> int:
        self.ns += 100_000_000
        return self.ns


@pytest.fixture
def mirror() -> Iterator[Mirror]:
    made = Mirror(0, now_ns=Clock())
    made.start()
    yield made
    made.stop()


def frame(grey: int, rows: int = 720, columns: int = 960) -> Frame:
    image = np.full((rows, columns, 3), grey, np.uint8)
    return Frame(image_bgr=image, captured_ns=0, sequence=1)


class Watcher:
    """A browser's picture element."""

    def __init__(self, mirror: Mirror, path: str = PATH, **headers: str) -> None:
        assert mirror.port is not None
        self._connection = http.client.HTTPConnection("127.0.0.1", mirror.port, timeout=5)
        self._connection.request("GET", path, headers=headers)
        self.answer = self._connection.getresponse()

    def next(self) -> np.ndarray:
        """The next picture that comes."""
        parser = MultipartParser(boundary_of(self.answer.headers["Content-Type"]))
        while True:
            for part in parser.feed(self.answer.read1(65_536)):
                image = cv2.imdecode(np.frombuffer(part.body, np.uint8), cv2.IMREAD_COLOR)
                assert image is not None
                return image

    def close(self) -> None:
        self.answer.close()
        self._connection.close()


def show_until_seen(mirror: Mirror, watcher: Watcher, grey: int, *, camera: int = 0) -> np.ndarray:
    """Frames keep coming, as from a camera, until the watcher has one."""
    is_done = threading.Event()

    def feed() -> None:
        while not is_done.wait(0.01):
            mirror.look(camera, frame(grey))

    thread = threading.Thread(target=feed)
    thread.start()
    try:
        return watcher.next()
    finally:
        is_done.set()
        thread.join()


def test_a_watcher_sees_what_the_camera_sees_and_not_larger_than_a_kiosk_needs(mirror: Mirror) -> None:
    watcher = Watcher(mirror)
    shown = show_until_seen(mirror, watcher, 90)
    assert shown.shape == (HEIGHT_PX, 640, 3)
    assert abs(float(shown.mean()) - 90) < 2
    watcher.close()


def test_a_new_watcher_never_sees_the_traveller_before(mirror: Mirror) -> None:
    first = Watcher(mirror)
    show_until_seen(mirror, first, 30)
    second = Watcher(mirror)
    assert float(show_until_seen(mirror, second, 200).mean()) > 190
    first.close()
    second.close()


def test_a_glance_through_the_other_camera_is_not_shown(mirror: Mirror) -> None:
    watcher = Watcher(mirror)
    for _ in range(5):
        mirror.look(0, frame(40))
    mirror.look(1, frame(250))
    assert float(show_until_seen(mirror, watcher, 40).mean()) < 60
    watcher.close()


@pytest.mark.parametrize(
    ("path", "headers", "status"),
    [
        ("/", {}, 404),
        (PATH, {"Host": "evil.test:80"}, 403),
        (PATH, {"Sec-Fetch-Dest": "empty"}, 403),
        (PATH, {"Origin": "http://evil.test"}, 403),
    ],
)
def test_other_addresses_names_and_scripts_get_nothing(
    mirror: Mirror, path: str, headers: dict[str, str], status: int
) -> None:
    watcher = Watcher(mirror, path, **headers)
    assert watcher.answer.status == status
    watcher.close()


def test_it_listens_on_loopback_only(mirror: Mirror) -> None:
    assert mirror.port is not None
    others = [info[4][0] for info in socket.getaddrinfo(socket.gethostname(), None, socket.AF_INET)]
    for address in {str(other) for other in others if not str(other).startswith("127.")}:
        with pytest.raises(OSError, match=r"refused|unreachable|timed out"):
            socket.create_connection((address, mirror.port), timeout=1).close()


def test_no_more_than_a_few_watch_and_one_that_goes_makes_room(mirror: Mirror) -> None:
    watchers = [Watcher(mirror) for _ in range(MAX_WATCHERS)]
    refused = Watcher(mirror)
    assert refused.answer.status == 503
    refused.close()
    for watcher in watchers:
        watcher.close()
    end_s = time.monotonic() + 5
    while (again := Watcher(mirror)).answer.status != 200:
        again.close()
        mirror.look(0, frame(10))
        assert time.monotonic() < end_s, "a watcher who has gone still holds a place"
    again.close()


def test_it_ends_its_streams(mirror: Mirror) -> None:
    watcher = Watcher(mirror)
    show_until_seen(mirror, watcher, 90)
    mirror.stop()
    while watcher.answer.read1(65_536):
        pass
    assert mirror.port is None
    watcher.close()


def test_a_port_that_is_taken_is_told_and_the_lane_goes_on(mirror: Mirror) -> None:
    assert mirror.port is not None
    other = Mirror(mirror.port)
    with capture_logs() as logs:
        other.start()
    other.look(0, frame(1))
    other.stop()
    assert [line["event"] for line in logs] == ["mirror_unavailable"]
    assert other.port is None
