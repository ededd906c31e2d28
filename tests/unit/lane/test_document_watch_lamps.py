"""A document on the glass, from the lamps' serial line and the camera's stream to the facts of the reading."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from datetime import date

import numpy as np
import pytest

from drivers.camera.light import LightStep
from drivers.camera.mjpeg import MjpegCamera
from drivers.camera.serial_light import SerialDocumentLight
from gate.core.clock import SystemClock
from gate.core.evidence import Outcome
from gate.lane.document_watch import DocumentWatch
from gate.lane.eyes import Eyes, open_eyes
from gate.lane.lamps import Lamps
from gate.lane.sightings import DocumentOutcome, DocumentSeen, DocumentTaken, Sighting
from models.document.lights import LightLimits
from models.store import ModelStore
from simulator.cameras import MjpegServer, encode_jpeg
from simulator.document_light import LightTwinFault, PtyDocumentLight
from simulator.frames import DocumentDamage, empty_document_frame
from simulator.page_lights import Stock, lit_frames
from simulator.passports import Passport, crop_portrait, render_page
from simulator.photos import PhotoLibrary

BOUND_S = 30.0
PASSPORT = Passport(
    document_number="X12345671",
    primary_name="TESTER",
    secondary_name="ANNA",
    birth_date=date(1980, 1, 2),
    sex="F",
    expiry_date=date(2031, 1, 1),
)


class Glass:
    """What lies on the reader, seen by the light that the lamps' twin really shows."""

    def __init__(self, lamps: PtyDocumentLight) -> None:
        self._lamps = lamps
        self._empty = encode_jpeg(empty_document_frame(rng=np.random.default_rng(1)))
        self.pages: dict[LightStep, bytes] | None = None

    def lay(self, page: np.ndarray, stock: Stock) -> None:
        frames = lit_frames(page, stock, seed=3, damage=DocumentDamage(noise=2.0))
        self.pages = {step: encode_jpeg(frame) for step, frame in frames.items()}

    def __call__(self, _now_ns: int) -> bytes:
        return self._empty if self.pages is None else self.pages[self._lamps.step]


class Reader:
    """A running watch; `said` is what it told the lane."""

    def __init__(self, eyes: Eyes, lamps: PtyDocumentLight, server: MjpegServer, glass: Glass) -> None:
        self.glass = glass
        self.lamps = lamps
        self.said: list[Sighting] = []
        self._news = threading.Condition()
        self.camera = MjpegCamera(server.url("document"))
        self.light = SerialDocumentLight(lamps.port)
        self.watch = DocumentWatch(
            camera=self.camera,
            eyes=eyes,
            clock=SystemClock(),
            post=self._hear,
            lamps=Lamps(light=self.light, settle_ms=60, limits=LightLimits()),
        )
        self.camera.start()
        self.light.start()
        self.watch.start()

    def _hear(self, sighting: Sighting) -> None:
        with self._news:
            self.said.append(sighting)
            self._news.notify_all()

    def wait(self, is_it: Callable[[Sighting], bool]) -> Sighting:
        with self._news:
            assert self._news.wait_for(lambda: any(is_it(one) for one in self.said), BOUND_S), self.said
            return next(one for one in self.said if is_it(one))

    def outcome(self, ticket: int) -> DocumentOutcome:
        self.wait(lambda one: isinstance(one, DocumentSeen))
        self.watch.read(ticket)
        found = self.wait(lambda one: isinstance(one, DocumentOutcome) and one.ticket == ticket)
        assert isinstance(found, DocumentOutcome)
        return found

    def close(self) -> None:
        self.watch.stop()
        self.light.stop()
        self.camera.stop()


@pytest.fixture(scope="module")
def eyes() -> Eyes:
    store = ModelStore()
    store.prepare()
    return open_eyes(store)


@pytest.fixture(scope="module")
def page() -> np.ndarray:
    library = PhotoLibrary()
    library.fetch()
    portrait = library.people()[0].portrait
    return render_page(PASSPORT, crop_portrait(portrait.load(), portrait.face_px), px_per_mm=9)


@pytest.fixture
def reader(eyes: Eyes) -> Iterator[Reader]:
    with PtyDocumentLight() as lamps:
        glass = Glass(lamps)
        with MjpegServer({"document": glass}, fps=15) as server:
            made = Reader(eyes, lamps, server, glass)
            try:
                yield made
            finally:
                made.close()


def lights(outcome: DocumentOutcome) -> dict[str, Outcome]:
    assert outcome.facts is not None
    assert outcome.facts.lights is not None
    return {check.name: check.outcome for check in outcome.facts.lights}


def test_genuine_page_passes_and_then_a_copy_does_not(reader: Reader, page: np.ndarray) -> None:
    reader.glass.lay(page, Stock.GENUINE)
    assert set(lights(reader.outcome(1)).values()) == {Outcome.PASS}
    assert not any(isinstance(one, DocumentTaken) for one in reader.said), "a page under ultraviolet is no empty glass"
    assert reader.lamps.shown == [LightStep.INFRARED, LightStep.ULTRAVIOLET, LightStep.WHITE]
    reader.glass.pages = None
    reader.wait(lambda one: isinstance(one, DocumentTaken))
    reader.said.clear()
    reader.glass.lay(page, Stock.INKJET_DYE)
    found = lights(reader.outcome(2))
    assert found["infrared_ink"] is Outcome.REFER
    assert found["ultraviolet_paper"] is Outcome.REFER


def test_lamps_that_only_say_that_they_change_pass_nothing(reader: Reader, page: np.ndarray) -> None:
    reader.lamps.inject(LightTwinFault.STUCK)
    reader.glass.lay(page, Stock.GENUINE)
    assert lights(reader.outcome(1))["ultraviolet_paper"] is Outcome.REFER
