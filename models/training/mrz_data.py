"""Training pictures on disk: shards of windows with the class of every frame, each made from its own seed.

A window is 352 px of a line (22 places); the network sees no further than a few places, so whole lines teach nothing
more. A frame is 4 px. Frames near the middle of a character bear its class, those between characters the blank: the
places are known, so no alignment has to be learnt (as CTC would) and equal neighbours stay apart.
"""

import sys
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from gate.checks.mrz import CHARACTERS
from models.training.mrz_lines import LinePicture, render_lines

WINDOW_PX = 352
FRAME_PX = 4
LINES_A_SHARD = 400
# The shards from these on show worn lines, and worn lines on patterned paper.
FIRST_WORN_SHARD = 64
FIRST_PATTERNED_SHARD = 110
COPIES = 3
BLANK = 0
UNKNOWN = 255
# Share of a pitch around the middle of a character in which it is to be seen, and beyond which the blank is.
_INSIDE, _BETWEEN = 0.24, 0.30


def labels(centres_px: NDArray[np.float32], text: str, width_px: int) -> NDArray[np.uint8]:
    """Return the class of each frame, uint8 (width_px / 4): 0 blank, 1 + index in CHARACTERS, 255 undecided."""
    frames = (np.arange(width_px // FRAME_PX) + 0.5) * FRAME_PX
    pitch = float(np.median(np.diff(centres_px)))
    distance = np.abs(frames[:, None] - centres_px) / pitch
    nearest = distance.argmin(axis=1)
    away = distance.min(axis=1)
    codes: NDArray[np.uint8] = np.array([1 + CHARACTERS.index(character) for character in text], np.uint8)[nearest]
    codes[away > _INSIDE] = UNKNOWN
    codes[away > _BETWEEN] = BLANK
    return codes


def windows(line: LinePicture, rng: np.random.Generator) -> list[tuple[NDArray[np.uint8], NDArray[np.uint8]]]:
    """Cut a line's picture into windows of pixels, uint8 (32, 352), and frame classes, uint8 (88)."""
    width = line.grey.shape[1]
    codes = labels(line.centres_px, line.text, width)
    if width >= 2 * WINDOW_PX:
        starts = [0, WINDOW_PX]
    else:
        starts = [FRAME_PX * int(rng.integers(0, (width - WINDOW_PX) // FRAME_PX + 1))]
    cut = []
    for start in starts:
        window_codes = codes[start // FRAME_PX : (start + WINDOW_PX) // FRAME_PX].copy()
        # A character that the window cuts through cannot be told.
        if start > 0:
            window_codes[:2] = UNKNOWN
        if start + WINDOW_PX < width:
            window_codes[-2:] = UNKNOWN
        cut.append((np.ascontiguousarray(line.grey[:, start : start + WINDOW_PX]), window_codes))
    return cut


def write_shard(folder: Path, seed: int, index: int) -> Path:
    """Draw shard ``index`` into ``folder``, unless it is there, and return its file."""
    path = folder / f"shard-{seed}-{index:04d}.npz"
    if path.exists():
        return path
    rng = np.random.default_rng([seed, index])
    is_worn, is_patterned = index >= FIRST_WORN_SHARD, index >= FIRST_PATTERNED_SHARD
    lines = [
        line
        for _ in range(LINES_A_SHARD // COPIES)
        for line in render_lines(rng, COPIES, is_worn=is_worn, is_patterned=is_patterned)
    ]
    cut = [window for line in lines for window in windows(line, rng)]
    part = path.with_suffix(".part")
    with part.open("wb") as file:
        np.savez(file, pixels=np.stack([p for p, _ in cut]), codes=np.stack([c for _, c in cut]))
    part.replace(path)
    return path


def read_shard(path: Path) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Return pixels, uint8 (n, 32, 352), and frame classes, uint8 (n, 88)."""
    with np.load(path) as shard:
        return shard["pixels"], shard["codes"]


def write_shards(folder: Path, seed: int, indices: range) -> None:
    """Draw these shards in order; this is what the second process does while the first trains."""
    cv2.setNumThreads(1)
    folder.mkdir(parents=True, exist_ok=True)
    for index in indices:
        write_shard(folder, seed, index)


if __name__ == "__main__":
    write_shards(Path(sys.argv[1]), int(sys.argv[2]), range(int(sys.argv[3]), int(sys.argv[4])))
