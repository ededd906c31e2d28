"""Find the lines of the MRZ on a straightened page: long, parallel, equally wide rows of dark marks."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations, pairwise

import cv2
import numpy as np
from numpy.typing import NDArray

GreyImage = NDArray[np.uint8]

SEARCH_WIDTH_PX = 640
_MIN_WIDTH_RATIO = 0.24
_MAX_CANDIDATES = 16
# Rows of a zone follow one another; beside it there may be other rows at the same height.
_MAX_STEPS_APART = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class TextLine:
    """A row of text: the middle of its left and right end and its height, in pixels of the searched page."""

    left: tuple[float, float]
    right: tuple[float, float]
    height_px: float

    @property
    def width_px(self) -> float:
        """Length along the row."""
        return float(np.hypot(self.right[0] - self.left[0], self.right[1] - self.left[1]))

    @property
    def slope(self) -> float:
        """Rise over run."""
        return (self.right[1] - self.left[1]) / max(self.right[0] - self.left[0], 1.0)

    @property
    def middle_y(self) -> float:
        """Height of the middle of the row."""
        return (self.left[1] + self.right[1]) / 2


def find_mrz_lines(page_grey: GreyImage) -> tuple[TextLine, ...] | None:
    """Return the two or three rows that look most like an MRZ, from top to bottom, or None.

    ``page_grey`` is uint8, about ``SEARCH_WIDTH_PX`` wide. The zone may stand at the top (page upside down).
    """
    groups = rank_mrz_lines(page_grey)
    return groups[0] if groups else None


def rank_mrz_lines(page_grey: GreyImage) -> list[tuple[TextLine, ...]]:
    """Return every group of rows that may be an MRZ, the likeliest first; see :func:`find_mrz_lines`."""
    scored = []
    for group in _neighbours(_text_rows(page_grey)):
        score = _score(group, page_grey.shape)
        if score is not None:
            scored.append((score, group))
    scored.sort(key=lambda item: -item[0])
    return [group for _, group in scored]


def _neighbours(rows: Sequence[TextLine]) -> Iterator[tuple[TextLine, ...]]:
    for first in range(len(rows)):
        for count in (1, 2):
            for others in combinations(rows[first + 1 : first + 1 + count * _MAX_STEPS_APART], count):
                yield (rows[first], *others)


def _text_rows(page_grey: GreyImage) -> list[TextLine]:
    """Return the long rows of text, from top to bottom."""
    width = page_grey.shape[1]
    # Dark strokes on any slowly changing ground, whatever the light.
    strokes = cv2.morphologyEx(page_grey, cv2.MORPH_BLACKHAT, np.ones((11, 11), np.uint8))
    edges = cv2.convertScaleAbs(cv2.Sobel(strokes, cv2.CV_16S, 1, 0, ksize=3))
    joined = cv2.morphologyEx(edges, cv2.MORPH_CLOSE, np.ones((1, 19), np.uint8))
    joined = cv2.morphologyEx(joined, cv2.MORPH_OPEN, np.ones((3, 9), np.uint8))
    _, mask = cv2.threshold(joined, 0, 255, cv2.THRESH_BINARY + cv2.THRESH_OTSU)
    mask = cv2.morphologyEx(mask, cv2.MORPH_CLOSE, np.ones((1, 25), np.uint8))
    contours, _ = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    rows = []
    for contour in contours:
        x, y, w, h = cv2.boundingRect(contour)
        if w >= _MIN_WIDTH_RATIO * width and h < 0.25 * w:
            filled = np.zeros((h, w), np.uint8)
            cv2.drawContours(filled, [contour], -1, 1, cv2.FILLED, offset=(-x, -y))
            row = _row(filled.astype(np.bool_), x, y)
            if row is not None:
                rows.append(row)
    rows.sort(key=lambda row: -row.width_px)
    return sorted(rows[:_MAX_CANDIDATES], key=lambda row: row.middle_y)


def _row(mask: NDArray[np.bool_], x: int, y: int) -> TextLine | None:
    """Fit a straight row to a component's columns."""
    heights = mask.sum(axis=0)
    columns = np.flatnonzero(heights)
    if len(columns) < 20:
        return None
    middles = (np.arange(mask.shape[0])[:, None] * mask).sum(axis=0)[columns] / heights[columns]
    slope, offset = np.polyfit(columns, middles, 1)
    height_px = float(np.percentile(heights[columns], 60))
    first, last = float(columns[0]), float(columns[-1])
    if height_px > 0.12 * (last - first):
        return None
    return TextLine(
        left=(x + first, y + offset + slope * first),
        right=(x + last, y + offset + slope * last),
        height_px=height_px,
    )


def _score(group: Sequence[TextLine], shape: tuple[int, ...]) -> float | None:
    """Return how much the rows look like an MRZ, or None if they cannot be one."""
    page_height, page_width = shape[:2]
    widths = [row.width_px for row in group]
    heights = [row.height_px for row in group]
    gaps = [lower.middle_y - upper.middle_y for upper, lower in pairwise(group)]
    pitch = max(widths) / (30 if len(group) == 3 else 44)
    if min(widths) < 0.88 * max(widths) or max(heights) > 2.2 * min(heights):
        return None
    # The lines of a zone are 2.5 character pitches apart; 36 characters and perspective widen the range.
    if not all(1.2 * pitch <= gap <= 4.5 * pitch for gap in gaps) or max(gaps) > 1.5 * min(gaps):
        return None
    lefts, rights = [row.left[0] for row in group], [row.right[0] for row in group]
    misalignment = (max(lefts) - min(lefts) + max(rights) - min(rights)) / page_width
    slopes = [row.slope for row in group]
    if misalignment > 0.12 or max(slopes) - min(slopes) > 0.04:
        return None
    middle = float(np.mean([row.middle_y for row in group])) / page_height
    return max(widths) / page_width - 2 * misalignment + 0.3 * abs(middle - 0.5) + 0.15 * (len(group) - 2)
