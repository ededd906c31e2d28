"""Appointments to be cleared outside of the opening hours or on a holiday: whether there is room, and who has one now."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from sqlalchemy import Connection, select

from config.window import Window
from gate.hub.window.forms import FormError, Kind
from gate.hub.window.records import DAY_MS, Draft
from gate.hub.window.schema import WINDOW_RECORDS

HOUR_MS = 3_600_000
LONGEST_MS = 12 * HOUR_MS
AHEAD_MS = 90 * DAY_MS
EARLY_MS = LATE_MS = HOUR_MS
"""Who comes so much before or after an appointment is still expected."""


def room_problem(
    connection: Connection, draft: Draft, others: Sequence[Draft], *, settings: Window, now_ms: int
) -> FormError | None:
    """What stands against an appointment; ``others``: those of the same submission that stand already. A cancellation needs no room."""
    if draft.body.get("is_cancelled") or draft.from_ms is None or draft.until_ms is None:
        return None
    if draft.until_ms <= now_ms:
        return FormError(field="ends_at", message="is over")
    if draft.from_ms > now_ms + AHEAD_MS:
        return FormError(field="starts_at", message=f"is more than {AHEAD_MS // DAY_MS} days ahead")
    if draft.until_ms - draft.from_ms > LONGEST_MS:
        return FormError(field="ends_at", message=f"is more than {LONGEST_MS // HOUR_MS} hours after starts_at")
    expected = _expected(connection, draft, others)
    for hour in range(draft.from_ms // HOUR_MS, (draft.until_ms - 1) // HOUR_MS + 1):
        begins, ends = hour * HOUR_MS, (hour + 1) * HOUR_MS
        taken = sum(count for first, last, count in expected if first < ends and last > begins)
        if taken + draft.body["travellers"] > settings.slot_travellers:
            at = datetime.fromtimestamp(begins / 1000, tz=UTC)
            room = max(0, settings.slot_travellers - taken)
            return FormError(
                field="starts_at", message=f"there is room for {room} in the hour from {at:%Y-%m-%dT%H:%MZ}"
            )
    return None


def _expected(connection: Connection, draft: Draft, others: Sequence[Draft]) -> list[tuple[int, int, int]]:
    """(from, until, travellers) of the appointments near this one, without those of its own key."""
    table = WINDOW_RECORDS
    rows = connection.execute(
        select(table.c.key, table.c.from_ms, table.c.until_ms, table.c.body).where(
            table.c.kind == Kind.RESERVATION.value,
            table.c.from_ms > (draft.from_ms or 0) - LONGEST_MS - HOUR_MS,
            table.c.from_ms < (draft.until_ms or 0) + HOUR_MS,
        )
    )
    found = {row.key: (row.from_ms, row.until_ms, json.loads(row.body)) for row in rows}
    found |= {item.key: (item.from_ms, item.until_ms, dict(item.body)) for item in others}
    found.pop(draft.key, None)
    return [(first, last, body["travellers"]) for first, last, body in found.values() if not body.get("is_cancelled")]


def is_open(settings: Window, at_ms: int) -> bool:
    """Whether the port is open to everybody: within the opening hours of a day that is no holiday, local time."""
    local = datetime.fromtimestamp(at_ms / 1000, tz=UTC) + timedelta(minutes=settings.utc_offset_min)
    if local.date() in settings.holidays:
        return False
    begins, _, ends = settings.opening_hours.partition("-")
    return begins <= f"{local:%H:%M}" < ends


def has_appointment(connection: Connection, issuer: str, number: str, *, at_ms: int) -> bool:
    """Whether the holder of this document has an appointment about now. One for a group names no document, and counts for none."""
    table = WINDOW_RECORDS
    rows = connection.scalars(
        select(table.c.body).where(
            table.c.kind == Kind.RESERVATION.value,
            table.c.issuer == issuer,
            table.c.document_number == number,
            table.c.from_ms <= at_ms + EARLY_MS,
            table.c.until_ms > at_ms - LATE_MS,
        )
    )
    return any(not json.loads(body).get("is_cancelled") for body in rows)
