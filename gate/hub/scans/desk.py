"""Rows of scans: kept once, matched by the rule of ``drivers.xray.matching``, attached by an officer. Inside the caller's transaction."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, select, update

from drivers.xray.interface import TimeSource, XrayImage
from drivers.xray.matching import SLACK, Matched, Stay, Unmatched, match_scan
from gate.hub.audit.log import AuditKind, Entry, note
from gate.hub.blobs import BlobStore
from gate.hub.intake import normal_document
from gate.hub.scans.pictures import ScanPicture
from gate.hub.scans.schema import SCANS
from gate.hub.schema import BLOBS, CASES
from gate.hub.store import insert_new

BY_OFFICER = "officer"
MATCH_FOR_MS = 30 * 60 * 1000
"""So long after its arrival a scan is offered to new cases; then only an officer can attach it."""
LOOK_BACK_MS = 2 * 60 * 60 * 1000
MAX_STAYS = 500
_PRIVATE, _TRAVEL = "private", "travel"


def keep_scan(
    connection: Connection, image: XrayImage, pictures: Sequence[ScanPicture], *, source: str, now_ms: int
) -> bool:
    """Write a scan and its pictures' rows; False when it was there already. The pictures' bytes are on disk before."""
    row = {
        "image_id": image.image_id,
        "source": source,
        "machine": image.machine[:200],
        "lane": image.lane,
        "bag_tag": image.bag_tag,
        "document": image.document,
        "taken_ms": round(image.taken_at.timestamp() * 1000),
        "time_source": image.time_source.value,
        "received_ms": now_ms,
        "views": json.dumps([picture.to_json() for picture in pictures]),
        "case_id": None,
        "matched_by": None,
        "matched_ms": None,
        "author": None,
        "reason": "not looked at yet",
    }
    if not insert_new(connection, SCANS, [row], returning="image_id"):
        return False
    blobs = [
        {
            "sha256": picture.sha256,
            "size": len(picture.data),
            "media_type": picture.media_type,
            "lane": image.lane or "",
            "case_id": "",
            "stored_ms": now_ms,
        }
        for picture in pictures
    ]
    insert_new(connection, BLOBS, blobs)
    return True


def match_waiting(connection: Connection, blobs: BlobStore, *, now_ms: int) -> list[str]:
    """Match the scans that are nobody's and not too old; the cases that got one."""
    waiting = select(SCANS).where(SCANS.c.case_id.is_(None), SCANS.c.received_ms >= now_ms - MATCH_FOR_MS)
    rows = connection.execute(waiting.order_by(SCANS.c.taken_ms)).all()
    if not rows:
        return []
    stays = stays_of(connection, blobs, now_ms=now_ms, is_known=any(row.bag_tag or row.document for row in rows))
    touched = []
    for row in rows:
        found = _match(row, stays, now_ms=now_ms)
        if isinstance(found, Matched):
            attach(connection, row, case_id=found.key, matched_by=found.by.value, author=None, now_ms=now_ms)
            touched.append(found.key)
        elif found.reason != row.reason:
            connection.execute(update(SCANS).where(SCANS.c.image_id == row.image_id).values(reason=found.reason))
    return touched


def attach(
    connection: Connection, row: Row[Any], *, case_id: str, matched_by: str, author: str | None, now_ms: int
) -> None:
    """Tie a scan to a case, with its pictures; on record, whoever found that it belongs there."""
    values = {"case_id": case_id, "matched_by": matched_by, "matched_ms": now_ms, "author": author, "reason": ""}
    connection.execute(update(SCANS).where(SCANS.c.image_id == row.image_id).values(**values))
    digests = [view["sha256"] for view in json.loads(row.views)]
    connection.execute(update(BLOBS).where(BLOBS.c.sha256.in_(digests), BLOBS.c.case_id == "").values(case_id=case_id))
    told = {"image_id": row.image_id, "matched_by": matched_by, "pictures": digests}
    entry = Entry(at_ms=now_ms, kind=AuditKind.SCAN_ATTACHED, who=author or "hub", case_id=case_id, data=told)
    note(connection, entry)


def stays_of(connection: Connection, blobs: BlobStore, *, now_ms: int, is_known: bool) -> list[Stay]:
    """Who was in which lane of late. ``is_known``: also by which tags and document, which means reading private parts."""
    query = select(CASES.c.case_id, CASES.c.lane, CASES.c.opened_ms, CASES.c.closed_ms, CASES.c.body)
    query = query.where(CASES.c.opened_ms >= now_ms - LOOK_BACK_MS).order_by(CASES.c.opened_ms.desc())
    stays = []
    for row in connection.execute(query.limit(MAX_STAYS)):
        tags, document = _known(blobs, row.body) if is_known else (frozenset(), None)
        stays.append(
            Stay(
                key=row.case_id,
                lane=row.lane,
                began=_utc(row.opened_ms),
                ended=None if row.closed_ms is None else _utc(row.closed_ms),
                bag_tags=tags,
                document=document,
            )
        )
    return stays


def scan_json(row: Row[Any]) -> dict[str, Any]:
    """A scan as officers and lanes see it."""
    return {
        "image_id": row.image_id,
        "source": row.source,
        "machine": row.machine,
        "lane": row.lane,
        "taken_ms": row.taken_ms,
        "received_ms": row.received_ms,
        "case_id": row.case_id,
        "matched_by": row.matched_by,
        "author": row.author,
        "reason": row.reason,
        "views": json.loads(row.views),
    }


def _match(row: Row[Any], stays: Sequence[Stay], *, now_ms: int) -> Matched | Unmatched:
    """At once to whoever is in the lane at that time; to a neighbour in time only when nobody else can still come."""
    image = XrayImage(
        image_id=row.image_id,
        views=(),
        taken_at=_utc(row.taken_ms),
        time_source=TimeSource(row.time_source),
        machine=row.machine,
        lane=row.lane,
        bag_tag=row.bag_tag,
        document=None if row.document is None else normal_document(row.document, "")[1],
    )
    found = match_scan(image, stays, slack=timedelta(0))
    is_settled = now_ms > row.taken_ms + round(SLACK.total_seconds() * 1000)
    return match_scan(image, stays) if isinstance(found, Unmatched) and is_settled else found


def _known(blobs: BlobStore, body: str) -> tuple[frozenset[str], str | None]:
    """Bag tags and document number out of a case's private parts; nothing where they are not here or not as agreed."""
    tags: frozenset[str] = frozenset()
    document = None
    for item in json.loads(body)["attachments"]:
        data = blobs.get(item["sha256"]) if item["kind"] in (_PRIVATE, _TRAVEL) else None
        if data is None:
            continue
        try:
            record = json.loads(data)
            if item["kind"] == _PRIVATE:
                document = normal_document(str(record["traveller"]["document_number"]), "")[1]
            else:
                tags |= frozenset(str(tag) for tag in record["bag_tags"])
        except (ValueError, KeyError, TypeError):
            continue
    return tags, document


def _utc(at_ms: int) -> datetime:
    return datetime.fromtimestamp(at_ms / 1000, tz=UTC)
