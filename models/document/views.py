"""The ways to look at a frame for the zone: quads of it that may be the page, and rows on them that may be the MRZ."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from models.document.lines import BOLD, PLAIN, SEARCH_WIDTH_PX, TextLine, rank_mrz_lines
from models.document.page import find_page, homography, quad_size, tilted, whole_image

Image = NDArray[np.uint8]
Quad = NDArray[np.float32]

# Groups of rows tried in each way to look at the frame.
_MAX_GROUPS = 2
# The whole picture is searched more finely at last: the page may be small in it.
_FINE_WIDTH_PX = 1120
# Rows of 30 characters are 12 times as long as they are apart, those of 36 are 14 times (2.54 mm and 6.35 mm).
_CARD_WIDTH_PER_GAP = 13.2
_TILTS_DEG = (-10.0, 10.0, -20.0, 20.0, -30.0, 30.0)
# Rows that rise more than this are looked at again, set straight.
_STRAIGHT_DEG = 2.0


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class View:
    """One way to look at the frame: a quad of it straightened, and rows that may be the MRZ."""

    quad_px: Quad
    to_page: NDArray[np.float64]
    page_size_px: tuple[int, int]
    rows: tuple[TextLine, ...]


def views_of(image_bgr: Image) -> Iterator[View]:
    """Yield the ways to look at the frame, the likeliest first."""
    grey = cv2.cvtColor(image_bgr, cv2.COLOR_BGR2GRAY).astype(np.uint8, copy=False)
    page = find_page(image_bgr)
    whole = whole_image(image_bgr)
    upright = [whole] if page is None else [page, whole]
    # A page that stands on its side shows no rows as it is; then each quad is tried turned, at last askew.
    yield from _rows_of(grey, upright, page)
    yield from _rows_of(grey, [np.roll(quad, -1, axis=0) for quad in upright], None)
    # A patterned page, or a small one on a large table: only the boldest strokes, and the whole picture more finely.
    for turn in (0, -1):
        yield from _rows_of(grey, [np.roll(quad, turn, axis=0) for quad in upright], None, BOLD)
        yield from _rows_of(grey, [np.roll(whole, turn, axis=0)], None, (*BOLD, *PLAIN), _FINE_WIDTH_PX)
    yield from _rows_of(grey, [tilted(whole, degrees) for degrees in _TILTS_DEG], None)


def _rows_of(
    grey: Image,
    quads: Sequence[Quad],
    page: Quad | None,
    shares: Sequence[float] = PLAIN,
    width_px: int = SEARCH_WIDTH_PX,
) -> Iterator[View]:
    for quad in quads:
        for view in _ranked(grey, quad, shares, width_px):
            yield view
            # On a page of known outline the zone's place tells which way up it lies; in a mere picture it may not.
            if quad is not page:
                yield turned(view)


def _ranked(grey: Image, quad: Quad, shares: Sequence[float], width_px: int) -> Iterator[View]:
    """Look for the zone's rows in a quad of the frame; yield the likeliest groups, set straight."""
    page, to_page = _straighten(grey, quad, width_px)
    for rows in rank_mrz_lines(page, shares)[:_MAX_GROUPS]:
        slope_deg = float(np.degrees(np.arctan(np.mean([row.slope for row in rows]))))
        if abs(slope_deg) <= _STRAIGHT_DEG:
            yield from (_upright(quad, to_page, page, group) for group in completed(rows))
            continue
        # Rows are found askew, but characters are best seen straight on.
        straight = tilted(quad, slope_deg)
        again, to_again = _straighten(grey, straight, width_px)
        for better in rank_mrz_lines(again, shares)[:1]:
            yield from (_upright(straight, to_again, again, group) for group in completed(better))


def completed(rows: tuple[TextLine, ...]) -> Iterator[tuple[TextLine, ...]]:
    """Yield the rows, and if they are two that stand as far apart as those of a card, also with the third that was lost."""
    yield rows
    if len(rows) != 2 or max(row.width_px for row in rows) > _CARD_WIDTH_PER_GAP * (
        rows[1].middle_y - rows[0].middle_y
    ):
        return
    upper, lower = rows
    yield (upper, lower, _beyond(upper, lower))
    yield (_beyond(lower, upper), upper, lower)


def _beyond(one: TextLine, other: TextLine) -> TextLine:
    """Return the row that is as far from the other as that from the one, on its other side."""
    left, right = ((2 * b[0] - a[0], 2 * b[1] - a[1]) for a, b in ((one.left, other.left), (one.right, other.right)))
    return TextLine(left=left, right=right, height_px=other.height_px, bow_px=2 * other.bow_px - one.bow_px)


def _straighten(grey: Image, quad: Quad, width_px: int = SEARCH_WIDTH_PX) -> tuple[Image, NDArray[np.float64]]:
    width, height = quad_size(quad)
    size = (width_px, max(32, round(width_px * height / width)))
    to_page = homography(quad, *size)
    return cv2.warpPerspective(grey, to_page, size, flags=cv2.INTER_LINEAR).astype(np.uint8, copy=False), to_page


def _upright(quad: Quad, to_page: NDArray[np.float64], page: Image, rows: tuple[TextLine, ...]) -> View:
    """Return the view; the zone is at a document's lower edge, so one at the top means that it lies upside down."""
    height, width = page.shape[:2]
    view = View(quad_px=quad, to_page=to_page, page_size_px=(width, height), rows=rows)
    return view if float(np.mean([row.middle_y for row in rows])) > height / 2 else turned(view)


def turned(view: View) -> View:
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
    return View(quad_px=quad, to_page=homography(quad, width, height), page_size_px=view.page_size_px, rows=rows)
