"""Turn a face into a template and compare two: SFace (Zhong and others, "SFace", IEEE TIP 2021)."""

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from models.face.detect import Face, Image
from models.session import ModelSession

ALIGNED_SIDE_PX = 112
_TINY = 1e-12

# Where SFace (as ArcFace before it) expects the five landmarks in the 112x112 crop; order as in Face.landmarks_px.
_TEMPLATE_PX = np.array(
    [[38.2946, 51.6963], [73.5318, 51.5014], [56.0252, 71.7366], [41.5493, 92.3655], [70.7299, 92.2041]], np.float64
)


def align(image_bgr: Image, face: Face) -> Image:
    """Return the face as uint8 (112, 112, 3) **RGB**, turned, scaled and shifted onto the landmark template."""
    matrix = similarity_transform(face.landmarks_px.astype(np.float64), _TEMPLATE_PX)
    crop = cv2.warpAffine(image_bgr, matrix, (ALIGNED_SIDE_PX, ALIGNED_SIDE_PX), flags=cv2.INTER_LINEAR)
    return np.ascontiguousarray(crop[:, :, ::-1], dtype=np.uint8)


def similarity_transform(source: NDArray[np.float64], target: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the float64 (2, 3) rotation, uniform scale and shift that maps (n, 2) points best, least squares.

    In the plane Umeyama's solution (IEEE TPAMI 13(4), 1991) is one complex division; a mirrored face never arises.
    """
    source_centre, target_centre = source.mean(axis=0), target.mean(axis=0)
    a = (source - source_centre) @ np.array([1, 1j])
    b = (target - target_centre) @ np.array([1, 1j])
    energy = float(np.vdot(a, a).real)
    factor = np.vdot(a, b) / energy if energy > 0 else 1 + 0j
    linear = np.array([[factor.real, -factor.imag], [factor.imag, factor.real]])
    shift = target_centre - linear @ source_centre
    return np.hstack([linear, shift[:, None]])


class FaceEmbedder:
    """SFace on aligned faces."""

    def __init__(self, session: ModelSession) -> None:
        self.session = session

    def embed(self, image_bgr: Image, face: Face) -> NDArray[np.float32]:
        """Return the template of ``face``: float32 (128,), length 1."""
        return self.embed_aligned(align(image_bgr, face))

    def embed_with_mirror(self, image_bgr: Image, face: Face) -> NDArray[np.float32]:
        """Return the template of ``face`` and of its mirror image averaged, in one run: float32 (128,), length 1.

        Takes twice the time of :meth:`embed`. :class:`models.face.careful.CarefulEmbedder` does still better.
        """
        crop = align(image_bgr, face)
        return fuse(self._run(np.stack([crop, crop[:, ::-1]])))

    def embed_aligned(self, aligned_rgb: Image) -> NDArray[np.float32]:
        """Return the template of an aligned uint8 (112, 112, 3) RGB crop: float32 (128,), length 1."""
        return fuse(self._run(aligned_rgb[None]))

    def _run(self, crops: Image) -> NDArray[np.float32]:
        """Return float32 (n, 128) rows of length 1 for uint8 (n, 112, 112, 3) RGB crops."""
        tensor = crops.transpose(0, 3, 1, 2).astype(np.float32, order="C")
        rows: NDArray[np.float32] = self.session.run({self.session.input_name: tensor})[0]
        return np.asarray(rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), _TINY), np.float32)


def fuse(
    templates: Sequence[NDArray[np.float32]] | NDArray[np.float32], weights: Sequence[float] | None = None
) -> NDArray[np.float32]:
    """Return the weighted mean of templates of one person, at length 1: float32 (d,).

    ``templates``: n times float32 (d,); ``weights``: n numbers >= 0, best the frames' quality scores; all the same if left out.
    Raises ValueError if there are none, if the numbers differ, or if all weights are 0.
    """
    if len(templates) == 0:
        raise ValueError("nothing to fuse")
    shares = np.ones(len(templates)) if weights is None else np.asarray(weights, np.float64)
    if len(shares) != len(templates) or shares.min() < 0 or shares.max() == 0:
        raise ValueError("fusing needs one weight a template, none negative and not all 0")
    total = np.einsum("i,ij->j", shares, np.asarray(templates, np.float64))
    return np.asarray(total / max(float(np.linalg.norm(total)), _TINY), np.float32)


def cosine(a: NDArray[np.float32], b: NDArray[np.float32]) -> float:
    """Return the similarity of two templates of length 1: -1..1, higher is more alike."""
    return float(np.clip(np.dot(a, b), -1.0, 1.0))
