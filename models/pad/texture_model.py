"""Any ONNX network that tells a live face's texture from a picture's, as the manifest describes it."""

import cv2
import numpy as np
from numpy.typing import NDArray

from models.errors import ModelError
from models.face.detect import Face
from models.pad.frame import Image, PadFrame
from models.session import ModelSession

_MOST_FRAMES = 30
_TINY = 1e-9


class TextureModelSignal:
    """``score``: log-odds of the live class, mean over the last frames, some -10 .. 10.

    Sees what its training showed it. Such models were found to err by 4 % to 45 % (EER) from one set to the next: calibrate on the
    site's own camera, and do not take another's figures for one's own.
    """

    def __init__(self, session: ModelSession) -> None:
        """Raises ModelError if the model's entry does not say how it wants to see a face."""
        if session.entry.pad is None:
            raise ModelError(
                f"model {session.name!r} judges no presentations: its entry in the manifest has no [pad] table"
            )
        self._session = session
        self._how = session.entry.pad
        self._values: list[float] = []

    @property
    def name(self) -> str:
        return self._session.name

    @property
    def model_hash(self) -> str:
        return self._session.model_hash

    @property
    def score(self) -> float | None:
        return float(np.mean(self._values)) if self._values else None

    def feed(self, frame: PadFrame) -> None:
        height, width = (int(value) for value in self._session.entry.inputs[0].warm_up[2:])
        crop = square_around(frame.image_bgr, frame.face, self._how.box_factor, (width, height))
        if self._how.colour_order == "RGB":
            crop = np.ascontiguousarray(crop[:, :, ::-1])
        tensor = crop.transpose(2, 0, 1)[None].astype(np.float32) * np.float32(self._how.scale)
        (output,) = self._session.run({self._session.input_name: tensor})[:1]
        self._values = [*self._values[1 - _MOST_FRAMES :], log_odds(output[0].astype(np.float64), self._how.live_class)]

    def reset(self) -> None:
        self._values.clear()


def square_around(image_bgr: Image, face: Face, factor: float, size: tuple[int, int]) -> Image:
    """The face's box, ``factor`` times as large but no larger than the picture and moved into it, brought to ``size`` (width, height)."""
    rows, columns = image_bgr.shape[:2]
    x, y, width, height = (float(value) for value in face.box_px)
    factor = min(factor, (rows - 1) / max(height, 1.0), (columns - 1) / max(width, 1.0))
    wide, high = width * factor, height * factor
    left = float(np.clip(x + width / 2 - wide / 2, 0, max(0.0, columns - 1 - wide)))
    top = float(np.clip(y + height / 2 - high / 2, 0, max(0.0, rows - 1 - high)))
    part = image_bgr[int(top) : int(top + high) + 1, int(left) : int(left + wide) + 1]
    return cv2.resize(part, size).astype(np.uint8, copy=False)


def log_odds(values: NDArray[np.float64], live_class: int) -> float:
    """Log-odds of one class from probabilities (they sum to 1) or from raw values (a softmax is taken first)."""
    is_probability = bool((values >= 0).all() and abs(values.sum() - 1) < 1e-3)
    if not is_probability:
        values = np.exp(values - values.max())
        values = values / values.sum()
    live = float(np.clip(values[live_class], _TINY, 1 - _TINY))
    return float(np.log(live / (1 - live)))
