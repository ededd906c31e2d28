"""Cut the lines of a zone out of the frame, as pictures for the recogniser."""

from collections.abc import Sequence
from itertools import pairwise

import cv2
import numpy as np
from numpy.typing import NDArray

from models.document.decode import Places
from models.document.lines import TextLine

Image = NDArray[np.uint8]

# OCR-B size 1: capitals are 2.4 mm high at a pitch of 2.54 mm (Doc 9303 part 3, 4.2; ISO 1073-2).
_HEIGHT_PER_PITCH = 0.945
# A page that leans back shows its rows lower than wide by up to this share.
_HEIGHT_RANGE = (0.85, 1.12)
# In how many parts of a row its height is looked for, and how far off it may be, in pixels of the picture.
_BLOCKS = 9
_MAX_SHIFT_PX = 7
_NEARLY = 0.06
# Empty paper at both ends of a line's picture, in heights of the row.
_MARGIN = 0.6
# A frame is shrunk before its lines are straightened if they would shrink by more than this.
_MAX_SHRINK = 1.5


def fitted(rows: Sequence[TextLine], places: Sequence[Places], frames: int) -> tuple[TextLine, ...]:
    """Return the rows with the ends and the height that their places have, as found in pictures of them ``frames`` wide.

    A row is found by its ink: specks lengthen it, faint ends shorten it, blur and patterns make it higher. Where its
    characters stand tells better, because their proportions are known. Rows that had common ends keep common ends.
    """
    starts = [each.middles[0] - each.pitch / 2 for each in places]
    ends = [each.middles[-1] + each.pitch / 2 for each in places]
    fit = []
    for row, each in zip(rows, places, strict=True):
        margin = _MARGIN * row.height_px / row.width_px
        left, right = (float(edge) / frames * (1 + 2 * margin) - margin for edge in (min(starts), max(ends)))
        part = row.between(left, right)
        usual = _HEIGHT_PER_PITCH * part.width_px * each.pitch / (max(ends) - min(starts))
        height_px = float(np.clip(row.height_px, _HEIGHT_RANGE[0] * usual, _HEIGHT_RANGE[1] * usual))
        fit.append(TextLine(left=part.left, right=part.right, height_px=height_px, bow_px=part.bow_px))
    return tuple(fit)


def centred(row: TextLine, picture_bgr: Image, half_height: float) -> TextLine:
    """Return the row moved, turned and bent so that its text lies along the middle of its picture.

    ``picture_bgr`` is uint8 (height, width, 3), cut out by :func:`line_grid` with this ``half_height``. The height of the text
    is looked for in blocks of a few characters each: where a bar as high as capitals covers most ink that is not beside it.
    """
    grey = cv2.cvtColor(picture_bgr, cv2.COLOR_BGR2GRAY).astype(np.float32)
    height, width = grey.shape
    edges = np.linspace(0, width, _BLOCKS + 1).astype(int)
    ink = np.stack([_ink_profile(grey[:, a:b]) for a, b in pairwise(edges)])
    bar = round(height / 2 / half_height)
    reach = min(_MAX_SHIFT_PX, (height - bar) // 2 + 2)
    padded = np.pad(ink, ((0, 0), (reach + height, reach + height)))
    sums = np.cumsum(np.pad(padded, ((0, 0), (1, 0))), axis=1)
    shifts = np.arange(-reach, reach + 1)
    top = reach + height + (height - bar) // 2 + shifts
    covered = sums[:, top + bar] - sums[:, top]
    # Fillers are lower than capitals: the bar covers them at several heights, of which the middle counts.
    span = covered.max(axis=1) - covered.min(axis=1)
    near = covered >= (covered.max(axis=1) - _NEARLY * span)[:, None]
    best = (near * shifts).sum(axis=1) / near.sum(axis=1)
    clear = span / near.sum(axis=1)
    share = (edges[:-1] + edges[1:]) / 2 / width
    bend, turn, shift = np.polyfit(share, best, 2, w=np.sqrt(clear + 1e-6))
    scale = 2 * half_height * row.height_px / height
    bend, turn, shift = (float(value) * scale for value in (bend, turn, shift))
    return TextLine(
        left=(row.left[0], row.left[1] + shift),
        right=(row.right[0], row.right[1] + shift + turn + bend),
        height_px=row.height_px,
        bow_px=row.bow_px - bend / 4,
    )


def _ink_profile(block: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return how much darker than the paper each row of a block is, float32 (height)."""
    paper = np.percentile(block, 80)
    return np.asarray(np.clip(paper - block, 0, None).mean(axis=1), dtype=np.float32)


def line_grid(
    row: TextLine, size: tuple[int, int], half_height: float
) -> tuple[NDArray[np.float32], tuple[float, float]]:
    """Return where on the page each pixel of the line's picture lies, and where the text begins and ends in it.

    The first is float32 (height * width, 2); ``size`` is (width, height) of the picture. The second are shares of the width.
    """
    margin = _MARGIN * row.height_px
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


def cut_out(image_bgr: Image, grids: Sequence[NDArray[np.float32]], size: tuple[int, int]) -> Image:
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
