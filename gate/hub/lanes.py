"""The lanes' projection: how many events of each are stored, up to which number, and what it started with last."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, bindparam, case, delete, func, select
from sqlalchemy.dialects import postgresql, sqlite

from gate.hub.records import StoredEvent
from gate.hub.schema import EVENTS, LANES
from gate.wire.messages import CloudEvent, EventType, LaneStarted

_COUNTS = select(
    EVENTS.c.lane,
    func.count().label("event_count"),
    func.max(EVENTS.c.sequence).label("last_sequence"),
    func.max(EVENTS.c.time_ms).label("last_event_ms"),
).group_by(EVENTS.c.lane)
_STARTS = select(EVENTS.c.lane, EVENTS.c.body).where(EVENTS.c.type == EventType.LANE_STARTED.value)


def keep_lanes(connection: Connection, fresh: Sequence[StoredEvent]) -> None:
    """Add these, none of which was stored before. Written by name, so that two workers wait in line."""
    rows: dict[str, dict[str, Any]] = {}
    for event in fresh:
        row = rows.get(event.lane) or rows.setdefault(event.lane, _empty(event.lane))
        row["event_count"] += 1
        row["last_sequence"] = max(row["last_sequence"], event.sequence)
        row["last_event_ms"] = max(row["last_event_ms"], event.at_ms)
        if isinstance(event.data, LaneStarted):
            _note_start(row, event.sequence, event.data)
    _write(connection, rows)


def rebuild_lanes(connection: Connection) -> None:
    """Make the projection anew from the events."""
    connection.execute(delete(LANES))
    rows = {row.lane: _empty(row.lane) | dict(row._mapping) for row in connection.execute(_COUNTS)}
    for start in connection.execute(_STARTS):
        event = CloudEvent.model_validate_json(start.body)
        _note_start(rows[start.lane], event.sequence, LaneStarted.model_validate(event.data))
    _write(connection, rows)


def _empty(lane: str) -> dict[str, Any]:
    return {
        "lane": lane,
        "event_count": 0,
        "last_sequence": 0,
        "last_event_ms": 0,
        "started_sequence": 0,
        "boot_id": None,
        "software_version": None,
    }


def _note_start(row: dict[str, Any], sequence: int, data: LaneStarted) -> None:
    if sequence > row["started_sequence"]:
        row |= {"started_sequence": sequence, "boot_id": data.boot_id, "software_version": data.software_version}


def _write(connection: Connection, rows: dict[str, dict[str, Any]]) -> None:
    if rows:
        statement = _ADD_POSTGRESQL if connection.dialect.name == "postgresql" else _ADD_SQLITE
        connection.execute(statement, [rows[lane] for lane in sorted(rows)])


def _add(statement: Any) -> Any:
    new, held = statement.excluded, LANES.c
    is_newer = new.started_sequence > held.started_sequence

    def larger(name: str) -> Any:
        return case((new[name] > held[name], new[name]), else_=held[name])

    return statement.on_conflict_do_update(
        index_elements=["lane"],
        set_={
            "event_count": held.event_count + new.event_count,
            "last_sequence": larger("last_sequence"),
            "last_event_ms": larger("last_event_ms"),
            "started_sequence": larger("started_sequence"),
            "boot_id": case((is_newer, new.boot_id), else_=held.boot_id),
            "software_version": case((is_newer, new.software_version), else_=held.software_version),
        },
    )


# Built once: building costs more than running.
_VALUES = {column.name: bindparam(column.name, type_=column.type) for column in LANES.columns}
_ADD_POSTGRESQL = _add(postgresql.insert(LANES).values(_VALUES))
_ADD_SQLITE = _add(sqlite.insert(LANES).values(_VALUES))
