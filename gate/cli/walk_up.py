"""What several frames of somebody walking up add: simulated out of the pictures that ``gate eval face`` is given.

A camera of 640x480 sees each picture's face come nearer: size, place, turn, light, motion blur, noise and JPEG change from frame to
frame, from a fixed seed. The frames go the lane's own way. All frames of a walk-up come from one photograph, so what a moving face adds is
not in these figures: they tell what fusion does about the camera.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from models.face import Face, FaceDetector, FaceEmbedder

FUSED = (1, 2, 5)
KINDS = (*(f"{count}_fused" for count in FUSED), "nearest_alone")
"""The last one tells what being near does without fusion."""
_FRAME_SIZE = (640, 480)
_FIRST_EYES_PX, _LAST_EYES_PX = 48.0, 80.0
_SEED = 20260


def choose_people(people: NDArray[np.int64], count: int) -> NDArray[np.int64]:
    """Return the rows of the first ``count`` people who have several pictures, int64 (n,), rising."""
    numbers, pictures = np.unique(people, return_counts=True)
    chosen = numbers[pictures > 1][:count]
    return np.flatnonzero(np.isin(people, chosen))


def frames_of(image_bgr: NDArray[np.uint8], face: Face, *, seed: int) -> Iterable[NDArray[np.uint8]]:
    """Yield uint8 (480, 640, 3) BGR frames of the face of a picture coming nearer; as many as the most that are fused."""
    rng = np.random.default_rng((_SEED, seed))
    place = rng.uniform((240, 170), (400, 270))
    turn_deg = rng.uniform(-6, 6)
    light = rng.uniform(0.65, 1.15)
    for eyes_px in np.linspace(_FIRST_EYES_PX, _LAST_EYES_PX, max(FUSED)):
        place = place + rng.normal(0, 6, 2)
        turn_deg = float(turn_deg + rng.normal(0, 2))
        yield _frame(image_bgr, face, rng, eyes_px=float(eyes_px), place=place, turn_deg=turn_deg, light=float(light))


def _frame(
    image_bgr: NDArray[np.uint8],
    face: Face,
    rng: np.random.Generator,
    *,
    eyes_px: float,
    place: NDArray[np.float64],
    turn_deg: float,
    light: float,
) -> NDArray[np.uint8]:
    import cv2

    centre = face.landmarks_px[:2].mean(axis=0)
    matrix = cv2.getRotationMatrix2D(
        (float(centre[0]), float(centre[1])), turn_deg, eyes_px / max(face.inter_eye_px, 1.0)
    )
    matrix[:, 2] += place - centre
    frame = cv2.warpAffine(image_bgr, matrix, _FRAME_SIZE, borderMode=cv2.BORDER_REFLECT_101).astype(np.float32)
    length = int(rng.integers(1, 6))
    streak = np.zeros((length, length), np.float32)
    if rng.random() < 0.5:
        streak[length // 2] = 1 / length
    else:
        streak[:, length // 2] = 1 / length
    frame = cv2.filter2D(frame, -1, streak).astype(np.float32) * np.float32(light)
    frame += rng.normal(0, rng.uniform(2, 6), frame.shape).astype(np.float32)
    pixels = np.clip(frame, 0, 255).astype(np.uint8)
    _, data = cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, 80])
    decoded = cv2.imdecode(data, cv2.IMREAD_COLOR)
    return np.asarray(decoded, np.uint8)


def fused_templates(
    frames: Iterable[NDArray[np.uint8]], detector: FaceDetector, embedder: FaceEmbedder
) -> list[NDArray[np.float32]] | None:
    """Return the templates of the first, the first 2 and all 5 frames fused by quality, and of the last alone, float32 (128,) each.

    None if a face was not found in that many.
    """
    from models.face import FaceTracker, align, assess, fuse

    tracker = FaceTracker(detector, smallest_eyes_px=18.0, relative_size=0.35)
    templates: list[NDArray[np.float32]] = []
    weights: list[float] = []
    for frame in frames:
        faces = tracker.look(frame)
        if not faces:
            continue
        crop = align(frame, faces[0])
        weights.append(max(assess(frame, faces[0], faces, crop_rgb=crop).score, 0.05))
        templates.append(embedder.embed_aligned(crop))
    if len(templates) < max(FUSED):
        return None
    return [*(fuse(templates[:count], weights[:count]) for count in FUSED), templates[-1]]


def summary(
    rows: NDArray[np.int64],
    people: NDArray[np.int64],
    references: dict[str, NDArray[np.float32]],
    walked: Sequence[list[NDArray[np.float32]] | None],
    rates: Callable[..., dict[str, Any]],
) -> dict[str, Any]:
    """The block ``walk_up``: error rates by the reference's kind and by how many frames were fused.

    ``rows``: int64 (n,), the pictures that were walked up; ``references``: float32 (all, 128) by name; ``walked``: n times the fused
    templates.
    """
    from models.face.rates import cross_compare_ordered

    seen = [i for i, templates in enumerate(walked) if templates is not None]
    kept = rows[seen]
    lives = [np.stack([templates[k] for templates in walked if templates is not None]) for k in range(len(KINDS))]
    return {
        "people": len(np.unique(people[rows])),
        "pictures": len(rows),
        "without_enough_frames": len(rows) - len(kept),
        "reference": {
            name: {
                kind: rates(*cross_compare_ordered(templates[kept], lives[k], people[kept]))
                for k, kind in enumerate(KINDS)
            }
            for name, templates in references.items()
        },
    }
