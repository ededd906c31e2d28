"""Encoding of simulated pictures."""

import cv2
import numpy as np
from numpy.typing import NDArray


def encode(image_bgr: NDArray[np.uint8], *, quality: int = 85) -> bytes:
    """uint8 (height, width, 3) BGR as JPEG."""
    is_encoded, data = cv2.imencode(".jpg", image_bgr, [cv2.IMWRITE_JPEG_QUALITY, quality])
    if not is_encoded:
        raise ValueError(f"cannot encode a picture of shape {image_bgr.shape} as JPEG")
    return bytes(data.tobytes())
