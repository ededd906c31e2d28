"""What the lane does with a covered face and with shut eyes, and with one of two cameras lost."""

import threading
import time
from collections import deque
from collections.abc import Callable, Iterator

import cv2
import numpy as np
import pytest

from drivers.camera.interface import Camera, CameraStatus, Frame, StatusCallback
from gate.core.clock import SystemClock
from gate.lane.eyes import Eyes, open_eyes
from gate.lane.face_watch import PATIENCE_NS, FaceWatch, Stay, _is_usable
from gate.lane.liveness import Liveness
from gate.lane.sightings import CameraChanged, FaceOutcome, FaceSeen, Sighting
from gate.lane.vision import Vision
from models.face import FaceQuality, Hint
from models.face.quality import at_least
from models.store import ModelStore
from simulator.photos import PhotoLibrary

BOUND_S = 20.0


class LoopCamera(Camera):
    """The same picture again and again, 25 times a second."""

    def __init__(self, picture: np.ndarray | None = None) -> None:
        self.picture = picture
        self.tell: StatusCallback = lambda _status, _reason: None

    def start(self, on_status: StatusCallback | None = None) -> None:
        if on_status is not None:
            self.tell = on_status

    def stop(self) -> None: ...

    def read(self, timeout_s: float) -> Frame | None:
        threading.Event().wait(min(timeout_s, 0.04))
        if self.picture is None:
            return None
        return Frame(image_bgr=self.picture, captured_ns=time.monotonic_ns(), sequence=1)

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


@pytest.fixture(scope="module")
def eyes() -> Eyes:
    store = ModelStore()
    store.prepare()
    return open_eyes(store)


@pytest.fixture(scope="module")
def portrait() -> np.ndarray:
    library = PhotoLibrary()
    library.fetch()
    image = library.people()[3].portrait.load()
    return cv2.resize(image, (round(image.shape[1] * 480 / image.shape[0]), 480))


def masked(image: np.ndarray, eyes: Eyes) -> np.ndarray:
    points = eyes.mesh.look(image, eyes.detector.detect(image)[0]).points_px
    edge = (195, 101, 118, 50, 123, 93, 58, 172, 150, 176, 152, 400, 379, 397, 288, 323, 352, 280, 347, 330)
    return cv2.fillPoly(image.copy(), [np.round(points[list(edge)]).astype(np.int32)], (200, 170, 110), cv2.LINE_AA)


class Watching:
    """A watch on one picture."""

    def __init__(self, eyes: Eyes, picture: np.ndarray, *, timeout_ms: int) -> None:
        self.said: deque[Sighting] = deque()
        self.watch = FaceWatch(
            cameras=[LoopCamera(picture)],
            eyes=eyes,
            post=self.said.append,
            timeout_ms=timeout_ms,
            liveness=Liveness(is_asked=False),
        )

    def outcome(self, reference: np.ndarray) -> FaceOutcome:
        self.watch.start()
        try:
            self.watch.compare(1, reference)
            deadline_s = time.monotonic() + BOUND_S
            while time.monotonic() < deadline_s:
                found = [item for item in list(self.said) if isinstance(item, FaceOutcome)]
                if found:
                    return found[0]
                threading.Event().wait(0.01)
            raise AssertionError("no outcome")
        finally:
            self.watch.stop()


def test_a_bare_face_matches_its_portrait(eyes: Eyes, portrait: np.ndarray) -> None:
    reference = eyes.careful.embed(portrait, eyes.detector.detect(portrait)[0])
    outcome = Watching(eyes, portrait, timeout_ms=5_000).outcome(reference)
    assert outcome.score is not None
    assert outcome.score > outcome.threshold


def test_a_masked_face_is_never_compared_and_is_told_why(eyes: Eyes, portrait: np.ndarray) -> None:
    reference = eyes.careful.embed(portrait, eyes.detector.detect(portrait)[0])
    watching = Watching(eyes, masked(portrait, eyes), timeout_ms=800)
    outcome = watching.outcome(reference)
    assert outcome.score is None
    assert outcome.hints[0] == Hint.REMOVE_MASK.value
    shown = [item.hint for item in watching.said if isinstance(item, FaceSeen)]
    assert Hint.REMOVE_MASK.value in shown


def quality(**values: float) -> FaceQuality:
    return FaceQuality(components=tuple(at_least(name, value, 1.0, Hint.OPEN_EYES) for name, value in values.items()))


def test_eyes_that_stay_narrow_wait_a_little_and_no_longer() -> None:
    stay = Stay(ticket=1, started_ns=0, deadline_ns=10**12, reference=None, is_compared=False)
    narrow = quality(eye_opening_ratio=0.5, sharpness=2.0)
    assert not _is_usable(stay, narrow, 1_000)
    assert not _is_usable(stay, narrow, 1_000 + PATIENCE_NS - 1)
    assert _is_usable(stay, narrow, 1_000 + PATIENCE_NS)
    assert _is_usable(stay, quality(eye_opening_ratio=2.0), 2_000)


def test_patience_with_narrow_eyes_is_none_with_anything_else() -> None:
    stay = Stay(ticket=1, started_ns=0, deadline_ns=10**12, reference=None, is_compared=False)
    for poor in (quality(eye_opening_ratio=0.5, mask_ratio=0.5), quality(dark_glasses=0.5)):
        assert not _is_usable(stay, poor, 1)
        assert not _is_usable(stay, poor, 1 + 2 * PATIENCE_NS)


@pytest.fixture
def two_cameras(eyes: Eyes) -> Iterator[tuple[LoopCamera, LoopCamera, Callable[[], list[CameraChanged]]]]:
    first, second = LoopCamera(), LoopCamera()
    said: list[Sighting] = []
    vision = Vision(
        face_camera=first,
        face_camera_2=second,
        document_camera=LoopCamera(),
        eyes=eyes,
        clock=SystemClock(),
        face_timeout_ms=1_000,
        liveness=Liveness(is_asked=False),
    )
    vision.start(said.append)
    yield first, second, lambda: [item for item in said if isinstance(item, CameraChanged)]
    vision.stop()


def test_one_face_camera_of_two_may_be_lost(
    two_cameras: tuple[LoopCamera, LoopCamera, Callable[[], list[CameraChanged]]],
) -> None:
    first, second, changes = two_cameras
    first.tell(CameraStatus.LOST, "unplugged")
    first.tell(CameraStatus.LOST, "unplugged")
    assert changes() == []
    second.tell(CameraStatus.LOST, "silent")
    assert changes() == [CameraChanged(device="face_camera", is_ok=False, reason="silent")]
    first.tell(CameraStatus.OK, "")
    assert changes()[1:] == [CameraChanged(device="face_camera", is_ok=True)]
    second.tell(CameraStatus.OK, "")
    assert len(changes()) == 2
