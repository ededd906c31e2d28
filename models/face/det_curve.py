"""Draw a detection error trade-off curve (ISO/IEC 19795-1:2021, 9.7.3) as a picture, with logarithmic axes."""

from collections.abc import Mapping

import cv2
import numpy as np
from numpy.typing import NDArray

from models.face.rates import ScoreCounts

Image = NDArray[np.uint8]

_WIDTH_PX, _HEIGHT_PX = 900, 700
_LEFT_PX, _RIGHT_PX, _TOP_PX, _BOTTOM_PX = 100, 30, 40, 80
_X_DECADES = (-6, 0)
_Y_DECADES = (-3, 0)
_COLOURS_BGR = ((176, 98, 22), (40, 110, 220), (80, 140, 40), (120, 60, 140))
_INK_BGR = (60, 60, 60)
_GRID_BGR = (225, 225, 225)


def curve(genuine: ScoreCounts, impostor: ScoreCounts) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the false match and the false non-match rate (0..1) at every step of the threshold.

    Raises ValueError if either set is empty.
    """
    if genuine.total == 0 or impostor.total == 0:
        raise ValueError("rates need pairs of the same person and pairs of different people")
    return impostor.reaching() / impostor.total, 1 - genuine.reaching() / genuine.total


def draw_det(
    curves: Mapping[str, tuple[ScoreCounts, ScoreCounts]],
    *,
    across: str = "false match rate",
    up: str = "false non-match rate",
) -> Image:
    """Return a uint8 (700, 900, 3) BGR picture of one curve a name; ``curves`` gives genuine and impostor scores."""
    image = np.full((_HEIGHT_PX, _WIDTH_PX, 3), 255, np.uint8)
    _draw_axes(image, across, up)
    for i, (name, (genuine, impostor)) in enumerate(curves.items()):
        colour = _COLOURS_BGR[i % len(_COLOURS_BGR)]
        fmr, fnmr = curve(genuine, impostor)
        # A rate of nothing has no logarithm: the curve ends where the data or the axes do.
        shown = (fmr >= 10.0 ** _X_DECADES[0]) & (fnmr >= 10.0 ** _Y_DECADES[0])
        points = np.stack([_x_px(fmr[shown]), _y_px(fnmr[shown])], axis=1)
        _, first = np.unique(points.round().astype(np.int32), axis=0, return_index=True)
        path = points[np.sort(first)].round().astype(np.int32)
        cv2.polylines(image, [path], isClosed=False, color=colour, thickness=2, lineType=cv2.LINE_AA)
        y = _TOP_PX + 30 + 28 * i
        cv2.line(image, (_WIDTH_PX - 260, y - 5), (_WIDTH_PX - 220, y - 5), colour, 2, cv2.LINE_AA)
        _text(image, name, (_WIDTH_PX - 210, y))
    return image


def _draw_axes(image: Image, across: str, up: str) -> None:
    right, bottom = _WIDTH_PX - _RIGHT_PX, _HEIGHT_PX - _BOTTOM_PX
    for decade in range(_X_DECADES[0], _X_DECADES[1] + 1):
        x = round(float(_x_px(np.array([10.0**decade]))[0]))
        cv2.line(image, (x, _TOP_PX), (x, bottom), _GRID_BGR, 1)
        _text(image, f"1e{decade}" if decade else "1", (x - 18, bottom + 25))
    for decade in range(_Y_DECADES[0], _Y_DECADES[1] + 1):
        y = round(float(_y_px(np.array([10.0**decade]))[0]))
        cv2.line(image, (_LEFT_PX, y), (right, y), _GRID_BGR, 1)
        _text(image, f"{10.0**decade:g}", (_LEFT_PX - 65, y + 5))
    cv2.rectangle(image, (_LEFT_PX, _TOP_PX), (right, bottom), _INK_BGR, 1)
    _text(image, across, ((_LEFT_PX + right) // 2 - 70, _HEIGHT_PX - 20))
    _text(image, up, (_LEFT_PX, _TOP_PX - 14))


def _x_px(rates: NDArray[np.float64]) -> NDArray[np.float64]:
    low, high = _X_DECADES
    share = (np.log10(np.clip(rates, 10.0**low, 1)) - low) / (high - low)
    return np.asarray(_LEFT_PX + share * (_WIDTH_PX - _LEFT_PX - _RIGHT_PX))


def _y_px(rates: NDArray[np.float64]) -> NDArray[np.float64]:
    low, high = _Y_DECADES
    share = (np.log10(np.clip(rates, 10.0**low, 1)) - low) / (high - low)
    return np.asarray(_HEIGHT_PX - _BOTTOM_PX - share * (_HEIGHT_PX - _TOP_PX - _BOTTOM_PX))


def _text(image: Image, text: str, origin: tuple[int, int]) -> None:
    cv2.putText(image, text, origin, cv2.FONT_HERSHEY_SIMPLEX, 0.5, _INK_BGR, 1, cv2.LINE_AA)
