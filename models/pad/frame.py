"""What a presentation-attack signal is shown: one frame with the face that is followed in it, and what several signals need of both."""

from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import cv2
import numpy as np
from numpy.typing import NDArray

from models.face.detect import Face
from models.pad.flow import Flow

Image = NDArray[np.uint8]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PadFrame:
    """``image_bgr`` uint8 (height, width, 3); ``captured_ns`` monotonic; ``flow`` how points moved since some frames ago, if they could
    be followed; ``grey`` uint8 (height, width), the frame's luma (ITU-R BT.601).
    """

    image_bgr: Image
    grey: Image
    face: Face
    captured_ns: int
    flow: Flow | None = None


def still(image_bgr: Image, face: Face) -> PadFrame:
    """A single picture, which no point is followed in."""
    grey = cv2.cvtColor(image_bgr, cv2.COLOR_BGR2GRAY).astype(np.uint8, copy=False)
    return PadFrame(image_bgr=image_bgr, grey=grey, face=face, captured_ns=0)


@runtime_checkable
class PadSignal(Protocol):
    """One independent sign of life, or of a picture. Fed with every frame of one unbroken track, in order of time."""

    @property
    def name(self) -> str:
        """Stable; findings, calibrations and reports use it."""

    @property
    def score(self) -> float | None:
        """The more, the more like a live face, in the range that the signal states; None while there is no evidence either way."""

    def feed(self, frame: PadFrame) -> None:
        """Take the next frame."""

    def reset(self) -> None:
        """Another face, or the track broke: nothing seen so far counts."""


def luma_patch(frame: PadFrame, half_px: tuple[float, float]) -> Image:
    """The frame's luma around the middle of the face: ``half_px`` to each side (x, y), cut off at the frame's edge."""
    x, y, width, height = (float(value) for value in frame.face.box_px)
    middle_x, middle_y = x + width / 2, y + height / 2
    rows, columns = frame.grey.shape
    left, right = max(0, round(middle_x - half_px[0])), min(columns, round(middle_x + half_px[0]))
    top, bottom = max(0, round(middle_y - half_px[1])), min(rows, round(middle_y + half_px[1]))
    return frame.grey[top:bottom, left:right]
