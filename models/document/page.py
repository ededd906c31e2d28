"""Find the document in a frame and look at it straight on."""

import cv2
import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.uint8]
Quad = NDArray[np.float32]

_SEARCH_WIDTH_PX = 320
_MIN_AREA_RATIO = 0.12
_MAX_AREA_RATIO = 0.97


def find_page(image_bgr: Image) -> Quad | None:
    """Return the corners of a bright document on a dark ground, or None.

    The input is uint8 (height, width, 3) BGR. The corners are float32 (4, 2) in its pixels: top left, top right, bottom
    right, bottom left as the frame shows them; the document itself may lie upside down in it.
    """
    # Skipping pixels is enough for an outline and much cheaper than averaging them.
    step = max(1, round(image_bgr.shape[1] / _SEARCH_WIDTH_PX))
    blue, green, red = cv2.split(image_bgr[::step, ::step])
    # The brightest channel tells paper of any colour from dark glass best.
    bright = cv2.GaussianBlur(cv2.max(cv2.max(blue, green), red), (5, 5), 0)
    _, mask = cv2.threshold(bright, 0, 255, cv2.THRESH_BINARY + cv2.THRESH_OTSU)
    contours, _ = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    if not contours:
        return None
    hull = cv2.convexHull(max(contours, key=cv2.contourArea))
    ratio = cv2.contourArea(hull) / mask.size
    if not _MIN_AREA_RATIO <= ratio <= _MAX_AREA_RATIO:
        return None
    quad = _four_corners(hull)
    if quad is None or cv2.contourArea(quad) < 0.85 * cv2.contourArea(hull):
        return None
    return order_corners(quad * np.float32(step))


def _four_corners(hull: cv2.typing.MatLike) -> Quad | None:
    perimeter = cv2.arcLength(hull, True)
    for tolerance in (0.02, 0.035, 0.05, 0.08):
        corners = cv2.approxPolyDP(hull, tolerance * perimeter, True)
        if len(corners) == 4:
            return corners[:, 0].astype(np.float32)
    return None


def order_corners(quad: Quad) -> Quad:
    """Return the corners in reading order: top left, top right, bottom right, bottom left."""
    centre = quad.mean(axis=0)
    angle = np.arctan2(quad[:, 1] - centre[1], quad[:, 0] - centre[0])
    ring = quad[np.argsort(angle)]
    start = int(np.argmin(ring.sum(axis=1)))
    return np.roll(ring, -start, axis=0).astype(np.float32)


def whole_image(image_bgr: Image) -> Quad:
    """Return the picture's own corners, for scans that show nothing but the document."""
    height, width = image_bgr.shape[:2]
    return np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)


def tilted(quad: Quad, degrees: float) -> Quad:
    """Return the quad turned about its middle, clockwise in the picture."""
    turn = np.radians(degrees)
    rotation = np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]], np.float32)
    centre = quad.mean(axis=0)
    return np.asarray((quad - centre) @ rotation + centre, dtype=np.float32)


def quad_size(quad: Quad) -> tuple[float, float]:
    """Return the longer width and height of a quad in pixels."""
    top, right, bottom, left = (np.linalg.norm(quad[i] - quad[(i + 1) % 4]) for i in range(4))
    return float(max(top, bottom)), float(max(left, right))


def inverse(matrix: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the inverse of a homography."""
    return np.asarray(np.linalg.inv(matrix), dtype=np.float64)


def homography(quad: Quad, width_px: float, height_px: float) -> NDArray[np.float64]:
    """Return the float64 (3, 3) matrix that maps a quad of the picture onto a width x height rectangle."""
    target = np.array([[0, 0], [width_px, 0], [width_px, height_px], [0, height_px]], np.float32)
    return np.asarray(cv2.getPerspectiveTransform(quad, target), dtype=np.float64)


def map_points(matrix: NDArray[np.float64], points: NDArray[np.float32]) -> NDArray[np.float32]:
    """Apply a homography to float32 (n, 2) points."""
    mapped: NDArray[np.float32] = cv2.perspectiveTransform(points[None].astype(np.float64), matrix)[0].astype(
        np.float32
    )
    return mapped
