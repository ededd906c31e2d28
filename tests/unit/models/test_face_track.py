"""Looking coarsely must not lose anybody who counts, and looking carefully must come nearer to the truth."""

import cv2
import numpy as np
import pytest

from models.face import CarefulEmbedder, Face, FaceDetector, FaceEmbedder, FaceTracker, cosine, fuse, nearest_centre
from simulator.frames import empty_face_frame, face_frame, faces_frame
from simulator.photos import PersonPhotos

SMALLEST_EYES_PX = 18.0
RELATIVE_SIZE = 0.35


@pytest.fixture
def tracker(detector: FaceDetector) -> FaceTracker:
    return FaceTracker(detector, smallest_eyes_px=SMALLEST_EYES_PX, relative_size=RELATIVE_SIZE)


def counted(faces: tuple[Face, ...]) -> int:
    """People, as the lane counts them."""
    spans = [face.inter_eye_px for face in faces if face.inter_eye_px >= SMALLEST_EYES_PX]
    return sum(span >= RELATIVE_SIZE * max(spans) for span in spans)


def test_a_follower_is_counted_at_every_distance(
    tracker: FaceTracker, detector: FaceDetector, people: list[PersonPhotos]
) -> None:
    rng = np.random.default_rng(7)
    for i in range(12):
        pair = [people[i % len(people)].live, people[(i + 1) % len(people)].live]
        frame = faces_frame(pair, approach=i / 11, rng=rng)
        assert counted(detector.detect(frame)) == 2
        assert counted(tracker.look(frame)) == 2


def test_a_small_face_behind_a_near_one_is_counted_if_it_is_large_enough(
    tracker: FaceTracker, people: list[PersonPhotos]
) -> None:
    rng = np.random.default_rng(8)
    near = face_frame(people[3].live, approach=1.0, rng=rng)
    for _ in range(3):
        nearest = tracker.look(near)[0].inter_eye_px
    behind = face_frame(people[0].live, approach=0.35, rng=rng)
    small = tracker.look(behind)[0]
    factor = 1.15 * RELATIVE_SIZE * nearest / small.inter_eye_px
    x, y, w, h = (round(float(v)) for v in small.box_px)
    cut = cv2.resize(
        behind[max(0, y - h // 2) : y + h + h // 2, x - w // 2 : x + w + w // 2], None, fx=factor, fy=factor
    )
    both = near.copy()
    both[10 : 10 + cut.shape[0], 5 : 5 + cut.shape[1]] = cut
    tracker.forget()
    tracker.look(near)
    assert counted(tracker.look(both)) == 2


def test_somebody_far_is_found_right_after_somebody_near_left(
    tracker: FaceTracker, detector: FaceDetector, people: list[PersonPhotos]
) -> None:
    rng = np.random.default_rng(9)
    far = face_frame(people[1].live, approach=0.0, rng=rng)
    near = face_frame(people[3].live, approach=1.0, rng=rng)
    tracker.look(far)
    first = tracker.look(far)
    tracker.look(near)
    again = tracker.look(far)
    assert len(first) == len(again) == 1
    assert np.array_equal(first[0].landmarks_px, again[0].landmarks_px)


def test_a_near_face_costs_less_than_a_far_one(
    detector: FaceDetector, people: list[PersonPhotos], monkeypatch: pytest.MonkeyPatch
) -> None:
    looked_at: list[int] = []
    run = detector.session.run

    def spy(feeds: dict[str, np.ndarray]) -> list[np.ndarray]:
        looked_at.append(next(iter(feeds.values())).size)
        return run(feeds)

    monkeypatch.setattr(detector.session, "run", spy)
    tracker = FaceTracker(detector, smallest_eyes_px=SMALLEST_EYES_PX, relative_size=RELATIVE_SIZE)
    rng = np.random.default_rng(10)
    tracker.look(empty_face_frame(rng=rng))
    for _ in range(10):
        tracker.look(face_frame(people[3].live, approach=1.0, rng=rng))
    empty, first, *later = looked_at
    assert empty == first < 0.4 * 3 * 640 * 480
    # Now and then a frame is searched twice; it must stay the exception.
    assert sum(later) < 0.75 * 9 * first, later


def test_nonsense_sizes_are_refused(detector: FaceDetector) -> None:
    for smallest, relative in ((0.0, 0.3), (18.0, 1.5), (18.0, -0.1)):
        with pytest.raises(ValueError):
            FaceTracker(detector, smallest_eyes_px=smallest, relative_size=relative)


def shaken(face: Face, rng: np.random.Generator) -> Face:
    noise = rng.normal(0, 0.06 * face.inter_eye_px, (5, 2)).astype(np.float32)
    return Face(box_px=face.box_px, landmarks_px=face.landmarks_px + noise, score=face.score)


def test_careful_looks_mend_shaken_landmarks(
    detector: FaceDetector, embedder: FaceEmbedder, people: list[PersonPhotos]
) -> None:
    rng = np.random.default_rng(11)
    careful = CarefulEmbedder(detector, embedder)
    before, after = [], []
    for person in people:
        image = person.portrait.load()
        face = detector.detect(image)[0]
        rough = shaken(face, rng)
        refined = careful.refine(image, rough)
        before.append(np.abs(rough.landmarks_px - face.landmarks_px).mean() / face.inter_eye_px)
        after.append(np.abs(refined.landmarks_px - face.landmarks_px).mean() / face.inter_eye_px)
        assert cosine(careful.embed(image, rough), embedder.embed(image, face)) > 0.8
    assert np.mean(after) < 0.75 * np.mean(before)


def test_a_mirrored_picture_changes_a_careful_template_less(
    detector: FaceDetector, embedder: FaceEmbedder, people: list[PersonPhotos]
) -> None:
    careful = CarefulEmbedder(detector, embedder)
    plain, ours = [], []
    for person in people:
        image = person.portrait.load()
        mirrored = np.ascontiguousarray(image[:, ::-1])
        found = [(picture, detector.detect(picture)[0]) for picture in (image, mirrored)]
        plain.append(cosine(*(embedder.embed(picture, face) for picture, face in found)))
        ours.append(cosine(*(careful.embed(picture, face) for picture, face in found)))
    assert np.mean(ours) > np.mean(plain) + 0.01


def test_where_nothing_is_found_again_the_face_stays_as_it_was(detector: FaceDetector, embedder: FaceEmbedder) -> None:
    landmarks = np.array([[40, 40], [80, 40], [60, 60], [45, 80], [75, 80]], np.float32)
    face = Face(box_px=np.array([20, 10, 80, 100], np.float32), landmarks_px=landmarks, score=0.9)
    refined = CarefulEmbedder(detector, embedder).refine(np.full((120, 120, 3), 128, np.uint8), face)
    assert np.allclose(refined.landmarks_px, landmarks)


def test_fusing_weighs_and_normalises() -> None:
    a, b = np.array([1, 0], np.float32), np.array([0, 1], np.float32)
    assert fuse([a, b]) == pytest.approx([0.5**0.5, 0.5**0.5])
    assert fuse([a, b], [3, 4]) == pytest.approx([0.6, 0.8])
    assert fuse([a, b], [0, 2]) == pytest.approx([0, 1])
    for templates, weights in (([], None), ([a, b], [1.0]), ([a, b], [0.0, 0.0]), ([a, b], [1.0, -1.0])):
        with pytest.raises(ValueError, match="fus"):
            fuse(templates, weights)


def test_fused_frames_are_nearer_to_the_person_than_one(
    detector: FaceDetector, embedder: FaceEmbedder, people: list[PersonPhotos]
) -> None:
    rng = np.random.default_rng(12)
    single, fused = [], []
    for person in (person for person in people if len(person.photos) >= 2):
        portrait = person.portrait.load()
        reference = embedder.embed(portrait, detector.detect(portrait)[0])
        frames = [face_frame(person.live, approach=0.5 + i / 10, rng=rng) for i in range(5)]
        templates = [embedder.embed(frame, detector.detect(frame)[0]) for frame in frames]
        single += [cosine(template, reference) for template in templates]
        fused.append(cosine(fuse(templates), reference))
    assert np.mean(fused) > np.mean(single) + 0.005


def test_the_central_face_is_the_one_meant(people: list[PersonPhotos], detector: FaceDetector) -> None:
    frame = np.zeros((400, 600, 3), np.uint8)

    def at(x: float, side: float) -> Face:
        return Face(
            box_px=np.array([x - side / 2, 200 - side / 2, side, side], np.float32),
            landmarks_px=np.zeros((5, 2), np.float32),
            score=0.9,
        )

    large, central = at(120, 200), at(320, 80)
    assert nearest_centre([large, central], frame) is central
    assert nearest_centre([], frame) is None
