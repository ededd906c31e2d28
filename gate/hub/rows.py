"""The rows of cases, as the pure parts take them."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from sqlalchemy import BindParameter, Connection, Row, bindparam, select

from gate.core.joint_release import Verdict, VerdictKind
from gate.hub.cases import stored_event
from gate.hub.commands import command_record
from gate.hub.records import CommandRecord, StoredEvent
from gate.hub.schema import CASES, COMMANDS, EVENTS, VERDICTS
from gate.wire.messages import CloudEvent

# Built once: building costs more than running.
_WANTED: BindParameter[list[str]] = bindparam("wanted", expanding=True)
_EVENTS_OF = select(EVENTS.c.case_id, EVENTS.c.lane, EVENTS.c.body).where(EVENTS.c.case_id.in_(_WANTED))
_VERDICTS_OF = select(VERDICTS).where(VERDICTS.c.case_id.in_(_WANTED))
_COMMANDS_OF = select(COMMANDS).where(COMMANDS.c.case_id.in_(_WANTED))
_BODY = select(CASES.c.body).where(CASES.c.case_id == bindparam("wanted"))


@dataclass(slots=True, kw_only=True)
class CaseRows:
    """All that a case is made of. Whoever adds a row to the database adds it here too."""

    events: list[StoredEvent] = field(default_factory=list)
    verdicts: list[Verdict] = field(default_factory=list)
    commands: list[CommandRecord] = field(default_factory=list)


def load_cases(connection: Connection, port: str, case_ids: Sequence[str]) -> dict[str, CaseRows]:
    """The rows of those of these cases that have an event."""
    if not case_ids:
        return {}
    wanted = {"wanted": list(case_ids)}
    found = {case_id: CaseRows() for case_id in case_ids}
    for row in connection.execute(_EVENTS_OF, wanted):
        found[row.case_id].events.append(_event(port, row.lane, row.body))
    for verdict in connection.execute(_VERDICTS_OF, wanted):
        found[verdict.case_id].verdicts.append(_verdict(verdict))
    for command in connection.execute(_COMMANDS_OF, wanted):
        found[command.case_id].commands.append(command_record(command))
    return {case_id: rows for case_id, rows in found.items() if rows.events}


def case_body(connection: Connection, case_id: str) -> dict[str, Any] | None:
    """The projection's JSON of a case."""
    body = connection.scalar(_BODY, {"wanted": case_id})
    return dict(json.loads(body)) if body is not None else None


def event_time_ms(event: CloudEvent) -> int:
    """The event's time in milliseconds since 1970."""
    return round(event.time.timestamp() * 1000)


@lru_cache(maxsize=4096)
def _event(port: str, lane: str, body: str) -> StoredEvent:
    """Events never change, and those of a crossing are read again with each new one."""
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
