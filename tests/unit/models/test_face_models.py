"""Faces: found where OpenCV finds them, the same person alike and different people not."""

from itertools import combinations
from pathlib import Path

import cv2
import numpy as np
import pytest

from models.face import Face, FaceDetector, FaceEmbedder, Hint, align, assess, cosine
from models.face.embed import similarity_transform
from models.manifest import FACE_DETECTOR, FACE_EMBEDDER
from models.store import ModelStore
from simulator.photos import PersonPhotos


def largest(detector: FaceDetector, image: np.ndarray) -> Face:
    faces = detector.detect(image)
    assert faces
    return faces[0]


def test_decoding_agrees_with_opencvs(store: ModelStore, detector: FaceDetector, people: list[PersonPhotos]) -> None:
    image = cv2.resize(people[1].photos[0].load(), (640, 800))
    ours = largest(FaceDetector(detector.session, max_side_px=2000), image)
    theirs = cv2.FaceDetectorYN.create(str(store.path(FACE_DETECTOR)), "", (640, 800), 0.8).detect(image)[1][0]
    assert np.allclose(ours.box_px, theirs[:4], atol=0.5)
    assert np.allclose(ours.landmarks_px.ravel(), theirs[4:14], atol=0.5)
    # Only its alignment is asked for; any network will do.
    recogniser = cv2.FaceRecognizerSF.create(str(store.path(FACE_DETECTOR)), "")
    crop = recogniser.alignCrop(image, theirs)[:, :, ::-1]
    assert float(np.abs(crop.astype(int) - align(image, ours)).mean()) < 2.0


def test_every_photo_has_one_face_where_the_catalogue_says(detector: FaceDetector, people: list[PersonPhotos]) -> None:
    for person in people:
        for photo in person.photos:
            faces = detector.detect(photo.load())
            assert len(faces) == 1, photo
            assert np.abs(faces[0].box_px - photo.face_px).max() < 0.1 * photo.face_px[3]


def test_same_people_match_and_others_do_not(
    detector: FaceDetector, embedder: FaceEmbedder, people: list[PersonPhotos], store: ModelStore
) -> None:
    threshold = store.manifest.threshold(FACE_EMBEDDER, "printed-portrait")
    templates = []
    for person in people:
        for photo in person.photos:
            image = photo.load()
            template = embedder.embed(image, largest(detector, image))
            assert template.dtype == np.float32
            assert np.linalg.norm(template) == pytest.approx(1.0, abs=1e-5)
            templates.append((person.person_id, template))
    genuine = [cosine(a[1], b[1]) for a, b in combinations(templates, 2) if a[0] == b[0]]
    impostor = [cosine(a[1], b[1]) for a, b in combinations(templates, 2) if a[0] != b[0]]
    assert len(genuine) >= 8
    assert min(genuine) > threshold
    assert max(impostor) < store.manifest.threshold(FACE_EMBEDDER, "verify")


def test_an_empty_picture_has_no_face(detector: FaceDetector) -> None:
    assert detector.detect(np.full((480, 640, 3), 128, np.uint8)) == ()


@pytest.mark.parametrize("size", [(1, 1), (31, 700), (1000, 33)])
def test_odd_sizes_are_no_trouble(detector: FaceDetector, size: tuple[int, int]) -> None:
    assert detector.detect(np.zeros((*size, 3), np.uint8)) == ()


def test_boxes_come_back_in_the_pixels_of_the_picture(detector: FaceDetector, people: list[PersonPhotos]) -> None:
    image = people[3].photos[0].load()
    small, big = largest(detector, image), largest(detector, cv2.resize(image, None, fx=3, fy=3))
    assert np.allclose(big.landmarks_px, 3 * small.landmarks_px, atol=0.05 * small.box_px[3])


def test_the_similarity_transform_undoes_turn_scale_and_shift() -> None:
    points = np.random.default_rng(4).normal(0, 50, (5, 2))
    angle = 0.4
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    moved = points @ turn.T * 1.7 + [30, -8]
    matrix = similarity_transform(moved, points)
    assert np.allclose(moved @ matrix[:, :2].T + matrix[:, 2], points, atol=1e-9)


def changed(image: np.ndarray, how: str) -> np.ndarray:
    if how == "dark":
        return (image * 0.12).astype(np.uint8)
    if how == "blurred":
        return cv2.GaussianBlur(image, (0, 0), 12)
    return cv2.resize(image, None, fx=0.2, fy=0.2, interpolation=cv2.INTER_AREA)


@pytest.mark.parametrize(
    ("how", "hint"), [("dark", Hint.TOO_DARK), ("blurred", Hint.HOLD_STILL), ("far", Hint.COME_CLOSER)]
)
def test_a_poor_shot_tells_what_to_do(detector: FaceDetector, people: list[PersonPhotos], how: str, hint: Hint) -> None:
    image = people[3].photos[0].load()
    face = largest(detector, image)
    good = assess(image, face, [face])
    assert good.is_ok
    assert good.hints == ()
    poor_image = changed(image, how)
    ratio = poor_image.shape[0] / image.shape[0]
    face = Face(
        box_px=face.box_px * np.float32(ratio), landmarks_px=face.landmarks_px * np.float32(ratio), score=face.score
    )
    poor = assess(poor_image, face, [face])
    assert hint in poor.hints
    assert poor.score < good.score


def test_a_face_lit_from_one_side_only_is_noticed(detector: FaceDetector, people: list[PersonPhotos]) -> None:
    image = people[3].photos[0].load()
    face = largest(detector, image)
    middle = round(float(face.landmarks_px[[0, 1, 3, 4], 0].mean()))
    image[:, :middle] = image[:, :middle] // 5
    shaded = assess(image, face, [face])
    assert [c.name for c in shaded.components if not c.is_ok and c.hint is Hint.TOO_DARK] == ["balance_ratio"]


def test_a_crop_made_already_is_not_made_again(detector: FaceDetector, people: list[PersonPhotos]) -> None:
    image = people[3].photos[0].load()
    face = largest(detector, image)
    assert assess(image, face, [face], crop_rgb=align(image, face)) == assess(image, face, [face])
    black = np.zeros((112, 112, 3), np.uint8)
    assert Hint.TOO_DARK in assess(image, face, [face], crop_rgb=black).hints


def test_a_second_person_close_by_is_noticed(detector: FaceDetector, people: list[PersonPhotos]) -> None:
    image = people[3].photos[0].load()
    pair = np.hstack([image, image])
    faces = detector.detect(pair)
    assert len(faces) == 2
    assert assess(pair, faces[0], faces).hints == (Hint.ONE_PERSON_ONLY,)


def test_a_turned_head_is_noticed(detector: FaceDetector, people: list[PersonPhotos]) -> None:
    image = people[3].photos[0].load()
    face = largest(detector, image)
    landmarks = face.landmarks_px.copy()
    landmarks[2, 0] += 0.4 * face.inter_eye_px
    turned = Face(box_px=face.box_px, landmarks_px=landmarks, score=face.score)
    assert Hint.LOOK_AT_CAMERA in assess(image, turned, [turned]).hints


def test_photo_files_are_outside_the_project(people: list[PersonPhotos]) -> None:
    project = Path(__file__).parents[3]
    assert not any(project in file.parents for person in people for file in person.files)
