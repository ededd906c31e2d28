"""Say which step lost each page that was not read: ``python -m models.training.mrz_misses --pages 2000 --seed 31 --first 0``.

Scenes are drawn anew (:mod:`models.training.mrz_scene`), because they know where their rows are. A page that was not read exactly
is read again from its true rows: if it is exact then, the search or the cut lost it (``rows`` if no view had the ends of
the rows within a pitch, else ``cut``); if a character is taken for another even so, the network did (``characters``); what
remains was refused without need (``refusal``).
"""

import argparse
from collections import Counter

import cv2
import numpy as np
from numpy.typing import NDArray

from models.document import DocumentRead, DocumentReader
from models.document.lines import TextLine
from models.document.page import inverse, map_points, whole_image
from models.document.views import View, views_of
from models.document.zone import ZoneRead
from models.face import FaceDetector
from models.manifest import FACE_DETECTOR, MRZ_RECOGNISER
from models.session import ModelSession
from models.store import ModelStore
from models.training.mrz_lines import CAP_HEIGHT
from models.training.mrz_scene import ScenePicture, render_scene

_MAX_ROW_ERROR = 1.0


def lost_by(reader: DocumentReader, scene: ScenePicture) -> str | None:
    """Return the step that lost a page, or None if it is read exactly."""
    read = reader.read(scene.frame_bgr)
    if isinstance(read, DocumentRead) and read.lines == scene.lines:
        return None
    wrong = "wrong, " if isinstance(read, DocumentRead) and read.check_digits_ok else ""
    zone = reader.read_view(scene.frame_bgr, true_view(scene))
    if isinstance(zone, ZoneRead) and zone.mrz.lines == scene.lines:
        return wrong + ("rows" if row_error(scene) > _MAX_ROW_ERROR else "cut")
    if isinstance(zone, ZoneRead):
        return wrong + "characters"
    if zone.sight is None:
        return wrong + "cut"
    read_as = ["".join(zone.sight.classes[index] for index in seen[:, 1:].argmax(axis=1)) for seen in zone.sight.seen]
    return wrong + ("refusal" if tuple(read_as) == scene.lines else "characters")


def true_view(scene: ScenePicture) -> View:
    """Return the frame turned so that its text runs to the right, with the rows where they are."""
    along = scene.rows_px[0, 1] - scene.rows_px[0, 0]
    turn = -np.arctan2(along[1], along[0])
    matrix = np.eye(3)
    matrix[:2, :2] = [[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]]
    ends = map_points(matrix, scene.rows_px.reshape(-1, 2)).reshape(-1, 2, 2)
    rows = tuple(
        TextLine(
            left=(float(left[0]), float(left[1])),
            right=(float(right[0]), float(right[1])),
            height_px=CAP_HEIGHT * float(np.linalg.norm(right - left)) / len(scene.lines[0]),
        )
        for left, right in ends
    )
    height, width = scene.frame_bgr.shape[:2]
    return View(quad_px=whole_image(scene.frame_bgr), to_page=matrix, page_size_px=(width, height), rows=rows)


def row_error(scene: ScenePicture) -> float:
    """Return how far, in pitches, the ends of the best rows that were found lie from the true ones."""
    pitch = float(np.linalg.norm(scene.rows_px[0, 1] - scene.rows_px[0, 0])) / len(scene.lines[0])
    errors = [_distance(view, scene.rows_px) for view in views_of(scene.frame_bgr)]
    return min(errors, default=np.inf) / pitch


def _distance(view: View, rows_px: NDArray[np.float32]) -> float:
    if len(view.rows) != len(rows_px):
        return float("inf")
    ends = np.array([[row.at(0.0), row.at(1.0)] for row in view.rows], np.float32)
    found = map_points(inverse(view.to_page), ends.reshape(-1, 2)).reshape(-1, 2, 2)
    return float(np.linalg.norm(found - rows_px, axis=2).max())


def main() -> None:
    """Draw, read and count."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pages", type=int, default=500)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    cv2.setNumThreads(1)
    store = ModelStore()
    sessions = [ModelSession(store, name, threads=1) for name in (MRZ_RECOGNISER, FACE_DETECTOR)]
    reader = DocumentReader(sessions[0], FaceDetector(sessions[1]))
    counts: Counter[str] = Counter()
    for index in range(arguments.first, arguments.first + arguments.pages):
        step = lost_by(reader, render_scene(np.random.default_rng([arguments.seed, index])))
        counts[step or "exact"] += 1
        if step:
            print(f"{index:05}: {step}", flush=True)
    print(dict(counts))


if __name__ == "__main__":
    main()
