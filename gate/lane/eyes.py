"""The models of one lane, loaded once and shared by its two vision threads."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from models.document.reader import DocumentReader
from models.document.viz import VisualZone
from models.document.viz_text import PpOcrTextReader
from models.errors import ModelError
from models.face import CloserLook, EyeMesh, FaceDetector, FaceEmbedder
from models.face.careful import CarefulEmbedder
from models.face.mesh import FaceMesh
from models.manifest import EYE_MESH, FACE_MESH, TEXT_RECOGNISER
from models.session import ModelSession
from models.store import ModelStore

Image = NDArray[np.uint8]
JPEG_QUALITY = 88


@dataclass(frozen=True, slots=True, kw_only=True)
class Eyes:
    """Detector, embedders (``careful`` for the one picture that a document has) and reader.

    ``match_threshold`` is the cosine for a printed portrait (stricter than for a chip's).
    """

    detector: FaceDetector
    embedder: FaceEmbedder
    careful: CarefulEmbedder
    mesh: FaceMesh
    eye_mesh: EyeMesh
    closer: CloserLook
    reader: DocumentReader
    sessions: tuple[ModelSession, ...]
    match_threshold: float
    visual_zone: VisualZone | None = None

    @property
    def inference_ns(self) -> int:
        """Bare time inside the models so far."""
        return sum(session.inference_ns for session in self.sessions)

    @property
    def model_hashes(self) -> dict[str, str]:
        return {session.name: session.model_hash for session in self.sessions}


def open_eyes(
    store: ModelStore, *, threads: int = 1, match_threshold: float | None = None, reads_visual_zone: bool = False
) -> Eyes:
    """Load and warm up the models. ModelError when one is missing or corrupt, also an optional one that is asked for."""
    cv2.setNumThreads(threads)  # a pool of OpenCV's would take a core from the lane's other work
    sessions = tuple(
        ModelSession(store, name, threads=threads)
        for name in ("face-detector", "face-embedder", "mrz-recogniser", FACE_MESH, EYE_MESH)
    )
    detector, embedder, recogniser, mesh, eye_mesh = sessions
    for session in sessions:
        session.warm_up()
    text = _open_text_recogniser(store, threads) if reads_visual_zone else None
    faces = FaceDetector(detector)
    limit = embedder.entry.threshold["printed-portrait"].value if match_threshold is None else match_threshold
    templates = FaceEmbedder(embedder)
    face_mesh, lids = FaceMesh(mesh), EyeMesh(eye_mesh)
    return Eyes(
        detector=faces,
        embedder=templates,
        careful=CarefulEmbedder(faces, templates),
        mesh=face_mesh,
        eye_mesh=lids,
        closer=CloserLook(face_mesh, lids),
        reader=DocumentReader(recogniser, faces),
        sessions=sessions if text is None else (*sessions, text),
        match_threshold=limit,
        visual_zone=None if text is None else VisualZone(PpOcrTextReader(text)),
    )


def _open_text_recogniser(store: ModelStore, threads: int) -> ModelSession:
    if not store.is_prepared(TEXT_RECOGNISER):
        raise ModelError(
            f"the site compares printed text (policy.visual_zone), for which the optional model {TEXT_RECOGNISER!r} is not prepared; "
            f'run `gate models prepare {TEXT_RECOGNISER}` or set policy.visual_zone = "off"'
        )
    session = ModelSession(store, TEXT_RECOGNISER, threads=threads)
    session.warm_up()
    return session


def encode_jpeg(image_bgr: Image) -> bytes:
    """uint8 (height, width, 3) BGR as JPEG."""
    is_encoded, data = cv2.imencode(".jpg", image_bgr, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])
    if not is_encoded:
        raise ValueError(f"a picture of shape {image_bgr.shape} cannot be encoded")
    return bytes(data.tobytes())
