"""Signals of motion and the texture of pictures, on rendered presentations: each sees what it says, and no evidence is no score."""

from collections.abc import Sequence

import cv2
import numpy as np
import pytest

from models.face import Face, FaceDetector
from models.manifest import FACE_DETECTOR
from models.pad.border import BorderSignal
from models.pad.flow import FlowTracker, similarity_residual
from models.pad.frame import PadFrame, PadSignal, still
from models.pad.fusion import PadVerdict
from models.pad.planarity import PlanaritySignal, SurroundSignal
from models.pad.texture import ColourSignal, DetailSignal, MoireSignal
from models.pad.watch import PadWatch, is_same_face, motion_signals
from models.session import ModelSession
from models.store import ModelStore
from simulator.pad_sequences import TimedFrame, present
from simulator.pad_species import Species
from simulator.photos import Photo, PhotoLibrary

FRAMES_PER_S = 10.0
SECONDS = 2.4


@pytest.fixture(scope="module")
def detector() -> FaceDetector:
    store = ModelStore()
    store.prepare()
    return FaceDetector(ModelSession(store, FACE_DETECTOR))


@pytest.fixture(scope="module")
def photo() -> Photo:
    library = PhotoLibrary()
    library.fetch()
    return library.person("ardern").live


def shown(species: Species, photo: Photo, seed: int = 4) -> list[TimedFrame]:
    rng = np.random.default_rng(seed)
    return list(present(species, photo, rng=rng, seconds=SECONDS, frames_per_s=FRAMES_PER_S, glances=True))


@pytest.fixture(scope="module")
def sequences(photo: Photo) -> dict[Species, list[TimedFrame]]:
    return {species: shown(species, photo) for species in (Species.LIVE, Species.PRINT_FLAT, Species.SCREEN_STILL)}


def watched(frames: Sequence[TimedFrame], detector: FaceDetector, signals: Sequence[PadSignal]) -> PadWatch:
    watch = PadWatch(signals)
    for frame in frames:
        faces = detector.detect(frame.image_bgr)
        watch.feed(frame.image_bgr, faces[0], round(frame.at_s * 1e9))
    return watch


def test_a_head_has_relief_and_a_sheet_has_none(
    sequences: dict[Species, list[TimedFrame]], detector: FaceDetector
) -> None:
    scores = {
        species: watched(frames, detector, [PlanaritySignal()]).scores["planarity"]
        for species, frames in sequences.items()
    }
    live, printed, screen = (scores[species] for species in sequences)
    assert live is not None
    assert printed is not None
    assert screen is not None
    assert live > 0.4
    assert max(printed, screen) < 0.3


def test_all_together(sequences: dict[Species, list[TimedFrame]], detector: FaceDetector) -> None:
    live, *attacks = (watched(frames, detector, motion_signals()).judge() for frames in sequences.values())
    assert live.verdict is not PadVerdict.ATTACK
    assert [attack.verdict for attack in attacks] == [PadVerdict.ATTACK, PadVerdict.ATTACK]
    assert live.llr > max(attack.llr for attack in attacks) + 1.0


def test_a_sheet_takes_its_surroundings_and_its_edge_along(
    sequences: dict[Species, list[TimedFrame]], detector: FaceDetector
) -> None:
    both = {
        species: watched(frames, detector, [SurroundSignal(), BorderSignal()]).scores
        for species, frames in sequences.items()
    }
    assert (both[Species.PRINT_FLAT]["surround"] or 1.0) < (both[Species.LIVE]["surround"] or 0.0)
    assert (both[Species.PRINT_FLAT]["border"] or 0.0) <= -1
    assert (both[Species.LIVE]["border"] or 0.0) > (both[Species.PRINT_FLAT]["border"] or 0.0)


def test_what_does_not_move_is_no_evidence(photo: Photo, detector: FaceDetector) -> None:
    frame = shown(Species.LIVE, photo)[0]
    same = [TimedFrame(image_bgr=frame.image_bgr, at_s=i / FRAMES_PER_S) for i in range(12)]
    watch = watched(same, detector, motion_signals())
    assert watch.scores == {"planarity": None, "surround": None, "border": None}
    assert watch.judge().verdict is PadVerdict.UNSURE


def test_a_track_that_breaks_begins_anew(sequences: dict[Species, list[TimedFrame]], detector: FaceDetector) -> None:
    frames = sequences[Species.LIVE]
    watch = watched(frames, detector, motion_signals())
    assert watch.scores["planarity"] is not None
    picture = sequences[Species.PRINT_FLAT][0].image_bgr
    later_ns = round(frames[-1].at_s * 1e9) + 2_000_000_000
    assert not watch.feed(picture, detector.detect(picture)[0], later_ns)
    assert watch.scores["planarity"] is None
    assert watch.frames == 1


def moved(face: Face, by_px: float, scale: float = 1.0) -> Face:
    return Face(
        box_px=(face.box_px * scale + np.array([by_px, 0, 0, 0])).astype(np.float32),
        landmarks_px=(face.landmarks_px * scale + np.array([by_px, 0])).astype(np.float32),
        score=face.score,
    )


@pytest.mark.parametrize(
    ("by_px", "scale", "after_ns", "is_same"),
    [
        (4.0, 1.0, 66_000_000, True),
        (200.0, 1.0, 66_000_000, False),
        (0.0, 1.8, 66_000_000, False),
        (0.0, 1.0, 900_000_000, False),
        (0.0, 1.0, -1, False),
    ],
)
def test_which_face_continues_a_track(by_px: float, scale: float, after_ns: int, is_same: bool) -> None:
    face = Face(
        box_px=np.array([100, 100, 90, 120], np.float32),
        landmarks_px=np.array([[125, 140], [165, 140], [145, 165], [130, 190], [160, 190]], np.float32),
        score=0.9,
    )
    assert is_same_face(face, 10**9, moved(face, by_px, scale), 10**9 + after_ns) is is_same


def test_followed_points_move_as_the_picture_does(photo: Photo, detector: FaceDetector) -> None:
    image = shown(Species.LIVE, photo)[0].image_bgr
    matrix = cv2.getRotationMatrix2D((320, 240), 2.0, 1.03)
    turned = cv2.warpAffine(image, matrix, (640, 480)).astype(np.uint8, copy=False)
    tracker = FlowTracker()
    for i, picture in enumerate((image, turned)):
        grey = cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY).astype(np.uint8, copy=False)
        flow = tracker.follow(grey, detector.detect(picture)[0], i * 66_000_000)
    assert flow is not None
    fitted, left = similarity_residual(flow.face_from, flow.face_to)
    assert float(np.median(left)) < 0.15
    assert float(np.hypot(fitted[0, 0], fitted[1, 0])) == pytest.approx(1.03, abs=0.004)
    assert float(np.degrees(np.arctan2(-fitted[1, 0], fitted[0, 0]))) == pytest.approx(2.0, abs=0.25)


def textured(signal: PadSignal, image: np.ndarray, detector: FaceDetector) -> float:
    frame: PadFrame = still(image, detector.detect(image)[0])
    signal.feed(frame)
    assert signal.score is not None
    return signal.score


def test_pictures_show_patterns_softness_and_paleness(photo: Photo, detector: FaceDetector) -> None:
    image = shown(Species.LIVE, photo)[0].image_bgr
    rows, columns = np.mgrid[:480, :640]
    pattern = 1 + 0.06 * np.cos(2 * np.pi * (columns * 0.27 + rows * 0.11))[..., None]
    patterned = np.clip(image * pattern, 0, 255).astype(np.uint8)
    soft = cv2.GaussianBlur(image, (0, 0), 2.5).astype(np.uint8, copy=False)
    grey = cv2.cvtColor(image, cv2.COLOR_BGR2GRAY)[..., None]
    pale = np.clip(0.5 * image + 0.5 * grey, 0, 255).astype(np.uint8)
    assert textured(MoireSignal(), patterned, detector) < textured(MoireSignal(), image, detector) - 0.5
    assert textured(DetailSignal(), soft, detector) < textured(DetailSignal(), image, detector) - 0.5
    assert textured(ColourSignal(), pale, detector) < 0.7 * textured(ColourSignal(), image, detector)
