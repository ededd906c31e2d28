"""What a port's lanes reported as wrong: each alarm and fault with its end, and who acknowledged it when."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from sqlalchemy import Connection, and_, select

from gate.hub.schema import COMMANDS, EVENTS, IS_ALARM
from gate.wire.messages import Act, AlarmCleared, AlarmRaised, CloudEvent, FaultCleared, FaultRaised

MAX_ROWS = 5_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Alarm:
    """``kind`` is ``alarm`` or ``fault``; ``device`` is a fault's. Times are milliseconds since 1970 UTC; None: not yet."""

    lane: str
    kind: str
    reason: str
    device: str | None
    case_id: str | None
    raised_ms: int
    cleared_ms: int | None = None
    cleared_by: str | None = None
    acknowledged_ms: int | None = None
    acknowledged_by: str | None = None

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class Acknowledgement:
    """An officer's order to a lane to take its trouble as seen."""

    lane: str
    author: str
    at_ms: int


def alarms_since(connection: Connection, since_ms: int, *, lane: str | None = None) -> list[Alarm]:
    """What was raised since then, the newest first; at most the newest 5000 reports are looked at."""
    query = select(EVENTS.c.lane, EVENTS.c.sequence, EVENTS.c.time_ms, EVENTS.c.body).where(
        IS_ALARM, EVENTS.c.time_ms >= since_ms
    )
    asked = and_(COMMANDS.c.act == Act.ACKNOWLEDGE.value, COMMANDS.c.issued_ms >= since_ms)
    if lane is not None:
        query = query.where(EVENTS.c.lane == lane)
        asked = and_(asked, COMMANDS.c.lane == lane)
    rows = connection.execute(query.order_by(EVENTS.c.time_ms.desc(), EVENTS.c.sequence.desc()).limit(MAX_ROWS)).all()
    seen = [
        Acknowledgement(lane=row.lane, author=row.author, at_ms=row.issued_ms)
        for row in connection.execute(
            select(COMMANDS.c.lane, COMMANDS.c.author, COMMANDS.c.issued_ms).where(asked).order_by(COMMANDS.c.seq)
        )
    ]
    by_lane: dict[str, list[tuple[int, CloudEvent]]] = {}
    for row in sorted(rows, key=lambda item: (item.lane, item.sequence)):
        by_lane.setdefault(row.lane, []).append((row.time_ms, CloudEvent.model_validate_json(row.body)))
    return fold_alarms(by_lane, seen)


def fold_alarms(
    by_lane: Mapping[str, Iterable[tuple[int, CloudEvent]]], seen: Sequence[Acknowledgement]
) -> list[Alarm]:
    """The alarms of these reports (in the order of each lane), the newest first.

    A lane clears all it had at once (:class:`~gate.wire.messages.FaultCleared` names no device), and an acknowledgement is of all that
    was open when it was given.
    """
    done: list[Alarm] = []
    for lane, reports in by_lane.items():
        open_alarms: dict[tuple[str, str | None, str], Alarm] = {}
        for at_ms, event in reports:
            match event.typed_data():
                case AlarmRaised() as data:
                    alarm = Alarm(
                        lane=lane, kind="alarm", reason=data.reason, device=None, case_id=data.case_id, raised_ms=at_ms
                    )
                    open_alarms.setdefault(("alarm", None, data.reason), alarm)
                case FaultRaised() as data:
                    alarm = Alarm(
                        lane=lane, kind="fault", reason=data.reason, device=data.device, case_id=None, raised_ms=at_ms
                    )
                    open_alarms.setdefault(("fault", data.device, data.reason), alarm)
                case AlarmCleared(by=by):
                    done += _ended(open_alarms, "alarm", at_ms, by)
                case FaultCleared(by=by):
                    done += _ended(open_alarms, "fault", at_ms, by)
                case _:
                    pass
        done += open_alarms.values()
    marked = [_acknowledged(alarm, seen) for alarm in done]
    return sorted(marked, key=lambda item: (-item.raised_ms, item.lane, item.reason))


def _ended(held: dict[tuple[str, str | None, str], Alarm], kind: str, at_ms: int, by: str) -> list[Alarm]:
    keys = [key for key in held if key[0] == kind]
    return [replace(held.pop(key), cleared_ms=at_ms, cleared_by=by) for key in keys]


def _acknowledged(alarm: Alarm, seen: Sequence[Acknowledgement]) -> Alarm:
    for item in seen:
        is_open = alarm.cleared_ms is None or item.at_ms <= alarm.cleared_ms
        if item.lane == alarm.lane and item.at_ms >= alarm.raised_ms and is_open:
            return replace(alarm, acknowledged_ms=item.at_ms, acknowledged_by=item.author)
    return alarm
