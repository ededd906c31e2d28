"""A page's pictures under infrared and ultraviolet light: the lamps and the document camera in step, while the page lies still.

A frame counts only if it was taken after the lamp was seen to burn and had its time to settle; the glass is white again before the page is
looked for again, or the dark pictures between would look like an empty reader.
"""

import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field

from drivers.camera.exposure import ExposureControl
from drivers.camera.interface import Camera, Frame
from drivers.camera.light import DocumentLight, LightFault, LightStep
from gate.lane.eyes import Image
from models.document.lights import LightLimits, LitPictures, has_moved
from models.document.reader import DocumentRead, DocumentUnreadable

FRAME_WAIT_S = 0.3
_MOST_OLD_FRAMES = 12
"""So many frames of before a step may still come: queues of cameras are shorter."""
_TRIES = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Lamps:
    """A reader's lamps and what is asked under them. ``settle_ms``: from the lamp's word to the first frame that counts.

    ``exposure`` and ``exposure_us``: the camera's exposure time under each light that needs one of its own. A camera that exposes by itself
    would make dull paper under ultraviolet as bright as any; where it takes no orders, it must be set to a fixed time by hand.
    """

    light: DocumentLight
    settle_ms: int
    limits: LightLimits
    exposure: ExposureControl | None = None
    exposure_us: Mapping[LightStep, int] = field(default_factory=dict)

    def expose(self, step: LightStep) -> str:
        """Expose as this light needs it, and by itself under white; empty, or why that could not be ordered."""
        if self.exposure is None or not self.exposure_us:
            return ""
        time_us = self.exposure_us.get(step)
        if step is not LightStep.WHITE and time_us is None:
            return ""
        found = self.exposure.set_auto() if time_us is None else self.exposure.set_time_us(time_us)
        return "" if found is None else f"the document camera's exposure: {found.reason}"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Lit:
    """``document``: as it was read in the white picture of ``pictures``, where its corners are."""

    pictures: LitPictures
    document: DocumentRead


class LampSequence:
    """Takes the pictures in a thread of its own, so that the portrait is measured meanwhile. Only one sequence runs at a time.

    While one runs, nobody else reads the camera.
    """

    def __init__(
        self,
        lamps: Lamps,
        camera: Camera,
        *,
        read_again: Callable[[Image], DocumentRead | DocumentUnreadable],
        is_cancelled: Callable[[], bool],
        now_ns: Callable[[], int] = time.monotonic_ns,
    ) -> None:
        self._lamps = lamps
        self._camera = camera
        self._read_again = read_again
        self._is_cancelled = is_cancelled
        self._now_ns = now_ns
        self._worker = ThreadPoolExecutor(max_workers=1, thread_name_prefix="document-lamps")

    @property
    def limits(self) -> LightLimits:
        return self._lamps.limits

    def close(self) -> None:
        """Waits for a sequence under way."""
        self._worker.shutdown(wait=True)
        if self._lamps.exposure is not None:
            self._lamps.exposure.close()

    def begin(self, white: Frame, document: DocumentRead) -> "Future[Lit]":
        """Start after the white frame in which the document was read."""
        return self._worker.submit(self.take, white, document)

    def take(self, white: Frame, document: DocumentRead) -> Lit:
        """The pictures; those that could not be had are None, with the reason. The glass is white again, or it is said that it is not.

        A page that was moved meanwhile, as by the hand that let go of it, is read and lit once more.
        """
        for _ in range(_TRIES):
            pictures = self._take_once(white)
            after = self._lit(LightStep.WHITE)
            if isinstance(after, str):
                failed = LitPictures(white=white.image_bgr, reason=pictures.reason or after)
                return Lit(pictures=failed, document=document)
            if pictures.reason or not has_moved(white.image_bgr, after.image_bgr):
                return Lit(pictures=pictures, document=document)
            again = self._read_again(after.image_bgr)
            if isinstance(again, DocumentUnreadable) or again.lines != document.lines:
                break
            white, document = after, again
        moved = LitPictures(white=white.image_bgr, reason="the page moved while the lights changed")
        return Lit(pictures=moved, document=document)

    def _take_once(self, white: Frame) -> LitPictures:
        infrared = self._lit(LightStep.INFRARED)
        ultraviolet = self._lit(LightStep.ULTRAVIOLET)
        reasons = [found for found in (infrared, ultraviolet) if isinstance(found, str)]
        return LitPictures(
            white=white.image_bgr,
            infrared=None if isinstance(infrared, str) else infrared.image_bgr,
            ultraviolet=None if isinstance(ultraviolet, str) else ultraviolet.image_bgr,
            reason="; ".join(dict.fromkeys(reasons)),
        )

    def _lit(self, step: LightStep) -> Frame | str:
        """A frame under this light, or why there is none."""
        if self._is_cancelled() and step is not LightStep.WHITE:
            return "nobody asks any more"
        shown = self._lamps.light.show(step)
        if isinstance(shown, LightFault):
            return shown.reason
        refused = self._lamps.expose(step)
        if refused and step is not LightStep.WHITE:
            return refused
        counts_from_ns = max(shown.since_ns, self._now_ns()) + self._lamps.settle_ms * 1_000_000
        for _ in range(_MOST_OLD_FRAMES):
            frame = self._camera.read(FRAME_WAIT_S)
            if frame is None:
                return "the document camera gave no picture"
            if frame.captured_ns >= counts_from_ns:
                return frame
        return "the document camera gave old pictures only"
