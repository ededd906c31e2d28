"""Two face cameras as one: the better view is watched, both count, and one may fall silent."""

from collections import deque
from collections.abc import Callable

import cv2
import numpy as np
import pytest

from drivers.camera.interface import Camera, CameraStatus, Frame, StatusCallback
from gate.lane.face_sources import AGREEING_GLANCES, DWELL_NS, GLANCE_NS, FaceSources, Seen, Why
from models.face import FaceDetector, FaceTracker
from models.manifest import FACE_DETECTOR
from models.session import ModelSession
from models.store import ModelStore
from simulator.photos import PhotoLibrary

MS = 1_000_000


class Clock:
    def __init__(self) -> None:
        self.ns = 10**12

    def __call__(self) -> int:
        return self.ns


class PlayedCamera(Camera):
    """Gives one frame a step, out of whatever it is shown; None shows nothing."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._frames: deque[Frame] = deque(maxlen=1)
        self.shown: np.ndarray | None = None
        self.reads = 0

    def expose(self) -> None:
        if self.shown is not None:
            self._frames.append(Frame(image_bgr=self.shown, captured_ns=self._clock.ns, sequence=1))

    def start(self, on_status: StatusCallback | None = None) -> None: ...

    def stop(self) -> None: ...

    def read(self, timeout_s: float) -> Frame | None:
        self.reads += 1
        return self._frames.popleft() if self._frames else None

    def latest(self) -> Frame | None:
        return None

    @property
    def status(self) -> CameraStatus:
        return CameraStatus.OK

    @property
    def status_reason(self) -> str:
        return ""

    @property
    def dropped(self) -> int:
        return 0


class Lane:
    """Cameras at two heights, 50 ms between frames."""

    def __init__(self, make_tracker: Callable[[], FaceTracker], cameras: int = 2) -> None:
        self.clock = Clock()
        self.cameras = [PlayedCamera(self.clock) for _ in range(cameras)]
        self.sources = FaceSources(self.cameras, make_tracker=make_tracker, count=len, now_ns=self.clock)

    def step(self) -> Seen | None:
        self.clock.ns += 50 * MS
        for camera in self.cameras:
            camera.expose()
        return self.sources.read(0.0)

    def steps(self, count: int) -> list[Seen | None]:
        return [self.step() for _ in range(count)]


@pytest.fixture(scope="module")
def make_tracker() -> Callable[[], FaceTracker]:
    store = ModelStore()
    store.prepare()
    detector = FaceDetector(ModelSession(store, FACE_DETECTOR))
    return lambda: FaceTracker(detector, smallest_eyes_px=18, relative_size=0.35)


@pytest.fixture(scope="module")
def near() -> np.ndarray:
    library = PhotoLibrary()
    library.fetch()
    photo = library.people()[3].portrait.load()
    face = np.zeros((480, 640, 3), np.uint8)
    scaled = cv2.resize(photo, (round(photo.shape[1] * 460 / photo.shape[0]), 460))[:, :640]
    face[10:470, : scaled.shape[1]] = scaled
    return face


@pytest.fixture(scope="module")
def far(near: np.ndarray) -> np.ndarray:
    small = np.zeros_like(near)
    small[100:340, 100:420] = cv2.resize(near, (320, 240))
    return small


EMPTY = np.full((480, 640, 3), 90, np.uint8)


def test_one_camera_is_simply_read(make_tracker: Callable[[], FaceTracker], near: np.ndarray) -> None:
    lane = Lane(make_tracker, cameras=1)
    assert lane.step() is None
    lane.cameras[0].shown = near
    seen = lane.step()
    assert seen is not None
    assert seen.frame.image_bgr is near
    assert (len(seen.faces), seen.people, seen.is_changed) == (1, 1, False)


def test_the_camera_with_the_better_face_is_watched_and_stays_so(
    make_tracker: Callable[[], FaceTracker], near: np.ndarray, far: np.ndarray
) -> None:
    lane = Lane(make_tracker)
    lane.cameras[0].shown, lane.cameras[1].shown = far, near
    seen = lane.steps(12)
    assert all(each is not None for each in seen)
    changes = [each.is_changed for each in seen if each is not None]
    assert changes.count(True) == 1
    assert all(each.frame.image_bgr is near for each in seen[changes.index(True) :] if each is not None)


def test_equal_views_do_not_take_turns(make_tracker: Callable[[], FaceTracker], near: np.ndarray) -> None:
    lane = Lane(make_tracker)
    lane.cameras[0].shown = lane.cameras[1].shown = near
    assert not any(each.is_changed for each in lane.steps(20) if each is not None)


def test_a_change_back_waits_and_says_why(
    make_tracker: Callable[[], FaceTracker], near: np.ndarray, far: np.ndarray
) -> None:
    lane = Lane(make_tracker)
    lane.cameras[0].shown, lane.cameras[1].shown = far, near
    lane.steps(8)
    chosen = lane.sources.choice
    assert (chosen.camera, chosen.why) == (1, Why.BETTER_FACE)
    assert chosen.score > 1.25 * chosen.other_score > 0
    lane.cameras[0].shown, lane.cameras[1].shown = near, far
    lane.steps((DWELL_NS - 300 * MS) // (50 * MS) - 8)
    assert lane.sources.choice == chosen
    lane.steps(20)
    assert (lane.sources.choice.camera, lane.sources.choice.why) == (0, Why.BETTER_FACE)


def test_a_face_that_is_lost_is_looked_for_at_once(
    make_tracker: Callable[[], FaceTracker], near: np.ndarray, far: np.ndarray
) -> None:
    lane = Lane(make_tracker)
    lane.cameras[0].shown, lane.cameras[1].shown = far, near
    lane.steps(8)
    lane.cameras[0].shown, lane.cameras[1].shown = near, EMPTY
    lane.steps(2)
    assert (lane.sources.choice.camera, lane.sources.choice.why) == (0, Why.NO_FACE)
    lane.cameras[0].shown = None
    lane.cameras[1].shown = near
    lane.step()
    assert (lane.sources.choice.camera, lane.sources.choice.why) == (1, Why.SILENT)


def test_everything_that_is_looked_at_is_told(make_tracker: Callable[[], FaceTracker], near: np.ndarray) -> None:
    lane = Lane(make_tracker)
    told: list[tuple[int, int]] = []
    lane.sources = FaceSources(
        lane.cameras,
        make_tracker=make_tracker,
        count=len,
        now_ns=lane.clock,
        observer=lambda camera, _frame, faces: told.append((camera, len(faces))),
    )
    lane.cameras[0].shown, lane.cameras[1].shown = near, EMPTY
    lane.steps(3)
    assert told == [(0, 1), (1, 0), (0, 1), (0, 1)]


def test_a_child_below_the_first_camera_is_seen_at_once(
    make_tracker: Callable[[], FaceTracker], near: np.ndarray
) -> None:
    lane = Lane(make_tracker)
    lane.cameras[0].shown, lane.cameras[1].shown = EMPTY, near
    first = lane.step()
    assert first is not None
    assert first.is_changed
    assert first.faces


def test_a_silent_camera_leaves_the_other(make_tracker: Callable[[], FaceTracker], near: np.ndarray) -> None:
    lane = Lane(make_tracker)
    lane.cameras[0].shown = near
    assert all(each is not None for each in lane.steps(8))
    lane.cameras[0].shown, lane.cameras[1].shown = None, near
    after = lane.steps(8)
    assert all(each is not None for each in after)
    assert [each.is_changed for each in after if each is not None].count(True) == 1
    lane.cameras[1].shown = None
    assert lane.steps(3) == [None, None, None]
    lane.cameras[0].shown = near
    assert any(each is not None for each in lane.steps(2))


def test_company_that_only_the_other_camera_sees_counts_when_two_glances_agree(
    make_tracker: Callable[[], FaceTracker], near: np.ndarray, far: np.ndarray
) -> None:
    lane = Lane(make_tracker)
    pair = np.hstack([far[:, :430], far[:, 100:310]])
    lane.cameras[0].shown, lane.cameras[1].shown = near, pair
    seen = lane.steps(2 + AGREEING_GLANCES * GLANCE_NS // (50 * MS))
    people = [each.people for each in seen if each is not None]
    assert people[0] == 1
    assert people[-1] == len(make_tracker().look(pair)) > 1
    lane.cameras[1].shown = EMPTY
    assert lane.steps(8)[-1].people == 1


def test_the_other_camera_costs_a_glance_four_times_a_second(
    make_tracker: Callable[[], FaceTracker], near: np.ndarray
) -> None:
    lane = Lane(make_tracker)
    lane.cameras[0].shown = lane.cameras[1].shown = near
    lane.steps(40)
    assert lane.cameras[1].reads <= 40 * 50 * MS / GLANCE_NS + 1
    lane.sources.begin()
    before = lane.cameras[1].reads
    lane.step()
    assert lane.cameras[1].reads == before + 1


def test_a_lane_needs_a_camera(make_tracker: Callable[[], FaceTracker]) -> None:
    with pytest.raises(ValueError, match="needs a face camera"):
        FaceSources([], make_tracker=make_tracker, count=len)
