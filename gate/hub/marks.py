"""Marks and notes that officers draw on a case's pictures. A mark is bound to the sha256 of its picture, and is never changed: it is
drawn, and it may be erased by who drew it; its row stays.

Runs inside the caller's transaction. Not responsible for: who may see pictures (the router asks), telling the screens (the hub does).
"""

import secrets
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    Float,
    Index,
    Integer,
    Row,
    String,
    Table,
    Text,
    func,
    select,
    update,
)

from gate.hub.audit.log import AuditKind, Entry, note
from gate.hub.rows import case_body
from gate.hub.schema import METADATA

MAX_MARKS = 200
"""Of one case, erased ones too: what a screen can show and a person can look at."""

MARKS = Table(
    "marks",
    METADATA,
    Column("mark_id", String(32), primary_key=True),
    Column("case_id", String(64), nullable=False),
    Column("number", Integer, nullable=False),  # from 1 in its case; never given twice
    Column("picture", String(64), nullable=False),  # sha256 of the picture it was drawn on
    Column("kind", String(16), nullable=False),
    Column("x", Float, nullable=False),  # pixels of the picture, from its upper left corner
    Column("y", Float, nullable=False),
    Column("width", Float, nullable=False),
    Column("height", Float, nullable=False),
    Column("text", Text, nullable=False),
    Column("role", String(63), nullable=False),
    Column("author", String(64), nullable=False),
    Column("at_ms", BigInteger, nullable=False),
    Column("erased_ms", BigInteger),
    Index(None, "case_id", "number", unique=True),
)


class MarkKind(StrEnum):
    """The shape. ``x`` and ``y`` are a point's place, else the upper left corner of what the shape fills."""

    POINT = "point"
    ELLIPSE = "ellipse"
    BOX = "box"


@dataclass(frozen=True, slots=True, kw_only=True)
class NewMark:
    """What an officer has drawn; lengths are pixels of the picture."""

    picture: str
    kind: MarkKind
    x: float
    y: float
    width: float
    height: float
    text: str
    role: str
    author: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MarkNotTaken:
    """Why: ``unknown_case``, ``unknown_picture``, ``too_many``, ``unknown_mark`` or ``not_yours``."""

    reason: str


def draw(connection: Connection, case_id: str, mark: NewMark, *, at_ms: int) -> str | MarkNotTaken:
    """Keep a mark; its id."""
    body = case_body(connection, case_id)
    if body is None:
        return MarkNotTaken(reason="unknown_case")
    if not any(item["sha256"] == mark.picture and is_picture(item) for item in body["attachments"]):
        return MarkNotTaken(reason="unknown_picture")
    number = (connection.scalar(select(func.max(MARKS.c.number)).where(MARKS.c.case_id == case_id)) or 0) + 1
    if number > MAX_MARKS:
        return MarkNotTaken(reason="too_many")
    row = {
        "mark_id": secrets.token_hex(16),
        "case_id": case_id,
        "number": number,
        "picture": mark.picture,
        "kind": mark.kind.value,
        "x": mark.x,
        "y": mark.y,
        "width": mark.width,
        "height": mark.height,
        "text": mark.text,
        "role": mark.role,
        "author": mark.author,
        "at_ms": at_ms,
        "erased_ms": None,
    }
    connection.execute(MARKS.insert(), row)
    told = {
        name: row[name]
        for name in ("mark_id", "number", "picture", "kind", "x", "y", "width", "height", "text", "role")
    }
    note(connection, Entry(at_ms=at_ms, kind=AuditKind.MARK_DRAWN, who=mark.author, case_id=case_id, data=told))
    return str(row["mark_id"])


def erase(connection: Connection, case_id: str, mark_id: str, *, author: str, at_ms: int) -> MarkNotTaken | None:
    """Take a mark away, which only who drew it may do; None when it is gone (also when it was before)."""
    row = connection.execute(select(MARKS).where(MARKS.c.mark_id == mark_id, MARKS.c.case_id == case_id)).first()
    if row is None:
        return MarkNotTaken(reason="unknown_mark")
    if row.author != author:
        return MarkNotTaken(reason="not_yours")
    if row.erased_ms is None:
        connection.execute(update(MARKS).where(MARKS.c.mark_id == mark_id).values(erased_ms=at_ms))
        data = {"mark_id": mark_id, "number": row.number, "picture": row.picture}
        note(connection, Entry(at_ms=at_ms, kind=AuditKind.MARK_ERASED, who=author, case_id=case_id, data=data))
    return None


def marks_of(connection: Connection, case_id: str) -> list[dict[str, Any]]:
    """The marks of a case that stand, in the order in which they were drawn."""
    rows = connection.execute(
        select(MARKS).where(MARKS.c.case_id == case_id, MARKS.c.erased_ms.is_(None)).order_by(MARKS.c.number)
    )
    return [_to_json(row) for row in rows]


def is_picture(attachment: dict[str, Any]) -> bool:
    """Whether an attachment of a case can be drawn on."""
    return str(attachment["media_type"]).startswith("image/")


def _to_json(row: Row[Any]) -> dict[str, Any]:
    names = ("mark_id", "number", "picture", "kind", "x", "y", "width", "height", "text", "role", "author", "at_ms")
    return {name: getattr(row, name) for name in names}
