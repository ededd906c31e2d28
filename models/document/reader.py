"""Read a document in a frame: page, MRZ, portrait. Refuses rather than guesses."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import islice

import cv2
import numpy as np
from numpy.typing import NDArray

from gate.checks.mrz import Mrz, MrzFormat
from models.document.decode import LineScores, average
from models.document.lines import SEARCH_WIDTH_PX, TextLine, rank_mrz_lines
from models.document.page import find_page, homography, inverse, map_points, quad_size, tilted, whole_image
from models.document.recogniser import MrzReader, OcrbMrzReader
from models.document.zone import ZoneRead, ZoneRefused, read_zone
from models.face import Face, FaceDetector
from models.session import ModelSession

Image = NDArray[np.uint8]
Quad = NDArray[np.float32]

_PORTRAIT_SEARCH_WIDTH_PX = 448
_PORTRAIT_SIZE_PX = (280, 360)
_MAX_FACE_RATIO = 0.65
_MAX_RECOGNITIONS = 16
# How much of the page above and below the middle of a row belongs to its picture, in heights of the row.
_HALF_HEIGHT = 0.68
_OTHER_HALF_HEIGHTS = (0.58, 0.78)
# Groups of rows tried in each way to look at the frame.
_MAX_GROUPS = 2
# A frame is shrunk before its lines are straightened if they would shrink by more than this.
_MAX_SHRINK = 1.5
_TILTS_DEG = (-10.0, 10.0, -20.0, 20.0, -30.0, 30.0)
# A zone of which this share of the characters is clear is the zone, even if it is refused: no use looking elsewhere.
_SURELY_A_ZONE = 0.75
# With a smaller share than this it is some other text, or none.
_PERHAPS_A_ZONE = 0.3
# Rows that rise more than this are looked at again, set straight.
_STRAIGHT_DEG = 2.0


class UnreadableReason(StrEnum):
    """Why a document was not read."""

    NO_MRZ = "no_mrz"
    UNCLEAR = "unclear"


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentUnreadable:
    """Nothing certain can be said; ``detail`` is one clause for the log and the officer."""

    reason: UnreadableReason
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class DocumentRead:
    """What a document says.

    ``lines`` are the MRZ's, ``fields`` their parsed content; ``check_digits_ok`` is False if one is printed wrong.
    ``confidence`` 0..1 is that of the least certain character. ``portrait_bgr`` is uint8 (360, 280, 3), upright, None if
    no face was found; ``portrait_face`` is the face in it, ready for ``FaceEmbedder.embed(portrait_bgr, portrait_face)``;
    ``portrait_box_px`` is x, y, width, height in the frame. ``page_quad_px`` float32 (4, 2) are the page's corners in the
    frame as the document is read: top left, top right, bottom right, bottom left. ``model_hashes``: sha256 by model name.
    """

    format: MrzFormat
    lines: tuple[str, ...]
    fields: Mrz
    check_digits_ok: bool
    confidence: float
    portrait_bgr: Image | None
    portrait_face: Face | None
    portrait_box_px: tuple[int, int, int, int] | None
    page_quad_px: Quad
    model_hashes: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _View:
    """One way to look at the frame: a quad of it straightened, and rows that may be the MRZ."""

    quad_px: Quad
    to_page: NDArray[np.float64]
    page_size_px: tuple[int, int]
    rows: tuple[TextLine, ...]


class DocumentReader:
    """Reads TD1, TD2, TD3, MRV-A, MRV-B and FRID documents, whichever way up they lie.

    ``mrz`` is the session of our own recogniser, or any other :class:`MrzReader`.
    """

    def __init__(self, mrz: ModelSession | MrzReader, face_detector: FaceDetector) -> None:
        self._reader: MrzReader = OcrbMrzReader(mrz) if isinstance(mrz, ModelSession) else mrz
        self._face_detector = face_detector
        self.model_hashes: Mapping[str, str] = {
            self._reader.name: self._reader.model_hash,
            face_detector.session.name: face_detector.session.model_hash,
        }

    def read(self, image_bgr: Image) -> DocumentRead | DocumentUnreadable:
        """Read the document in a uint8 (height, width, 3) BGR frame."""
        refusal: ZoneRefused | None = None
        for view in islice(_views(image_bgr), _MAX_RECOGNITIONS):
            zone = self._read_zone(image_bgr, view)
            if isinstance(zone, ZoneRead):
                return self._complete(image_bgr, view, zone)
            if refusal is None or zone.clear_ratio > refusal.clear_ratio:
                refusal = zone
            if refusal.clear_ratio >= _SURELY_A_ZONE:
                break
        if refusal is None or refusal.clear_ratio < _PERHAPS_A_ZONE:
            return DocumentUnreadable(reason=UnreadableReason.NO_MRZ, detail="no machine-readable zone was found")
        return DocumentUnreadable(reason=UnreadableReason.UNCLEAR, detail=refusal.detail)

    def _read_zone(self, image_bgr: Image, view: _View) -> ZoneRead | ZoneRefused:
        first = self._score(image_bgr, view, _HALF_HEIGHT)
        zone = read_zone(first)
        if isinstance(zone, ZoneRead) or zone.clear_ratio < _SURELY_A_ZONE:
            return zone
        # A few characters are in doubt: looks that cut a little nearer and wider err in other ways than the first.
        looks = [first, *(self._score(image_bgr, view, half) for half in _OTHER_HALF_HEIGHTS)]
        return read_zone([average(lines) for lines in zip(*looks, strict=True)])

    def _score(self, image_bgr: Image, view: _View, half_height: float) -> list[LineScores]:
        """Cut the lines out, ``half_height`` of a row's height above and below its middle, and score them."""
        places = 30 if len(view.rows) == 3 else 44
        size = (places * self._reader.place_width_px, self._reader.line_height_px)
        to_frame = inverse(view.to_page)
        cuts = [_line_grid(row, size, half_height) for row in view.rows]
        pictures = _cut_out(image_bgr, [map_points(to_frame, grid) for grid, _ in cuts], size)
        return self._reader.score(pictures, [span for _, span in cuts])

    def _complete(self, image_bgr: Image, view: _View, zone: ZoneRead) -> DocumentRead:
        portrait, face, box = self._find_portrait(image_bgr, view)
        return DocumentRead(
            format=zone.mrz.format,
            lines=zone.mrz.lines,
            fields=zone.mrz,
            check_digits_ok=zone.mrz.check_digits_ok,
            confidence=zone.confidence,
            portrait_bgr=portrait,
            portrait_face=face,
            portrait_box_px=box,
            page_quad_px=view.quad_px,
            model_hashes=self.model_hashes,
        )

    def _find_portrait(
        self, image_bgr: Image, view: _View
    ) -> tuple[Image | None, Face | None, tuple[int, int, int, int] | None]:
        """Find the largest face on the page and cut it out upright, at the frame's resolution."""
        width, height = quad_size(view.quad_px)
        scale = _PORTRAIT_SEARCH_WIDTH_PX / width
        size = (_PORTRAIT_SEARCH_WIDTH_PX, round(height * scale))
        to_small = homography(view.quad_px, *size)
        small = cv2.warpPerspective(image_bgr, to_small, size, flags=cv2.INTER_LINEAR).astype(np.uint8, copy=False)
        # Patterns and whole pages can look like one huge face; a portrait is never that large.
        faces = [face for face in self._face_detector.detect(small) if face.box_px[3] <= _MAX_FACE_RATIO * size[1]]
        if not faces:
            return None, None, None
        to_frame = inverse(to_small)
        quad = map_points(to_frame, _portrait_corners(faces[0]))
        to_portrait = homography(quad, *_PORTRAIT_SIZE_PX)
        portrait = cv2.warpPerspective(image_bgr, to_portrait, _PORTRAIT_SIZE_PX, flags=cv2.INTER_LINEAR)
        face = _map_face(faces[0], to_portrait @ to_frame)
        frame_height, frame_width = image_bgr.shape[:2]
        low = np.clip(quad.min(axis=0), 0, (frame_width, frame_height))
        high = np.clip(quad.max(axis=0), 0, (frame_width, frame_height))
        box = (round(low[0]), round(low[1]), round(high[0] - low[0]), round(high[1] - low[1]))
        return portrait.astype(np.uint8, copy=False), face, box


def _views(image_bgr: Image) -> Iterator[_View]:
    """Yield the ways to look at the frame, the likeliest first."""
    grey = cv2.cvtColor(image_bgr, cv2.COLOR_BGR2GRAY).astype(np.uint8, copy=False)
    page = find_page(image_bgr)
    whole = whole_image(image_bgr)
    upright = [whole] if page is None else [page, whole]
    # A page that stands on its side shows no rows as it is; then each quad is tried turned, at last askew.
    yield from _rows_of(grey, upright, page)
    yield from _rows_of(grey, [np.roll(quad, -1, axis=0) for quad in upright], None)
    yield from _rows_of(grey, [tilted(whole, degrees) for degrees in _TILTS_DEG], None)


def _rows_of(grey: Image, quads: Sequence[Quad], page: Quad | None) -> Iterator[_View]:
    for quad in quads:
        for view in _rank_views(grey, quad):
            yield view
            # On a page of known outline the zone's place tells which way up it lies; in a mere picture it may not.
            if quad is not page:
                yield _turned(view)


def _rank_views(grey: Image, quad: Quad) -> Iterator[_View]:
    """Look for the zone's rows in a quad of the frame; yield the likeliest groups, set straight."""
    page, to_page = _straighten(grey, quad)
    for rows in rank_mrz_lines(page)[:_MAX_GROUPS]:
        slope_deg = float(np.degrees(np.arctan(np.mean([row.slope for row in rows]))))
        if abs(slope_deg) <= _STRAIGHT_DEG:
            yield _upright(quad, to_page, page, rows)
            continue
        # Rows are found askew, but characters are best seen straight on.
        straight = tilted(quad, slope_deg)
        again, to_again = _straighten(grey, straight)
        for better in rank_mrz_lines(again)[:1]:
            yield _upright(straight, to_again, again, better)


def _straighten(grey: Image, quad: Quad) -> tuple[Image, NDArray[np.float64]]:
    width, height = quad_size(quad)
    size = (SEARCH_WIDTH_PX, max(32, round(SEARCH_WIDTH_PX * height / width)))
    to_page = homography(quad, *size)
    return cv2.warpPerspective(grey, to_page, size, flags=cv2.INTER_LINEAR).astype(np.uint8, copy=False), to_page


def _upright(quad: Quad, to_page: NDArray[np.float64], page: Image, rows: tuple[TextLine, ...]) -> _View:
    """Return the view; the zone is at a document's lower edge, so one at the top means that it lies upside down."""
    height, width = page.shape[:2]
    view = _View(quad_px=quad, to_page=to_page, page_size_px=(width, height), rows=rows)
    return view if float(np.mean([row.middle_y for row in rows])) > height / 2 else _turned(view)


def _turned(view: _View) -> _View:
    """Return the same view of a document that lies upside down."""
    width, height = view.page_size_px
    rows = tuple(
        TextLine(
            left=(width - row.right[0], height - row.right[1]),
            right=(width - row.left[0], height - row.left[1]),
            height_px=row.height_px,
            bow_px=-row.bow_px,
        )
        for row in reversed(view.rows)
    )
    quad = np.roll(view.quad_px, -2, axis=0)
    return _View(quad_px=quad, to_page=homography(quad, width, height), page_size_px=view.page_size_px, rows=rows)


def _line_grid(
    row: TextLine, size: tuple[int, int], half_height: float
) -> tuple[NDArray[np.float32], tuple[float, float]]:
    """Return where on the page each pixel of the line's picture lies, and where the text begins and ends in it.

    The first is float32 (height * width, 2); ``size`` is (width, height) of the picture. The second are shares of the width.
    """
    margin = 0.6 * row.height_px
    share = margin / (row.width_px + 2 * margin)
    along = (np.arange(size[0]) + 0.5) / size[0] * (1 + 2 * margin / row.width_px) - margin / row.width_px
    across = ((np.arange(size[1]) + 0.5) / size[1] - 0.5) * 2 * half_height * row.height_px
    x, y = row.at(0.0)
    rise = row.right[1] - row.left[1]
    width = row.right[0] - row.left[0]
    normal = np.array([-rise, width]) / row.width_px
    bow = 4 * row.bow_px * along * (1 - along)
    grid = np.empty((size[1], size[0], 2), np.float32)
    grid[..., 0] = x + along * width + across[:, None] * normal[0]
    grid[..., 1] = y + along * rise + bow + across[:, None] * normal[1]
    return grid.reshape(-1, 2), (share, 1 - share)


def _cut_out(image_bgr: Image, grids: Sequence[NDArray[np.float32]], size: tuple[int, int]) -> Image:
    """Return uint8 (n, height, width, 3) pictures of the frame at each grid's points; ``size`` is (width, height)."""
    width, height = size
    first = grids[0].reshape(height, width, 2)
    step = float(np.linalg.norm(first[height // 2, -1] - first[height // 2, 0])) / (width - 1)
    shrink = max(1.0, step / _MAX_SHRINK)
    origin = np.zeros(2, np.float32)
    if shrink > 1:
        # Skipping pixels of a large picture would break thin strokes: first average those around the zone.
        frame_height, frame_width = image_bgr.shape[:2]
        low = np.clip(np.min([grid.min(axis=0) for grid in grids], axis=0) - 2, 0, (frame_width - 2, frame_height - 2))
        high = np.clip(np.max([grid.max(axis=0) for grid in grids], axis=0) + 3, 2, (frame_width, frame_height))
        (left, top), (right, bottom) = low.astype(int), high.astype(int)
        if right - left > shrink and bottom - top > shrink:
            origin = np.array([left, top], np.float32)
            part = image_bgr[top:bottom, left:right]
            small = cv2.resize(part, None, fx=1 / shrink, fy=1 / shrink, interpolation=cv2.INTER_AREA)
            image_bgr = small.astype(np.uint8, copy=False)
        else:
            shrink = 1.0
    # Pixels are points in OpenCV's remap and squares in its resize: half a pixel lies between.
    half = 0.5 - 0.5 / shrink
    pictures = []
    for grid in grids:
        at = ((grid - origin - half) / shrink).astype(np.float32).reshape(height, width, 2)
        pictures.append(cv2.remap(image_bgr, at[..., 0], at[..., 1], cv2.INTER_LINEAR))
    return np.stack(pictures).astype(np.uint8, copy=False)


def _portrait_corners(face: Face) -> Quad:
    """Return a 35:45 frame around a face, as ICAO portraits have."""
    x, y, width, height = (float(value) for value in face.box_px)
    half_height = height / 0.60 / 2
    half_width = half_height * 35 / 45
    middle_x, middle_y = x + width / 2, y + height / 2
    left, right, top, bottom = (
        middle_x - half_width,
        middle_x + half_width,
        middle_y - half_height,
        middle_y + half_height,
    )
    return np.array([[left, top], [right, top], [right, bottom], [left, bottom]], np.float32)


def _map_face(face: Face, matrix: NDArray[np.float64]) -> Face:
    x, y, width, height = (float(value) for value in face.box_px)
    corners = map_points(matrix, np.array([[x, y], [x + width, y + height]], np.float32))
    box = np.concatenate([corners[0], corners[1] - corners[0]]).astype(np.float32)
    return Face(box_px=box, landmarks_px=map_points(matrix, face.landmarks_px), score=face.score)
