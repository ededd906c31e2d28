"""The exchangeable part of reading an MRZ: pictures of lines in, character scores out."""

from collections.abc import Sequence
from typing import Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from models.document.decode import LineScores
from models.session import ModelSession

Image = NDArray[np.uint8]

OCRB_LINE_HEIGHT_PX = 32
OCRB_PLACE_WIDTH_PX = 16


class MrzReader(Protocol):
    """Scores the characters of MRZ lines; knows nothing of formats, fields or check digits."""

    @property
    def name(self) -> str:
        """The model's name in the manifest."""

    @property
    def model_hash(self) -> str:
        """The model's sha256 (hex), for the record of a decision."""

    @property
    def line_height_px(self) -> int:
        """Height of the line pictures it wants."""

    @property
    def place_width_px(self) -> int:
        """Width of the line pictures it wants, for each character of the line."""

    def score(self, lines_bgr: NDArray[np.uint8], span_ratio: Sequence[tuple[float, float]]) -> list[LineScores]:
        """Return the scores of uint8 (n, line_height_px, width, 3) BGR pictures, one line each.

        ``span_ratio`` says for each where the text begins and ends, as shares of the width.
        """


class OcrbMrzReader:
    """Our own network, which knows nothing but the shapes of OCR-B (``models/document/mrz_ocrb.md``)."""

    line_height_px = OCRB_LINE_HEIGHT_PX
    place_width_px = OCRB_PLACE_WIDTH_PX

    def __init__(self, session: ModelSession) -> None:
        self.session = session
        self.name = session.name
        self.model_hash = session.model_hash
        self._classes = session.metadata["character"]

    def score(self, lines_bgr: NDArray[np.uint8], span_ratio: Sequence[tuple[float, float]]) -> list[LineScores]:
        """See :class:`MrzReader`."""
        count, height, width = lines_bgr.shape[:3]
        grey = cv2.cvtColor(lines_bgr.reshape(count * height, width, 3), cv2.COLOR_BGR2GRAY)
        tensor = grey.reshape(count, 1, height, width).astype(np.float32)
        mean = tensor.mean(axis=(2, 3), keepdims=True)
        deviation = tensor.std(axis=(2, 3), keepdims=True)
        outputs = self.session.run({self.session.input_name: (tensor - mean) / (deviation + 4.0)})[0]
        frames = outputs.shape[1]
        return [
            LineScores(probabilities=probabilities, classes=self._classes, span_frames=(begin * frames, end * frames))
            for probabilities, (begin, end) in zip(outputs, span_ratio, strict=True)
        ]
