"""The chip of the document on the reader: read in a thread of its own while the page is looked at, judged, its picture decoded."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from datetime import UTC, datetime

import cv2
import numpy as np
import structlog
from numpy.typing import NDArray

from drivers.chip.channel import ApduChannel
from drivers.chip.reader import ReadLimits, read_chip
from drivers.chip.results import AuthOutcome, ChipProgress
from drivers.errors import DeviceError
from gate.checks.emrtd.findings import ChipLimits, judge_findings
from gate.checks.emrtd.passive import PassivePolicy
from gate.checks.emrtd.results import ChipState, unread_chip
from gate.checks.emrtd.store import TrustStore
from gate.checks.mrz import Mrz
from gate.core.clock import Clock
from gate.core.evidence import Finding, Outcome, Stage
from gate.lane.chip_inspection import ChipInspection, access_key, inspect_chip

_log = structlog.get_logger(__name__)
_MAX_PICTURE_BYTES = 1 << 20
PROGRESS_STEP = 0.15
"""How much must be done before it is told again: each telling is a message of the lane's."""
_SHARES = {
    "opening": (0.0, 0.2),
    "EF.CardSecurity": (0.15, 0.2),
    "DG14": (0.2, 0.24),
    "EF.COM": (0.24, 0.26),
    "EF.SOD": (0.26, 0.34),
    "DG1": (0.34, 0.36),
    "DG15": (0.36, 0.4),
    "DG2": (0.4, 0.95),
    "DG11": (0.95, 0.97),
    "DG12": (0.97, 1.0),
}
"""From where to where each step goes, by the time that it takes with a picture of 15 to 20 kB."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChipRules:
    """What a site trusts and asks: certificates, what is done about chips that prove nothing, how long a traveller waits."""

    store: TrustStore
    limits: ChipLimits
    passive: PassivePolicy
    times: ReadLimits


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ChipReading:
    """Pictures of DG2, uint8 (height, width, 3). ``signed_bgr``: one that a state signed, for officers to see, also in a copy of a chip.

    ``face_bgr``: the same if nothing speaks against the chip, to compare a face with. A picture that nobody signed is not even decoded.
    """

    findings: tuple[Finding, ...]
    signed_bgr: NDArray[np.uint8] | None = None
    face_bgr: NDArray[np.uint8] | None = None


class ChipWatch:
    """One antenna. One reading at a time; a new one waits for the end of the last, which has its own time limit."""

    def __init__(self, channel: ApduChannel, rules: ChipRules, clock: Clock) -> None:
        self._channel = channel
        self._rules = rules
        self._clock = clock
        self._busy = threading.Lock()

    def begin(self, mrz: Mrz, tell: Callable[[float], None] = lambda _ratio: None) -> Future[ChipReading]:
        """Start reading the chip that opens with this zone; the future never fails for what a document or a reader does.

        ``tell``, called in the reading's thread, hears how much is done (0 to 1, rising by `PROGRESS_STEP` and more), once there is a chip.
        """
        future: Future[ChipReading] = Future()

        def run() -> None:
            try:
                future.set_result(self._read(mrz, Progress(tell)))
            except Exception as error:  # noqa: BLE001  handed to whoever waits, who stops the lane
                future.set_exception(error)

        threading.Thread(target=run, name="chip", daemon=True).start()
        return future

    def close(self) -> None:
        """Let the reader go, after the reading under way."""
        with self._busy:
            self._channel.close()

    def _read(self, mrz: Mrz, progress: Progress) -> ChipReading:
        key = access_key(mrz)
        if key is None:
            verdict = unread_chip(ChipState.FAILED, "the zone of the page makes no key for a chip")
            return ChipReading(findings=judge_findings(verdict, self._rules.limits))
        with self._busy:
            try:
                result = read_chip(
                    self._channel,
                    key,
                    limits=self._rules.times,
                    on_progress=progress.note,
                    now_ns=self._clock.monotonic_ns,
                )
            except DeviceError as error:
                _log.warning("chip_reader_failed", reason=str(error))
                return ChipReading(findings=(_unusable(str(error)),))
        now = datetime.fromtimestamp(self._clock.utc_ms() / 1000, tz=UTC)
        inspection = inspect_chip(result, self._rules.store, now, printed_mrz=mrz.lines, policy=self._rules.passive)
        findings = (*judge_findings(inspection.verdict, self._rules.limits), *_way_in(inspection))
        signed = _decode(inspection) if inspection.is_face_signed else None
        return ChipReading(findings=findings, signed_bgr=signed, face_bgr=signed if inspection.is_genuine else None)


class Progress:
    """Turns a reading's steps into one number that only rises: what was read before the document moved is not read again."""

    def __init__(self, tell: Callable[[float], None]) -> None:
        self._tell = tell
        self._told = -1.0

    def note(self, step: ChipProgress) -> None:
        """A step of the reading, in its thread."""
        if step.stage not in _SHARES:
            return
        begin, end = _SHARES[step.stage]
        part = step.done_bytes / step.total_bytes if step.total_bytes else 0.0
        ratio = begin + (end - begin) * part
        if ratio >= self._told + PROGRESS_STEP:
            self._told = ratio
            self._tell(round(ratio, 3))


def judge_pictures(score: float, threshold: float, model_hash: str) -> Finding:
    """The picture in a genuine chip against the printed one (cosines): a page whose picture was exchanged shows here."""
    return Finding(
        code="chip.portrait_match",
        outcome=Outcome.PASS if score >= threshold else Outcome.REFER,
        stage=Stage.ENTRY,
        measured=round(score, 4),
        threshold=threshold,
        model_hash=model_hash,
    )


def _way_in(inspection: ChipInspection) -> tuple[Finding, ...]:
    downgrade = inspection.downgrade
    if downgrade is None:
        return ()
    is_forced = downgrade.outcome is AuthOutcome.FAIL
    return (
        Finding(
            code="chip.way_in",
            outcome=Outcome.REFER if is_forced else Outcome.PASS,
            stage=Stage.ENTRY,
            measured=inspection.protocol,
            detail=downgrade.reason if is_forced else "",
        ),
    )


def _unusable(reason: str) -> Finding:
    return Finding(code="chip.state", outcome=Outcome.NOT_CHECKED, stage=Stage.ENTRY, detail=reason)


def _decode(inspection: ChipInspection) -> NDArray[np.uint8] | None:
    face = inspection.face
    if face is None or len(face.data) > _MAX_PICTURE_BYTES:
        return None
    try:
        image = cv2.imdecode(np.frombuffer(face.data, np.uint8), cv2.IMREAD_COLOR)
    except cv2.error:
        return None
    return None if image is None else image.astype(np.uint8, copy=False)
