"""A boarding pass that lies on the glass before the passport is no page that cannot be read, for a while."""

import threading
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import zxingcpp

from drivers.camera.interface import Frame
from drivers.codes.zxing import ZxingReader
from gate.core.clock import ManualClock
from gate.lane.document_watch import DocumentWatch
from gate.lane.sightings import DocumentSeen, Sighting
from gate.lane.travel_codes import ALONE_NS, TravelCodes
from models.document.reader import DocumentUnreadable, UnreadableReason

STEP_MS = 500
PASS = "M1ERIKSSON/ANNA       EABC123 YULFRAAC 0834 326J001A0025 100"


def glass(text: str | None) -> np.ndarray:
    """A bright thing on the dark glass, with a code on it or without."""
    seen = np.full((480, 900, 3), 20, np.uint8)
    seen[40:440, 40:860] = 220
    if text is not None:
        code = np.array(zxingcpp.create_barcode(text, zxingcpp.BarcodeFormat.PDF417).to_image(scale=2))
        seen[60 : 60 + code.shape[0], 60 : 60 + code.shape[1]] = code[:, :, None]
    return seen


def watched(text: str | None, frames: int) -> list[int]:
    """Milliseconds at which the watch announced a document, of so many frames, each half a second after the one before."""
    clock = ManualClock()
    said: list[int] = []
    over = threading.Event()
    picture = glass(text)
    sequence = 0

    def read(_timeout_s: float) -> Frame | None:
        nonlocal sequence
        if sequence == frames:
            over.set()
            threading.Event().wait(0.01)
            return None
        sequence += 1
        clock.advance_ms(STEP_MS)
        return Frame(image_bgr=picture, captured_ns=clock.monotonic_ns(), sequence=sequence)

    def post(sighting: Sighting) -> None:
        if isinstance(sighting, DocumentSeen):
            said.append(sequence * STEP_MS)

    unreadable = DocumentUnreadable(reason=UnreadableReason.NO_MRZ, detail="no rows")
    reader: Callable[..., Any] = lambda *_: unreadable  # noqa: E731
    eyes = cast(Any, SimpleNamespace(reader=SimpleNamespace(read=reader), inference_ns=0))
    codes = TravelCodes(ZxingReader(), keys={}, clock=clock)
    watch = DocumentWatch(camera=cast(Any, SimpleNamespace(read=read)), eyes=eyes, clock=clock, post=post, codes=codes)
    watch.start()
    try:
        assert over.wait(20.0), "the frames were looked at"
    finally:
        watch.stop()
    return said


def test_a_page_without_a_zone_is_announced_at_once() -> None:
    assert watched(None, 3) == [2 * STEP_MS]


def test_a_pass_alone_is_waited_beside_and_then_announced() -> None:
    patience = ALONE_NS // 1_000_000 // STEP_MS
    assert watched(PASS, patience) == []
    (at_ms,) = watched(PASS, patience + 6)
    assert at_ms >= ALONE_NS // 1_000_000
