"""A lane's journal: its events in a few words each, and what it was told. Nothing of a traveller but the case's id is in it."""

from typing import Any

from sqlalchemy import Connection, select

from gate.hub.schema import COMMANDS, EVENTS
from gate.wire.messages import CloudEvent

_TOLD = frozenset(
    {
        "boot_id",
        "by",
        "decision",
        "device",
        "door",
        "is_admitted",
        "outcome",
        "position",
        "purpose",
        "reader",
        "reason",
        "revision",
        "rule",
        "software_version",
    }
)
"""What of an event's data is told: evidence, reasons of cases and who was shown what are for those who may see the case."""


def journal_of(connection: Connection, lane: str, *, limit: int, before: int | None) -> dict[str, Any]:
    """Events with a sequence below ``before``, the newest first; ``next`` continues the list."""
    query = select(EVENTS.c.sequence, EVENTS.c.time_ms, EVENTS.c.type, EVENTS.c.case_id, EVENTS.c.body).where(
        EVENTS.c.lane == lane
    )
    if before is not None:
        query = query.where(EVENTS.c.sequence < before)
    rows = connection.execute(query.order_by(EVENTS.c.sequence.desc()).limit(limit + 1)).all()
    lines = [
        {
            "sequence": row.sequence,
            "at_ms": row.time_ms,
            "type": row.type,
            "case_id": row.case_id,
            "detail": _detail(CloudEvent.model_validate_json(row.body).data),
        }
        for row in rows[:limit]
    ]
    return {"lines": lines, "next": rows[limit - 1].sequence if len(rows) > limit else None}


def commands_to(connection: Connection, lane: str, *, limit: int) -> list[dict[str, Any]]:
    """What the lane was last told, by whom, and what became of it; the newest first."""
    told = (
        COMMANDS.c.act,
        COMMANDS.c.author,
        COMMANDS.c.also_by,
        COMMANDS.c.case_id,
        COMMANDS.c.issued_ms,
        COMMANDS.c.state,
        COMMANDS.c.reason,
    )
    rows = connection.execute(
        select(*told).where(COMMANDS.c.lane == lane).order_by(COMMANDS.c.seq.desc()).limit(limit)
    ).all()
    return [dict(row._mapping) for row in rows]


def _detail(data: dict[str, Any]) -> dict[str, str]:
    return {key: str(value) for key, value in data.items() if key in _TOLD and value is not None}
