"""The rows of cases, as the pure parts take them."""

import json
import threading
from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, bindparam, select

from gate.core.consent import Consent
from gate.core.inspection import InspectionAct, InspectionOutcome, InspectionWord
from gate.core.joint_release import Verdict, VerdictKind
from gate.hub.audit.log import AuditKind, Entry, note
from gate.hub.believe import stored_event
from gate.hub.commands import command_record
from gate.hub.records import CommandRecord, StoredEvent
from gate.hub.schema import CASE_WORDS, CASES, COMMANDS, EVENTS, VERDICTS
from gate.hub.store import Among
from gate.wire.messages import CloudEvent

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)

# Built once: building costs more than running.
_EVENTS_OF = Among(select(EVENTS.c.case_id, EVENTS.c.id), EVENTS.c.case_id)
_BODIES_OF = Among(select(EVENTS.c.id, EVENTS.c.lane, EVENTS.c.body), EVENTS.c.id)
_VERDICTS_OF = Among(select(VERDICTS), VERDICTS.c.case_id)
# Not the token, which is long and only the lane's.
_COMMANDS_OF = Among(select(*(item for item in COMMANDS.c if item.name != "token")), COMMANDS.c.case_id)
_WORDS_OF = Among(select(CASE_WORDS), CASE_WORDS.c.case_id)
_BODY = select(CASES.c.body).where(CASES.c.case_id == bindparam("wanted"))


@dataclass(slots=True, kw_only=True)
class CaseRows:
    """All that a case is made of. Whoever adds a row to the database adds it here too."""

    events: list[StoredEvent] = field(default_factory=list)
    verdicts: list[Verdict] = field(default_factory=list)
    commands: list[CommandRecord] = field(default_factory=list)
    consents: list[Consent] = field(default_factory=list)
    inspections: list[InspectionWord] = field(default_factory=list)

    @property
    def next_word(self) -> int:
        """The number of the next word that is no verdict."""
        words = [item.number for item in self.consents] + [item.number for item in self.inspections]
        return max(words, default=0) + 1


class KnownEvents:
    """Events as they were parsed, by id: they never change, and those of a crossing are needed again with each new one. Thread-safe."""

    def __init__(self, port: str, size: int = 8192) -> None:
        self._port = port
        self._size = size
        self._lock = threading.Lock()
        self._events: OrderedDict[str, StoredEvent] = OrderedDict()

    def add(self, events: Mapping[str, StoredEvent]) -> None:
        """Those that are committed; the oldest beyond the size go."""
        with self._lock:
            self._events.update(events)
            while len(self._events) > self._size:
                self._events.popitem(last=False)

    def find(
        self, connection: Connection, event_ids: Iterable[str], fresh: Mapping[str, StoredEvent]
    ) -> dict[str, StoredEvent]:
        """All of these stored events; ``fresh`` are those that this very transaction stored."""
        found: dict[str, StoredEvent] = {}
        missing = []
        with self._lock:
            for event_id in event_ids:
                event = fresh.get(event_id) or self._events.get(event_id)
                if event is None:
                    missing.append(event_id)
                else:
                    found[event_id] = event
        if missing:
            rows = _BODIES_OF.find(connection, missing)
            read = {row.id: _event(self._port, row.lane, row.body) for row in rows}
            self.add(read)
            found |= read
        return found


_NONE: Mapping[str, StoredEvent] = {}


def load_cases(
    connection: Connection, known: KnownEvents, case_ids: Sequence[str], fresh: Mapping[str, StoredEvent] = _NONE
) -> dict[str, CaseRows]:
    """The rows of those of these cases that have an event. ``fresh``: events that this transaction stored, by id."""
    if not case_ids:
        return {}
    found = {case_id: CaseRows() for case_id in case_ids}
    listed = _EVENTS_OF.find(connection, case_ids).all()
    events = known.find(connection, [row.id for row in listed], fresh)
    for row in listed:
        found[row.case_id].events.append(events[row.id])
    for verdict in _VERDICTS_OF.find(connection, case_ids):
        found[verdict.case_id].verdicts.append(_verdict(verdict))
    for command in _COMMANDS_OF.find(connection, case_ids):
        found[command.case_id].commands.append(command_record(command))
    for word in _WORDS_OF.find(connection, case_ids):
        _add_word(found[word.case_id], word)
    return {case_id: rows for case_id, rows in found.items() if rows.events}


def case_body(connection: Connection, case_id: str) -> dict[str, Any] | None:
    """The projection's JSON of a case."""
    body = connection.scalar(_BODY, {"wanted": case_id})
    return dict(json.loads(body)) if body is not None else None


def event_time_ms(event: CloudEvent) -> int:
    """The event's time in milliseconds since 1970."""
    return (event.time - _EPOCH) // _MILLISECOND


def _event(port: str, lane: str, body: str) -> StoredEvent:
    event = CloudEvent.model_validate_json(body)
    return stored_event(
        port=port,
        lane=lane,
        event_id=event.id,
        sequence=event.sequence,
        event_type=event.type,
        at_ms=event_time_ms(event),
        data=event.typed_data(),
    )


def _verdict(row: Row[Any]) -> Verdict:
    return Verdict(
        role=row.role,
        kind=VerdictKind(row.kind),
        evidence_digest=row.evidence_digest,
        author=row.author,
        at_ms=row.at_ms,
        number=row.number,
        reason=row.reason,
    )


FORCE_OPEN, INSPECTION = "force_open", "inspection"
"""The topics of case words."""


def add_consent(connection: Connection, case_id: str, rows: CaseRows, consent: Consent) -> None:
    """Write a consent to a forced opening down, and add it to ``rows``."""
    _insert_word(connection, case_id, FORCE_OPEN, consent, {"reason": consent.reason})
    rows.consents.append(consent)


def add_inspection_word(connection: Connection, case_id: str, rows: CaseRows, word: InspectionWord) -> None:
    """Write a word of an inspection down, and add it to ``rows``."""
    body = {
        "inspection_id": word.inspection_id,
        "act": word.act.value,
        "roles": sorted(word.roles),
        "outcome": word.outcome.value if word.outcome else None,
        "detail": word.detail,
    }
    _insert_word(connection, case_id, INSPECTION, word, body)
    rows.inspections.append(word)


def _insert_word(
    connection: Connection, case_id: str, topic: str, word: Consent | InspectionWord, body: dict[str, Any]
) -> None:
    row = {
        "case_id": case_id,
        "number": word.number,
        "topic": topic,
        "role": word.role,
        "evidence_digest": word.evidence_digest,
        "author": word.author,
        "at_ms": word.at_ms,
        "body": json.dumps(body, ensure_ascii=False),
    }
    connection.execute(CASE_WORDS.insert(), row)
    kind = AuditKind.CONSENT_GIVEN if topic == FORCE_OPEN else AuditKind.INSPECTION_WORD
    data = body | {key: row[key] for key in ("number", "topic", "role", "evidence_digest")}
    note(connection, Entry(at_ms=word.at_ms, kind=kind, who=word.author, case_id=case_id, data=data))


def _add_word(rows: CaseRows, row: Row[Any]) -> None:
    body = json.loads(row.body)
    said = {
        "role": row.role,
        "author": row.author,
        "evidence_digest": row.evidence_digest,
        "at_ms": row.at_ms,
        "number": row.number,
    }
    if row.topic == FORCE_OPEN:
        rows.consents.append(Consent(**said, reason=body["reason"]))
        return
    rows.inspections.append(
        InspectionWord(
            **said,
            inspection_id=body["inspection_id"],
            act=InspectionAct(body["act"]),
            roles=frozenset(body["roles"]),
            outcome=InspectionOutcome(body["outcome"]) if body["outcome"] else None,
            detail=body["detail"],
        )
    )
