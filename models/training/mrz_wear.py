"""Ink and pictures that have lost something: for the last stage of training, after the shapes themselves are known.

Strengths are relative to the pitch. Nothing here hides a whole character; what is lost is strokes, edges and contrast.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

from models.training.mrz_damage import noise_field

Grey = NDArray[np.uint8]
Field = NDArray[np.float32]


def wear_ink(rng: np.random.Generator, ink: Grey, pitch_px: float) -> Grey:
    """Take away some of the ink, uint8 0..255, in one or two of the ways in which print is lost."""
    kept = np.ones(ink.shape, np.float32)
    for _ in range(int(rng.integers(1, 3))):
        kind = int(rng.integers(6))
        if kind == 0:
            kept *= _specks(rng, ink.shape, pitch_px)
        elif kind == 1:
            kept *= _streaks(rng, ink.shape, pitch_px)
        elif kind == 2:
            kept *= _scratches(rng, ink.shape, pitch_px)
        elif kind == 3:
            kept *= _raster(rng, ink.shape, pitch_px)
        elif kind == 4:
            # Pale where the page is handled: whole characters, but all of their strokes alike.
            pale = noise_field(rng, ink.shape, rng.uniform(1.5, 8.0) * pitch_px)
            kept *= 1 - rng.uniform(0.2, 0.75) * np.clip(pale, 0, 1)
        else:
            soft = cv2.GaussianBlur(ink, (0, 0), rng.uniform(0.03, 0.075) * pitch_px)
            edge = rng.uniform(90, 200)
            ragged = noise_field(rng, ink.shape, rng.uniform(0.05, 0.15) * pitch_px) * rng.uniform(5, 45)
            ink = np.asarray(np.where(soft + ragged > edge, 255, soft // 4), dtype=np.uint8)
    return np.asarray(ink * np.clip(kept, 0, 1), dtype=np.uint8)


def _specks(rng: np.random.Generator, shape: tuple[int, ...], pitch_px: float) -> Field:
    """Holes of one size, anywhere."""
    grain = noise_field(rng, shape, rng.uniform(0.04, 0.28) * pitch_px)
    left = rng.uniform(0.0, 0.6)
    return np.asarray(np.where(grain > rng.uniform(0.8, 2.0), left, 1.0), dtype=np.float32)


def _streaks(rng: np.random.Generator, shape: tuple[int, ...], pitch_px: float) -> Field:
    """Hairlines along or across the line that took no ink."""
    kept = np.ones(shape, np.float32)
    along = bool(rng.random() < 0.6)
    for _ in range(int(rng.integers(1, 5)) if along else int(rng.integers(3, 40))):
        at = int(rng.integers(0, shape[0] if along else shape[1]))
        thick = max(1, round(rng.uniform(0.02, 0.09) * pitch_px))
        if along:
            kept[at : at + thick] *= rng.uniform(0.0, 0.7)
        else:
            kept[:, at : at + thick] *= rng.uniform(0.0, 0.7)
    return kept


def _scratches(rng: np.random.Generator, shape: tuple[int, ...], pitch_px: float) -> Field:
    """Bright cuts and folds in any direction."""
    kept = np.ones(shape, np.float32)
    for _ in range(int(rng.integers(2, 25))):
        a = np.array([rng.uniform(0, shape[1]), rng.uniform(0, shape[0])])
        turn, reach = rng.uniform(0, np.pi), rng.uniform(0.3, 4.0) * pitch_px
        b = a + reach * np.array([np.cos(turn), np.sin(turn)])
        thick = max(1, round(rng.uniform(0.02, 0.1) * pitch_px))
        cv2.line(kept, a.astype(int).tolist(), b.astype(int).tolist(), (float(rng.uniform(0, 0.6)),), thick)
    return kept


def _raster(rng: np.random.Generator, shape: tuple[int, ...], pitch_px: float) -> Field:
    """The dots or lines of a printer, at any angle."""
    y, x = np.mgrid[: shape[0], : shape[1]].astype(np.float32) / (rng.uniform(0.06, 0.2) * pitch_px)
    turn = rng.uniform(0, np.pi)
    u, v = x * np.cos(turn) + y * np.sin(turn), y * np.cos(turn) - x * np.sin(turn)
    dots = np.cos(2 * np.pi * u) * (np.cos(2 * np.pi * v) if rng.random() < 0.6 else 1.0)
    return np.asarray(1 - rng.uniform(0.2, 0.8) * np.clip(0.5 - dots, 0, 1), dtype=np.float32)


def security_print(rng: np.random.Generator, shape: tuple[int, int], pitch_px: float) -> Field:
    """Return the fine lines of a security print, float32 (height, width), in grey levels to be taken from the paper.

    Families of waves, rings and straight lines, as thin as the strokes of characters and up to a third as dark.
    """
    height, width = shape
    print_ = np.zeros(shape, np.float32)
    for _ in range(int(rng.integers(1, 4))):
        layer = np.zeros(shape, np.uint8)
        thick, gap = max(1, round(rng.uniform(0.03, 0.13) * pitch_px)), rng.uniform(0.35, 3.0) * pitch_px
        turn, sway = rng.uniform(0, np.pi), rng.uniform(0, 2.5) * pitch_px
        wave, drift = rng.uniform(0.8, 8.0) * pitch_px, rng.uniform(0, 2.0)
        along = np.arange(-width, 2 * width, max(2.0, 0.25 * pitch_px))
        for index in range(int(np.clip(2 * width / gap, 3, 90))):
            across = (index * gap - width) + sway * np.sin(2 * np.pi * along / wave + drift * index)
            x = width / 2 + (along - width / 2) * np.cos(turn) - across * np.sin(turn)
            y = height / 2 + (along - width / 2) * np.sin(turn) + across * np.cos(turn)
            points = (np.stack([x, y], axis=1) * 8).astype(np.int32)
            cv2.polylines(layer, [points], False, (255,), thick, cv2.LINE_AA, 3)
        print_ += layer * np.float32(rng.uniform(6, 50) / 255)
    return np.minimum(print_, 65)


def wear_picture(rng: np.random.Generator, frame: Grey, pitch_px: float) -> Grey:
    """What software and bright light do to a picture, uint8, or nothing."""
    kind = rng.random()
    if kind < 0.08:
        # A scan in black and white, or one that was made so and shrunk.
        size = 2 * round(rng.uniform(0.7, 2.5) * pitch_px) + 3
        method = cv2.ADAPTIVE_THRESH_MEAN_C if rng.random() < 0.5 else cv2.ADAPTIVE_THRESH_GAUSSIAN_C
        hard = cv2.adaptiveThreshold(frame, 255, method, cv2.THRESH_BINARY, size, float(rng.uniform(3, 25)))
        soft = cv2.GaussianBlur(hard, (0, 0), rng.uniform(0.3, 0.9))
        share = rng.uniform(0.5, 1.0)
        frame = np.asarray(cv2.addWeighted(soft, share, frame, 1 - share, 0), dtype=np.uint8)
    elif kind < 0.20:
        # Made small and large again.
        factor = max(rng.uniform(0.45, 0.9), min(1.0, 6.0 / pitch_px))
        ways = (cv2.INTER_AREA, cv2.INTER_LINEAR, cv2.INTER_NEAREST)
        small = cv2.resize(frame, None, fx=factor, fy=factor, interpolation=ways[int(rng.integers(3))])
        way = cv2.INTER_CUBIC if rng.random() < 0.6 else cv2.INTER_NEAREST
        frame = np.asarray(cv2.resize(small, (frame.shape[1], frame.shape[0]), interpolation=way), dtype=np.uint8)
    elif kind < 0.28 and pitch_px > 12:
        frame = np.asarray(cv2.medianBlur(frame, 3), dtype=np.uint8)
    if rng.random() < 0.12:
        # Too much light: the paper is white and thin strokes go with it.
        lifted = frame.astype(np.float32) * rng.uniform(1.0, 1.7) + rng.uniform(0, 60)
        veil = noise_field(rng, frame.shape, rng.uniform(3, 12) * pitch_px) * rng.uniform(0, 40)
        frame = np.asarray(np.clip(lifted + veil, 0, 255), dtype=np.uint8)
    if rng.random() < 0.3:
        curve = 255 * (np.arange(256) / 255) ** rng.uniform(0.6, 1.7)
        frame = np.asarray(cv2.LUT(frame, curve.astype(np.uint8)), dtype=np.uint8)
    return frame
