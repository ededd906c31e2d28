"""A lane that reads chips: what the chip says becomes findings, and its signed picture what a face is compared with."""

import queue
from dataclasses import replace
from datetime import UTC, date, datetime
from functools import cache

import cv2
import numpy as np
import pytest

from drivers.camera.interface import Camera, CameraStatus, Frame, StatusCallback
from drivers.chip.channel import ApduChannel
from drivers.chip.domain import standardised
from drivers.chip.reader import ReadLimits
from drivers.errors import DeviceError
from gate.checks.emrtd.certificate import read_certificate
from gate.checks.emrtd.findings import ChipLimits
from gate.checks.emrtd.passive import PassivePolicy
from gate.checks.emrtd.store import TrustStore
from gate.core.clock import SystemClock
from gate.core.evidence import Outcome
from gate.lane.chip_watch import ChipRules, ChipWatch
from gate.lane.document_watch import DocumentWatch
from gate.lane.eyes import Eyes, open_eyes
from gate.lane.sightings import DocumentOutcome, DocumentPictures, DocumentSeen, Sighting, VisionFailed
from models.face import cosine
from models.store import ModelStore
from simulator.chip import attacks
from simulator.chip.card import VirtualChip
from simulator.chip.channels import MemoryChannel
from simulator.chip.document import ChipDocument, Choices, make_document, make_issuer, static_key
from simulator.chip.pki import Issuer, Signer
from simulator.chip.profile import PaceOption
from simulator.frames import document_frame
from simulator.passports import Passport, crop_portrait, render_page
from simulator.photos import PhotoLibrary

PASSPORT = Passport(
    document_number="X12345671",
    primary_name="TESTER",
    secondary_name="ANNA",
    birth_date=date(1980, 1, 2),
    sex="F",
    expiry_date=date(2031, 1, 1),
)
WAIT_S = 30


class Still(Camera):
    """One picture, again and again."""

    def __init__(self, image: np.ndarray) -> None:
        self._image = image
        self._count = 0

    def start(self, on_status: StatusCallback | None = None) -> None: ...

    def stop(self) -> None: ...

    def read(self, timeout_s: float) -> Frame | None:
        self._count += 1
        return Frame(image_bgr=self._image, captured_ns=self._count, sequence=self._count)

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


class Broken(MemoryChannel):
    def connect(self, timeout_ms: int) -> bytes:
        raise DeviceError("No chip reader is connected; plug one in.")


@cache
def eyes() -> Eyes:
    return open_eyes(ModelStore())


@cache
def issued() -> tuple[Issuer, Signer]:
    return make_issuer(datetime.now(UTC))


@cache
def portrait(person: int) -> np.ndarray:
    photo = PhotoLibrary().people()[person].portrait
    return crop_portrait(photo.load(), photo.face_px)


def paper(person: int, suffix: str = ".jpg", **more: object) -> ChipDocument:
    is_encoded, data = cv2.imencode(suffix, portrait(person))
    assert is_encoded
    choices = Choices(lines=PASSPORT.mrz_lines(), portrait=data.tobytes(), pace=(PaceOption(),), **more)  # type: ignore[arg-type]
    return make_document(*issued(), choices)


def look(channel: ApduChannel, printed: int, limits: ChipLimits | None = None) -> DocumentOutcome:
    """A page with this person's portrait on the glass, and this chip in it."""
    outcome, _ = look_on(channel, printed, limits)
    return outcome


def look_on(
    channel: ApduChannel, printed: int, limits: ChipLimits | None = None
) -> tuple[DocumentOutcome, DocumentPictures]:
    """The same, with the pictures that come after."""
    page = document_frame(render_page(PASSPORT, portrait(printed), px_per_mm=9), rng=np.random.default_rng(3))
    rules = ChipRules(
        store=TrustStore(certificates=(read_certificate(issued()[0].certificate),)),
        limits=limits or ChipLimits(),
        passive=PassivePolicy(),
        times=ReadLimits(connect_ms=50, total_ms=10_000),
    )
    told: queue.Queue[Sighting] = queue.Queue()
    clock = SystemClock()
    watch = DocumentWatch(
        camera=Still(page), eyes=eyes(), clock=clock, post=told.put, chip=ChipWatch(channel, rules, clock)
    )
    watch.start()
    outcome = None
    try:
        while True:
            item = told.get(timeout=WAIT_S)
            if isinstance(item, VisionFailed):
                raise item.error
            if isinstance(item, DocumentSeen):
                watch.read(1)
            if isinstance(item, DocumentOutcome):
                outcome = item
            if isinstance(item, DocumentPictures):
                assert outcome is not None
                return outcome, item
    finally:
        watch.stop()


def outcomes(found: DocumentOutcome) -> dict[str, Outcome]:
    return {finding.code: finding.outcome for finding in found.findings}


def template(person: int) -> np.ndarray:
    image = portrait(person)
    return eyes().careful.embed(image, eyes().detector.detect(image)[0])


@pytest.mark.parametrize("suffix", [".jpg", ".jp2"])
def test_the_signed_picture_is_the_reference_and_agrees_with_the_printed_one(suffix: str) -> None:
    found = look(MemoryChannel(VirtualChip(paper(0, suffix).profile)), printed=0)
    said = outcomes(found)
    assert said["chip.state"] is Outcome.PASS
    assert said["chip.dg_hashes"] is Outcome.PASS
    assert said["chip.mrz_match"] is Outcome.PASS
    assert said["chip.way_in"] is Outcome.PASS
    assert said["chip.portrait_match"] is Outcome.PASS
    assert found.reference is not None
    assert cosine(found.reference, template(0)) > 0.95
    assert not [finding for finding in found.findings if finding.is_in_the_way]


def test_a_page_whose_picture_was_exchanged_is_referred_and_the_signed_one_compared_with() -> None:
    found = look(MemoryChannel(VirtualChip(paper(0).profile)), printed=1)
    assert outcomes(found)["chip.portrait_match"] is Outcome.REFER
    assert found.reference is not None
    assert cosine(found.reference, template(0)) > 0.95


def test_a_picture_that_nobody_signed_is_never_the_reference() -> None:
    document = paper(1)
    swapped = document.with_files({0x0102: paper(0).profile.files[0x0102]})
    found, pictures = look_on(MemoryChannel(VirtualChip(swapped.profile)), printed=1)
    assert pictures.chip_jpeg is None
    assert outcomes(found)["chip.dg_hashes"] is Outcome.REFER
    assert "chip.portrait_match" not in outcomes(found)
    assert found.reference is not None
    assert cosine(found.reference, template(1)) > cosine(found.reference, template(0))


def seen(jpeg: bytes | None) -> np.ndarray:
    """Template of the face in an encoded picture."""
    assert jpeg is not None
    image = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)
    assert image is not None
    pixels = image.astype(np.uint8)
    return eyes().careful.embed(pixels, eyes().detector.detect(pixels)[0])


@pytest.mark.parametrize("suffix", [".jpg", ".jp2"])
def test_officers_see_the_signed_picture_as_one_that_a_browser_shows(suffix: str) -> None:
    _, pictures = look_on(MemoryChannel(VirtualChip(paper(1, suffix).profile)), printed=0)
    assert pictures.chip_jpeg is not None
    assert pictures.chip_jpeg[:3] == b"\xff\xd8\xff"
    assert cosine(seen(pictures.chip_jpeg), template(1)) > 0.95
    assert cosine(seen(pictures.portrait_jpeg), template(0)) > 0.7


def test_the_picture_in_a_copied_chip_is_shown_and_no_face_compared_with_it() -> None:
    copied = attacks.clone(paper(1, chip_keys=(static_key(standardised(12)),)))
    outcome, pictures = look_on(MemoryChannel(VirtualChip(copied.profile)), printed=0)
    assert outcomes(outcome)["chip.chip_authentication"] is Outcome.REFER
    assert "chip.portrait_match" not in outcomes(outcome)
    assert cosine(seen(pictures.chip_jpeg), template(1)) > 0.95


def test_the_picture_of_a_forgers_own_state_is_not_shown_as_one_that_a_state_signed() -> None:
    forged = attacks.foreign_issuer(paper(0), datetime.now(UTC))
    outcome, pictures = look_on(MemoryChannel(VirtualChip(forged.profile)), printed=0)
    assert outcomes(outcome)["chip.dsc_chain"] is Outcome.REFER
    assert outcomes(outcome)["chip.dg_hashes"] is Outcome.PASS
    assert pictures.chip_jpeg is None


def test_a_forced_weaker_way_in_is_referred_and_its_picture_not_used() -> None:
    found = look(MemoryChannel(VirtualChip(attacks.no_pace(paper(0)).profile)), printed=0)
    assert outcomes(found)["chip.way_in"] is Outcome.REFER
    assert "chip.portrait_match" not in outcomes(found)


def test_no_chip_is_said_and_left_to_the_site() -> None:
    assert outcomes(look(MemoryChannel(None), printed=0)) == {"chip.state": Outcome.INFO}
    strict = ChipLimits(needs_chip=True)
    assert outcomes(look(MemoryChannel(None), printed=0, limits=strict)) == {"chip.state": Outcome.REFER}


def test_the_chip_of_another_document_does_not_open() -> None:
    other = replace(PASSPORT, document_number="Y98765432").mrz_lines()
    stranger = make_document(*issued(), Choices(lines=other, pace=(PaceOption(),)))
    assert outcomes(look(MemoryChannel(VirtualChip(stranger.profile)), printed=0)) == {"chip.state": Outcome.REFER}


def test_a_reader_that_is_gone_is_not_a_document_without_a_chip() -> None:
    found = look(Broken(None), printed=0)
    assert outcomes(found) == {"chip.state": Outcome.NOT_CHECKED}
    assert "plug one in" in found.findings[0].detail
    assert found.reference is not None
