"""The lanes' projection: how many events of each are stored, up to which number, and what it started with last."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, delete, func, select

from gate.hub.records import StoredEvent
from gate.hub.schema import EVENTS, LANES
from gate.hub.store import upsert_all
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
    upsert_all(connection, LANES, [rows[lane] for lane in sorted(rows)], changes=_CHANGES)


def _larger(name: str) -> str:
    return f"{name} = CASE WHEN excluded.{name} > lanes.{name} THEN excluded.{name} ELSE lanes.{name} END"


def _of_the_later_start(name: str) -> str:
    is_later = "excluded.started_sequence > lanes.started_sequence"
    return f"{name} = CASE WHEN {is_later} THEN excluded.{name} ELSE lanes.{name} END"


_CHANGES = ", ".join(
    (
        "event_count = lanes.event_count + excluded.event_count",
        *(_larger(name) for name in ("last_sequence", "last_event_ms", "started_sequence")),
        *(_of_the_later_start(name) for name in ("boot_id", "software_version")),
    )
)
