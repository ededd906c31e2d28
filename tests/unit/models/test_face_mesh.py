"""The face mesh: converted faithfully from its TensorFlow Lite file, and where the face is."""

import importlib.metadata
from collections import Counter
from pathlib import Path

import cv2
import numpy as np
import onnx
import pytest
from numpy.lib.stride_tricks import sliding_window_view

from models.face import Face, FaceDetector, FaceMesh
from models.face.convert import to_onnx
from models.face.mesh import LEFT_EYE, OUTER_LIPS, RIGHT_EYE
from models.face.tflite import Kind, LiteGraph, LiteOperator, LiteTensor, Padding, read_tflite
from models.manifest import FACE_MESH, Preparation, default_manifest
from models.prepare import prepare
from models.session import ModelSession
from models.store import ModelStore
from simulator.photos import PersonPhotos


@pytest.fixture(scope="module")
def source() -> bytes:
    entry = default_manifest().entry(FACE_MESH).source
    return Path(str(importlib.metadata.distribution(entry.package).locate_file(entry.file))).read_bytes()


@pytest.fixture(scope="module")
def session(store: ModelStore) -> ModelSession:
    return ModelSession(store, FACE_MESH)


@pytest.fixture(scope="module")
def mesh(session: ModelSession) -> FaceMesh:
    return FaceMesh(session)


# --- the conversion ---------------------------------------------------------------------------------------------------


def windows(picture: np.ndarray, operator: LiteOperator, size: tuple[int, int], fill: float) -> np.ndarray:
    """(rows, columns, window rows, window columns, channels) of a (rows, columns, channels) picture, as TensorFlow pads."""
    if operator.padding is Padding.SAME:
        pads = []
        for length, reach, step in zip(picture.shape[:2], size, operator.stride, strict=True):
            total = max((-(-length // step) - 1) * step + reach - length, 0)
            pads.append((total // 2, total - total // 2))
        picture = np.pad(picture, (*pads, (0, 0)), constant_values=fill)
    view = sliding_window_view(picture, size, axis=(0, 1))[:: operator.stride[0], :: operator.stride[1]]
    return view.transpose(0, 1, 3, 4, 2)


def interpreted(graph: LiteGraph, picture: np.ndarray) -> list[np.ndarray]:
    """The graph's outputs by the definitions of its operators, in numpy and in TensorFlow's own order of dimensions."""
    values = {number: tensor.value for number, tensor in enumerate(graph.tensors)} | {graph.inputs[0]: picture}
    for operator in graph.operators:
        a, *rest = (values[number] for number in operator.inputs)
        match operator.kind:
            case Kind.CONV_2D:
                parts = windows(a, operator, rest[0].shape[1:3], 0.0)
                result = np.einsum("yxijc,oijc->yxo", parts, rest[0], optimize=True) + rest[1]
            case Kind.DEPTHWISE_CONV_2D:
                parts = windows(a, operator, rest[0].shape[1:3], 0.0)
                result = np.einsum("yxijc,ijc->yxc", parts, rest[0][0], optimize=True) + rest[1]
            case Kind.MAX_POOL_2D:
                result = windows(a, operator, operator.window, -np.inf).max(axis=(2, 3))
            case Kind.PRELU:
                result = np.where(a > 0, a, a * rest[0])
            case Kind.ADD:
                result = a + rest[0]
            case Kind.PAD:
                result = np.pad(a, rest[0][1:])
            case Kind.RESHAPE:
                result = a.reshape(-1)
        values[operator.outputs[0]] = result
    return [values[number].ravel() for number in graph.outputs]


def test_the_converted_network_gives_the_published_ones_points(
    source: bytes, session: ModelSession, people: list[PersonPhotos]
) -> None:
    graph = read_tflite(source)
    rng = np.random.default_rng(3)
    photo = people[2].photos[0].load()
    pictures = [cv2.resize(photo, (192, 192)) / 255, rng.random((192, 192, 3))]
    for picture in pictures:
        tensor = picture.transpose(2, 0, 1)[None].astype(np.float32)
        ours = session.run({session.input_name: tensor})
        for mine, theirs in zip(ours, interpreted(graph, picture), strict=True):
            assert np.abs(mine[0] - theirs).max() < 0.002


def test_only_operators_of_the_blocked_layout_are_left(source: bytes) -> None:
    model = onnx.load_model_from_string(prepare(source, Preparation.TFLITE))
    assert set(Counter(node.op_type for node in model.graph.node)) == {"Conv", "Relu", "Add", "MaxPool", "Flatten"}


@pytest.mark.parametrize("length", [0, 7, 8, 100, 4096, 1_000_000])
def test_a_file_that_is_cut_short_is_refused(source: bytes, length: int) -> None:
    with pytest.raises(ValueError, match="TensorFlow Lite file"):
        read_tflite(source[:length])


def test_a_damaged_file_is_refused_or_read_but_never_breaks_the_reader(source: bytes) -> None:
    rng = np.random.default_rng(5)
    refused = 0
    for _ in range(200):
        data = bytearray(source)
        # The tables lie behind the weights; damage there is what the reader has to stand.
        for place in rng.integers(len(data) - 40_000, len(data), 20):
            data[place] = rng.integers(256)
        try:
            read_tflite(bytes(data))
        except ValueError:
            refused += 1
    assert refused > 20


def test_a_picture_is_never_flattened_in_the_wrong_order() -> None:
    picture = LiteTensor(name="in", shape=(1, 4, 4, 3), value=None)
    flat = LiteTensor(name="out", shape=(1, 48), value=None)
    reshape = LiteOperator(kind=Kind.RESHAPE, inputs=(0,), outputs=(1,))
    with pytest.raises(ValueError, match="cannot be flattened"):
        to_onnx(LiteGraph(tensors=(picture, flat), operators=(reshape,), inputs=(0,), outputs=(1,)))


# --- the points -------------------------------------------------------------------------------------------------------


def eyes_and_mouth(points: np.ndarray) -> np.ndarray:
    return np.stack([points[list(group)].mean(axis=0) for group in (RIGHT_EYE, LEFT_EYE, OUTER_LIPS)])


def turned(image: np.ndarray, face: Face, angle_deg: float) -> tuple[np.ndarray, Face, np.ndarray]:
    """The picture turned about the face's middle, the face in it, and the map."""
    middle = face.box_px[:2] + face.box_px[2:] / 2
    matrix = cv2.getRotationMatrix2D(tuple(map(float, middle)), angle_deg, 1.0)
    height, width = image.shape[:2]
    landmarks = face.landmarks_px @ matrix[:, :2].T + matrix[:, 2]
    moved = Face(box_px=face.box_px, landmarks_px=landmarks.astype(np.float32), score=face.score)
    return cv2.warpAffine(image, matrix, (width, height)), moved, matrix


def test_eyes_and_mouth_are_where_the_detector_sees_them(
    detector: FaceDetector, mesh: FaceMesh, people: list[PersonPhotos]
) -> None:
    for person in people:
        image = person.portrait.load()
        face = detector.detect(image)[0]
        seen = mesh.look(image, face)
        assert seen.points_px.shape == (468, 2)
        assert seen.depth.shape == (468,)
        assert seen.confidence > 0.99
        expected = np.vstack([face.landmarks_px[:2], face.landmarks_px[3:].mean(axis=0)])
        errors = np.linalg.norm(eyes_and_mouth(seen.points_px) - expected, axis=1) / face.inter_eye_px
        assert errors.max() < 0.15, person.person_id
        # The tip of the nose (1) is nearer than the ears (234, 454).
        assert seen.depth[1] < seen.depth[[234, 454]].min() - 0.5 * face.inter_eye_px


@pytest.mark.parametrize("angle_deg", [-40, 25, 90])
def test_the_points_turn_with_the_head(
    detector: FaceDetector, mesh: FaceMesh, people: list[PersonPhotos], angle_deg: float
) -> None:
    image = people[3].photos[0].load()
    face = detector.detect(image)[0]
    straight = mesh.look(image, face)
    turned_image, turned_face, matrix = turned(image, face, angle_deg)
    other = mesh.look(turned_image, turned_face)
    expected = straight.points_px @ matrix[:, :2].T + matrix[:, 2]
    assert np.linalg.norm(other.points_px - expected, axis=1).mean() < 0.03 * face.inter_eye_px
    assert np.abs(other.depth - straight.depth).mean() < 0.05 * face.inter_eye_px


def test_points_come_in_the_pixels_of_the_picture(
    detector: FaceDetector, mesh: FaceMesh, people: list[PersonPhotos]
) -> None:
    image = people[1].photos[0].load()
    face = detector.detect(image)[0]
    doubled = Face(box_px=face.box_px * 2, landmarks_px=face.landmarks_px * 2, score=face.score)
    small, big = mesh.look(image, face), mesh.look(cv2.resize(image, None, fx=2, fy=2), doubled)
    assert np.abs(big.points_px - 2 * small.points_px).mean() < 0.06 * face.inter_eye_px


def test_what_is_no_face_has_little_confidence(mesh: FaceMesh) -> None:
    landmarks = np.array([[120, 120], [180, 120], [150, 150], [125, 185], [175, 185]], np.float32)
    face = Face(box_px=np.array([90, 70, 120, 160], np.float32), landmarks_px=landmarks, score=0.9)
    noise = np.random.default_rng(6).integers(0, 256, (300, 300, 3), dtype=np.uint8)
    for picture in (np.full((300, 300, 3), 128, np.uint8), noise):
        assert mesh.look(picture, face).confidence < 0.5


def test_a_face_at_the_border_is_no_trouble(mesh: FaceMesh, people: list[PersonPhotos], detector: FaceDetector) -> None:
    image = people[1].photos[0].load()
    face = detector.detect(image)[0]
    half = image[:, : round(float(face.landmarks_px[2, 0]))]
    assert np.isfinite(mesh.look(half, face).points_px).all()
