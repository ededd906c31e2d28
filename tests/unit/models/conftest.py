"""Loaded models, once for all tests: loading is slow, running is what they test."""

import pytest

from models.document import DocumentReader
from models.face import FaceDetector, FaceEmbedder
from models.manifest import FACE_DETECTOR, FACE_EMBEDDER, MRZ_RECOGNISER
from models.session import ModelSession
from models.store import ModelStore
from simulator.photos import PersonPhotos, PhotoLibrary


@pytest.fixture(scope="session")
def store() -> ModelStore:
    prepared = ModelStore()
    prepared.prepare()
    return prepared


@pytest.fixture(scope="session")
def detector(store: ModelStore) -> FaceDetector:
    return FaceDetector(ModelSession(store, FACE_DETECTOR))


@pytest.fixture(scope="session")
def embedder(store: ModelStore) -> FaceEmbedder:
    return FaceEmbedder(ModelSession(store, FACE_EMBEDDER))


@pytest.fixture(scope="session")
def reader(store: ModelStore, detector: FaceDetector) -> DocumentReader:
    return DocumentReader(ModelSession(store, MRZ_RECOGNISER), detector)


@pytest.fixture(scope="session")
def people() -> list[PersonPhotos]:
    library = PhotoLibrary()
    library.fetch()
    return library.people()
