"""The visual zone of a data page: the rows of text above the MRZ, found by what the MRZ tells of place and scale.

Sources: ICAO Doc 9303, 8th edition, parts 4, 6 and 7 (sizes of TD3, TD2 and visas; the VIZ stands above the MRZ on the same side)
and part 3 section 4.2 (ten characters an inch, which gives the scale). A TD1 card has its VIZ on the other side.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from gate.checks.mrz import LAYOUTS, MrzFormat
from gate.checks.visual_zone import PrintedText, VisualZoneComparison, compare_visual_zone
from gate.core.document_findings import Agreement
from models.document.lines import SEARCH_WIDTH_PX, TextLine, rank_mrz_lines
from models.document.page import homography, inverse, map_points, quad_size
from models.document.reader import DocumentRead
from models.document.viz_text import TextReader

Image = NDArray[np.uint8]
GreyImage = NDArray[np.uint8]
Box = tuple[int, int, int, int]

PITCH_MM = 2.54
_PX_PER_MM = 8.0
# What lies above the first row's middle and beside the zone, in millimetres.
_ABOVE_MM: Mapping[MrzFormat, float] = {
    MrzFormat.TD3: 74.0,
    MrzFormat.MRVA: 68.0,
    MrzFormat.TD2: 60.0,
    MrzFormat.MRVB: 62.0,
}
_BESIDE_MM = 8.0
_GAP_MM = 3.5
# At 8 px a millimetre: broader than any stroke; heights of a character and of a row; the widest run of touching characters; the gap
# between words of a row, which is less than that between columns.
_STROKE_PX = 17
_DARK_SHARE = 0.9
_CHARACTER_PX = (10, 40)
_JOINED_PX = 160
_WORD_GAP_PX = 21
_ROW_PX = (11, 48)
_LEAST_WIDTH_PX = 28
_MOST_WIDTH_PX = 480
_MAX_ROWS = 36
_BATCH_ROWS = 6
# How much beside, above and below a row belongs to its picture, in heights of the row.
_BESIDE, _ABOVE = 0.35, 0.22


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Canvas:
    """The part of the page above the MRZ at a known scale; ``to_frame`` maps its pixels to the frame's."""

    grey: GreyImage
    to_frame: NDArray[np.float64]


class VisualZone:
    """Reads the visual zone and compares it with the MRZ. What it read leaves it only as shares of agreement."""

    def __init__(self, reader: TextReader) -> None:
        self._reader = reader
        self.model_hash = reader.model_hash

    def compare(self, image_bgr: Image, document: DocumentRead) -> VisualZoneComparison:
        """Compare a document that was read in this uint8 (height, width, 3) BGR frame with what is printed above its MRZ.

        Nothing is read where the format has no VIZ there or the zone is not found again. Reading ends when every field agrees.
        """
        canvas = _straighten_above(image_bgr, document)
        texts: list[PrintedText] = []
        boxes = [] if canvas is None else find_rows(canvas.grey)
        for start in range(0, len(boxes), _BATCH_ROWS):
            if canvas is not None:
                texts += self._read(image_bgr, canvas, boxes[start : start + _BATCH_ROWS])
            so_far = compare_visual_zone(texts, document.fields)
            if so_far.is_complete and so_far.agreement is Agreement.AGREES:
                return so_far
        return compare_visual_zone(texts, document.fields)

    def _read(self, image_bgr: Image, canvas: _Canvas, boxes: Sequence[Box]) -> list[PrintedText]:
        pictures = [_cut_row(image_bgr, canvas, box, self._reader.row_height_px) for box in boxes]
        return [
            PrintedText(text=reading.text, confidence=reading.confidence)
            for reading in self._reader.read(pictures)
            if reading.text.strip()
        ]


def _straighten_above(image_bgr: Image, document: DocumentRead) -> _Canvas | None:
    above_mm = _ABOVE_MM.get(document.format)
    if above_mm is None:
        return None
    grey = cv2.cvtColor(image_bgr, cv2.COLOR_BGR2GRAY)
    width, height = quad_size(document.page_quad_px)
    size = (SEARCH_WIDTH_PX, max(32, round(SEARCH_WIDTH_PX * height / width)))
    to_page = homography(document.page_quad_px, *size)
    page = cv2.warpPerspective(grey, to_page, size, flags=cv2.INTER_LINEAR).astype(np.uint8, copy=False)
    rows = next((rows for rows in rank_mrz_lines(page) if _is_below(rows, document, size[1])), None)
    if rows is None:
        return None
    places = LAYOUTS[document.format].line_length
    mm = max(row.width_px for row in rows) / places / PITCH_MM
    first = rows[0]
    along = np.array([first.right[0] - first.left[0], first.right[1] - first.left[1]]) / first.width_px
    up = np.array([along[1], -along[0]])
    left = np.array(first.left) - along * _BESIDE_MM * mm
    right = np.array(first.right) + along * _BESIDE_MM * mm
    low = up * _GAP_MM * mm
    high = up * above_mm * mm
    quad = np.array([left + high, right + high, right + low, left + low], np.float32)
    canvas_size = (
        round(np.linalg.norm(right - left) / mm * _PX_PER_MM),
        round((above_mm - _GAP_MM) * _PX_PER_MM),
    )
    on_frame = map_points(inverse(to_page), quad)
    to_canvas = homography(on_frame, *canvas_size)
    straight = cv2.warpPerspective(grey, to_canvas, canvas_size, flags=cv2.INTER_LINEAR)
    return _Canvas(grey=straight.astype(np.uint8, copy=False), to_frame=inverse(to_canvas))


def _is_below(rows: tuple[TextLine, ...], document: DocumentRead, height_px: int) -> bool:
    """The page is looked at as it was read, so its zone is in the lower half."""
    return len(rows) == len(document.lines) and rows[0].middle_y > height_px / 3


def find_rows(grey: GreyImage) -> list[Box]:
    """Return the rows of text, as x, y, width, height, of a uint8 picture at 8 px a millimetre; the tallest print first.

    Characters are found by their size first: patterns and portraits are dark too, but not in pieces of that size.
    """
    strokes = cv2.morphologyEx(grey, cv2.MORPH_BLACKHAT, np.ones((_STROKE_PX, _STROKE_PX), np.uint8))
    otsu, _ = cv2.threshold(strokes, 0, 255, cv2.THRESH_BINARY + cv2.THRESH_OTSU)
    _, dark = cv2.threshold(strokes, _DARK_SHARE * otsu, 255, cv2.THRESH_BINARY)
    mask = np.zeros_like(grey)
    for x, y, width, height, area in _components(dark.astype(np.uint8, copy=False)):
        is_character = _CHARACTER_PX[0] <= height <= _CHARACTER_PX[1] and 2 <= width <= _JOINED_PX
        if is_character and area > 0.12 * width * height:
            mask[y : y + height, x : x + width] = 255
    rows = cv2.morphologyEx(mask, cv2.MORPH_CLOSE, np.ones((1, _WORD_GAP_PX), np.uint8))
    rows = cv2.morphologyEx(rows, cv2.MORPH_OPEN, np.ones((9, 9), np.uint8))
    boxes = [
        (x, y, width, height)
        for x, y, width, height, area in _components(rows.astype(np.uint8, copy=False))
        if _ROW_PX[0] <= height <= _ROW_PX[1]
        and max(_LEAST_WIDTH_PX, 1.3 * height) <= width <= _MOST_WIDTH_PX
        and area > 0.5 * width * height
    ]
    boxes.sort(key=lambda box: -box[3])
    return boxes[:_MAX_ROWS]


def _components(mask: GreyImage) -> list[tuple[int, int, int, int, int]]:
    """Return x, y, width, height and area of the connected parts."""
    _, _, stats, _ = cv2.connectedComponentsWithStats(mask)
    return [(int(x), int(y), int(width), int(height), int(area)) for x, y, width, height, area in stats[1:]]


def _cut_row(image_bgr: Image, canvas: _Canvas, box: Box, height_px: int) -> Image:
    """Return a row as uint8 (height_px, width, 3) BGR, sampled from the frame itself."""
    x, y, width, height = box
    left, right = x - _BESIDE * height, x + width + _BESIDE * height
    top, bottom = y - _ABOVE * height, y + height + _ABOVE * height
    size = (max(height_px, round(height_px * (right - left) / (bottom - top))), height_px)
    corners = np.array([[left, top], [right, top], [right, bottom], [left, bottom]], np.float32)
    to_row = homography(map_points(canvas.to_frame, corners), *size)
    return cv2.warpPerspective(image_bgr, to_row, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE).astype(
        np.uint8, copy=False
    )
