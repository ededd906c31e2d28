"""The shape of a face: 468 points with depth (Kartynnik and others, "Real-time Facial Surface Geometry from Monocular Video on Mobile
GPUs", CVPR Workshop on Computer Vision for AR/VR 2019; Google MediaPipe's ``face_landmark``, its model card "MediaPipe Face Mesh").

The points are numbered as MediaPipe's canonical face model numbers them; the groups that are used here are below. "Right" and "left"
are the person's own.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from models.face.detect import Face, Image
from models.session import ModelSession

POINTS = 468
_SIDE_PX = 192
_ROI_RATIO = 1.5
"""How much larger than the face's box the square is (MediaPipe, face_detection_front_detection_to_roi.pbtxt: scale 1.5, square_long, turned
so that the eyes are level)."""

RIGHT_EYE = (33, 246, 161, 160, 159, 158, 157, 173, 133, 155, 154, 153, 145, 144, 163, 7)
"""The rim of the lids: outer corner, upper lid, inner corner, lower lid."""
LEFT_EYE = (263, 466, 388, 387, 386, 385, 384, 398, 362, 382, 381, 380, 374, 373, 390, 249)
RIGHT_BROW = (70, 63, 105, 66, 107, 55, 65, 52, 53, 46)
LEFT_BROW = (300, 293, 334, 296, 336, 285, 295, 282, 283, 276)
OUTER_LIPS = (61, 185, 40, 39, 37, 0, 267, 269, 270, 409, 291, 375, 321, 405, 314, 17, 84, 181, 91, 146)
INNER_LIPS = (78, 191, 80, 81, 82, 13, 312, 311, 310, 415, 308, 324, 318, 402, 317, 14, 87, 178, 88, 95)
OVAL = (
    *(10, 338, 297, 332, 284, 251, 389, 356, 454, 323, 361, 288, 397, 365, 379, 378, 400, 377),
    *(152, 148, 176, 149, 150, 136, 172, 58, 132, 93, 234, 127, 162, 21, 54, 103, 67, 109),
)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Mesh:
    """The points of one face.

    ``points_px``: float32 (468, 2), x and y in pixels of the picture, which some may lie outside of. ``depth``: float32 (468,), in the same
    pixels, smaller is nearer to the camera; only differences mean anything. ``confidence``: 0..1, that there is a face at all.
    """

    points_px: NDArray[np.float32]
    depth: NDArray[np.float32]
    confidence: float


class FaceMesh:
    """Finds the points of faces that were detected. Thread-safe."""

    def __init__(self, session: ModelSession) -> None:
        self.session = session

    def look(self, picture_bgr: Image, face: Face) -> Mesh:
        """Return the points of ``face`` in a uint8 (height, width, 3) BGR picture, always 468; a low confidence says they are no face's."""
        matrix = _to_crop(face)
        crop = cv2.warpAffine(
            picture_bgr, matrix, (_SIDE_PX, _SIDE_PX), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
        )
        tensor = np.empty((1, 3, _SIDE_PX, _SIDE_PX), np.float32)
        for channel, plane in enumerate(cv2.split(crop)):
            np.multiply(plane, np.float32(1 / 255), out=tensor[0, 2 - channel])
        outputs = self.session.run({self.session.input_name: tensor})
        named = dict(zip(self.session.output_names, outputs, strict=True))
        points, presence = (named[tensor.name] for tensor in self.session.entry.outputs)
        shape = points.reshape(POINTS, 3).astype(np.float64)
        back = np.linalg.inv(matrix[:, :2])
        scale = float(np.sqrt(np.linalg.det(back)))
        return Mesh(
            points_px=((shape[:, :2] - matrix[:, 2]) @ back.T).astype(np.float32),
            depth=(shape[:, 2] * scale).astype(np.float32),
            confidence=float(1 / (1 + np.exp(-np.float64(presence[0, 0])))),
        )


def _to_crop(face: Face) -> NDArray[np.float64]:
    """The float64 (2, 3) map from the picture onto the network's square, the eyes level and the box in the middle."""
    x, y, width, height = face.box_px.astype(np.float64)
    across = (face.landmarks_px[1] - face.landmarks_px[0]).astype(np.float64)
    distance = max(float(np.hypot(*across)), 1.0)
    cosine, sine = across / distance
    scale = _SIDE_PX / max(_ROI_RATIO * max(width, height), 1.0)
    linear = scale * np.array([[cosine, sine], [-sine, cosine]])
    shift = np.array([_SIDE_PX / 2, _SIDE_PX / 2]) - linear @ np.array([x + width / 2, y + height / 2])
    return np.hstack([linear, shift[:, None]])
