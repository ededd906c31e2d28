"""Read a document in a frame: page, MRZ, portrait. Refuses rather than guesses."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import islice

import cv2
import numpy as np
from numpy.typing import NDArray

from gate.checks.mrz import Mrz, MrzFormat
from models.document.cut import centred, cut_out, fitted, line_grid
from models.document.lines import TextLine
from models.document.page import homography, inverse, map_points, quad_size
from models.document.recogniser import MrzReader, OcrbMrzReader
from models.document.sight import ZoneSight, see_zone
from models.document.views import View, views_of
from models.document.vote import blend, vote
from models.document.zone import MIN_ALONE, ZoneRead, ZoneRefused, read_sight
from models.face import Face, FaceDetector
from models.session import ModelSession

Image = NDArray[np.uint8]
Quad = NDArray[np.float32]

_PORTRAIT_SEARCH_WIDTH_PX = 448
_PORTRAIT_SIZE_PX = (280, 360)
_MAX_FACE_RATIO = 0.65
_MAX_RECOGNITIONS = 24
# How much of the page above and below the middle of a row belongs to its picture, in heights of the row.
_HALF_HEIGHT = 0.68
# How far beyond its ends a row is searched for lost places, as a share of its length.
_WIDER = 0.1
# Enough is shown above and below to see where the row really lies.
_WIDE_HALF_HEIGHT = 0.95
_FITTED_HALF_HEIGHTS = (0.62, 0.68, 0.75)
# Softly blurred once: noise, dots and holes of the ink vanish before its strokes do.
_SOFTENED_PX = 0.9
# A zone of which this share of the characters is clear is the zone, even if it is refused: little use looking elsewhere.
_SURELY_A_ZONE = 0.75
_MAX_SIGHTS = 3
# With less than this the rows themselves may be wrong: cut off at an end, or of another text.
_WELL_CUT = 0.9
# Below this no other cut of the same rows helps.
_WORTH_ANOTHER_CUT = 0.55
# With a smaller share than this it is some other text, or none.
_PERHAPS_A_ZONE = 0.3


class UnreadableReason(StrEnum):
    """Why a document was not read."""

    NO_MRZ = "no_mrz"
    UNCLEAR = "unclear"


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentUnreadable:
    """Nothing certain can be said; ``detail`` is one clause for the log and the officer.

    ``sight`` is what was seen of the zone, for :meth:`DocumentReader.read` of the next frame; None if there was none.
    """

    reason: UnreadableReason
    detail: str
    sight: ZoneSight | None = field(default=None, repr=False, compare=False)


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


class DocumentReader:
    """Reads TD1, TD2, TD3, MRV-A, MRV-B and FRID documents, whichever way up they lie.

    ``mrz`` is the session of our own recogniser, or any other :class:`MrzReader`. ``min_alone`` 0..1 is the evidence asked of
    a character that neither a check digit nor anything else confirms: more refuses more and misreads less.
    """

    def __init__(
        self, mrz: ModelSession | MrzReader, face_detector: FaceDetector, *, min_alone: float = MIN_ALONE
    ) -> None:
        self._min_alone = min_alone
        self._reader: MrzReader = OcrbMrzReader(mrz) if isinstance(mrz, ModelSession) else mrz
        self._face_detector = face_detector
        self.model_hashes: Mapping[str, str] = {
            self._reader.name: self._reader.model_hash,
            face_detector.session.name: face_detector.session.model_hash,
        }

    def read(self, image_bgr: Image, earlier: Sequence[DocumentUnreadable] = ()) -> DocumentRead | DocumentUnreadable:
        """Read the document in a uint8 (height, width, 3) BGR frame.

        ``earlier`` are the refusals of other frames of the same document: where this one is refused too, what was seen in
        all of them may decide (see :mod:`models.document.vote`). Frames that do not agree have no say.
        """
        view, zone = self._look_for_zone(image_bgr)
        if isinstance(zone, ZoneRefused) and zone.sight is not None and view is not None:
            sights = [refusal.sight for refusal in earlier if refusal.sight is not None]
            together = vote([*sights, zone.sight]) if sights else None
            voted = zone if together is None else read_sight(together, self._min_alone)
            zone = voted if _is_right(voted) else zone
        if isinstance(zone, ZoneRead) and view is not None:
            return self._complete(image_bgr, view, zone)
        if not isinstance(zone, ZoneRefused) or zone.clear_ratio < _PERHAPS_A_ZONE:
            return DocumentUnreadable(reason=UnreadableReason.NO_MRZ, detail="no machine-readable zone was found")
        return DocumentUnreadable(reason=UnreadableReason.UNCLEAR, detail=zone.detail, sight=zone.sight)

    def _look_for_zone(self, image_bgr: Image) -> tuple[View | None, ZoneRead | ZoneRefused | None]:
        """Return the first view whose zone is read, or the one whose zone is clearest."""
        best: tuple[View | None, ZoneRefused | None] = (None, None)
        sights: list[ZoneSight] = []
        for view in islice(views_of(image_bgr), _MAX_RECOGNITIONS):
            zone = self.read_view(image_bgr, view)
            if isinstance(zone, ZoneRefused) and zone.clear_ratio >= _SURELY_A_ZONE and zone.sight is not None:
                sights.append(zone.sight)
                together = blend(sights[-_MAX_SIGHTS:])
                voted = zone if together is None else read_sight(together, self._min_alone)
                zone = voted if isinstance(voted, ZoneRefused) or _is_right(voted) else zone
            if isinstance(zone, ZoneRead):
                return view, zone
            if best[1] is None or zone.clear_ratio > best[1].clear_ratio:
                best = view, zone
            if len(sights) >= _MAX_SIGHTS and best[1] is not None and best[1].clear_ratio >= _WELL_CUT:
                break
        return best

    def read_view(self, image_bgr: Image, view: View) -> ZoneRead | ZoneRefused:
        """Read the zone in the rows of one view of a frame."""
        first = self._see(image_bgr, view, view.rows, _HALF_HEIGHT)
        if first is None:
            return ZoneRefused(detail=f"{len(view.rows)} rows of this length are no MRZ")
        zone = read_sight(first, self._min_alone)
        if isinstance(zone, ZoneRead) and zone.is_plain:
            return zone
        if isinstance(zone, ZoneRefused) and zone.clear_ratio < _WORTH_ANOTHER_CUT:
            return zone
        second = self._read_fitted(image_bgr, view, view.rows, first, also=[first])
        if _is_right(second) or (_is_right(zone) and isinstance(second, ZoneRefused)):
            # What the first look left in doubt, if by little, the others must confirm.
            return second
        # A row that lost an end among patterns or at the page's edge, or that goes on beyond the text.
        wider = tuple(row.between(-_WIDER, 1 + _WIDER) for row in view.rows)
        sight = self._see(image_bgr, view, wider, _HALF_HEIGHT, is_wider=True)
        third = zone if sight is None else self._read_fitted(image_bgr, view, wider, sight)
        if isinstance(second, ZoneRead) and isinstance(third, ZoneRead) and second.mrz.lines == third.mrz.lines:
            return third
        # A wrong check digit accuses the document: it must be read twice, and the same.
        if _is_right(third):
            return third
        disagreed = ZoneRefused(detail="the check digits are wrong, but not every cut of the lines reads the same")
        refused = [each for each in (zone, second, third) if isinstance(each, ZoneRefused)]
        return max(refused, key=lambda each: each.clear_ratio, default=disagreed)

    def _read_fitted(
        self,
        image_bgr: Image,
        view: View,
        rows: Sequence[TextLine],
        sight: ZoneSight,
        also: Sequence[ZoneSight] = (),
    ) -> ZoneRead | ZoneRefused:
        """Cut the rows where their characters were seen to stand, a little nearer and wider, which err in other ways.

        ``also`` are looks that count as well, if they are of the same text.
        """
        fit = fitted(rows, sight.places, sight.frames)
        pictures, _ = self._cut(image_bgr, view, fit, _WIDE_HALF_HEIGHT)
        fit = tuple(centred(row, picture, _WIDE_HALF_HEIGHT) for row, picture in zip(fit, pictures, strict=True))
        looks = [self._see(image_bgr, view, fit, half) for half in _FITTED_HALF_HEIGHTS]
        looks.append(self._see(image_bgr, view, fit, _HALF_HEIGHT, softened_px=_SOFTENED_PX))
        seen = [look for look in looks if look is not None] or [sight]
        together = blend([*seen, *also]) or blend(seen)
        return read_sight(sight if together is None else together, self._min_alone)

    def _picture_size(self, view: View) -> tuple[int, int]:
        places = 30 if len(view.rows) == 3 else 44
        return places * self._reader.place_width_px, self._reader.line_height_px

    def _see(
        self,
        image_bgr: Image,
        view: View,
        rows: Sequence[TextLine],
        half_height: float,
        *,
        is_wider: bool = False,
        softened_px: float = 0.0,
    ) -> ZoneSight | None:
        """Cut the rows out, ``half_height`` of a row's height above and below its middle, and score them."""
        pictures, spans = self._cut(image_bgr, view, rows, half_height)
        if softened_px > 0:
            pictures = np.stack([cv2.GaussianBlur(picture, (0, 0), softened_px) for picture in pictures])
        return see_zone(self._reader.score(pictures, spans), is_wider=is_wider)

    def _cut(
        self, image_bgr: Image, view: View, rows: Sequence[TextLine], half_height: float
    ) -> tuple[Image, list[tuple[float, float]]]:
        """Return the rows' pictures, uint8 (n, height, width, 3), and where the text begins and ends in each."""
        size = self._picture_size(view)
        to_frame = inverse(view.to_page)
        cuts = [line_grid(row, size, half_height) for row in rows]
        return cut_out(image_bgr, [map_points(to_frame, grid) for grid, _ in cuts], size), [span for _, span in cuts]

    def _complete(self, image_bgr: Image, view: View, zone: ZoneRead) -> DocumentRead:
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
        self, image_bgr: Image, view: View
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


def _is_right(zone: ZoneRead | ZoneRefused) -> bool:
    return isinstance(zone, ZoneRead) and zone.mrz.check_digits_ok


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
