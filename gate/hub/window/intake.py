"""One submission: read, checked record by record, stored in one transaction with its receipt; what is wrong is named, the rest goes in.

The same submission again gets the receipt that it got, and changes nothing: by its id, or where it has none by its bytes within ten
minutes. After that the same bytes are a declaration made anew.
"""

import hashlib
import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, Row, and_, select

from config.window import Window
from gate.checks.paxlst import PaxlstError, read_paxlst
from gate.core.clock import Clock
from gate.hub.audit.log import AuditKind, Entry, note
from gate.hub.intake import declaration_of, put_declaration
from gate.hub.store import Among, Store, upsert_all
from gate.hub.window.forms import FormError, Forms, Kind
from gate.hub.window.items import Item, WindowError, read_items
from gate.hub.window.receipts import Receipts
from gate.hub.window.records import Draft, draft_of, passenger_draft
from gate.hub.window.reservations import room_problem
from gate.hub.window.schema import WINDOW_RECORDS, WINDOW_SUBMISSIONS

MAX_ERRORS = 1_000
"""Of one submission that are kept and told; ``refused`` counts all."""
REPEAT_MS = 600_000
_REVISIONS = Among(select(WINDOW_RECORDS.c.key, WINDOW_RECORDS.c.revision), WINDOW_RECORDS.c.key)


@dataclass(frozen=True, slots=True, kw_only=True)
class Submission:
    """What somebody sends. ``submission_id`` is their own name for it; ``source`` is who they are."""

    kind: Kind
    data: bytes
    source: str
    channel: str
    submission_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """A record that went in. ``revision`` 1 is new."""

    key: str
    line: int
    revision: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """What became of a submission. ``records`` is empty when it was known already (``is_repeat``)."""

    submission_id: str
    receipt: str
    accepted: int
    refused: int
    errors: tuple[WindowError, ...]
    records: tuple[Stored, ...] = ()
    is_repeat: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Conflict:
    """This id was used for another submission."""

    submission_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Read:
    drafts: list[Draft]
    errors: list[WindowError]
    refused: int


class WindowIntake:
    """Takes submissions in. Thread-safe: the store's writer lock orders its callers."""

    def __init__(
        self,
        *,
        store: Store,
        settings: Window,
        forms: Forms,
        receipts: Receipts,
        keep_picture: Callable[[str, bytes], object],
        clock: Clock,
    ) -> None:
        """``keep_picture`` puts bytes on disk under their sha256."""
        self._store = store
        self._keep_picture = keep_picture
        self._settings = settings
        self.forms = forms
        self._receipts = receipts
        self._clock = clock

    def take(self, submission: Submission) -> Taken | Conflict:
        """Take it in; on disk on return. DBAPIError when the database refuses: nothing was taken then."""
        sha256 = hashlib.sha256(submission.data).hexdigest()
        now_ms = self._clock.utc_ms()
        with self._store.read() as connection:
            known = _known(connection, submission, sha256, now_ms)
        if known is not None:
            return _repeated(known, submission, sha256)
        read = self._read(submission, now_ms)
        with self._store.write() as connection:
            known = _known(connection, submission, sha256, now_ms)
            if known is not None:
                return _repeated(known, submission, sha256)
            own_name = f"{submission.source}\0{submission.kind.value}\0{sha256}\0{now_ms}"
            name = submission.submission_id or hashlib.sha256(own_name.encode()).hexdigest()
            return self._keep(connection, submission, read, name=name, sha256=sha256, now_ms=now_ms)

    def _read(self, submission: Submission, now_ms: int) -> _Read:
        if submission.kind is Kind.PASSENGERS:
            return self._read_passengers(submission.data, now_ms)
        items, errors = read_items(submission.data)
        drafts = []
        for item in items:
            draft = self._draft(submission.kind, item, now_ms)
            if isinstance(draft, Draft):
                drafts.append(draft)
            else:
                errors += draft
        errors.sort(key=lambda error: (error.line, error.record or 0))
        return _Read(drafts=drafts, errors=errors, refused=len({(error.line, error.record) for error in errors}))

    def _read_passengers(self, data: bytes, now_ms: int) -> _Read:
        read = read_paxlst(data, today=datetime.fromtimestamp(now_ms / 1000, tz=UTC).date())
        drafts = [
            passenger_draft(passenger, flight, now_ms=now_ms, utc_offset_min=self._settings.utc_offset_min)
            for flight in read.lists
            for passenger in flight.passengers
        ]
        errors = [_of_list(error) for error in read.errors]
        return _Read(drafts=drafts, errors=errors, refused=len({error.record for error in errors if error.record}))

    def _draft(self, kind: Kind, item: Item, now_ms: int) -> Draft | list[WindowError]:
        body = dict(item.data)
        name = body.pop("schema", None)
        form = self.forms.of(kind, name) if name is None or isinstance(name, str) else None
        if form is None:
            known = ", ".join(known for known in self.forms.names if known.startswith(f"{kind.value}-"))
            return [_wrong(item, FormError(field="schema", message=f"is none of {known}"))]
        found = form.errors(body)
        if found:
            return [_wrong(item, error) for error in found]
        draft = draft_of(kind, form.name, body, line=item.line, now_ms=now_ms)
        if isinstance(draft, FormError):
            return [_wrong(item, draft)]
        return draft

    def _keep(
        self, connection: Connection, submission: Submission, read: _Read, *, name: str, sha256: str, now_ms: int
    ) -> Taken:
        drafts, errors, refused = read.drafts, list(read.errors), read.refused
        if submission.kind is Kind.RESERVATION:
            drafts, full = self._with_room(connection, drafts, now_ms)
            errors += full
            refused += len(full)
        for draft in drafts:
            if draft.picture is not None:
                self._keep_picture(draft.body["picture"]["sha256"], draft.picture)
        records = _store(connection, drafts, submission.source, name, now_ms)
        if submission.kind in (Kind.CUSTOMS, Kind.HEALTH):
            _declare(connection, drafts, submission.source, now_ms)
        counts = {"records": len(drafts), "errors": len(errors)}
        claims = {"submission_id": name, "kind": submission.kind.value, "source": submission.source, "sha256": sha256}
        receipt = self._receipts.sign(claims | counts, at_ms=now_ms)
        kept = errors[:MAX_ERRORS]
        row = {
            "submission_id": name,
            "kind": submission.kind.value,
            "channel": submission.channel,
            "source": submission.source,
            "sha256": sha256,
            "received_ms": now_ms,
            "accepted": len(drafts),
            "refused": refused,
            "errors": json.dumps([error.to_json() for error in kept]),
            "receipt": receipt,
        }
        connection.execute(WINDOW_SUBMISSIONS.insert(), row)
        told = claims | counts | {"channel": submission.channel}
        note(connection, Entry(at_ms=now_ms, kind=AuditKind.SUBMISSION_TAKEN, who=submission.source, data=told))
        return Taken(
            submission_id=name,
            receipt=receipt,
            accepted=len(drafts),
            refused=refused,
            errors=tuple(kept),
            records=tuple(records),
        )

    def _with_room(
        self, connection: Connection, drafts: Sequence[Draft], now_ms: int
    ) -> tuple[list[Draft], list[WindowError]]:
        """Appointments one after the other: each must find room beside those before it."""
        kept: list[Draft] = []
        errors = []
        for draft in drafts:
            problem = room_problem(connection, draft, kept, settings=self._settings, now_ms=now_ms)
            if problem is None:
                kept.append(draft)
            else:
                errors.append(WindowError(line=draft.line, field=problem.field, message=problem.message))
        return kept, errors


def _known(connection: Connection, submission: Submission, sha256: str, now_ms: int) -> Row[Any] | None:
    table = WINDOW_SUBMISSIONS
    if submission.submission_id is not None:
        wanted = table.c.submission_id == submission.submission_id
    else:
        wanted = and_(
            table.c.source == submission.source,
            table.c.received_ms > now_ms - REPEAT_MS,
            table.c.kind == submission.kind.value,
            table.c.sha256 == sha256,
        )
    return connection.execute(select(table).where(wanted)).first()


def _repeated(row: Row[Any], submission: Submission, sha256: str) -> Taken | Conflict:
    if (row.sha256, row.kind, row.source) != (sha256, submission.kind.value, submission.source):
        return Conflict(submission_id=row.submission_id)
    return Taken(
        submission_id=row.submission_id,
        receipt=row.receipt,
        accepted=row.accepted,
        refused=row.refused,
        errors=tuple(WindowError(**error) for error in json.loads(row.errors)),
        is_repeat=True,
    )


def _wrong(item: Item, error: FormError) -> WindowError:
    return WindowError(line=item.line, field=error.field, message=error.message, record=item.number)


def _of_list(error: PaxlstError) -> WindowError:
    return WindowError(
        line=error.line,
        field=error.field,
        message=error.message,
        segment=error.segment,
        record=error.passenger,
    )


def _store(
    connection: Connection, drafts: Iterable[Draft], source: str, submission_id: str, now_ms: int
) -> list[Stored]:
    """Write them; of several about the same, the last counts."""
    listed = list(drafts)
    held = {row.key: row.revision for row in _REVISIONS.find(connection, {draft.key for draft in listed})}
    rows: dict[str, dict[str, Any]] = {}
    stored = []
    for draft in listed:
        revision = held[draft.key] = held.get(draft.key, 0) + 1
        rows[draft.key] = {
            "key": draft.key,
            "kind": draft.kind.value,
            "issuer": draft.issuer,
            "document_number": draft.document_number,
            "schema": draft.schema,
            "revision": revision,
            "at_ms": now_ms,
            "from_ms": draft.from_ms,
            "until_ms": draft.until_ms,
            "due_ms": draft.due_ms,
            "flight": draft.flight,
            "source": source,
            "submission_id": submission_id,
            "used_case_id": None,
            "used_ms": None,
            "body": json.dumps(draft.body),
        }
        stored.append(Stored(key=draft.key, line=draft.line, revision=revision))
    upsert_all(connection, WINDOW_RECORDS, list(rows.values()))
    return stored


def _declare(connection: Connection, drafts: Iterable[Draft], source: str, now_ms: int) -> None:
    """The declaration that officers see with a case: its customs and its health part are each the last that came."""
    for draft in drafts:
        if draft.issuer is None or draft.document_number is None:
            continue
        held = declaration_of(connection, draft.document_number, draft.issuer) or {"customs": None, "health": None}
        part = {draft.kind.value: _shown(draft)}
        put_declaration(
            connection,
            document_number=draft.document_number,
            issuer=draft.issuer,
            author=source,
            at_ms=now_ms,
            **(held | part),
        )


def _shown(draft: Draft) -> dict[str, Any]:
    """A declaration in the terms that all versions share."""
    body = draft.body
    if draft.kind is Kind.CUSTOMS:
        goods = [item if isinstance(item, str) else str(item["description"]) for item in body.get("goods", [])]
        cash = body.get("cash")
        if cash is not None:
            goods.append(f"{cash['amount']} {cash['currency']}")
        return {"goods": goods, "is_nothing_to_declare": body["is_nothing_to_declare"]}
    symptoms = list(body["symptoms"])
    symptoms += [word for word, key in (("fever", "has_fever"), ("contact", "had_contact")) if body.get(key)]
    return {"symptoms": symptoms, "countries": list(body["countries"])}
