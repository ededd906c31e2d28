"""The document camera's thread: notices a document, reads it when asked, encodes its pictures after the decision."""

import threading
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import replace
from datetime import UTC, date, datetime
from functools import partial

from drivers.camera.interface import Camera, Frame
from gate.checks.country_codes import CodeStatus, issuer_status, nationality_status
from gate.core.clock import Clock
from gate.core.document_findings import VisualZoneFacts
from gate.core.document_lights import LightCheck
from gate.core.policy import DocumentFacts
from gate.lane.chip_watch import ChipReading, ChipWatch, judge_pictures
from gate.lane.eyes import Eyes, encode_jpeg
from gate.lane.lamps import Lamps, LampSequence, Lit
from gate.lane.sightings import (
    ChipProgressed,
    CodesSeen,
    DocumentIdentified,
    DocumentOutcome,
    DocumentPictures,
    DocumentSeen,
    DocumentTaken,
    PrivateDocument,
    Sighting,
    VisionFailed,
)
from gate.lane.travel_codes import ALONE_NS, TravelCodes
from models.document.cues import measure_cues
from models.document.lights import check_lights
from models.document.presence import DocumentPresence, Presence
from models.document.reader import DocumentRead, DocumentUnreadable
from models.face import cosine

FRAME_WAIT_S = 0.25
ASKED_WAIT_S = 0.1
IDLE_PAUSE_S = 0.2
MAX_ATTEMPTS = 4
"""How many frames are tried before a page is unreadable."""


class DocumentWatch:
    """Reads frames for as long as it runs. ``post`` is called in its thread."""

    def __init__(
        self,
        *,
        camera: Camera,
        eyes: Eyes,
        clock: Clock,
        post: Callable[[Sighting], None],
        lamps: Lamps | None = None,
        codes: TravelCodes | None = None,
        chip: ChipWatch | None = None,
    ) -> None:
        """``codes`` gathers what is shown beside the document, ``chip`` reads what is in it; None where nobody asks for it."""
        self._camera = camera
        self._eyes = eyes
        self._clock = clock
        self._post = post
        self._codes = codes
        self._chip = chip
        self._presence = DocumentPresence()
        self._asked = threading.Condition()
        self._ticket: int | None = None
        self._is_stopping = False
        self._lamps = None
        if lamps is not None:
            self._lamps = LampSequence(
                lamps, camera, read_again=eyes.reader.read, is_cancelled=lambda: self._is_stopping
            )
        self._is_announced = False
        self._is_alert = True
        self._first_seen_ns = 0
        self._before_ns = 0
        self._thread = threading.Thread(target=self._run, name="document-watch", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """End the thread; returns when it has ended."""
        with self._asked:
            self._is_stopping = True
            self._asked.notify()
        if self._thread.is_alive():
            self._thread.join(timeout=5.0)
        if self._lamps is not None:
            self._lamps.close()

    def read(self, ticket: int) -> None:
        """Read the document that lies there; the outcome carries ``ticket``."""
        with self._asked:
            self._ticket = ticket
            self._asked.notify()

    def set_alert(self, is_alert: bool) -> None:
        """Whether a new document is to be read at once. While the lane is busy, the reader is looked at now and then only."""
        with self._asked:
            self._is_alert = is_alert
            self._asked.notify()

    def cancel(self) -> None:
        with self._asked:
            self._ticket = None

    def _run(self) -> None:
        try:
            self._watch()
        except Exception as error:  # noqa: BLE001  carried over to the event loop, which stops the lane
            self._post(VisionFailed(error=error))

    def _watch(self) -> None:
        while not self._is_stopping:
            frame = self._camera.read(FRAME_WAIT_S)
            if frame is None:
                continue
            presence = self._notice(frame)
            if presence is not Presence.ABSENT and (self._is_alert or self._ticket is not None):
                self._work(frame, presence)
            elif not self._is_alert:
                with self._asked:
                    self._asked.wait(IDLE_PAUSE_S)

    def _notice(self, frame: Frame) -> Presence:
        """Follow what lies on the reader; say once when it is gone."""
        was_absent = self._presence.state is Presence.ABSENT
        presence = self._presence.update(frame.image_bgr)
        if presence is Presence.ABSENT and self._is_announced:
            self._is_announced = False
            self._post(DocumentTaken())
        if presence is not Presence.ABSENT and was_absent:
            self._first_seen_ns = frame.captured_ns
            self._before_ns = self._eyes.inference_ns
        if presence is Presence.STEADY and not self._is_alert:
            self._announce()
        return presence

    def _announce(self) -> None:
        if not self._is_announced:
            self._is_announced = True
            self._post(DocumentSeen(at_ns=self._first_seen_ns))

    def _work(self, frame: Frame, presence: Presence) -> None:
        """Read at once, while the hand may still be there: a page that reads well needs no proof that it lies still."""
        if self._is_announced and self._ticket is None:
            self._wait_until_asked()
            if self._ticket is None:
                return
        read = self._eyes.reader.read(frame.image_bgr)
        if isinstance(read, DocumentUnreadable) and self._is_code_alone(frame):
            return
        if not (isinstance(read, DocumentRead) and read.check_digits_ok) and presence is not Presence.STEADY:
            return
        self._announce()
        ticket = self._wait_until_asked()
        if ticket is not None:
            self._finish(ticket, frame, read)

    def _is_code_alone(self, frame: Frame) -> bool:
        """A boarding pass or a phone lies there and no page yet: for a while that is no page that cannot be read."""
        if self._codes is None:
            return False
        is_seen = self._codes.look(frame.image_bgr) or self._codes.has_fresh
        return is_seen and frame.captured_ns - self._first_seen_ns < ALONE_NS

    def _tell_codes(self, ticket: int, frame: Frame, private: PrivateDocument) -> None:
        if self._codes is None:
            return
        self._codes.look(frame.image_bgr, is_due=True)
        found = self._codes.take(private)
        self._post(
            CodesSeen(ticket=ticket, boarding_pass=found.boarding_pass, health=found.health, record=found.record)
        )

    def _wait_until_asked(self) -> int | None:
        """The lane answers a new document within a millisecond or so: wait for that rather than for another frame."""
        with self._asked:
            if self._ticket is None:
                self._asked.wait(ASKED_WAIT_S)
            return self._ticket

    def _finish(self, ticket: int, frame: Frame, first: DocumentRead | DocumentUnreadable) -> None:
        best = self._best_of(ticket, frame, first)
        if best is None:
            return
        read, frame = best
        with self._asked:
            if self._ticket != ticket:
                return
            self._ticket = None
        placed_ns = self._first_seen_ns
        if isinstance(read, DocumentUnreadable):
            self._post(
                DocumentOutcome(
                    ticket=ticket,
                    placed_ns=placed_ns,
                    refusal=f"{read.reason.value}: {read.detail}",
                    model_hash=self._mrz_hash(),
                    inference_ns=self._eyes.inference_ns - self._before_ns,
                )
            )
            self._post(DocumentPictures(ticket=ticket, page_jpeg=encode_jpeg(frame.image_bgr), portrait_jpeg=None))
            return
        private = self._private(read)
        self._post(DocumentIdentified(ticket=ticket, private=private))
        chip = None if self._chip is None else self._chip.begin(read.fields, partial(self._tell_progress, ticket))
        lit = None if self._lamps is None else self._lamps.begin(frame, read)
        self._post(self._with_chip(self._outcome(ticket, frame, read, private, placed_ns, lit), chip))
        self._tell_codes(ticket, frame, private)
        portrait = None if read.portrait_bgr is None else encode_jpeg(read.portrait_bgr)
        signed = None if chip is None else chip.result().signed_bgr
        self._post(
            DocumentPictures(
                ticket=ticket,
                page_jpeg=encode_jpeg(frame.image_bgr),
                portrait_jpeg=portrait,
                chip_jpeg=None if signed is None else encode_jpeg(signed),
            )
        )

    def _tell_progress(self, ticket: int, ratio: float) -> None:
        self._post(ChipProgressed(ticket=ticket, ratio=ratio))

    def _best_of(
        self, ticket: int, frame: Frame, first: DocumentRead | DocumentUnreadable
    ) -> tuple[DocumentRead | DocumentUnreadable, Frame] | None:
        """The first frame's reading, or a better one of the next frames; None when the document or the interest is gone.

        Refused frames decide together where none does alone. A failed check digit accuses the document, so it stands only
        once a second frame reads the same.
        """
        best, best_frame = first, frame
        refused = [first] if isinstance(first, DocumentUnreadable) else []
        for _ in range(MAX_ATTEMPTS - 1):
            if isinstance(best, DocumentRead) and best.check_digits_ok:
                break
            following = self._camera.read(FRAME_WAIT_S)
            if self._ticket != ticket or self._is_stopping:
                return None
            if following is None:
                break
            if self._notice(following) is Presence.ABSENT:
                return None
            read = self._eyes.reader.read(following.image_bgr, refused)
            if isinstance(read, DocumentUnreadable):
                refused.append(read)
            is_agreed = isinstance(read, DocumentRead) and isinstance(best, DocumentRead) and read.lines == best.lines
            if isinstance(read, DocumentRead) or isinstance(best, DocumentUnreadable):
                best, best_frame = read, following
            if is_agreed:
                break
        return best, best_frame

    def _today(self) -> date:
        return datetime.fromtimestamp(self._clock.utc_ms() / 1000, tz=UTC).date()

    def _outcome(
        self,
        ticket: int,
        frame: Frame,
        read: DocumentRead,
        private: PrivateDocument,
        placed_ns: int,
        lit: "Future[Lit] | None",
    ) -> DocumentOutcome:
        """``lit``: pictures under the other lights, which are being taken."""
        reference = None
        if read.portrait_bgr is not None and read.portrait_face is not None:
            reference = self._eyes.careful.embed(read.portrait_bgr, read.portrait_face)
        today, mrz = self._today(), read.fields
        visual_zone = self._compare_visual_zone(frame, read)
        codes = {"issuer": issuer_status(mrz.issuer), "nationality": nationality_status(mrz.nationality)}
        facts = DocumentFacts(
            format=read.format.value,
            failed_check_digits=tuple(check.name.value for check in mrz.checks if not check.is_ok),
            expiry_date=mrz.expires_on(today),
            birth_date=mrz.born_on(today),
            has_portrait=reference is not None,
            confidence_ratio=round(read.confidence, 4),
            model_hash=self._mrz_hash(),
            unknown_codes=tuple(name for name, status in codes.items() if status is CodeStatus.UNKNOWN),
            is_specimen=CodeStatus.SPECIMEN in codes.values(),
            visual_zone=visual_zone,
            cues=measure_cues(frame.image_bgr, read),
            lights=self._check_lights(lit),  # last, so that the lamps have had the time of all the rest
        )
        return DocumentOutcome(
            ticket=ticket,
            placed_ns=placed_ns,
            facts=facts,
            private=private,
            reference=reference,
            model_hash=facts.model_hash,
            inference_ns=self._eyes.inference_ns - self._before_ns,
        )

    def _with_chip(self, page: DocumentOutcome, chip: "Future[ChipReading] | None") -> DocumentOutcome:
        """The picture that a state has signed is what a face is compared with, where there is one; the printed one is compared with it."""
        if chip is None or page.facts is None:
            return page
        reading = chip.result()
        face = reading.face_bgr
        found = () if face is None else self._eyes.detector.detect(face)
        if face is None or not found:
            return replace(page, findings=reading.findings)
        reference = self._eyes.careful.embed(face, found[0])
        findings = reading.findings
        if page.reference is not None:
            model_hash = self._eyes.model_hashes["face-embedder"]
            score = cosine(reference, page.reference)
            findings = (*findings, judge_pictures(score, self._eyes.match_threshold, model_hash))
        return replace(
            page,
            facts=replace(page.facts, has_portrait=True),
            reference=reference,
            findings=findings,
            inference_ns=self._eyes.inference_ns - self._before_ns,
        )

    def _check_lights(self, lit: "Future[Lit] | None") -> tuple[LightCheck, ...] | None:
        if lit is None or self._lamps is None:
            return None
        found = lit.result()
        return check_lights(found.pictures, found.document, self._lamps.limits)

    def _compare_visual_zone(self, frame: Frame, read: DocumentRead) -> VisualZoneFacts | None:
        zone = self._eyes.visual_zone
        if zone is None:
            return None
        found = zone.compare(frame.image_bgr, read)
        return VisualZoneFacts(
            agreement=found.agreement, fields=found.fields, differing=found.differing, model_hash=zone.model_hash
        )

    def _private(self, read: DocumentRead) -> PrivateDocument:
        today, mrz = self._today(), read.fields
        birth, expiry = mrz.born_on(today), mrz.expires_on(today)
        return PrivateDocument(
            surname=mrz.primary_name,
            given_names=mrz.secondary_name,
            document_code=mrz.document_code,
            document_number=mrz.document_number,
            issuer=mrz.issuer,
            nationality=mrz.nationality,
            birth_date=birth.isoformat() if birth else mrz.birth_date,
            sex=mrz.sex,
            expiry_date=expiry.isoformat() if expiry else mrz.expiry_date,
            mrz_lines=tuple(read.lines),
        )

    def _mrz_hash(self) -> str:
        return self._eyes.model_hashes["mrz-recogniser"]
