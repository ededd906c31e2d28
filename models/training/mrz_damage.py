"""What printers, pages, light, lenses and codecs do to a line of text. Strengths are relative to the pitch."""

import cv2
import numpy as np
from numpy.typing import NDArray

Grey = NDArray[np.uint8]
Mask = NDArray[np.float32]


def print_ink(rng: np.random.Generator, ink: Grey, pitch_px: float) -> Grey:
    """Spread or thin the ink (0..255) and leave specks out, as printers do."""
    spread = float(rng.normal(0, 0.022))
    soft = cv2.GaussianBlur(ink, (0, 0), max(0.6, 0.045 * pitch_px))
    # Shifting the threshold of a soft edge moves the edge: outwards for spread ink.
    level = 0.5 - 0.5 * np.tanh(spread / 0.09)
    hardness = rng.uniform(2.5, 8.0)
    curve = np.clip((np.arange(256) / 255 - level) * hardness + 0.5, 0, 1)
    hard = np.asarray(cv2.LUT(soft, (curve * 255).astype(np.uint8)), dtype=np.uint8)
    if rng.random() < 0.35:
        grain = noise_field(rng, ink.shape, rng.uniform(0.06, 0.2) * pitch_px)
        hard[grain > rng.uniform(0.7, 1.7)] //= int(rng.integers(2, 5))
    return hard


def soften(ink: Grey, scale: float) -> Grey:
    """Blur so that sampling every ``scale`` pixels does not alias: a sensor's pixel has a size."""
    if scale <= 1:
        return ink
    return np.asarray(cv2.GaussianBlur(ink, (0, 0), 0.42 * scale), dtype=np.uint8)


def page_ground(rng: np.random.Generator, shape: tuple[int, int], pitch_px: float) -> Mask:
    """Return an unprinted page, float32 grey levels around 0: patterns, fibres, tints with edges, rules."""
    height, width = shape
    ground = np.zeros(shape, np.float32)
    y, x = np.mgrid[:height, :width].astype(np.float32) / pitch_px
    strength = float(rng.gamma(1.2, 5.0))
    for _ in range(int(rng.integers(0, 3))):
        angle, wave = rng.uniform(0, np.pi), rng.uniform(0.15, 2.5)
        across = x * np.cos(angle) + y * np.sin(angle)
        along = y * np.cos(angle) - x * np.sin(angle)
        bend = rng.uniform(0, 1.5) * np.sin(along * rng.uniform(0.1, 1.2) + rng.uniform(0, 6.3))
        lines = np.sin(2 * np.pi * across / wave + bend * 2.5)
        if rng.random() < 0.5:
            lines = np.where(lines > rng.uniform(0.2, 0.9), 1.0, 0.0)
        ground -= strength * rng.uniform(0.3, 1.0) * lines
    if rng.random() < 0.5:
        ground += noise_field(rng, shape, rng.uniform(0.1, 1.0) * pitch_px) * rng.uniform(0, 8)
    if rng.random() < 0.3:
        ground += rng.uniform(-40, 40) * (x * rng.normal(0, 1) + y * rng.normal(0, 1) > rng.uniform(-10, 30))
    for _ in range(int(rng.poisson(0.4))):
        _draw_stroke(rng, ground, pitch_px)
    return ground


def _draw_stroke(rng: np.random.Generator, ground: Mask, pitch_px: float) -> None:
    """A rule, a stamp's arc or a hair, fainter than ink as a rule."""
    height, width = ground.shape
    shade, thickness = -float(rng.uniform(8, 55)), max(1, round(rng.uniform(0.03, 0.15) * pitch_px))
    a = (int(rng.integers(0, width)), int(rng.integers(0, height)))
    if rng.random() < 0.5:
        b = (int(rng.integers(0, width)), int(rng.integers(0, height)))
        cv2.line(ground, a, b, (shade,), thickness)
    else:
        axes = (round(rng.uniform(1, 8) * pitch_px), round(rng.uniform(1, 5) * pitch_px))
        cv2.ellipse(ground, a, axes, float(rng.uniform(0, 180)), 0, 360, (shade,), thickness)


def photograph(rng: np.random.Generator, ink: Grey, ground: Mask, pitch_px: float) -> Grey:
    """Return the grey frame, uint8: light, blur, noise and compression over ink on its ground."""
    height, width = ink.shape
    paper = rng.uniform(110, 250)
    dark = paper * rng.uniform(0.08, 0.58)
    share = ink * np.float32(1 / 255)
    image = (paper + ground) * (1 - share) + (dark + 0.35 * ground) * share
    image = image * _light(rng, (height, width))
    if rng.random() < 0.15:
        image = _with_page_edge(rng, image, pitch_px)
    image = _blurred(rng, image.astype(np.float32), pitch_px)
    if rng.random() < 0.22:
        image = image + _glare(rng, (height, width), pitch_px)
    deviation = float(rng.gamma(1.3, 2.5))
    image = image + deviation * rng.standard_normal(image.shape, dtype=np.float32)
    frame: Grey = np.clip(image, 0, 255).astype(np.uint8)
    if rng.random() < 0.6:
        frame = _compressed(rng, frame)
    if rng.random() < 0.15:
        frame = _sharpened(rng, frame)
    return frame


def _light(rng: np.random.Generator, shape: tuple[int, int]) -> Mask:
    """Uneven light: a slope and a shadow."""
    height, width = shape
    x = np.linspace(-1, 1, width, dtype=np.float32)[None, :]
    y = np.linspace(-1, 1, height, dtype=np.float32)[:, None]
    light = 1 + rng.normal(0, 0.12) * x + rng.normal(0, 0.05) * y
    if rng.random() < 0.15:
        edge = (x - rng.uniform(-1, 1)) * rng.uniform(1, 30) + y * rng.normal(0, 2)
        light = light * (1 - rng.uniform(0.1, 0.5) / (1 + np.exp(-np.clip(edge, -30, 30))))
    return np.asarray(light, dtype=np.float32)


def _with_page_edge(rng: np.random.Generator, image: Mask, pitch_px: float) -> Mask:
    """What lies beside the page: glass, a table, a finger."""
    image = image.copy()
    beside = round(rng.uniform(0.5, 3.6) * pitch_px)
    shade = rng.uniform(0, 255)
    if rng.random() < 0.5:
        image[:, :beside] = shade
    else:
        image[:, -beside:] = shade
    return image


def _blurred(rng: np.random.Generator, image: Mask, pitch_px: float) -> Mask:
    kind, strength = rng.random(), min(float(rng.gamma(1.5, 0.034)), 0.16) * pitch_px
    if strength < 0.3:
        return image
    if kind < 0.5:
        return np.asarray(cv2.GaussianBlur(image, (0, 0), strength), dtype=np.float32)
    radius = round(2 * strength)
    if radius < 1:
        return image
    size = 2 * radius + 1
    kernel = np.zeros((size, size), np.float32)
    if kind < 0.75:
        cv2.circle(kernel, (radius, radius), radius, (1.0,), cv2.FILLED)
    else:
        turn = rng.uniform(0, np.pi)
        step = (round(radius * np.cos(turn)), round(radius * np.sin(turn)))
        cv2.line(kernel, (radius - step[0], radius - step[1]), (radius + step[0], radius + step[1]), (1.0,))
    return np.asarray(cv2.filter2D(image, -1, kernel / kernel.sum()), dtype=np.float32)


def _glare(rng: np.random.Generator, shape: tuple[int, int], pitch_px: float) -> Mask:
    height, width = shape
    radius = rng.uniform(1.0, 9.0) * pitch_px
    x = (np.arange(width, dtype=np.float32) - rng.uniform(0, width)) / radius
    y = (np.arange(height, dtype=np.float32) - rng.uniform(0, height)) / (radius * rng.uniform(0.3, 1.0))
    distance = (x**2)[None, :] + (y**2)[:, None]
    return np.asarray(rng.uniform(30, 255) * np.exp(-(distance ** rng.uniform(0.7, 2.0))), dtype=np.float32)


def _compressed(rng: np.random.Generator, frame: Grey) -> Grey:
    quality = [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(22, 95))]
    _, data = cv2.imencode(".jpg", frame, quality)
    return np.asarray(cv2.imdecode(data, cv2.IMREAD_GRAYSCALE), dtype=np.uint8)


def _sharpened(rng: np.random.Generator, frame: Grey) -> Grey:
    """Cameras and scanners sharpen, which leaves halos."""
    amount = float(rng.uniform(0.3, 1.5))
    soft = cv2.GaussianBlur(frame, (0, 0), float(rng.uniform(0.8, 2.0)))
    return np.asarray(cv2.addWeighted(frame, 1 + amount, soft, -amount, 0), dtype=np.uint8)


def noise_field(rng: np.random.Generator, shape: tuple[int, ...], grain_px: float) -> Mask:
    """Return smooth noise of unit deviation, float32, whose blobs are about ``grain_px`` wide."""
    step = max(grain_px, 1.0)
    small = (max(2, round(shape[0] / step)), max(2, round(shape[1] / step)))
    field = rng.normal(0, 1, small).astype(np.float32)
    return np.asarray(cv2.resize(field, (shape[1], shape[0]), interpolation=cv2.INTER_CUBIC), dtype=np.float32)
