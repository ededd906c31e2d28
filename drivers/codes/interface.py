"""What a reader of codes gives: each code's text, its kind and where it lies. It neither parses nor believes what it reads."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray


class Symbology(StrEnum):
    """The kinds a gate meets: passes are PDF417, Aztec, QR or Data Matrix (Resolution 792), bag tags ITF or Code 128 (RP 1740c)."""

    PDF417 = "pdf417"
    AZTEC = "aztec"
    QR = "qr"
    DATA_MATRIX = "data_matrix"
    ITF = "itf"
    CODE_128 = "code_128"


@dataclass(frozen=True, slots=True, kw_only=True)
class Code:
    """One code whose own error correction or check held; a code that does not decode is no code."""

    symbology: Symbology
    text: str
    corners_px: tuple[tuple[int, int], tuple[int, int], tuple[int, int], tuple[int, int]]
    """(x, y) of the code's own top left, top right, bottom right and bottom left corner."""


class CodeReader(ABC):
    @abstractmethod
    def read(self, image: NDArray[np.uint8]) -> tuple[Code, ...]:
        """All codes in a picture, in reading order. ``image``: uint8, (height, width) grey or (height, width, 3) BGR.

        Raises ValueError for an array of another kind: that is a mistake of the caller, not of the picture.
        """
