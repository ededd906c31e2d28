"""Is a document on the reader, and does it lie still? Cheap enough for every frame of the document camera."""

from enum import StrEnum

import cv2
import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.uint8]

_WIDTH_PX = 80
_MIN_COVERED_RATIO = 0.10
_MIN_BRIGHTNESS = 70.0
_MAX_MOTION = 6.0


class Presence(StrEnum):
    """What lies on the reader. STEADY is the state in which a frame is worth reading."""

    ABSENT = "absent"
    MOVING = "moving"
    STEADY = "steady"


class DocumentPresence:
    """Watches the frames of one document camera. Not thread-safe; one per camera.

    A document is a bright area on the reader's dark glass. It is steady when ``steady_frames`` frames after one another
    (the first included) differ by no more than sensor noise does. :meth:`update` returns the state after each frame; the
    document was removed when it returns ABSENT again.
    """

    def __init__(self, *, steady_frames: int = 2) -> None:
        self._steady_frames = steady_frames
        self._previous: NDArray[np.float32] | None = None
        self._still = 0
        self.state = Presence.ABSENT

    def update(self, image_bgr: Image) -> Presence:
        """Take the next uint8 (height, width, 3) BGR frame and return the state."""
        small = _thumbnail(image_bgr)
        bright = cv2.GaussianBlur(small, (3, 3), 0)
        covered = float(np.mean(bright > _MIN_BRIGHTNESS))
        moved = float("inf") if self._previous is None else float(np.abs(bright - self._previous).mean())
        self._previous = bright.astype(np.float32, copy=False)
        if covered < _MIN_COVERED_RATIO:
            self._still = 0
            self.state = Presence.ABSENT
            return self.state
        self._still = self._still + 1 if moved <= _MAX_MOTION and self.state is not Presence.ABSENT else 1
        self.state = Presence.STEADY if self._still >= self._steady_frames else Presence.MOVING
        return self.state


def _thumbnail(image_bgr: Image) -> NDArray[np.float32]:
    """Return the brightest channel of a small copy: float32 (height, 80)."""
    height, width = image_bgr.shape[:2]
    # Skipping pixels first makes the averaging cheap; the page's outline survives it.
    step = max(1, width // (4 * _WIDTH_PX))
    size = (_WIDTH_PX, max(1, round(_WIDTH_PX * height / width)))
    small = cv2.resize(np.ascontiguousarray(image_bgr[::step, ::step]), size, interpolation=cv2.INTER_AREA)
    blue, green, red = cv2.split(small)
    thumbnail: NDArray[np.float32] = cv2.max(cv2.max(blue, green), red).astype(np.float32)
    return thumbnail
