"""The hub's end of the single window: takes submissions in, answers lanes, issues health codes, and forgets what has ceased to hold."""

import hashlib
import json
import threading
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import cached_property

from joserfc.jwk import OKPKey
from sqlalchemy import delete, select

from config.schema import Site
from gate.checks.eligibility import load_entry_rules
from gate.checks.health_qr import HealthDeclaration, document_name, issue_health
from gate.core.clock import Clock
from gate.hub import intake as declarations
from gate.hub.blobs import BlobStore
from gate.hub.store import Store
from gate.hub.window.forms import Kind, shipped_forms
from gate.hub.window.intake import Conflict, Submission, Taken, WindowIntake
from gate.hub.window.keys import health_key
from gate.hub.window.lookups import Answers, Place, answer, claim
from gate.hub.window.parcels import ParcelDesk
from gate.hub.window.receipts import Receipts
from gate.hub.window.records import DAY_MS
from gate.hub.window.schema import WINDOW_RECORDS, WINDOW_SUBMISSIONS
from gate.wire.messages import LookupAnswer, LookupRequest, LookupResult, PrefetchedDocument, PrefetchOut
from gate.wire.prefetch import document_digest
from gate.wire.signing import SigningKey

MAX_PREFETCHED = 5_000
"""Passengers in one answer, those who are due first."""
NEVER_PREFETCHED = frozenset({"watchlist"})
"""Lanes hold the watchlist as a signed snapshot with an age of its own; an answer about one person must not outlive it."""
_HOUR_MS = 3_600_000


@dataclass(frozen=True, slots=True, kw_only=True)
class _Prepared:
    until_ms: int
    out: PrefetchOut


class WindowDesk:
    """One hub's single window."""

    def __init__(self, *, site: Site, key: SigningKey, store: Store, blobs: BlobStore, clock: Clock) -> None:
        self._site = site
        self._store = store
        self._blobs = blobs
        self.parcels = ParcelDesk(site=site, blobs=blobs)
        self._clock = clock
        self.public_key = key.public()
        self._receipts = Receipts(key=key, issuer=f"{site.port.id}/{site.hub.name}")
        self._prepared: dict[tuple[str, ...], _Prepared] = {}
        self._preparing = threading.Lock()

    @cached_property
    def intake(self) -> WindowIntake:
        """Made when it is first needed: a hub without a single window does not load the forms."""
        return WindowIntake(
            store=self._store,
            settings=self._site.window,
            forms=shipped_forms(),
            receipts=self._receipts,
            keep_picture=self._blobs.put,
            clock=self._clock,
        )

    @cached_property
    def place(self) -> Place:
        """GateError when the file of entry rules cannot be used."""
        settings = self._site.window
        return Place(settings=settings, port=self._site.port.id, rules=load_entry_rules(settings.transit_rules_file))

    @cached_property
    def _health_key(self) -> OKPKey:
        return health_key(self._site.keys_dir)

    def check(self) -> None:
        """Read what a site may have set wrongly, before the first traveller needs it: GateError names the file."""
        _ = self.place

    def take(self, submission: Submission) -> Taken | Conflict:
        """See :meth:`WindowIntake.take`."""
        taken = self.intake.take(submission)
        if isinstance(taken, Taken) and taken.accepted and not taken.is_repeat:
            self._prepared.clear()
        return taken

    # -- look-ups --------------------------------------------------------------------------------------------------

    def look_up(self, request: LookupRequest, names: Sequence[str]) -> LookupAnswer:
        """Every look-up of ``names`` that the hub can answer, declarations for one crossing claimed for this case."""
        for _ in range(3):
            answers, base = self._ask(request, names)
            if not answers.claims or self._claim(answers.claims, request.case_id):
                return LookupAnswer(results=_merged(names, answers, base))
        # Others are quicker each time: without an answer an officer looks.
        contested = {"health_declaration", "entry_permission"}
        return LookupAnswer(results=[item for item in _merged(names, answers, base) if item.name not in contested])

    def _ask(self, request: LookupRequest, names: Sequence[str]) -> tuple[Answers, LookupAnswer]:
        now_ms = self._clock.utc_ms()
        with self._store.read() as connection:
            answers = answer(connection, request, names, place=self.place, now_ms=now_ms)
            return answers, declarations.look_up(connection, request, names)

    def _claim(self, keys: Collection[str], case_id: str) -> bool:
        with self._store.read() as connection:
            mine = connection.scalars(
                select(WINDOW_RECORDS.c.key).where(
                    WINDOW_RECORDS.c.key.in_(sorted(keys)), WINDOW_RECORDS.c.used_case_id == case_id
                )
            ).all()
        if set(mine) >= set(keys):
            return True
        with self._store.write() as connection:
            return claim(connection, keys, case_id, now_ms=self._clock.utc_ms())

    def prefetch(self, names: Sequence[str]) -> PrefetchOut:
        """The answers about the passengers who are due soon, the same for all lanes for a while. Claims nothing."""
        asked = tuple(name for name in names if name not in NEVER_PREFETCHED)
        with self._preparing:
            now_ms = self._clock.utc_ms()
            held = self._prepared.get(asked)
            if held is None or now_ms >= held.until_ms:
                lifetime_ms = self._site.window.prefetch_every_s * 500
                held = _Prepared(until_ms=now_ms + lifetime_ms, out=self._prefetch(asked, now_ms))
                self._prepared[asked] = held
        return held.out.model_copy(update={"age_ms": max(0, now_ms - held.out.at_ms)})

    def _prefetch(self, names: Sequence[str], now_ms: int) -> PrefetchOut:
        table = WINDOW_RECORDS
        with self._store.read() as connection:
            rows = connection.execute(
                select(table.c.issuer, table.c.document_number, table.c.body)
                .where(
                    table.c.kind == Kind.PASSENGERS.value,
                    table.c.due_ms > now_ms - 3 * _HOUR_MS,
                    table.c.due_ms < now_ms + self._site.window.prefetch_hours * _HOUR_MS,
                )
                .order_by(table.c.due_ms, table.c.key)
                .limit(MAX_PREFETCHED)
            ).all()
        entries: dict[str, PrefetchedDocument] = {}
        for row in rows:
            body = json.loads(row.body)
            request = LookupRequest(
                case_id="",
                document_number=row.document_number,
                issuer=row.issuer,
                nationality=body["nationality"],
                birth_date=body["birth_date"],
                expiry_date=body["expiry_date"],
            )
            answers, base = self._ask(request, names)
            digest = document_digest(row.issuer, row.document_number, body["birth_date"])
            entries[digest] = PrefetchedDocument(
                document=digest, results=_merged(names, answers, base), is_once=bool(answers.claims)
            )
        return PrefetchOut(at_ms=now_ms, documents=list(entries.values()))

    # -- health codes ----------------------------------------------------------------------------------------------

    def health_code(self, key: str) -> str | None:
        """The text of the QR code of a health declaration that holds: for one person, 24 hours, one crossing. None: there is none."""
        now_ms = self._clock.utc_ms()
        table = WINDOW_RECORDS
        with self._store.read() as connection:
            row = connection.execute(
                select(table).where(table.c.key == key, table.c.kind == Kind.HEALTH.value, table.c.until_ms > now_ms)
            ).first()
        if row is None or len(row.document_number) > 22:
            return None
        body = json.loads(row.body)
        declaration = HealthDeclaration(
            declaration_id=hashlib.sha256(f"{row.key}\0{row.revision}".encode()).hexdigest()[:32],
            issuer=self._site.port.id,
            issued_s=row.at_ms / 1000,
            expires_s=row.until_ms / 1000,
            document=document_name(row.issuer, row.document_number),
            has_fever=bool(body.get("has_fever")),
            symptoms=tuple(body["symptoms"]),
            had_contact=bool(body.get("had_contact")),
            visited=tuple(body["countries"]),
        )
        return issue_health(declaration, self._health_key)

    # -- upkeep ----------------------------------------------------------------------------------------------------

    def sweep(self) -> int:
        """Forget records that ceased to hold long enough ago, and submissions of the same age; how many records went."""
        before_ms = self._clock.utc_ms() - self._site.window.keep_days * DAY_MS
        table = WINDOW_RECORDS
        is_over = (table.c.until_ms < before_ms) | (table.c.until_ms.is_(None) & (table.c.at_ms < before_ms))
        with self._store.write() as connection:
            gone = connection.execute(delete(table).where(is_over)).rowcount
            connection.execute(delete(WINDOW_SUBMISSIONS).where(WINDOW_SUBMISSIONS.c.received_ms < before_ms))
        return int(gone)


def _merged(names: Sequence[str], answers: Answers, base: LookupAnswer) -> list[LookupResult]:
    found = {item.name: item for item in base.results} | {item.name: item for item in answers.results}
    return [found[name] for name in names if name in found]
