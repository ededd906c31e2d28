"""Parallax: is there a head's relief in how the points of the face moved, and does what is around the face move with it?

A flat picture, however it is turned or brought nearer, moves as one homography. A head does not: turning moves each point by its height
over the plane of the face, nearing it moves it outwards by that. So the movement is explained twice, by a plane alone (affine and the
two terms of perspective) and by a plane with a generic head's relief on it, and the share of what the plane leaves that the relief
explains is the measure. If nothing moved, nothing was shown: no evidence.
"""

import numpy as np
from numpy.typing import NDArray

from models.pad.flow import Flow, Points, similarity_residual
from models.pad.frame import PadFrame

Floats = NDArray[np.float64]

_LEAST_MOVE_EYES = 0.15
_LEAST_GROWTH = 0.06
_LEAST_RESIDUAL_PX = 0.30
"""A frame is evidence if since the reference the face was shifted (by the eyes' distance), grew, or left so much to the similarity."""
_KEPT_RATIO = 0.85
_BINS_NS = 200_000_000
_LEAST_BINS = 2
_CLEARLY_MORE = 1.15
_TOP_SHARE = 0.75
_ROUNDS = 2
_RIDGE = 1e-6


class PlanaritySignal:
    """``score``: 0 (a plane) .. 1 (all that is not a plane's movement is a head's): share of squares, upper quartile over fifths of a
    second, because a head that does not turn for a while shows nothing.

    Sees: a print or a screen, flat or bent, that is moved. Does not see: a film of a head on a screen, whose parallax is real; a mask
    with relief. Somebody who only shifts while looking straight at the camera shows little more than a picture.
    """

    name = "planarity"

    def __init__(self) -> None:
        self._bins: dict[int, tuple[float, float, float]] = {}

    @property
    def score(self) -> float | None:
        if len(self._bins) < _LEAST_BINS:
            return None
        shares = [1 - relief / max(plane, 1e-12) for _, plane, relief in self._bins.values()]
        return float(np.quantile(shares, _TOP_SHARE))

    def feed(self, frame: PadFrame) -> None:
        flow = frame.flow
        if flow is None:
            return
        matrix, similar = similarity_residual(flow.face_from, flow.face_to)
        kept = np.argsort(similar)[: round(_KEPT_RATIO * len(similar))]
        moved = float(np.linalg.norm(np.mean(flow.face_to - flow.face_from, axis=0)))
        grown = abs(float(np.hypot(matrix[0, 0], matrix[0, 1])) - 1)
        size = float(np.sqrt(np.mean(similar[kept] ** 2)))
        if moved < _LEAST_MOVE_EYES * flow.eyes_px and grown < _LEAST_GROWTH and size < _LEAST_RESIDUAL_PX:
            return
        bin_number = frame.captured_ns // _BINS_NS
        # The most telling frame of each fifth of a second counts.
        if size < _CLEARLY_MORE * self._bins.get(bin_number, (0.0, 0.0, 0.0))[0]:
            return
        self._bins[bin_number] = (size, *unexplained(flow, kept))

    def reset(self) -> None:
        self._bins.clear()


def unexplained(flow: Flow, kept: NDArray[np.intp]) -> tuple[float, float]:
    """The squares (of eyes' distances) that a plane leaves of the ``kept`` points' movement, and those that a plane with relief leaves."""
    source, target = flow.face_from[kept].astype(np.float64), flow.face_to[kept].astype(np.float64)
    move = ((target - source) / flow.eyes_px).T.ravel()
    centred = (source - source.mean(axis=0)) / max(float(source.std()), 1e-6)
    u, v = centred.T
    one, none = np.ones_like(u), np.zeros_like(u)
    plane = np.concatenate(
        [
            np.stack([one, u, v, none, none, none, u * u, u * v], axis=1),
            np.stack([none, none, none, one, u, v, u * v, v * v], axis=1),
        ]
    )
    z = head_relief(flow.face_from[kept], flow.landmarks)
    relief = np.concatenate([np.stack([z, none, z * u], axis=1), np.stack([none, z, z * v], axis=1)])
    with_relief = np.hstack([plane, relief])
    weights = np.ones_like(move)
    for _ in range(_ROUNDS):
        left = np.hypot(*_left(with_relief, move, weights).reshape(2, -1))
        # Points that slipped count less (Huber's weights at twice the median).
        weights = np.tile(1 / np.maximum(1.0, left / (2 * np.median(left) + 1e-6)), 2)
    squares = [float(np.sum((weights * _left(terms, move, weights)) ** 2)) for terms in (plane, with_relief)]
    return squares[0], squares[1]


def _left(terms: Floats, move: Floats, weights: Floats) -> Floats:
    weighted = terms * (weights**2)[:, None]
    # The normal equations: ten times as fast, and the terms are of one size.
    solution = np.linalg.solve(weighted.T @ terms + _RIDGE * np.eye(terms.shape[1]), weighted.T @ move)
    return np.asarray(move - terms @ solution)


def head_relief(points: Points, landmarks: Floats) -> Floats:
    """Height of a generic head at ``points`` float32 (n, 2), in distances of the eyes: half an ellipsoid and a ridge for the nose."""
    across = landmarks[1] - landmarks[0]
    span = max(float(np.hypot(*across)), 1e-6)
    x_axis = across / span
    y_axis = np.array([-x_axis[1], x_axis[0]])
    middle = landmarks.mean(axis=0)
    away, nose = (points - middle) / span, (landmarks[2] - middle) / span
    u, v = away @ x_axis, away @ y_axis
    skull = 0.9 * np.sqrt(np.maximum(0.0, 1 - (u / 1.25) ** 2 - (v / 1.7) ** 2))
    ridge = 0.28 * np.exp(-(((u - nose @ x_axis) / 0.25) ** 2) - ((v - nose @ y_axis + 0.15) / 0.42) ** 2)
    return np.asarray(skull + ridge)


class SurroundSignal:
    """``score``: 0 (everything around the face moves with it) .. 1 (nothing does), over the frames in which the face moved.

    Sees: a sheet or a screen that is larger than the face. Does not see: a picture cut out along the face; a camera that moves makes
    everything look alike, so it is for fixed cameras.
    """

    name = "surround"
    _LEAST_MOVE_EYES = 0.10
    _FOLLOWS_RATIO = 0.22
    _LEAST_RING = 8

    def __init__(self) -> None:
        self._bins: dict[int, tuple[float, float]] = {}

    @property
    def score(self) -> float | None:
        if len(self._bins) < _LEAST_BINS:
            return None
        return float(np.median([1 - share for _, share in self._bins.values()]))

    def feed(self, frame: PadFrame) -> None:
        flow = frame.flow
        if flow is None or len(flow.ring_from) < self._LEAST_RING:
            return
        matrix, _ = similarity_residual(flow.face_from, flow.face_to)
        expected = flow.ring_from @ matrix[:, :2].T + matrix[:, 2]
        moves = np.linalg.norm(expected - flow.ring_from, axis=1)
        is_told = moves >= self._LEAST_MOVE_EYES * flow.eyes_px
        if is_told.sum() < self._LEAST_RING:
            return
        off = np.linalg.norm(flow.ring_to - expected, axis=1)[is_told] / moves[is_told]
        size = float(moves[is_told].mean())
        bin_number = frame.captured_ns // _BINS_NS
        if self._bins.get(bin_number, (0.0, 0.0))[0] < size:
            self._bins[bin_number] = size, float((off < self._FOLLOWS_RATIO).mean())

    def reset(self) -> None:
        self._bins.clear()
