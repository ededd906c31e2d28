"""A lane runs for weeks: looking at faces must not grow in memory."""

import gc
import os
from pathlib import Path

import cv2
import numpy as np
import pytest

from models.face import (
    CarefulEmbedder,
    CloserLook,
    EyeMesh,
    FaceDetector,
    FaceEmbedder,
    FaceMesh,
    FaceTracker,
    align,
    assess,
)
from models.manifest import EYE_MESH, FACE_DETECTOR, FACE_EMBEDDER, FACE_MESH
from models.session import ModelSession
from models.store import ModelStore
from simulator.frames import empty_face_frame, face_frame, faces_frame
from simulator.photos import PhotoLibrary

FRAMES = int(os.environ.get("TONGGUAN_SOAK_FRAMES", "20000"))
WARM_UP_FRAMES = 200
ALLOWED_GROWTH_MB = 20.0
_SIZES_PX = ((640, 480), (800, 600), (480, 640))
"""Changing sizes are what makes a careless runtime hoard buffers."""


def resident_mb() -> float:
    """Resident memory of this process (proc(5), statm, second field, in pages)."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


@pytest.mark.long
@pytest.mark.timeout(7200)
def test_looking_at_faces_does_not_grow_in_memory() -> None:
    cv2.setNumThreads(1)
    store = ModelStore()
    store.prepare()
    library = PhotoLibrary()
    library.fetch()
    people = library.people()
    detector = FaceDetector(ModelSession(store, FACE_DETECTOR))
    embedder = FaceEmbedder(ModelSession(store, FACE_EMBEDDER))
    careful = CarefulEmbedder(detector, embedder)
    closer = CloserLook(FaceMesh(ModelSession(store, FACE_MESH)), EyeMesh(ModelSession(store, EYE_MESH)))
    tracker = FaceTracker(detector, smallest_eyes_px=18.0, relative_size=0.35)
    rng = np.random.default_rng(1)
    frames = []
    for i in range(60):
        size = _SIZES_PX[i % len(_SIZES_PX)]
        crowd = [people[(i + j) % len(people)].live for j in range(i % 3)]
        frame = (
            faces_frame(crowd, approach=i / 59, rng=rng, size=size) if crowd else empty_face_frame(rng=rng, size=size)
        )
        frames.append(frame if i % 7 else face_frame(people[0].live, approach=i / 59, rng=rng, size=size))
    embedded = 0
    before_mb = 0.0
    for i in range(WARM_UP_FRAMES + FRAMES):
        if i == WARM_UP_FRAMES:
            gc.collect()
            before_mb = resident_mb()
        frame = frames[i % len(frames)]
        faces = tracker.look(frame)
        if faces:
            crop = align(frame, faces[0])
            closer.assess(frame, faces[0], assess(frame, faces[0], faces, crop_rgb=crop))
            template = careful.embed(frame, faces[0]) if i % 50 == 0 else embedder.embed_aligned(crop)
            embedded += int(np.isfinite(template).all())
    gc.collect()
    growth_mb = resident_mb() - before_mb
    print(f"{FRAMES} frames, {embedded} templates: {growth_mb:+.1f} MB on {before_mb:.0f} MB")
    assert embedded > FRAMES / 3
    assert growth_mb <= ALLOWED_GROWTH_MB
