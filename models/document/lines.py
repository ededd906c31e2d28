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
_TALL_PX = 35
# Shares of the threshold that tells strokes from paper best; bold strokes are told from a printed pattern by more.
PLAIN, BOLD = (1.0, 0.5), (1.7, 2.6)
# A row bends by at most this share of its height; what bends more is no row.
_MAX_BOW = 1.0
# How far a row is lengthened to the ends of its neighbours, in places.
_MAX_LENGTHENED = 2.5
# Rows of a zone follow one another; beside it there may be other rows at the same height.
_MAX_STEPS_APART = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class TextLine:
    """A row of text: the middle of its left and right end and its height, in pixels of the searched page.

    ``bow_px`` is how far the middle of a bent row lies below the straight line between its ends.
    """

    left: tuple[float, float]
    right: tuple[float, float]
    height_px: float
    bow_px: float = 0.0

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
        return (self.left[1] + self.right[1]) / 2 + self.bow_px

    def at(self, share: float) -> tuple[float, float]:
        """Return the middle of the row at a share of its length: 0 is the left end, 1 the right; beyond them it goes on."""
        x = self.left[0] + share * (self.right[0] - self.left[0])
        y = self.left[1] + share * (self.right[1] - self.left[1]) + 4 * self.bow_px * share * (1 - share)
        return x, y

    def between(self, left: float, right: float) -> "TextLine":
        """Return the part of the row between two shares of its length; below 0 and above 1 it goes on."""
        return TextLine(
            left=self.at(left), right=self.at(right), height_px=self.height_px, bow_px=self.bow_px * (right - left) ** 2
        )


def find_mrz_lines(page_grey: GreyImage) -> tuple[TextLine, ...] | None:
    """Return the two or three rows that look most like an MRZ, from top to bottom, or None.

    ``page_grey`` is uint8, about ``SEARCH_WIDTH_PX`` wide. The zone may stand at the top (page upside down).
    """
    groups = rank_mrz_lines(page_grey)
    return groups[0] if groups else None


def justified(rows: Sequence[TextLine]) -> tuple[TextLine, ...]:
    """Return the rows with common ends: the lines of a zone have the same number of places, but faint ends get lost."""
    pitch = max(row.width_px for row in rows) / (30 if len(rows) == 3 else 44)
    left, right = min(row.left[0] for row in rows), max(row.right[0] for row in rows)
    return tuple(
        _lengthened(
            row,
            max(left, row.left[0] - _MAX_LENGTHENED * pitch),
            min(right, row.right[0] + _MAX_LENGTHENED * pitch),
        )
        for row in rows
    )


def _lengthened(row: TextLine, left: float, right: float) -> TextLine:
    width = row.right[0] - row.left[0]
    return row.between((left - row.left[0]) / width, (right - row.left[0]) / width)


def rank_mrz_lines(page_grey: GreyImage, shares: Sequence[float] = PLAIN) -> list[tuple[TextLine, ...]]:
    """Return every group of rows that may be an MRZ, the likeliest first; see :func:`find_mrz_lines`."""
    edges = _stroke_edges(page_grey)
    otsu, _ = cv2.threshold(edges, 0, 255, cv2.THRESH_BINARY + cv2.THRESH_OTSU)
    scored: list[tuple[float, tuple[TextLine, ...]]] = []
    for share in shares:
        for group in _neighbours(_text_rows(edges, otsu * share)):
            score = _score(group, page_grey.shape)
            if score is not None:
                scored.append((score, group))
        # The next threshold is for pages on which this one shows nothing.
        if scored:
            break
    scored.sort(key=lambda item: -item[0])
    return [justified(group) for _, group in scored]


def _neighbours(rows: Sequence[TextLine]) -> Iterator[tuple[TextLine, ...]]:
    for first in range(len(rows)):
        for count in (1, 2):
            for others in combinations(rows[first + 1 : first + 1 + count * _MAX_STEPS_APART], count):
                yield (rows[first], *others)


def _stroke_edges(page_grey: GreyImage) -> GreyImage:
    """Return how strongly each place looks like a row of upright strokes, uint8."""
    # Dark strokes on any slowly changing ground, whatever the light.
    strokes = cv2.morphologyEx(page_grey, cv2.MORPH_BLACKHAT, np.ones((11, 11), np.uint8))
    # A printed frame around the zone would join its rows: strokes far taller than a character are none.
    tall = cv2.morphologyEx(strokes, cv2.MORPH_OPEN, np.ones((_TALL_PX, 1), np.uint8))
    strokes = cv2.subtract(strokes, cv2.dilate(tall, np.ones((5, 5), np.uint8)))
    edges = cv2.convertScaleAbs(cv2.Sobel(strokes, cv2.CV_16S, 1, 0, ksize=3))
    joined = cv2.morphologyEx(edges, cv2.MORPH_CLOSE, np.ones((1, 19), np.uint8))
    return cv2.morphologyEx(joined, cv2.MORPH_OPEN, np.ones((3, 9), np.uint8)).astype(np.uint8, copy=False)


def _text_rows(edges: GreyImage, threshold: float) -> list[TextLine]:
    """Return the long rows of text, from top to bottom."""
    width = edges.shape[1]
    _, mask = cv2.threshold(edges, threshold, 255, cv2.THRESH_BINARY)
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
    height_px = float(np.percentile(heights[columns], 60))
    first, last = float(columns[0]), float(columns[-1])
    if height_px > 0.12 * (last - first):
        return None
    share = (columns - first) / (last - first)
    bend, rise, left = (float(value) for value in np.polyfit(share, middles, 2))
    return TextLine(
        left=(x + first, y + left),
        right=(x + last, y + left + rise + bend),
        height_px=height_px,
        bow_px=float(np.clip(-bend / 4, -_MAX_BOW * height_px, _MAX_BOW * height_px)),
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
