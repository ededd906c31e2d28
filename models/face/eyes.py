"""How far the eyes are open (Ablavatski and others, "Real-time Pupil Tracking from Monocular Video for Digital Puppetry", CVPR
Workshop on Computer Vision for AR/VR 2020; Google MediaPipe's ``iris_landmark``, its model card "MediaPipe Iris").

The face mesh draws open eyes into almost every face: its own lids tell little about closed ones (docs/models.md has the comparison).
This network looks at each eye apart.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

from models.face.detect import Image
from models.face.mesh import Mesh
from models.session import ModelSession

_SIDE_PX = 64
_ROI_RATIO = 2.3
"""How much wider than the eye the square is (MediaPipe, iris_landmark_landmarks_to_roi.pbtxt: scale 2.3, square_long)."""
_POINTS = 71

# Corners of the eyes in the mesh, as they follow one another in the picture from left to right.
_RIGHT_CORNERS = (33, 133)
_LEFT_CORNERS = (362, 263)

# In the network's own numbers: the corners, and three pairs of the upper and the lower lid.
_OUTER, _INNER = 0, 8
_UPPER_LID = (11, 12, 13)
_LOWER_LID = (3, 4, 5)


class EyeMesh:
    """Finds the lids of both eyes of a face whose mesh is known. Thread-safe."""

    def __init__(self, session: ModelSession) -> None:
        self.session = session

    def openness(self, picture_bgr: Image, mesh: Mesh) -> tuple[float, float]:
        """Return how open the right and the left eye are: the height of the gap between the lids by the eye's width.

        About 0.3 of most open eyes, under 0.12 of closed ones, never below 0. ``picture_bgr`` is what the mesh was found in.
        """
        crops = [
            _crop(picture_bgr, mesh.points_px[list(corners)].astype(np.float64), is_mirrored=is_left)
            for corners, is_left in ((_RIGHT_CORNERS, False), (_LEFT_CORNERS, True))
        ]
        tensor = np.stack(crops).astype(np.float32) / np.float32(255)
        outputs = self.session.run({self.session.input_name: tensor})
        named = dict(zip(self.session.output_names, outputs, strict=True))
        right, left = named[self.session.entry.outputs[0].name].reshape(2, _POINTS, 3)[:, :, :2]
        return _gap_ratio(right), _gap_ratio(left)


def _crop(picture_bgr: Image, corners_px: NDArray[np.float64], *, is_mirrored: bool) -> Image:
    """One eye as (3, 64, 64) RGB, its corners level. The network knows right eyes only, so the left one is mirrored."""
    across = corners_px[1] - corners_px[0]
    width = max(float(np.hypot(*across)), 1.0)
    cosine, sine = across / width
    linear = _SIDE_PX / (_ROI_RATIO * width) * np.array([[cosine, sine], [-sine, cosine]])
    if is_mirrored:
        linear = np.array([[-1.0, 0.0], [0.0, 1.0]]) @ linear
    shift = np.array([_SIDE_PX / 2, _SIDE_PX / 2]) - linear @ corners_px.mean(axis=0)
    matrix = np.hstack([linear, shift[:, None]])
    crop = cv2.warpAffine(
        picture_bgr, matrix, (_SIDE_PX, _SIDE_PX), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )
    return crop[:, :, ::-1].transpose(2, 0, 1).astype(np.uint8, copy=False)


def _gap_ratio(points: NDArray[np.float32]) -> float:
    gaps = np.linalg.norm(points[list(_UPPER_LID)] - points[list(_LOWER_LID)], axis=1)
    width = float(np.linalg.norm(points[_OUTER] - points[_INNER]))
    return float(gaps.mean()) / max(width, 1e-6)
