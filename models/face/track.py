"""Look for faces from frame to frame: as coarsely as the nearest face allows, and never so coarsely that company is missed.

A second face counts as a person if its eyes are at least ``smallest_eyes_px`` apart and at least ``relative_size`` of the nearest
face's. So the nearer the nearest face, the larger the smallest face that matters, and the smaller the picture that has to be
searched. Every frame is searched whole. If the nearest face turns out to be farther away than the size was chosen for, the frame is
searched again at the right size, so what is found does not depend on what was seen before.
"""

from collections.abc import Sequence

from models.face.detect import Face, FaceDetector, Image


class FaceTracker:
    """The faces of one camera's frames. Not thread-safe."""

    def __init__(self, detector: FaceDetector, *, smallest_eyes_px: float, relative_size: float) -> None:
        """``smallest_eyes_px``: pixels of the frame; ``relative_size``: 0..1. Raises ValueError outside of these."""
        if smallest_eyes_px <= 0 or not 0 <= relative_size <= 1:
            raise ValueError("the smallest face must have a size, and the relative size be 0..1")
        self._detector = detector
        self._smallest_eyes_px = smallest_eyes_px
        self._relative_size = relative_size
        self._nearest_eyes_px = 0.0

    def look(self, image_bgr: Image) -> tuple[Face, ...]:
        """Return the faces of a uint8 (height, width, 3) BGR frame, largest first."""
        searched_px = self._that_matters(self._nearest_eyes_px)
        faces = self._detector.detect(image_bgr, smallest_eyes_px=searched_px)
        nearest_px = _nearest_eyes_px(faces)
        needed_px = self._that_matters(nearest_px)
        if needed_px < searched_px and needed_px < self._detector.finds_eyes_px(image_bgr, searched_px):
            faces = self._detector.detect(image_bgr, smallest_eyes_px=needed_px)
            # A coarse look measures a little less: to expect what the fine one measures would make every frame be searched twice.
            nearest_px = min(nearest_px, _nearest_eyes_px(faces))
        self._nearest_eyes_px = nearest_px
        return faces

    def forget(self) -> None:
        """Search the next frame as finely as if nobody had been seen."""
        self._nearest_eyes_px = 0.0

    def _that_matters(self, nearest_eyes_px: float) -> float:
        return max(self._smallest_eyes_px, self._relative_size * nearest_eyes_px)


def _nearest_eyes_px(faces: Sequence[Face]) -> float:
    return max((face.inter_eye_px for face in faces), default=0.0)
