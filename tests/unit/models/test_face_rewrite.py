"""The embedder's graph is rewritten for speed: the same templates, and no other graph is touched."""

import importlib.metadata
from collections import Counter
from pathlib import Path

import numpy as np
import onnx
import onnxruntime as ort
import pytest
from onnx import numpy_helper

from models.face import FaceDetector, FaceEmbedder, align
from models.face.rewrite import rewrite_sface
from models.manifest import FACE_EMBEDDER, Preparation, default_manifest
from models.prepare import prepare
from simulator.photos import PersonPhotos


@pytest.fixture(scope="module")
def source() -> bytes:
    entry = default_manifest().entry(FACE_EMBEDDER).source
    distribution = importlib.metadata.distribution(entry.package)
    return Path(str(distribution.locate_file(entry.file))).read_bytes()


@pytest.fixture(scope="module")
def plain(source: bytes) -> bytes:
    return prepare(source, Preparation.EXPAND_QUANTISED)


def run(model: bytes, tensor: np.ndarray) -> np.ndarray:
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    return ort.InferenceSession(model, options, providers=["CPUExecutionProvider"]).run(None, {"data": tensor})[0]


def test_the_rewritten_network_gives_the_published_ones_templates(
    source: bytes, plain: bytes, detector: FaceDetector, people: list[PersonPhotos]
) -> None:
    photos = [person.portrait.load() for person in people]
    crops = [align(image, detector.detect(image)[0]) for image in photos]
    crops.append(np.random.default_rng(1).integers(0, 256, (112, 112, 3), dtype=np.uint8))
    tensor = np.stack(crops).transpose(0, 3, 1, 2).astype(np.float32)
    ours = run(prepare(source, Preparation.SFACE), tensor)
    theirs = np.concatenate([run(plain, row[None]) for row in tensor])
    cosines = (ours * theirs).sum(axis=1) / np.linalg.norm(ours, axis=1) / np.linalg.norm(theirs, axis=1)
    assert cosines.min() > 0.99995


def test_no_slow_operator_is_left(source: bytes) -> None:
    model = onnx.load_model_from_string(prepare(source, Preparation.SFACE))
    kinds = Counter(node.op_type for node in model.graph.node)
    assert set(kinds) == {"Sub", "Conv", "Relu", "Add", "Flatten", "MatMulNBits"}


def test_embedding_a_batch_is_embedding_each(
    embedder: FaceEmbedder, detector: FaceDetector, people: list[PersonPhotos]
) -> None:
    image = people[0].portrait.load()
    crop = align(image, detector.detect(image)[0])
    tensor = np.stack([crop, crop[:, ::-1]]).transpose(0, 3, 1, 2).astype(np.float32)
    both = embedder.session.run({embedder.session.input_name: tensor})[0]
    each = [embedder.session.run({embedder.session.input_name: row[None]})[0][0] for row in tensor]
    assert np.allclose(both, each, atol=1e-4)


def test_another_graph_is_refused(plain: bytes) -> None:
    model = onnx.load_model_from_string(plain)
    rewrite_sface(model)
    with pytest.raises(ValueError, match="not SFace's"):
        rewrite_sface(model)


def test_a_slope_near_one_is_refused_rather_than_rewritten_badly(plain: bytes) -> None:
    model = onnx.load_model_from_string(plain)
    slopes = next(node.input[1] for node in model.graph.node if node.op_type == "PRelu")
    tensor = next(tensor for tensor in model.graph.initializer if tensor.name == slopes)
    tensor.CopyFrom(numpy_helper.from_array(np.ones_like(numpy_helper.to_array(tensor)), slopes))
    with pytest.raises(ValueError, match="slope too near to 1"):
        rewrite_sface(model)
