"""What several frames of one page add: ``python -m models.training.mrz_votes --pages 200 --frames 3 --seed 7``.

Each page is printed once and photographed several times (:mod:`models.training.mrz_scene`): what the print lost is lost in all
frames, what light and lens hide differs. Pages whose first frame is refused are read on, once each frame for itself, once
with what was seen before (:mod:`models.document.vote`).
"""

import argparse
from collections import Counter
from collections.abc import Iterator

import cv2
import numpy as np
from numpy.typing import NDArray

from models.document import DocumentRead, DocumentReader, DocumentUnreadable
from models.face import FaceDetector
from models.manifest import FACE_DETECTOR, MRZ_RECOGNISER
from models.session import ModelSession
from models.store import ModelStore
from models.training.mrz_scene import photograph
from models.training.mrz_scene_page import PrintedPage, print_page

Image = NDArray[np.uint8]


def outcomes(reader: DocumentReader, frames: Iterator[Image], lines: tuple[str, ...]) -> tuple[str, str] | None:
    """Return what becomes of a page whose first frame is refused, without and with votes; None if it is not refused."""
    first = reader.read(next(frames))
    if isinstance(first, DocumentRead):
        return None
    alone: DocumentRead | DocumentUnreadable = first
    together: DocumentRead | DocumentUnreadable = first
    refused = [first]
    for frame in frames:
        if not isinstance(alone, DocumentRead):
            alone = reader.read(frame)
        if not isinstance(together, DocumentRead):
            together = reader.read(frame, refused)
            if isinstance(together, DocumentUnreadable):
                refused.append(together)
    return _outcome(alone, lines), _outcome(together, lines)


def _frame(rng: np.random.Generator, page: PrintedPage, noise: float) -> Image:
    frame = photograph(rng, page).frame_bgr
    grain = rng.standard_normal(frame.shape[:2], dtype=np.float32)[..., None] * np.float32(noise)
    noisy: Image = np.clip(frame + grain, 0, 255).astype(np.uint8)
    return noisy


def _outcome(read: DocumentRead | DocumentUnreadable, lines: tuple[str, ...]) -> str:
    if isinstance(read, DocumentUnreadable):
        return "refused"
    return "exact" if read.lines == lines else "wrong" if read.check_digits_ok else "flagged"


def main() -> None:
    """Draw, read and count."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pages", type=int, default=200)
    parser.add_argument("--frames", type=int, default=3)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--noise", type=float, default=0.0, help="grey levels of noise put on every frame besides")
    arguments = parser.parse_args()
    cv2.setNumThreads(1)
    store = ModelStore()
    sessions = [ModelSession(store, name, threads=1) for name in (MRZ_RECOGNISER, FACE_DETECTOR)]
    reader = DocumentReader(sessions[0], FaceDetector(sessions[1]))
    counts: Counter[tuple[str, str]] = Counter()
    for index in range(arguments.pages):
        page = print_page(np.random.default_rng([arguments.seed, index]))
        frames = (
            _frame(np.random.default_rng([arguments.seed, index, number + 1]), page, arguments.noise)
            for number in range(arguments.frames)
        )
        counts[outcomes(reader, frames, page.lines) or ("first frame", "first frame")] += 1
    for (alone, together), count in sorted(counts.items()):
        print(f"{count} pages: {alone} by the best single frame, {together} by votes")


if __name__ == "__main__":
    main()
