"""The lamps and the document camera in step: only frames of the right light count, and a failing lamp is said."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date

import numpy as np
import pytest

from drivers.camera.exposure import ExposureControl, ExposureFault, ExposureState
from drivers.camera.interface import Camera, CameraStatus, Frame, StatusCallback
from drivers.camera.light import DocumentLight, LightFault, LightShown, LightStep
from gate.core.evidence import Outcome
from gate.lane.lamps import Lamps, LampSequence, Lit
from models.document.lights import LightLimits, LitPictures, check_lights, has_moved
from models.document.reader import DocumentRead, DocumentReader
from models.face import FaceDetector
from models.manifest import FACE_DETECTOR, MRZ_RECOGNISER
from models.session import ModelSession
from models.store import ModelStore
from simulator.frames import DocumentDamage
from simulator.page_lights import Stock, lit_frames
from simulator.passports import Passport, crop_portrait, render_page
from simulator.photos import PhotoLibrary

MS = 1_000_000
FRAME_MS = 33
LAG_MS = 50
"""From the exposure to the host: a frame that comes now shows what was lit then."""
LIMITS = LightLimits()
PASSPORT = Passport(
    document_number="X12345671",
    primary_name="TESTER",
    secondary_name="ANNA",
    birth_date=date(1980, 1, 2),
    sex="F",
    expiry_date=date(2031, 1, 1),
)


class Bench(Camera, DocumentLight):
    """Camera and lamps over one glass, in time that only they make pass. Frames of before the switch come after it."""

    def __init__(self, frames: dict[LightStep, np.ndarray]) -> None:
        self.frames = frames
        self.now_ns = 10**12
        self.history: list[tuple[int, LightStep]] = [(0, LightStep.WHITE)]
        self.dead: set[LightStep] = set()
        self.on_frame: Callable[[LightStep], np.ndarray | None] = lambda _step: None
        self.sequence = 0

    def show(self, step: LightStep) -> LightShown | LightFault:
        self.now_ns += 5 * MS
        if step in self.dead:
            return LightFault(reason=f"the {step.value} lamp takes 0 mA: it does not burn")
        self.history.append((self.now_ns, step))
        return LightShown(step=step, since_ns=self.now_ns, current_ma=200)

    def read(self, timeout_s: float) -> Frame | None:
        self.now_ns += FRAME_MS * MS
        taken_ns = self.now_ns - LAG_MS * MS
        step = [lit for since_ns, lit in self.history if since_ns <= taken_ns][-1]
        image = self.on_frame(step)
        self.sequence += 1
        return Frame(
            image_bgr=self.frames[step] if image is None else image, captured_ns=taken_ns, sequence=self.sequence
        )

    def start(self, on_status: StatusCallback | None = None) -> None: ...

    def stop(self) -> None: ...

    def latest(self) -> Frame | None:
        return None

    @property
    def status(self) -> CameraStatus:
        return CameraStatus.OK

    @property
    def status_reason(self) -> str:
        return ""

    @property
    def dropped(self) -> int:
        return 0


@pytest.fixture(scope="module")
def reader() -> DocumentReader:
    store = ModelStore()
    detector = FaceDetector(ModelSession(store, FACE_DETECTOR, threads=1))
    return DocumentReader(ModelSession(store, MRZ_RECOGNISER, threads=1), detector)


@pytest.fixture(scope="module")
def page() -> np.ndarray:
    portrait = PhotoLibrary().people()[0].portrait
    return render_page(PASSPORT, crop_portrait(portrait.load(), portrait.face_px), px_per_mm=9)


def frames_of(page: np.ndarray, stock: Stock, seed: int = 5) -> dict[LightStep, np.ndarray]:
    return lit_frames(page, stock, seed=seed, damage=DocumentDamage(noise=3.0))


@pytest.fixture(scope="module")
def genuine(page: np.ndarray) -> dict[LightStep, np.ndarray]:
    return frames_of(page, Stock.GENUINE)


@pytest.fixture(scope="module")
def document(reader: DocumentReader, genuine: dict[LightStep, np.ndarray]) -> DocumentRead:
    read = reader.read(genuine[LightStep.WHITE])
    assert isinstance(read, DocumentRead)
    return read


@pytest.fixture
def bench(genuine: dict[LightStep, np.ndarray]) -> Bench:
    return Bench(dict(genuine))


@pytest.fixture
def sequence(bench: Bench, reader: DocumentReader) -> Iterator[LampSequence]:
    made = LampSequence(
        Lamps(light=bench, settle_ms=10, limits=LIMITS),
        bench,
        read_again=reader.read,
        is_cancelled=lambda: False,
        now_ns=lambda: bench.now_ns,
    )
    yield made
    made.close()


def white(bench: Bench) -> Frame:
    frame = bench.read(0.0)
    assert frame is not None
    return frame


def outcomes(lit: Lit) -> dict[str, Outcome]:
    return {check.name: check.outcome for check in check_lights(lit.pictures, lit.document, LIMITS)}


def test_each_picture_is_of_its_own_light_and_the_glass_is_white_again(
    bench: Bench, sequence: LampSequence, document: DocumentRead
) -> None:
    lit = sequence.begin(white(bench), document).result(timeout=30)
    assert lit.pictures.infrared is bench.frames[LightStep.INFRARED]
    assert lit.pictures.ultraviolet is bench.frames[LightStep.ULTRAVIOLET]
    assert bench.history[-1][1] is LightStep.WHITE
    following = bench.read(0.0)
    assert following is not None
    assert following.image_bgr is bench.frames[LightStep.WHITE]
    assert set(outcomes(lit).values()) == {Outcome.PASS}


class Exposure(ExposureControl):
    """What the camera was told, and under which light."""

    def __init__(self, bench: Bench) -> None:
        self.bench = bench
        self.told: list[tuple[LightStep, int | None]] = []
        self.fault: ExposureFault | None = None

    def read(self) -> ExposureState | ExposureFault:
        return ExposureFault(reason="not asked")

    def set_auto(self) -> ExposureFault | None:
        self.told.append((self.bench.history[-1][1], None))
        return self.fault

    def set_time_us(self, time_us: int) -> ExposureFault | None:
        self.told.append((self.bench.history[-1][1], time_us))
        return self.fault

    def close(self) -> None: ...


def test_each_light_has_its_own_exposure_and_white_the_cameras(
    bench: Bench, reader: DocumentReader, document: DocumentRead
) -> None:
    exposure = Exposure(bench)
    lamps = Lamps(
        light=bench,
        settle_ms=10,
        limits=LIMITS,
        exposure=exposure,
        exposure_us={LightStep.INFRARED: 8_000, LightStep.ULTRAVIOLET: 60_000},
    )
    sequence = LampSequence(
        lamps, bench, read_again=reader.read, is_cancelled=lambda: False, now_ns=lambda: bench.now_ns
    )
    sequence.take(white(bench), document)
    assert exposure.told == [
        (LightStep.INFRARED, 8_000),
        (LightStep.ULTRAVIOLET, 60_000),
        (LightStep.WHITE, None),
    ]
    exposure.fault = ExposureFault(reason="no such device")
    lit = sequence.take(white(bench), document)
    assert set(outcomes(lit).values()) == {Outcome.NOT_CHECKED}
    assert "no such device" in lit.pictures.reason
    sequence.close()


@pytest.mark.parametrize("dead", [LightStep.INFRARED, LightStep.ULTRAVIOLET, LightStep.WHITE])
def test_lamp_that_does_not_burn_leaves_its_check_undone(
    bench: Bench, sequence: LampSequence, document: DocumentRead, dead: LightStep
) -> None:
    bench.dead = {dead}
    lit = sequence.take(white(bench), document)
    found = {check.name: check for check in check_lights(lit.pictures, lit.document, LIMITS)}
    undone = {
        LightStep.INFRARED: {"infrared_ink", "infrared_rest"},
        LightStep.ULTRAVIOLET: {"ultraviolet_paper"},
        LightStep.WHITE: set(found),
    }[dead]
    assert {name for name, check in found.items() if check.outcome is Outcome.NOT_CHECKED} == undone
    assert all("does not burn" in found[name].reason for name in undone)


def test_page_that_is_moved_meanwhile_is_read_and_lit_once_more(
    page: np.ndarray, bench: Bench, sequence: LampSequence, document: DocumentRead
) -> None:
    elsewhere = frames_of(page, Stock.GENUINE, seed=6)
    first = white(bench)
    bench.frames = elsewhere
    lit = sequence.take(first, document)
    assert lit.pictures.infrared is elsewhere[LightStep.INFRARED]
    assert not np.allclose(lit.document.page_quad_px, document.page_quad_px, atol=2)
    assert set(outcomes(lit).values()) == {Outcome.PASS}


def test_page_that_is_taken_away_is_not_checked(bench: Bench, sequence: LampSequence, document: DocumentRead) -> None:
    first = white(bench)
    bench.frames = {step: np.full_like(image, 30) for step, image in bench.frames.items()}
    lit = sequence.take(first, document)
    assert "moved" in lit.pictures.reason
    assert set(outcomes(lit).values()) == {Outcome.NOT_CHECKED}


def test_camera_that_gives_nothing_or_the_past_is_said(
    bench: Bench, sequence: LampSequence, document: DocumentRead, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = white(bench)
    monkeypatch.setattr(bench, "read", lambda _timeout_s: None)
    assert "gave no picture" in sequence.take(first, document).pictures.reason
    monkeypatch.setattr(bench, "read", lambda _timeout_s: first)
    assert "old pictures" in sequence.take(first, document).pictures.reason


@pytest.mark.parametrize(
    ("stock", "refused"),
    [
        (Stock.GENUINE_BLACK_TEXT, set()),
        (Stock.INKJET_DYE, {"infrared_ink", "ultraviolet_paper"}),
        (Stock.INKJET_PIGMENT, {"ultraviolet_paper"}),
        (Stock.LASER_COLOUR, {"ultraviolet_paper"}),
        (Stock.DYE_ON_DULL, {"infrared_ink"}),
        (Stock.PIGMENT_ON_DULL, set()),  # what neither light shows: said in ADR 0020
    ],
)
def test_what_a_page_is_made_of(page: np.ndarray, reader: DocumentReader, stock: Stock, refused: set[str]) -> None:
    frames = frames_of(page, stock, seed=11)
    read = reader.read(frames[LightStep.WHITE])
    assert isinstance(read, DocumentRead)
    pictures = LitPictures(
        white=frames[LightStep.WHITE],
        infrared=frames[LightStep.INFRARED],
        ultraviolet=frames[LightStep.ULTRAVIOLET],
    )
    checks = check_lights(pictures, read, LIMITS)
    assert {check.name for check in checks if check.outcome is Outcome.REFER and not check.is_noted} == refused


def test_screen_reflects_no_infrared_which_is_no_pass(
    page: np.ndarray, document: DocumentRead, genuine: dict[LightStep, np.ndarray]
) -> None:
    frames = frames_of(page, Stock.SCREEN)
    pictures = LitPictures(white=genuine[LightStep.WHITE], infrared=frames[LightStep.INFRARED])
    ink = check_lights(pictures, document, LIMITS)[0]
    assert ink.outcome is Outcome.NOT_CHECKED
    assert "too little infrared" in ink.reason


def test_noise_is_no_movement(genuine: dict[LightStep, np.ndarray]) -> None:
    image = genuine[LightStep.WHITE]
    rng = np.random.default_rng(1)
    noisy = np.clip(image + rng.normal(0, 6, image.shape), 0, 255).astype(np.uint8)
    assert not has_moved(image, noisy)
    assert has_moved(image, np.roll(image, 30, axis=1))


def test_document_without_a_zone_in_the_picture_is_not_measured(document: DocumentRead) -> None:
    blank = np.full((960, 1280, 3), 200, np.uint8)
    checks = check_lights(LitPictures(white=blank, infrared=blank), replace(document), LIMITS)
    assert checks[0].outcome is Outcome.NOT_CHECKED
    assert "not found again" in checks[0].reason
