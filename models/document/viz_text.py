"""The exchangeable part of reading the visual zone: pictures of rows in, text out. No model of this kind is ours."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from models.session import ModelSession

Image = NDArray[np.uint8]

# A batch is as wide as its widest picture: rows of like width are read together.
_BATCH = 6
_STEP_PX = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class TextReading:
    """One row as read; ``confidence`` 0..1 is that of its least certain character, 0 if there is none."""

    text: str
    confidence: float


class TextReader(Protocol):
    """Reads rows of printed text; knows nothing of documents."""

    @property
    def name(self) -> str:
        """The model's name in the manifest."""

    @property
    def model_hash(self) -> str:
        """The model's sha256 (hex), for the record of a decision."""

    @property
    def row_height_px(self) -> int:
        """Height of the row pictures it wants; they may have any width."""

    def read(self, rows_bgr: Sequence[Image]) -> list[TextReading]:
        """Read uint8 (row_height_px, any width, 3) BGR pictures, one row of text each."""


class PpOcrTextReader:
    """PaddleOCR's PP-OCR recogniser with its last layer cut down to Latin (:mod:`models.prepare`)."""

    row_height_px = 48

    def __init__(self, session: ModelSession) -> None:
        self.session = session
        self.name = session.name
        self.model_hash = session.model_hash
        self._characters = session.metadata["character"]

    def read(self, rows_bgr: Sequence[Image]) -> list[TextReading]:
        """See :class:`TextReader`."""
        order = sorted(range(len(rows_bgr)), key=lambda index: rows_bgr[index].shape[1])
        readings: dict[int, TextReading] = {}
        for start in range(0, len(order), _BATCH):
            batch = order[start : start + _BATCH]
            width = -(-max(rows_bgr[index].shape[1] for index in batch) // _STEP_PX) * _STEP_PX
            # Beyond a row's end stands 0, the grey that the network was shown there when it was trained.
            tensor = np.zeros((len(batch), 3, self.row_height_px, width), np.float32)
            for row, index in enumerate(batch):
                picture = rows_bgr[index]
                tensor[row, :, :, : picture.shape[1]] = picture.transpose(2, 0, 1) / np.float32(127.5) - 1
            scores = self.session.run({self.session.input_name: tensor})[0]
            for row, index in enumerate(batch):
                readings[index] = self._decode(scores[row])
        return [readings[index] for index in range(len(rows_bgr))]

    def _decode(self, scores: NDArray[np.float32]) -> TextReading:
        """Best class of each frame, repeats collapsed, blanks dropped (CTC)."""
        best = scores.argmax(axis=1)
        first = np.flatnonzero(np.append(True, best[1:] != best[:-1]))
        ends = np.append(first[1:], len(best))
        runs = [(int(a), int(b)) for a, b in zip(first, ends, strict=True) if best[a] > 0]
        text = "".join(self._characters[best[a] - 1] for a, _ in runs)
        sure = [float(scores[a:b, best[a]].max()) for a, b in runs]
        return TextReading(text=text, confidence=min(sure, default=0.0))
