"""Write rendered documents as pictures with their truth: ``python -m models.training.mrz_sets FOLDER --renderer scene --pages 2000``.

The folder gets ``00000.jpg`` and so on and ``truth.csv``: ``gate eval mrz --truth FOLDER/truth.csv --images FOLDER`` measures it. A
page depends on the renderer, the seed and its own number only, so a set can be drawn in parts and side by side.
"""

import argparse
import csv
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from gate.checks.mrz import MrzFormat
from models.training.mrz_pages import render_document
from models.training.mrz_scene import render_scene

STORED_QUALITY = 97


class Document(Protocol):
    """What a renderer returns: the frame uint8 (height, width, 3) BGR and what is printed in it."""

    @property
    def frame_bgr(self) -> NDArray[np.uint8]: ...

    @property
    def format(self) -> MrzFormat: ...

    @property
    def lines(self) -> tuple[str, ...]: ...


RENDERERS: Mapping[str, Callable[[np.random.Generator], Document]] = {"page": render_document, "scene": render_scene}


def write_set(folder: Path, renderer: str, *, seed: int, pages: range) -> None:
    """Draw these pages of a seed into ``folder``, and the truth about them into its ``truth.csv``."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "truth.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["file", "format", "line1", "line2", "line3"])
        for index in pages:
            document = RENDERERS[renderer](np.random.default_rng([seed, index]))
            name = f"{index:05}.jpg"
            cv2.imwrite(str(folder / name), document.frame_bgr, [cv2.IMWRITE_JPEG_QUALITY, STORED_QUALITY])
            writer.writerow([name, str(document.format), *document.lines, *[""] * (3 - len(document.lines))])


def main() -> None:
    """Write a set."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--renderer", choices=sorted(RENDERERS), default="page")
    parser.add_argument("--pages", type=int, default=2000)
    parser.add_argument("--first", type=int, default=0, help="the number of the first page")
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    cv2.setNumThreads(1)
    pages = range(arguments.first, arguments.first + arguments.pages)
    write_set(arguments.folder, arguments.renderer, seed=arguments.seed, pages=pages)


if __name__ == "__main__":
    main()
