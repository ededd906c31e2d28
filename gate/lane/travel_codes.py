"""Codes in the document camera's frames: gathered while a traveller lays things down, judged with the document that is read.

A pass or a phone may lie there before the passport does: what was seen in the last seconds belongs to the next document. The lane waits
for no code, so one that is shown after the page has been read is not seen.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

import numpy as np
from joserfc.jwk import OKPKey
from numpy.typing import NDArray

from drivers.codes import CodeReader
from gate.checks.travel_codes import Holder, bag_tags, is_travel_code, judge_health, judge_passes
from gate.core.clock import Clock
from gate.core.evidence import canonical_json
from gate.core.travel_findings import HealthFacts, PassFacts
from gate.lane.sightings import PrivateDocument

KEEP_NS = 20_000_000_000
LOOK_NS = 150_000_000
"""Looking takes about 15 ms of the document's thread."""
ALONE_NS = 5_000_000_000
"""So long a code may lie there without a page before the traveller is told that the page cannot be read."""
MAX_CODES = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class CodesRead:
    """What was shown beside a document. ``record`` is for the evidence store only: the texts name people."""

    boarding_pass: PassFacts | None
    health: HealthFacts | None
    record: bytes | None = field(repr=False)


class TravelCodes:
    """Lives in the document camera's thread. ``keys``: the health authorities' public keys by key id."""

    def __init__(self, reader: CodeReader, *, keys: Mapping[str, OKPKey], clock: Clock) -> None:
        self._reader = reader
        self._keys = keys
        self._clock = clock
        self._seen: dict[str, int] = {}
        self._looked_ns = 0

    def look(self, image_bgr: NDArray[np.uint8], *, is_due: bool = False) -> bool:
        """Gather the codes of a frame, now and then or at once where ``is_due``; whether it has been looked at and shows one."""
        now_ns = self._clock.monotonic_ns()
        if not is_due and now_ns - self._looked_ns < LOOK_NS:
            return False
        self._looked_ns = now_ns
        texts = [code.text for code in self._reader.read(image_bgr) if is_travel_code(code.text)]
        for text in texts:
            if len(self._seen) < MAX_CODES or text in self._seen:
                self._seen[text] = now_ns
        return bool(texts)

    @property
    def has_fresh(self) -> bool:
        """Whether a code was seen a moment ago."""
        now_ns = self._clock.monotonic_ns()
        return any(now_ns - at_ns < 4 * LOOK_NS for at_ns in self._seen.values())

    def take(self, document: PrivateDocument) -> CodesRead:
        """Judge what was seen of late against this document, and forget it: the next document is another's."""
        now_ns, now_s = self._clock.monotonic_ns(), self._clock.utc_ms() / 1000
        texts = [text for text, at_ns in self._seen.items() if now_ns - at_ns <= KEEP_NS]
        self._seen.clear()
        holder = Holder(
            surname=document.surname,
            given_names=document.given_names,
            issuer=document.issuer,
            document_number=document.document_number,
        )
        today = datetime.fromtimestamp(now_s, tz=UTC).date()
        record = canonical_json({"codes": texts, "bag_tags": list(bag_tags(texts))}) if texts else None
        return CodesRead(
            boarding_pass=judge_passes(texts, holder, today=today),
            health=judge_health(texts, holder, self._keys, now_s=now_s),
            record=record,
        )
